/**
 * An evaluation: every model of a table on every fold and seed of a protocol, with the trivial and classical baselines
 * beside them → predictions of the tested windows.
 */
import { DataError, InterruptedError } from '../core/errors.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import type { TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { finetune } from '../train/finetune.ts';
import type { FeatureCache } from '../train/frozen-features.ts';
import type { TrainingOptions } from '../train/loop.ts';
import type { Progress } from '../train/progress.ts';
import type { FinetuneRecipe } from '../train/recipe.ts';
import { baselineFeatures, runClassical, runTrivial } from './baselines.ts';
import { type Protocol, planFolds, type WindowFold } from './protocol.ts';
import type { Curve } from './result.ts';
import type { Tested } from './summary.ts';

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
  readonly progress: Progress;
  readonly signal?: AbortSignal;
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
  const { dataset, windows, protocol, seeds, candidates, progress } = options;
  const { label: labels } = windows;
  if (!labels) throw new DataError('evaluate: the windows have no labels. Name a target.');
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
  for (const { name } of candidates) collected.set(name, []);
  progress.log(`baselines on ${windows.count} windows`);
  const features = baselineFeatures(windows);
  for (const { train, test } of folds) {
    for (const name of ['majority', 'prior'] as const)
      collect(name, 0, test, runTrivial(name, labels, train, test.length, classCount));
    for (const [name, rows] of features)
      collect(name, 0, test, runClassical(rows, labels, train, test, classCount));
  }

  const curves: Curve[] = [];
  const cache: FeatureCache = new Map();
  for (const candidate of candidates) {
    for (const [s, seed] of seeds.entries()) {
      for (const [f, fold] of folds.entries()) {
        const name = trainingName(candidate.name, f, folds.length, seed);
        if (options.signal?.aborted) throw new InterruptedError(`evaluate: stopped before ${name}.`);
        const {
          model,
          curves: rows,
          bestEpoch,
          testProbabilities,
        } = await finetune({
          ...options.keep?.(name),
          backend: options.backend,
          windows,
          dataset: dataset.name,
          recipe: { ...candidate.recipe, seed },
          training: fold.train,
          validation: fold.validation,
          test: fold.test,
          encoders: candidate.encoders,
          cache,
          progress: (total) => progress.stage(`fine-tune ${name}`, total),
          ...(options.signal && { signal: options.signal }),
        });
        collect(candidate.name, s, fold.test, testProbabilities);
        curves.push({ name: `fine-tune ${name}`, rows: rows.map(roundRow), bestEpoch });
        if (s === 0 && f === 0) await options.onModel?.(candidate.name, model);
      }
    }
  }
  const truth = Int32Array.from(tested, (index) => labels[index]!);
  const subject = Array.from(tested, (index) => windows.subject[index]!);
  const predictions = new Map(
    [...collected].map(([name, probabilities]) => [name, { truth, subject, probabilities }]),
  );
  return { folds, tested, predictions, curves };
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
