import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { fitLogistic, predictLogistic } from '../../src/evaluate/logistic.ts';
import { largestDifference } from '../metrics/golden.ts';

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly classCount: number;
    readonly C: number;
    readonly classWeight: 'balanced' | 'none';
    readonly train: readonly (readonly number[])[];
    readonly labels: readonly number[];
    readonly test: readonly (readonly number[])[];
    readonly probabilities: readonly number[];
  }[];
}

/** Made by scripts/golden/metrics.py: StandardScaler and LogisticRegression at its optimum. */
const golden: Golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/metrics/logistic.json'), 'utf8'),
);
const rowsOf = (rows: readonly (readonly number[])[]) => rows.map((row) => Float64Array.from(row));
const options = { C: 0.05, classWeight: 'balanced' } as const;

describe('fitLogistic', () => {
  it.each(golden.cases)('finds the optimum of scikit-learn: $name', (c) => {
    const model = fitLogistic(rowsOf(c.train), c.labels, c.classCount, c);
    const probabilities = predictLogistic(model, rowsOf(c.test));
    expect(largestDifference(probabilities, c.probabilities)).toBeLessThan(1e-6);
  });

  it('does not depend on the order of the rows nor on a feature in other units', () => {
    const c = golden.cases[0]!;
    const first = predictLogistic(fitLogistic(rowsOf(c.train), c.labels, 2, options), rowsOf(c.test));
    const turned = fitLogistic(rowsOf(c.train.toReversed()), c.labels.toReversed(), 2, options);
    expect(largestDifference(predictLogistic(turned, rowsOf(c.test)), first)).toBeLessThan(1e-7);
    const inMillivolt = (rows: Golden['cases'][number]['train']) =>
      rowsOf(rows).map((row) => row.map((value) => value / 1000));
    const scaled = fitLogistic(inMillivolt(c.train), c.labels, 2, options);
    expect(largestDifference(predictLogistic(scaled, inMillivolt(c.test)), first)).toBeLessThan(1e-7);
  });

  it('gives the classes the same weight where they are balanced, the shares where they are not', () => {
    // A constant feature says nothing: only the intercept is fitted, which is free of the penalty.
    const rows = Array.from({ length: 10 }, () => Float64Array.of(0.1));
    const labels = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const predict = (classWeight: 'balanced' | 'none') =>
      predictLogistic(fitLogistic(rows, labels, 2, { C: 0.05, classWeight }), [Float64Array.of(0.1)])[1]!;
    expect(predict('balanced')).toBeCloseTo(0.5, 6);
    expect(predict('none')).toBeCloseTo(0.1, 6);
  });

  it('names the class that no training window has', () => {
    const rows = [Float64Array.of(1), Float64Array.of(2)];
    expect(() => fitLogistic(rows, [0, 2], 3, options)).toThrow(
      new DataError(
        'logistic regression: class 1 has no training window. Use a split in which each class occurs.',
      ),
    );
  });
});

describe('predictLogistic', () => {
  it('gives finite probabilities that sum to 1, far from the training rows too', () => {
    for (const c of golden.cases) {
      const model = fitLogistic(rowsOf(c.train), c.labels, c.classCount, c);
      const far = rowsOf(c.test).map((row) => row.map((value) => value * 1e6));
      const probabilities = predictLogistic(model, far);
      for (let i = 0; i < far.length; i++) {
        const row = probabilities.slice(i * c.classCount, (i + 1) * c.classCount);
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        expect(row.every((p) => p >= 0)).toBe(true);
      }
    }
  });
});
