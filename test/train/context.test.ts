/** A model of 2 s of EEG with 5 s of ECG: trained, saved, loaded, run over a recording, live, exported. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';
import { TrialFiles } from '../../src/datasets/trial-files.ts';
import { exportModel } from '../../src/model/export.ts';
import { LivePredictor } from '../../src/model/live.ts';
import { decodeModel, encodeModel } from '../../src/model/model-file.ts';
import { Predictor } from '../../src/model/predict.ts';
import { TimelinePredictor } from '../../src/model/timeline.ts';
import { prepareRecording } from '../../src/patches/prepare.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { causalRecipe } from '../../src/patches/stream.ts';
import { selectWindows, WindowSetBuilder } from '../../src/patches/window-set.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { type FinetuneResult, finetune } from '../../src/train/finetune.ts';
import { parseFinetuneRecipe } from '../../src/train/recipe.ts';
import { memoryRecording } from '../patches/memory-recording.ts';

const prepare = {
  version: 1,
  signals: {
    eeg: { channels: ['C3', 'C4'], scaleMicrovolts: 100, lowHz: 0.5, zeroPhase: false },
    ecg: { channels: ['ECG'], scaleMicrovolts: 1000, contextSeconds: 5 },
  },
  window: { lengthSeconds: 2, stepSeconds: 2, contextAcross: 'condition' },
};
const seconds = 12;

/** A person's recording: noise in the EEG; the heart beats about once a second, twice as fast in the task. */
function channelsOf(person: number) {
  const random = new Random(person);
  const noise = () => Float64Array.from({ length: 250 * seconds }, () => 20 * random.normal());
  const rate = 1.13 * (1 + (person % 2));
  const heart = Float64Array.from(
    { length: 250 * seconds },
    (_, i) => 1000 * Math.sin(2 * Math.PI * rate * (i / 250 + 0.1 * person)) ** 5,
  );
  return [
    { name: 'C3', unit: 'uV', rateHz: 250, samples: noise() },
    { name: 'C4', unit: 'uV', rateHz: 250, samples: noise() },
    { name: 'ECG', unit: 'uV', rateHz: 250, samples: heart },
  ];
}

const people = 8;
const perPerson = seconds / 2;
const range = (from: number, to: number) =>
  Array.from({ length: (to - from) * perPerson }, (_, i) => from * perPerson + i);

let backend: Backend;
let windows: WindowSet;
const run = (over: object = {}): Promise<FinetuneResult> =>
  finetune({
    ...{ backend, windows, training: range(0, 4), validation: range(4, 6), test: range(6, 8) },
    recipe: parseFinetuneRecipe({
      ...{ version: 1, task: 'finetune', prepare, tune: 'all', score: 'loss' },
      encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
      head: { kind: 'linear' },
      learningRates: { backbone: 1e-3, head: 1e-3 },
      optimization: { epochs: 1, batch: 12, minimumLearningRate: 1e-4 },
      ...over,
    }),
  });

let trained: FinetuneResult;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  const recipe = parseRecipe(prepare);
  const builder = new WindowSetBuilder(recipe, ['rest', 'task']);
  for (let person = 0; person < people; person++) {
    const prepared = await prepareRecording(memoryRecording(channelsOf(person)), recipe);
    builder.add(prepared, { subject: `p${person}`, trial: `p${person}`, label: person % 2 });
  }
  windows = await builder.finish();
  trained = await run({
    optimization: { epochs: 4, batch: 8, minimumLearningRate: 1e-4 },
  });
});

describe('a model whose ECG is longer than its EEG', () => {
  test('learns', () => {
    expect([windows.count, windows.signals.eeg!.patches, windows.signals.ecg!.patches]).toEqual([48, 2, 5]);
    const { config } = trained.model;
    expect([config.signals.eeg!.patches, config.signals.ecg!.patches]).toEqual([2, 5]);
    const right = range(6, 8).filter(
      (w, i) =>
        Number(trained.testProbabilities[2 * i + 1]! > trained.testProbabilities[2 * i]!) ===
        windows.label![w],
    );
    expect(right.length).toBeGreaterThanOrEqual(11);
  });

  test('saved and loaded, predicts a recording as it predicted the windows, the first ones too', async () => {
    const model = decodeModel(encodeModel(trained.model), 'm');
    expect(model.recipe).toEqual(windows.recipe);
    const timeline = new TimelinePredictor(backend, model);
    for (const person of [6, 7]) {
      const { entries } = await timeline.predict(memoryRecording(channelsOf(person)));
      expect(entries.map(({ start, duration }) => [start, duration])).toEqual(
        [0, 2, 4, 6, 8, 10].map((start) => [start, 2]),
      );
      for (const [i, { probabilities }] of entries.entries())
        expect(probabilities[1]).toBeCloseTo(
          trained.testProbabilities[2 * ((person - 6) * perPerson + i) + 1]!,
          5,
        );
    }
    await timeline.dispose();
    const other = parseRecipe({ ...prepare, window: { lengthSeconds: 3, stepSeconds: 3 } });
    expect(() => encodeModel({ ...model, recipe: other })).toThrow(
      'its eeg is C3 C4 in 2 patches, the recipe gives C3 C4 in 3 patches',
    );
  });

  test('gives live exactly what it gives causally offline, once there is enough ECG', async () => {
    const { model } = trained;
    const channels = channelsOf(7);
    const causal = { ...model, recipe: causalRecipe(model.recipe) };
    const timeline = new TimelinePredictor(backend, causal);
    const { entries, dropped } = await timeline.predict(memoryRecording(channels), {
      ...{ stepSeconds: 0.5, batch: 1 },
    });
    await timeline.dispose();
    const reason = 'less than 5 s of ecg without a gap up to its end';
    expect(entries[0]!.start).toBe(3);
    expect(entries).toHaveLength(15);
    expect(dropped.find((entry) => entry.reason === reason)!.count).toBe(6);

    const live = new LivePredictor(backend, model, channels, { stepSeconds: 0.5 });
    expect(live.notes).toEqual([
      'live: a prediction needs 5 s of ecg; until they are there, after the beginning and after every gap, there is none.',
    ]);
    const found = [];
    for (let at = 0; at < 250 * seconds; at += 170)
      found.push(...(await live.push(channels.map(({ samples }) => samples.slice(at, at + 170)))));
    found.push(...(await live.finish()));
    expect(found.slice(0, 6).map((entry) => entry.reason)).toEqual(Array(6).fill(reason));
    expect(found.slice(6).map(({ entry }) => entry)).toEqual(entries);
    // Behind a gap it waits again.
    await live.gap(100);
    const after = await live.push(channels.map(({ samples }) => samples.slice(0, 1500)));
    expect(after[0]).toEqual({ start: 100, duration: 2, reason });
    expect(after.find(({ entry }) => entry)!.start).toBe(103);
    await live.dispose();
  });

  test('is exported and embeds', async () => {
    const { model } = trained;
    const program = await backend.compile(exportModel(model));
    const predictor = new Predictor(backend, model.config, model.tensors);
    const expected = await predictor.probabilities(windows.signals);
    const feeds = (['eeg', 'ecg'] as const).map((modality) => {
      const { channels, patches, data } = windows.signals[modality]!;
      return [modality, { dtype: 'float32', shape: [windows.count, channels.length, patches, 200], data }];
    });
    const { probabilities } = await program.run(Object.fromEntries(feeds));
    for (const [i, value] of (probabilities!.data as Float32Array).entries())
      expect(value).toBeCloseTo(expected[i]!, 5);
    const { eeg, ecg } = await predictor.embeddings(windows.signals, { tokens: true });
    expect([eeg!.tokens!.length, ecg!.tokens!.length]).toEqual([48 * 2 * 2 * 200, 48 * 1 * 5 * 200]);
    await program.dispose();
    await predictor.dispose();
  });

  test.each([
    { tune: 'frozen' },
    { head: { kind: 'all-patches', hidden: 8 } },
    { fusion: 'gated', modalityDropout: 0.5 },
    { fusion: 'cross-attention' },
    { fusion: 'late', head: { kind: 'linear', pool: 'attention' }, tune: 'frozen' },
  ])('is fine-tuned with %o', async (over) => {
    const { model, testProbabilities } = await run(over);
    expect(testProbabilities.every((p) => p > 0 && p < 1)).toBe(true);
    expect(decodeModel(encodeModel(model), 'm').config).toEqual(model.config);
  });
});

describe('recipes/eegmat-context.json', () => {
  const path = new URL('../../recipes/eegmat-context.json', import.meta.url);
  const { prepare: context } = parseFinetuneRecipe(JSON.parse(readFileSync(path, 'utf8')));

  test("is EEGMAT's published preparation with 30 s of ECG", () => {
    const { eeg, ecg } = eegmat.recipe.signals;
    const signals = { eeg, ecg: { ...ecg, contextSeconds: 30 } };
    const window = { ...eegmat.recipe.window, contextAcross: 'session' };
    expect(context).toEqual({ ...eegmat.recipe, signals, window });
  });

  test('keeps every window with a full past, and its EEG; of the task all, with the end of the rest behind them', async () => {
    const folder = await openFolder(sampleDataFolder('eegmat'));
    const trials = (await eegmat.trials(folder)).filter(({ subject }) => subject === 'Subject07');
    const one = { ...eegmat, trials: async () => trials };
    const plain = await loadWindows(one, folder);
    const longer = await loadWindows(one, folder, context);
    // The first 25 s of the session have no 30 s behind them.
    const kept = Array.from(plain.start.keys()).filter(
      (w) => plain.trial[w] === 'Subject07_2' || plain.start[w]! >= 25,
    );
    const expected = selectWindows(plain, kept);
    expect([longer.trial, longer.start]).toEqual([expected.trial, expected.start]);
    expect(longer.signals.eeg).toEqual(expected.signals.eeg);
    expect(longer.dropped.filter(({ what }) => what === 'window')).toMatchObject([{ count: 5 }]);
    const size = 30 * 200;
    const window = (w: number) => longer.signals.ecg!.data.subarray(w * size, (w + 1) * size);
    const [rest, task] = [longer.trial.lastIndexOf('Subject07_1'), longer.trial.indexOf('Subject07_2')];
    const own = plain.signals.ecg!.data.subarray(plain.trial.indexOf('Subject07_2') * 1000).subarray(0, 1000);
    expect(window(task).subarray(size - 1000)).toEqual(own);
    // What stands before the task's first window ends the rest, sample by sample.
    const { duration } = await new TrialFiles(folder).open(trials[0]!);
    const late = Math.round((duration - longer.start[rest]! - 5) * 200);
    expect(window(task).subarray(0, size - 1000 - late)).toEqual(window(rest).subarray(1000 + late));
  });
});
