/**
 * Frozen encoders: they run once, their embeddings become fixed features [W, F] that a head learns from. Features are
 * standardised for the head; afterwards that scaling is folded into its first layer, so that the model needs none.
 */
import { joinArrays, maxOf } from '../core/arrays.ts';
import { float32 } from '../core/tensor.ts';
import { isPlain, type ModelConfig, modalitiesOf, takesTokens } from '../model/config.ts';
import { type FloatTensors, withoutPrefix } from '../model/parameters.ts';
import { Embedder } from '../model/predict.ts';
import { hashTensors } from '../model/safetensors.ts';
import { asReader, type WindowReader } from '../patches/window-reader.ts';
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

/** Values of a window's embeddings of each modality: every token where the model takes those, else their mean. */
export function embeddingSizes(config: ModelConfig): number[] {
  return modalitiesOf(config).map((modality) => {
    const { channels, patches, encoder } = config.signals[modality]!;
    return takesTokens(config) ? channels.length * patches * encoder.dim : encoder.dim;
  });
}

/** Features of all windows: pooled embeddings, or every token where the model takes those; modalities side by side. */
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
  const size = embeddingSizes(config).reduce((sum, one) => sum + one, 0);
  const data = new Float32Array(windows.count * size);
  let offset = 0;
  for (const modality of modalitiesOf(config)) {
    const { encoder, channels, patches } = config.signals[modality]!;
    const tensors = withoutPrefix(parameters, `${modality}.`);
    const wanted = takesTokens(config) ? 'tokens' : 'pooled';
    const key = `${modality} ${wanted} ${windows.hash} ${hashTensors(tensors)}`;
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
        return joinArrays(Float32Array, parts);
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

/** A deviation below this share of the mean is float32's rounding (6e-8), not a difference between windows. */
const roundingShare = 1e-6;

/**
 * Mean and deviation of each feature over the training windows; a feature that does not vary keeps its scale. Tokens that a
 * model pools itself are scaled alike: it is a feature of a token then (`config`; without, each value is one).
 */
export function fitScaling(
  { data, size }: Features,
  indices: readonly number[],
  config?: ModelConfig,
): Scaling {
  const alike = config && !isPlain(config) && takesTokens(config) ? sharedFeatures(config) : undefined;
  const means = (value: (at: number, f: number) => number): Float64Array => {
    const sums = new Float64Array(size);
    for (const i of indices)
      for (let f = 0; f < size; f++) sums[f]! += value(i * size + f, f) / indices.length;
    return alike ? meanOfShared(sums, alike) : sums;
  };
  const mean = means((at) => data[at]!);
  const deviation = means((at, f) => (data[at]! - mean[f]!) ** 2);
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

/** Which feature of a token each value of the embeddings is, counted over all modalities. */
function sharedFeatures(config: ModelConfig): Int32Array {
  let before = 0;
  const parts = modalitiesOf(config).map((modality, i) => {
    const { dim } = config.signals[modality]!.encoder;
    const first = before;
    before += dim;
    return Int32Array.from({ length: embeddingSizes(config)[i]! }, (_, f) => first + (f % dim));
  });
  return Int32Array.from(parts.flatMap((part) => [...part]));
}

/** Every value becomes the mean of those that share its feature. */
function meanOfShared(values: Float64Array, alike: Int32Array): Float64Array {
  const count = maxOf(new Set(alike)) + 1;
  const [sums, counts] = [new Float64Array(count), new Float64Array(count)];
  for (const [f, value] of values.entries()) {
    sums[alike[f]!]! += value;
    counts[alike[f]!]!++;
  }
  return values.map((_, f) => sums[alike[f]!]! / counts[alike[f]!]!);
}

/**
 * The same model for unscaled features. A plain one takes the scaling into its head: W′ = W / deviation, b′ = b − W′ mean;
 * any other into the scale and shift that it has for them.
 */
export function foldScaling(
  parameters: FloatTensors,
  { mean, deviation }: Scaling,
  config?: ModelConfig,
): FloatTensors {
  if (config && !isPlain(config)) return foldIntoFusion(parameters, { mean, deviation }, config);
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

function foldIntoFusion(
  parameters: FloatTensors,
  { mean, deviation }: Scaling,
  config: ModelConfig,
): FloatTensors {
  const folded = new Map(parameters);
  const sizes = embeddingSizes(config);
  let offset = 0;
  for (const [i, modality] of modalitiesOf(config).entries()) {
    const names = ['weight', 'bias'].map((key) => `fusion.${modality}.scale.${key}`) as [string, string];
    const [weight, bias] = names.map((name) => parameters.get(name)!.data) as [Float32Array, Float32Array];
    const from = offset;
    folded.set(
      names[0],
      float32(
        [weight.length],
        weight.map((w, f) => w / deviation[from + f]!),
      ),
    );
    folded.set(
      names[1],
      float32(
        [bias.length],
        bias.map((b, f) => b - (weight[f]! / deviation[from + f]!) * mean[from + f]!),
      ),
    );
    offset += sizes[i]!;
  }
  return folded;
}
