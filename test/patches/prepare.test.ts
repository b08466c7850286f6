import { describe, expect, it } from 'vitest';
import { ChannelError, UnsupportedError } from '../../src/core/errors.ts';
import { designFilters, prepareRecording } from '../../src/patches/prepare.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { butterworth, notch, sosFilter, sosFiltFilt, steadyState } from '../../src/signal/filter.ts';
import { resample } from '../../src/signal/resample.ts';
import { memoryRecording, sampled } from './memory-recording.ts';

function recipeOf(modality: 'eeg' | 'ecg', channels: readonly string[], rest: object = {}) {
  return parseRecipe({
    version: 1,
    signals: { [modality]: { channels, scaleMicrovolts: 100, ...rest } },
    window: { lengthSeconds: 1, stepSeconds: 1 },
  });
}

const wave = (t: number) => 40 * Math.sin(2 * Math.PI * 3 * t) + 5 * Math.cos(2 * Math.PI * 50 * t) + 8;
const eeg = (name: string, of = wave, rateHz = 200, seconds = 4, unit = 'uV') => ({
  name,
  unit,
  rateHz,
  samples: sampled(rateHz, seconds, of),
});

describe('prepareRecording', () => {
  it.each([
    ['nV', 1e3],
    ['uV', 1],
    ['µV', 1],
    ['mV', 1e-3],
    ['V', 1e-6],
  ])('gives microvolt from %s', async (unit, per) => {
    const recording = memoryRecording([eeg('Cz', (t) => wave(t) * per, 200, 4, unit)]);
    const { spans } = await prepareRecording(recording, recipeOf('eeg', ['Cz']));
    expect(spans).toHaveLength(1);
    const row = spans[0]!.signals.eeg![0]!;
    for (let i = 0; i < 800; i += 37) expect(row[i]).toBeCloseTo(wave(i / 200), 9);
  });

  it('refuses a channel that is no voltage', async () => {
    const recording = memoryRecording([eeg('Cz', wave, 200, 4, '%')]);
    await expect(prepareRecording(recording, recipeOf('eeg', ['Cz']))).rejects.toThrow(UnsupportedError);
  });

  it('takes channels in the order of the recipe, under old names and new ones', async () => {
    const recording = memoryRecording([
      eeg('EEG T7-Ref', () => 7),
      eeg('EEG T4-Ref', () => 4),
      eeg('EEG A1-Ref', () => 1),
      eeg('EEG A2-Ref', () => 30),
    ]);
    const { spans, facts } = await prepareRecording(recording, recipeOf('eeg', ['T8', 'A2-A1', 'T3']));
    expect(spans[0]!.signals.eeg!.map((row) => row[100])).toEqual([4, 29, 7]);
    expect(facts.some(({ reason }) => reason.includes("'A2-A1' is derived as"))).toBe(true);
  });

  it('names the channels that are missing', async () => {
    const recording = memoryRecording([eeg('Cz'), eeg('Pz')]);
    const error = await prepareRecording(recording, recipeOf('eeg', ['Cz', 'O1', 'O2'])).catch((e) => e);
    expect(error).toBeInstanceOf(ChannelError);
    expect(error.missing).toEqual(['O1', 'O2']);
  });

  it('resamples each channel from its own rate', async () => {
    const recording = memoryRecording([eeg('Cz', wave, 500), eeg('Pz', wave, 128)]);
    const { spans } = await prepareRecording(recording, recipeOf('eeg', ['Cz', 'Pz']));
    const [cz, pz] = spans[0]!.signals.eeg!;
    expect([...cz!]).toEqual([...resample(sampled(500, 4, wave), 500, 200)]);
    expect([...pz!]).toEqual([...resample(sampled(128, 4, wave), 128, 200)]);
    expect(spans[0]!.lengthSamples).toBe(800);
  });

  it('filters as the functions of signal/ do: zero phase', async () => {
    const recipe = recipeOf('eeg', ['Cz'], { lowHz: 0.5, highHz: 45, notchHz: 50 });
    const { spans } = await prepareRecording(memoryRecording([eeg('Cz')]), recipe);
    const band = sosFiltFilt(butterworth(4, { lowHz: 0.5, highHz: 45 }, 200), sampled(200, 4, wave));
    expect([...spans[0]!.signals.eeg![0]!]).toEqual([...sosFiltFilt(notch(50, 30, 200), band)]);
  });

  it('filters causally from a steady start where the recipe says so', async () => {
    const recipe = recipeOf('eeg', ['Cz'], { highHz: 30, zeroPhase: false });
    const { spans } = await prepareRecording(memoryRecording([eeg('Cz')]), recipe);
    const x = sampled(200, 4, wave);
    const sos = butterworth(4, { highHz: 30 }, 200);
    expect([...spans[0]!.signals.eeg![0]!]).toEqual([...sosFilter(sos, x, steadyState(sos, x[0]!))]);
  });

  it('designs only the filters that the recipe names', () => {
    const count = (rest: object) => designFilters(recipeOf('eeg', ['Cz'], rest).signals.eeg!).length;
    expect([{}, { lowHz: 1 }, { notchHz: 50 }, { lowHz: 1, highHz: 30, notchHz: 60 }].map(count)).toEqual([
      0, 1, 1, 2,
    ]);
  });

  it('keeps spans apart, each filtered alone, each at its own time', async () => {
    // 3 s at 0 and 5 s at 10 s: stored one after another.
    const spans = [
      { start: 0, duration: 3 },
      { start: 10, duration: 5 },
    ];
    const x = sampled(250, 8, (t) => (t < 3 ? 100 : -100) + wave(t));
    const recording = memoryRecording([{ name: 'Cz', unit: 'uV', rateHz: 250, samples: x }], spans);
    const prepared = await prepareRecording(recording, recipeOf('eeg', ['Cz'], { lowHz: 1 }));
    expect(prepared.spans.map(({ start, lengthSamples }) => [start, lengthSamples])).toEqual([
      [0, 600],
      [10, 1000],
    ]);
    const sos = butterworth(4, { lowHz: 1 }, 200);
    const alone = (from: number, to: number) => [...sosFiltFilt(sos, resample(x.slice(from, to), 250, 200))];
    expect([...prepared.spans[0]!.signals.eeg![0]!]).toEqual(alone(0, 750));
    expect([...prepared.spans[1]!.signals.eeg![0]!]).toEqual(alone(750, 2000));
  });

  it('takes only the seconds that were asked for, across a gap', async () => {
    const spans = [
      { start: 0, duration: 3 },
      { start: 10, duration: 5 },
    ];
    // The value of each sample is its place among the stored ones.
    const samples = Float64Array.from({ length: 1600 }, (_, i) => i);
    const recording = memoryRecording([{ name: 'Cz', unit: 'uV', rateHz: 200, samples }], spans);
    const of = async (start: number, end: number) =>
      (await prepareRecording(recording, recipeOf('eeg', ['Cz']), { start, end })).spans.map((span) => {
        const row = span.signals.eeg![0]!;
        return [span.start, row[0], row.at(-1)];
      });
    expect(await of(1, 12)).toEqual([
      [1, 200, 599],
      [10, 600, 999],
    ]);
    expect(await of(11.5, 99)).toEqual([[11.5, 900, 1599]]);
    expect(await of(4, 9)).toEqual([]);
  });

  it('leaves a span unfiltered that is too short for a filter', async () => {
    const x = sampled(200, 0.4, wave);
    const recording = memoryRecording([{ name: 'Cz', unit: 'uV', rateHz: 200, samples: x }]);
    const { spans } = await prepareRecording(recording, recipeOf('eeg', ['Cz'], { lowHz: 1, highHz: 30 }));
    expect([...spans[0]!.signals.eeg![0]!]).toEqual([...x]);
  });

  it('reports flat, clipped and wild channels and what the reader repaired', async () => {
    const recording = {
      ...memoryRecording([
        eeg('Cz', () => 3),
        eeg('Pz', (t) => Math.max(-20, Math.min(20, wave(t) * 3))),
        eeg('Oz'),
        eeg('Fz', (t) => (t < 0.1 ? 30_000 : wave(t))),
      ]),
      log: ['the header lied'],
    };
    const { facts } = await prepareRecording(recording, recipeOf('eeg', ['Cz', 'Pz', 'Oz', 'Fz']), {
      name: 'r1',
    });
    expect(facts).toEqual([
      { what: 'recording', reason: 'the header lied', example: 'r1' },
      { what: 'channel', reason: 'flat', example: 'r1 Cz' },
      { what: 'channel', reason: 'clipped in more than 1 % of its samples', example: 'r1 Pz' },
      { what: 'channel', reason: 'clipped in more than 1 % of its samples', example: 'r1 Fz' },
      { what: 'channel', reason: 'out of range: more than 10 mV from its median', example: 'r1 Fz' },
    ]);
  });

  it('finds the beats of lead II at their time in the recording', async () => {
    // An R peak every 0.8 s from 0.4 s on, 1 mV high and 40 ms wide; the other lead is a slow wave.
    const beat = (t: number) => 1000 * Math.exp(-((((t + 0.4) % 0.8) - 0.4) ** 2) / (2 * 0.012 ** 2));
    const spans = [{ start: 100, duration: 20 }];
    const ecg = (name: string, of: (t: number) => number) => eeg(name, of, 500, 20);
    const recording = memoryRecording([ecg('I', wave), ecg('II', (t) => beat(t + 0.4))], spans);
    const { beats, facts } = await prepareRecording(recording, recipeOf('ecg', ['I', 'II']));
    expect(facts).toEqual([]);
    expect(beats.length).toBeGreaterThanOrEqual(23);
    for (const time of beats) {
      const phase = (time - 100.4) / 0.8;
      expect(Math.abs(phase - Math.round(phase)) * 0.8).toBeLessThan(0.03);
    }
  });

  it('says where the beats of an ECG are guesses, and finds none without ECG', async () => {
    let seed = 1;
    const noise = () => {
      seed = (seed * 16807) % 2147483647;
      return 100 * (seed / 2147483647 - 0.5);
    };
    const recording = memoryRecording([eeg('ECG', noise, 200, 20)]);
    const { facts } = await prepareRecording(recording, recipeOf('ecg', ['ECG']));
    expect(facts).toEqual([
      { what: 'beats', reason: 'no clear ECG: R peaks were guessed', example: 'memory' },
    ]);
    expect((await prepareRecording(memoryRecording([eeg('Cz')]), recipeOf('eeg', ['Cz']))).beats).toEqual(
      new Float64Array(0),
    );
  });
});

describe('missing samples', () => {
  it('stay missing, and leave what is filtered around them as it would be', async () => {
    const seconds = 20;
    const recipe = recipeOf('eeg', ['Cz'], { lowHz: 0.5, highHz: 40 });
    const whole = eeg('Cz', wave, 250, seconds);
    const holed = { ...whole, samples: Float64Array.from(whole.samples) };
    for (const [start, length] of [
      [2500, 1],
      [3000, 25],
    ] as const)
      holed.samples.fill(Number.NaN, start, start + length); // 10 s, and 12 to 12.1 s
    const [expected, actual] = await Promise.all(
      [whole, holed].map(async (channel) => {
        const { spans } = await prepareRecording(memoryRecording([channel]), recipe);
        return spans[0]!.signals.eeg![0]!;
      }),
    );
    const missing = [...actual!.keys()].filter((i) => Number.isNaN(actual![i]));
    expect(missing).toEqual([2000, ...Array.from({ length: 20 }, (_, i) => 2400 + i)]);
    for (let i = 0; i < 1600; i++) expect(Math.abs(actual![i]! - expected![i]!)).toBeLessThan(0.5);
    for (let i = 3000; i < 4000; i++) expect(Math.abs(actual![i]! - expected![i]!)).toBeLessThan(0.5);
  });
});
