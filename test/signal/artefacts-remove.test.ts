/** Mixtures whose parts are known: what is left of the artefact, and what is done to clean data. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { removeBlinks, removeHeart } from '../../src/signal/artefacts-remove.ts';
import { drawBlinks, drawEeg, drawHeart, power, rateHz } from './draw-eeg.ts';

const seconds = 60;
const random = new Random(21);
const brain = Array.from({ length: 4 }, () => drawEeg(random, seconds));
const difference = (a: Float64Array, b: Float64Array) => a.map((value, t) => value - b[t]!);
const mix = (x: Float64Array, y: Float64Array, weight: number) => x.map((value, t) => value + weight * y[t]!);

describe('removeBlinks', () => {
  const times = [5, 11.3, 18, 26.1, 33, 41, 48.7, 55];
  const blinks = drawBlinks(times, seconds);
  const weights = [1, 0.6, 0.2, 0];
  const rows = brain.map((row, c) => mix(row, blinks, weights[c]!));

  it('takes the blinks out and leaves the rest bit for bit', () => {
    const result = removeBlinks(rows, rows[0]!, rateHz);
    expect(result.blinks).toHaveLength(times.length);
    for (const [c, weight] of weights.entries()) {
      expect(Math.abs(result.propagation[c]! - weight)).toBeLessThan(0.1);
      const left = power(difference(result.rows[c]!, brain[c]!));
      const was = power(difference(rows[c]!, brain[c]!));
      if (weight >= 0.5) expect(was / left).toBeGreaterThan(20); // 13 dB
      expect(left).toBeLessThan(0.06 * power(brain[c]!) + 0.05 * was);
      const changed = new Set(
        result.blinks.flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i)),
      );
      expect(changed.size).toBeLessThan(0.15 * seconds * rateHz);
      expect(result.rows[c]!.every((value, t) => changed.has(t) || value === rows[c]![t])).toBe(true);
    }
  });

  it('leaves clean data as they are', () => {
    const result = removeBlinks(brain, brain[0]!, rateHz);
    expect(result.blinks).toEqual([]);
    for (const [c, row] of brain.entries()) expect(result.rows[c]).toBe(row);
    expect(removeBlinks([new Float64Array(3)], new Float64Array(3), rateHz).blinks).toEqual([]);
    expect(() => removeBlinks([new Float64Array(3)], brain[0]!, rateHz)).toThrow(
      'a row has 3 samples, others 12000',
    );
  });
});

describe('removeHeart', () => {
  const beats = Array.from({ length: 70 }, (_, i) => 0.5 + 0.84 * i + 0.04 * Math.sin(i));
  const heart = drawHeart(
    beats.filter((beat) => beat < seconds),
    seconds,
  );

  it('takes the heart out where it is', () => {
    const weights = [30, 12, 0, 0];
    const rows = brain.map((row, c) => mix(row, heart, weights[c]!));
    const result = removeHeart(
      rows,
      beats.filter((beat) => beat < seconds - 0.01),
      rateHz,
    );
    for (const c of [0, 1]) {
      const left = power(difference(result.rows[c]!, brain[c]!));
      expect(power(difference(rows[c]!, brain[c]!)) / left).toBeGreaterThan(c === 0 ? 10 : 2);
      expect(result.evidence[c]).toBeGreaterThan(4);
    }
    for (const c of [2, 3]) {
      expect(result.rows[c]).toBe(rows[c]);
      expect(result.evidence[c]).toBeLessThan(4);
    }
  });

  it('leaves data alone without beats enough to know', () => {
    for (const few of [[], [1], beats.slice(0, 10), [Number.NaN, 2], Array<number>(30).fill(3)]) {
      const result = removeHeart(brain, few, rateHz);
      for (const [c, row] of brain.entries()) expect(result.rows[c]).toBe(row);
    }
    expect(removeHeart([], beats, rateHz).rows).toEqual([]);
    expect(() => removeHeart([new Float64Array(3), new Float64Array(4)], [], rateHz)).toThrow(
      'removeHeart: a row has 4',
    );
  });
});
