/** Reads scikit-learn's and NumPy's values (scripts/golden/metrics.py). null stands for a score that is not defined. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scores } from '../../src/metrics/scores.ts';

interface GoldenScores {
  readonly cases: readonly {
    readonly name: string;
    readonly classCount: number;
    readonly truth: readonly number[];
    readonly probabilities: readonly number[];
    readonly confusion: readonly (readonly number[])[];
    readonly scores: { readonly [S in keyof Scores]: number | null };
    readonly ece15: number;
  }[];
  readonly curves: readonly {
    readonly name: string;
    readonly truth: readonly number[];
    readonly scores: readonly number[];
    readonly falsePositiveRate: readonly number[];
    readonly truePositiveRate: readonly number[];
    readonly precision: readonly number[];
    readonly recall: readonly number[];
  }[];
  readonly quantiles: readonly {
    readonly sorted: readonly number[];
    readonly q: number;
    readonly value: number;
  }[];
}

export const golden: GoldenScores = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/metrics/scores.json'), 'utf8'),
);

/** Largest absolute difference; Infinity for another length, or NaN where a number is expected or the other way round. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number | null>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i]!;
    if (value === null ? !Number.isNaN(actual[i]) : Number.isNaN(actual[i])) return Number.POSITIVE_INFINITY;
    if (value !== null) largest = Math.max(largest, Math.abs(actual[i]! - value));
  }
  return largest;
}
