import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, ShapeError } from '../../src/core/errors.ts';
import {
  butterworth,
  notch,
  paddingSamples,
  sosFilter,
  sosFiltFilt,
  steadyState,
  zeroState,
} from '../../src/signal/filter.ts';
import { golden, numbersAt, relativeError } from './golden.ts';

const x = numbersAt(golden.x);

describe('butterworth', () => {
  it.each(golden.butter)('equals SciPy: order $order, $band, $rateHz Hz', (c) => {
    const sos = butterworth(c.order, c.band, c.rateHz);
    expect(relativeError(sos.flat(), numbersAt(c.sos))).toBeLessThan(1e-9);
    // Section by section, so that the first one's small gain is compared too.
    for (const [i, section] of sos.entries()) {
      expect(relativeError(section.slice(0, 3), numbersAt(c.sos).slice(6 * i, 6 * i + 3))).toBeLessThan(1e-9);
    }
    expect(relativeError(steadyState(sos), numbersAt(c.steady))).toBeLessThan(1e-9);
    expect(relativeError(sosFilter(sos, x.slice(0, 400)), numbersAt(c.causal))).toBeLessThan(1e-9);
    expect(relativeError(sosFiltFilt(sos, x.slice(0, 400)), numbersAt(c.zeroPhase))).toBeLessThan(1e-9);
  });

  it('names the key and the range that is allowed', () => {
    expect(() => butterworth(4, { highHz: 100 }, 200)).toThrow(
      'filter: highHz is 100. Use a frequency above 0 and below 100 Hz (half of the rate of 200 Hz).',
    );
    for (const [order, band, key] of [
      [4, { lowHz: 0 }, 'lowHz'],
      [4, { lowHz: -1, highHz: 10 }, 'lowHz'],
      [4, { highHz: Number.NaN }, 'highHz'],
      [4, { lowHz: 20, highHz: 10 }, 'lowHz'],
      [4, {}, 'lowHz'],
      [4, { lowHz: 1, stop: true }, 'stop'],
      [0, { lowHz: 1 }, 'order'],
      [2.5, { lowHz: 1 }, 'order'],
      [21, { lowHz: 1 }, 'order'],
    ] as const) {
      expect(() => butterworth(order, band, 200)).toThrow(
        expect.objectContaining({ name: 'ConfigError', key }),
      );
    }
    expect(() => butterworth(2, { lowHz: 1 }, 0)).toThrow(ConfigError);
  });
});

describe('notch', () => {
  it.each(golden.notch)('equals SciPy: $frequencyHz Hz, quality $quality, $rateHz Hz', (c) => {
    const sos = notch(c.frequencyHz, c.quality, c.rateHz);
    expect(relativeError(sos.flat(), numbersAt(c.sos))).toBeLessThan(1e-12);
    expect(relativeError(sosFilter(sos, x.slice(0, 300)), numbersAt(c.causal))).toBeLessThan(1e-9);
    expect(relativeError(sosFiltFilt(sos, x.slice(0, 300)), numbersAt(c.zeroPhase))).toBeLessThan(1e-9);
  });

  it('refuses frequencies and qualities out of range', () => {
    expect(() => notch(100, 30, 200)).toThrow(
      expect.objectContaining({ name: 'ConfigError', key: 'notchHz' }),
    );
    expect(() => notch(50, 0, 200)).toThrow(expect.objectContaining({ name: 'ConfigError', key: 'quality' }));
    expect(() => notch(80, 0.5, 200)).toThrow(
      expect.objectContaining({ name: 'ConfigError', key: 'quality' }),
    );
  });
});

describe('filtering', () => {
  const band = butterworth(3, { lowHz: 0.5, highHz: 40 }, 250);
  const signals = fc.array(fc.double({ min: -500, max: 500, noNaN: true }), {
    minLength: 60,
    maxLength: 300,
  });

  it('of a signal in chunks gives exactly the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 12 }), (cuts) => {
        const state = zeroState(band);
        const ends = [...cuts.map((cut) => cut * 5).sort((a, b) => a - b), x.length];
        let start = 0;
        const chunks = ends.flatMap((end) => {
          const chunk = [...sosFilter(band, x.subarray(start, end), state)];
          start = end;
          return chunk;
        });
        expect(Float64Array.from(chunks)).toEqual(sosFilter(band, x));
      }),
      { numRuns: 30 },
    );
  });

  it('is linear', () => {
    fc.assert(
      fc.property(signals, fc.double({ min: -3, max: 3, noNaN: true }), (values, factor) => {
        const a = Float64Array.from(values);
        const b = x.slice(0, a.length);
        const mixed = a.map((value, i) => factor * value + b[i]!);
        for (const filter of [sosFilter, sosFiltFilt]) {
          const [fa, fb] = [filter(band, a), filter(band, b)];
          const expected = fa.map((value, i) => factor * value + fb[i]!);
          const actual = filter(band, mixed);
          for (let i = 0; i < a.length; i++) expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(1e-8);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('keeps a constant by a low-pass and removes it by a high-pass', () => {
    const constant = new Float64Array(200).fill(7);
    const low = butterworth(4, { highHz: 30 }, 200);
    const high = butterworth(2, { lowHz: 1 }, 200);
    for (const value of sosFiltFilt(low, constant)) expect(value).toBeCloseTo(7, 9);
    for (const value of sosFiltFilt(high, constant)) expect(value).toBeCloseTo(0, 9);
    for (const value of sosFilter(low, constant, steadyState(low, 7))) expect(value).toBeCloseTo(7, 9);
  });

  it('leaves its input as it was', () => {
    const before = Float64Array.from(x);
    sosFilter(band, x);
    sosFiltFilt(band, x);
    expect(x).toEqual(before);
  });

  it('needs more samples than the padding', () => {
    expect(paddingSamples(band)).toBe(21);
    expect(() => sosFiltFilt(band, new Float64Array(21))).toThrow(
      'sosFiltFilt: the signal has 21 samples, zero-phase filtering with 3 sections needs more than 21.',
    );
    expect(() => sosFiltFilt(band, new Float64Array(0))).toThrow(DataError);
    expect(sosFiltFilt(band, new Float64Array(22))).toHaveLength(22);
    expect(sosFilter(band, new Float64Array(0))).toHaveLength(0);
    expect(() => sosFilter(band, x, new Float64Array(2))).toThrow(ShapeError);
  });

  it('lets a NaN spoil what follows it', () => {
    const broken = Float64Array.from(x);
    broken[100] = Number.NaN;
    const causal = sosFilter(band, broken);
    expect(causal.slice(0, 100)).toEqual(sosFilter(band, x).slice(0, 100));
    expect(causal.slice(100).every(Number.isNaN)).toBe(true);
    expect(sosFiltFilt(band, broken).every(Number.isNaN)).toBe(true);
  });
});
