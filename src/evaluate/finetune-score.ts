/** Fine-tuning on labels or numbers, tested on people that it has not seen: what probes tell of frozen encoders, of tuned ones. */
import type { Targets } from '../datasets/targets.ts';
import { type FinetuneOptions, finetune } from '../train/finetune.ts';
import type { Curves } from '../train/loop.ts';
import { thinSubjects } from './probe.ts';
import type { WindowFold } from './protocol.ts';
import { countRows, keepCommon, knownRows, scoreTargets, type TargetScores } from './target-scores.ts';

export interface FinetuneScoreOptions
  extends Pick<
    FinetuneOptions,
    'backend' | 'windows' | 'recipe' | 'encoders' | 'store' | 'log' | 'progress' | 'signal'
  > {
  /** Several labels at once, or a number. */
  readonly targets: Targets;
  readonly fold: WindowFold;
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
  readonly curves: Curves;
  readonly bestEpoch: number;
}

/** Fine-tune on a fold and score its test windows, which are predicted once. DataError as `finetune`. */
export async function scoreFinetuned(options: FinetuneScoreOptions): Promise<FinetuneScore> {
  const { windows, targets, recipe, labelShare = 1, samples } = options;
  const { subject } = windows;
  const thinned = thinSubjects(options.fold, { subject, labelShare, seed: recipe.seed });
  const fold = knownRows(thinned, targets);
  const kept = keepCommon(targets, [fold]);
  const { testProbabilities, curves, bestEpoch } = await finetune({
    ...options,
    targets: kept,
    training: fold.train,
    validation: fold.validation,
    test: fold.test,
  });
  return {
    target: targets.name,
    ...scoreTargets(kept, fold.test, Float64Array.from(testProbabilities), subject, samples),
    leftOut: targets.names.filter((name) => !kept.names.includes(name)),
    ...countRows([fold], subject),
    ...{ curves, bestEpoch },
  };
}
