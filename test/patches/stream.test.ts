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
  it('gives the windows of recordingWindows, dropped ones named', async () => {
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
      }),
      { seed: 2, numRuns: 15 },
    );
  });
});
