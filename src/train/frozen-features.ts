/**
 * Frozen encoders: they run once, their embeddings become fixed features [W, F] that a head learns from. Features are
 * standardised for the head; afterwards that scaling is folded into its first layer, so that the model needs none.
 */
import { float32 } from '../core/tensor.ts';
import { type ModelConfig, modalitiesOf } from '../model/config.ts';
import { featureSize } from '../model/heads.ts';
import { type FloatTensors, withoutPrefix } from '../model/parameters.ts';
import { Embedder } from '../model/predict.ts';
import { encodeSafetensors } from '../model/safetensors.ts';
import { asReader, type WindowReader } from '../patches/window-reader.ts';
import { sha256 } from '../patches/window-set.ts';
import type { WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { spreadRows } from './distributed.ts';
import type { Ranks } from './ranks.ts';

export interface Features {
  /** [W, F]. */
  readonly data: Float32Array;
  readonly size: number;
}

export interface Scaling {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** Embeddings of a modality's windows by encoder and data: folds and models that share an encoder run it once. */
export type FeatureCache = Map<string, Float32Array>;

/** Windows embedded at once, and read at once. */
const embedBatch = 64;
const readAtOnce = 8 * embedBatch;

/** Features of all windows: pooled embeddings, or every token for the head all-patches; modalities side by side. */
export async function computeFeatures(
  backend: Backend,
  config: ModelConfig,
  parameters: FloatTensors,
  from: WindowSet | WindowReader,
  cache: FeatureCache = new Map(),
  onProgress?: (done: number, total: number) => void,
  ranks?: Ranks,
): Promise<Features> {
  const windows = asReader(from);
  const size = featureSize(config);
  const data = new Float32Array(windows.count * size);
  let offset = 0;
  for (const modality of modalitiesOf(config)) {
    const { encoder, channels, patches } = config.signals[modality]!;
    const tensors = withoutPrefix(parameters, `${modality}.`);
    const wanted = config.head.kind === 'all-patches' ? 'tokens' : 'pooled';
    const key = `${modality} ${wanted} ${windows.hash} ${await sha256(encodeSafetensors(tensors))}`;
    let values = cache.get(key);
    if (!values) {
      const embedder = new Embedder(backend, encoder, tensors, { channels: channels.length, patches });
      values = await spreadRows(ranks, windows.count, embedBatch, async ({ start, end }) => {
        const parts: Float32Array[] = [];
        for (let at = start; at < end; at += readAtOnce) {
          const rows = Array.from({ length: Math.min(readAtOnce, end - at) }, (_, i) => at + i);
          const { tokens, pooled } = await embedder.embed((await windows.read(rows, [modality]))[modality]!, {
            tokens: wanted === 'tokens',
            batch: embedBatch,
            onProgress: (done) => onProgress?.(at - start + done, end - start),
          });
          parts.push(tokens ?? pooled);
        }
        return joinRows(parts);
      });
      await embedder.dispose();
      cache.set(key, values);
    }
    const width = values.length / windows.count;
    for (let i = 0; i < windows.count; i++)
      data.set(values.subarray(i * width, (i + 1) * width), i * size + offset);
    offset += width;
  }
  return { data, size };
}

function joinRows(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A deviation below this share of the mean is float32's rounding (6e-8), not a difference between windows. */
const roundingShare = 1e-6;

/** Mean and deviation of each feature over the training windows; a feature that does not vary keeps its scale. */
export function fitScaling({ data, size }: Features, indices: readonly number[]): Scaling {
  const mean = new Float64Array(size);
  const deviation = new Float64Array(size);
  for (const i of indices) for (let f = 0; f < size; f++) mean[f]! += data[i * size + f]! / indices.length;
  for (const i of indices)
    for (let f = 0; f < size; f++) deviation[f]! += (data[i * size + f]! - mean[f]!) ** 2 / indices.length;
  for (let f = 0; f < size; f++) {
    const root = Math.sqrt(deviation[f]!);
    deviation[f] = root > roundingShare * Math.abs(mean[f]!) ? root : 1;
  }
  return { mean, deviation };
}

/** (x − mean) / deviation, in place. */
export function applyScaling({ data, size }: Features, { mean, deviation }: Scaling): void {
  for (let i = 0; i < data.length; i++) data[i] = (data[i]! - mean[i % size]!) / deviation[i % size]!;
}

/** The same head for unscaled features: W′ = W / deviation, b′ = b − W′ mean. */
export function foldScaling(parameters: FloatTensors, { mean, deviation }: Scaling): FloatTensors {
  const weight = parameters.get('head.0.weight')!;
  const bias = parameters.get('head.0.bias')!;
  const size = mean.length;
  const scaled = weight.data.map((w, i) => w / deviation[i % size]!);
  const shifted = bias.data.map((b, row) => {
    let sum = b;
    for (let f = 0; f < size; f++) sum -= (weight.data[row * size + f]! / deviation[f]!) * mean[f]!;
    return sum;
  });
  return new Map([
    ...parameters,
    ['head.0.weight', float32(weight.shape, scaled)],
    ['head.0.bias', float32(bias.shape, shifted)],
  ]);
}
