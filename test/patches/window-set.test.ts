import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { type PreparedRecording, prepareRecording } from '../../src/patches/prepare.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { concatWindowSets, selectWindows, WindowSetBuilder } from '../../src/patches/window-set.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import { memoryRecording } from './memory-recording.ts';

function recipeOf(window: object = {}, channels = ['A', 'B']) {
  return parseRecipe({
    version: 1,
    signals: { eeg: { channels, scaleMicrovolts: 100 } },
    window: { lengthSeconds: 2, stepSeconds: 2, ...window },
  });
}

/** Spans of two channels: A holds 100 × the sample's time in seconds, B its negative; `change` spoils values. */
function prepared(
  spans: readonly (readonly [start: number, seconds: number])[],
  change: (rows: [Float64Array, Float64Array]) => void = () => {},
): PreparedRecording {
  return {
    beats: Float64Array.of(1, 2),
    facts: [],
    spans: spans.map(([start, seconds]) => {
      const a = Float64Array.from({ length: Math.round(200 * seconds) }, (_, i) => 100 * (start + i / 200));
      const rows: [Float64Array, Float64Array] = [a, a.map((x) => -x)];
      change(rows);
      return { start, lengthSamples: a.length, signals: { eeg: rows } };
    }),
  };
}

async function setOf(
  recording: PreparedRecording,
  recipe = recipeOf(),
  source: { subject: string; trial: string; label?: number } = { subject: 's', trial: 't', label: 0 },
): Promise<WindowSet> {
  const builder = new WindowSetBuilder(recipe, ['rest', 'task']);
  builder.add(recording, source);
  return builder.finish();
}

describe('WindowSetBuilder', () => {
  it('cuts windows of all channels, divided by the scale', async () => {
    const set = await setOf(prepared([[0, 7]]));
    expect([...set.start]).toEqual([0, 2, 4]);
    const { channels, patches, patchSamples, data } = set.signals.eeg!;
    expect([channels, patches, patchSamples, data.length]).toEqual([['A', 'B'], 2, 200, 3 * 2 * 400]);
    // Window 1, channel B, sample 399: −(2 + 1.995) seconds.
    expect(data[1 * 800 + 400 + 399]).toBeCloseTo(-3.995, 6);
    expect(data[2 * 800]).toBeCloseTo(4, 6);
    expect([...set.label!]).toEqual([0, 0, 0]);
    expect(set.beats.get('t')).toEqual(Float64Array.of(1, 2));
  });

  it('never cuts a window across a gap', async () => {
    const spans = [
      { start: 0, duration: 5 },
      { start: 10, duration: 3 },
      { start: 20, duration: 1.5 },
    ];
    // The value of each sample is its place among the stored ones, which have no gap.
    const samples = Float64Array.from({ length: 1900 }, (_, i) => i);
    const recording = memoryRecording([{ name: 'A', unit: 'uV', rateHz: 200, samples }], spans);
    const recipe = recipeOf({ stepSeconds: 1 }, ['A']);
    const set = await setOf(await prepareRecording(recording, recipe), recipe);
    expect([...set.start]).toEqual([0, 1, 2, 3, 10, 11]);
    const firsts = [...set.start.keys()].map((w) => Math.round(set.signals.eeg!.data[w * 400]! * 100));
    expect(firsts).toEqual([0, 200, 400, 600, 1000, 1200]);
  });

  it('begins windows a step apart, inside their span, as many as fit', async () => {
    const recipe = recipeOf({ stepSeconds: 0.37 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 1, maxLength: 4 }),
        async (lengths) => {
          const set = await setOf(prepared(lengths.map((seconds, i) => [100 * i, seconds])), recipe);
          const expected = lengths.flatMap((seconds, i) =>
            Array.from({ length: Math.floor((seconds - 2) / 0.37 + 1e-9) + 1 }, (_, k) => 100 * i + 0.37 * k),
          );
          expect(set.count).toBe(expected.length);
          for (const [i, start] of set.start.entries()) expect(start).toBeCloseTo(expected[i]!, 9);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('cuts no window that lacks its last sample', async () => {
    // Nor does it count one as dropped: it never was.
    expect(await setOf(prepared([[0, 799 / 200]]))).toMatchObject({ count: 1, dropped: [] });
    expect((await setOf(prepared([[0, 800 / 200]]))).count).toBe(2);
  });

  it('drops windows with missing samples, flat channels or large values, and counts each reason', async () => {
    const recording = prepared([[0, 10]], ([a, b]) => {
      a[450] = Number.NaN; // window 1
      b.fill(5, 800, 1200); // window 2
      a[1300] = -5000; // window 3
    });
    const recipe = recipeOf({ maxAbsMicrovolts: 1200 });
    const set = await setOf(recording, recipe);
    expect([...set.start]).toEqual([0, 8]);
    expect(set.dropped).toEqual([
      { what: 'window', reason: 'missing samples in A', count: 1, examples: ['t at 2 s'] },
      { what: 'window', reason: 'flat B', count: 1, examples: ['t at 4 s'] },
      { what: 'window', reason: 'beyond ±1200 µV', count: 1, examples: ['t at 6 s'] },
    ]);
  });

  it('keeps flat windows and large values where the recipe keeps them', async () => {
    const recording = prepared([[0, 4]], ([a, b]) => {
      a[10] = 1e6;
      b.fill(5);
    });
    expect((await setOf(recording, recipeOf({ dropFlat: false }))).count).toBe(2);
  });

  it('keeps a value at the limit and drops one beyond it, on either side', async () => {
    for (const [value, count] of [
      [900, 1],
      [900.1, 0],
      [-900.1, 0],
    ] as const) {
      const builder = new WindowSetBuilder(recipeOf({ maxAbsMicrovolts: 900 }));
      const recording = prepared([[0, 4]], ([a]) => {
        a[500] = value;
      });
      builder.add(recording, { subject: 's', trial: 't' });
      expect((await builder.finish()).count).toBe(1 + count);
    }
  });

  it('counts everything and gives at most ten examples', async () => {
    const set = await setOf(
      prepared([[0, 60]], ([a]) => {
        a.fill(Number.NaN, 0, 400 * 25);
      }),
    );
    expect(set.count).toBe(5);
    expect(set.dropped[0]!.count).toBe(25);
    expect(set.dropped[0]!.examples).toHaveLength(10);
  });

  it('counts a recording without a long enough stretch, and the facts of its preparation', async () => {
    const builder = new WindowSetBuilder(recipeOf());
    builder.add(
      prepared([
        [0, 1],
        [5, 1],
      ]),
      { subject: 's', trial: 'short' },
    );
    builder.add(
      { ...prepared([[0, 4]]), facts: [{ what: 'channel', reason: 'flat', example: 'long A' }] },
      { subject: 's', trial: 'long' },
    );
    const set = await builder.finish();
    expect(set.trial).toEqual(['long', 'long']);
    expect(set.dropped).toEqual([
      { what: 'recording', reason: 'no stretch of 2 s without a gap', count: 1, examples: ['short'] },
      { what: 'channel', reason: 'flat', count: 1, examples: ['long A'] },
    ]);
  });

  it('gives the reasons where no window is left', async () => {
    await expect(setOf(prepared([[0, 1]]))).rejects.toThrow(
      new DataError(
        "windows: none is left (1 × recording: no stretch of 2 s without a gap). Check the recipe's window.",
      ),
    );
  });

  it('labels no window unless every source has a label', async () => {
    const builder = new WindowSetBuilder(recipeOf(), ['rest', 'task']);
    builder.add(prepared([[0, 2]]), { subject: 's', trial: 'a', label: 1 });
    builder.add(prepared([[0, 2]]), { subject: 's', trial: 'b' });
    expect((await builder.finish()).label).toBeUndefined();
  });
});

describe('hash', () => {
  it('is the same for the same windows and changes with any of data, label, subject, trial and recipe', async () => {
    const source = { subject: 's', trial: 't', label: 0 };
    const one = prepared([[0, 4]]);
    const hashes = await Promise.all([
      setOf(one),
      setOf(prepared([[0, 4]], ([, b]) => (b[799]! += 0.01))),
      setOf(one, recipeOf(), { ...source, label: 1 }),
      setOf(one, recipeOf(), { ...source, subject: 'other' }),
      setOf(one, recipeOf(), { ...source, trial: 'other' }),
      setOf(one, recipeOf({ dropFlat: false })),
    ]).then((sets) => sets.map(({ hash }) => hash));
    expect(new Set(hashes).size).toBe(hashes.length);
    expect((await setOf(prepared([[0, 4]]))).hash).toBe(hashes[0]);
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('selectWindows', () => {
  it('takes the windows at the indices, in their order, with all that belongs to them', async () => {
    const builder = new WindowSetBuilder(recipeOf(), ['rest', 'task']);
    builder.add(prepared([[0, 4]]), { subject: 'x', trial: 'x1', label: 0 });
    builder.add(prepared([[50, 4]]), { subject: 'y', trial: 'y1', label: 1 });
    const set = await builder.finish();
    const part = selectWindows(set, [3, 0]);
    expect(part).toMatchObject({ count: 2, subject: ['y', 'x'], trial: ['y1', 'x1'] });
    expect([...part.start]).toEqual([52, 0]);
    expect([...part.label!]).toEqual([1, 0]);
    expect(part.signals.eeg!.data).toEqual(
      Float32Array.of(
        ...set.signals.eeg!.data.subarray(3 * 800, 4 * 800),
        ...set.signals.eeg!.data.subarray(0, 800),
      ),
    );
    expect(part.recipe).toBe(set.recipe);
  });

  it('names each selection differently, whatever its size', async () => {
    const set = await setOf(prepared([[0, 12]]));
    const selections = [[0, 1], [2, 3], [1, 0], [0, 1, 2], [0], []];
    const hashes = selections.map((indices) => selectWindows(set, indices).hash);
    expect(new Set([...hashes, set.hash]).size).toBe(selections.length + 1);
    expect(selectWindows(set, Int32Array.of(2, 3)).hash).toBe(hashes[1]);
  });
});

describe('concatWindowSets', () => {
  it('puts sets one after another', async () => {
    const a = await setOf(prepared([[0, 4]]), recipeOf(), { subject: 'x', trial: 'x1', label: 1 });
    const b = await setOf(
      prepared([
        [50, 2],
        [60, 1],
      ]),
      recipeOf(),
      { subject: 'y', trial: 'y1', label: 0 },
    );
    const both = await concatWindowSets([a, b]);
    expect(both).toMatchObject({ count: 3, subject: ['x', 'x', 'y'], trial: ['x1', 'x1', 'y1'] });
    expect([...both.start]).toEqual([0, 2, 50]);
    expect([...both.label!]).toEqual([1, 1, 0]);
    expect([...both.beats.keys()]).toEqual(['x1', 'y1']);
    expect(both.signals.eeg!.data.subarray(0, 1600)).toEqual(a.signals.eeg!.data);
    expect(both.signals.eeg!.data.subarray(1600)).toEqual(b.signals.eeg!.data);
    expect(new Set([a.hash, b.hash, both.hash, (await concatWindowSets([b, a])).hash]).size).toBe(4);
    expect(await concatWindowSets([a])).toBe(a);
  });

  it('drops the labels where one set has none', async () => {
    const a = await setOf(prepared([[0, 4]]));
    const b = await setOf(prepared([[0, 4]]), recipeOf(), { subject: 'y', trial: 'y1' });
    expect((await concatWindowSets([a, b])).label).toBeUndefined();
  });

  it('refuses sets of other channels, recipes or classes, and none', async () => {
    const a = await setOf(prepared([[0, 4]]));
    const turned = await setOf(prepared([[0, 4]]), recipeOf({}, ['B', 'A']));
    const unfiltered = await setOf(prepared([[0, 4]]), recipeOf({ maxAbsMicrovolts: 9999 }));
    await expect(concatWindowSets([a, turned])).rejects.toThrow(
      new DataError('windows: sets of [eeg A B × 2] and [eeg B A × 2] cannot be joined. Use one recipe.'),
    );
    await expect(concatWindowSets([a, unfiltered])).rejects.toThrow(
      'sets of different recipes cannot be joined',
    );
    await expect(concatWindowSets([a, { ...a, classes: ['task', 'rest'] }])).rejects.toThrow(
      'windows: sets of classes [rest, task] and [task, rest] cannot be joined. Use one target.',
    );
    await expect(concatWindowSets([])).rejects.toThrow('windows: no set was given.');
  });
});
