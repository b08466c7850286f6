/**
 * Explanations of a model trained on a planted effect find its channel, second and band; those of a random model do not. The
 * parts that they are made of hold exactly: attributions add up, bands add up, gaps shrink.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { attributeBands, explainedBands, removeBand } from '../../src/evaluate/explain-bands.ts';
import { rankCorrelation } from '../../src/evaluate/explain-correlation.ts';
import { ExplainedModel, type Sample } from '../../src/evaluate/explain-model.ts';
import { hidingOf, Occluder } from '../../src/evaluate/explain-occlusion.ts';
import { integrateGradients } from '../../src/evaluate/explain-path.ts';
import { checkSanity, sanityLevels } from '../../src/evaluate/explain-sanity.ts';
import { cellsOf, sumAttribution } from '../../src/evaluate/explain-sums.ts';
import { parseModelConfig } from '../../src/model/config.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import type { TrainedModel } from '../../src/model/model-file.ts';
import type { FloatTensors } from '../../src/model/parameters.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { planted, plantedWindows, trainPlanted } from './planted.ts';

const logOdds = { class: 1, quantity: 'log-odds' } as const;
const [C, N] = [planted.channels.length, planted.patches];
const cell = planted.channel * N + planted.second;
const alpha = explainedBands.eeg.findIndex(({ name }) => name === 'alpha');

let backend: Backend;
let model: TrainedModel & { readonly tensors: FloatTensors };
let explained: ExplainedModel;
/** New windows, every other with the effect. */
let samples: Sample[];

beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 2 });
  const trained = await trainPlanted(backend);
  model = trained.model;
  // It has learned the effect: class 1 in every other window.
  expect(trained.probabilities.filter((_, i) => i % 4 === 3).every((p) => p > 0.5)).toBe(true);
  explained = new ExplainedModel(backend, model.config, logOdds);
  const { data } = plantedWindows(8, 99).signals.eeg!;
  const size = C * N * 200;
  samples = Array.from({ length: 8 }, (_, w) => ({ eeg: data.slice(w * size, (w + 1) * size) }));
});

const withEffect = () => samples.filter((_, w) => w % 2 === 1);
const argmax = (values: ArrayLike<number>) => Array.from(values).indexOf(Math.max(...Array.from(values)));

describe('integrated gradients of a trained model', () => {
  test('find the planted channel, second and band in every window that has them', async () => {
    for (const sample of withEffect()) {
      const attribution = await integrateGradients(explained, model.tensors, sample);
      const { cells, channels, seconds, bands } = sumAttribution(attribution, 'eeg', C);
      expect(argmax(cells)).toBe(cell);
      expect(argmax(channels)).toBe(planted.channel);
      expect(argmax(seconds)).toBe(planted.second);
      expect(argmax(bands)).toBe(alpha);
      // Far beyond any other patch.
      expect(cells[cell]).toBeGreaterThan(3 * Math.max(...cells.filter((_, i) => i !== cell).map(Math.abs)));
    }
  });

  test('do not find it with random weights', async () => {
    let found = 0;
    for (const [seed, sample] of withEffect().entries()) {
      const random = initialParameters(modelParameters(model.config), Random.derive(seed, 'untrained'));
      const attribution = await integrateGradients(explained, random, sample);
      const { cells } = sumAttribution(attribution, 'eeg', C);
      const largest = Math.max(...cells.map(Math.abs));
      if (cells[cell]! > 0 && cells[cell]! === largest) found++;
    }
    expect(found).toBeLessThan(withEffect().length / 2);
  });

  test('add up to the difference from silence, by patch, channel, second, band and 0.1 s', async () => {
    for (const sample of samples.slice(0, 4)) {
      const attribution = await integrateGradients(explained, model.tensors, sample);
      const { value, baselineValue, gap, relativeGap, converged } = attribution;
      const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x, 0);
      const sums = sumAttribution(attribution, 'eeg', C);
      expect(converged).toBe(true);
      expect(Math.abs(total(sums.cells) - (value - baselineValue))).toBeCloseTo(gap, 6);
      expect(relativeGap).toBeLessThan(0.01);
      expect(gap).toBeLessThan(0.01 * total(sums.cells.map(Math.abs)));
      for (const parts of [sums.channels, sums.seconds, sums.bands, sums.channelBands, sums.stretches])
        expect(total(parts)).toBeCloseTo(total(sums.cells), 5);
      // The explained number is ln p / (1 − p).
      const [direct] = await explained.values([sample], model.tensors);
      expect(value).toBeCloseTo(direct!, 4);
    }
  });

  test('cut the path finer for a smaller tolerance, and say so where steps run out', async () => {
    const options = { tolerance: 1e-4 };
    const fine = await integrateGradients(explained, model.tensors, samples[1]!, options);
    const coarse = await integrateGradients(explained, model.tensors, samples[1]!);
    expect(fine.steps).toBeGreaterThan(coarse.steps);
    expect(fine.relativeGap).toBeLessThan(1e-4);
    const short = await integrateGradients(explained, model.tensors, samples[1]!, {
      ...options,
      maxSteps: 12,
    });
    expect(short).toMatchObject({ steps: 12, converged: false });
    expect(rankCorrelation(cellsOf(fine).eeg!, cellsOf(coarse).eeg!)).toBeGreaterThan(0.95);
  });

  test('between a window and itself are nothing', async () => {
    const attribution = await integrateGradients(explained, model.tensors, samples[1]!, {
      baseline: samples[1]!,
    });
    expect(attribution).toMatchObject({ gap: 0, relativeGap: 0, converged: true });
    expect(cellsOf(attribution).eeg!.every((value) => value === 0)).toBe(true);
  });
});

describe('occlusion', () => {
  test('agrees on the planted place, and leaving out disturbs less than zeros do', async () => {
    const occluders = {
      drop: new Occluder(backend, explained, model.tensors),
      zero: new Occluder(backend, explained, model.tensors, 'zero'),
    };
    for (const sample of withEffect()) {
      const { channels, seconds, bands, cells } = (await occluders.drop.occlude(sample)).eeg!;
      expect([argmax(channels), argmax(seconds), argmax(bands), argmax(cells)]).toEqual([
        ...[planted.channel, planted.second, alpha, cell],
      ]);
      expect(channels.length + seconds.length + cells.length).toBe(C + N + C * N);
    }
    // Windows without effect: no channel and no second matters.
    const disturbance = { drop: 0, zero: 0 };
    for (const sample of samples.filter((_, w) => w % 2 === 0)) {
      for (const how of ['drop', 'zero'] as const) {
        const { channels, seconds } = (await occluders[how].occlude(sample)).eeg!;
        for (const value of [...channels, ...seconds]) disturbance[how] += Math.abs(value);
      }
    }
    expect(disturbance.zero).toBeGreaterThan(3 * disturbance.drop);
    for (const occluder of Object.values(occluders)) await occluder.dispose();
  });

  test('falls back to zeros where nothing can be left out, and to the null that a model learned', () => {
    const configOf = (head: object, channels: string[], more: object = {}) =>
      parseModelConfig({
        signals: {
          eeg: { encoder: { layers: 1 }, channels, patches: 2 },
          ecg: { encoder: { layers: 1 }, channels: ['I'], patches: 2 },
        },
        head: { kind: 'linear', classes: 2, ...head },
        ...more,
      });
    const two = configOf({}, ['Fz', 'Cz']);
    expect(hidingOf(two, 'eeg', 'channels', 'drop')).toBe('drop');
    expect(hidingOf(two, 'ecg', 'channels', 'drop')).toBe('zero');
    expect(hidingOf(two, 'ecg', 'seconds', 'drop')).toBe('drop');
    expect(hidingOf(configOf({ kind: 'all-patches' }, ['Fz', 'Cz']), 'eeg', 'seconds', 'drop')).toBe('zero');
    const nulls = configOf({}, ['Fz', 'Cz'], { nullEmbeddings: true });
    expect(hidingOf(nulls, 'ecg', 'channels', 'drop')).toBe('null');
  });
});

describe('the sanity check', () => {
  test('likeness to random models falls, level by level named', async () => {
    const windows = [];
    for (const sample of withEffect().slice(0, 2))
      windows.push({ sample, attribution: await integrateGradients(explained, model.tensors, sample) });
    const done: number[] = [];
    const levels = await checkSanity(explained, model.tensors, windows, {
      draws: 2,
      onProgress: (n) => done.push(n),
    });
    expect(levels.map(({ name }) => name)).toEqual(['head', 'head and all layers', 'everything']);
    expect(done.at(-1)).toBe(3 * 2 * 2);
    const last = levels.at(-1)!;
    expect(Math.abs(last.cells!)).toBeLessThan(0.5);
    expect(last.magnitudes!).toBeLessThan(0.5);
    // The input shows through in single samples: that is why patches are judged.
    expect(last.samples!).toBeGreaterThan(last.cells!);
  });

  test('levels draw ever more parameters, in the end every one', () => {
    const config = parseModelConfig({
      signals: {
        eeg: { encoder: { layers: 12 }, channels: ['Fz'], patches: 1 },
        ecg: { encoder: { layers: 4 }, channels: ['I'], patches: 1 },
      },
      head: { kind: 'mlp', classes: 2 },
    });
    const names = modelParameters(config).map(({ name }) => name);
    const levels = sanityLevels(config);
    expect(levels.map(({ name }) => name)).toEqual([
      ...['head', 'head and layers from 12 on', 'head and layers from 9 on', 'head and layers from 5 on'],
      ...['head and all layers', 'everything'],
    ]);
    const drawn = levels.map(({ isRandom }) => names.filter(isRandom));
    for (let i = 1; i < drawn.length; i++) {
      expect(drawn[i]!.length).toBeGreaterThan(drawn[i - 1]!.length);
      expect(drawn[i]).toEqual(expect.arrayContaining(drawn[i - 1]!));
    }
    expect(drawn.at(-1)).toEqual(names);
  });
});

describe('what is explained', () => {
  test('log-odds of one of three classes are ln p / (1 − p), and their gradient is that of differences', async () => {
    const config = parseModelConfig({
      signals: { ecg: { encoder: { layers: 1 }, channels: ['I'], patches: 1 } },
      head: { kind: 'linear', classes: 3 },
    });
    const parameters = initialParameters(modelParameters(config), new Random(3));
    const random = new Random(4);
    const ecg = Float32Array.from({ length: 200 }, () => random.normal());
    const values: number[] = [];
    for (const index of [0, 1, 2]) {
      const logit = new ExplainedModel(backend, config, { class: index, quantity: 'logit' });
      values.push((await logit.values([{ ecg }], parameters))[0]!);
    }
    const exps = values.map(Math.exp);
    for (const index of [0, 1, 2]) {
      const target = new ExplainedModel(backend, config, { class: index, quantity: 'log-odds' });
      const p = exps[index]! / (exps[0]! + exps[1]! + exps[2]!);
      expect((await target.values([{ ecg }], parameters))[0]).toBeCloseTo(Math.log(p / (1 - p)), 4);
    }
    const middle = new ExplainedModel(backend, config, { class: 1, quantity: 'log-odds' });
    const step = 0.02;
    const shifted = [step, -step].map((by) => ({ ecg: ecg.map((x, i) => (i === 77 ? x + by : x)) }));
    const [up, down] = await middle.values(shifted, parameters);
    await middle.gradients([{ ecg }], parameters, (_, gradient) => {
      expect(gradient.ecg![77]).toBeCloseTo((up! - down!) / (2 * step), 2);
    });
  });

  test('silence has gradients: the spectral branch gives 0 at 0', async () => {
    const silent = { eeg: new Float32Array(C * N * 200) };
    await explained.gradients([silent], model.tensors, (_, gradient) => {
      expect(gradient.eeg!.every(Number.isFinite)).toBe(true);
    });
  });
});

describe('bands', () => {
  const sine = (hertz: number, phase = 0) =>
    Float64Array.from({ length: 800 }, (_, t) => Math.sin((2 * Math.PI * hertz * t) / 200 + phase));

  test('share out an inner product by frequency', () => {
    const [x, g] = [sine(10), sine(10, 0.3).map((value, t) => value + sine(20)[t]!)];
    const bands = attributeBands(x, g, explainedBands.eeg);
    const product = x.reduce((sum, value, t) => sum + value * g[t]!, 0);
    expect(bands[alpha]).toBeCloseTo(product, 6);
    expect(bands.reduce((sum, value) => sum + value, 0)).toBeCloseTo(product, 6);
    for (const [i, value] of bands.entries()) if (i !== alpha) expect(value).toBeCloseTo(0, 6);
  });

  test('follow one another without gap, from 0 to 100 Hz', () => {
    for (const bands of Object.values(explainedBands)) {
      expect(bands[0]!.lowHz).toBe(0);
      expect(bands.at(-1)!.highHz).toBe(100);
      for (const [i, { lowHz }] of bands.entries()) if (i > 0) expect(lowHz).toBe(bands[i - 1]!.highHz);
    }
  });

  test('removed, a band is gone and others stay', () => {
    const power = (x: Float32Array) => x.subarray(200, 600).reduce((sum, value) => sum + value ** 2, 0) / 400;
    const band = explainedBands.eeg[alpha]!;
    expect(power(removeBand(Float32Array.from(sine(10)), band))).toBeLessThan(0.01);
    expect(power(removeBand(Float32Array.from(sine(25)), band))).toBeCloseTo(0.5, 2);
    const lowest = explainedBands.ecg[0]!;
    expect(power(removeBand(new Float32Array(800).fill(3), lowest))).toBeLessThan(0.01);
    const highest = explainedBands.ecg.at(-1)!;
    expect(power(removeBand(Float32Array.from(sine(70)), highest))).toBeLessThan(0.01);
  });
});

describe('rank correlation', () => {
  test.each([
    [[1, 2, 3, 4], [10, 20, 30, 40], 1],
    [[1, 2, 3, 4], [4, 3, 2, 1], -1],
    // Ties have their mean rank: scipy.stats.spearmanr([1, 2, 2, 5], [1, 3, 2, 4]) gives 0.9486832980505139.
    [[1, 2, 2, 5], [1, 3, 2, 4], 0.9486832980505139],
  ])('of %j and %j', (a, b, rho) => {
    expect(rankCorrelation(a, b)).toBeCloseTo(rho, 12);
  });

  test('is not defined of fewer than three, or of equals', () => {
    expect(rankCorrelation([1, 2], [1, 2])).toBeNaN();
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNaN();
  });
});
