/** What a frozen encoder makes of windows: fixed features [W, F] for a linear probe. */
import { maxOf } from '../core/arrays.ts';
import { ConfigError, DataError, InterruptedError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { encoderConfig } from '../model/config.ts';
import { encoderParameters, firstLayers } from '../model/encoder-parameters.ts';
import { type FloatTensors, initialParameters } from '../model/parameters.ts';
import { Embedder } from '../model/predict.ts';
import type { Modality, SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { ProbeFeatures } from './linear-probe.ts';

/**
 * mean: of all tokens, [W, D]. leads: of each channel's tokens, side by side, [W, C·D]. spread: of each channel's tokens
 * the mean and the standard deviation over time, [W, 2·C·D].
 */
export const probePools = ['mean', 'leads', 'spread'] as const;
export type ProbePool = (typeof probePools)[number];

export interface ProbedEncoder {
  /** Of the table's row. */
  readonly name: string;
  /** Official names, with or without the reconstruction. */
  readonly tensors: FloatTensors;
}

/** Initial values of an encoder, as pre-training begins: what the architecture alone tells. */
export function untrainedEncoder(name: string, layers: number, seed = 0): ProbedEncoder {
  const parameters = encoderParameters(encoderConfig({ layers }), 'features');
  return { name, tensors: initialParameters(parameters, Random.derive(seed, 'initial')) };
}

export interface ProbeFeatureOptions {
  readonly backend: Backend;
  readonly modality: Modality;
  readonly pool: ProbePool;
  /** Take the tokens after so many layers, of several side by side; after all of them where absent. */
  readonly layers?: readonly number[];
  /**
   * Embed each window so many times, cut into patches from a different sample on, and take the mean: where beats lie within
   * patches then matters less. With more than one, cuts are a patch shorter than the window. 1 by default.
   */
  readonly crops?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Features are kept as they come, and taken where they were. */
  readonly kept?: KeptRows;
}

/** Features of `windowsAtOnce` windows (fewer at the end) by the first one. */
export interface KeptRows {
  load(start: number): Promise<Float32Array | undefined>;
  save(start: number, rows: Float32Array): Promise<void>;
}

/** Layers of an encoder's tensors. */
export function layersOf(tensors: ReadonlyMap<string, unknown>): number {
  const numbers = [...tensors.keys()].flatMap((key) => /^encoder\.layers\.(\d+)\./.exec(key)?.[1] ?? []);
  return 1 + maxOf(numbers.map(Number), -1);
}

/** Windows whose tokens are in memory at once. */
const windowsAtOnce = 256;

/** Run the encoder over all windows. ConfigError for layers that it does not have, DataError where the modality is absent. */
export async function probeFeatures(
  { name, tensors }: ProbedEncoder,
  windows: Pick<WindowSet, 'signals'>,
  options: ProbeFeatureOptions,
): Promise<ProbeFeatures> {
  const { backend, modality, pool } = options;
  const signal = windows.signals[modality];
  if (!signal) throw new DataError(`probe: the windows hold no ${modality}. Choose a dataset that has it.`);
  const depth = layersOf(tensors);
  const layers = options.layers ?? [depth];
  const wrong = layers.find((layer) => layer < 1 || layer > depth);
  if (wrong !== undefined)
    throw new ConfigError(
      `--layers: ${wrong} of ${name}'s ${depth}. Give 1 to ${depth}.`,
      '--layers',
      `1–${depth}`,
    );
  const { crops = 1 } = options;
  const deepest = maxOf(layers);
  const { channels, patches, patchSamples, data } = signal;
  if (crops < 1 || crops > patchSamples || (crops > 1 && patches < 2))
    throw new ConfigError(
      `--crops: ${crops} of windows of ${patches} patches of ${patchSamples} samples. Give 1, or up to ${patchSamples} where there are two patches.`,
      '--crops',
      `1–${patchSamples}`,
    );
  const window = channels.length * patches * patchSamples;
  const count = data.length / window;
  const taken = crops === 1 ? patches : patches - 1;
  const embedder = new Embedder(
    backend,
    encoderConfig({ layers: deepest }),
    withoutReconstruction(tensors, deepest),
    { channels: channels.length, patches: taken },
    { layers },
  );
  try {
    const embedCrop = async (rows: Float32Array, start: number, crop: number) => {
      const { pooled, tokens } = await embedder.embed(rows, {
        tokens: pool !== 'mean',
        onProgress: (done, all) => {
          if (options.signal?.aborted)
            throw new InterruptedError(`probe: stopped after ${start} of ${count} windows.`);
          options.onProgress?.(start + Math.floor((crop * all + done) / crops), count);
        },
      });
      return tokens ? poolTokens(tokens, rows.length / (taken * patchSamples), taken, pool) : pooled;
    };
    const embed = async (start: number, end: number) => {
      const own = data.subarray(start * window, end * window);
      if (crops === 1) return embedCrop(own, start, 0);
      let sum: Float32Array | undefined;
      for (let crop = 0; crop < crops; crop++) {
        const from = Math.round((crop * patchSamples) / crops);
        const features = await embedCrop(
          cutRows(own, patches * patchSamples, from, taken * patchSamples),
          start,
          crop,
        );
        sum = sum
          ? sum.map((value, i) => value + features[i]! / crops)
          : features.map((value) => value / crops);
      }
      return sum!;
    };
    let features = new Float32Array(0);
    for (let start = 0; start < count; start += windowsAtOnce) {
      const end = Math.min(count, start + windowsAtOnce);
      let rows = await options.kept?.load(start);
      if (!rows) {
        rows = await embed(start, end);
        await options.kept?.save(start, rows);
      }
      const size = rows.length / (end - start);
      if (start === 0) features = new Float32Array(count * size);
      features.set(rows, start * size);
    }
    return { data: features, size: features.length / count };
  } finally {
    await embedder.dispose();
  }
}

/** These channels of the windows, in this order; names match whatever their case. DataError for one that is not there. */
export function takeChannels(signal: SignalWindows, names: readonly string[]): SignalWindows {
  const { channels, patches, patchSamples, data } = signal;
  const indices = names.map((name) => {
    const index = channels.findIndex((channel) => channel.toUpperCase() === name.toUpperCase());
    if (index < 0)
      throw new DataError(`probe: no channel '${name}'; the windows have ${channels.join(', ')}.`);
    return index;
  });
  const row = patches * patchSamples;
  const count = data.length / (channels.length * row);
  const taken = new Float32Array(count * indices.length * row);
  for (let w = 0; w < count; w++)
    for (const [j, index] of indices.entries()) {
      const from = (w * channels.length + index) * row;
      taken.set(data.subarray(from, from + row), (w * indices.length + j) * row);
    }
  return { channels: indices.map((index) => channels[index]!), patches, patchSamples, data: taken };
}

/** The same stretch of each row: [rows, length] → [rows, count]. */
function cutRows(data: Float32Array, length: number, from: number, count: number): Float32Array {
  const rows = data.length / length;
  const cut = new Float32Array(rows * count);
  for (let r = 0; r < rows; r++)
    cut.set(data.subarray(r * length + from, r * length + from + count), r * count);
  return cut;
}

/** Tensors of the first layers, without what comes after them: no reconstruction, no mask token. */
function withoutReconstruction(tensors: FloatTensors, layers: number): FloatTensors {
  const kept = [...firstLayers(tensors, layers)].filter(
    ([name]) => !name.startsWith('proj_out.') && name !== 'patch_embedding.mask_encoding',
  );
  return new Map(kept);
}

/** Tokens [rows, N, D], a row a channel of a window → their means over time [rows, D], or with the deviations [rows, 2·D]. */
export function poolTokens(
  tokens: Float32Array,
  rows: number,
  patches: number,
  pool: ProbePool,
): Float32Array {
  const means = channelMeans(tokens, rows, patches);
  if (pool !== 'spread') return means;
  const dim = means.length / rows;
  const both = new Float32Array(2 * rows * dim);
  for (let r = 0; r < rows; r++)
    for (let d = 0; d < dim; d++) {
      const mean = means[r * dim + d]!;
      let squares = 0;
      for (let n = 0; n < patches; n++) squares += (tokens[(r * patches + n) * dim + d]! - mean) ** 2;
      both[2 * r * dim + d] = mean;
      both[(2 * r + 1) * dim + d] = Math.sqrt(squares / patches);
    }
  return both;
}

/** Means over time: tokens [rows, N, D] → [rows, D], a row a channel of a window. */
function channelMeans(tokens: Float32Array, rows: number, patches: number): Float32Array {
  const dim = tokens.length / (rows * patches);
  const data = new Float32Array(rows * dim);
  for (let r = 0; r < rows; r++)
    for (let n = 0; n < patches; n++)
      for (let d = 0; d < dim; d++) data[r * dim + d]! += tokens[(r * patches + n) * dim + d]! / patches;
  return data;
}
