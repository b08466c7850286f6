/**
 * Tokens of one modality attend to those of the other: x [B, T, D], other [B, S, D] → [B, T, D].
 *
 * One pre-norm block of multi-head attention (queries from x, keys and values from the other) with its residual, as in
 * MulT (arXiv 1906.00295, §3.2), without a feed-forward network: the head that follows is one. The last projection begins
 * with zeros, so that training begins at plain concatenation.
 */
import { productOf } from '../graph/dims.ts';
import type { Value } from '../graph/ir.ts';
import { add, layerNorm, matmul, mul, reshape, softmax, transpose } from '../graph/operators.ts';
import type { DropoutSites } from './dropout.ts';
import { linearParameters, normParameters, type ParameterSpec } from './parameters.ts';
import { linear, type ParameterSource } from './tokens.ts';

/** Features of a head: as many as in the encoder. */
const headWidth = 25;

/** Parameters of the block of one modality. */
export function crossAttentionParameters(dim: number): ParameterSpec[] {
  const xavier = { uniform: Math.sqrt(6 / (2 * dim)) };
  return [
    ...normParameters('norm', dim),
    ...normParameters('other', dim),
    ...(['query', 'key', 'value'] as const).flatMap((name) =>
      linearParameters(name, dim, dim, xavier).map((spec) =>
        spec.name.endsWith('bias') ? { ...spec, initial: 'zeros' as const } : spec,
      ),
    ),
    ...linearParameters('out', dim, dim).map((spec) => ({ ...spec, initial: 'zeros' as const })),
  ];
}

/** Build the block. */
export function attendAcross(
  x: Value,
  other: Value,
  parameter: ParameterSource,
  dropout?: DropoutSites,
): Value {
  const [batch, , dim] = x.shape;
  const heads = Number(dim) / headWidth;
  /** [B, T, D] → [B, heads, T, width]. */
  const project = (tokens: Value, name: string) => {
    const count = tokens.shape[1]!;
    const rows = reshape(tokens, [productOf([batch!, count]), dim!]);
    const projected = linear(rows, parameter(`${name}.weight`), parameter(`${name}.bias`));
    return transpose(reshape(projected, [batch!, count, heads, headWidth]), [0, 2, 1, 3]);
  };
  const from = layerNorm(x, parameter('norm.weight'), parameter('norm.bias'));
  const to = layerNorm(other, parameter('other.weight'), parameter('other.bias'));
  const [query, key, value] = [project(from, 'query'), project(to, 'key'), project(to, 'value')];
  const scores = mul(matmul(query, transpose(key, [0, 1, 3, 2])), 1 / Math.sqrt(headWidth));
  const mixed = matmul(softmax(scores, 3), value); // [B, heads, T, width]
  const rows = reshape(transpose(mixed, [0, 2, 1, 3]), [productOf([batch!, x.shape[1]!]), dim!]);
  const attended = linear(rows, parameter('out.weight'), parameter('out.bias'));
  return add(x, reshape(dropout ? dropout.apply(attended) : attended, x.shape));
}
