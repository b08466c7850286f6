import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/core/errors.ts';
import { fft, ifft, irfft, rfft } from '../../src/signal/fft.ts';
import { golden, numbersAt, relativeError } from './golden.ts';

const x = numbersAt(golden.x);
const reversed = Float64Array.from(x).reverse();

/** Pseudo-random numbers of any length. */
const noise = (n: number, seed: number) =>
  Float64Array.from({ length: n }, (_, i) => Math.sin((i + seed) ** 2 * 1.7));

const energy = (...parts: readonly Float64Array[]) =>
  parts.reduce((sum, part) => sum + part.reduce((s, value) => s + value * value, 0), 0);

describe('fft', () => {
  it.each(golden.fft)('equals NumPy: $length values', ({ length, re, im }) => {
    const result = fft(x.slice(0, length), reversed.slice(0, length));
    expect(relativeError(result.re, numbersAt(re))).toBeLessThan(1e-12);
    expect(relativeError(result.im, numbersAt(im))).toBeLessThan(1e-12);
  });

  it.each([
    1, 2, 3, 4, 5, 6, 9, 10, 13, 29, 31, 37, 41, 60, 74, 101, 128, 210, 243, 257, 343, 961, 997, 1024,
  ])('equals the sum that defines it: %i values', (n) => {
    const [a, b] = [noise(n, 1), noise(n, 2)];
    const expected = { re: new Float64Array(n), im: new Float64Array(n) };
    for (let k = 0; k < n; k++) {
      for (let t = 0; t < n; t++) {
        const angle = (-2 * Math.PI * ((k * t) % n)) / n;
        expected.re[k]! += a[t]! * Math.cos(angle) - b[t]! * Math.sin(angle);
        expected.im[k]! += a[t]! * Math.sin(angle) + b[t]! * Math.cos(angle);
      }
    }
    const actual = fft(a, b);
    expect(relativeError(actual.re, expected.re)).toBeLessThan(1e-12);
    expect(relativeError(actual.im, expected.im)).toBeLessThan(1e-12);
  });

  it('has an inverse and keeps energy (Parseval), for any length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 1000 }), (n, seed) => {
        const [a, b] = [noise(n, seed), noise(n, seed + 5)];
        const there = fft(a, b);
        expect(Math.abs(energy(there.re, there.im) / n / energy(a, b) - 1)).toBeLessThan(1e-12);
        const back = ifft(there.re, there.im);
        expect(relativeError(back.re, a)).toBeLessThan(1e-12);
        expect(relativeError(back.im, b)).toBeLessThan(1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('is linear', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: -5, max: 5, noNaN: true }),
        (n, factor) => {
          const [a, b] = [noise(n, 3), noise(n, 4)];
          const mixed = fft(a.map((value, i) => factor * value + b[i]!));
          const [fa, fb] = [fft(a), fft(b)];
          for (const part of ['re', 'im'] as const) {
            const expected = fa[part].map((value, i) => factor * value + fb[part][i]!);
            for (let i = 0; i < n; i++) expect(Math.abs(mixed[part][i]! - expected[i]!)).toBeLessThan(1e-10);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('handles a long prime length', () => {
    const n = 100_003;
    const [a, b] = [noise(n, 1), noise(n, 2)];
    const there = fft(a, b);
    const back = ifft(there.re, there.im);
    expect(relativeError(back.re, a)).toBeLessThan(1e-12);
    expect(relativeError(back.im, b)).toBeLessThan(1e-12);
  });

  it('leaves its input as it was and refuses two lengths', () => {
    const a = noise(12, 0);
    fft(a, a);
    expect(a).toEqual(noise(12, 0));
    expect(() => fft(a, noise(11, 0))).toThrow(ShapeError);
    expect(fft(new Float64Array(0)).re).toHaveLength(0);
  });
});

describe('rfft', () => {
  it('is the first half of fft, and irfft its inverse', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (n) => {
        const a = noise(n, n);
        const half = rfft(a);
        const whole = fft(a);
        expect(half.re).toHaveLength(Math.floor(n / 2) + 1);
        const size = Math.sqrt(energy(whole.re, whole.im));
        for (let k = 0; k < half.re.length; k++) {
          expect(Math.abs(half.re[k]! - whole.re[k]!)).toBeLessThan(1e-12 * size);
          expect(Math.abs(half.im[k]! - whole.im[k]!)).toBeLessThan(1e-12 * size);
        }
        expect(relativeError(irfft(half, n), a)).toBeLessThan(1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('of nothing is nothing', () => {
    expect(rfft(new Float64Array(0)).re).toHaveLength(0);
    expect(irfft(rfft(new Float64Array(0)), 0)).toHaveLength(0);
  });

  it('cannot be inverted to a length that does not fit', () => {
    expect(() => irfft(rfft(noise(10, 0)), 12)).toThrow(
      'irfft: the spectrum has 6 values, a signal of 12 samples has 7. Give the right n.',
    );
  });
});
