/** Datasets as data: which files, whose, labelled how, split how; and the one loader that turns any of them into windows. */

import { ConfigError, DataError, HeartmindError, InterruptedError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import type { MayLack } from '../patches/lenient-montage.ts';
import type { Recipe } from '../patches/recipe.ts';
import { prepareInSession } from '../patches/session.ts';
import { WindowSetBuilder } from '../patches/window-set.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { DatasetFacts } from './facts.ts';
import type { Fold } from './folds.ts';
import { EarlierFiles, earlierFiles, type SessionPlace } from './sessions.ts';
import { type InputOptions, TrialFiles } from './trial-files.ts';

export { baseName, readText } from './folder-text.ts';

/** One labelled stretch: a recording, or a part of one. */
export interface Trial {
  readonly id: string;
  readonly subject: string;
  /** Path inside the dataset's folder. */
  readonly file: string;
  /** Which of the file's recordings, where it holds several. */
  readonly part?: string;
  /** What opens the file, where it is no recording by itself: a name in trial-readers.ts. */
  readonly reader?: string;
  /** What the file does not say itself, by its labels: the unit of its signals, their rate in hertz. */
  readonly inputUnit?: string;
  readonly inputRateHz?: number;
  /** What was shown or heard, where several people were shown the same: left out together by leave-stimulus-out. */
  readonly stimulus?: string;
  /** Values that could be predicted: a class by name, or a number. */
  readonly targets: Readonly<Record<string, string | number>>;
  /** Seconds; the whole recording where absent. */
  readonly start?: number;
  readonly end?: number;
  /** The recording's place in its person's session, where it is known: contexts reach back to what came before. */
  readonly session?: SessionPlace;
  /** A neutral stretch of the same recording that the trial may be compared with, in seconds. */
  readonly baseline?: { readonly start: number; readonly end: number };
}

/** What is to be known of values besides the classes of `targets`. */
export type Label =
  /** Targets of classes 0 and 1 that a trial may have several of: together they are one multi-label. */
  | { readonly kind: 'multilabel'; readonly targets: readonly string[] }
  | { readonly kind: 'number'; readonly unit?: string };

/** What only a folder tells of a dataset: its tables name its people, its columns what can be predicted. */
export type FolderFacts = Partial<
  Pick<
    DatasetSpec,
    'title' | 'licence' | 'citation' | 'modalities' | 'targets' | 'labels' | 'splits' | 'recipe' | 'notes'
  >
>;

export interface DatasetSpec {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly url: string;
  readonly citation: string;
  readonly modalities: readonly Modality[];
  /** Classes of each categorical target, in the order of their indices. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  /** The one that is meant where a user names none of several. */
  readonly defaultTarget?: string;
  /** Numbers and multi-labels among the trials' values. */
  readonly labels?: Readonly<Record<string, Label>>;
  /** Splits that were published, by name. */
  readonly splits: Readonly<Record<string, Fold>>;
  /** How its recordings become windows unless said otherwise. */
  readonly recipe: Recipe;
  /** What people need to know to get and understand it; every dataset of the registry has them. */
  readonly facts?: DatasetFacts;
  /** What does not fit in its tables, a sentence each; verbs print it. */
  readonly notes?: readonly string[];
  /** Asked for by `describeFolder`. */
  describe?(folder: ByteFolder): Promise<FolderFacts>;
  /** Trials in a fixed order. */
  trials(folder: ByteFolder): Promise<Trial[]>;
}

/** A dataset that others can get. */
export type PublishedDataset = DatasetSpec & { readonly facts: DatasetFacts };

/** A dataset with what its folder tells. Errors of the folder and of its tables. */
export async function describeFolder(spec: DatasetSpec, folder: ByteFolder): Promise<DatasetSpec> {
  if (!spec.describe) return spec;
  // Described once: what the folder tells is not asked for again.
  const { describe: _, ...rest } = spec;
  return { ...rest, ...(await spec.describe(folder)) };
}

export interface LoadOptions {
  /** Name of a target; unlabelled windows where absent. */
  readonly target?: string;
  /** Only these subjects. */
  readonly subjects?: readonly string[];
  /** Leave broken recordings out, counted, instead of stopping at the first. */
  readonly skipBroken?: boolean;
  /** Open truncated recordings up to where they go; `dropped` counts them with what is missing. */
  readonly tolerant?: boolean;
  /** What may be missing in a recording: its channels become NaN. */
  readonly mayLack?: MayLack | undefined;
  /** What a user states of all recordings: their unit, their rate, which channels. */
  readonly input?: InputOptions;
  readonly onProgress?: (done: number, total: number, trial: string) => void;
  readonly signal?: AbortSignal;
}

/** Read, prepare and cut a dataset. DataError where nothing is found or a label is none of the target's classes. */
export async function loadWindows(
  asked: DatasetSpec,
  folder: ByteFolder,
  givenRecipe?: Recipe,
  options: LoadOptions = {},
): Promise<WindowSet> {
  const spec = await describeFolder(asked, folder);
  const recipe = givenRecipe ?? spec.recipe;
  const {
    target,
    subjects,
    skipBroken = false,
    tolerant = false,
    input,
    mayLack,
    onProgress,
    signal,
  } = options;
  const classes = target === undefined ? [] : classesOf(spec, target);
  const all = await spec.trials(folder);
  if (all.length === 0)
    throw new DataError(`${spec.name}: no recordings in ${folder.name}. Check the folder.`);
  const trials = subjects ? all.filter((trial) => subjects.includes(trial.subject)) : all;
  const builder = new WindowSetBuilder(recipe, classes, mayLack);
  const files = new TrialFiles(folder, { tolerant, ...input });
  const past = new EarlierFiles(folder, { tolerant, ...input });
  const earlier = earlierFiles(all);
  try {
    for (const [i, trial] of trials.entries()) {
      if (signal?.aborted)
        throw new InterruptedError(
          `${spec.name}: stopped while reading, after ${i} of ${trials.length} trials.`,
        );
      onProgress?.(i, trials.length, trial.id);
      const label = target === undefined ? undefined : labelOf(spec, trial, target, classes);
      if (label === null) {
        builder.count({ what: 'recording', reason: `no '${target}'`, example: trial.id });
        continue;
      }
      try {
        const prepared = await prepareInSession(await files.open(trial), recipe, {
          ...{ name: trial.id, mayLack, earlier: past.of(earlier(trial)), skipBroken },
          ...(trial.start === undefined ? {} : { start: trial.start }),
          ...(trial.end === undefined ? {} : { end: trial.end }),
        });
        builder.add(prepared, {
          subject: trial.subject,
          trial: trial.id,
          ...(label === undefined ? {} : { label }),
          ...(trial.stimulus !== undefined && { stimulus: trial.stimulus }),
        });
      } catch (error) {
        if (!skipBroken || !(error instanceof HeartmindError) || concernsAllRecordings(error)) throw error;
        builder.count({ what: 'recording', reason: `${error.name}: ${error.message}`, example: trial.id });
      }
    }
  } finally {
    await files.close();
    await past.close();
  }
  onProgress?.(trials.length, trials.length, '');
  return builder.finish();
}

/** Classes of a categorical target; DataError where the dataset has none of that name. */
export function classesOf(spec: DatasetSpec, target: string): readonly string[] {
  if (Object.hasOwn(spec.targets, target)) return spec.targets[target]!;
  throw new DataError(
    `${spec.name}: no target '${target}'. It has: ${Object.keys(spec.targets).join(', ') || 'none'}.`,
  );
}

/** Class index; null where the trial has no such value. */
function labelOf(spec: DatasetSpec, trial: Trial, target: string, classes: readonly string[]): number | null {
  const value = trial.targets[target];
  if (value === undefined || value === '') return null;
  const index = classes.indexOf(String(value));
  if (index < 0) {
    throw new DataError(
      `${spec.name}: trial ${trial.id} has ${target} '${value}', which is none of ${classes.join(', ')}.`,
    );
  }
  return index;
}

/** Is it about what a user stated of the recordings, or did the user stop? No single recording is broken by that. */
export function concernsAllRecordings(error: HeartmindError): boolean {
  if (error instanceof InterruptedError) return true;
  return error instanceof ConfigError && /^--input-/.test(error.message);
}
