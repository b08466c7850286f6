/**
 * Heads: fused features [B, F] → logits [B, K].
 *
 * linear: one linear layer. mlp: hidden layer with GELU. all-patches: CBraMod's own classifier (its code,
 * `all_patch_reps`): two hidden layers with ELU over every token, the first N·D wide.
 */
import type { Value } from '../graph/ir.ts';
import { add, exp, gelu, neg, relu, sub } from '../graph/operators.ts';
import { type HeadConfig, type ModelConfig, modalitiesOf } from './config.ts';
import type { DropoutSites } from './dropout.ts';
import { linearParameters, type ParameterSpec } from './parameters.ts';
import { linear, type ParameterSource } from './tokens.ts';

/** F: what a head gets of these signals. */
export function featureSize(config: ModelConfig): number {
  const perToken = config.head.kind === 'all-patches';
  return modalitiesOf(config).reduce((sum, modality) => {
    const { channels, patches, encoder } = config.signals[modality]!;
    return sum + (perToken ? channels.length * patches * encoder.dim : encoder.dim);
  }, 0);
}

/** Sizes of the head's layers, from features to classes. */
function layerSizes(config: ModelConfig): number[] {
  const { kind, hidden, classes } = config.head;
  const features = featureSize(config);
  if (kind === 'linear') return [features, classes];
  if (kind === 'mlp') return [features, hidden, classes];
  const widths = modalitiesOf(config).map((modality) => {
    const { patches, encoder } = config.signals[modality]!;
    return patches * encoder.dim;
  });
  return [features, Math.max(...widths), hidden, classes];
}

/** The head's parameters, `0.weight`, `0.bias`, `1.weight` …: PyTorch's initial values of nn.Linear. */
export function headParameters(config: ModelConfig): ParameterSpec[] {
  const sizes = layerSizes(config);
  return sizes.slice(1).flatMap((size, layer) => linearParameters(String(layer), sizes[layer]!, size));
}

/** Build the head: features [B, F] → logits [B, K]. */
export function applyHead(
  features: Value,
  config: ModelConfig,
  parameter: ParameterSource,
  dropout?: DropoutSites,
): Value {
  const last = layerSizes(config).length - 2;
  let x = features;
  for (let layer = 0; layer <= last; layer++) {
    x = linear(x, parameter(`${layer}.weight`), parameter(`${layer}.bias`));
    if (layer < last) x = activate(x, config.head.kind);
    if (layer < last && dropout !== undefined) x = dropout.apply(x);
  }
  return x;
}

function activate(x: Value, kind: HeadConfig['kind']): Value {
  if (kind === 'mlp') return gelu(x);
  // ELU(x) = max(x, 0) + exp(min(x, 0)) − 1
  return sub(add(relu(x), exp(neg(relu(neg(x))))), 1);
}
