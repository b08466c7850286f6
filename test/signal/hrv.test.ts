/** Against NeuroKit2 and SciPy (scripts/golden/hrv.py), and on what is too short or broken. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hrvPoincare, hrvTime, sampleEntropy } from '../../src/signal/hrv.ts';
import { hrvFrequency } from '../../src/signal/hrv-frequency.ts';
import { beatIntervals } from '../../src/signal/hrv-intervals.ts';

type Values = Readonly<Record<string, number | null>>;
interface Case {
  readonly name: string;
  readonly tenthsOfMilliseconds: readonly number[];
  readonly time: Values;
  readonly frequency: Values;
  readonly normalised: Values;
  readonly coarse: Values;
  readonly poincare: Values;
  readonly entropy: number | null;
  readonly lomb: Values;
}
const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/signal/hrv.json'), 'utf8'),
) as { cases: readonly Case[] };

/** Largest relative difference allowed; NeuroKit2's null (NaN) is our NaN. */
function expectEqual(ours: number, theirs: number | null | undefined, what: string, tolerance = 1e-6): void {
  if (theirs === null || theirs === undefined) expect(ours, what).toBeNaN();
  else
    expect(
      Math.abs(ours - theirs) / Math.abs(theirs || 1),
      `${what}: ${ours} against ${theirs}`,
    ).toBeLessThan(tolerance);
}

/** Our name → NeuroKit2's, where definitions agree. */
const timeNames = {
  meanNN: 'MeanNN',
  medianNN: 'MedianNN',
  minNN: 'MinNN',
  maxNN: 'MaxNN',
  sdnn: 'SDNN',
  rmssd: 'RMSSD',
  sdsd: 'SDSD',
  cvnn: 'CVNN',
  cvsd: 'CVSD',
  madNN: 'MadNN',
  iqrNN: 'IQRNN',
  pnn50: 'pNN50',
  pnn20: 'pNN20',
  hti: 'HTI',
} as const;
const bandNames = {
  vlf: 'VLF',
  lf: 'LF',
  hf: 'HF',
  vhf: 'VHF',
  total: 'TP',
  lfHf: 'LFHF',
  lfShare: 'LFn',
  hfShare: 'HFn',
  lnHf: 'LnHF',
} as const;

describe.each(cases)('heart rate variability of $name, as NeuroKit2', (series) => {
  const intervals = beatIntervals(series.tenthsOfMilliseconds.map((time) => time / 1e4));

  it('time domain', () => {
    const ours = hrvTime(intervals);
    for (const [name, theirs] of Object.entries(timeNames))
      expectEqual(ours[name as keyof typeof timeNames], series.time[`HRV_${theirs}`], name);
    expect(Number.isNaN(ours.sdann5)).toBe(series.name !== 'drawn');
  });

  it('Poincaré plot and sample entropy', () => {
    const ours = hrvPoincare(intervals);
    expectEqual(ours.sd1, series.poincare.SD1, 'SD1');
    expectEqual(ours.sd2, series.poincare.SD2, 'SD2');
    expectEqual(ours.sd1sd2, series.poincare.SD1SD2, 'SD1SD2');
    expectEqual(ours.area, series.poincare.S, 'S');
    if (series.entropy !== null) expectEqual(sampleEntropy(intervals), series.entropy, 'sample entropy');
  });

  it.each([
    ['frequency', {}],
    ['normalised', { normalise: true }],
    ['coarse', { resampleHz: 4 }],
  ] as const)('Welch, %s', (key, options) => {
    const ours = hrvFrequency(intervals, options);
    for (const [name, theirs] of Object.entries(bandNames)) {
      const value = series[key][`HRV_${theirs}`];
      // NeuroKit2's sum of nothing is 0.
      expectEqual(ours[name as keyof typeof bandNames], theirs === 'TP' && value === 0 ? null : value, name);
    }
  });

  it('Lomb–Scargle, as SciPy', () => {
    const ours = hrvFrequency(intervals, { method: 'lomb-scargle' });
    for (const band of ['vlf', 'lf', 'hf', 'vhf'] as const)
      expectEqual(ours[band], series.lomb[band] || null, band);
  });
});

describe('heart rate variability without an oracle', () => {
  it('has the power of a known oscillation, in either spectrum', () => {
    const beats = [0];
    while (beats.at(-1)! < 600) {
      const t = beats.at(-1)!;
      beats.push(t + 0.9 + 0.03 * Math.sin(2 * Math.PI * 0.1 * t) + 0.02 * Math.sin(2 * Math.PI * 0.25 * t));
    }
    for (const method of ['welch', 'lomb-scargle'] as const) {
      const { lf, hf, lowestHz } = hrvFrequency(beatIntervals(beats), { method });
      expect(lf / 450).toBeGreaterThan(0.9); // 30² / 2 ms²
      expect(lf / 450).toBeLessThan(1.1);
      expect(hf / 200).toBeGreaterThan(0.8);
      expect(hf / 200).toBeLessThan(1.2);
      expect(lowestHz).toBeLessThan(0.01);
    }
  });

  it('gives reasons instead of values that the length does not allow', () => {
    const short = hrvFrequency(beatIntervals([0, 1, 2.1]));
    expect(short.hf).toBeNaN();
    expect(short.reasons[0]).toBe('2 intervals are too few for a spectrum; 4 or more are needed.');
    const minute = hrvFrequency(beatIntervals(Array.from({ length: 60 }, (_, i) => i + 0.03 * Math.sin(i))));
    expect(minute.hf).toBeGreaterThan(0);
    expect(minute.reasons.some((reason) => reason.startsWith('vlf: no power resolved'))).toBe(true);
    expect(minute.reasons.some((reason) => reason.startsWith('lf: cut off below 0.06'))).toBe(true);
    const far = hrvFrequency(beatIntervals([0, 1, 2, 3, 4, 1e9]));
    expect(far.reasons[0]).toMatch(/too many; use a lower rate/);
  });

  it('is defined or NaN for any beats, and never throws', () => {
    const anything = fc.array(fc.double(), { maxLength: 30 });
    const beatLike = fc
      .array(fc.double({ min: 0, max: 40, noNaN: true }), { maxLength: 40 })
      .map((x) => x.sort((a, b) => a - b));
    fc.assert(
      fc.property(
        fc.oneof(anything, beatLike),
        fc.constantFrom('keep', 'remove', 'interpolate'),
        (beats, correction) => {
          const intervals = beatIntervals(beats, { correction });
          expect(intervals.marked).toBeLessThanOrEqual(intervals.total);
          hrvTime(intervals);
          hrvPoincare(intervals);
          sampleEntropy(intervals);
          for (const method of ['welch', 'lomb-scargle'] as const) {
            const { hf, reasons } = hrvFrequency(intervals, { method, resampleHz: 4 });
            expect(Number.isFinite(hf) || reasons.length > 0).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('beatIntervals', () => {
  const steady = (changes: Readonly<Record<number, number>> = {}) => {
    let t = 0;
    return Array.from({ length: 41 }, (_, i) => {
      const beat = t + (changes[i] ?? 0);
      t += 0.8 + 0.01 * Math.sin(i);
      return beat;
    });
  };

  it('counts an early beat as two marked intervals, and keeps, removes or replaces them', () => {
    const beats = steady({ 20: -0.3 });
    const kept = beatIntervals(beats);
    expect(kept).toMatchObject({ marked: 2, total: 40, brokenBeats: 0 });
    expect(kept.intervals).toHaveLength(40);
    const removed = beatIntervals(beats, { correction: 'remove' });
    expect(removed.intervals).toHaveLength(38);
    expect([...removed.follows.keys()].filter((i) => !removed.follows[i])).toEqual([0, 19]);
    const bridged = beatIntervals(beats, { correction: 'interpolate' });
    expect(bridged.intervals).toHaveLength(40);
    const truth = hrvTime(beatIntervals(steady())).rmssd;
    expect(hrvTime(kept).rmssd).toBeGreaterThan(5 * truth);
    expect(Math.abs(hrvTime(removed).rmssd - truth) / truth).toBeLessThan(0.1);
    expect(Math.abs(hrvTime(bridged).rmssd - truth) / truth).toBeLessThan(0.1);
  });

  it('marks a missed beat, leaves out broken ones, and follows a new rhythm', () => {
    const missed = steady().filter((_, i) => i !== 10);
    expect(beatIntervals(missed)).toMatchObject({ marked: 1, total: 39 });
    expect(beatIntervals([0, 1, Number.NaN, 2, 1.5, 3, 3])).toMatchObject({
      total: 3,
      brokenBeats: 3,
      marked: 0,
    });
    const faster = [
      ...Array.from({ length: 20 }, (_, i) => i),
      ...Array.from({ length: 20 }, (_, i) => 19.5 + i / 2),
    ];
    expect(beatIntervals(faster).marked).toBe(4);
    expect(() => beatIntervals([], { largestChange: 0 })).toThrow('beatIntervals: largestChange is 0.');
  });
});
