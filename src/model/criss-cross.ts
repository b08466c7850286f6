/**
 * One criss-cross transformer layer: tokens [B·C·N, D] → tokens. Pre-norm; the first half of D attends across the
 * channels of a patch, the second half across the patches of a channel; then a feed-forward network.
 *
 * Source: CBraMod, arXiv 2412.07236 §2.3 and its code (models/criss_cross_transformer.py); the attention is PyTorch's
 * nn.MultiheadAttention, whose dropout acts on the attention weights.
 */
import type { Value } from '../graph/ir.ts';
import {
  add,
  concat,
  gelu,
  layerNorm,
  matmul,
  mul,
  reshape,
  softmax,
  split,
  transpose,
} from '../graph/operators.ts';
import type { EncoderConfig } from './config.ts';
import { addLowRank } from './lora.ts';
import { type Building, drop, linear, rowsOf } from './tokens.ts';

/** Build the layer whose parameters begin with `name`, e.g. `encoder.layers.0`. */
export function crissCrossLayer(x: Value, name: string, config: EncoderConfig, building: Building): Value {
  const at = (key: string) => building.parameter(`${name}.${key}`);
  const half = config.dim / 2;
  const normed = layerNorm(x, at('norm1.weight'), at('norm1.bias')); // [BCN, D]
  const [spatial, temporal] = split(normed, 1, [half, half]); // 2 × [BCN, D/2]
  const attended = concat(
    [
      attend(spatial!, `${name}.self_attn_s`, 'channels', config, building),
      attend(temporal!, `${name}.self_attn_t`, 'patches', config, building),
    ],
    1,
  );
  const middle = add(x, drop(attended, building));
  /** A linear layer of the network, with its low-rank addition where it has one. */
  const apply = (rows: Value, key: string) => {
    const product = linear(rows, at(`${key}.weight`), at(`${key}.bias`));
    return addLowRank([product], rows, `${name}.${key}.weight`, 'feedForward', building)[0]!;
  };
  const inner = apply(layerNorm(middle, at('norm2.weight'), at('norm2.bias')), 'linear1'); // [BCN, 4D]
  const outer = apply(drop(gelu(inner), building), 'linear2');
  return add(middle, drop(outer, building));
}

/**
 * Axis orders from [B, C, N, heads, width] to [B, other axis, heads, attended axis, width], and back. Each moves a single
 * axis, which engines do fastest; queries, keys and values are therefore projected apart.
 */
const orders = {
  channels: { rows: [0, 2, 3, 1, 4], back: [0, 3, 1, 2, 4] },
  patches: { rows: [0, 1, 3, 2, 4], back: [0, 1, 3, 2, 4] },
} as const;

/** Multi-head self-attention of half the features along one axis: [B·C·N, D/2] → the same. */
function attend(
  x: Value,
  name: string,
  axis: 'channels' | 'patches',
  config: EncoderConfig,
  building: Building,
): Value {
  const { batch, channels, patches } = building.shape;
  const at = (key: string) => building.parameter(`${name}.${key}`);
  const half = config.dim / 2;
  const heads = config.heads / 2;
  const width = half / heads;
  const weights = split(at('in_proj_weight'), 0, [half, half, half]);
  const biases = split(at('in_proj_bias'), 0, [half, half, half]);
  const projected = weights.map((weight, i) => linear(x, weight, biases[i]!));
  const [query, key, value] = addLowRank(projected, x, `${name}.in_proj_weight`, 'attention', building).map(
    (rows) => reshape(rows, [batch, channels, patches, heads, width]),
  ) as [Value, Value, Value];
  const { rows, back } = orders[axis];
  // The engine makes one product of the last transposition and what follows.
  const columns = transpose(transpose(key, rows), [0, 1, 2, 4, 3]);
  const scores = mul(matmul(transpose(query, rows), columns), 1 / Math.sqrt(width));
  const shares = softmax(scores, 4); // [B, other, heads, attended, attended]
  const mixed = matmul(drop(shares, building), transpose(value, rows)); // [B, other, heads, attended, width]
  const merged = reshape(transpose(mixed, back), [rowsOf(building.shape), half]);
  const output = linear(merged, at('out_proj.weight'), at('out_proj.bias'));
  return addLowRank([output], merged, `${name}.out_proj.weight`, 'attention', building)[0]!;
}
