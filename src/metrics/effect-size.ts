/** How large a difference of pairs is: differences, one a subject → sizes that do not grow with the number of subjects. */
import { maximumExactPairs, normalUpperTail, signedRankCumulative, signedRanks } from './wilcoxon.ts';

/**
 * Matched-pairs rank-biserial correlation (Kerby 2014): ranks in favour minus ranks against, as a share of all; from −1
 * (every subject worse) to 1 (every subject better). 0 where every difference is zero.
 */
export function rankBiserial(differences: readonly number[]): number {
  const { positive, negative } = signedRanks(differences);
  return positive + negative === 0 ? 0 : (positive - negative) / (positive + negative);
}

/** Cohen's d_z: the mean difference in its own standard deviations (n − 1). NaN of fewer than two or of equal ones. */
export function cohenDz(differences: readonly number[]): number {
  const n = differences.length;
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (n - 1));
  // Equal differences differ by rounding alone.
  return deviation <= 1e-12 * Math.abs(mean) || n < 2 ? Number.NaN : mean / deviation;
}

export interface HodgesLehmann {
  /** Median of the means of all pairs of differences, each with itself too. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** What the interval holds for: of few subjects not even the widest reaches the level that was asked for. */
  readonly level: number;
}

/**
 * The typical difference and its interval: those shifts that the signed-rank test would not reject (Hollander & Wolfe
 * 1999, §3.2 and §3.3), exact up to 50 pairs, normal beyond. NaN without differences.
 */
export function hodgesLehmann(differences: readonly number[], level = 0.95): HodgesLehmann {
  const n = differences.length;
  if (n === 0) return { estimate: Number.NaN, low: Number.NaN, high: Number.NaN, level: Number.NaN };
  const sorted = Float64Array.from(differences).sort();
  const means = (n * (n + 1)) / 2;
  const middle = [Math.ceil(means / 2), Math.floor(means / 2) + 1].map((k) => walshAverage(sorted, k));
  const { rank, reached } = boundRank(n, level);
  return {
    estimate: (middle[0]! + middle[1]!) / 2,
    low: walshAverage(sorted, rank),
    high: walshAverage(sorted, means + 1 - rank),
    level: reached,
  };
}

/** Which of the ordered means of pairs bounds the interval, from 1, and the level that it reaches. */
function boundRank(n: number, level: number): { rank: number; reached: number } {
  const alpha = (1 - level) / 2;
  if (n > maximumExactPairs) {
    const spread = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
    const rank = Math.round((n * (n + 1)) / 4 - normalQuantile(1 - alpha) * spread);
    return { rank: Math.max(1, rank), reached: level };
  }
  const below = signedRankCumulative(Array.from({ length: n }, (_, i) => i + 1));
  let rank = 1;
  while (below(rank) < alpha) rank++;
  return { rank, reached: Math.max(0, 1 - 2 * below(rank - 1)) };
}

/** The k-th smallest (from 1) of (xᵢ + xⱼ) / 2 over i ≤ j, xs ascending, without storing all n (n + 1) / 2. */
function walshAverage(xs: Float64Array, k: number): number {
  const countUpTo = (bound: number): number => {
    let count = 0;
    for (let i = 0, j = xs.length - 1; i <= j; i++) {
      while (j >= i && (xs[i]! + xs[j]!) / 2 > bound) j--;
      count += Math.max(0, j - i + 1);
    }
    return count;
  };
  let [low, high] = [xs[0]!, xs.at(-1)!];
  if (countUpTo(low) >= k) return low;
  // Invariant: fewer than k lie at or below `low`, at least k at or below `high`.
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    if (countUpTo(middle) >= k) high = middle;
    else low = middle;
  }
}

/** Quantile of the standard normal distribution above its middle, by bisection of its tail. */
function normalQuantile(p: number): number {
  let [low, high] = [0, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalUpperTail(middle) > 1 - p) low = middle;
    else high = middle;
  }
  return low;
}
