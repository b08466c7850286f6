/** AMIGOS, MAHNOB-HCI, WESAD, DEAP, FACED, SEED-V and SEED-VII on files of exactly their published structure. */
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.ts';
import { amigos, amigosWith } from '../../src/datasets/amigos.ts';
import { loadWindows, type PublishedDataset } from '../../src/datasets/dataset.ts';
import { deap, genevaElectrodes } from '../../src/datasets/deap.ts';
import { dreamerElectrodes } from '../../src/datasets/dreamer.ts';
import { faced } from '../../src/datasets/faced.ts';
import { mahnob } from '../../src/datasets/mahnob.ts';
import { seedV } from '../../src/datasets/seed-v.ts';
import { seedVii } from '../../src/datasets/seed-vii.ts';
import { TrialFiles } from '../../src/datasets/trial-files.ts';
import { wesad } from '../../src/datasets/wesad.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { annotationSignal } from '../read/build.ts';
import { bdfFile } from '../read/build-bdf.ts';
import { cntFile } from '../read/build-cnt.ts';
import { mat5 } from '../read/build-mat.ts';
import { memoryFolder } from './memory-folder.ts';
import { array, pickle } from './synthetic/pickle.ts';

const { doubles, cell, text, file: matFile } = mat5();

/** The recording of trial number `i`, and the trial. */
async function openTrial(
  spec: PublishedDataset,
  files: Readonly<Record<string, string | Uint8Array>>,
  i: number,
) {
  const folder = memoryFolder(files);
  const trials = await spec.trials(folder);
  expect(folder.stillOpen()).toBe(0);
  const trial = trials[i]!;
  const recording = await new TrialFiles(folder).open(trial);
  const read = (name: string, from: number, to: number) =>
    recording.read(
      recording.channels.findIndex((channel) => channel.name === name),
      from,
      to,
    );
  return { trials, trial, recording, read };
}

/** A value that tells video, channel and sample. */
const planted = (video: number, channel: number, t: number) => 1000 * video + 10 * channel + (t % 7);

describe('amigos', () => {
  const samples = 128 * 8;
  const signals = (video: number) =>
    doubles(
      [samples, 17],
      Array.from({ length: 17 * samples }, (_, i) => planted(video, Math.floor(i / samples), i % samples)),
    );
  const empty = doubles([0, 0], []);
  const scores = (...values: number[]) => doubles([1, 12], values);
  const files = {
    'a/Data_Preprocessed_P07.mat': matFile(
      cell(
        [1, 20],
        Array.from({ length: 20 }, (_, i) => (i < 17 ? signals(i + 1) : empty)),
        'joined_data',
      ),
      cell(
        [1, 20],
        Array.from({ length: 20 }, (_, i) =>
          i === 2 ? empty : scores(6, 4.5, 5, 9, 1, 0, 1, 0, 1, 0, 0, i % 2),
        ),
        'labels_selfassessment',
      ),
      cell(
        [1, 20],
        Array.from({ length: 20 }, (_, i) => text(String(30 + i))),
        'VideoIDs',
      ),
    ),
  };
  it('has the videos that were seen and rated, five seconds before each outside the trial', async () => {
    const { trials, trial, recording, read } = await openTrial(amigos, files, 2);
    // Video 3 has no ratings, 18 to 20 no signals.
    expect(trials.map(({ part }) => part)).toEqual(
      [1, 2, ...Array.from({ length: 14 }, (_, i) => i + 4)].map(String),
    );
    expect(trial).toMatchObject({
      ...{ id: 'P07 video 4', subject: 'P07', stimulus: 'video 33', start: 5, end: 8 },
      targets: {
        ...{ arousal: 'high', arousal_rating: 6, valence: 'low', valence_rating: 4.5, dominance: 'low' },
        ...{ liking: 'high', familiarity: 'low', neutral: '0', disgust: '1', surprise: '1', sadness: '1' },
        video: 'short',
      },
    });
    expect(trials.at(-1)!.targets.video).toBe('long');
    expect(recording.channels.map(({ name }) => name)).toEqual([...dreamerElectrodes, 'ECG1', 'ECG2', 'GSR']);
    expect([...(await read('ECG2', 100, 103))]).toEqual([100, 101, 102].map((t) => planted(4, 15, t)));
    expect((await amigosWith({ threshold: 4 }).trials(memoryFolder(files)))[0]!.targets.valence).toBe('high');
  });
});

describe('deap', () => {
  const data = new Float32Array(40 * 40 * 8064);
  for (let video = 0; video < 40; video++)
    for (let c = 0; c < 40; c++)
      for (let t = 0; t < 8064; t += 511) data[(video * 40 + c) * 8064 + t] = planted(video, c, t);
  const labels = Float64Array.from({ length: 160 }, (_, i) => 1 + (i % 9));
  const file = pickle({ labels: array(labels, 40, 4), data: array(data, 40, 40, 8064) });
  it('reads the pickled copy: three seconds before each video are outside the trial', async () => {
    const { trials, trial, recording, read } = await openTrial(deap, { 'x/s01.dat': file }, 5);
    expect(trials).toHaveLength(40);
    expect(trial).toMatchObject({
      ...{ id: 's01 video 6', subject: 's01', stimulus: 'video 6', start: 3, end: 63 },
      targets: { valence_rating: 3, valence: 'low', liking_rating: 6, liking: 'high' },
    });
    expect(recording.channels.slice(0, 32).map(({ name }) => name)).toEqual([...genevaElectrodes]);
    expect([...(await read('GSR', 1022, 1023))]).toEqual([planted(5, 36, 1022)]);
  });
  it('says that it has no ECG, and what is wrong with another file', async () => {
    const folder = memoryFolder({ 's01.dat': file });
    const recipe = parseRecipe({
      version: 1,
      signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000 } },
      window: { lengthSeconds: 5, stepSeconds: 5 },
    });
    await expect(loadWindows(deap, folder, recipe)).rejects.toThrow(/ECG/);
    expect(deap.facts.notes!.join()).toContain('It has no ECG');
    const other = memoryFolder({ 's01.dat': pickle({ labels: array(new Float64Array(4), 2, 2) }) });
    await expect(deap.trials(other)).rejects.toThrow(/labels of \[2 × 2\], published is \[40 × 4\]/);
  });
});

describe('wesad', () => {
  const seconds = 20;
  const chest = (columns: number, base: number) =>
    array(
      Float64Array.from({ length: 700 * seconds * columns }, (_, i) => base + (i % columns) * 100 + (i % 11)),
      700 * seconds,
      columns,
    );
  const wrist = (rate: number, columns: number) =>
    array(new Float64Array(rate * seconds * columns).fill(rate), rate * seconds, columns);
  // 4 s between, 5 s baseline, 3 s to be ignored, 4 s stress, 4 s meditation.
  const label = Int32Array.from({ length: 700 * seconds }, (_, t) => {
    const second = t / 700;
    return second < 4 ? 0 : second < 9 ? 1 : second < 12 ? 6 : second < 16 ? 2 : 4;
  });
  const person = {
    signal: {
      chest: {
        ...{ ACC: chest(3, 1), ECG: chest(1, 2), EMG: chest(1, 3), EDA: chest(1, 4), Temp: chest(1, 5) },
        Resp: chest(1, 6),
      },
      wrist: { ACC: wrist(32, 3), BVP: wrist(64, 1), EDA: wrist(4, 1), TEMP: wrist(4, 1) },
    },
    label: array(label, label.length),
    subject: 'S4',
  };
  it('has a trial for each stretch of a condition, and all sensors', async () => {
    const { trials, recording, read } = await openTrial(wesad, { 'WESAD/S4/S4.pkl': pickle(person) }, 1);
    expect(
      trials.map(({ id, start, end, targets }) => [id, start, end, targets.affect, targets.stress]),
    ).toEqual([
      ['S4 baseline', 4, 9, 'baseline', 'no'],
      ['S4 stress', 12, 16, 'stress', 'yes'],
      ['S4 meditation', 16, 20, undefined, undefined],
    ]);
    expect(recording.channels.map(({ name, rateHz }) => `${name} ${rateHz}`)).toEqual([
      ...['ECG 700', 'EMG 700', 'EDA 700', 'Temp 700', 'Resp 700', 'ACC x 700', 'ACC y 700', 'ACC z 700'],
      ...[
        'wrist BVP 64',
        'wrist EDA 4',
        'wrist TEMP 4',
        'wrist ACC x 32',
        'wrist ACC y 32',
        'wrist ACC z 32',
      ],
    ]);
    expect([...(await read('ECG', 12, 15))]).toEqual([2 + 1, 2 + 2, 2 + 3]);
    expect([...(await read('ACC z', 0, 1))]).toEqual([1 + 200 + 2]);
  });
  it('gives windows with labels', async () => {
    const folder = memoryFolder({ 'S4/S4.pkl': pickle(person) });
    const recipe = parseRecipe({
      version: 1,
      signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000 } },
      window: { lengthSeconds: 4, stepSeconds: 4 },
    });
    const windows = await loadWindows(wesad, folder, recipe, { target: 'affect' });
    expect([windows.count, [...windows.label!], windows.subject]).toEqual([2, [0, 1], ['S4', 'S4']]);
    expect(folder.stillOpen()).toBe(0);
  });
  it('names what is missing', async () => {
    await expect(wesad.trials(memoryFolder({ 'S4.pkl': pickle({ subject: 'S4' }) }))).rejects.toThrow(
      /has no array label/,
    );
    const { signal: _, ...rest } = person;
    const files = new TrialFiles(memoryFolder({ 'S4.pkl': pickle(rest) }));
    await expect(files.open({ file: 'S4.pkl', reader: 'wesad' })).rejects.toThrow(/signal.chest.ECG/);
  });
});

describe('mahnob', () => {
  const session = (more: string) =>
    `<?xml version="1.0"?>\n<session sessionId="10" ${more} mediaFile="69.avi">\n<subject id="3" gender="F"/></session>`;
  const felt = 'feltArsl="7" feltVlnc="2" feltCtrl="5" feltPred="6" feltEmo="12"';
  const seconds = 70;
  /** The video lasts from second 31 to second 39 of the file. */
  const bdf = (isMarked: boolean) =>
    bdfFile({
      records: seconds,
      signals: [
        ...[...genevaElectrodes, 'EXG1', 'EXG2', 'EXG3'].map((label, c) => ({
          ...{ label, perRecord: 64 },
          values: (record: number) => Array.from({ length: 64 }, (_, i) => planted(record, c, i)),
        })),
        {
          ...{ label: 'Status', perRecord: 64 },
          values: (record: number) =>
            new Array(64).fill(isMarked && (record === 31 || record === 39) ? 16 : 0),
        },
        annotationSignal(
          Array.from({ length: seconds }, (_, i) => `+${i}`),
          {},
          20,
        ),
      ],
    });
  it('cuts the video out by the triggers', async () => {
    const files = {
      'Sessions/10/session.xml': session(felt),
      'Sessions/10/Part_3.bdf': bdf(true),
      // No emotions were asked for in this one.
      'Sessions/11/session.xml': session(''),
      'Sessions/11/Part_3.bdf': bdf(true),
    };
    const { trials, trial, recording, read } = await openTrial(mahnob, files, 0);
    expect(trials).toHaveLength(1);
    expect(trial).toMatchObject({
      ...{ subject: 's03', stimulus: '69.avi' },
      targets: { valence: 'low', arousal: 'high', control: 'low', emotion: 'anxiety', sex: 'female' },
    });
    expect(recording.spans).toHaveLength(1);
    expect(recording.duration).toBeGreaterThanOrEqual(8);
    expect(recording.duration).toBeLessThanOrEqual(9);
    expect([...(await read('EXG2', 0, 2))]).toEqual([planted(31, 33, 0), planted(31, 33, 1)]);
    await expect(recording.read(0, -1, 0)).rejects.toThrow(FormatError);
  });
  it('leaves half a minute out at both ends where nothing marks the video, and says so', async () => {
    const files = { '10/session.xml': session(felt), '10/a.bdf': bdf(false) };
    const { recording, read } = await openTrial(mahnob, files, 0);
    expect(recording.duration).toBeCloseTo(10, 9);
    expect(recording.log.join()).toContain('no triggers mark where the video begins');
    expect([...(await read('Fp1', 0, 1))]).toEqual([planted(30, 0, 0)]);
  });
});

describe('faced', () => {
  it('has 28 videos a person, nine emotions', async () => {
    const data = new Float32Array(28 * 32 * 7500);
    for (let video = 0; video < 28; video++)
      for (let c = 0; c < 32; c++) data[(video * 32 + c) * 7500 + 3] = planted(video + 1, c, 3);
    const files = { 'Processed_data/sub005.pkl': pickle(array(data, 28, 32, 7500)) };
    const { trials, trial, recording, read } = await openTrial(faced, files, 12);
    expect(trials).toHaveLength(28);
    expect(trial).toMatchObject({ subject: 'sub005', stimulus: 'video 13', targets: { emotion: 'neutral' } });
    expect(recording.duration).toBe(30);
    expect([...(await read('Fz', 3, 4))]).toEqual([planted(13, 2, 3)]);
    const other = memoryFolder({ 'sub005.pkl': pickle(array(new Float32Array(8), 2, 4)) });
    await expect(
      new TrialFiles(other).open({ file: 'sub005.pkl', part: '1', reader: 'faced' }),
    ).rejects.toThrow(/holds \[2 × 4\], published is \[28 × 32 × 7500\]/);
  });
});

describe('seed', () => {
  it('V: the clips of a session, at their published seconds', async () => {
    const cnt = cntFile({ channels: 2, samples: 50 });
    const { trials, trial, recording } = await openTrial(
      seedV,
      { '7_2_20180412.cnt': cnt, 'notes.txt': '' },
      4,
    );
    expect(trials).toHaveLength(15);
    expect(trial).toMatchObject({
      ...{ id: 's07 session 2 clip 5', start: 836, end: 967, stimulus: 'session 2 clip 5' },
      targets: { emotion: 'happy', session: 2 },
    });
    expect(recording.format).toBe('cnt');
  });
  it('VII: 80 clips of four sessions, twelve of each emotion, eight neutral', async () => {
    const clip = (k: number) =>
      doubles(
        [62, 400],
        Array.from({ length: 62 * 400 }, (_, i) => planted(k, i % 62, Math.floor(i / 62))),
        String(k),
      );
    const files = { 'EEG_preprocessed/12.mat': matFile(clip(1), clip(33)) };
    const { trials, trial, recording, read } = await openTrial(seedVii, files, 32);
    expect(trials).toHaveLength(80);
    const counts = Object.fromEntries(
      seedVii.targets.emotion!.map((name) => [
        name,
        trials.filter(({ targets }) => targets.emotion === name).length,
      ]),
    );
    expect(counts).toEqual({
      ...{ happy: 12, surprise: 12, neutral: 8, disgust: 12, fear: 12, sad: 12, anger: 12 },
    });
    expect(trial).toMatchObject({ subject: 's12', part: '33', targets: { session: 2 } });
    expect(recording.duration).toBe(2);
    expect([...(await read('FPZ', 5, 7))]).toEqual([planted(33, 1, 5), planted(33, 1, 6)]);
  });
});
