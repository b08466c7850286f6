import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { type ArtefactName, findArtefacts } from '../../src/signal/artefacts.ts';
import { findBadChannels } from '../../src/signal/artefacts-channels.ts';
import { drawBlinks, drawEeg, rateHz } from './draw-eeg.ts';

const clean = drawEeg(new Random(1), 20);
const random = new Random(2);
/** Clean EEG with something on the samples from 4 to 6 s, which is the third window. */
const spoilt = (of: (value: number, second: number) => number) =>
  clean.map((value, i) => (i >= 4 * rateHz && i < 6 * rateHz ? of(value, i / rateHz - 4) : value));

describe('findArtefacts', () => {
  it('flags nothing in clean EEG', () => {
    const windows = findArtefacts(clean, rateHz, { frontal: true });
    expect(windows).toHaveLength(10);
    expect(windows.map(({ flags }) => flags)).toEqual(windows.map(() => []));
    expect(windows[9]).toMatchObject({ start: 18, end: 20 });
  });

  const blink = drawBlinks([1], 2);
  it.each<[ArtefactName, Float64Array, object?]>([
    ['missing', spoilt((value, t) => (t > 1.9 ? Number.NaN : value))],
    ['flat', spoilt(() => 3)],
    ['clipped', spoilt((value) => Math.max(-4, Math.min(value, 4)))],
    ['range', spoilt((value, t) => (t === 1 ? 60 : value)), { range: [-50, 50] }],
    ['amplitude', spoilt((value, t) => value + 130 * Math.sin(3 * t))],
    ['pop', spoilt((value, t) => value + (t > 0.7 ? 80 : 0))],
    ['mains', spoilt((value, t) => value + 20 * Math.sin(2 * Math.PI * 50 * t))],
    ['muscle', spoilt((value) => value + 25 * random.normal())],
    ['blink', spoilt((value, t) => value + blink[Math.round(t * rateHz)]!), { frontal: true }],
  ])('flags %s where it is', (name, x, options = {}) => {
    const windows = findArtefacts(x, rateHz, options);
    expect(windows[2]!.flags).toContain(name);
    for (const [w, { flags }] of windows.entries()) if (w !== 2) expect(flags).not.toContain(name);
  });

  it('does not take a large single sample for a pop, or a slow wave for a blink', () => {
    const spike = spoilt((value, t) => (t === 1 ? value + 90 : value));
    expect(findArtefacts(spike, rateHz)[2]!.flags).not.toContain('pop');
    const slow = spoilt((value, t) => value + 90 * Math.sin(Math.PI * t));
    expect(findArtefacts(slow, rateHz, { frontal: true })[2]!.flags).not.toContain('blink');
  });

  it('takes the unit, thresholds of your own, and any numbers', () => {
    const volts = spoilt((value, t) => value + 130 * Math.sin(3 * t)).map((value) => value * 1e-6);
    expect(findArtefacts(volts, rateHz, { unitMicrovolts: 1e6 })[2]!.flags).toContain('amplitude');
    expect(findArtefacts(clean, rateHz, { thresholds: { amplitude: 1 } })[0]!.flags).toEqual(['amplitude']);
    expect(findArtefacts(new Float64Array(0), rateHz)).toEqual([]);
    expect(findArtefacts(new Float64Array(2).fill(Number.NaN), rateHz)[0]!.flags).toEqual([
      'missing',
      'flat',
    ]);
    expect(() => findArtefacts(clean, rateHz, { windowSeconds: 0.1 })).toThrow('windows of 0.1 s');
    fc.assert(
      fc.property(fc.float64Array({ maxLength: 300 }), (x) => {
        for (const { start, end } of findArtefacts(x, 50, { frontal: true }))
          expect(end).toBeGreaterThan(start);
      }),
      { numRuns: 60 },
    );
  });
});

describe('findBadChannels', () => {
  /** Ten channels that share most of what they see, as a scalp does. */
  const scalp = (): Float64Array[] => {
    const source = [drawEeg(new Random(5), 10), drawEeg(new Random(6), 10)];
    const own = new Random(7);
    return Array.from({ length: 10 }, (_, c) =>
      Float64Array.from(
        { length: 10 * rateHz },
        (_, t) => source[0]![t]! + (c / 10) * source[1]![t]! + own.normal(),
      ),
    );
  };

  it('finds nothing wrong with a good recording', () => {
    expect(findBadChannels(scalp(), rateHz).map(({ reasons }) => reasons)).toEqual(scalp().map(() => []));
  });

  it.each([
    ['flat', (row: Float64Array) => row.fill(2)],
    ['missing', (row: Float64Array) => row.fill(Number.NaN, 0, 400)],
    ['deviation', (row: Float64Array) => row.map((value) => value * 30)],
    ['deviation', (row: Float64Array) => row.map((value) => value / 100)],
    ['noise', (row: Float64Array) => row.map((value, t) => value + 20 * (t % 2))],
    ['correlation', () => drawEeg(new Random(11), 10)],
  ] as const)('finds %s', (reason, spoil) => {
    const rows = scalp();
    rows[4] = spoil(rows[4]!);
    const verdicts = findBadChannels(rows, rateHz);
    expect(verdicts[4]!.reasons).toContain(reason);
    for (const [c, { reasons }] of verdicts.entries()) if (c !== 4) expect(reasons).toEqual([]);
  });

  it('is defined for few, short and broken channels', () => {
    expect(findBadChannels([], rateHz)).toEqual([]);
    for (const rows of [
      [new Float64Array(3)],
      [new Float64Array(0), new Float64Array(0)],
      [Float64Array.of(1, 2), Float64Array.of(Number.NaN, Number.NaN)],
    ])
      expect(findBadChannels(rows, rateHz)).toHaveLength(rows.length);
    expect(findBadChannels(scalp(), 90)[0]!.noise).toBeNaN();
    expect(() => findBadChannels([new Float64Array(3), new Float64Array(4)], rateHz)).toThrow('3, 4 samples');
  });
});
