/**
 * An evaluation: every model of a table on every fold and seed of a protocol, with the trivial and classical baselines
 * beside them → predictions of the tested windows.
 */
import { DataError, InterruptedError } from '../core/errors.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import type { Origin } from '../datasets/people.ts';
import type { TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { dealJobs } from '../train/distributed.ts';
import { noteDivergence } from '../train/divergence.ts';
import { finetune } from '../train/finetune.ts';
import type { FeatureCache } from '../train/frozen-features.ts';
import type { TrainingOptions } from '../train/loop.ts';
import type { Progress } from '../train/progress.ts';
import type { Ranks } from '../train/ranks.ts';
import type { FinetuneRecipe } from '../train/recipe.ts';
import { baselineFeatures, runClassical, runTrivial } from './baselines.ts';
import { assertSeveralClasses } from './fold-classes.ts';
import { type Protocol, planFolds, type WindowFold } from './protocol.ts';
import type { Curve } from './result.ts';
import type { Tested, Validated } from './tested.ts';

/** One deep model of the table. */
export interface Candidate {
  /** `eeg`, `ecg`, `eeg+ecg`. */
  readonly name: string;
  readonly recipe: FinetuneRecipe;
  /** Pre-trained encoders; from scratch where absent. */
  readonly encoders: { readonly [M in Modality]?: FloatTensors };
}

export interface ExperimentOptions {
  readonly backend: Backend;
  readonly dataset: DatasetSpec;
  /** Labelled. */
  readonly windows: WindowSet;
  readonly protocol: Protocol;
  readonly seeds: readonly number[];
  readonly candidates: readonly Candidate[];
  /** What the files of the candidates' encoders say of whom they have seen. */
  readonly provenance?: { readonly [M in Modality]?: Origin };
  /** Test models of both modalities also without each: rows `eeg+ecg, ECG missing`, or `ECG zeros` without a null. */
  readonly testMissing?: boolean;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** The trainings are dealt to ranks; every rank gets the whole. */
  readonly ranks?: Ranks | undefined;
  /** Where a training (named `eeg-fold1-seed0`) keeps checkpoint and figures, so that a stopped evaluation goes on. */
  readonly keep?: (training: string) => Pick<TrainingOptions, 'store' | 'log'>;
  /** A finished model: of the first fold and seed. */
  readonly onModel?: (name: string, model: TrainedModel) => Promise<void>;
}

export interface Experiment {
  readonly folds: readonly WindowFold[];
  /** Indices of the tested windows, ascending: the rows of all predictions. */
  readonly tested: Int32Array;
  readonly predictions: ReadonlyMap<string, Tested>;
  readonly curves: readonly Curve[];
}

/** Run it. DataError without labels; errors of fine-tuning. */
export async function runExperiment(options: ExperimentOptions): Promise<Experiment> {
  const { dataset, windows, protocol, seeds, candidates, ranks } = options;
  const { label: labels } = windows;
  if (!labels) throw new DataError('evaluate: the windows have no labels. Name a target.');
  assertSeveralClasses('evaluate', windows);
  const classCount = windows.classes.length;
  const folds = planFolds(protocol, windows, dataset, seeds[0]!);
  const tested = Int32Array.from(new Set(folds.flatMap(({ test }) => test))).sort();
  const row = new Map(Array.from(tested, (index, i) => [index, i]));
  const collected = new Map<string, Float64Array[]>();
  const collect = (name: string, seed: number, indices: readonly number[], values: ArrayLike<number>) => {
    const all = collected.get(name) ?? [];
    collected.set(name, all);
    all[seed] ??= new Float64Array(tested.length * classCount);
    for (const [i, index] of indices.entries())
      for (let k = 0; k < classCount; k++)
        all[seed]![row.get(index)! * classCount + k] = values[i * classCount + k]!;
  };

  // Deep models stand first in every table.
  for (const candidate of candidates)
    for (const name of [candidate.name, ...missingNames(candidate, options)]) collected.set(name, []);
  const cache: FeatureCache = new Map();
  const trainings = candidates.flatMap((candidate) =>
    seeds.flatMap((seed, s) => folds.map((fold, f): Training => ({ candidate, seed, s, fold, f }))),
  );
  const outcomes = await dealJobs(ranks, ['baselines' as const, ...trainings], (job) =>
    job === 'baselines'
      ? runBaselines(options, labels, folds)
      : runTraining(options, folds.length, job, cache),
  );
  const validated = new Map<string, Validated[]>();
  for (const { tests } of outcomes)
    for (const { model, s, f, probabilities, validation } of tests) {
      const { test, validation: people } = folds[f]!;
      collect(model, s, test, probabilities);
      if (!validation) continue;
      const known = validated.get(model) ?? [];
      validated.set(model, known);
      known.push({
        seed: s,
        rows: test.map((index) => row.get(index)!),
        truth: people.map((index) => labels[index]!),
        probabilities: validation,
      });
    }
  const curves = outcomes.flatMap(({ curve }) => (curve ? [curve] : []));
  const truth = Int32Array.from(tested, (index) => labels[index]!);
  const subject = Array.from(tested, (index) => windows.subject[index]!);
  const predictions = new Map(
    [...collected].map(([name, probabilities]) => [
      name,
      { truth, subject, probabilities, validation: validated.get(name) ?? [] },
    ]),
  );
  return { folds, tested, predictions, curves };
}

/** One model on one fold with one seed; `s` and `f` are the places of seed and fold. */
interface Training {
  readonly candidate: Candidate;
  readonly seed: number;
  readonly s: number;
  readonly fold: WindowFold;
  readonly f: number;
}

/** What a job gives, as plain JSON: it may come from another rank. */
interface Outcome {
  readonly tests: readonly {
    readonly model: string;
    readonly s: number;
    readonly f: number;
    /** [W, K] of the fold's tested windows. */
    readonly probabilities: readonly number[];
    /** Of its validation windows; absent where there is nothing to calibrate. */
    readonly validation?: readonly number[];
  }[];
  readonly curve?: Curve;
}

async function runBaselines(
  { windows, progress }: ExperimentOptions,
  labels: Int32Array,
  folds: readonly WindowFold[],
): Promise<Outcome> {
  const classCount = windows.classes.length;
  progress.log(`baselines on ${windows.count} windows`);
  const features = baselineFeatures(windows);
  const tests = folds.flatMap(({ train, validation, test }, f) => {
    const of = (model: string, values: ArrayLike<number>) => ({
      ...{ model, s: 0, f },
      probabilities: Array.from(values),
    });
    const calibrated = (model: string, values: ArrayLike<number>) => {
      const all = Array.from(values);
      const end = validation.length * classCount;
      return { ...of(model, all.slice(end)), validation: all.slice(0, end) };
    };
    return [
      ...(['majority', 'prior'] as const).map((name) =>
        of(name, runTrivial(name, labels, train, test.length, classCount)),
      ),
      ...Array.from(features, ([name, rows]) =>
        calibrated(name, runClassical(rows, labels, train, [...validation, ...test], classCount)),
      ),
    ];
  });
  return { tests };
}

async function runTraining(
  options: ExperimentOptions,
  foldCount: number,
  { candidate, seed, s, fold, f }: Training,
  cache: FeatureCache,
): Promise<Outcome> {
  const { backend, windows, dataset, progress, signal } = options;
  const name = trainingName(candidate.name, f, foldCount, seed);
  if (signal?.aborted) throw new InterruptedError(`evaluate: stopped before ${name}.`);
  const { model, curves, bestEpoch, ...predicted } = await finetune({
    ...options.keep?.(name),
    ...{ backend, windows, cache, dataset: dataset.name, encoders: candidate.encoders },
    ...(options.provenance && { origins: options.provenance }),
    recipe: { ...candidate.recipe, seed },
    training: fold.train,
    validation: fold.validation,
    test: fold.test,
    ...(options.testMissing && { testMissing: true }),
    progress: (total) => progress.stage(`fine-tune ${name}`, total),
    ...(signal && { signal }),
  });
  for (const note of noteDivergence([{ name, rows: curves }], windows.classes.length)) progress.log(note);
  if (s === 0 && f === 0) await options.onModel?.(candidate.name, model);
  const without = Object.entries(predicted.missingProbabilities).map(([modality, probabilities]) => ({
    ...{ model: missingName(candidate, modality as Modality), s, f },
    probabilities: Array.from(probabilities),
  }));
  return {
    tests: [
      {
        ...{ model: candidate.name, s, f, probabilities: Array.from(predicted.testProbabilities) },
        validation: Array.from(predicted.validationProbabilities),
      },
      ...without,
    ],
    curve: { name: `fine-tune ${name}`, rows: curves.map(roundRow), bestEpoch },
  };
}

/** The row of a model tested without a modality: by the null that it knows, else with zeros in its place. */
function missingName({ name, recipe }: Candidate, modality: Modality): string {
  return `${name}, ${modality.toUpperCase()} ${recipe.modalityDropout > 0 ? 'missing' : 'zeros'}`;
}

function missingNames(candidate: Candidate, { testMissing = false }: ExperimentOptions): string[] {
  const { eeg, ecg } = candidate.recipe.encoders;
  return testMissing && eeg && ecg
    ? (['eeg', 'ecg'] as const).map((modality) => missingName(candidate, modality))
    : [];
}

/** `eeg-seed0`, or `eeg-fold2-seed0` where there are several folds. */
function trainingName(candidate: string, fold: number, folds: number, seed: number): string {
  return `${candidate}${folds > 1 ? `-fold${fold + 1}` : ''}-seed${seed}`;
}

/** Six digits are enough to draw. */
function roundRow(row: Readonly<Record<string, number | null>>): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, value === null ? null : Number(value.toPrecision(6))]),
  );
}
