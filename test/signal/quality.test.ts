import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkQuality } from '../../src/signal/quality.ts';

const rate = 200;
const wave = Float64Array.from({ length: 2000 }, (_, i) => 50 * Math.sin(i / 7.3) + 9 * Math.sin(i / 1.9));
const uv = { unitMicrovolts: 1 };

describe('checkQuality', () => {
  it('finds nothing wrong with a good signal', () => {
    expect(checkQuality(wave, rate, { ...uv, range: [-3276.8, 3276.7] })).toEqual({
      flat: false,
      still: 0,
      clipped: 0,
      outOfRange: false,
      nonFinite: 0,
    });
  });

  it('finds flat channels: constant, below 1 µV, mostly still', () => {
    expect(checkQuality(new Float64Array(500).fill(3), rate).flat).toBe(true);
    const faint = wave.map((value) => value / 1000);
    expect(checkQuality(faint, rate, uv).flat).toBe(true);
    expect(checkQuality(faint, rate, { unitMicrovolts: 1000 }).flat).toBe(false);
    const dropout = Float64Array.from(wave).fill(0, 200, 1500);
    expect(checkQuality(dropout, rate, uv)).toMatchObject({ flat: true, still: 0.65 });
    const pause = Float64Array.from(wave).fill(0, 200, 600);
    expect(checkQuality(pause, rate, uv)).toMatchObject({ flat: false, still: 0.2 });
  });

  it('counts samples that are cut off at the extremes', () => {
    const cut = wave.map((value) => Math.max(-30, Math.min(40, value)));
    const expected = cut.filter((value) => value === -30 || value === 40).length / cut.length;
    expect(expected).toBeGreaterThan(0.2);
    expect(checkQuality(cut, rate, uv).clipped).toBeGreaterThan(0.9 * expected);
    expect(checkQuality(cut, rate, { ...uv, range: [-30, 40] }).clipped).toBeCloseTo(expected, 2);
  });

  it('does not call the one largest value of a tight range clipped', () => {
    expect(checkQuality(wave, rate, { range: [Math.min(...wave), Math.max(...wave)] }).clipped).toBe(0);
  });

  it('finds implausible and impossible values', () => {
    const spike = Float64Array.from(wave);
    spike[5] = 20_000;
    expect(checkQuality(spike, rate, uv).outOfRange).toBe(true);
    expect(checkQuality(spike, rate, { ...uv, maxMicrovolts: 30_000 }).outOfRange).toBe(false);
    expect(checkQuality(spike, rate).outOfRange).toBe(false);
    expect(checkQuality(wave, rate, { range: [-10, 10] }).outOfRange).toBe(true);
    // An electrode's offset is no fault.
    expect(
      checkQuality(
        wave.map((value) => value + 100_000),
        rate,
        uv,
      ).outOfRange,
    ).toBe(false);
  });

  it('counts what is not finite and judges the rest', () => {
    const holes = Float64Array.from(wave);
    holes.fill(Number.NaN, 100, 110);
    holes[500] = Number.POSITIVE_INFINITY;
    expect(checkQuality(holes, rate, uv)).toMatchObject({ flat: false, clipped: 0, nonFinite: 11 });
    expect(checkQuality(new Float64Array(9).fill(Number.NaN), rate, uv)).toMatchObject({
      flat: true,
      nonFinite: 9,
    });
    expect(checkQuality(new Float64Array(0), rate, uv).flat).toBe(true);
  });

  it('gives fractions for any numbers', () => {
    fc.assert(
      fc.property(fc.float64Array({ maxLength: 400 }), (x) => {
        const { still, clipped, nonFinite } = checkQuality(x, 10, uv);
        for (const fraction of [still, clipped]) expect(fraction >= 0 && fraction <= 1).toBe(true);
        expect(nonFinite).toBe(x.filter((value) => !Number.isFinite(value)).length);
      }),
    );
  });
});
