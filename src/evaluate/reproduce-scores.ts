/**
 * Scores of two classes with intervals, fast enough for hundreds of rows: what is drawn again (people, or stimuli where a
 * protocol leaves those out) enters as weights of windows that are sorted once. Scores as in metrics/, on repeated windows.
 */

import { Random } from '../core/random.ts';
import { intervalOf } from '../metrics/bootstrap.ts';
import { finite, type ScoreInterval } from './result.ts';
import { hasInterval } from './score-spread.ts';

/** f1 is that of class 1. */
export const binaryScoreNames = ['balancedAccuracy', 'f1', 'f1Macro', 'auroc', 'auprc'] as const;
export type BinaryScoreName = (typeof binaryScoreNames)[number];
export type BinaryScores = Record<BinaryScoreName, ScoreInterval>;

export interface BinaryPredictions {
  /** 0 or 1. */
  readonly truth: ArrayLike<number>;
  /** Probability of class 1, of each seed. */
  readonly probabilities: readonly ArrayLike<number>[];
  /** What each row belongs to and is drawn with: a person, a stimulus. */
  readonly unit: readonly string[];
}

/** Means over the seeds: on all rows, and on resamples of the units, NaN where undefined. */
export interface BinaryDraws {
  readonly whole: Readonly<Record<BinaryScoreName, number>>;
  /** The same units are drawn for every model of a table: pairs. */
  readonly draws: Readonly<Record<BinaryScoreName, Float64Array>>;
}

/** Score, and draw the units again with replacement. */
export function drawBinary(
  { truth, probabilities, unit }: BinaryPredictions,
  { samples = 1000, seed = 0 } = {},
): BinaryDraws {
  const { units, sorted } = sortAll({ truth, probabilities, unit });
  const scoresOf = (weights: ArrayLike<number>): number[] => {
    const all = sorted.map((rows) => weightedScores(rows, weights));
    return binaryScoreNames.map((_, k) => all.reduce((sum, scores) => sum + scores[k]! / all.length, 0));
  };
  const whole = scoresOf(new Float64Array(units.length).fill(1));
  const draws = whole.map(() => new Float64Array(samples));
  // The same draws as metrics/bootstrap.ts.
  const random = Random.derive(seed, 'bootstrap');
  const weights = new Float64Array(units.length);
  for (let sample = 0; sample < samples; sample++) {
    weights.fill(0);
    for (let i = 0; i < units.length; i++) weights[random.integer(units.length)]!++;
    for (const [k, value] of scoresOf(weights).entries()) draws[k]![sample] = value;
  }
  return { whole: byName((k) => whole[k]!), draws: byName((k) => draws[k]!) };
}

/** Means over the seeds; intervals for new units, 95 % by default. */
export function scoreBinary(
  predictions: BinaryPredictions,
  { level = 0.95, ...options }: { samples?: number; level?: number; seed?: number } = {},
): BinaryScores {
  return intervalsOf(predictions, drawBinary(predictions, options), level);
}

/** The same of draws that are there; with the score within each unit where those are too few for an interval. */
export function intervalsOf(
  predictions: BinaryPredictions,
  { whole, draws }: BinaryDraws,
  level = 0.95,
): BinaryScores {
  const isFew = !hasInterval(new Set(predictions.unit).size);
  const units = isFew ? scoreUnits(predictions) : [];
  return byName((_, name) => {
    const { mean, low, high } = intervalOf(whole[name], draws[name], level);
    const people = units.map(({ scores }) =>
      finite(scores.reduce((sum, one) => sum + one[name] / scores.length, 0)),
    );
    return { mean: finite(mean), low: finite(low), high: finite(high), ...(isFew && { people }) };
  });
}

/** Scores within each unit, in order of their names; by seed, NaN where undefined. */
export function scoreUnits(
  predictions: BinaryPredictions,
): { readonly unit: string; readonly scores: readonly Readonly<Record<BinaryScoreName, number>>[] }[] {
  const { units, sorted } = sortAll(predictions);
  return units.map((unit, u) => {
    const only = new Float64Array(units.length);
    only[u] = 1;
    const scores = sorted.map((rows) => {
      const own = weightedScores(rows, only);
      return byName((k) => own[k]!);
    });
    return { unit, scores };
  });
}

/** Mean over units, and seeds, of the area within each; null where no unit has both classes. */
export function aurocWithin(predictions: BinaryPredictions): number | null {
  const areas = scoreUnits(predictions).flatMap(({ scores }) =>
    scores.map(({ auroc }) => auroc).filter(Number.isFinite),
  );
  return areas.length === 0 ? null : areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

function byName<T>(value: (place: number, name: BinaryScoreName) => T): Record<BinaryScoreName, T> {
  return Object.fromEntries(binaryScoreNames.map((name, k) => [name, value(k, name)])) as Record<
    BinaryScoreName,
    T
  >;
}

function sortAll({ truth, probabilities, unit }: BinaryPredictions) {
  const units = [...new Set(unit)].sort();
  const places = new Map(units.map((name, place) => [name, place]));
  const unitOf = Int32Array.from(unit, (name) => places.get(name)!);
  return { units, sorted: probabilities.map((p) => sortRows(truth, p, unitOf)) };
}

interface SortedRows {
  readonly truth: Uint8Array;
  readonly unit: Int32Array;
  /** Falling. */
  readonly score: Float64Array;
}

function sortRows(truth: ArrayLike<number>, p: ArrayLike<number>, unit: Int32Array): SortedRows {
  const order = Array.from({ length: truth.length }, (_, i) => i).sort((a, b) => p[b]! - p[a]!);
  return {
    truth: Uint8Array.from(order, (i) => truth[i]!),
    unit: Int32Array.from(order, (i) => unit[i]!),
    score: Float64Array.from(order, (i) => p[i]!),
  };
}

/** In the order of their names, of rows that count as often as their unit's weight says; NaN where undefined. */
function weightedScores({ truth, unit, score }: SortedRows, weights: ArrayLike<number>): number[] {
  const n = truth.length;
  let [positives, negatives, foundPositives, foundNegatives] = [0, 0, 0, 0];
  let [area, precisionSum, pendingPositives, pendingNegatives] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const weight = weights[unit[i]!]!;
    if (truth[i] === 1) pendingPositives += weight;
    else pendingNegatives += weight;
    // Above one half is class 1; at one half the first class is decided for, as argmax does.
    if (score[i]! > 0.5) {
      if (truth[i] === 1) foundPositives += weight;
      else foundNegatives += weight;
    }
    if (i + 1 < n && score[i + 1] === score[i]) continue;
    area += pendingNegatives * (positives + pendingPositives / 2);
    positives += pendingPositives;
    negatives += pendingNegatives;
    if (pendingPositives > 0) precisionSum += (pendingPositives * positives) / (positives + negatives);
    pendingPositives = 0;
    pendingNegatives = 0;
  }
  const matrix = [
    [negatives - foundNegatives, foundNegatives],
    [positives - foundPositives, foundPositives],
  ] as const;
  const recalls = [
    ...(negatives > 0 ? [matrix[0][0] / negatives] : []),
    ...(positives > 0 ? [matrix[1][1] / positives] : []),
  ];
  const f1Of = (k: 0 | 1) => (2 * matrix[k][k]) / (matrix[k][0] + matrix[k][1] + matrix[0][k] + matrix[1][k]);
  const f1s = [f1Of(0), f1Of(1)].filter((value) => !Number.isNaN(value));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [
    mean(recalls),
    f1Of(1),
    mean(f1s),
    area / (positives * negatives),
    positives > 0 ? precisionSum / positives : Number.NaN,
  ];
}
