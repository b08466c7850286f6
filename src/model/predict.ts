/**
 * Running models: windows [W, C, N, P] → probabilities [W, K] or embeddings, in batches on a backend, whatever of a window
 * is there. Graphs are compiled once, when first used.
 */
import { DataError, ShapeError } from '../core/errors.ts';
import { float32, sizeOf, type Tensor, tensor } from '../core/tensor.ts';
import type { Modality, SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend, Program } from '../runtime/backend.ts';
import { type ModelConfig, modalitiesOf } from './config.ts';
import {
  type BatchOptions,
  countWindows,
  defaultBatch,
  Embedder,
  type Embeddings,
  forBatches,
} from './embedder.ts';
import { buildModelGraph } from './export.ts';
import { modelParameters, presenceName } from './model.ts';
import { type FloatTensors, fitParameters, withoutPrefix } from './parameters.ts';
import { checkPrecision, type InferenceOptions, withPrecision } from './precision.ts';
import { groupByCounts, takeChannels, type UsableChannels, usableChannels } from './usable-windows.ts';

export { type BatchOptions, Embedder, type Embeddings } from './embedder.ts';

/** Programs of a model kept at once: each is for windows of other numbers of channels. */
const maximumPrograms = 4;

/** A trained model: windows → probabilities, and its encoders' embeddings. */
export class Predictor {
  readonly #backend: Backend;
  readonly #tensors: FloatTensors;
  readonly #options: InferenceOptions;
  readonly #embedders = new Map<Modality, Embedder>();
  /** By the numbers of channels; the one used last stands last. */
  readonly #programs = new Map<string, Promise<Program>>();

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

  /**
   * Class probabilities [W, K] of windows. Channels that are left out, and those with samples that are no numbers, are
   * dropped, window by window, unless the head takes every token. A modality may be missing, wholly or in some windows (no
   * usable channel, or all flat), where the model knows nulls.
   *
   * ShapeError where a modality is absent that the model needs or where windows do not fit; DataError where a window has
   * too little.
   */
  async probabilities(signals: WindowSet['signals'], options: BatchOptions = {}): Promise<Float32Array> {
    const modalities = modalitiesOf(this.config);
    const { nullEmbeddings } = this.config;
    const given = modalities.filter((modality) => !nullEmbeddings || signals[modality]);
    const counts = (given.length > 0 ? given : modalities).map((modality) =>
      this.#check(modality, signals[modality]),
    );
    const count = counts[0]!;
    if (counts.some((other) => other !== count)) {
      throw new ShapeError(
        `predict: the modalities have ${counts.join(' and ')} windows. Give the same windows of each.`,
        'predict',
        String(count),
        counts.join(),
      );
    }
    const usable = modalities.map((modality): UsableChannels => {
      const windows = signals[modality];
      if (windows) return usableChannels(windows, { withoutFlat: nullEmbeddings });
      return Array.from({ length: count }, () => []);
    });
    const { classes } = this.config.head;
    const result = new Float32Array(count * classes);
    let done = 0;
    for (const group of groupByCounts(count, usable)) {
      this.#checkEnough(group.windows[0]!, group.counts);
      const program = await this.#program(group.counts);
      await forBatches(group.windows.length, { batch: options.batch ?? defaultBatch }, async (start, end) => {
        const windows = group.windows.slice(start, end);
        const feeds = modalities.map((modality, m) => this.#feed(modality, signals, windows, usable[m]!));
        // biome-ignore lint/plugin: one or two modalities
        const joined = Object.assign({}, ...feeds);
        const { probabilities } = await program.run(joined);
        const rows = probabilities!.data as Float32Array;
        for (const [row, window] of windows.entries())
          result.set(rows.subarray(row * classes, (row + 1) * classes), window * classes);
        done += windows.length;
        options.onProgress?.(done, count);
      });
    }
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
      this.#check(modality, windows, true);
      result[modality] = await this.#embedder(modality).embed(windows.data, options);
    }
    return result;
  }

  async dispose(): Promise<void> {
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    for (const program of programs) await (await program).dispose();
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

  /** The program for windows with so many channels of each modality; a missing modality is fed as one of zeros. */
  async #program(counts: readonly number[]): Promise<Program> {
    const key = counts.map((count) => Math.max(1, count)).join();
    const found = this.#programs.get(key);
    this.#programs.delete(key);
    if (!found && this.#programs.size === maximumPrograms) {
      const [oldest] = this.#programs.keys();
      const program = this.#programs.get(oldest!)!;
      this.#programs.delete(oldest!);
      await (await program).dispose();
    }
    const channels = Object.fromEntries(
      modalitiesOf(this.config).map((modality, m) => [modality, Math.max(1, counts[m]!)]),
    );
    const program =
      found ??
      this.#backend.compile(
        withPrecision(buildModelGraph(this.config, this.#tensors, channels), this.#options),
      );
    this.#programs.set(key, program);
    return program;
  }

  /** The inputs of one modality for some windows, with equally many usable channels. */
  #feed(
    modality: Modality,
    signals: WindowSet['signals'],
    windows: readonly number[],
    usable: UsableChannels,
  ): Record<string, Tensor> {
    const { patches, encoder } = this.config.signals[modality]!;
    const count = usable[windows[0]!]!.length;
    const shape = [windows.length, Math.max(1, count), patches, encoder.patchSamples];
    const data =
      count === 0 ? new Float32Array(sizeOf(shape)) : takeChannels(signals[modality]!, windows, usable);
    const present = tensor('bool', [windows.length], new Uint8Array(windows.length).fill(Number(count > 0)));
    return {
      [modality]: float32(shape, data),
      ...(this.config.nullEmbeddings && { [presenceName(modality)]: present }),
    };
  }

  /** DataError where a window lacks what the model cannot do without. */
  #checkEnough(window: number, counts: readonly number[]): void {
    const { head, nullEmbeddings, signals } = this.config;
    for (const [m, modality] of modalitiesOf(this.config).entries()) {
      const [count, all] = [counts[m]!, signals[modality]!.channels.length];
      if (head.kind === 'all-patches' && count < all)
        throw new DataError(
          `predict: window ${window} has ${count} of ${all} channels of ${modality}, and the head all-patches takes each. Leave it out, or train the head linear or mlp.`,
        );
      if (count === 0 && !nullEmbeddings)
        throw new DataError(
          `predict: window ${window} has no usable channel of ${modality}. Leave it out, or train with modalityDropout.`,
        );
    }
    if (counts.every((count) => count === 0))
      throw new DataError(`predict: window ${window} has no usable channel at all. Leave it out.`);
  }

  /** The number of windows, once channels and sizes are found to be the model's. */
  #check(
    modality: Modality,
    windows: SignalWindows | undefined,
    wantsAll = this.config.head.kind === 'all-patches',
  ): number {
    const { channels, patches, encoder } = this.config.signals[modality]!;
    const samples = encoder.patchSamples;
    const expected = `${channels.join(' ')} × ${patches} × ${samples}`;
    const actual =
      windows === undefined
        ? 'nothing'
        : `${windows.channels.join(' ')} × ${windows.patches} × ${windows.patchSamples}`;
    const fits =
      windows !== undefined &&
      windows.patches === patches &&
      windows.patchSamples === samples &&
      (wantsAll
        ? windows.channels.join('\n') === channels.join('\n')
        : isOrderedPart(windows.channels, channels));
    if (!fits) {
      throw new ShapeError(
        `predict: the model takes ${modality} as ${expected}, got ${actual}. Prepare the recording with the model's recipe.`,
        'predict',
        expected,
        actual,
      );
    }
    return countWindows(windows.data, windows.channels.length * patches * samples, modality);
  }
}

/** Whether names are some of `all`, at least one, in its order. */
function isOrderedPart(names: readonly string[], all: readonly string[]): boolean {
  const kept = all.filter((name) => names.includes(name));
  return names.length > 0 && kept.join('\n') === names.join('\n');
}
