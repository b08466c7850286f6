/**
 * Linear probes of frozen encoders: what their features tell of labels, without the encoders learning anything more.
 * The strength of the penalty is chosen on the validation windows; the test windows are predicted once.
 */
import { Random } from '../core/random.ts';
import type { Targets } from '../datasets/targets.ts';
import { fitLinearProbe, type LinearProbe, type ProbeFeatures, predictLinearProbe } from './linear-probe.ts';
import type { WindowFold } from './protocol.ts';
import {
  countRows,
  keepCommon,
  knownRows,
  labelScores,
  numberScores,
  type Rows,
  scoreTargets,
  type TargetScores,
} from './target-scores.ts';

/** From strong to weak; each fit begins where the one before ended. */
const strengths = [1e-4, 1e-3, 1e-2, 1e-1, 1] as const;

export interface ProbeOptions {
  readonly features: ProbeFeatures;
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

export interface ProbeResult extends TargetScores {
  readonly target: string;
  /** Too rare to fit or to test. */
  readonly leftOut: readonly string[];
  /** Inverse strengths of the penalty, chosen in each fold. */
  readonly strengths: readonly number[];
  readonly windows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly subjects: { readonly train: number; readonly validation: number; readonly test: number };
  /** Tested windows, ascending, and their scores [n, K]. */
  readonly tested: Int32Array;
  readonly predictions: Float64Array;
}

/** Fit and test. DataError where no label is left. */
export function runProbe(options: ProbeOptions): ProbeResult {
  const { features, targets, subject, samples = 1000 } = options;
  const folds = options.folds.map((fold) => knownRows(thinSubjects(fold, options), targets));
  const kept = keepCommon(targets, folds);
  const width = kept.names.length;
  const tested = Int32Array.from(new Set(folds.flatMap(({ test }) => test))).sort();
  const row = new Map(Array.from(tested, (index, i) => [index, i]));
  const predictions = new Float64Array(tested.length * width);
  const chosen: number[] = [];
  for (const fold of folds) {
    const { probe, C } = chooseProbe(features, kept, fold);
    chosen.push(C);
    const scores = predictLinearProbe(probe, features, fold.test);
    // Log-odds of different folds are put on one scale by what they are: probabilities.
    const comparable = kept.kind === 'number' ? scores : scores.map((score) => 1 / (1 + Math.exp(-score)));
    for (const [i, index] of fold.test.entries())
      predictions.set(comparable.subarray(i * width, (i + 1) * width), row.get(index)! * width);
  }
  return {
    target: targets.name,
    ...scoreTargets(kept, tested, predictions, subject, samples),
    leftOut: targets.names.filter((name) => !kept.names.includes(name)),
    strengths: chosen,
    ...countRows(folds, subject),
    ...{ tested, predictions },
  };
}

/** Fewer subjects to learn from: validation and test stay. */
export function thinSubjects(
  fold: WindowFold,
  { subject, labelShare = 1, seed = 0 }: Pick<ProbeOptions, 'subject' | 'labelShare' | 'seed'>,
): Rows {
  if (labelShare >= 1) return fold;
  const people = [...new Set(fold.train.map((i) => subject[i]!))].sort();
  const count = Math.max(1, Math.round(labelShare * people.length));
  // One order for all shares: those of a smaller share are among those of a larger.
  const kept = new Set(Random.derive(seed, 'label share', fold.name).shuffle(people).slice(0, count));
  return { ...fold, train: fold.train.filter((i) => kept.has(subject[i]!)) };
}

/** The probe whose validation windows are ranked best (or predicted best). */
function chooseProbe(
  features: ProbeFeatures,
  { names, values, kind }: Targets,
  { train, validation }: Rows,
): { probe: LinearProbe; C: number } {
  const loss = kind === 'number' ? 'squares' : 'logistic';
  const truth = new Float64Array(validation.length * names.length);
  for (const [i, index] of validation.entries())
    truth.set(values.subarray(index * names.length, (index + 1) * names.length), i * names.length);
  let best: { probe: LinearProbe; C: number; score: number } | undefined;
  let from: LinearProbe | undefined;
  const rows = Int32Array.from(validation.keys());
  for (const C of strengths) {
    const probe = fitLinearProbe(features, train, values, names, { loss, C, ...(from && { from }) });
    from = probe;
    const predicted = predictLinearProbe(probe, features, validation);
    const score =
      kind === 'number'
        ? -numberScores(truth, predicted, 1, rows)[1]!
        : labelScores(truth, predicted, names.length, rows)[0]!;
    // Where validation cannot tell (one class only), the strongest penalty stays.
    if (!best || score > best.score) best = { probe, C, score: Number.isNaN(score) ? -Infinity : score };
  }
  return best!;
}
