/** A store as windows to train on, validate and predict: the index in memory, samples read when they are needed. */
import { ConfigError, DataError } from '../core/errors.ts';
import { sha256 } from '../core/sha256.ts';
import { hasContext, runsOverSession } from './context.ts';
import type { Recipe } from './recipe.ts';
import type { SampleType, StoredTarget } from './store-format.ts';
import type { StoreFiles } from './store-place.ts';
import { storedWindowBytes } from './store-plan.ts';
import { type Buffers, WindowPools } from './store-pool.ts';
import { StoreReader } from './store-reader.ts';
import { decodeSamples } from './store-samples.ts';
import { type FarWindows, signalSize, type WindowBatch, type WindowReader } from './window-reader.ts';
import type { Dropped, Modality, TrialPast, WindowSet } from './windows.ts';

/** One read brings about so much: 1 MiB. */
const blockBytes = 2 ** 20;
/** Memory for windows that are read ahead, unless said otherwise. */
export const defaultMemoryMegabytes = 512;

export interface StoreWindowsOptions {
  /** Name of a target; unlabelled where absent. */
  readonly target?: string;
  /** Megabytes of windows that are held at most: what is shuffled, and what comes next. Default 512. */
  readonly memoryMegabytes?: number;
}

/** Open a store and its index. Errors as `StoreReader.open`; DataError for a target that it has not. */
export async function openStoreWindows(
  files: StoreFiles,
  options: StoreWindowsOptions = {},
): Promise<StoreWindows> {
  return StoreWindows.load(await StoreReader.open(files), options);
}

export class StoreWindows implements WindowReader {
  readonly recipe: Recipe;
  readonly signals: WindowReader['signals'];
  readonly far: FarWindows;
  readonly label?: Int32Array;
  readonly history?: Float64Array;
  /** Memory of streams that were closed. */
  readonly #spare: Buffers[] = [];

  private constructor(
    readonly reader: StoreReader,
    readonly count: number,
    /** Stored window of each of ours; absent where they are the same. */
    readonly rows: Int32Array | undefined,
    readonly subject: readonly string[],
    readonly trial: readonly string[],
    readonly start: Float64Array,
    history: Float64Array | undefined,
    readonly classes: readonly string[],
    label: Int32Array | undefined,
    readonly dropped: readonly Dropped[],
    readonly hash: string,
    memoryMegabytes: number,
  ) {
    if (label) this.label = label;
    if (history) this.history = history;
    this.recipe = reader.info.recipe;
    this.signals = reader.info.signals as WindowReader['signals'];
    this.far = {
      blockWindows: Math.max(1, Math.floor(blockBytes / storedWindowBytes(this.recipe))),
      poolWindows: (modalities) => this.#poolWindows(modalities, memoryMegabytes),
      stream: (sequence, modalities) => this.#stream(sequence, modalities, memoryMegabytes),
    };
  }

  static async load(
    reader: StoreReader,
    { target, memoryMegabytes = defaultMemoryMegabytes }: StoreWindowsOptions = {},
  ): Promise<StoreWindows> {
    const { info } = reader;
    const trialOf = (await reader.numbers('window_trial')) as Int32Array;
    const start = (await reader.numbers('window_start')) as Float64Array;
    const history = hasContext(info.recipe)
      ? ((await reader.numbers('window_history')) as Float64Array)
      : undefined;
    const trials = await reader.texts('trial_name');
    const subjectOf = await reader.numbers('trial_subject');
    const subjects = await reader.texts('subject_name');
    const chosen = target === undefined ? undefined : await readLabels(reader, target);
    const rows = chosen && rowsWithLabel(trialOf, chosen.codes);
    const own = rows ? rows.map((row) => trialOf[row]!) : trialOf;
    if (own.length === 0)
      throw new DataError(`${reader.files.name}: no window has a '${target}'. Choose another target.`);
    return new StoreWindows(
      reader,
      own.length,
      rows?.length === info.count ? undefined : rows,
      Array.from(own, (trial) => subjects[subjectOf[trial]!]!),
      Array.from(own, (trial) => trials[trial]!),
      rows ? Float64Array.from(rows, (row) => start[row]!) : start,
      rows && history ? Float64Array.from(rows, (row) => history[row]!) : history,
      chosen?.classes ?? [],
      chosen && Int32Array.from(own, (trial) => chosen.codes[trial]!),
      chosen ? [...info.dropped, ...chosen.without] : info.dropped,
      target === undefined ? info.hash : await sha256(new TextEncoder().encode(`${info.hash} ${target}`)),
      memoryMegabytes,
    );
  }

  async read(indices: ArrayLike<number>, modalities: readonly Modality[]): Promise<WindowBatch> {
    const stored = this.#stored(indices);
    const { batch, take } = this.#batch(indices.length, modalities);
    await Promise.all(
      modalities.map((modality) =>
        this.reader.read(modality, stored, (place, bits) => take(modality, place, bits)),
      ),
    );
    return batch;
  }

  /** Everything in memory, for what needs it whole. */
  async load(modalities = Object.keys(this.signals) as Modality[]): Promise<WindowSet> {
    const all = Int32Array.from({ length: this.count }, (_, i) => i);
    const batch = await this.read(all, modalities);
    const signals = modalities.map((modality) => [
      modality,
      { ...this.signals[modality]!, data: batch[modality]! },
    ]);
    const { recipe, count, label, classes, subject, trial, start, history, dropped, hash } = this;
    const more = { ...(label && { label }), ...(history && { history }) };
    const index = { recipe, count, classes, subject, trial, start, dropped, hash, ...more };
    return {
      ...{ ...index, signals: Object.fromEntries(signals), beats: await this.beats() },
      ...(runsOverSession(recipe) && { past: await this.#past() }),
    };
  }

  /** R peaks of each trial. */
  beats(): Promise<Map<string, Float64Array>> {
    return this.#times('beats');
  }

  async #past(): Promise<Map<string, TrialPast>> {
    const [beats, seams] = [await this.#times('past_beats'), await this.#times('past_seams')];
    return new Map([...beats].map(([trial, own]) => [trial, { beats: own, seams: seams.get(trial)! }]));
  }

  /** A column of times of all trials, trial by trial. */
  async #times(column: string): Promise<Map<string, Float64Array>> {
    const [names, counts, times] = [
      await this.reader.texts('trial_name'),
      await this.reader.numbers(`trial_${column}`),
      (await this.reader.numbers(column)) as Float64Array,
    ];
    let at = 0;
    return new Map(
      names.map((name, i) => {
        const own = times.subarray(at, at + counts[i]!);
        at += counts[i]!;
        return [name, own];
      }),
    );
  }

  #stored(indices: ArrayLike<number>): ArrayLike<number> {
    const { rows } = this;
    return rows ? Int32Array.from(indices, (i) => rows[i]!) : indices;
  }

  #batch(count: number, modalities: readonly Modality[]) {
    const type: SampleType = this.reader.info.type;
    const batch: { [M in Modality]?: Float32Array } = {};
    const sizes: { [M in Modality]?: number } = {};
    for (const modality of modalities) {
      const signal = this.signals[modality];
      if (!signal)
        throw new DataError(`${this.reader.files.name}: it holds no ${modality}. Prepare one that does.`);
      sizes[modality] = signalSize(signal);
      batch[modality] = new Float32Array(count * sizes[modality]);
    }
    const take = (modality: Modality, place: number, bits: Uint16Array) => {
      decodeSamples(bits, type, batch[modality]!, place * sizes[modality]!);
    };
    return { batch, sizes, take };
  }

  #poolWindows(modalities: readonly Modality[], megabytes: number): number {
    const bytes = modalities.reduce((sum, modality) => sum + 2 * signalSize(this.signals[modality]!), 0);
    const windows = Math.floor((megabytes * 2 ** 20) / 2 / bytes);
    if (windows >= 1) return windows;
    throw new ConfigError(
      `store: ${megabytes} MB hold no two windows of ${bytes} bytes. Allow more memory.`,
      'memoryMegabytes',
    );
  }

  #stream(sequence: Int32Array, modalities: readonly Modality[], megabytes: number) {
    const { sizes } = this.#batch(0, modalities);
    const stored = Int32Array.from(this.#stored(sequence));
    const poolWindows = this.#poolWindows(modalities, megabytes);
    const spare = this.#spare;
    const pools = new WindowPools(this.reader, { sequence: stored, modalities, sizes, poolWindows, spare });
    return {
      read: async (indices: ArrayLike<number>): Promise<WindowBatch> => {
        const { batch, take } = this.#batch(indices.length, modalities);
        await pools.read(this.#stored(indices), take);
        return batch;
      },
      close: () => pools.close(),
    };
  }
}

/** Classes, the class of each trial (−1: none), and how many have none. */
async function readLabels(reader: StoreReader, name: string) {
  const { targets } = reader.info;
  const target: StoredTarget | undefined = targets.find((one) => one.name === name);
  const categorical = targets.filter(({ kind }) => kind === 'class').map((one) => one.name);
  if (target?.kind !== 'class')
    throw new DataError(
      `${reader.files.name}: no target '${name}' with classes. It has: ${categorical.join(', ') || 'none'}.`,
    );
  const codes = (await reader.numbers(target.array)) as Int32Array;
  const names = await reader.texts('trial_name');
  const unknown = codes.indexOf(-2);
  if (unknown >= 0)
    throw new DataError(
      `${reader.files.name}: trial ${names[unknown]} has a ${name} that is none of ${target.classes.join(', ')}.`,
    );
  const without: string[] = [];
  let count = 0;
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] !== -1) continue;
    if (++count <= 10) without.push(names[i]!);
  }
  const dropped: Dropped[] =
    count === 0 ? [] : [{ what: 'recording', reason: `no '${name}'`, count, examples: without }];
  return { classes: target.classes, codes, without: dropped };
}

function rowsWithLabel(trialOf: Int32Array, codes: Int32Array): Int32Array {
  return Int32Array.from(trialOf.keys()).filter((row) => codes[trialOf[row]!]! >= 0);
}
