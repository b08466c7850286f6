/** Calibration over equal masses, temperature, abstention: what must hold whatever the probabilities. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { equalMassCalibrationError, orderByConfidence } from '../../src/metrics/calibration.ts';
import { answeredAt, chooseThreshold, riskCoverage } from '../../src/metrics/risk-coverage.ts';
import { decideAll } from '../../src/metrics/scores.ts';
import { applyTemperature, fitTemperature } from '../../src/metrics/temperature.ts';

/** Rows [true class, probability of class 1], few probabilities so that ties occur. */
const rows = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 1 }),
    fc.integer({ min: 0, max: 16 }).map((n) => n / 16),
  ),
  { minLength: 1, maxLength: 40 },
);
type Rows = readonly (readonly [number, number])[];
const truthOf = (pairs: Rows) => pairs.map(([truth]) => truth);
const binary = (pairs: Rows) => pairs.flatMap(([, p]) => [1 - p, p]);

describe('equalMassCalibrationError', () => {
  const errorOf = (pairs: Rows, weights?: readonly number[]) =>
    equalMassCalibrationError(orderByConfidence(truthOf(pairs), binary(pairs), 2), 5, weights);

  it('does not depend on the order of windows; a weight is a window so many times', () => {
    fc.assert(
      fc.property(
        rows,
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 40, maxLength: 40 }),
        (pairs, w) => {
          expect(errorOf(pairs.toReversed())).toBeCloseTo(errorOf(pairs), 12);
          expect(errorOf(pairs)).toBeLessThanOrEqual(1 + 1e-12);
          const weights = pairs.map((_, i) => w[i]!);
          // Repeated windows of one confidence stand for their mean, which weights leave as it was.
          const distinct = pairs.filter(
            ([, p], i) => pairs.findIndex(([, q]) => Math.max(p, 1 - p) === Math.max(q, 1 - q)) === i,
          );
          const kept = distinct.map((pair) => weights[pairs.indexOf(pair)]!);
          const repeated = distinct.flatMap((pair, i) => Array<typeof pair>(kept[i]!).fill(pair));
          if (repeated.length > 0) expect(errorOf(distinct, kept)).toBeCloseTo(errorOf(repeated), 10);
        },
      ),
    );
  });

  it('is zero where every bin is as right as it is sure, and what is missing otherwise', () => {
    const fair = Array.from({ length: 100 }, (_, i) => [Number(i % 4 !== 0), 0.75] as const);
    expect(errorOf(fair)).toBeCloseTo(0, 12);
    const sure = Array.from({ length: 100 }, (_, i) => [i % 2, 1] as const);
    expect(errorOf(sure)).toBeCloseTo(0.5, 12);
  });
});

describe('temperature', () => {
  it('keeps decisions and never makes the fitted windows less likely', () => {
    fc.assert(
      fc.property(rows, (pairs) => {
        const probabilities = binary(pairs);
        const fit = fitTemperature(truthOf(pairs), probabilities, 2);
        expect(fit.after).toBeLessThanOrEqual(fit.before);
        expect(fit.temperature).toBeGreaterThanOrEqual(0.05);
        expect(fit.temperature).toBeLessThanOrEqual(20 + 1e-9);
        const scaled = applyTemperature(probabilities, 2, fit);
        for (let i = 0; i < scaled.length; i += 2) expect(scaled[i]! + scaled[i + 1]!).toBeCloseTo(1, 12);
        // Far from certainty, where float64 can tell them apart.
        const clear = pairs.filter(([, p]) => p > 0 && p < 1);
        expect([...decideAll(applyTemperature(binary(clear), 2, fit), 2)]).toEqual([
          ...decideAll(binary(clear), 2),
        ]);
      }),
    );
  });

  it('takes back what sharpened the logits', () => {
    const random = new Random(4);
    const fair = Array.from({ length: 4000 }, () => 2 * random.normal());
    const truth = fair.map((z) => Number(random.uniform() < 1 / (1 + Math.exp(-z))));
    const sharpened = fair.flatMap((z) => [1 / (1 + Math.exp(3 * z)), 1 / (1 + Math.exp(-3 * z))]);
    expect(Math.abs(fitTemperature(truth, sharpened, 2).temperature - 3)).toBeLessThan(0.3);
    // Odds moved by e are taken back by a bias of −1.
    const moved = fair.flatMap((z) => [1 / (1 + Math.exp(z + 1)), 1 / (1 + Math.exp(-z - 1))]);
    const { bias, temperature } = fitTemperature(truth, moved, 2, { bias: true });
    expect(Math.abs(bias[1]! + 1)).toBeLessThan(0.15);
    expect(Math.abs(temperature - 1)).toBeLessThan(0.1);
  });

  it('stays within bounds where nothing or everything is right, and says what it needs', () => {
    const sure = [0.9, 0.1, 0.2, 0.8];
    expect(fitTemperature([0, 1], sure, 2).temperature).toBeCloseTo(0.05, 12);
    expect(fitTemperature([1, 0], sure, 2).temperature).toBeCloseTo(20, 12);
    expect(() => fitTemperature([], [], 2)).toThrow(DataError);
    expect(() => fitTemperature([0], [0.5], 2)).toThrow(
      'temperature: 1 probabilities for 1 windows of 2 classes. Give 2 for each of at least one.',
    );
  });
});

describe('risk and coverage', () => {
  it('do not depend on the order of windows, end at the whole risk, and lie above the best order', () => {
    fc.assert(
      fc.property(rows, (pairs) => {
        const curve = riskCoverage(truthOf(pairs), binary(pairs), 2);
        const turned = riskCoverage(truthOf(pairs.toReversed()), binary(pairs.toReversed()), 2);
        for (const [i, risk] of curve.risk.entries()) expect(turned.risk[i]).toBeCloseTo(risk, 12);
        const decided = decideAll(binary(pairs), 2);
        const wrong = pairs.filter(([truth], i) => decided[i] !== truth).length;
        expect(curve.risk.at(-1)).toBeCloseTo(wrong / pairs.length, 12);
        expect(curve.leastAurc).toBeLessThanOrEqual(curve.aurc + 1e-12);
      }),
    );
  });

  it('thresholds reach their goal on the windows they were chosen on, with as many as possible', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(0.1, 0.25, 0.5, 0.8), (pairs, value) => {
        const [truth, probabilities] = [truthOf(pairs), binary(pairs)];
        const decided = decideAll(probabilities, 2);
        const answered = answeredAt(
          probabilities,
          2,
          chooseThreshold(truth, probabilities, 2, { coverage: value }),
        );
        expect(answered.length / pairs.length).toBeGreaterThanOrEqual(value - 1e-9);
        const careful = answeredAt(
          probabilities,
          2,
          chooseThreshold(truth, probabilities, 2, { risk: value }),
        );
        const wrong = [...careful].filter((i) => decided[i] !== truth[i]).length;
        expect(wrong).toBeLessThanOrEqual(value * careful.length + 1e-9);
        const all = pairs.filter((_, i) => decided[i] !== truth[i]).length;
        if (all <= value * pairs.length) expect(careful.length).toBe(pairs.length);
      }),
    );
    expect(chooseThreshold([0], [0.1, 0.9], 2, { risk: 0.1 })).toBe(Number.POSITIVE_INFINITY);
    expect(() => chooseThreshold([], [], 2, { risk: 0.1 })).toThrow(DataError);
  });
});
