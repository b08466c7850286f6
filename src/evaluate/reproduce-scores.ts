/**
 * Scores of two classes with intervals, fast enough for hundreds of rows: what is drawn again (people, or stimuli where a
 * protocol leaves those out) enters as weights of windows that are sorted once. Scores as in metrics/, on repeated windows.
 */

import { Random } from '../core/random.ts';
import { quantile } from '../metrics/bootstrap.ts';
import { finite, type ScoreInterval } from './result.ts';

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

/** Means over the seeds; 95 % intervals by drawing the units again with replacement. */
export function scoreBinary(
  { truth, probabilities, unit }: BinaryPredictions,
  { samples = 1000, level = 0.95, seed = 0 } = {},
): BinaryScores {
  const units = [...new Set(unit)].sort();
  const unitOf = Int32Array.from(unit, (name) => units.indexOf(name));
  const sorted = probabilities.map((p) => sortRows(truth, p, unitOf));
  const scoresOf = (weights: ArrayLike<number>): number[] => {
    const all = sorted.map((rows) => weightedScores(rows, weights));
    return binaryScoreNames.map((_, k) => all.reduce((sum, scores) => sum + scores[k]! / all.length, 0));
  };
  const whole = scoresOf(new Float64Array(units.length).fill(1));
  const drawn: number[][] = whole.map(() => []);
  // The same draws as metrics/bootstrap.ts.
  const random = Random.derive(seed, 'bootstrap');
  const weights = new Float64Array(units.length);
  for (let sample = 0; sample < samples; sample++) {
    weights.fill(0);
    for (let i = 0; i < units.length; i++) weights[random.integer(units.length)]!++;
    for (const [k, value] of scoresOf(weights).entries()) if (Number.isFinite(value)) drawn[k]!.push(value);
  }
  return Object.fromEntries(
    binaryScoreNames.map((name, k) => {
      const values = drawn[k]!.sort((a, b) => a - b);
      const low = finite(quantile(values, (1 - level) / 2));
      const high = finite(quantile(values, (1 + level) / 2));
      return [name, { mean: finite(whole[k]!), low, high }];
    }),
  ) as BinaryScores;
}

/** Mean over units of the area within each; null where no unit has both classes. Each seed's, then their mean. */
export function aurocWithin({ truth, probabilities, unit }: BinaryPredictions): number | null {
  const units = [...new Set(unit)].sort();
  const unitOf = Int32Array.from(unit, (name) => units.indexOf(name));
  const auroc = binaryScoreNames.indexOf('auroc');
  const areas = probabilities.flatMap((p) => {
    const rows = sortRows(truth, p, unitOf);
    return units.flatMap((_, u) => {
      const only = new Float64Array(units.length);
      only[u] = 1;
      const area = weightedScores(rows, only)[auroc]!;
      return Number.isFinite(area) ? [area] : [];
    });
  });
  return areas.length === 0 ? null : areas.reduce((sum, area) => sum + area, 0) / areas.length;
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
