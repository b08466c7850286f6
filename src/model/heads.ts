/**
 * Heads: fused features [B, F] → logits [B, K].
 *
 * linear: one linear layer. mlp: hidden layer with GELU. all-patches: CBraMod's own classifier (its code,
 * `all_patch_reps`): two hidden layers with ELU over every token, the first N·D wide. Late fusion has one of each
 * modality, and the mean of their logits.
 */
import { maxOf } from '../core/arrays.ts';
import type { Value } from '../graph/ir.ts';
import { add, cast, div, exp, gelu, mul, neg, relu, reshape, split, sub } from '../graph/operators.ts';
import type { Modality } from '../patches/windows.ts';
import { type HeadConfig, type ModelConfig, modalitiesOf } from './config.ts';
import type { DropoutSites } from './dropout.ts';
import type { Present } from './fusion.ts';
import { linearParameters, type ParameterSpec, prefixed } from './parameters.ts';
import { linear, type ParameterSource } from './tokens.ts';

/** F: what a head gets of these signals. */
export function featureSize(config: ModelConfig): number {
  return modalitiesOf(config).reduce((sum, modality) => sum + widthOf(config, modality), 0);
}

/** What a head gets of one modality. */
function widthOf({ signals, head }: ModelConfig, modality: Modality): number {
  const { channels, patches, encoder } = signals[modality]!;
  return head.kind === 'all-patches' ? channels.length * patches * encoder.dim : encoder.dim;
}

/** Sizes of a head's layers, from features to classes. */
function layerSizes(config: ModelConfig, features: number): number[] {
  const { kind, hidden, classes } = config.head;
  if (kind === 'linear') return [features, classes];
  if (kind === 'mlp') return [features, hidden, classes];
  const widths = modalitiesOf(config).map((modality) => {
    const { patches, encoder } = config.signals[modality]!;
    return patches * encoder.dim;
  });
  return [features, maxOf(widths), hidden, classes];
}

/**
 * The head's parameters, `0.weight`, `0.bias`, `1.weight` …, with late fusion `eeg.0.weight` …: PyTorch's initial values of
 * nn.Linear.
 */
export function headParameters(config: ModelConfig): ParameterSpec[] {
  const layers = (features: number) => {
    const sizes = layerSizes(config, features);
    return sizes.slice(1).flatMap((size, layer) => linearParameters(String(layer), sizes[layer]!, size));
  };
  if (config.fusion !== 'late') return layers(featureSize(config));
  return modalitiesOf(config).flatMap((modality) =>
    prefixed(`${modality}.`, layers(widthOf(config, modality))),
  );
}

/** Build the head: features [B, F] → logits [B, K]. `present` where the model can do without a modality. */
export function applyHead(
  features: Value,
  config: ModelConfig,
  parameter: ParameterSource,
  dropout?: DropoutSites,
  present: Present = {},
): Value {
  if (config.fusion !== 'late') return applyLayers(features, config, parameter, dropout);
  const modalities = modalitiesOf(config);
  const sizes = modalities.map((modality) => widthOf(config, modality));
  const logits = split(features, 1, sizes).map((vector, i) =>
    applyLayers(vector, config, (name) => parameter(`${modalities[i]}.${name}`), dropout),
  );
  // The mean of those that are there; of all where nothing is said.
  const weights = modalities.flatMap((modality) => {
    const there = present[modality];
    return there ? [cast(reshape(there, [there.shape[0]!, 1]), features.dtype)] : [];
  });
  if (weights.length < logits.length) return mul(logits.reduce(add), 1 / logits.length);
  return div(logits.map((value, i) => mul(value, weights[i]!)).reduce(add), weights.reduce(add));
}

function applyLayers(
  features: Value,
  config: ModelConfig,
  parameter: ParameterSource,
  dropout?: DropoutSites,
): Value {
  const last = layerSizes(config, Number(features.shape[1])).length - 2;
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
