/**
 * What is tested on folds, whoever predicts it: people who are labelled, windows of which something is known, labels that are
 * common enough; then predictions fold by fold → scores.
 */
import { Random } from '../core/random.ts';
import type { Targets } from '../datasets/targets.ts';
import type { WindowFold } from './protocol.ts';
import {
  countRows,
  keepCommon,
  knownRows,
  type Rows,
  scoreTargets,
  type TargetScores,
} from './target-scores.ts';

export interface FoldScoreOptions {
  readonly targets: Targets;
  readonly folds: readonly WindowFold[];
  /** Of each window. */
  readonly subject: readonly string[];
  /** Of the training subjects, drawn by the seed; all of them by default. */
  readonly labelShare?: number;
  readonly seed?: number;
  /** Resamples of the intervals. */
  readonly samples?: number;
}

export interface FoldScore extends TargetScores {
  readonly target: string;
  /** Too rare to learn or to test. */
  readonly leftOut: readonly string[];
  readonly windows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly subjects: { readonly train: number; readonly validation: number; readonly test: number };
  /** Tested windows, ascending, and what was told of them [n, K]. */
  readonly tested: Int32Array;
  readonly predictions: Float64Array;
}

export class FoldScores {
  /** With the windows that count, in the order given. */
  readonly folds: readonly Rows[];
  /** Without the labels that are too rare. */
  readonly targets: Targets;
  readonly #options: FoldScoreOptions;
  readonly #tested: Int32Array;
  readonly #row: ReadonlyMap<number, number>;
  readonly #predictions: Float64Array;

  /** DataError where no label is left. */
  constructor(options: FoldScoreOptions) {
    this.#options = options;
    this.folds = options.folds.map((fold) => knownRows(thinSubjects(fold, options), options.targets));
    this.targets = keepCommon(options.targets, this.folds);
    this.#tested = Int32Array.from(new Set(this.folds.flatMap(({ test }) => test))).sort();
    this.#row = new Map(Array.from(this.#tested, (index, i) => [index, i]));
    this.#predictions = new Float64Array(this.#tested.length * this.targets.names.length);
  }

  /** What was told of a fold's test windows: probabilities or numbers [n, K], comparable between folds. */
  put({ test }: Rows, predictions: ArrayLike<number>): void {
    const width = this.targets.names.length;
    for (const [i, index] of test.entries())
      for (let k = 0; k < width; k++)
        this.#predictions[this.#row.get(index)! * width + k] = predictions[i * width + k]!;
  }

  /** Once every fold was put. */
  score(): FoldScore {
    const { targets, subject, samples } = this.#options;
    return {
      target: targets.name,
      ...scoreTargets(this.targets, this.#tested, this.#predictions, subject, samples),
      leftOut: targets.names.filter((name) => !this.targets.names.includes(name)),
      ...countRows(this.folds, subject),
      ...{ tested: this.#tested, predictions: this.#predictions },
    };
  }
}

/** Fewer subjects to learn from: validation and test stay. */
export function thinSubjects(
  fold: WindowFold,
  { subject, labelShare = 1, seed = 0 }: Pick<FoldScoreOptions, 'subject' | 'labelShare' | 'seed'>,
): Rows {
  if (labelShare >= 1) return fold;
  const people = [...new Set(fold.train.map((i) => subject[i]!))].sort();
  const count = Math.max(1, Math.round(labelShare * people.length));
  // One order for all shares: those of a smaller share are among those of a larger.
  const kept = new Set(Random.derive(seed, 'label share', fold.name).shuffle(people).slice(0, count));
  return { ...fold, train: fold.train.filter((i) => kept.has(subject[i]!)) };
}
