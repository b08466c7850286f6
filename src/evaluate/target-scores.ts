/**
 * Scores of labels and numbers, whoever predicted them: what is known of the tested windows, which labels are common enough,
 * macro scores with intervals for new people.
 */
import { DataError } from '../core/errors.ts';
import type { Targets } from '../datasets/targets.ts';
import { bootstrapDraws, intervalOf } from '../metrics/bootstrap.ts';
import { auroc, averagePrecision } from '../metrics/ranking.ts';
import { finite, type ScoreInterval } from './result.ts';
import { hasInterval } from './score-spread.ts';

/** A label with fewer true, or fewer untrue, windows to train on in a fold, or to test on in all, is left out and named. */
const fewest = { train: 2, test: 5 } as const;

export interface Rows {
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
}

/** Windows of which something is known. */
export function knownRows({ train, validation, test }: Rows, { names, values }: Targets): Rows {
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

/** Targets without the labels that are too rare in these folds; DataError where none is left. */
export function keepCommon(targets: Targets, folds: readonly Rows[]): Targets {
  const labels = targets.names.flatMap((name, k) => (isCommon(targets, k, folds) ? [{ name, k }] : []));
  if (labels.length === 0)
    throw new DataError(
      `${targets.name}: no label has ${fewest.test} true and ${fewest.test} untrue windows to test on. Use another target, or more recordings.`,
    );
  return { ...targets, names: labels.map(({ name }) => name), values: columns(targets, labels) };
}

export interface LabelScore {
  readonly name: string;
  readonly positives: number;
  readonly auroc: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

export interface TargetScores {
  /** Macro over the labels: `auroc` and `auprc`; `r2`, `mae` and `correlation` of a number. */
  readonly scores: Readonly<Record<string, ScoreInterval>>;
  readonly labels: readonly LabelScore[];
  /** The first score, on resamples of the tested people: those of two models of the same windows are pairs. */
  readonly draws: Float64Array;
  /** The same of each label's `auroc`. */
  readonly labelDraws: readonly Float64Array[];
}

/** Score predictions [n, K] of the tested windows. */
export function scoreTargets(
  { kind, names, values }: Targets,
  tested: ArrayLike<number>,
  predictions: Float64Array,
  subject: readonly string[],
  samples = 1000,
): TargetScores {
  const width = names.length;
  const indices = Array.from(tested);
  const truth = new Float64Array(indices.length * width);
  for (const [i, index] of indices.entries())
    truth.set(values.subarray(index * width, (index + 1) * width), i * width);
  const isNumber = kind === 'number';
  const statistic = isNumber ? numberScores : everyScore;
  const { whole, draws } = bootstrapDraws(
    indices.map((index) => subject[index]!),
    (drawn) => statistic(truth, predictions, width, drawn),
    { samples },
  );
  const scoreNames = isNumber ? ['r2', 'mae', 'correlation'] : ['auroc', 'auprc'];
  const first = scoreNames.length;
  const within = scoreWithin(
    indices.map((index) => subject[index]!),
    (drawn) => statistic(truth, predictions, width, drawn),
  );
  return {
    scores: Object.fromEntries(
      scoreNames.map((name, i) => [
        name,
        {
          ...intervalOf(whole[i]!, draws[i]!),
          ...(within && { people: within.map((scores) => finite(scores[i]!)) }),
        },
      ]),
    ),
    labels: isNumber
      ? []
      : names.map((name, k) => {
          const { low, high } = intervalOf(whole[first + k]!, draws[first + k]!);
          const positives = indices.filter((_, i) => truth[i * width + k] === 1).length;
          return { name, positives, auroc: whole[first + k]!, low, high };
        }),
    draws: draws[0]!,
    labelDraws: isNumber ? [] : draws.slice(first),
  };
}

/** Statistics within each person, by their names; nothing where there are enough people for an interval. */
function scoreWithin(
  subjects: readonly string[],
  statistics: (rows: Int32Array) => number[],
): number[][] | undefined {
  const names = [...new Set(subjects)].sort();
  if (hasInterval(names.length)) return undefined;
  return names.map((name) =>
    statistics(Int32Array.from(subjects.keys()).filter((row) => subjects[row] === name)),
  );
}

/** Windows and people of each part, over all folds. */
export function countRows(folds: readonly Rows[], subject: readonly string[]) {
  const count = (part: keyof Rows) => ({
    windows: new Set(folds.flatMap((fold) => fold[part])).size,
    subjects: new Set(folds.flatMap((fold) => fold[part].map((i) => subject[i]!))).size,
  });
  const [train, validation, test] = [count('train'), count('validation'), count('test')];
  return {
    windows: { train: train.windows, validation: validation.windows, test: test.windows },
    subjects: { train: train.subjects, validation: validation.subjects, test: test.subjects },
  };
}

/** Macro AUROC and macro average precision over labels with both kinds among the windows. */
export function labelScores(
  truth: Float64Array,
  scores: Float64Array,
  width: number,
  indices: Int32Array,
): number[] {
  return everyScore(truth, scores, width, indices).slice(0, 2);
}

/** Macro AUROC, macro average precision, and the AUROC of each label, NaN without both kinds. */
function everyScore(truth: Float64Array, scores: Float64Array, width: number, indices: Int32Array): number[] {
  const sums = [0, 0];
  const areas: number[] = [];
  for (let k = 0; k < width; k++) {
    const { truths, values } = column(truth, scores, width, k, indices);
    const area = auroc(truths, values);
    areas.push(area);
    if (!Number.isFinite(area)) continue;
    sums[0]! += area;
    sums[1]! += averagePrecision(truths, values);
  }
  const defined = areas.filter(Number.isFinite).length;
  return [...sums.map((sum) => (defined === 0 ? Number.NaN : sum / defined)), ...areas];
}

function column(truth: Float64Array, scores: Float64Array, width: number, k: number, indices: Int32Array) {
  const known = indices.filter((i) => !Number.isNaN(truth[i * width + k]!));
  return {
    truths: Float64Array.from(known, (i) => truth[i * width + k]!),
    values: Float64Array.from(known, (i) => scores[i * width + k]!),
  };
}

/** R² against the tested mean, mean absolute error, Pearson's correlation. */
export function numberScores(
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
