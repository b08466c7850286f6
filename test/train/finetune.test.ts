import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, DataError, FormatError, InterruptedError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import { encoderParameters } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { decodeModel, encodeModel } from '../../src/model/model-file.ts';
import { type FloatTensors, initialParameters } from '../../src/model/parameters.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import {
  type FinetuneOptions,
  type FinetuneResult,
  finetune,
  modelConfigOf,
} from '../../src/train/finetune.ts';
import {
  applyScaling,
  computeFeatures,
  type FeatureCache,
  fitScaling,
  foldScaling,
} from '../../src/train/frozen-features.ts';
import { type FinetuneRecipe, parseFinetuneRecipe } from '../../src/train/recipe.ts';
import { scoreValidation } from '../../src/train/validation-score.ts';
import { countingBackend, MemoryStore, syntheticWindows } from './fixtures/synthetic.ts';

// Four windows of each of seven people: rest, task, rest, task. Five people train, one validates, one is tested.
const subjects = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].flatMap((name) => [name, name, name, name]);
const labels = subjects.map((_, i) => i % 2);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const parts = { training: range(0, 20), validation: range(20, 24), test: range(24, 28) };

/** Task: more alpha in the EEG and a faster heart. */
function signal(window: number, channel: number, seconds: number, modality: 'eeg' | 'ecg'): number {
  const task = labels[window]!;
  const angle = 2 * Math.PI * (seconds + 0.05 * ((3 * window) % 5));
  if (modality === 'ecg') return Math.sin((task ? 2 : 1) * angle) ** 5;
  return (task ? 0.6 : 0.2) * Math.sin(10 * angle + channel) + 0.1 * Math.sin(3 * angle);
}

let backend: Backend;
let windows: WindowSet;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  windows = await syntheticWindows({
    ...{ channels: { eeg: ['C3', 'C4'], ecg: ['II'] }, patches: 2 },
    ...{ subjects, labels, signal },
  });
});

interface Encoders {
  readonly eeg: FloatTensors;
  readonly ecg: FloatTensors;
}
const drawn = new Map<number, Encoders>();
function encodersOf(layers = 1): Encoders {
  const draw = (seed: number) =>
    initialParameters(encoderParameters(encoderConfig({ layers })), new Random(seed));
  const found = drawn.get(layers) ?? { eeg: draw(11), ecg: draw(12) };
  drawn.set(layers, found);
  return found;
}

function recipeOf(over: object = {}, optimization: object = {}): FinetuneRecipe {
  return parseFinetuneRecipe({
    version: 1,
    task: 'finetune',
    seed: 7,
    encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
    head: { kind: 'linear' },
    tune: 'frozen',
    learningRates: {},
    optimization: { epochs: 1, batch: 10, minimumLearningRate: 1e-5, ...optimization },
    ...over,
  });
}

function run(over: Partial<FinetuneOptions> = {}): Promise<FinetuneResult> {
  return finetune({ backend, windows, recipe: recipeOf(), encoders: encodersOf(), ...parts, ...over });
}

const score = (probabilities: Float32Array, indices: readonly number[], of: WindowSet = windows) =>
  scoreValidation(
    Int32Array.from(indices, (i) => of.label![i]!),
    probabilities,
    2,
  );
const valuesOf = (tensors: FloatTensors) =>
  new Map(
    [...tensors].map(([name, { data }]) => [name, Buffer.from(data.slice().buffer).toString('base64')]),
  );

/** Names of the encoders' parameters that are not as they were given. */
function movedIn({ model }: FinetuneResult, given: Encoders): string[] {
  const before = { eeg: valuesOf(given.eeg), ecg: valuesOf(given.ecg) };
  return [...valuesOf(model.tensors)].flatMap(([name, value]) => {
    const [, modality, rest] = /^(eeg|ecg)\.(.*)$/.exec(name) ?? [];
    return modality === undefined || before[modality as 'eeg'].get(rest!) === value ? [] : [name];
  });
}

describe('fine-tuning', () => {
  test.each(['linear', 'mlp', 'all-patches'])('with the head %s learns on frozen encoders', async (kind) => {
    const recipe = recipeOf(
      { head: { kind, hidden: 16 }, learningRates: { head: 5e-3 }, score: 'loss' },
      { epochs: 30 },
    );
    const { testProbabilities, validationProbabilities, curves } = await run({ recipe });
    expect(score(testProbabilities, parts.test).balancedAccuracy).toBeGreaterThan(0.9);
    expect(score(validationProbabilities, parts.validation).balancedAccuracy).toBeGreaterThan(0.9);
    expect(curves.at(-1)!.trainLoss!).toBeLessThan(0.3 * curves[0]!.trainLoss!);
  });

  test('of the whole model learns from scratch', async () => {
    const recipe = recipeOf(
      { tune: 'all', learningRates: { backbone: 1e-3, head: 1e-3 }, score: 'loss' },
      { epochs: 10 },
    );
    const { testProbabilities } = await run({ recipe, encoders: {} });
    expect(score(testProbabilities, parts.test).balancedAccuracy).toBeGreaterThan(0.9);
  });

  test('gives the same weights for the same seed only', async () => {
    const recipe = recipeOf({ tune: 'all', encoders: { ecg: { layers: 1 } } });
    const [first, second, other] = [
      await run({ recipe, encoders: {} }),
      await run({ recipe, encoders: {} }),
      await run({ recipe: { ...recipe, seed: 8 }, encoders: {} }),
    ];
    expect(valuesOf(second.model.tensors)).toEqual(valuesOf(first.model.tensors));
    expect(second.testProbabilities).toEqual(first.testProbabilities);
    expect(valuesOf(other.model.tensors)).not.toEqual(valuesOf(first.model.tensors));
  });

  test('moves nothing of frozen encoders, the last layers alone, or everything', async () => {
    const given = encodersOf(2);
    const encoders = { eeg: { layers: 2 }, ecg: { layers: 2 } };
    const tuned = async (tune: FinetuneRecipe['tune']) =>
      run({ recipe: recipeOf({ tune, encoders }), encoders: given });
    expect(movedIn(await tuned('frozen'), given)).toEqual([]);

    const last = await tuned({ lastLayers: 1 });
    const all = await tuned('all');
    const names = [...all.model.tensors.keys()].filter((name) => !name.startsWith('head.'));
    expect(names.length).toBeGreaterThan(60);
    expect(movedIn(all, given)).toEqual(names);
    const inLast = names.filter((name) => name.includes('.encoder.layers.1.'));
    expect(inLast.length).toBeGreaterThan(20);
    expect(movedIn(last, given)).toEqual(inLast);
    expect(movedIn(await tuned({ lastLayers: 2 }), given)).toEqual(
      names.filter((name) => name.includes('.encoder.layers.')),
    );
    for (const name of ['head.0.weight', 'head.0.bias'])
      expect(last.model.tensors.get(name)).not.toEqual(all.model.tensors.get(name));
  });

  test('shows the model the training windows with their labels, each once an epoch', async () => {
    // Every sample tells its window.
    const told = await syntheticWindows({
      ...{ channels: { ecg: ['II'] }, patches: 1, subjects, labels },
      signal: (window) => window,
    });
    const shown: [number, number][] = [];
    const watching = countingBackend(backend, (graph, feeds) => {
      if (graph !== 'gradients') return;
      const truth = feeds.labels!.data as BigInt64Array;
      for (let i = 0; i < 10; i++) shown.push([Number(feeds.ecg!.data[i * 200]), Number(truth[i])]);
    });
    const recipe = recipeOf({ tune: 'all', encoders: { ecg: { layers: 1 } } });
    const fold = { training: range(8, 28), validation: range(0, 4), test: range(4, 8) };
    await run({ backend: watching, windows: told, recipe, ...fold });
    expect(shown.toSorted(([a], [b]) => a - b)).toEqual(fold.training.map((i) => [i, labels[i]]));
  });

  test('with one modality takes it alone, though the windows hold both', async () => {
    const counting = countingBackend(backend);
    const recipe = recipeOf({ encoders: { ecg: { layers: 1 } }, tune: 'all' });
    const { model, testProbabilities } = await run({ backend: counting, recipe });
    expect(Object.keys(model.config.signals)).toEqual(['ecg']);
    expect([...model.tensors.keys()].some((name) => name.startsWith('eeg.'))).toBe(false);
    expect(model.tensors.get('head.0.weight')!.shape).toEqual([2, 200]);
    expect(testProbabilities).toHaveLength(8);
    for (const { inputs } of counting.graphs)
      expect(inputs.some(({ name }) => name === 'eeg' || name.includes('eeg.'))).toBe(false);
    expect(counting.alive).toBe(0);
  });

  test('gives a model that says where it comes from and can be written and read', async () => {
    const { model, bestEpoch } = await run({
      ...{ dataset: 'made', recipe: recipeOf({}, { epochs: 2 }) },
      origins: { eeg: { dataset: 'eegmat', subjects: '["Subject00"]', seed: '1' } },
    });
    expect(model.classes).toEqual(['rest', 'task']);
    expect(model.recipe).toEqual(windows.recipe);
    const { recipe, subjects: seen, encoders, ...others } = model.provenance!;
    expect(JSON.parse(encoders!)).toEqual({ eeg: { dataset: 'eegmat', subjects: '["Subject00"]' }, ecg: {} });
    expect(JSON.parse(recipe!)).toEqual(recipeOf({}, { epochs: 2 }));
    expect(JSON.parse(seen!)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(others).toEqual({
      ...{ dataset: 'made', data: windows.hash, seed: '7', bestEpoch: String(bestEpoch) },
      trainedValues: String(2 * 400 + 2),
      engine: backend.description,
    });
    const decoded = decodeModel(encodeModel(model), 'model');
    expect(valuesOf(decoded.tensors)).toEqual(valuesOf(model.tensors));
    expect(decoded.provenance).toEqual(model.provenance);
  });

  test.each([
    ['frozen', 'all-patches'],
    ['all', 'mlp'],
  ])('of %s with %s, stopped and resumed, gives bit-identical weights', async (tune, kind) => {
    const recipe = recipeOf({ tune, head: { kind, hidden: 8 } }, { epochs: 2 });
    const whole = await run({ recipe });
    const store = new MemoryStore();
    const controller = new AbortController();
    const log = { record: (step: number) => (step === 3 ? controller.abort() : undefined), flush() {} };
    await expect(run({ recipe, store, log, signal: controller.signal })).rejects.toThrow(InterruptedError);
    const { eeg, ecg } = encodersOf();
    const others = { eeg: ecg, ecg: eeg };
    await expect(run({ recipe, store, encoders: others })).rejects.toThrow(
      'encoders.eeg: the checkpoint has',
    );
    const fewer = parts.training.slice(1);
    await expect(run({ recipe, store, training: fewer })).rejects.toThrow('training: the checkpoint has');
    await expect(run({ recipe: recipeOf(), store })).rejects.toThrow(ConfigError);
    const resumed = await run({ recipe, store });
    expect(valuesOf(resumed.model.tensors)).toEqual(valuesOf(whole.model.tensors));
    expect(resumed.curves).toEqual(whole.curves);
    expect(resumed.testProbabilities).toEqual(whole.testProbabilities);
  });
});

describe('a frozen encoder', () => {
  test('is run once for all folds, epochs and seeds that share a cache', async () => {
    const counting = countingBackend(backend);
    const cache: FeatureCache = new Map();
    const features = () => counting.graphs.filter(({ name }) => name === 'heartmind features').length;
    const recipe = recipeOf({ head: { kind: 'mlp', hidden: 8 } }, { epochs: 3 });
    const first = await run({ backend: counting, cache, recipe });
    expect(features()).toBe(2); // EEG, ECG
    expect(counting.runs.get('heartmind features')).toBe(2);
    expect(counting.runs.get('gradients')).toBe(3 * 2);
    const step = counting.graphs.find(({ name }) => name === 'gradients')!;
    expect(step.inputs.find(({ name }) => name === 'features')!.shape).toEqual([10, 400]);
    expect(step.inputs.some(({ name }) => name.includes('encoder'))).toBe(false);

    const cached = await run({ backend: counting, cache, recipe });
    expect(valuesOf(cached.model.tensors)).toEqual(valuesOf(first.model.tensors));
    const otherFold = { training: range(8, 28), validation: range(0, 4), test: range(4, 8) };
    await run({ backend: counting, cache, ...otherFold, recipe: { ...recipe, seed: 1 } });
    const alone = recipeOf({ encoders: { ecg: { layers: 1 } } });
    await run({ backend: counting, cache, recipe: alone });
    expect(features()).toBe(2);
    expect(cache.size).toBe(2);

    await run({ backend: counting, cache, encoders: { ...encodersOf(), ecg: encodersOf().eeg } });
    expect(features()).toBe(3);
    await run({ backend: counting, cache, recipe: recipeOf({ head: { kind: 'all-patches', hidden: 8 } }) });
    expect(features()).toBe(5);
    expect(counting.alive).toBe(0);
  });

  test('feeds a head that learns on standardised features, which the finished model needs no more', async () => {
    const store = new MemoryStore();
    const recipe = recipeOf({ learningRates: { head: 1e-2 } }, { epochs: 4, batch: 3 }); // validated in batches of 3 and 1
    const { model, validationProbabilities, testProbabilities, bestEpoch, curves } = await run({
      recipe,
      store,
    });
    const { tensors } = decodeCheckpoint(store.bytes!);
    const [weight, bias] = ['weight', 'bias'].map((name) => tensors.get(`best/head.0.${name}`)!.data);
    expect(weight).not.toEqual(model.tensors.get('head.0.weight')!.data);

    const config = modelConfigOf(recipe, windows);
    const features = await computeFeatures(backend, config, model.tensors, windows);
    applyScaling(features, fitScaling(features, parts.training));
    const expected = [...parts.validation, ...parts.test].flatMap((i) => {
      const row = features.data.subarray(i * features.size, (i + 1) * features.size);
      const logits = [0, 1].map((k) =>
        row.reduce((sum, x, f) => sum + x * Number(weight![k * features.size + f]), Number(bias![k])),
      );
      const total = Math.exp(logits[0]!) + Math.exp(logits[1]!);
      return logits.map((logit) => Math.exp(logit) / total);
    });
    const actual = [...validationProbabilities, ...testProbabilities];
    expect(actual).toHaveLength(16);
    for (const [i, probability] of actual.entries())
      expect(Math.abs(probability - expected[i]!)).toBeLessThan(1e-5);
    expect(score(validationProbabilities, parts.validation).loss).toBeCloseTo(
      curves[bestEpoch - 1]!.loss!,
      5,
    );
  });

  test('has features of mean 0 and deviation 1 over the training windows, and what is constant stays', () => {
    const features = { size: 3, data: Float32Array.of(1, 5, 10, 3, 5, 30, 100, 6, 0) };
    const scaling = fitScaling(features, [0, 1]);
    expect([...scaling.mean]).toEqual([2, 5, 20]);
    expect([...scaling.deviation]).toEqual([1, 1, 10]);
    applyScaling(features, scaling);
    expect([...features.data]).toEqual([-1, 0, -1, 1, 0, 1, 98, 1, -2]);
    const folded = foldScaling(
      new Map([
        ['head.0.weight', float32([1, 3], [2, 3, 40])],
        ['head.0.bias', float32([1], [1])],
      ]),
      scaling,
    );
    // 2 (x − 2) + 3 (y − 5) + 40 (z − 20) / 10 + 1
    expect([...folded.get('head.0.weight')!.data]).toEqual([2, 3, 4]);
    expect([...folded.get('head.0.bias')!.data]).toEqual([1 - 4 - 15 - 80]);
  });
});

describe('class weights and smoothing', () => {
  /** Probability of class 1 that a head learns where the windows tell nothing: 15 of 20 training windows are of class 1. */
  async function learnedPrior(over: object): Promise<number> {
    const blind = await syntheticWindows({
      ...{ channels: { ecg: ['II'] }, patches: 1, subjects, signal: () => 0 },
      labels: subjects.map((_, i) => Number(i % 4 !== 0)),
    });
    const recipe = recipeOf(
      {
        ...{ encoders: { ecg: { layers: 1 } }, learningRates: { head: 0.05 }, score: 'loss' },
        ...over,
      },
      { epochs: 150, batch: 20, weightDecay: 0, validateEvery: 150 },
    );
    const { testProbabilities } = await run({ windows: blind, recipe });
    for (let i = 0; i < 4; i++) expect(testProbabilities[2 * i + 1]).toBe(testProbabilities[1]);
    return testProbabilities[1]!;
  }

  test('without either the share of the class is learned', async () => {
    expect(await learnedPrior({})).toBeCloseTo(0.75, 2);
  });

  test('balanced weights make the classes equal', async () => {
    expect(await learnedPrior({ classWeights: 'balanced' })).toBeCloseTo(0.5, 2);
  });

  test('smoothing draws towards equal shares', async () => {
    expect(await learnedPrior({ labelSmoothing: 0.4 })).toBeCloseTo(0.6 * 0.75 + 0.4 / 2, 2);
  });

  test('a class that is not among the training windows weighs nothing and breaks nothing', async () => {
    const three = { ...windows, classes: ['rest', 'task', 'other'] };
    const { testProbabilities, curves } = await run({
      windows: three,
      recipe: recipeOf({ classWeights: 'balanced' }),
    });
    expect(testProbabilities).toHaveLength(12);
    expect(testProbabilities.every(Number.isFinite)).toBe(true);
    expect(curves[0]!.auroc).toBeNull();
  });
});

describe('the best epoch', () => {
  /** The labels of the validation windows are turned around: the more is learned, the worse they are predicted. */
  async function turned(scoreName: 'loss' | 'auroc' | 'balancedAccuracy') {
    const label = windows.label!.map((value, i) => (parts.validation.includes(i) ? 1 - value : value));
    const misleading = { ...windows, label };
    const recipe = recipeOf(
      { score: scoreName, learningRates: { head: 2e-3 }, head: { kind: 'mlp', hidden: 8 } },
      { epochs: 40, patience: 3 },
    );
    const result = await run({ windows: misleading, recipe });
    return { ...result, scores: score(result.validationProbabilities, parts.validation, misleading) };
  }

  test.each(['loss', 'auroc', 'balancedAccuracy'] as const)('is chosen by %s', async (name) => {
    const { bestEpoch, curves, scores, model } = await turned(name);
    const values = curves.map((row) => row[name]!);
    const best = name === 'loss' ? Math.min(...values) : Math.max(...values);
    expect(values.indexOf(best) + 1).toBe(bestEpoch);
    expect(curves).toHaveLength(bestEpoch + 3);
    expect(curves.length).toBeLessThan(40);
    // The model is that epoch's, not the last one's.
    expect(scores.loss).toBeCloseTo(curves[bestEpoch - 1]!.loss!, 4);
    expect(Math.abs(scores.loss - curves.at(-1)!.loss!)).toBeGreaterThan(1e-3);
    expect(model.provenance!.bestEpoch).toBe(String(bestEpoch));
  });
});

describe('scores that choose', () => {
  test('are those computed by hand', () => {
    const truth = Int32Array.of(0, 0, 1, 1);
    const { loss, balancedAccuracy, auroc } = scoreValidation(
      truth,
      Float32Array.of(0.75, 0.25, 0.25, 0.75, 0.5, 0.5, 0.25, 0.75),
      2,
    );
    expect(loss).toBeCloseTo(-(2 * Math.log(0.75) + Math.log(0.25) + Math.log(0.5)) / 4, 6);
    expect(balancedAccuracy).toBe((1 / 2 + 1 / 2) / 2); // of a tie the first class is predicted
    expect(auroc).toBe((1 + 0.5 + 1 + 0) / 4); // 0.5 > 0.25, 0.5 < 0.75, 0.75 > 0.25, 0.75 = 0.75
  });

  test('of more than two classes are means over the classes, and have no AUROC where one is absent', () => {
    const probabilities = Float32Array.of(0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.8);
    expect(scoreValidation(Int32Array.of(0, 1, 2), probabilities, 3)).toMatchObject({
      balancedAccuracy: 1,
      auroc: 1,
    });
    const absent = scoreValidation(Int32Array.of(0, 1, 1), probabilities, 3);
    expect(absent.balancedAccuracy).toBe(0.75);
    expect(absent.auroc).toBeNaN();
  });
});

describe('fine-tuning is refused', () => {
  test.each<[string, () => Partial<FinetuneOptions>, typeof DataError | typeof FormatError, string]>([
    ['without labels', () => ({ windows: unlabelled() }), DataError, 'the windows have no labels'],
    [
      'on windows of one class',
      () => ({ training: parts.training.filter((i) => labels[i] === 1) }),
      DataError,
      'the training windows are of one class',
    ],
    ['without training windows', () => ({ training: [] }), DataError, '0 windows train and 4 validate'],
    ['without validation windows', () => ({ validation: [] }), DataError, '20 windows train and 0 validate'],
    [
      'on windows without a modality',
      () => ({ windows: { ...windows, signals: { ecg: windows.signals.ecg! } } }),
      DataError,
      'finetune: the windows hold no eeg',
    ],
    [
      'with encoders that have fewer layers',
      () => ({ encoders: encodersOf(1), recipe: recipeOf({ encoders: { eeg: { layers: 2 } } }) }),
      FormatError,
      'eeg encoder: of ',
    ],
  ])('%s', async (_, over, type, message) => {
    await expect(run(over())).rejects.toThrow(type);
    await expect(run(over())).rejects.toThrow(message);
  });

  function unlabelled(): WindowSet {
    const { label: _, ...rest } = windows;
    return rest;
  }
});
