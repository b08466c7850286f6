import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import type { Targets } from '../../src/datasets/targets.ts';
import { thinSubjects } from '../../src/evaluate/fold-scores.ts';
import { runProbe } from '../../src/evaluate/probe.ts';
import { layersOf, probeFeatures, takeChannels } from '../../src/evaluate/probe-features.ts';
import { encoderParameters } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { type FloatTensors, initialParameters } from '../../src/model/parameters.ts';
import type { SignalWindows } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

const people = 60;
const subject = Array.from({ length: 2 * people }, (_, i) => `s${i % people}`);
const all = subject.map((_, i) => i);
const part = (from: number, to: number) => all.filter((i) => i % people >= from && i % people < to);
const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `s${from + i}`);
const fold = {
  name: 'published',
  ...{ train: part(0, 40), validation: part(40, 48), test: part(48, 60) },
  subjects: { name: 'published', train: names(0, 40), validation: names(40, 48), test: names(48, 60) },
};

const random = Random.derive(1, 'features');
const size = 5;
const data = Float32Array.from({ length: all.length * size }, () => random.normal());
const features = { data, size };
/** `told` is in the features, `chance` is not, `rare` is true of one window. */
const labels: Targets = {
  name: 'labels',
  kind: 'multilabel',
  names: ['told', 'chance', 'rare'],
  values: Float64Array.from(
    all.flatMap((i) => [Number(data[i * size + 2]! > 0), Number(random.uniform() < 0.5), Number(i === 0)]),
  ),
};

describe('a probe', () => {
  test('finds what the features tell, and no more; leaves out what is too rare', () => {
    const {
      labels: found,
      leftOut,
      scores,
      windows,
      subjects,
      tested,
    } = runProbe({
      ...{ features, targets: labels, folds: [fold], subject, samples: 100 },
    });
    expect(leftOut).toEqual(['rare']);
    expect(found.map(({ name }) => name)).toEqual(['told', 'chance']);
    expect(found[0]!.auroc).toBeGreaterThan(0.9);
    expect(found[1]!.auroc).toBeLessThan(0.8);
    expect(scores.auroc!.mean).toBeCloseTo((found[0]!.auroc + found[1]!.auroc) / 2, 12);
    expect(scores.auroc!.low!).toBeLessThan(scores.auroc!.mean!);
    expect([windows, subjects]).toEqual([
      { train: 80, validation: 16, test: 24 },
      { train: 40, validation: 8, test: 12 },
    ]);
    expect([...tested]).toEqual(fold.test);
  });

  test('predicts a number, and says how well', () => {
    const age: Targets = {
      name: 'age',
      kind: 'number',
      names: ['age'],
      values: Float64Array.from(all, (i) => 60 + 9 * data[i * size]! + random.normal()),
    };
    const { scores } = runProbe({ features, targets: age, folds: [fold], subject, samples: 50 });
    expect(scores.r2!.mean!).toBeGreaterThan(0.9);
    expect(scores.correlation!.mean!).toBeGreaterThan(0.95);
    expect(scores.mae!.mean!).toBeLessThan(3);
  });

  test('passes over windows of which nothing is known', () => {
    const values = labels.values.map((value, i) => (Math.floor(i / 3) % 4 === 0 ? Number.NaN : value));
    const { windows } = runProbe({
      ...{ features, targets: { ...labels, values }, folds: [fold], subject, samples: 20 },
    });
    expect(windows.train).toBe(fold.train.filter((i) => i % 4 !== 0).length);
  });

  test('learns from a share of the training people, a smaller one within a larger', () => {
    const kept = (labelShare: number) => {
      const thin = thinSubjects(fold, { subject, labelShare, seed: 4 });
      expect([thin.validation, thin.test]).toEqual([fold.validation, fold.test]);
      return new Set(thin.train.map((i) => subject[i]!));
    };
    expect([kept(0.01).size, kept(0.25).size, kept(1).size]).toEqual([1, 10, 40]);
    for (const one of kept(0.05)) expect(kept(0.25)).toContain(one);
  });

  test('refuses targets of which no label is left', () => {
    const rare = { ...labels, names: ['rare'], values: new Float64Array(all.length) };
    expect(() => runProbe({ features, targets: rare, folds: [fold], subject })).toThrow(DataError);
  });
});

describe('features of a probe', () => {
  let backend: Backend;
  let tensors: FloatTensors;
  const ecg: SignalWindows = {
    channels: ['I', 'II', 'V1'],
    ...{ patches: 2, patchSamples: 200 },
    data: Float32Array.from({ length: 4 * 3 * 400 }, (_, i) => Math.sin(i / 7) * ((i % 5) + 1)),
  };
  beforeAll(async () => {
    backend = await createNodeBackend({ device: 'cpu', threads: 1 });
    tensors = initialParameters(encoderParameters(encoderConfig({ layers: 3 })), Random.derive(0, 'initial'));
  });
  const featuresOf = (over: object) =>
    probeFeatures(
      { name: 'e', tensors },
      { signals: { ecg } },
      { backend, modality: 'ecg', pool: 'mean', ...over },
    );

  test('are the mean of all tokens, or of each lead', async () => {
    const mean = await featuresOf({});
    const leads = await featuresOf({ pool: 'leads' });
    expect([mean.size, mean.data.length, leads.size, leads.data.length]).toEqual([200, 800, 600, 2400]);
    for (let i = 0; i < 800; i++) {
      const [window, d] = [Math.floor(i / 200), i % 200];
      const three = [0, 1, 2].map((lead) => leads.data[window * 600 + lead * 200 + d]!);
      expect((three[0]! + three[1]! + three[2]!) / 3).toBeCloseTo(mean.data[i]!, 4);
    }
  });

  test('of its first layers are those of an encoder that ends there', async () => {
    expect(layersOf(tensors)).toBe(3);
    const first = [...tensors].filter(([name]) => !/layers\.[12]\./.test(name));
    const short = await probeFeatures(
      { name: 'short', tensors: new Map(first) },
      { signals: { ecg } },
      { backend, modality: 'ecg', pool: 'mean' },
    );
    expect((await featuresOf({ layers: [1] })).data).toEqual(short.data);
    expect((await featuresOf({})).data).not.toEqual(short.data);
    await expect(featuresOf({ layers: [4] })).rejects.toThrow(ConfigError);
  });

  test('tell how much tokens vary over time, and of several layers at once', async () => {
    const [leads, spread] = [await featuresOf({ pool: 'leads' }), await featuresOf({ pool: 'spread' })];
    expect(spread.size).toBe(2 * leads.size);
    // Of two patches the deviation is half their distance.
    const tokens = await featuresOf({ pool: 'leads', crops: 1 });
    expect(tokens.data).toEqual(leads.data);
    for (const lead of [0, 5, 11]) {
      const means = spread.data.subarray(400 * lead, 400 * lead + 200);
      expect(means).toEqual(leads.data.subarray(200 * lead, 200 * lead + 200));
      const deviations = spread.data.subarray(400 * lead + 200, 400 * lead + 400);
      expect(deviations.every((value) => value >= 0)).toBe(true);
      expect(Math.max(...deviations)).toBeGreaterThan(0);
    }
    const both = await featuresOf({ layers: [1, 3] });
    const [first, last] = [await featuresOf({ layers: [1] }), await featuresOf({ layers: [3] })];
    expect(both.size).toBe(400);
    for (const w of [0, 3]) {
      const row = both.data.subarray(400 * w, 400 * w + 400);
      for (let d = 0; d < 200; d++) {
        expect(row[d]).toBeCloseTo(first.data[200 * w + d]!, 5);
        expect(row[200 + d]).toBeCloseTo(last.data[200 * w + d]!, 5);
      }
    }
  });

  test('are the mean of several cuts into patches, each a patch shorter; kept where asked', async () => {
    const cut = async (from: number) => {
      const rows = Array.from({ length: 12 }, (_, r) =>
        ecg.data.subarray(400 * r + from, 400 * r + from + 200),
      );
      const shorter = { ...ecg, patches: 1, data: Float32Array.from(rows.flatMap((row) => [...row])) };
      const asked = { backend, modality: 'ecg', pool: 'leads' } as const;
      return (await probeFeatures({ name: 'e', tensors }, { signals: { ecg: shorter } }, asked)).data;
    };
    const [at0, at100] = [await cut(0), await cut(100)];
    const files = new Map<number, Float32Array>();
    const kept = {
      load: async (start: number) => files.get(start),
      save: async (start: number, rows: Float32Array) => void files.set(start, rows),
    };
    const { data: found } = await featuresOf({ pool: 'leads', crops: 2, kept });
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo((at0[i]! + at100[i]!) / 2, 4);
    files.set(0, new Float32Array(found.length).fill(7));
    expect((await featuresOf({ pool: 'leads', crops: 2, kept })).data[0]).toBe(7);
    await expect(featuresOf({ crops: 201 })).rejects.toThrow(ConfigError);
  });

  test('come from the leads that are named, in the given order', () => {
    const taken = takeChannels(ecg, ['v1', 'I']);
    expect(taken.channels).toEqual(['V1', 'I']);
    for (let w = 0; w < 4; w++) {
      expect(taken.data.subarray(w * 800, w * 800 + 400)).toEqual(
        ecg.data.subarray(w * 1200 + 800, w * 1200 + 1200),
      );
      expect(taken.data.subarray(w * 800 + 400, w * 800 + 800)).toEqual(
        ecg.data.subarray(w * 1200, w * 1200 + 400),
      );
    }
    expect(() => takeChannels(ecg, ['V7'])).toThrow(DataError);
  });
});
