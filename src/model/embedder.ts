/** Running encoders: patches [W, C, N, P] → embeddings, in batches on a backend. The graph is compiled when first used. */
import { ConfigError, ShapeError } from '../core/errors.ts';
import { float32, type Tensor } from '../core/tensor.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { encoderParameters, partOf } from './cbramod.ts';
import type { EncoderConfig } from './config.ts';
import { buildFeatureGraph, type EncoderSize } from './export.ts';
import { type FloatTensors, fitParameters } from './parameters.ts';
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

export interface EmbedderOptions extends InferenceOptions {
  /** After which layers tokens are taken, side by side: their D is then that of so many. The last by default. */
  readonly layers?: readonly number[];
}

/** Windows run at once where nothing is said. */
export const defaultBatch = 64;

/** One encoder, frozen: patches → embeddings. */
export class Embedder {
  readonly #backend: Backend;
  readonly #config: EncoderConfig;
  readonly #size: EncoderSize;
  readonly #tensors: FloatTensors;
  readonly #options: EmbedderOptions;
  #program: Promise<Program> | undefined;

  /** `tensors` under official names, with or without mask token and reconstruction. ConfigError for int8 off the cpu. */
  constructor(
    backend: Backend,
    config: EncoderConfig,
    tensors: ReadonlyMap<string, Tensor>,
    size: EncoderSize,
    options: EmbedderOptions = {},
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
    const { patchSamples, layers } = this.#config;
    const taken = this.#options.layers ?? [layers];
    const dim = this.#config.dim * taken.length;
    const windowSize = channels * patches * patchSamples;
    const count = countWindows(data, windowSize, 'embed');
    this.#program ??= this.#backend.compile(
      withPrecision(buildFeatureGraph(this.#config, this.#tensors, this.#size, taken), this.#options),
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

/** The number of windows in an array; ShapeError where it is not whole. */
export function countWindows(data: Float32Array, windowSize: number, where: string): number {
  const count = data.length / windowSize;
  if (Number.isInteger(count)) return count;
  throw new ShapeError(
    `${where}: ${data.length} values are not a whole number of windows of ${windowSize}.`,
    where,
    `a multiple of ${windowSize}`,
    String(data.length),
  );
}

/** Call `run` with the ranges of batches, one after the other. */
export async function forBatches(
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
