/** Against MNE (scripts/golden/band_powers.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bandPowers, type eegBands } from '../../src/signal/band-powers.ts';

const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/signal/band-powers.json'), 'utf8'),
) as {
  cases: readonly {
    rateHz: number;
    peakHz: number;
    x: readonly number[];
    absolute: Readonly<Record<keyof typeof eegBands, number>>;
  }[];
};

describe('bandPowers', () => {
  it.each(cases)('equals MNE at $rateHz Hz', ({ rateHz, peakHz, x, absolute }) => {
    const found = bandPowers(Float64Array.from(x), rateHz);
    const total = Object.values(absolute).reduce((a, b) => a + b, 0);
    for (const [name, power] of Object.entries(absolute) as [keyof typeof eegBands, number][]) {
      expect(Math.abs(found.absolute[name] / power - 1)).toBeLessThan(1e-9);
      expect(found.relative[name]).toBeCloseTo(power / total, 9);
      expect(found.log[name]).toBeCloseTo(Math.log(power), 9);
    }
    expect(Math.abs(found.peakAlphaHz - peakHz)).toBeLessThan(0.2);
    expect(Math.abs(found.alphaCentreHz - peakHz)).toBeLessThan(1);
  });

  it('has the power of a sine, in bands of your own', () => {
    const x = Float64Array.from({ length: 2000 }, (_, i) => 3 * Math.sin((2 * Math.PI * 20 * i) / 200));
    const { absolute, relative } = bandPowers(x, 200, { bands: { low: [0.5, 15], mine: [15, 25] } });
    expect(absolute.mine).toBeCloseTo(4.5, 6);
    expect(relative.mine).toBeCloseTo(1, 9);
  });

  it('finds no alpha peak in a falling spectrum, nothing in a flat channel', () => {
    const x = Float64Array.from({ length: 400 }, (_, i) => i);
    expect(bandPowers(x, 200).peakAlphaHz).toBeNaN();
    const flat = bandPowers(new Float64Array(400).fill(3), 200);
    expect(flat.absolute.alpha).toBe(0);
    for (const value of [flat.relative.alpha, flat.log.alpha, flat.peakAlphaHz, flat.alphaCentreHz])
      expect(value).toBeNaN();
    expect(
      bandPowers(
        x.map((value, i) => (i === 3 ? Number.NaN : value)),
        200,
      ).absolute.beta,
    ).toBeNaN();
  });

  it('says what it cannot measure', () => {
    expect(() => bandPowers(new Float64Array(100), 64)).toThrow(
      'the band gamma is [30, 45) Hz at a rate of 64 Hz',
    );
    expect(() => bandPowers(new Float64Array(40), 200)).toThrow(
      'resolve 5 Hz, so that no frequency lies in delta',
    );
    expect(() => bandPowers(new Float64Array(1), 200)).toThrow('the signal has 1 samples');
  });
});
