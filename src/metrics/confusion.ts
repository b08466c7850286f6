/** Scores of decisions: true and predicted classes [W] → numbers. Definitions as scikit-learn's. */
import { DataError } from '../core/errors.ts';

/** Counts [K, K]: rows are true classes, columns predicted ones. */
export function confusionMatrix(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classCount: number,
): number[][] {
  if (truth.length !== predicted.length) {
    throw new DataError(
      `metrics: ${truth.length} true and ${predicted.length} predicted classes. Give one each per window.`,
    );
  }
  const matrix = Array.from({ length: classCount }, () => Array<number>(classCount).fill(0));
  for (let i = 0; i < truth.length; i++) matrix[truth[i]!]![predicted[i]!]!++;
  return matrix;
}

/** Share of right decisions; NaN without any. */
export function accuracy(matrix: readonly (readonly number[])[]): number {
  return sum(matrix.map((row, k) => row[k]!)) / total(matrix);
}

/** Mean recall over the classes that occur; NaN without any. */
export function balancedAccuracy(matrix: readonly (readonly number[])[]): number {
  const recalls = matrix.flatMap((row, k) => (sum(row) > 0 ? [row[k]! / sum(row)] : []));
  return sum(recalls) / recalls.length;
}

/**
 * F1 over the classes that occur or are predicted: their plain mean (`macro`), or weighted by how often each occurs.
 * A class without true positives counts 0, as scikit-learn's zero_division=0.
 */
export function f1(matrix: readonly (readonly number[])[], average: 'macro' | 'weighted'): number {
  const columns = matrix.map((_, k) => sum(matrix.map((row) => row[k]!)));
  const present = matrix.flatMap((row, k) => (sum(row) + columns[k]! > 0 ? [k] : []));
  const scores = present.map((k) => (2 * matrix[k]![k]!) / (sum(matrix[k]!) + columns[k]!));
  const weights = present.map((k) => (average === 'macro' ? 1 : sum(matrix[k]!)));
  return sum(scores.map((score, i) => score * weights[i]!)) / sum(weights);
}

/** Cohen's kappa: agreement beyond chance. NaN where truth and prediction are one and the same class throughout. */
export function cohenKappa(matrix: readonly (readonly number[])[]): number {
  const n = total(matrix);
  const expected = sum(matrix.map((row, k) => (sum(row) * sum(matrix.map((other) => other[k]!))) / n));
  const observed = sum(matrix.map((row, k) => row[k]!));
  return (observed - expected) / (n - expected);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function total(matrix: readonly (readonly number[])[]): number {
  return sum(matrix.map(sum));
}
