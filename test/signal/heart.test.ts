import { describe, expect, it } from 'vitest';
import { beatsBetween, heartRate, variability } from '../../src/signal/heart.ts';

describe('heartRate', () => {
  it('is intervals per minute between the first and the last beat', () => {
    expect(heartRate(Float64Array.of(1, 2, 2.5, 4))).toBeCloseTo(60, 12);
    expect(heartRate(Float64Array.of(0, 0.75))).toBeCloseTo(80, 12);
  });

  it('is undefined below two beats', () => {
    expect(heartRate(Float64Array.of())).toBeNaN();
    expect(heartRate(Float64Array.of(3))).toBeNaN();
  });
});

describe('variability', () => {
  it('follows its definitions', () => {
    // Intervals 0.8, 1.0, 0.9, 0.7: mean 0.85, differences 0.2, −0.1, −0.2.
    const { medianRatePerMinute, sdnn, rmssd } = variability(Float64Array.of(10, 10.8, 11.8, 12.7, 13.4));
    expect(medianRatePerMinute).toBeCloseTo(60 / 0.85, 9);
    expect(sdnn).toBeCloseTo(Math.sqrt((0.05 ** 2 + 0.15 ** 2 + 0.05 ** 2 + 0.15 ** 2) / 3), 9);
    expect(rmssd).toBeCloseTo(Math.sqrt((0.2 ** 2 + 0.1 ** 2 + 0.2 ** 2) / 3), 9);
  });

  it('of a steady rhythm is 0', () => {
    expect(variability(Float64Array.of(0, 0.5, 1, 1.5))).toEqual({
      medianRatePerMinute: 120,
      sdnn: 0,
      rmssd: 0,
    });
  });

  it('says NaN where too few beats define nothing', () => {
    const nothing = { medianRatePerMinute: Number.NaN, sdnn: Number.NaN, rmssd: Number.NaN };
    expect(variability(Float64Array.of())).toEqual(nothing);
    expect(variability(Float64Array.of(1))).toEqual(nothing);
    expect(variability(Float64Array.of(1, 2))).toEqual({ ...nothing, medianRatePerMinute: 60 });
  });
});

describe('beatsBetween', () => {
  it('takes start ≤ time < end', () => {
    const beats = Float64Array.of(1, 2, 3, 4);
    expect(beatsBetween(beats, 2, 4)).toEqual(Float64Array.of(2, 3));
    expect(beatsBetween(beats, -5, 1)).toHaveLength(0);
    expect(beatsBetween(beats, 4.5, 9)).toHaveLength(0);
    expect(beatsBetween(beats, 3, 2)).toHaveLength(0);
    expect(beatsBetween(Float64Array.of(), 0, 1)).toHaveLength(0);
  });
});
