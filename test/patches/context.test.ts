import { describe, expect, it } from 'vitest';
import { contextSpan } from '../../src/patches/context.ts';
import { prepareRecording } from '../../src/patches/prepare.ts';
import { parseRecipe, type Recipe } from '../../src/patches/recipe.ts';
import { recordingWindows } from '../../src/patches/recording-windows.ts';
import { concatWindowSets, selectWindows, WindowSetBuilder } from '../../src/patches/window-set.ts';
import type { Modality, WindowSet } from '../../src/patches/windows.ts';
import { memoryRecording } from './memory-recording.ts';

/** EEG of 2 s with ECG of 5 s, a window every second; 0 for a signal as long as the window. */
function recipeOf(
  { eeg = 0, ecg = 5 }: { readonly eeg?: number; readonly ecg?: number } = {},
  window: object = {},
): Recipe {
  const context = (seconds: number) => (seconds === 0 ? {} : { contextSeconds: seconds });
  return parseRecipe({
    version: 1,
    signals: {
      eeg: { channels: ['Fz', 'Cz'], scaleMicrovolts: 1, ...context(eeg) },
      ecg: { channels: ['ECG'], scaleMicrovolts: 1, ...context(ecg) },
    },
    window: {
      lengthSeconds: 2,
      stepSeconds: 1,
      ...(eeg + ecg > 0 && { contextAcross: 'condition' }),
      ...window,
    },
  });
}

/** Every sample is its time in seconds, negative in Cz; the spans' samples are stored without their gaps. */
function recordingOf(
  spans: readonly (readonly [start: number, seconds: number])[],
  change: (channels: Record<'Fz' | 'Cz' | 'ECG', Float64Array>) => void = () => {},
) {
  const time = Float64Array.from(
    spans.flatMap(([start, seconds]) =>
      Array.from({ length: Math.round(200 * seconds) }, (_, i) => start + i / 200),
    ),
  );
  const channels = { Fz: time.slice(), Cz: time.map((t) => -t), ECG: time.slice() };
  change(channels);
  return memoryRecording(
    Object.entries(channels).map(([name, samples]) => ({ name, unit: 'uV', rateHz: 200, samples })),
    spans.map(([start, duration]) => ({ start, duration })),
  );
}

/** First and last sample of a modality's first channel in every window: here they are times. */
function reach({ signals, count }: WindowSet, modality: Modality): [number, number][] {
  const { data, patches, patchSamples } = signals[modality]!;
  const length = patches * patchSamples;
  return Array.from({ length: count }, (_, w) => {
    const at = (w * data.length) / count;
    return [data[at]!, Math.round((data[at + length - 1]! + 0.005) * 1000) / 1000];
  });
}

const droppedWindows = ({ dropped }: WindowSet) => dropped.filter(({ what }) => what === 'window');

describe('a context', () => {
  it('ends with its window and reaches back before it; at the beginning it is the first seconds', async () => {
    const set = await recordingWindows(recordingOf([[0, 8]]), recipeOf());
    expect([...set.start]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([set.signals.eeg!.patches, set.signals.ecg!.patches]).toEqual([2, 5]);
    expect(set.signals.eeg!.data.length).toBe(7 * 2 * 400);
    expect(set.signals.ecg!.data.length).toBe(7 * 1000);
    expect(reach(set, 'eeg')).toEqual([...set.start].map((start) => [start, start + 2]));
    expect(reach(set, 'ecg')).toEqual([
      [0, 5],
      [0, 5],
      [0, 5],
      [0, 5],
      [1, 6],
      [2, 7],
      [3, 8],
    ]);
    expect([...set.history!]).toEqual([0, 1, 2, 3, 3, 3, 3]);
    for (let w = 0; w < set.count; w++) {
      expect(contextSpan(set, 'ecg', w)).toEqual(reach(set, 'ecg')[w]);
      expect(contextSpan(set, 'eeg', w)).toEqual(reach(set, 'eeg')[w]);
    }
    // Every sample, not only the ends; the second EEG channel too.
    const wanted = Float32Array.from({ length: 1000 }, (_, i) => 3 + i / 200);
    expect(set.signals.ecg!.data.subarray(6000)).toEqual(wanted);
    expect(set.signals.eeg!.data.subarray(800 * 6 + 400)).toEqual(
      Float32Array.from({ length: 400 }, (_, i) => -(6 + i / 200)),
    );
  });

  it('may be longer for both, and changes no window: the same starts, the same signal of the other', async () => {
    const recording = recordingOf([[0, 9]]);
    const plain = await recordingWindows(recording, recipeOf({ ecg: 0 }));
    const one = await recordingWindows(recording, recipeOf());
    const both = await recordingWindows(recording, recipeOf({ eeg: 3, ecg: 6 }));
    expect(plain.history).toBeUndefined();
    expect(one.start).toEqual(plain.start);
    expect(one.signals.eeg).toEqual(plain.signals.eeg);
    expect(both.start).toEqual(plain.start);
    expect(reach(both, 'eeg').slice(0, 4)).toEqual([
      [0, 3],
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(reach(both, 'ecg').slice(3, 6)).toEqual([
      [0, 6],
      [0, 6],
      [1, 7],
    ]);
    expect(contextSpan(both, 'eeg', 1)).toEqual([0, 3]);
    expect(contextSpan(both, 'ecg', 5)).toEqual([1, 7]);
    // A context as long as the window is none.
    expect((await recordingWindows(recording, recipeOf({ ecg: 2 }))).signals).toEqual(plain.signals);
  });

  it('never looks ahead where the recipe says drop, and counts what it costs', async () => {
    const set = await recordingWindows(recordingOf([[0, 8]]), recipeOf({}, { contextAtStart: 'drop' }));
    expect([...set.start]).toEqual([3, 4, 5, 6]);
    expect(reach(set, 'ecg')).toEqual([...set.start].map((start) => [start - 3, start + 2]));
    expect(droppedWindows(set)).toEqual([
      {
        ...{ what: 'window', reason: 'less than 5 s of ecg without a gap up to its end', count: 3 },
        examples: ['memory at 0 s', 'memory at 1 s', 'memory at 2 s'],
      },
    ]);
  });

  it('crosses no gap; a stretch shorter than it gives no window', async () => {
    const spans = [
      [0, 6],
      [10, 4],
      [20, 7],
    ] as const;
    const set = await recordingWindows(recordingOf(spans), recipeOf());
    expect([...set.start]).toEqual([0, 1, 2, 3, 4, 20, 21, 22, 23, 24, 25]);
    expect(reach(set, 'ecg').map(([from]) => from)).toEqual([0, 0, 0, 0, 1, 20, 20, 20, 20, 21, 22]);
    expect(droppedWindows(set)).toEqual([
      {
        ...{ what: 'window', reason: 'no 5 s of ecg without a gap around it', count: 3 },
        examples: ['memory at 10 s', 'memory at 11 s', 'memory at 12 s'],
      },
    ]);
  });

  it('does not cross the beginning or the end of a trial', async () => {
    const recipe = recipeOf();
    const recording = recordingOf([[0, 30]]);
    const builder = new WindowSetBuilder(recipe);
    const prepared = await prepareRecording(recording, recipe, { start: 10, end: 16 });
    builder.add(prepared, { subject: 's', trial: 't' });
    const set = await builder.finish();
    expect(reach(set, 'ecg')).toEqual([
      [10, 15],
      [10, 15],
      [10, 15],
      [10, 15],
      [11, 16],
    ]);
    const short = { ...(await prepareRecording(recording, recipe, { start: 10, end: 14 })), facts: [] };
    const none = new WindowSetBuilder(recipe);
    none.add(short, { subject: 's', trial: 't' });
    await expect(none.finish()).rejects.toThrow('none is left (3 × window: no 5 s of ecg without a gap');
  });

  it('with missing samples drops its window; limits and flatness look at the window alone', async () => {
    const recording = recordingOf([[0, 12]], ({ Fz, ECG }) => {
      ECG[300] = Number.NaN; // 1.5 s
      ECG.fill(7, 1200, 1700); // flat from 6 to 8.5 s
      ECG[1900] = 900; // 9.5 s
      Fz[2399] = 900;
    });
    const set = await recordingWindows(recording, recipeOf({}, { maxAbsMicrovolts: 500 }));
    const byReason = Object.fromEntries(
      droppedWindows(set).map(({ reason, examples }) => [reason, examples]),
    );
    expect(byReason).toEqual({
      'missing samples in ECG': ['memory at 0 s', 'memory at 1 s'],
      'missing samples in ECG in its context of 5 s': ['memory at 2 s', 'memory at 3 s', 'memory at 4 s'],
      'flat ECG': ['memory at 6 s'],
      'beyond ±500 µV': ['memory at 8 s', 'memory at 9 s', 'memory at 10 s'],
    });
    expect([...set.start]).toEqual([5, 7]);
  });

  it('stays with its window in selections and joined sets', async () => {
    const recipe = recipeOf();
    const a = await recordingWindows(recordingOf([[0, 6]]), recipe);
    const b = await recordingWindows(recordingOf([[50, 6]]), recipe);
    const both = await concatWindowSets([a, b]);
    expect([...both.history!]).toEqual([0, 1, 2, 3, 3, 0, 1, 2, 3, 3]);
    const part = selectWindows(both, [9, 0]);
    expect(reach(part, 'ecg')).toEqual([
      [51, 56],
      [0, 5],
    ]);
    expect([contextSpan(part, 'ecg', 0), contextSpan(part, 'ecg', 1)]).toEqual(reach(part, 'ecg'));
    const other = await recordingWindows(recordingOf([[0, 6]]), recipeOf({ ecg: 4 }));
    await expect(concatWindowSets([a, other])).rejects.toThrow(
      'sets of [eeg Fz Cz × 2; ecg ECG × 5] and [eeg Fz Cz × 2; ecg ECG × 4] cannot be joined',
    );
    expect(other.hash).not.toBe(a.hash);
  });
});
