/**
 * Asymmetric conditional position: depthwise convolution 19×7 over (channel, patch), tokens [B·C·N, D] → the same.
 *
 * Source: CBraMod, arXiv 2412.07236 §2.2 (ACPE). Engines run a depthwise convolution of this size slowly and its
 * gradient more so: up to 64 channels it is a product per feature with a Toeplitz matrix made in the graph, for all
 * patches at once or, for long windows, for runs of patches with the three patches around them.
 */
import type { Value } from '../graph/ir.ts';
import { add, concat, conv, matmul, reshape, slice, transpose } from '../graph/operators.ts';
import type { EncoderConfig } from './config.ts';
import { positionKernel } from './encoder-parameters.ts';
import { selectionMatrix, transposed } from './toeplitz.ts';
import { type Building, rowsOf } from './tokens.ts';

/** Up to this many tokens in a window one matrix of tokens² per feature is the fastest. */
const maxTokensAtOnce = 256;
/** Above it, runs of patches with about this many tokens. */
const tokensPerRun = 96;
/** With more channels the matrices outgrow the caches: ONNX's grouped convolution is left to do it. */
const maxToeplitzChannels = 64;
const channelPad = (positionKernel.channels - 1) / 2;
const patchPad = (positionKernel.patches - 1) / 2;

/** Build the position embedding of `tokens`, with its bias. */
export function positionEmbedding(tokens: Value, config: EncoderConfig, building: Building): Value {
  const { batch, channels, patches } = building.shape;
  const kernel = building.parameter('patch_embedding.positional_encoding.0.weight');
  const bias = building.parameter('patch_embedding.positional_encoding.0.bias');
  const grid = reshape(tokens, [batch, channels, patches, config.dim]);
  const rows = [rowsOf(building.shape), config.dim] as const;
  if (channels > maxToeplitzChannels) {
    const maps = transpose(grid, [0, 3, 1, 2]); // [B, D, C, N]
    const pads = [channelPad, patchPad, channelPad, patchPad] as const;
    const result = conv(maps, kernel, bias, { strides: [1, 1], pads, group: config.dim });
    return reshape(transpose(result, [0, 2, 3, 1]), rows);
  }
  const run =
    channels * patches <= maxTokensAtOnce ? patches : Math.max(1, Math.floor(tokensPerRun / channels));
  const matrices = new Map<string, Value>();
  const parts: Value[] = [];
  for (let start = 0; start < patches; start += run) {
    const end = Math.min(patches, start + run);
    const [from, to] = [Math.max(0, start - patchPad), Math.min(patches, end + patchPad)];
    const key = `${start - from} ${to - from} ${end - start}`;
    const matrix =
      matrices.get(key) ?? toeplitz(kernel, channels, to - from, end - start, patchPad - (start - from));
    matrices.set(key, matrix);
    const seen = to - from === patches ? grid : slice(grid, 2, from, to);
    const maps = reshape(transpose(seen, [3, 0, 1, 2]), [config.dim, batch, channels * (to - from)]);
    const product = reshape(matmul(maps, matrix), [config.dim, batch, channels, end - start]);
    parts.push(transpose(product, [1, 2, 3, 0])); // [B, C, run, D]
  }
  const result = parts.length === 1 ? parts[0]! : concat(parts, 2);
  return add(reshape(result, rows), bias);
}

/**
 * The kernel [D, 1, 19, 7] as matrices [D, C·inputs, C·outputs] from the tokens of `inputs` patches to those of
 * `outputs` patches, by one product along each axis. Input i reaches output o by kernel value i − o + pad.
 */
function toeplitz(kernel: Value, channels: number, inputs: number, outputs: number, pad: number): Value {
  const { graph } = kernel;
  const dim = Number(kernel.shape[0]);
  const alongPatches = selectionMatrix(
    { kernel: positionKernel.patches, inputs, outputs, stride: 1, pad },
    'inputs-outputs',
  );
  const alongChannels = selectionMatrix(
    { kernel: positionKernel.channels, inputs: channels, outputs: channels, stride: 1, pad: channelPad },
    'inputs-outputs',
  );
  const lines = reshape(kernel, [dim * positionKernel.channels, positionKernel.patches]);
  const wide = reshape(matmul(lines, graph.constant(alongPatches)), [
    dim,
    positionKernel.channels,
    inputs * outputs,
  ]);
  const full = matmul(graph.constant(transposed(alongChannels)), wide); // [D, C·C, inputs·outputs]
  const arranged = transpose(reshape(full, [dim, channels, channels, inputs, outputs]), [0, 1, 3, 2, 4]);
  return reshape(arranged, [dim, channels * inputs, channels * outputs]);
}
