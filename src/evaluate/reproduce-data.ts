/**
 * A dataset → what a benchmark's models learn from: features of every window (embeddings of frozen encoders, band powers,
 * heart rates), compared with the trial's neutral stretch where the recipe says so. One person's signals are in memory at a
 * time; embeddings are kept, so that a stopped run embeds nobody twice.
 */
import { DataError, InterruptedError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { sha256 } from '../core/sha256.ts';
import { float32, type Tensor } from '../core/tensor.ts';
import type { DatasetSpec, Trial } from '../datasets/dataset.ts';
import { EarlierFiles, type EarlierFilesOf, earlierFiles } from '../datasets/sessions.ts';
import { TrialFiles } from '../datasets/trial-files.ts';
import type { EncoderConfig } from '../model/config.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { Embedder } from '../model/predict.ts';
import { decodeSafetensors, encodeSafetensors } from '../model/safetensors.ts';
import { holdsSeam } from '../patches/context.ts';
import type { PreparedRecording } from '../patches/prepare.ts';
import type { Recipe } from '../patches/recipe.ts';
import { prepareInSession } from '../patches/session.ts';
import { concatWindowSets, WindowSetBuilder } from '../patches/window-set.ts';
import type { Dropped, Modality, SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { Progress } from '../train/progress.ts';
import { bandPowerFeatures, heartContextFeatures, heartFeatures } from './baselines.ts';
import { DuplicateFinder } from './duplicates.ts';
import type { KeptFiles } from './kept-files.ts';
import { poolTokens } from './probe-features.ts';
import { heartSeesContext } from './reach-notes.ts';
import { scaleByBaseline, subtractBaseline } from './reproduce-baseline.ts';
import { encodersOf } from './reproduce-encoders.ts';
import type { ReproduceRecipe } from './reproduce-recipe.ts';

/** An encoder as it is used: weights, depth and a name for its numbers. */
export interface ChosenEncoder {
  readonly config: EncoderConfig;
  readonly tensors: FloatTensors;
  readonly sha256: string;
  /** Where it comes from. */
  readonly source?: string;
  /** People of the benchmark whose recordings it was pre-trained on; absent where it cannot be known. */
  readonly seen?: readonly string[];
  /** Further encoders of the modality, for folds that test people whom this one has seen. */
  readonly others?: readonly ChosenEncoder[];
}
export type ChosenEncoders = { readonly [M in Modality]?: ChosenEncoder };

/** Windows without their samples: rows of all features. */
export interface BenchmarkData {
  readonly recipe: Recipe;
  readonly count: number;
  readonly subject: readonly string[];
  readonly trial: readonly string[];
  readonly stimulus?: readonly string[];
  /** By target: classes, and the class of each window or −1. */
  readonly labels: ReadonlyMap<string, Int32Array>;
  /** Embeddings [W][F] of each modality that has an encoder. */
  readonly embeddings: { readonly [M in Modality]?: readonly Float64Array[] };
  /** The same of its further encoders, in their order. */
  readonly further?: { readonly [M in Modality]?: readonly (readonly Float64Array[])[] };
  /** Band powers, and heart rate and variability: [W][d], NaN where undefined. */
  readonly classical: { readonly [M in Modality]?: readonly Float64Array[] };
  readonly dropped: readonly Dropped[];
  /** On subjects with equal windows or nearly equal names. */
  readonly notes?: readonly string[];
  readonly hash: string;
  /** Whether two recordings of a session join in a window's context; absent where none do. */
  readonly seamed?: readonly boolean[];
  /** The windows themselves, where encoders are tuned. */
  readonly windows?: WindowSet;
}

export interface BenchmarkDataOptions {
  readonly backend: Backend;
  readonly spec: DatasetSpec;
  readonly folder: ByteFolder;
  readonly recipe: ReproduceRecipe;
  readonly encoders: ChosenEncoders;
  /** Keep signals in memory, and embed nothing. */
  readonly keepSignals?: boolean;
  /** Equal windows under several subjects are a note, not an error. */
  readonly allowDuplicates?: boolean | undefined;
  readonly kept?: KeptFiles | undefined;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of one person. */
interface PersonRows {
  readonly film: WindowSet;
  readonly embeddings: { [M in Modality]?: Float64Array[] };
  readonly further: { [M in Modality]?: Float64Array[][] };
  readonly classical: { [M in Modality]?: Float64Array[] };
}

/** Read, prepare, embed. DataError where nothing is there or a target has other than two classes. */
export async function readBenchmark(options: BenchmarkDataOptions): Promise<BenchmarkData> {
  const { spec, folder, recipe, progress, signal, keepSignals = false } = options;
  const prepare = recipe.prepare ?? spec.recipe;
  const classes = new Map(recipe.targets.map((target) => [target, twoClasses(spec, target)]));
  const trials = await spec.trials(folder);
  if (trials.length === 0)
    throw new DataError(`${spec.name}: no recordings in ${folder.name}. Check the folder.`);
  const byId = new Map(trials.map((trial) => [trial.id, trial]));
  const embedders: Embedders = new Map();
  const files = { own: new TrialFiles(folder), past: new EarlierFiles(folder) };
  const earlierOf = earlierFiles(trials);
  const stage = progress.stage(`read ${spec.name}`, trials.length, 'trials');
  const people: PersonRows[] = [];
  const counted = new DroppedCounts();
  const finder = new DuplicateFinder();
  let done = 0;
  try {
    for (const own of groupBySubject(trials)) {
      const stretches = await readPerson(files, own, earlierOf, prepare, recipe, () => {
        if (signal?.aborted)
          throw new InterruptedError(`${spec.name}: stopped after ${done} of ${trials.length} trials.`);
        stage.update(done++);
      });
      counted.add(stretches.film.dropped);
      if (stretches.film.size === 0) {
        counted.add([{ what: 'subject', reason: 'no window left', count: 1, examples: [own[0]!.subject] }]);
        continue;
      }
      const film = await stretches.film.finish();
      finder.add(film);
      const neutral =
        stretches.neutral && stretches.neutral.size > 0 ? await stretches.neutral.finish() : undefined;
      const rows = await rowsOf(options, embedders, film, neutral);
      // The samples go; what they were is known by the hash.
      people.push({
        ...rows,
        film: keepSignals ? film : { ...film, signals: {}, beats: new Map() },
      });
      if (recipe.baseline === 'features') counted.add(rows.dropped);
    }
  } finally {
    await files.own.close();
    await files.past.close();
    for (const embedder of embedders.values()) await embedder.dispose();
  }
  stage.update(trials.length);
  stage.end();
  if (people.length === 0)
    throw new DataError(
      `${spec.name}: no window is left of ${trials.length} trials. Check the recipe's window.`,
    );
  const notes = finder.check('reproduce', spec, options.allowDuplicates);
  const trial = people.flatMap(({ film }) => film.trial);
  const stimulus = trial.map((id) => byId.get(id)!.stimulus ?? '');
  const labels = new Map(
    recipe.targets.map((target) => [
      target,
      Int32Array.from(trial, (id) =>
        classes.get(target)!.indexOf(String(byId.get(id)!.targets[target] ?? '')),
      ),
    ]),
  );
  const join = (kind: 'embeddings' | 'classical') =>
    Object.fromEntries(
      (['eeg', 'ecg'] as const).flatMap((modality) =>
        people[0]![kind][modality] ? [[modality, people.flatMap((person) => person[kind][modality]!)]] : [],
      ),
    );
  const hashes = [
    ...people.map(({ film }) => film.hash),
    JSON.stringify([...labels].map(([k, v]) => [k, [...v]])),
  ];
  const { recipe: window } = people[0]!.film;
  const seamed = people.flatMap(({ film }) => Array.from(film.start, (_, w) => holdsSeam(film, w)));
  return {
    ...{ recipe: window, count: trial.length, trial, labels },
    subject: people.flatMap(({ film }) => film.subject),
    ...(stimulus.some((one) => one !== '') && { stimulus }),
    ...(seamed.includes(true) && { seamed }),
    embeddings: join('embeddings'),
    further: joinFurther(people),
    classical: join('classical'),
    dropped: counted.all,
    notes,
    hash: await sha256(new TextEncoder().encode(hashes.join('\n'))),
    ...(keepSignals && { windows: await concatWindowSets(people.map(({ film }) => film)) }),
  };
}

function joinFurther(people: readonly PersonRows[]): NonNullable<BenchmarkData['further']> {
  return Object.fromEntries(
    (['eeg', 'ecg'] as const).map((modality) => [
      modality,
      (people[0]!.further[modality] ?? []).map((_, i) =>
        people.flatMap(({ further }) => further[modality]![i]!),
      ),
    ]),
  );
}

function twoClasses(spec: DatasetSpec, target: string): readonly string[] {
  const classes = Object.hasOwn(spec.targets, target) ? spec.targets[target]! : undefined;
  if (classes?.length === 2) return classes;
  const binary = Object.keys(spec.targets).filter((name) => spec.targets[name]!.length === 2);
  throw new DataError(
    `${spec.name}: target '${target}' ${classes ? `has ${classes.length} classes` : 'is not there'}; benchmarks compare two. Use one of ${binary.join(', ')}.`,
  );
}

function groupBySubject(trials: readonly Trial[]): Trial[][] {
  const groups = new Map<string, Trial[]>();
  for (const trial of trials) {
    const found = groups.get(trial.subject);
    if (found) found.push(trial);
    else groups.set(trial.subject, [trial]);
  }
  return [...groups.values()];
}

/** Windows of a person's trials and of the neutral stretches before them. */
async function readPerson(
  files: { readonly own: TrialFiles; readonly past: EarlierFiles },
  trials: readonly Trial[],
  earlierOf: EarlierFilesOf,
  prepare: Recipe,
  { baseline, lastSeconds }: ReproduceRecipe,
  onTrial: () => void,
): Promise<{ film: WindowSetBuilder; neutral: WindowSetBuilder | undefined }> {
  const film = new WindowSetBuilder(prepare);
  const neutral = baseline === 'features' ? new WindowSetBuilder(prepare) : undefined;
  for (const trial of trials) {
    onTrial();
    const { subject, id, stimulus } = trial;
    const recording = await files.own.open(trial);
    const end = trial.end ?? recording.duration;
    const start = Math.max(trial.start ?? 0, lastSeconds === null ? 0 : end - lastSeconds);
    const options = { name: id, earlier: files.past.of(earlierOf(trial)) };
    let prepared = await prepareInSession(recording, prepare, { ...options, start, end });
    const before: PreparedRecording | undefined =
      baseline === 'none' || !trial.baseline
        ? undefined
        : await prepareInSession(recording, prepare, { ...options, ...trial.baseline });
    if (baseline === 'scale') prepared = scaleByBaseline(prepared, before, prepare, id);
    const source = { subject, trial: id, ...(stimulus !== undefined && { stimulus }) };
    film.add(prepared, source);
    if (before) neutral?.add(before, source);
  }
  return { film, neutral };
}

async function rowsOf(
  options: BenchmarkDataOptions,
  embedders: Embedders,
  film: WindowSet,
  neutral: WindowSet | undefined,
): Promise<Omit<PersonRows, 'film'> & { dropped: Dropped[] }> {
  const { baseline } = options.recipe;
  const dropped: Dropped[] = [];
  const compare = (rows: readonly Float64Array[], before: readonly Float64Array[] | undefined) => {
    if (baseline !== 'features') return [...rows];
    const { rows: compared, without } = subtractBaseline(rows, film.trial, before, neutral?.trial ?? []);
    if (without.length > 0 && dropped.length === 0)
      dropped.push({
        what: 'trial',
        reason: "no neutral window of its own: the mean of the person's others was subtracted",
        count: without.length,
        examples: without.slice(0, 10),
      });
    return compared;
  };
  const heart = heartSeesContext(film.recipe) ? heartContextFeatures : heartFeatures;
  const embeddings: PersonRows['embeddings'] = {};
  const further: PersonRows['further'] = {};
  const classical: PersonRows['classical'] = {};
  for (const modality of ['eeg', 'ecg'] as const) {
    if (!film.signals[modality]) continue;
    const features = modality === 'eeg' ? bandPowerFeatures : heart;
    classical[modality] = compare(features(film), neutral && features(neutral));
    if (options.keepSignals || !options.encoders[modality]) continue;
    const all: Float64Array[][] = [];
    for (const encoder of encodersOf(options.encoders, modality)) {
      const embedder = embedderOf(options.backend, embedders, encoder, film.signals[modality]!);
      const embed = (set: WindowSet) => embedKept(options, encoder, embedder, modality, set);
      all.push(compare(await embed(film), neutral && (await embed(neutral))));
    }
    [embeddings[modality], further[modality]] = [all[0]!, all.slice(1)];
  }
  return { embeddings, further, classical, dropped };
}

/** Pooled embeddings [W][F], from the run's files where they are there. */
async function embedKept(
  { kept, recipe, signal }: BenchmarkDataOptions,
  encoder: ChosenEncoder,
  embedder: Embedder,
  modality: Modality,
  set: WindowSet,
): Promise<Float64Array[]> {
  const pool = recipe.pool[modality];
  const words = [modality, encoder.sha256, set.hash, ...(pool === 'mean' ? [] : [pool])];
  const key = await sha256(new TextEncoder().encode(words.join(' ')));
  const name = `features/${set.subject[0]!.replace(/[^\w-]/g, '_')}-${modality}-${key.slice(0, 16)}.safetensors`;
  const found = await kept?.load(name);
  let values: Float32Array | undefined;
  if (found) values = decodeSafetensors(found, name).tensors.get('pooled')?.data as Float32Array | undefined;
  if (!values) {
    if (signal?.aborted) throw new InterruptedError(`embeddings: stopped before ${set.subject[0]}.`);
    const { channels, patches, data } = set.signals[modality]!;
    const { pooled, tokens } = await embedder.embed(data, { tokens: pool !== 'mean' });
    values = tokens ? poolTokens(tokens, set.count * channels.length, patches, pool) : pooled;
    const width = values.length / set.count;
    const tensors = new Map<string, Tensor>([['pooled', float32([set.count, width], values)]]);
    await kept?.save(name, encodeSafetensors(tensors));
  }
  const width = values.length / set.count;
  return Array.from({ length: set.count }, (_, i) =>
    Float64Array.from(values.subarray(i * width, (i + 1) * width)),
  );
}

/** By their weights' sha256. */
type Embedders = Map<string, Embedder>;

/** Made when the shape of the first windows is known. */
function embedderOf(
  backend: Backend,
  embedders: Embedders,
  { config, tensors, sha256: name }: ChosenEncoder,
  { channels, patches }: SignalWindows,
): Embedder {
  const found = embedders.get(name);
  if (found) return found;
  const made = new Embedder(backend, config, tensors, { channels: channels.length, patches });
  embedders.set(name, made);
  return made;
}

/** Sums what several people's windows lost. */
class DroppedCounts {
  readonly #entries = new Map<string, Dropped>();

  add(dropped: readonly Dropped[]): void {
    for (const entry of dropped) {
      const key = `${entry.what}: ${entry.reason}`;
      const found = this.#entries.get(key);
      this.#entries.set(
        key,
        found
          ? {
              ...found,
              count: found.count + entry.count,
              examples: [...found.examples, ...entry.examples].slice(0, 10),
            }
          : entry,
      );
    }
  }

  get all(): Dropped[] {
    return [...this.#entries.values()];
  }
}
