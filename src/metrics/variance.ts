/**
 * Where a score's spread comes from: who is tested, or how the random numbers of a training fell. Scores of every
 * subject under every seed → components of variance; resamples of both → an interval for new people and a new training.
 */
import { Random } from '../core/random.ts';
import { type BootstrapDraws, type Interval, intervalOf } from './bootstrap.ts';

export interface VarianceComponents {
  /** Variances: between subjects, between seeds, and what is left (which seed suits which subject). Never negative. */
  readonly subject: number;
  readonly seed: number;
  readonly residual: number;
}

/**
 * Components of scores [subject][seed], both random and crossed, one score a cell: the analysis of variance's moments
 * (Searle, Casella & McCulloch 1992, §4.3), negative ones as 0. NaN with fewer than two subjects or seeds.
 */
export function varianceComponents(scores: readonly (readonly number[])[]): VarianceComponents {
  const [n, s] = [scores.length, scores[0]?.length ?? 0];
  if (n < 2 || s < 2) return { subject: Number.NaN, seed: Number.NaN, residual: Number.NaN };
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = scores.map(mean);
  const columns = scores[0]!.map((_, k) => mean(scores.map((row) => row[k]!)));
  const grand = mean(rows);
  const squares = (values: readonly number[]) => values.reduce((sum, value) => sum + (value - grand) ** 2, 0);
  const left = scores.flatMap((row, i) => row.map((value, k) => value - rows[i]! - columns[k]! + 2 * grand));
  const residual = squares(left) / ((n - 1) * (s - 1));
  return {
    subject: Math.max(0, ((s * squares(rows)) / (n - 1) - residual) / s),
    seed: Math.max(0, ((n * squares(columns)) / (s - 1) - residual) / n),
    residual,
  };
}

/** Standard deviation (n − 1); NaN of fewer than two. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/**
 * Percentile interval of the mean over seeds where both are drawn again: subjects by the draws (one statistic a seed),
 * and in each of them as many seeds with replacement.
 */
export function intervalOfBoth(
  { whole, draws }: BootstrapDraws,
  { level = 0.95, seed = 0 }: { readonly level?: number; readonly seed?: number } = {},
): Interval {
  const seeds = draws.length;
  const random = Random.derive(seed, 'seeds');
  const mean = whole.reduce((sum, value) => sum + value / seeds, 0);
  const both = Float64Array.from(draws[0]!, (_, sample) => {
    let sum = 0;
    for (let k = 0; k < seeds; k++) sum += draws[random.integer(seeds)]![sample]! / seeds;
    return sum;
  });
  return intervalOf(mean, both, level);
}
