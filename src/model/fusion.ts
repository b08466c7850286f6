/**
 * Several modalities → one vector: embeddings [B, C, N, D], or their means [B, D] → features [B, F]. Fusion is
 * concatenation; what else there is must beat it.
 *
 * Every other kind begins with a scale and shift of each modality's features (1 and 0, or what standardises them where
 * encoders are frozen), then puts a learned null in the place of what is missing. With zeros, as it begins, a null of
 * standardised features is their mean. Gates and attention begin so that training begins at concatenation.
 */
import type { Value } from '../graph/ir.ts';
import { add, concat, mul, reshape, sigmoid, split, where } from '../graph/operators.ts';
import type { Modality } from '../patches/windows.ts';
import { isPlain, type ModelConfig, modalitiesOf, takesTokens } from './config.ts';
import { attendAcross, crossAttentionParameters } from './cross-attention.ts';
import type { DropoutSites } from './dropout.ts';
import { type ParameterSpec, prefixed } from './parameters.ts';
import { flattenTokens, poolByAttention, poolMean, tokenRows } from './pooling.ts';
import { linear, type ParameterSource } from './tokens.ts';

/** Which windows have a modality: bool [B] each. */
export type Present = { readonly [M in Modality]?: Value };

/** Concatenate the modalities' vectors [B, Fᵢ] → [B, ΣFᵢ]. */
export function fuse(vectors: readonly Value[]): Value {
  return vectors.length === 1 ? vectors[0]! : concat(vectors, 1);
}

/** What lies between encoders and head: nothing in a plain model. */
export function fusionParameters(config: ModelConfig): ParameterSpec[] {
  if (isPlain(config)) return [];
  const { fusion, nullEmbeddings, head } = config;
  const modalities = modalitiesOf(config);
  const dims = modalities.map((modality) => config.signals[modality]!.encoder.dim);
  const features = dims.reduce((sum, dim) => sum + dim, 0);
  const perModality = modalities.flatMap((modality, i) => {
    const dim = dims[i]!;
    return prefixed(`${modality}.`, [
      { name: 'scale.weight', shape: [dim], initial: 'ones' },
      { name: 'scale.bias', shape: [dim], initial: 'zeros' },
      // Logits of what is missing are left out of their mean: it needs no null.
      ...(nullEmbeddings && fusion !== 'late'
        ? [{ name: 'null', shape: [dim], initial: 'zeros' } as const]
        : []),
      ...(head.pool === 'attention'
        ? [{ name: 'query', shape: [head.poolHeads, dim], initial: 'zeros' } as const]
        : []),
      ...(fusion === 'cross-attention' ? prefixed('cross.', crossAttentionParameters(dim)) : []),
    ]);
  });
  const gate: ParameterSpec[] = [
    { name: 'gate.weight', shape: [modalities.length, features], initial: 'zeros' },
    { name: 'gate.bias', shape: [modalities.length], initial: 'zeros' },
  ];
  return [...perModality, ...(fusion === 'gated' ? gate : [])];
}

/**
 * Build the fusion: tokens [B, C, N, D] of each modality of the configuration, in its order, or their means [B, D] where
 * it takes those (`takesTokens`) → features [B, F]. `present` where the model has nulls.
 */
export function fuseEmbeddings(
  embeddings: readonly Value[],
  config: ModelConfig,
  parameter: ParameterSource,
  { present = {}, dropout }: { readonly present?: Present; readonly dropout?: DropoutSites | undefined } = {},
): Value {
  const pooled = !takesTokens(config);
  if (isPlain(config)) return fuse(pooled ? embeddings : embeddings.map(flattenTokens));
  const modalities = modalitiesOf(config);
  const at = (modality: Modality) => (name: string) => parameter(`${modality}.${name}`);
  let values = embeddings.map((embedding, i) => {
    const own = at(modalities[i]!);
    const rows = pooled ? embedding : tokenRows(embedding);
    const scaled = add(mul(rows, own('scale.weight')), own('scale.bias'));
    const there = present[modalities[i]!];
    if (there === undefined || config.fusion === 'late') return scaled;
    return where(
      reshape(there, [there.shape[0]!, ...scaled.shape.slice(1).map(() => 1)]),
      scaled,
      own('null'),
    );
  });
  if (config.fusion === 'cross-attention')
    values = values.map((value, i) =>
      attendAcross(value, values[1 - i]!, (name) => at(modalities[i]!)(`cross.${name}`), dropout),
    );
  if (!pooled)
    values = values.map((value, i) =>
      config.head.pool === 'attention'
        ? poolByAttention(value, at(modalities[i]!)('query'))
        : poolMean(value),
    );
  return fuse(config.fusion === 'gated' ? weigh(values, parameter) : values);
}

/**
 * Each vector times 2σ(gate of all vectors): 1 at the beginning. Sigmoids, not a softmax: both signals of a window can be
 * bad, or good, and the gates can say so. The vectors stay side by side, not summed: encoders that were trained apart
 * share no axes.
 */
function weigh(vectors: readonly Value[], parameter: ParameterSource): Value[] {
  const scores = linear(concat(vectors, 1), parameter('gate.weight'), parameter('gate.bias'));
  const gates = split(
    mul(sigmoid(scores), 2),
    1,
    vectors.map(() => 1),
  );
  return vectors.map((vector, i) => mul(vector, gates[i]!));
}
