import { describe, expect, it } from 'vitest';
import { bootstrapAll, quantile, subjectBootstrap } from '../../src/metrics/bootstrap.ts';
import { golden, largestDifference } from './golden.ts';

/** Twelve people with 3 to 14 windows each, whose values differ between people. */
const subjects = Array.from({ length: 12 }, (_, s) => Array<string>(3 + s).fill(`person ${s}`)).flat();
const values = subjects.map((subject, i) => Number(subject.slice(7)) + Math.sin(i));
const mean = (indices: Int32Array) => indices.reduce((sum, i) => sum + values[i]!, 0) / indices.length;

describe('subjectBootstrap', () => {
  it('gives the same interval for the same seed and another for another', () => {
    const first = subjectBootstrap(subjects, mean, { seed: 3 });
    expect(subjectBootstrap(subjects, mean, { seed: 3 })).toEqual(first);
    expect(subjectBootstrap(subjects, mean, { seed: 4 })).not.toEqual(first);
    expect(first.low).toBeLessThan(first.mean);
    expect(first.high).toBeGreaterThan(first.mean);
  });

  it('does not depend on the order of the windows', () => {
    const order = Int32Array.from(subjects.keys()).reverse();
    const turned = subjectBootstrap(
      Array.from(order, (i) => subjects[i]!),
      (indices) => mean(indices.map((i) => order[i]!)),
      { seed: 3 },
    );
    const straight = subjectBootstrap(subjects, mean, { seed: 3 });
    expect(turned.low).toBeCloseTo(straight.low, 12);
    expect(turned.high).toBeCloseTo(straight.high, 12);
  });

  it('has no width with one subject, however many windows', () => {
    const one = subjectBootstrap(Array(50).fill('a'), (indices) => mean(indices), { samples: 100 });
    expect(one.low).toBe(one.mean);
    expect(one.high).toBe(one.mean);
  });

  it('draws all windows of a subject or none, as many subjects as there are', () => {
    const counts = new Map(subjects.map((subject) => [subject, 0]));
    for (const subject of subjects) counts.set(subject, counts.get(subject)! + 1);
    let resamples = -1; // the first call is for all windows
    const drawnSubjects = new Set<string>();
    subjectBootstrap(
      subjects,
      (indices) => {
        resamples++;
        const drawn = new Map<number, number>();
        for (const i of indices) drawn.set(i, (drawn.get(i) ?? 0) + 1);
        let people = 0;
        for (const [subject, size] of counts) {
          const times = subjects.flatMap((other, i) => (other === subject ? [drawn.get(i) ?? 0] : []));
          expect(new Set(times).size).toBe(1);
          expect(times).toHaveLength(size);
          people += times[0]!;
          if (resamples > 0) drawnSubjects.add(`${subject} ${times[0]}`);
        }
        expect(people).toBe(counts.size);
        return 0;
      },
      { samples: 50 },
    );
    expect(resamples).toBe(50);
    expect(drawnSubjects.has('person 0 0')).toBe(true);
    expect(drawnSubjects.has('person 0 2')).toBe(true);
  });

  it('draws two subjects in the proportions of drawing with replacement', () => {
    const drawn: number[] = [];
    subjectBootstrap(['a', 'a', 'a', 'b'], (indices) => drawn.push(indices.length), {
      samples: 4000,
    });
    const share = (length: number) => drawn.slice(1).filter((n) => n === length).length / 4000;
    // a a has 6 windows, a b 4, b b 2. Five standard deviations are 0.04.
    expect(Math.abs(share(6) - 0.25)).toBeLessThan(0.04);
    expect(Math.abs(share(4) - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(share(2) - 0.25)).toBeLessThan(0.04);
  });

  it('is wider than an interval of windows where windows of a subject resemble one another', () => {
    const bySubject = subjectBootstrap(subjects, mean);
    const byWindow = subjectBootstrap(
      subjects.map((_, i) => String(i)),
      mean,
    );
    expect(bySubject.high - bySubject.low).toBeGreaterThan(1.5 * (byWindow.high - byWindow.low));
  });

  it('takes the quantiles that the level asks for', () => {
    const drawn: number[] = [];
    const interval = subjectBootstrap(
      subjects,
      (indices) => {
        drawn.push(mean(indices));
        return drawn.at(-1)!;
      },
      { level: 0.8, samples: 200 },
    );
    const sorted = drawn.slice(1).sort((a, b) => a - b);
    expect(interval.mean).toBe(drawn[0]);
    expect(interval.low).toBeCloseTo(quantile(sorted, 0.1), 12);
    expect(interval.high).toBeCloseTo(quantile(sorted, 0.9), 12);
  });

  it('counts the resamples on which the statistic is not defined and leaves them out', () => {
    // Defined only where both people are drawn: in half of the resamples.
    const interval = subjectBootstrap(['a', 'b'], (indices) => (indices[0] === indices[1] ? Number.NaN : 7), {
      samples: 1000,
    });
    expect(interval).toMatchObject({ mean: 7, low: 7, high: 7 });
    expect(interval.skipped).toBeGreaterThan(400);
    expect(interval.skipped).toBeLessThan(600);
    expect(subjectBootstrap(['a'], () => Number.NaN, { samples: 5 })).toEqual({
      mean: Number.NaN,
      low: Number.NaN,
      high: Number.NaN,
      skipped: 5,
    });
  });
});

describe('bootstrapAll', () => {
  it('gives for each statistic what it has alone', () => {
    const size = (indices: Int32Array) => indices.length;
    const both = bootstrapAll(subjects, (indices) => [mean(indices), size(indices)], { seed: 9 });
    expect(both).toEqual([
      subjectBootstrap(subjects, mean, { seed: 9 }),
      subjectBootstrap(subjects, size, { seed: 9 }),
    ]);
  });
});

describe('quantile', () => {
  it('equals numpy.quantile', () => {
    expect(golden.quantiles).toHaveLength(28);
    for (const { sorted, q, value } of golden.quantiles)
      expect(largestDifference([quantile(sorted, q)], [value])).toBeLessThanOrEqual(1e-12);
  });

  it('is NaN of nothing', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});
