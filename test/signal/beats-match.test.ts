import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchBeats } from '../../src/signal/beats-match.ts';

describe('matchBeats', () => {
  it('counts what is found, missed and extra', () => {
    const result = matchBeats([1, 2, 3, 4], [1.01, 2.1, 3.5, 3.98, 5]);
    expect(result).toMatchObject({
      matched: 3,
      missed: 1,
      extra: 2,
      sensitivity: 0.75,
      positivePredictivity: 0.6,
    });
    expect([...result.errors].map((error) => Number(error.toFixed(6)))).toEqual([0.01, 0.1, -0.02]);
    expect(matchBeats([1, 2, 3, 4], [1.01, 2.1, 3.5, 3.98, 5], { toleranceSeconds: 0.05 }).matched).toBe(2);
  });

  it('gives the nearer of two the match, whichever side has two', () => {
    expect(matchBeats([1], [0.9, 1.02])).toMatchObject({ matched: 1, missed: 0, extra: 1 });
    expect(matchBeats([1], [0.9, 1.02]).errors[0]).toBeCloseTo(0.02, 12);
    expect(matchBeats([0.9, 1.02], [1])).toMatchObject({ matched: 1, missed: 1, extra: 0 });
    expect(matchBeats([0.9, 1.02], [1]).errors[0]).toBeCloseTo(-0.02, 12);
  });

  it('leaves out a learning period, the end and excluded stretches', () => {
    const options = { fromSeconds: 2, toSeconds: 8, excluded: [[4, 5]] as const };
    const result = matchBeats([1, 3, 4.5, 6, 9], [1.5, 3, 4.2, 6.5, 9.5], options);
    expect(result).toMatchObject({ matched: 1, missed: 1, extra: 1 });
  });

  it('says NaN where nothing defines a share', () => {
    expect(matchBeats([], [])).toMatchObject({
      matched: 0,
      sensitivity: Number.NaN,
      positivePredictivity: Number.NaN,
    });
    expect(matchBeats([1], [])).toMatchObject({
      missed: 1,
      sensitivity: 0,
      positivePredictivity: Number.NaN,
    });
    expect(() => matchBeats([], [], { toleranceSeconds: 0 })).toThrow('matchBeats: toleranceSeconds is 0.');
  });

  it('uses every beat once, and finds all of identical lists', () => {
    const times = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(times, times, (a, b) => {
        const [annotated, detected] = [a.toSorted((x, y) => x - y), b.toSorted((x, y) => x - y)];
        const { matched, missed, extra, errors } = matchBeats(annotated, detected);
        expect(matched + missed).toBe(annotated.length);
        expect(matched + extra).toBe(detected.length);
        expect(errors.every((error) => Math.abs(error) <= 0.15)).toBe(true);
        expect(matchBeats(annotated, annotated)).toMatchObject({ missed: 0, extra: 0 });
      }),
    );
  });
});
