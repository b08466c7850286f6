/** SciPy's, statsmodels' and scikit-learn's values (scripts/golden/statistics.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { equalMassCalibrationError, orderByConfidence } from '../../src/metrics/calibration.ts';
import { cohenDz, hodgesLehmann, rankBiserial } from '../../src/metrics/effect-size.ts';
import { holm } from '../../src/metrics/holm.ts';
import { signFlipTest } from '../../src/metrics/permutation.ts';
import { riskCoverage } from '../../src/metrics/risk-coverage.ts';
import { applyTemperature, fitTemperature, negativeLogLikelihood } from '../../src/metrics/temperature.ts';
import { varianceComponents } from '../../src/metrics/variance.ts';
import { normalUpperTail, wilcoxon } from '../../src/metrics/wilcoxon.ts';
import { largestDifference } from './golden.ts';

interface Differences {
  readonly name: string;
  readonly differences: readonly number[];
}

interface Golden {
  readonly wilcoxon: readonly (Differences & {
    readonly positive: number;
    readonly negative: number;
    readonly normal: number;
    readonly exact: number | null;
  })[];
  readonly permutation: readonly (Differences & { readonly p: number; readonly exact: boolean })[];
  readonly holm: readonly { readonly p: readonly number[]; readonly adjusted: readonly number[] }[];
  readonly effects: readonly (Differences & {
    readonly [key in 'estimate' | 'low' | 'high' | 'level' | 'rankBiserial' | 'dz']: number;
  })[];
  readonly variance: readonly {
    readonly name: string;
    readonly scores: readonly (readonly number[])[];
    readonly subject: number;
    readonly seed: number;
    readonly residual: number;
  }[];
  readonly probabilities: readonly {
    readonly name: string;
    readonly classCount: number;
    readonly truth: readonly number[];
    readonly probabilities: readonly number[];
    readonly temperature: number;
    readonly nll: number;
    readonly scaledNll: number;
    readonly biased: { readonly temperature: number; readonly bias: readonly number[]; readonly nll: number };
    readonly scaled: readonly number[];
    readonly equalMass: number;
    readonly risk: readonly number[];
    readonly aurc: number;
    readonly leastAurc: number;
  }[];
}

const golden: Golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/metrics/statistics.json'), 'utf8'),
);
const relative = (actual: number, expected: number) => Math.abs(actual - expected) / Math.abs(expected);

describe('wilcoxon', () => {
  it.each(golden.wilcoxon)('equals SciPy: $name', (c) => {
    const normal = wilcoxon(c.differences, 'normal');
    expect([normal.positive, normal.negative]).toEqual([c.positive, c.negative]);
    expect(relative(normal.p, c.normal)).toBeLessThan(1e-12);
    if (c.exact !== null) {
      const auto = wilcoxon(c.differences);
      expect(auto.method).toBe('exact');
      expect(relative(auto.p, c.exact)).toBeLessThan(1e-12);
    } else expect(c.differences.length).toBeGreaterThan(50);
  });

  it('has tails of the normal distribution that hold far out', () => {
    // SciPy's norm.sf.
    expect(relative(normalUpperTail(1.96), 0.024997895148220435)).toBeLessThan(1e-12);
    expect(relative(normalUpperTail(2.5), 0.006209665325776132)).toBeLessThan(1e-12);
    expect(relative(normalUpperTail(8), 6.220960574271785e-16)).toBeLessThan(1e-12);
    expect(normalUpperTail(0)).toBe(0.5);
  });
});

describe('signFlipTest', () => {
  it.each(golden.permutation)("equals SciPy's permutation_test: $name", ({ differences, p, exact }) => {
    const result = signFlipTest(differences);
    expect(result.method).toBe(exact ? 'exact' : 'monte carlo');
    // Of 20,000 random signs; the oracle drew 2,000,000.
    expect(Math.abs(result.p - p)).toBeLessThan(exact ? 1e-12 : 4 * Math.sqrt((p * (1 - p)) / 20_000));
  });
});

it.each(golden.holm)('holm equals statsmodels: $p', ({ p, adjusted }) => {
  expect(largestDifference(holm(p).map(Number), adjusted)).toBeLessThan(1e-15);
});

it.each(golden.effects)('effect sizes equal their definitions: $name', (c) => {
  const { estimate, low, high, level } = hodgesLehmann(c.differences);
  expect(largestDifference([estimate, low, high, level], [c.estimate, c.low, c.high, c.level])).toBeLessThan(
    1e-12,
  );
  expect(
    largestDifference([rankBiserial(c.differences), cohenDz(c.differences)], [c.rankBiserial, c.dz]),
  ).toBeLessThan(1e-12);
});

it.each(golden.variance)("components of variance equal statsmodels' mixed model: $name", (c) => {
  const { subject, seed, residual } = varianceComponents(c.scores);
  // The optimizer of restricted maximum likelihood stops at four digits or so.
  for (const [ours, theirs] of [
    [subject, c.subject],
    [seed, c.seed],
    [residual, c.residual],
  ] as const)
    expect(relative(ours, theirs)).toBeLessThan(1e-3);
});

describe.each(golden.probabilities)('$name', (c) => {
  it('temperature is where SciPy finds the least loss, with and without biases', () => {
    const fit = fitTemperature(c.truth, c.probabilities, c.classCount);
    expect(relative(fit.temperature, c.temperature)).toBeLessThan(1e-5);
    expect(relative(fit.before, c.nll)).toBeLessThan(1e-9);
    expect(fit.after).toBeLessThanOrEqual(c.scaledNll + 1e-12);
    const scaled = applyTemperature(c.probabilities, c.classCount, fit);
    expect(largestDifference(scaled, c.scaled)).toBeLessThan(1e-5);
    expect(negativeLogLikelihood(c.truth, scaled, c.classCount)).toBeCloseTo(fit.after, 12);
    const biased = fitTemperature(c.truth, c.probabilities, c.classCount, { bias: true });
    expect(relative(biased.temperature, c.biased.temperature)).toBeLessThan(1e-4);
    expect(largestDifference(biased.bias, c.biased.bias)).toBeLessThan(1e-4);
    expect(biased.after).toBeLessThanOrEqual(c.biased.nll + 1e-12);
  });

  it('calibration error over equal masses, and the curve of risk and coverage', () => {
    const order = orderByConfidence(c.truth, c.probabilities, c.classCount);
    expect(equalMassCalibrationError(order)).toBeCloseTo(c.equalMass, 12);
    const { risk, aurc, leastAurc, coverage } = riskCoverage(c.truth, c.probabilities, c.classCount);
    expect(largestDifference(risk, c.risk)).toBeLessThan(1e-12);
    expect(largestDifference([aurc, leastAurc], [c.aurc, c.leastAurc])).toBeLessThan(1e-12);
    expect(coverage.at(-1)).toBe(1);
  });
});
