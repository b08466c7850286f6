/** Several modalities → one vector: embeddings [B, C, N, D] → features [B, F]. Fusion is concatenation. */
import type { Value } from '../graph/ir.ts';
import { concat, reduceMean, reshape } from '../graph/operators.ts';

/** The mean of all tokens: [B, C, N, D] → [B, D]. */
export function poolMean(embedding: Value): Value {
  const [batch, channels, patches, dim] = embedding.shape;
  // One axis between two others is the engine's fastest reduction.
  const tokens = reshape(embedding, [batch!, Number(channels) * Number(patches), dim!]);
  return reduceMean(tokens, [1], { keepDims: false });
}

/** All tokens side by side: [B, C, N, D] → [B, C·N·D]. */
export function flattenTokens(embedding: Value): Value {
  const [batch, ...sizes] = embedding.shape;
  return reshape(embedding, [batch!, sizes.reduce<number>((product, size) => product * Number(size), 1)]);
}

/** Concatenate the modalities' vectors [B, Fᵢ] → [B, ΣFᵢ]. */
export function fuse(vectors: readonly Value[]): Value {
  return vectors.length === 1 ? vectors[0]! : concat(vectors, 1);
}
