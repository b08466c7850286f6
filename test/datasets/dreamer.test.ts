import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { DataError, FormatError } from '../../src/core/errors.ts';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { dreamer, dreamerWith, openDreamer } from '../../src/datasets/dreamer.ts';
import { TrialFiles } from '../../src/datasets/trial-files.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { concat } from '../read/build.ts';
import { mat5 } from '../read/build-mat.ts';
import { memoryFolder } from './memory-folder.ts';
import { dreamerBytes, ecgOf, eegOf, plantedIn, type SyntheticDreamerOptions } from './synthetic/dreamer.ts';

const options: SyntheticDreamerOptions = { people: 3, films: 4, seconds: 6, baselineSeconds: 2, seed: 7 };
const bytes = dreamerBytes(options);
const folder = memoryFolder({ 'data/DREAMER.mat': bytes });
const recipe = parseRecipe({
  version: 1,
  signals: {
    eeg: { channels: ['AF3', 'F4'], scaleMicrovolts: 100 },
    ecg: { channels: ['ECG1'], scaleMicrovolts: 1000 },
  },
  window: { lengthSeconds: 2, stepSeconds: 2 },
});

describe('dreamer', () => {
  it('has every film of every person, rated, with the film as stimulus', async () => {
    const trials = await dreamer.trials(folder);
    expect(trials).toHaveLength(12);
    for (const [i, trial] of trials.entries()) {
      const [person, film] = [Math.floor(i / 4) + 1, (i % 4) + 1];
      const { Valence, Arousal, Dominance } = plantedIn(options, person, film).scores;
      expect(trial).toMatchObject({
        ...{ id: `s0${person} film ${film}`, subject: `s0${person}`, stimulus: `film ${film}` },
        ...{ file: 'data/DREAMER.mat', part: `${person}/${film}`, reader: 'dreamer' },
        // A neutral film of 2 s and a gap of 1 s are before it.
        ...{ start: 3, end: 9 },
        targets: {
          ...{ valence_rating: Valence, arousal_rating: Arousal, dominance_rating: Dominance },
          valence: Valence! > 3 ? 'high' : 'low',
          emotion: ['calmness', 'surprise', 'amusement', 'fear'][film - 1],
          sex: person === 2 ? 'female' : 'male',
          age: 21 + person,
        },
      });
    }
    expect(folder.stillOpen()).toBe(0);
    expect(await dreamer.trials(memoryFolder({ 'notes.txt': '' }))).toEqual([]);
  });

  it('takes another threshold', async () => {
    const trials = await dreamerWith({ threshold: 1 }).trials(folder);
    for (const { targets } of trials)
      expect(targets.arousal).toBe((targets.arousal_rating as number) > 1 ? 'high' : 'low');
    expect(trials.some(({ targets }) => targets.arousal_rating === 2)).toBe(true);
    expect(dreamerWith({ threshold: 1 }).facts.labels.valence).toContain('above 1');
  });

  it.each([
    ['stored', bytes],
    ['compressed', dreamerBytes(options, true)],
  ])('gives the samples exactly, in any order: %s', async (_, file) => {
    const container = await openDreamer(bytesSource('DREAMER.mat', file), folder);
    for (const [person, film] of [
      [1, 1],
      [3, 2],
      [3, 4],
      [2, 1],
      [1, 3],
    ] as const) {
      const recording = await container.open(`${person}/${film}`);
      expect(
        recording.channels.map(({ name, rateHz, lengthSamples, unit }) => [
          name,
          rateHz,
          lengthSamples,
          unit,
        ]),
      ).toEqual([
        ...['AF3', 'F7', 'F3', 'FC5', 'T7', 'P7', 'O1', 'O2', 'P8', 'T8', 'FC6', 'F4', 'F8', 'AF4'].map(
          (name) => [name, 128, 8 * 128, 'uV'],
        ),
        ['ECG1', 256, 8 * 256, 'uV'],
        ['ECG2', 256, 8 * 256, 'uV'],
      ]);
      expect(recording.spans).toEqual([
        { start: 0, duration: 2 },
        { start: 3, duration: 6 },
      ]);
      expect(recording.annotations.map(({ label, start }) => [label, start])).toEqual([
        ['neutral film', 0],
        [`film ${film}`, 3],
      ]);
      const eeg = ['baseline', 'stimuli'].map((kind) => eegOf(options, person, film, kind as 'baseline'));
      const ecg = ['baseline', 'stimuli'].map((kind) => ecgOf(options, person, film, kind as 'baseline'));
      const row = (signal: Float64Array, columns: number, c: number) =>
        signal.subarray((c * signal.length) / columns, ((c + 1) * signal.length) / columns);
      for (const c of [0, 13])
        expect([...(await recording.read(c, 0, 8 * 128))]).toEqual([
          ...row(eeg[0]!, 14, c),
          ...row(eeg[1]!, 14, c),
        ]);
      expect([...(await recording.read(15, 500, 600))]).toEqual([
        ...row(ecg[0]!, 2, 1).subarray(500),
        ...row(ecg[1]!, 2, 1).subarray(0, 88),
      ]);
    }
    await expect(container.open('4/1')).rejects.toThrow(/has no person 4/);
    // A person who is not there does not end the file.
    expect((await container.open('2/2')).duration).toBe(9);
    await container.close();
  });

  it('becomes windows, whose label is the rating', async () => {
    const windows = await loadWindows(dreamer, folder, recipe, { target: 'valence' });
    expect(windows.count).toBe(12 * 3);
    expect(windows.subject.filter((name) => name === 's02')).toHaveLength(12);
    expect([...windows.label!.subarray(0, 12)]).toEqual(
      [1, 2, 3, 4].flatMap((film) => Array(3).fill(plantedIn(options, 1, film).scores.Valence! > 3 ? 1 : 0)),
    );
    expect(windows.dropped).toEqual([]);
    expect(folder.stillOpen()).toBe(0);
  });

  it('opens the file once for all trials, and closes it', async () => {
    const counted = memoryFolder({ 'DREAMER.mat': bytes });
    const files = new TrialFiles(counted);
    for (const trial of await dreamer.trials(counted)) await files.open(trial);
    await files.close();
    expect(counted.opened).toHaveLength(2);
    expect(counted.stillOpen()).toBe(0);
  });
});

describe('a file that is not the published one', () => {
  const { struct, cell, doubles, file } = mat5();
  const signals = (columns: number, kinds = ['baseline', 'stimuli']) =>
    struct(
      [1, 1],
      kinds,
      kinds.map(() => cell([1, 1], [doubles([256, columns], Array(256 * columns).fill(1))])),
    );
  const scores = (value: number) => doubles([1, 1], [value]);
  const person = (fields: Record<string, Uint8Array>) =>
    struct([1, 1], Object.keys(fields), Object.values(fields));
  const whole = {
    EEG: signals(14),
    ECG: signals(2),
    ScoreValence: scores(3),
    ScoreArousal: scores(1),
    ScoreDominance: scores(5),
  };
  const of = (fields: Record<string, Uint8Array>) =>
    memoryFolder({
      'DREAMER.mat': file(struct([1, 1], ['Data'], [cell([1, 1], [person(fields)])], 'DREAMER')),
    });
  const without = (name: string) =>
    Object.fromEntries(Object.entries(whole).filter(([field]) => field !== name));

  it('is refused with what it lacks', async () => {
    expect(await dreamer.trials(of(whole))).toHaveLength(1);
    const fails = (fields: Record<string, Uint8Array>) => expect(dreamer.trials(of(fields))).rejects;
    await fails(without('ScoreValence')).toThrow(/person 1 has no ScoreValence/);
    await fails(without('ScoreArousal')).toThrow(/person 1 rated arousal of film 1 as undefined/);
    await fails({ ...whole, ScoreDominance: scores(6) }).toThrow(DataError);
    await fails({ ...whole, ECG: signals(2, ['stimuli']) }).toThrow(/person 1, film 1 has no baseline/);
    await expect(
      dreamer.trials(memoryFolder({ 'DREAMER.mat': file(doubles([1, 1], [1], 'x')) })),
    ).rejects.toThrow(FormatError);
    await expect(
      dreamer.trials(memoryFolder({ 'DREAMER.mat': file(doubles([1, 1], [1], 'DREAMER')) })),
    ).rejects.toThrow(/has no DREAMER.Data/);
  });

  it('of other channels is refused when it is opened', async () => {
    const folder = of({ ...whole, EEG: signals(15) });
    const [trial] = await dreamer.trials(folder);
    const files = new TrialFiles(folder);
    await expect(files.open(trial!)).rejects.toThrow(
      /a signal of \[256 × 15\] where 14 channels are expected/,
    );
    await files.close();
    expect(folder.stillOpen()).toBe(0);
  });

  it('of another order of fields is read just so, as far as both signals go', async () => {
    const { ECG, EEG, ...rest } = whole;
    const folder = of({ ...rest, ECG, EEG });
    const files = new TrialFiles(folder);
    const recording = await files.open((await dreamer.trials(folder))[0]!);
    // ECG of one second beside EEG of two, twice, and the gap.
    expect(recording.duration).toBe(3);
    expect(recording.log[1]).toBe('dreamer: film 1: 1.00 s that only one of EEG and ECG has were left out.');
    await files.close();
  });

  it('truncated is an error that says so', async () => {
    const cut = concat(bytes.subarray(0, bytes.length - 1000));
    await expect(dreamer.trials(memoryFolder({ 'DREAMER.mat': cut }))).rejects.toThrow(/truncated/);
  });
});
