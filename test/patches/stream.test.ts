/** A live stream gives the values and windows of offline causal preparation, however it is cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { LiveWindows } from '../../src/patches/live-windows.ts';
import { prepareRecording } from '../../src/patches/prepare.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { recordingWindows } from '../../src/patches/recording-windows.ts';
import { causalRecipe, type PreparedChunk, StreamPreparer } from '../../src/patches/stream.ts';
import { memoryRecording } from './memory-recording.ts';

const recipe = parseRecipe({
  version: 1,
  signals: {
    eeg: {
      channels: ['Fz', 'A2-A1'],
      lowHz: 0.5,
      highHz: 45,
      notchHz: 50,
      zeroPhase: false,
      scaleMicrovolts: 100,
    },
    ecg: { channels: ['II', 'III'], lowHz: 0.5, zeroPhase: false, scaleMicrovolts: 1000 },
  },
  window: { lengthSeconds: 2, stepSeconds: 0.5, maxAbsMicrovolts: 400 },
});

/** The same with 5 s of ECG and 3 s of EEG up to the end of each window. */
const contextRecipe = parseRecipe({
  ...recipe,
  signals: {
    eeg: { ...recipe.signals.eeg, contextSeconds: 3 },
    ecg: { ...recipe.signals.ecg, contextSeconds: 5 },
  },
  window: { ...recipe.window, contextAcross: 'condition' },
});

function makeChannels(seconds: number, holes: readonly (readonly [number, number])[]) {
  const random = new Random(4);
  const make = (name: string, unit: string, rateHz: number, level: number) => {
    const samples = Float64Array.from(
      { length: Math.round(seconds * rateHz) },
      (_, t) => level * (1 + random.normal() + Math.sin(t / 9)),
    );
    for (const [from, to] of holes)
      samples.fill(Number.NaN, Math.round(from * rateHz), Math.round(to * rateHz));
    return { name, unit, rateHz, samples };
  };
  return [
    make('EEG Fz', 'uV', 250, 20),
    make('A1', 'uV', 250, 20),
    make('A2', 'mV', 250, 0.02),
    make('I', 'mV', 500, 0.05),
    make('II', 'mV', 500, 0.05),
    make('unused', 'uV', 128, 1),
  ];
}

/** Every channel in pieces of time; pieces of different channels do not fit each other to the sample. */
function* live(channels: ReturnType<typeof makeChannels>, pieces: readonly number[]) {
  const at = channels.map(() => 0);
  for (let i = 0; channels.some(({ samples }, c) => at[c]! < samples.length); i++) {
    yield channels.map(({ samples, rateHz }, c) => {
      const end = at[c]! + Math.ceil((pieces[i % pieces.length]! * rateHz) / 1000) + ((i + c) % 2);
      const part = samples.slice(at[c], end);
      at[c] = Math.min(samples.length, end);
      return part;
    });
  }
}

function rowsOf(chunks: readonly PreparedChunk[]): number[][] {
  return (['eeg', 'ecg'] as const).flatMap((modality) =>
    [0, 1].map((row) => chunks.flatMap((chunk) => [...chunk[modality]![row]!])),
  );
}

const pieces = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 6 });
const holes = fc.array(
  fc
    .tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([start, length]) => [start, start + length] as const),
  { maxLength: 3 },
);

describe('StreamPreparer', () => {
  it('gives exactly the values of prepareRecording, holes included', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, holes, fc.constantFrom(9.7, 3, 0.3, 0.02), async (cuts, missing, seconds) => {
        const channels = makeChannels(seconds, missing);
        const preparer = new StreamPreparer(channels, recipe);
        const chunks = [...live(channels, cuts)].map((chunk) => preparer.push(chunk));
        const got = rowsOf([...chunks, preparer.finish()]);
        const { spans } = await prepareRecording(memoryRecording(channels), recipe);
        const want = [...spans[0]!.signals.eeg!, ...spans[0]!.signals.ecg!].map((row) => [
          ...row.slice(0, spans[0]!.lengthSamples),
        ]);
        expect(got).toEqual(want);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('gives what it can at once: late by a few samples', () => {
    const channels = makeChannels(9, []);
    const preparer = new StreamPreparer(channels, recipe);
    let given = 0;
    for (const chunk of live(channels, [100])) given += preparer.push(chunk).eeg![0]!.length;
    expect(given).toBeGreaterThan(9 * 200 - 20);
  });

  it('refuses filters that need the future, and a montage that does not fit', () => {
    const both = { ...recipe, signals: { ecg: { ...recipe.signals.ecg!, zeroPhase: true } } };
    expect(() => new StreamPreparer(makeChannels(1, []), both)).toThrow(/cannot be filtered backwards/);
    expect(causalRecipe(both).signals.ecg?.zeroPhase).toBe(false);
    expect(() => new StreamPreparer([{ name: 'X', unit: 'uV', rateHz: 100 }], recipe)).toThrow(/missing/);
  });
});

describe('LiveWindows', () => {
  it.each([
    ['windows', recipe],
    ['windows with longer contexts', causalRecipe(contextRecipe)],
  ])('gives the %s of recordingWindows, dropped ones named', async (_, recipe) => {
    await fc.assert(
      fc.asyncProperty(pieces, holes, async (cuts, missing) => {
        const channels = makeChannels(9.7, missing);
        const offline = await recordingWindows(memoryRecording(channels), recipe).catch(() => undefined);
        const preparer = new StreamPreparer(channels, recipe);
        const windows = new LiveWindows(recipe);
        const found = [];
        for (const chunk of live(channels, cuts)) found.push(...(await windows.push(preparer.push(chunk))));
        found.push(...(await windows.push(preparer.finish())));
        expect(found.map(({ start }) => start)).toEqual(found.map((_, i) => i * 0.5));
        const kept = found.filter((window) => window.windows);
        expect(kept.map(({ start }) => start)).toEqual([...(offline?.start ?? [])]);
        for (const modality of ['eeg', 'ecg'] as const)
          expect(kept.flatMap(({ windows: w }) => [...w!.signals[modality]!.data])).toEqual([
            ...(offline?.signals[modality]?.data ?? []),
          ]);
        for (const { windows: w, dropped } of found) expect(dropped.length > 0).toBe(!w);
        for (const { what, reason, count } of offline?.dropped ?? [])
          if (what === 'window')
            expect(found.filter(({ dropped }) => dropped[0]?.reason === reason)).toHaveLength(count);
      }),
      { seed: 2, numRuns: 15 },
    );
  });

  it('keeps a context and no more, and refuses one that would have to look ahead', async () => {
    expect(() => new LiveWindows(contextRecipe)).toThrow(
      'window.contextAtStart: absent, which means shift, a live stream cannot look ahead. Use causalRecipe(recipe).',
    );
    const causal = causalRecipe(contextRecipe);
    expect(causal.window.contextAtStart).toBe('drop');
    expect(causalRecipe(recipe).window).toEqual(recipe.window);
    const windows = new LiveWindows(causal);
    const ramp = (from: number) => Float64Array.from({ length: 200 }, (_, t) => (from + t) / 100);
    const found = [];
    for (let second = 0; second < 20; second++) {
      const rows = [ramp(200 * second), ramp(200 * second)];
      found.push(...(await windows.push({ eeg: rows, ecg: rows })));
    }
    const less = (seconds: number, modality: string) =>
      `less than ${seconds} s of ${modality} without a gap up to its end`;
    expect(found.slice(0, 7).map(({ dropped }) => dropped[0]?.reason)).toEqual([
      ...[less(3, 'eeg'), less(3, 'eeg'), less(5, 'ecg'), less(5, 'ecg')],
      ...[less(5, 'ecg'), less(5, 'ecg'), undefined],
    ]);
    // 17.5 to 19.5 s: in model units, EEG of the 3 s and ECG of the 5 s before 19.5 s.
    const { start, windows: set } = found[35]!;
    expect(start).toBe(17.5);
    expect(set!.signals.eeg!.data[0]).toBeCloseTo((16.5 * 2) / 100, 6);
    expect(set!.signals.ecg!.data[0]).toBeCloseTo((14.5 * 2) / 1000, 6);
    expect(set!.signals.ecg!.data.length).toBe(2 * 1000);
    expect(set!.signals.ecg!.data.at(-1)).toBeCloseTo((19.495 * 2) / 1000, 6);
  });
});
