/** Fine-tuning on labels or numbers, tested on people that it has not seen: what probes tell of frozen encoders, of tuned ones. */
import type { Targets } from '../datasets/targets.ts';
import { type FinetuneOptions, finetune } from '../train/finetune.ts';
import type { Curves } from '../train/loop.ts';
import { thinSubjects } from './probe.ts';
import type { WindowFold } from './protocol.ts';
import { countRows, keepCommon, knownRows, scoreTargets, type TargetScores } from './target-scores.ts';

export interface FinetuneScoreOptions
  extends Pick<FinetuneOptions, 'backend' | 'windows' | 'recipe' | 'encoders' | 'progress' | 'signal'> {
  /** Several labels at once, or a number. */
  readonly targets: Targets;
  readonly folds: readonly WindowFold[];
  /** Where a fold's training keeps its checkpoints and figures. */
  readonly keep?: (fold: string) => Pick<FinetuneOptions, 'store' | 'log'>;
  /** Of the training subjects, drawn by the recipe's seed; all of them by default. */
  readonly labelShare?: number;
  /** Resamples of the intervals. */
  readonly samples?: number;
}

export interface FinetuneScore extends TargetScores {
  readonly target: string;
  /** Too rare to learn or to test. */
  readonly leftOut: readonly string[];
  readonly windows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly subjects: { readonly train: number; readonly validation: number; readonly test: number };
  /** Tested windows, ascending, and what was told of them [n, K]. */
  readonly tested: Int32Array;
  readonly predictions: Float64Array;
  readonly trainings: readonly { readonly curves: Curves; readonly bestEpoch: number }[];
}

/** Fine-tune on every fold and score the test windows, which are predicted once. DataError as `finetune`. */
export async function scoreFinetuned(options: FinetuneScoreOptions): Promise<FinetuneScore> {
  const { windows, targets, recipe, labelShare = 1, samples, keep } = options;
  const { subject } = windows;
  const folds = options.folds.map((fold) =>
    knownRows(thinSubjects(fold, { subject, labelShare, seed: recipe.seed }), targets),
  );
  const kept = keepCommon(targets, folds);
  const width = kept.names.length;
  const tested = Int32Array.from(new Set(folds.flatMap(({ test }) => test))).sort();
  const row = new Map(Array.from(tested, (index, i) => [index, i]));
  const predictions = new Float64Array(tested.length * width);
  const trainings: FinetuneScore['trainings'][number][] = [];
  for (const [f, fold] of folds.entries()) {
    const { testProbabilities, curves, bestEpoch } = await finetune({
      ...options,
      ...keep?.(options.folds[f]!.name),
      targets: kept,
      training: fold.train,
      validation: fold.validation,
      test: fold.test,
    });
    trainings.push({ curves, bestEpoch });
    for (const [i, index] of fold.test.entries())
      predictions.set(testProbabilities.subarray(i * width, (i + 1) * width), row.get(index)! * width);
  }
  return {
    target: targets.name,
    ...scoreTargets(kept, tested, predictions, subject, samples),
    leftOut: targets.names.filter((name) => !kept.names.includes(name)),
    ...countRows(folds, subject),
    ...{ tested, predictions, trainings },
  };
}
