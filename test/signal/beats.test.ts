import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { detectBeats, measureBeatContrast } from '../../src/signal/beats.ts';
import { matchBeats } from '../../src/signal/beats-match.ts';

interface Shape {
  readonly rateHz: number;
  readonly seconds: number;
  readonly beats: readonly number[];
  readonly noise?: number;
  readonly seed?: number;
}

/** P, QRS and T as bell curves at known times, a wandering baseline and white noise; R is 1 mV. */
function drawEcg({ rateHz, seconds, beats, noise = 0.02, seed = 1 }: Shape): Float64Array {
  const random = new Random(seed);
  const waves = [
    [-0.16, 0.02, 0.12],
    [-0.025, 0.008, -0.1],
    [0, 0.011, 1],
    [0.028, 0.01, -0.2],
    [0.26, 0.045, 0.3],
  ] as const;
  return Float64Array.from({ length: Math.round(rateHz * seconds) }, (_, i) => {
    const t = i / rateHz;
    let value = 0.3 * Math.sin(2 * Math.PI * 0.25 * t) + noise * random.normal();
    for (const beat of beats) {
      if (Math.abs(t - beat) > 0.6) continue;
      for (const [delay, width, height] of waves)
        value += height * Math.exp(-0.5 * ((t - beat - delay) / width) ** 2);
    }
    return value;
  });
}

/** Beats with breathing-like variation of the interval, `perMinute` on average. */
function rhythm(seconds: number, perMinute: number): number[] {
  const beats: number[] = [];
  for (let t = 0.5; t < seconds - 0.4; t += (60 / perMinute) * (1 + 0.06 * Math.sin(t * 1.6))) beats.push(t);
  return beats;
}

function expectBeats(found: Float64Array, expected: readonly number[], toleranceSeconds: number): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, beat] of expected.entries())
    expect(Math.abs(found[i]! - beat)).toBeLessThan(toleranceSeconds);
}

describe('detectBeats', () => {
  it.each([
    [100, 72],
    [200, 45],
    [250, 91],
    [360, 78],
    [500, 150],
    [1000, 60],
  ])('finds every beat to a fraction of a sample: %d Hz, %d per minute', (rateHz, perMinute) => {
    const beats = rhythm(40, perMinute);
    const found = detectBeats(drawEcg({ rateHz, seconds: 40, beats, noise: 0.005 }), rateHz);
    expectBeats(found, beats, 0.5 / rateHz + 0.001);
    const intervalErrors = beats.slice(1).map((beat, i) => found[i + 1]! - found[i]! - (beat - beats[i]!));
    const rms = Math.sqrt(intervalErrors.reduce((sum, e) => sum + e * e, 0) / intervalErrors.length);
    // A hundredth of a healthy RMSSD of 40 ms would be lost in the baseline features.
    expect(rms).toBeLessThan(0.0015);
  });

  it.each([50, 64, 75])('finds every beat at %d Hz, with an offset and a drift', (rateHz) => {
    const beats = rhythm(30, 75);
    const x = drawEcg({ rateHz, seconds: 30, beats, noise: 0.01 }).map((value, i) => value + 5 + 0.01 * i);
    expectBeats(detectBeats(x, rateHz), beats, 0.02);
  });

  it('does not depend on polarity, amplitude, offset or unit', () => {
    const beats = rhythm(30, 80);
    const x = drawEcg({ rateHz: 250, seconds: 30, beats });
    const found = detectBeats(x, 250);
    expectBeats(found, beats, 0.01);
    for (const [factor, offset] of [
      [-1, 0],
      [1000, 0],
      [1e-3, 5],
      [-50, -1e5],
    ] as const) {
      const other = detectBeats(
        x.map((value) => factor * value + offset),
        250,
      );
      expectBeats(other, [...found], 1e-4);
    }
  });

  it('finds beats in noise, through artefacts and gaps', () => {
    const beats = rhythm(60, 75);
    const noisy = drawEcg({ rateHz: 250, seconds: 60, beats, noise: 0.06 });
    expectBeats(detectBeats(noisy, 250), beats, 0.02);
    const broken = drawEcg({ rateHz: 250, seconds: 60, beats });
    for (let i = 5000; i < 5100; i++) broken[i]! += 40 * Math.sin(((i - 5000) / 100) * Math.PI);
    broken.fill(Number.NaN, 10_000, 10_050);
    const found = detectBeats(broken, 250);
    const near = (beat: number) => found.some((time) => Math.abs(time - beat) < 0.02);
    const untouched = beats.filter((t) => Math.abs(t - 20.2) > 1 && Math.abs(t - 40.1) > 0.5);
    expect(untouched.every(near)).toBe(true);
    expect(Math.abs(found.length - beats.length)).toBeLessThan(3);
  });

  it('finds a single beat and few beats in a short window', () => {
    expectBeats(detectBeats(drawEcg({ rateHz: 250, seconds: 2, beats: [1.1] }), 250), [1.1], 0.01);
    const two = [0.8, 1.6];
    expectBeats(detectBeats(drawEcg({ rateHz: 200, seconds: 2.5, beats: two }), 200), two, 0.01);
    const five = rhythm(5, 70);
    expectBeats(detectBeats(drawEcg({ rateHz: 200, seconds: 5, beats: five }), 200), five, 0.01);
  });

  it('finds nothing in nothing: empty, flat, tiny, not finite', () => {
    for (const x of [
      new Float64Array(0),
      new Float64Array(5).fill(1),
      new Float64Array(5000),
      new Float64Array(5000).fill(-3.7),
      new Float64Array(5000).fill(Number.NaN),
    ]) {
      expect(detectBeats(x, 250)).toHaveLength(0);
      expect(measureBeatContrast(x, 250)).toBe(0);
    }
  });

  it('finds nothing in noise, unless asked to guess', () => {
    const random = new Random(7);
    const noise = Float64Array.from({ length: 15_000 }, () => random.normal());
    expect(measureBeatContrast(noise, 250)).toBeLessThan(8);
    expect(detectBeats(noise, 250)).toHaveLength(0);
    const guessed = detectBeats(noise, 250, { whenUnclear: 'guess' });
    expect(guessed.length).toBeGreaterThan(60);
    for (let i = 1; i < guessed.length; i++) expect(guessed[i]! - guessed[i - 1]!).toBeGreaterThan(0.34);
    const ecg = drawEcg({ rateHz: 250, seconds: 30, beats: rhythm(30, 80) });
    expect(measureBeatContrast(ecg, 250)).toBeGreaterThan(30);
    expect(detectBeats(ecg, 250, { whenUnclear: 'guess' })).toEqual(detectBeats(ecg, 250));
  });

  it('takes no step of constant padding at the ends for a beat', () => {
    const beats = rhythm(20, 66);
    const x = drawEcg({ rateHz: 250, seconds: 20, beats });
    const padded = new Float64Array(5000 + 700);
    padded.fill(2, 0, 200);
    padded.set(x, 200);
    padded.fill(1.5, 5200, 5450);
    const expected = beats.map((beat) => beat + 0.8);
    const found = detectBeats(padded, 250);
    expectBeats(found, expected, 0.01);
  });

  it('gives ascending times within the signal for any numbers', () => {
    fc.assert(
      fc.property(fc.float64Array({ maxLength: 600, min: -1e6, max: 1e6 }), (x) => {
        for (const whenUnclear of ['none', 'guess'] as const) {
          const beats = detectBeats(x, 100, { whenUnclear });
          for (const [i, beat] of beats.entries()) {
            expect(beat >= 0 && beat < x.length / 100).toBe(true);
            if (i > 0) expect(beat).toBeGreaterThan(beats[i - 1]!);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([50, 64, 100, 128, 130, 360, 1000])('is defined for what no heart sends, at %d Hz', (rateHz) => {
    const random = new Random(3);
    const long = (of: (i: number) => number) => Float64Array.from({ length: 12 * rateHz }, (_, i) => of(i));
    const ecg = drawEcg({ rateHz, seconds: 12, beats: rhythm(12, 70) });
    const signals = [
      Float64Array.of(1, 2),
      Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY),
      long(() => 0),
      long((i) => (i === 500 ? 1 : 0)),
      long((i) => (i % 2 === 0 ? 1e300 : -1e300)),
      long(() => 1e-300 * random.normal()),
      long((i) => (random.normal() > 0 ? Number.NaN : i)),
      long((i) => Math.sin((2 * Math.PI * 50 * i) / rateHz)),
      long((i) => Math.sign(Math.sin(i / rateHz))),
      ecg.map((value) => value * 1e150),
      ecg.map((value) => value * 1e-150),
      ecg.map((value, i) => (i > ecg.length / 2 ? 0 : value)),
    ];
    for (const [i, x] of signals.entries())
      for (const whenUnclear of ['none', 'guess'] as const) {
        const beats = detectBeats(x, rateHz, { whenUnclear });
        expect(
          beats.every((beat, k) => beat >= 0 && beat < x.length / rateHz && !(beat <= beats[k - 1]!)),
          `signal ${i}`,
        ).toBe(true);
      }
  });

  it('leaves its input as it was and refuses low rates', () => {
    const x = drawEcg({ rateHz: 200, seconds: 5, beats: [1, 2, 3, 4] });
    const before = Float64Array.from(x);
    detectBeats(x, 200);
    expect(x).toEqual(before);
    expect(() => detectBeats(x, 49)).toThrow(
      'beats: the rate is 49 Hz. R peaks need 50 Hz or more; resample first.',
    );
    expect(() => detectBeats(x, Number.NaN)).toThrow(ConfigError);
  });
});

const mitdb = join(import.meta.dirname, '../../../shared/data/mitdb');

/** First signal of a two-channel record in WFDB format 212: two 12-bit samples in three bytes. */
function readFirstSignal(record: string): Float64Array {
  const bytes = readFileSync(join(mitdb, `${record}.dat`));
  return Float64Array.from({ length: bytes.length / 3 }, (_, i) => {
    const raw = bytes[3 * i]! | ((bytes[3 * i + 1]! & 15) << 8);
    return (raw >= 2048 ? raw - 4096 : raw) / 200;
  });
}

/** Times of the annotated beats (WFDB annotation codes 1–13, 25, 30, 31, 34, 38, 41), in seconds. */
function readBeatTimes(record: string): number[] {
  const bytes = readFileSync(join(mitdb, `${record}.atr`));
  const words = new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
  const codes = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 25, 30, 31, 34, 38, 41]);
  const times: number[] = [];
  let sample = 0;
  for (let i = 0; i < words.length && words[i] !== 0; i++) {
    const code = words[i]! >> 10;
    const value = words[i]! & 1023;
    if (code === 59) {
      sample += (words[i + 1]! << 16) | words[i + 2]! | 0;
      i += 2;
    } else if (code === 63) i += Math.ceil(value / 2);
    else if (code < 60) {
      sample += value;
      if (codes.has(code)) times.push(sample / 360);
    }
  }
  return times;
}

describe.skipIf(!existsSync(mitdb))('detectBeats on MIT-BIH (needs ../shared)', () => {
  it.each([
    ['100', 2273, 0.999, 0.999, 0.999],
    ['208', 2955, 0.994, 0.998, 0.99],
  ])(
    'record %s: sensitivity and positive predictivity within 150 ms, sensitivity within 50 ms',
    (record, count, sensitivity, predictivity, sensitivityWithin50) => {
      const expected = readBeatTimes(record);
      expect(expected).toHaveLength(count);
      const found = detectBeats(readFirstSignal(record), 360);
      const match = matchBeats(expected, found);
      expect(match.sensitivity).toBeGreaterThan(sensitivity);
      expect(match.positivePredictivity).toBeGreaterThan(predictivity);
      const near = matchBeats(expected, found, { toleranceSeconds: 0.05 });
      expect(near.sensitivity).toBeGreaterThan(sensitivityWithin50);
    },
  );
});
