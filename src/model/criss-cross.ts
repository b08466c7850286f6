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
  const inner = linear(
    layerNorm(middle, at('norm2.weight'), at('norm2.bias')),
    at('linear1.weight'),
    at('linear1.bias'),
  ); // [BCN, 4D]
  const outer = linear(drop(gelu(inner), building), at('linear2.weight'), at('linear2.bias'));
  return add(middle, drop(outer, building));
}

/** Axis orders for [B, C, N, (q k v), heads, width] → [(q k v), B, other axis, heads, attended axis, width], and back. */
const orders = {
  channels: { in: [3, 0, 2, 4, 1, 5], out: [0, 3, 1, 2, 4] },
  patches: { in: [3, 0, 1, 4, 2, 5], out: [0, 1, 3, 2, 4] },
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
  const heads = config.heads / 2;
  const width = config.dim / 2 / heads;
  const [across, along] = axis === 'channels' ? [patches, channels] : [channels, patches];
  const joint = linear(x, at('in_proj_weight'), at('in_proj_bias')); // [BCN, 3·D/2]
  const arranged = transpose(reshape(joint, [batch, channels, patches, 3, heads, width]), orders[axis].in);
  const [query, key, value] = split(arranged, 0, [1, 1, 1]); // each [1, B, across, heads, along, width]
  const product = matmul(query!, transpose(key!, [0, 1, 2, 3, 5, 4]));
  const weights = softmax(mul(product, 1 / Math.sqrt(width)), 5); // [1, B, across, heads, along, along]
  const mixed = reshape(matmul(drop(weights, building), value!), [batch, across, heads, along, width]);
  const rows = reshape(transpose(mixed, orders[axis].out), [rowsOf(building.shape), config.dim / 2]);
  return linear(rows, at('out_proj.weight'), at('out_proj.bias'));
}
