/**
 * Running models: windows [W, C, N, P] → probabilities [W, K] or embeddings, in batches on a backend. Graphs are
 * compiled once, when first used.
 */
import { ConfigError, ShapeError } from '../core/errors.ts';
import { float32, type Tensor } from '../core/tensor.ts';
import type { Modality, SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { encoderParameters, partOf } from './cbramod.ts';
import { type EncoderConfig, type ModelConfig, modalitiesOf } from './config.ts';
import { buildFeatureGraph, buildModelGraph, type EncoderSize } from './export.ts';
import { modelParameters } from './model.ts';
import { type FloatTensors, fitParameters, withoutPrefix } from './parameters.ts';
import { checkPrecision, type InferenceOptions, withPrecision } from './precision.ts';

export interface BatchOptions {
  /** Windows run at once; 64 by default. Memory grows with it. */
  readonly batch?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Embeddings of windows: the mean of each window's tokens [W, D], and on request the tokens [W, C, N, D]. */
export interface Embeddings {
  readonly count: number;
  readonly pooled: Float32Array;
  readonly tokens?: Float32Array;
}

const defaultBatch = 64;

/** One encoder, frozen: patches → embeddings. */
export class Embedder {
  readonly #backend: Backend;
  readonly #config: EncoderConfig;
  readonly #size: EncoderSize;
  readonly #tensors: FloatTensors;
  readonly #options: InferenceOptions;
  #program: Promise<Program> | undefined;

  /** `tensors` under official names, with or without mask token and reconstruction. ConfigError for int8 off the cpu. */
  constructor(
    backend: Backend,
    config: EncoderConfig,
    tensors: ReadonlyMap<string, Tensor>,
    size: EncoderSize,
    options: InferenceOptions = {},
  ) {
    checkPrecision(backend, options);
    this.#options = options;
    this.#tensors = fitParameters(tensors, encoderParameters(config, partOf(tensors)), 'encoder');
    this.#backend = backend;
    this.#config = config;
    this.#size = size;
  }

  /** Embed windows, data [W, C, N, P] in model units. */
  async embed(
    data: Float32Array,
    options: BatchOptions & { readonly tokens?: boolean } = {},
  ): Promise<Embeddings> {
    const { channels, patches } = this.#size;
    const { dim, patchSamples } = this.#config;
    const windowSize = channels * patches * patchSamples;
    const count = countWindows(data, windowSize, 'embed');
    this.#program ??= this.#backend.compile(
      withPrecision(buildFeatureGraph(this.#config, this.#tensors, this.#size), this.#options),
    );
    const program = await this.#program;
    const tokenCount = channels * patches;
    const pooled = new Float32Array(count * dim);
    const tokens = options.tokens ? new Float32Array(count * tokenCount * dim) : undefined;
    await forBatches(count, options, async (start, end) => {
      const slice = data.subarray(start * windowSize, end * windowSize);
      const feed = float32([end - start, channels, patches, patchSamples], slice);
      const wanted = tokens ? ['pooled', 'tokens'] : ['pooled'];
      const results = await program.run({ patches: feed }, wanted);
      pooled.set(results.pooled!.data as Float32Array, start * dim);
      tokens?.set(results.tokens!.data as Float32Array, start * tokenCount * dim);
    });
    return { count, pooled, ...(tokens && { tokens }) };
  }

  async dispose(): Promise<void> {
    const program = await this.#program;
    this.#program = undefined;
    await program?.dispose();
  }
}

/** A trained model: windows → probabilities, and its encoders' embeddings. */
export class Predictor {
  readonly #backend: Backend;
  readonly #tensors: FloatTensors;
  readonly #options: InferenceOptions;
  readonly #embedders = new Map<Modality, Embedder>();
  #program: Promise<Program> | undefined;

  /** FormatError where the tensors are not those of the configuration, ConfigError for int8 off the cpu. */
  constructor(
    backend: Backend,
    readonly config: ModelConfig,
    tensors: ReadonlyMap<string, Tensor>,
    options: InferenceOptions = {},
  ) {
    checkPrecision(backend, options);
    this.#options = options;
    this.#backend = backend;
    this.#tensors = fitParameters(tensors, modelParameters(config), 'model');
  }

  /** Class probabilities [W, K] of windows. ShapeError where a modality is absent or its windows do not fit. */
  async probabilities(signals: WindowSet['signals'], options: BatchOptions = {}): Promise<Float32Array> {
    const modalities = modalitiesOf(this.config);
    const counts = modalities.map((modality) => this.#check(modality, signals[modality]));
    const count = counts[0]!;
    if (counts.some((other) => other !== count)) {
      throw new ShapeError(
        `predict: the modalities have ${counts.join(' and ')} windows. Give the same windows of each.`,
        'predict',
        String(count),
        counts.join(),
      );
    }
    this.#program ??= this.#backend.compile(
      withPrecision(buildModelGraph(this.config, this.#tensors), this.#options),
    );
    const program = await this.#program;
    const { classes } = this.config.head;
    const result = new Float32Array(count * classes);
    await forBatches(count, options, async (start, end) => {
      const feeds: Record<string, Tensor> = {};
      for (const modality of modalities) {
        const { data } = signals[modality]!;
        const size = data.length / count;
        feeds[modality] = float32(
          [end - start, ...this.#shape(modality)],
          data.subarray(start * size, end * size),
        );
      }
      const { probabilities } = await program.run(feeds);
      result.set(probabilities!.data as Float32Array, start * classes);
    });
    return result;
  }

  /** Embeddings of each modality that is given and that the model has. */
  async embeddings(
    signals: WindowSet['signals'],
    options: BatchOptions & { readonly tokens?: boolean } = {},
  ): Promise<{ [M in Modality]?: Embeddings }> {
    const result: { [M in Modality]?: Embeddings } = {};
    for (const modality of modalitiesOf(this.config)) {
      const windows = signals[modality];
      if (windows === undefined) continue;
      this.#check(modality, windows);
      result[modality] = await this.#embedder(modality).embed(windows.data, options);
    }
    return result;
  }

  async dispose(): Promise<void> {
    const program = await this.#program;
    this.#program = undefined;
    await program?.dispose();
    for (const embedder of this.#embedders.values()) await embedder.dispose();
  }

  #embedder(modality: Modality): Embedder {
    const { encoder, channels, patches } = this.config.signals[modality]!;
    const tensors = withoutPrefix(this.#tensors, `${modality}.`);
    const found =
      this.#embedders.get(modality) ??
      new Embedder(this.#backend, encoder, tensors, { channels: channels.length, patches }, this.#options);
    this.#embedders.set(modality, found);
    return found;
  }

  #shape(modality: Modality): [number, number, number] {
    const { channels, patches, encoder } = this.config.signals[modality]!;
    return [channels.length, patches, encoder.patchSamples];
  }

  /** The number of windows, once channels and sizes are found to be the model's. */
  #check(modality: Modality, windows: SignalWindows | undefined): number {
    const [channels, patches, samples] = this.#shape(modality);
    const expected = `${this.config.signals[modality]!.channels.join(' ')} × ${patches} × ${samples}`;
    const actual =
      windows === undefined
        ? 'nothing'
        : `${windows.channels.join(' ')} × ${windows.patches} × ${windows.patchSamples}`;
    if (windows === undefined || actual !== expected) {
      throw new ShapeError(
        `predict: the model takes ${modality} as ${expected}, got ${actual}. Prepare the recording with the model's recipe.`,
        'predict',
        expected,
        actual,
      );
    }
    return countWindows(windows.data, channels * patches * samples, modality);
  }
}

function countWindows(data: Float32Array, windowSize: number, where: string): number {
  const count = data.length / windowSize;
  if (Number.isInteger(count)) return count;
  throw new ShapeError(
    `${where}: ${data.length} values are not a whole number of windows of ${windowSize}.`,
    where,
    `a multiple of ${windowSize}`,
    String(data.length),
  );
}

async function forBatches(
  count: number,
  { batch = defaultBatch, onProgress }: BatchOptions,
  run: (start: number, end: number) => Promise<void>,
): Promise<void> {
  if (!Number.isInteger(batch) || batch < 1) {
    throw new ConfigError(`batch: ${batch} windows at once. Give a whole number from 1.`, 'batch', '1, 2, …');
  }
  for (let start = 0; start < count; start += batch) {
    const end = Math.min(count, start + batch);
    await run(start, end);
    onProgress?.(end, count);
  }
}
