/**
 * Tokens of one modality → one vector: [B, T, D] → [B, D], or all of them side by side.
 *
 * Attention pooling: a learned query q weighs the tokens by softmax(x·q/√D), as the attentive probes of V-JEPA
 * (arXiv 2404.08471, §3) without their projections: a linear layer follows in any case. With several queries each weighs
 * its share of the features. Queries of zeros, with which it begins, give the mean.
 */
import type { Value } from '../graph/ir.ts';
import { matmul, mul, reduceMean, reduceSum, reshape, softmax, transpose } from '../graph/operators.ts';

/** [B, C, N, D] → [B, C·N, D]. */
export function tokenRows(embedding: Value): Value {
  const [batch, channels, patches, dim] = embedding.shape;
  return reshape(embedding, [batch!, Number(channels) * Number(patches), dim!]);
}

/** The mean of all tokens: [B, C, N, D] or [B, T, D] → [B, D]. */
export function poolMean(embedding: Value): Value {
  // One axis between two others is the engine's fastest reduction.
  return reduceMean(embedding.shape.length === 4 ? tokenRows(embedding) : embedding, [1], {
    keepDims: false,
  });
}

/** All tokens side by side: [B, C, N, D] → [B, C·N·D]. */
export function flattenTokens(embedding: Value): Value {
  const [batch, ...sizes] = embedding.shape;
  return reshape(embedding, [batch!, sizes.reduce<number>((product, size) => product * Number(size), 1)]);
}

/** Tokens [B, T, D] weighed by queries [H, D] → [B, D]; query h weighs the features [h·D/H, (h + 1)·D/H). */
export function poolByAttention(tokens: Value, queries: Value): Value {
  const [batch, count, dim] = tokens.shape;
  const [heads] = queries.shape;
  const scores = mul(matmul(tokens, transpose(queries, [1, 0])), 1 / Math.sqrt(Number(dim)));
  const shares = softmax(scores, 1); // [B, T, H]
  const parts = reshape(tokens, [batch!, count!, heads!, Number(dim) / Number(heads)]);
  const weighted = mul(parts, reshape(shares, [batch!, count!, heads!, 1]));
  return reshape(reduceSum(weighted, [1], { keepDims: false }), [batch!, dim!]);
}
