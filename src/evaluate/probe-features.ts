/** What a frozen encoder makes of windows: fixed features [W, F] for a linear probe. */
import { ConfigError, DataError } from '../core/errors.ts';
import { encoderConfig } from '../model/config.ts';
import { firstLayers } from '../model/encoder-parameters.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { Embedder } from '../model/predict.ts';
import type { Modality, SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { ProbeFeatures } from './linear-probe.ts';

/** mean: of all tokens, [W, D]. leads: of each channel's tokens, side by side, [W, C·D]. */
export const probePools = ['mean', 'leads'] as const;

export interface ProbedEncoder {
  /** Of the table's row. */
  readonly name: string;
  /** Official names, with or without the reconstruction. */
  readonly tensors: FloatTensors;
}

export interface ProbeFeatureOptions {
  readonly backend: Backend;
  readonly modality: Modality;
  readonly pool: (typeof probePools)[number];
  /** Take the tokens after so many layers; all of them where absent. */
  readonly layers?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Layers of an encoder's tensors. */
export function layersOf(tensors: ReadonlyMap<string, unknown>): number {
  const numbers = [...tensors.keys()].flatMap((key) => /^encoder\.layers\.(\d+)\./.exec(key)?.[1] ?? []);
  return 1 + Math.max(-1, ...numbers.map(Number));
}

/** Run the encoder over all windows. ConfigError for more layers than it has, DataError where the modality is absent. */
export async function probeFeatures(
  { name, tensors }: ProbedEncoder,
  windows: Pick<WindowSet, 'signals'>,
  options: ProbeFeatureOptions,
): Promise<ProbeFeatures> {
  const { backend, modality, pool } = options;
  const signal = windows.signals[modality];
  if (!signal) throw new DataError(`probe: the windows hold no ${modality}. Choose a dataset that has it.`);
  const depth = layersOf(tensors);
  const layers = options.layers ?? depth;
  if (layers < 1 || layers > depth)
    throw new ConfigError(
      `--layers: ${layers} of ${name}'s ${depth}. Give 1 to ${depth}.`,
      '--layers',
      `1–${depth}`,
    );
  const { channels, patches, data } = signal;
  const size = { channels: channels.length, patches };
  const embedder = new Embedder(
    backend,
    encoderConfig({ layers }),
    withoutReconstruction(tensors, layers),
    size,
  );
  try {
    const { count, pooled, tokens } = await embedder.embed(data, {
      tokens: pool === 'leads',
      onProgress: (done, total) => {
        options.signal?.throwIfAborted();
        options.onProgress?.(done, total);
      },
    });
    if (!tokens) return { data: pooled, size: pooled.length / count };
    const means = channelMeans(tokens, count * channels.length, patches);
    return { data: means, size: means.length / count };
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

/** Tensors of the first layers, without what comes after them: no reconstruction, no mask token. */
function withoutReconstruction(tensors: FloatTensors, layers: number): FloatTensors {
  const kept = [...firstLayers(tensors, layers)].filter(
    ([name]) => !name.startsWith('proj_out.') && name !== 'patch_embedding.mask_encoding',
  );
  return new Map(kept);
}

/** Means over time: tokens [rows, N, D] → [rows, D], a row a channel of a window. */
export function channelMeans(tokens: Float32Array, rows: number, patches: number): Float32Array {
  const dim = tokens.length / (rows * patches);
  const data = new Float32Array(rows * dim);
  for (let r = 0; r < rows; r++)
    for (let n = 0; n < patches; n++)
      for (let d = 0; d < dim; d++) data[r * dim + d]! += tokens[(r * patches + n) * dim + d]! / patches;
  return data;
}
