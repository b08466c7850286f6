/**
 * Linear probes of frozen encoders: what their features tell of labels, without the encoders learning anything more.
 * The strength of the penalty is chosen on the validation windows; the test windows are predicted once.
 */
import { DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import type { Targets } from '../datasets/targets.ts';
import { bootstrapDraws, intervalOf } from '../metrics/bootstrap.ts';
import { auroc, averagePrecision } from '../metrics/ranking.ts';
import { fitLinearProbe, type LinearProbe, type ProbeFeatures, predictLinearProbe } from './linear-probe.ts';
import type { WindowFold } from './protocol.ts';
import type { ScoreInterval } from './result.ts';

/** From strong to weak; each fit begins where the one before ended. */
const strengths = [1e-4, 1e-3, 1e-2, 1e-1, 1] as const;

/** A label with fewer true, or fewer untrue, windows to train on in a fold, or to test on in all, is left out and named. */
const fewest = { train: 2, test: 5 } as const;

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

export interface ProbeResult {
  readonly target: string;
  /** Macro over the labels: `auroc` and `auprc`; `r2`, `mae` and `correlation` of a number. */
  readonly scores: Readonly<Record<string, ScoreInterval>>;
  readonly labels: readonly { readonly name: string; readonly positives: number; readonly auroc: number }[];
  /** Too rare to fit or to test. */
  readonly leftOut: readonly string[];
  /** Inverse strength of the penalty, chosen in each fold. */
  readonly strengths: readonly number[];
  readonly windows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly subjects: { readonly train: number; readonly validation: number; readonly test: number };
  /** Tested windows, ascending, and their scores [n, K]. */
  readonly tested: Int32Array;
  readonly predictions: Float64Array;
  /** The first score, on resamples of the tested people: those of two encoders under the same folds are pairs. */
  readonly draws: Float64Array;
}

/** Fit and test. DataError where no label is left. */
export function runProbe(options: ProbeOptions): ProbeResult {
  const { features, targets, subject, samples = 1000 } = options;
  const folds = options.folds.map((fold) => knownRows(thinSubjects(fold, options), targets));
  const labels = targets.names.flatMap((name, k) => (isCommon(targets, k, folds) ? [{ name, k }] : []));
  if (labels.length === 0)
    throw new DataError(
      `probe: no label of '${targets.name}' has ${fewest.test} true and ${fewest.test} untrue windows to test on. Use another target, or more recordings.`,
    );
  const kept: Targets = {
    ...targets,
    names: labels.map(({ name }) => name),
    values: columns(targets, labels),
  };
  const width = labels.length;
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
  const truth = new Float64Array(tested.length * width);
  for (const [i, index] of tested.entries())
    truth.set(kept.values.subarray(index * width, (index + 1) * width), i * width);
  const people = Array.from(tested, (index) => subject[index]!);
  const statistic = kept.kind === 'number' ? numberScores : labelScores;
  const { whole, draws } = bootstrapDraws(
    people,
    (indices) => statistic(truth, predictions, width, indices),
    { samples },
  );
  const names = kept.kind === 'number' ? ['r2', 'mae', 'correlation'] : ['auroc', 'auprc'];
  const count = (part: 'train' | 'validation' | 'test') => ({
    windows: new Set(folds.flatMap((fold) => fold[part])).size,
    subjects: new Set(folds.flatMap((fold) => fold[part].map((i) => subject[i]!))).size,
  });
  const [train, validation, test] = [count('train'), count('validation'), count('test')];
  return {
    target: targets.name,
    scores: Object.fromEntries(names.map((name, i) => [name, intervalOf(whole[i]!, draws[i]!)])),
    labels:
      kept.kind === 'number'
        ? []
        : labels.map(({ name }, k) => ({ name, ...labelScore(truth, predictions, width, k) })),
    leftOut: targets.names.filter((name) => !kept.names.includes(name)),
    strengths: chosen,
    windows: { train: train.windows, validation: validation.windows, test: test.windows },
    subjects: { train: train.subjects, validation: validation.subjects, test: test.subjects },
    tested,
    predictions,
    draws: draws[0]!,
  };
}

interface Rows {
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
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

/** Windows of which something is known. */
function knownRows({ train, validation, test }: Rows, { names, values }: Targets): Rows {
  const known = (i: number) => names.some((_, k) => !Number.isNaN(values[i * names.length + k]!));
  return { train: train.filter(known), validation: validation.filter(known), test: test.filter(known) };
}

/** Enough of both kinds in the training parts, and in what is tested altogether. */
function isCommon({ kind, names, values }: Targets, k: number, folds: readonly Rows[]): boolean {
  const counts = (indices: readonly number[]) => {
    let [yes, no] = [0, 0];
    for (const i of indices) {
      const value = values[i * names.length + k]!;
      if (value > 0) yes++;
      else if (value === 0) no++;
    }
    return Math.min(yes, no);
  };
  if (kind === 'number') return true;
  return (
    folds.every(({ train }) => counts(train) >= fewest.train) &&
    counts(folds.flatMap(({ test }) => test)) >= fewest.test
  );
}

function columns({ names, values }: Targets, labels: readonly { k: number }[]): Float64Array {
  const count = values.length / names.length;
  const kept = new Float64Array(count * labels.length);
  for (let i = 0; i < count; i++)
    for (const [j, { k }] of labels.entries()) kept[i * labels.length + j] = values[i * names.length + k]!;
  return kept;
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

/** Macro AUROC and macro average precision over labels with both kinds among the windows. */
function labelScores(
  truth: Float64Array,
  scores: Float64Array,
  width: number,
  indices: Int32Array,
): number[] {
  const sums = [0, 0];
  let defined = 0;
  for (let k = 0; k < width; k++) {
    const { truths, values } = column(truth, scores, width, k, indices);
    const area = auroc(truths, values);
    if (!Number.isFinite(area)) continue;
    sums[0]! += area;
    sums[1]! += averagePrecision(truths, values);
    defined++;
  }
  return sums.map((sum) => (defined === 0 ? Number.NaN : sum / defined));
}

function labelScore(truth: Float64Array, scores: Float64Array, width: number, k: number) {
  const all = Int32Array.from({ length: truth.length / width }, (_, i) => i);
  const { truths, values } = column(truth, scores, width, k, all);
  return { positives: truths.reduce((sum, one) => sum + one, 0), auroc: auroc(truths, values) };
}

function column(truth: Float64Array, scores: Float64Array, width: number, k: number, indices: Int32Array) {
  const known = indices.filter((i) => !Number.isNaN(truth[i * width + k]!));
  return {
    truths: Float64Array.from(known, (i) => truth[i * width + k]!),
    values: Float64Array.from(known, (i) => scores[i * width + k]!),
  };
}

/** R² against the tested mean, mean absolute error, Pearson's correlation. */
function numberScores(
  truth: Float64Array,
  scores: Float64Array,
  width: number,
  indices: Int32Array,
): number[] {
  const { truths, values } = column(truth, scores, width, 0, indices);
  const n = truths.length;
  const mean = (all: Float64Array) => all.reduce((sum, one) => sum + one, 0) / n;
  const [mt, mv] = [mean(truths), mean(values)];
  let [error, absolute, total, spread, product] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [t, v] = [truths[i]!, values[i]!];
    error += (t - v) ** 2;
    absolute += Math.abs(t - v);
    total += (t - mt) ** 2;
    spread += (v - mv) ** 2;
    product += (t - mt) * (v - mv);
  }
  return [1 - error / total, absolute / n, product / Math.sqrt(total * spread)];
}
