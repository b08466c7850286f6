/**
 * Wilcoxon's signed-rank test: differences of pairs, one a subject → is their middle other than zero. Differences of
 * exactly zero are left out (Wilcoxon's own rule, SciPy's default `zero_method="wilcox"`).
 */

export interface SignedRanks {
  /** Sums of the ranks of positive and of negative differences; equal sizes share their mean rank. */
  readonly positive: number;
  readonly negative: number;
  /** Differences that are not zero. */
  readonly count: number;
  /** Rank of each of them, in their order. */
  readonly ranks: readonly number[];
}

export interface Wilcoxon extends SignedRanks {
  /** Two-sided; 1 where every difference is zero. */
  readonly p: number;
  readonly method: 'exact' | 'normal';
}

/** Pairs up to which the exact distribution is counted: 2⁵⁰ still fits a float64. */
export const maximumExactPairs = 50;

/** Rank the sizes of the differences that are not zero. */
export function signedRanks(differences: readonly number[]): SignedRanks {
  const values = differences.filter((value) => value !== 0);
  const order = Array.from(values.keys()).sort((a, b) => Math.abs(values[a]!) - Math.abs(values[b]!));
  const ranks = Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && Math.abs(values[order[end]!]!) === Math.abs(values[order[start]!]!)) end++;
    for (const i of order.slice(start, end)) ranks[i] = (start + 1 + end) / 2;
    start = end;
  }
  const sum = (sign: number) =>
    ranks.reduce((total, rank, i) => (values[i]! * sign > 0 ? total + rank : total), 0);
  return { positive: sum(1), negative: sum(-1), count: values.length, ranks };
}

/**
 * Test, two-sided. `auto`: exact up to 50 pairs, by counting all signs of the ranks that there are, so that ties are
 * right too; beyond them normal, with the correction of the variance for ties and of one half for continuity.
 */
export function wilcoxon(
  differences: readonly number[],
  method: 'auto' | 'exact' | 'normal' = 'auto',
): Wilcoxon {
  const signed = signedRanks(differences);
  const { count, positive, negative, ranks } = signed;
  const used = method === 'auto' ? (count <= maximumExactPairs ? 'exact' : 'normal') : method;
  if (count === 0) return { ...signed, p: 1, method: used };
  const smaller = Math.min(positive, negative);
  const p = used === 'exact' ? 2 * signedRankCumulative(ranks)(smaller) : normalTail(smaller, count, ranks);
  return { ...signed, p: Math.min(1, p), method: used };
}

/** P(W ≤ w) of the sum of positive ranks under the null: each rank's sign is a fair coin. */
export function signedRankCumulative(ranks: readonly number[]): (w: number) => number {
  // Mean ranks are halves: doubled they are whole numbers, and the number of ways to each sum can be counted.
  const doubled = ranks.map((rank) => Math.round(2 * rank));
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const ways = new Float64Array(total + 1);
  ways[0] = 1;
  let reached = 0;
  for (const rank of doubled) {
    reached += rank;
    for (let sum = reached; sum >= rank; sum--) ways[sum]! += ways[sum - rank]!;
  }
  for (let sum = 1; sum <= total; sum++) ways[sum]! += ways[sum - 1]!;
  return (w) => {
    const at = Math.floor(2 * w + 1e-9);
    return at < 0 ? 0 : ways[Math.min(total, at)]! / 2 ** ranks.length;
  };
}

function normalTail(smaller: number, n: number, ranks: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const rank of ranks) sizes.set(rank, (sizes.get(rank) ?? 0) + 1);
  const ties = [...sizes.values()].reduce((sum, t) => sum + (t ** 3 - t), 0);
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  const distance = (n * (n + 1)) / 4 - smaller;
  return 2 * normalUpperTail(Math.max(0, distance - 0.5) / Math.sqrt(variance));
}

/**
 * P(Z > z) of a standard normal variable, z ≥ 0, relative error below 1e-12: the series of Φ near the middle, the
 * continued fraction of the Mills ratio beyond it (Abramowitz & Stegun 26.2.11 and 26.2.14).
 */
export function normalUpperTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 2.5) {
    let [term, sum] = [z, z];
    for (let k = 3; Math.abs(term) > 1e-17 * sum; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = 0;
  for (let k = 200; k >= 1; k--) fraction = k / (z + fraction);
  return density / (z + fraction);
}
