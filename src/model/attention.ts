/**
 * Where an encoder's layers look: attention weights across channels [layers, heads, C, C] and across patches
 * [layers, heads, N, N], each the mean over the other axis and over windows. A row sums to 1: how much the token of that
 * row takes of each column.
 *
 * The weights are the outputs of the two softmax nodes that a layer has, channels first (criss-cross.ts); they are read off
 * the graph that prediction runs, so that there is no second attention to keep equal. Rollout: Abnar & Zuidema, ACL 2020.
 * Attention is where a layer mixes, not what moves the prediction (Jain & Wallace, NAACL 2019): attributions say that.
 */
import { ShapeError } from '../core/errors.ts';
import { float32, sizeOf, type Tensors } from '../core/tensor.ts';
import { Graph, type Value } from '../graph/ir.ts';
import { reduceMean } from '../graph/operators.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { encode, encoderParameters } from './cbramod.ts';
import { type EncoderConfig, type ModelConfig, modalitiesOf } from './config.ts';
import { constantParameters, type EncoderSize } from './export.ts';
import { type FloatTensors, withoutPrefix } from './parameters.ts';
import type { BatchOptions } from './predict.ts';

/** Attention of one modality's encoder, the mean over windows. */
export interface AttentionMaps {
  readonly layers: number;
  /** Heads of each axis: half of the encoder's. */
  readonly heads: number;
  /** C and N. */
  readonly size: EncoderSize;
  /** [layers, heads, C, C]: from the channel of the row to that of the column, mean over patches. */
  readonly channels: Float32Array;
  /** [layers, heads, N, N]: from the patch of the row to that of the column, mean over channels. */
  readonly patches: Float32Array;
}

/** Name of a layer's output along an axis. */
const outputName = (axis: 'channels' | 'patches', layer: number) => `attention.${axis}.${layer}`;

/**
 * Graph of an encoder's attention: `patches` [B, C, N, 200] → `attention.channels.LAYER` [B, heads, C, C] and
 * `attention.patches.LAYER` [B, heads, N, N].
 */
export function buildAttentionGraph(config: EncoderConfig, tensors: Tensors, size: EncoderSize): Graph {
  const graph = new Graph('heartmind attention');
  const patches = graph.input('patches', 'float32', ['B', size.channels, size.patches, config.patchSamples]);
  encode({ patches, parameter: constantParameters(graph, tensors), config });
  const shares = graph.nodes
    .filter(({ operator }) => operator === 'Softmax')
    .map(({ outputs }) => outputs[0]!);
  if (shares.length !== 2 * config.layers) {
    const expected = `${2 * config.layers} softmax nodes`;
    throw new ShapeError(
      `attention: ${config.layers} layers have ${shares.length} softmax nodes. Two a layer are known, see criss-cross.ts.`,
      'attention',
      expected,
      String(shares.length),
    );
  }
  for (let layer = 0; layer < config.layers; layer++) {
    // [B, N, heads, C, C] and [B, C, heads, N, N]
    graph.output(outputName('channels', layer), meanOverOther(shares[2 * layer]!, size.channels));
    graph.output(outputName('patches', layer), meanOverOther(shares[2 * layer + 1]!, size.patches));
  }
  return graph;
}

function meanOverOther(shares: Value, attended: number): Value {
  const [, , , rows, columns] = shares.shape;
  if (rows !== attended || columns !== attended)
    throw new ShapeError(
      `attention: weights [${shares.shape}] where ${attended} × ${attended} are due.`,
      'attention',
      `[B, other, heads, ${attended}, ${attended}]`,
      `[${shares.shape}]`,
    );
  return reduceMean(shares, [1], { keepDims: false });
}

/** Attention of a model's encoders, the mean over these windows; `tensors` as in a model file. */
export async function attentionMaps(
  backend: Backend,
  config: ModelConfig,
  tensors: FloatTensors,
  signals: WindowSet['signals'],
  { batch = 16, onProgress }: BatchOptions = {},
): Promise<{ [M in Modality]?: AttentionMaps }> {
  const result: { [M in Modality]?: AttentionMaps } = {};
  for (const modality of modalitiesOf(config)) {
    const windows = signals[modality];
    if (windows === undefined) continue;
    const { encoder, channels } = config.signals[modality]!;
    const size = { channels: channels.length, patches: windows.patches };
    const shape = [size.channels, size.patches, encoder.patchSamples];
    const own = withoutPrefix(tensors, `${modality}.`);
    const weights = new Map(encoderParameters(encoder, 'features').map(({ name }) => [name, own.get(name)!]));
    const program = await backend.compile(buildAttentionGraph(encoder, weights, size));
    const heads = encoder.heads / 2;
    const maps = {
      channels: new Float64Array(encoder.layers * heads * size.channels ** 2),
      patches: new Float64Array(encoder.layers * heads * size.patches ** 2),
    };
    const count = windows.data.length / sizeOf(shape);
    for (let start = 0; start < count; start += batch) {
      const end = Math.min(count, start + batch);
      const data = windows.data.subarray(start * sizeOf(shape), end * sizeOf(shape));
      const outputs = await program.run({ patches: float32([end - start, ...shape], data) });
      for (const axis of ['channels', 'patches'] as const) {
        const layerSize = heads * size[axis] ** 2;
        for (let layer = 0; layer < encoder.layers; layer++) {
          const values = outputs[outputName(axis, layer)]!.data as Float32Array;
          for (let i = 0; i < values.length; i++)
            maps[axis][layer * layerSize + (i % layerSize)]! += values[i]! / count;
        }
      }
      onProgress?.(end, count);
    }
    await program.dispose();
    result[modality] = {
      ...{ layers: encoder.layers, heads, size },
      channels: Float32Array.from(maps.channels),
      patches: Float32Array.from(maps.patches),
    };
  }
  return result;
}

/** A layer's map [A, A] along an axis, the mean over its heads. */
export function layerAttention(
  maps: AttentionMaps,
  axis: 'channels' | 'patches',
  layer: number,
): Float64Array {
  const cells = maps.size[axis] ** 2;
  const mean = new Float64Array(cells);
  for (let head = 0; head < maps.heads; head++) {
    const at = (layer * maps.heads + head) * cells;
    for (let i = 0; i < cells; i++) mean[i]! += maps[axis][at + i]! / maps.heads;
  }
  return mean;
}

/**
 * Attention through all layers [A, A]: the product of ½ (I + mean over heads), as half of what a layer gives on comes past
 * its attention. Rows sum to 1. The other axis, which each layer mixes as well, is left out of it: a summary, not a proof.
 */
export function rolloutAttention(maps: AttentionMaps, axis: 'channels' | 'patches'): Float64Array {
  const n = maps.size[axis];
  let through = Float64Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) === i % n ? 1 : 0));
  for (let layer = 0; layer < maps.layers; layer++) {
    const shares = layerAttention(maps, axis, layer);
    const next = new Float64Array(n * n);
    for (let row = 0; row < n; row++) {
      for (let k = 0; k < n; k++) {
        const share = 0.5 * (shares[row * n + k]! + (row === k ? 1 : 0));
        for (let column = 0; column < n; column++)
          next[row * n + column]! += share * through[k * n + column]!;
      }
    }
    through = next;
  }
  return through;
}
