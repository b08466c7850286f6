import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { expectedCalibrationError, reliabilityBins } from '../../src/metrics/calibration.ts';
import { confusionMatrix } from '../../src/metrics/confusion.ts';
import { auroc, averagePrecision, precisionRecallCurve, rocCurve } from '../../src/metrics/ranking.ts';
import { decideAll, scoreAll, scoreNames } from '../../src/metrics/scores.ts';
import { golden, largestDifference } from './golden.ts';

const tolerance = 1e-12;

/*
 * Where scikit-learn warns because a score is not defined, ours is NaN, which reports print as such:
 * - AUROC with one class only: NaN in both.
 * - average precision without positives: scikit-learn answers 0, ours is NaN, so that it cannot pass for a bad model.
 * - AUROC of several classes where one is absent: scikit-learn raises, ours is NaN.
 * - kappa where truth and prediction are one class throughout: NaN in both.
 */
describe('scoreAll', () => {
  it.each(golden.cases)('equals scikit-learn: $name', (c) => {
    const scores = scoreAll(c.truth, c.probabilities, c.classCount);
    for (const name of scoreNames) {
      expect(largestDifference([scores[name]], [c.scores[name]]), name).toBeLessThanOrEqual(tolerance);
    }
  });

  it.each(golden.cases)(
    'counts decisions and calibrates in 15 bins as scikit-learn and NumPy: $name',
    (c) => {
      const predicted = decideAll(c.probabilities, c.classCount);
      expect(confusionMatrix(c.truth, predicted, c.classCount)).toEqual(c.confusion);
      const ece = expectedCalibrationError(c.truth, c.probabilities, c.classCount, 15);
      expect(largestDifference([ece], [c.ece15])).toBeLessThanOrEqual(tolerance);
    },
  );

  it('gives every score and no other', () => {
    expect(Object.keys(scoreAll([0, 1], [0.5, 0.5, 0.2, 0.8], 2)).sort()).toEqual([...scoreNames].sort());
  });

  it('is NaN throughout without windows', () => {
    expect(Object.values(scoreAll([], [], 2)).filter((value) => !Number.isNaN(value))).toEqual([]);
  });

  it('says how many probabilities it needs', () => {
    expect(() => scoreAll([0, 1, 1], [0.5, 0.5, 0.2, 0.8], 2)).toThrow(
      new DataError('scores: 4 probabilities for 3 windows of 2 classes. Give 6.'),
    );
    expect(() => confusionMatrix([0, 1], [0], 2)).toThrow(
      'metrics: 2 true and 1 predicted classes. Give one each per window.',
    );
  });
});

describe('decideAll', () => {
  it('takes the lowest class among equals', () => {
    expect([...decideAll([0.5, 0.5, 0.1, 0.9, 0.9, 0.1], 2)]).toEqual([0, 1, 0]);
    expect([...decideAll([0.2, 0.4, 0.4], 3)]).toEqual([1]);
  });
});

describe('curves', () => {
  it.each(golden.curves)('equal scikit-learn with every threshold kept: $name', (c) => {
    const roc = rocCurve(c.truth, c.scores);
    expect(largestDifference(roc.falsePositiveRate, c.falsePositiveRate)).toBeLessThanOrEqual(tolerance);
    expect(largestDifference(roc.truePositiveRate, c.truePositiveRate)).toBeLessThanOrEqual(tolerance);
    const pr = precisionRecallCurve(c.truth, c.scores);
    expect(largestDifference(pr.precision, c.precision)).toBeLessThanOrEqual(tolerance);
    expect(largestDifference(pr.recall, c.recall)).toBeLessThanOrEqual(tolerance);
  });
});

const ranking = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: -6, max: 6 })), {
    minLength: 2,
    maxLength: 40,
  })
  .filter((pairs) => new Set(pairs.map(([truth]) => truth)).size === 2);

describe('auroc', () => {
  it('is the chance that a positive scores above a negative, a tie counting half', () => {
    fc.assert(
      fc.property(ranking, (pairs) => {
        const positives = pairs.filter(([truth]) => truth === 1);
        const negatives = pairs.filter(([truth]) => truth === 0);
        let wins = 0;
        for (const [, p] of positives) for (const [, n] of negatives) wins += p > n ? 1 : p === n ? 0.5 : 0;
        const [truth, scores] = [pairs.map(([t]) => t), pairs.map(([, s]) => s)];
        expect(auroc(truth, scores)).toBeCloseTo(wins / (positives.length * negatives.length), 12);
      }),
    );
  });

  it('is not a number where a score is none', () => {
    expect(auroc([0, 1, 1], [0.5, Number.NaN, 0.7])).toBeNaN();
    expect(averagePrecision([0, 1, 1], [Number.NaN, 0.2, 0.7])).toBeNaN();
    expect(auroc([0, 1], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])).toBe(1);
  });

  it('and average precision do not depend on the order of the windows', () => {
    fc.assert(
      fc.property(ranking, (pairs) => {
        const turned = pairs.toReversed();
        const columns = (rows: typeof pairs) => [rows.map(([t]) => t), rows.map(([, s]) => s)] as const;
        expect(auroc(...columns(turned))).toBe(auroc(...columns(pairs)));
        expect(averagePrecision(...columns(turned))).toBe(averagePrecision(...columns(pairs)));
      }),
    );
  });
});

describe('reliabilityBins', () => {
  it('puts a confidence at a bound into the lower bin and counts every window once', () => {
    const bins = reliabilityBins([1, 1, 0, 1], [0.3, 0.7, 0.4, 0.6, 0.25, 0.75, 0, 1], 2);
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 0, 1]);
    expect(bins[7]).toEqual({ low: 0.7, high: 0.8, count: 1, confidence: 0.75, accuracy: 0 });
    expect(bins[0]!.confidence).toBeNaN();
  });
});
