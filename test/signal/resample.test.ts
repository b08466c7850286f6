import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { rateRatio, resample, resampleFourier, resamplePolyphase } from '../../src/signal/resample.ts';
import { golden, numbersAt, relativeError } from './golden.ts';

const x = numbersAt(golden.x);

describe('resamplePolyphase', () => {
  it.each(golden.polyphase)('equals SciPy: $length samples × $up/$down', ({ up, down, length, y }) => {
    expect(relativeError(resamplePolyphase(x.slice(0, length), up, down), numbersAt(y))).toBeLessThan(1e-9);
  });

  it('keeps a sine away from the ends', () => {
    for (const [fromHz, toHz] of [
      [500, 200],
      [250, 200],
      [360, 200],
      [128, 200],
      [1000, 200],
      [256, 200],
    ] as const) {
      const sine = (rate: number) =>
        Float64Array.from({ length: rate * 4 }, (_, i) => Math.sin((2 * Math.PI * 11 * i) / rate + 0.3));
      const y = resample(sine(fromHz), fromHz, toHz);
      const expected = sine(toHz);
      expect(y).toHaveLength(expected.length);
      // The window's ripple is about 1e-3.
      for (let i = 50; i < y.length - 50; i++) expect(Math.abs(y[i]! - expected[i]!)).toBeLessThan(2e-3);
    }
  });

  it('is linear and gives ⌈T·up/down⌉ samples', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 200 }),
        (up, down, length) => {
          const a = x.slice(0, length);
          const b = x.slice(300, 300 + length);
          const sum = resamplePolyphase(
            a.map((value, i) => 2 * value - b[i]!),
            up,
            down,
          );
          const [ra, rb] = [resamplePolyphase(a, up, down), resamplePolyphase(b, up, down)];
          expect(sum).toHaveLength(Math.ceil((length * up) / down));
          for (let i = 0; i < sum.length; i++)
            expect(Math.abs(sum[i]! - 2 * ra[i]! + rb[i]!)).toBeLessThan(1e-9);
        },
      ),
    );
  });

  it('passes samples through exactly at a ratio of 1 and at shared times of a whole ratio', () => {
    expect(resamplePolyphase(x, 7, 7)).toEqual(x);
    const y = resamplePolyphase(x, 4, 1);
    for (let i = 0; i < x.length; i++)
      expect(Math.abs(y[4 * i]! - x[i]!)).toBeLessThan(0.01 * Math.abs(x[i]!) + 1e-9);
  });

  it('refuses factors that are not whole or too large', () => {
    expect(() => resamplePolyphase(x, 0, 1)).toThrow(
      'resample: up is 0. Use a whole number from 1 to 100000.',
    );
    expect(() => resamplePolyphase(x, 1, 1.5)).toThrow(ConfigError);
  });
});

describe('rateRatio', () => {
  it.each([
    [500, 200, 2, 5],
    [250, 200, 4, 5],
    [360, 200, 5, 9],
    [128, 200, 25, 16],
    [1000, 200, 1, 5],
    [200, 200, 1, 1],
    [256, 200, 25, 32],
    [173.61, 200, 20000, 17361],
    [0.5, 200, 400, 1],
    [1 / 3, 200, 600, 1],
  ])('%d → %d Hz is %d/%d', (fromHz, toHz, up, down) => {
    expect(rateRatio(fromHz, toHz)).toEqual([up, down]);
  });

  it('refuses rates without a ratio of whole numbers, and rates that are none', () => {
    expect(() => resample(x, 200 * Math.PI, 200)).toThrow(ConfigError);
    expect(() => resample(x, 0, 200)).toThrow('resample: fromHz is 0. A rate must be above 0 Hz.');
    expect(() => resample(x, 200, Number.NaN)).toThrow(ConfigError);
  });
});

describe('resampleFourier', () => {
  it.each(golden.fourier)('equals SciPy: $length → $to samples', ({ length, to, y }) => {
    expect(relativeError(resampleFourier(x.slice(0, length), to), numbersAt(y))).toBeLessThan(1e-9);
  });

  it('keeps a periodic sine exactly', () => {
    const sine = (n: number) =>
      Float64Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * 9 * i) / n));
    expect(relativeError(resampleFourier(sine(500), 201), sine(201))).toBeLessThan(1e-12);
    expect(relativeError(resampleFourier(sine(101), 640), sine(640))).toBeLessThan(1e-12);
  });

  it('refuses no samples', () => {
    expect(() => resampleFourier(x, 0)).toThrow(ConfigError);
    expect(() => resampleFourier(new Float64Array(0), 5)).toThrow(ConfigError);
  });
});
