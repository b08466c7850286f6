import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import type { Targets } from '../../src/datasets/targets.ts';
import { scoreFinetuned } from '../../src/evaluate/finetune-score.ts';
import { decodeModel, encodeModel } from '../../src/model/model-file.ts';
import { Predictor } from '../../src/model/predict.ts';
import { describeOutputs } from '../../src/model/timeline.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { finetune } from '../../src/train/finetune.ts';
import { parseFinetuneRecipe } from '../../src/train/recipe.ts';
import { scoreLabels, scoreNumbers } from '../../src/train/validation-score.ts';
import { syntheticWindows } from './fixtures/synthetic.ts';

// Two windows of each of thirty people. `fast` and `high` are told apart by the signal, each by itself; a rate by a number.
const subjects = Array.from({ length: 60 }, (_, i) => `p${String(i >> 1).padStart(2, '0')}`);
const random = Random.derive(2, 'truth');
const truth = subjects.map(() => ({ fast: random.uniform() < 0.5, high: random.uniform() < 0.4 }));
const rate = truth.map(({ fast }) => (fast ? 90 : 60) + 4 * random.normal());
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const parts = { train: range(0, 36), validation: range(36, 46), test: range(46, 60) };

const labels: Targets = {
  ...{ name: 'findings', kind: 'multilabel', names: ['fast', 'high'] },
  // Of one window nothing is known of `high`.
  values: Float64Array.from(
    truth.flatMap(({ fast, high }, i) => [Number(fast), i === 3 ? Number.NaN : Number(high)]),
  ),
};
const numbers: Targets = { name: 'rate', kind: 'number', names: ['rate'], values: Float64Array.from(rate) };

let backend: Backend;
let windows: WindowSet;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  windows = await syntheticWindows({
    ...{ channels: { ecg: ['I', 'II'] }, patches: 2, subjects },
    labels: subjects.map(() => 0),
    signal: (w, channel, seconds) => {
      const angle = 2 * Math.PI * seconds * (rate[w]! / 30);
      return (truth[w]!.high && channel === 1 ? 1 : 0.4) * Math.sin(angle + w) ** 5;
    },
  });
});

const recipeOf = (over: object = {}) =>
  parseFinetuneRecipe({
    ...{ version: 1, task: 'finetune', encoders: { ecg: { layers: 1 } }, head: { kind: 'linear' } },
    learningRates: { backbone: 1e-3, head: 3e-3 },
    optimization: { epochs: 12, batch: 12, minimumLearningRate: 1e-5 },
    ...over,
  });
const given = () => ({ backend, windows, training: parts.train, validation: parts.validation });

describe('several labels at once', () => {
  test('are learned each by itself, and told with their names', async () => {
    const recipe = recipeOf({ classWeights: 'balanced' });
    const { model, testProbabilities, curves } = await finetune({
      ...{ ...given(), recipe, targets: labels, test: parts.test },
    });
    expect(model.classes).toEqual(['fast', 'high']);
    expect(model.config.head).toMatchObject({ classes: 2, output: 'labels' });
    const score = scoreLabels(
      Float64Array.from(parts.test.flatMap((i) => [...labels.values.subarray(2 * i, 2 * i + 2)])),
      testProbabilities,
      2,
    );
    expect(score.auroc).toBeGreaterThan(0.9);
    expect(Object.keys(curves[0]!)).toEqual(expect.arrayContaining(['loss', 'auroc']));
    // No softmax: both may be likely, or neither.
    const sums = Array.from(
      { length: parts.test.length },
      (_, i) => testProbabilities[2 * i]! + testProbabilities[2 * i + 1]!,
    );
    expect(Math.max(...sums) - Math.min(...sums)).toBeGreaterThan(0.5);
    const read = decodeModel(encodeModel(model), 'labels');
    const predictor = new Predictor(backend, read.config, read.tensors);
    const again = await predictor.probabilities(windows.signals);
    await predictor.dispose();
    expect(again[2 * parts.test[0]!]).toBeCloseTo(testProbabilities[0]!, 5);
    expect(describeOutputs([0.9, 0.2], read.classes, read.config)).toBe('fast');
    expect(describeOutputs([0.9, 0.7], read.classes, read.config)).toBe('fast+high');
    expect(describeOutputs([0.1, 0.2], read.classes, read.config)).toBe('none');
  });

  test('are scored on the people of a fold, with intervals', async () => {
    const names = (indices: readonly number[]) => [...new Set(indices.map((i) => subjects[i]!))];
    const fold = {
      ...{ name: 'published', ...parts },
      subjects: {
        name: 'published',
        train: names(parts.train),
        validation: names(parts.validation),
        test: names(parts.test),
      },
    };
    const found = await scoreFinetuned({
      backend,
      windows,
      recipe: recipeOf(),
      targets: labels,
      folds: [fold],
      samples: 50,
    });
    expect(found.scores.auroc!.mean).toBeGreaterThan(0.8);
    expect(found.labels.map(({ name }) => name)).toEqual(['fast', 'high']);
    expect(found.subjects).toEqual({ train: 18, validation: 5, test: 7 });
    const few = await scoreFinetuned({
      backend,
      windows,
      recipe: recipeOf(),
      targets: labels,
      folds: [fold],
      labelShare: 0.5,
      samples: 50,
    });
    expect(few.subjects.train).toBe(9);
  });

  test('of which one is true of nobody, or a score of classes, is refused', async () => {
    const none = { ...labels, values: labels.values.map((value, i) => (i % 2 === 1 ? 0 : value)) };
    await expect(finetune({ ...given(), recipe: recipeOf(), targets: none })).rejects.toThrow(DataError);
    await expect(finetune({ ...given(), recipe: recipeOf(), targets: none })).rejects.toThrow(
      "'high' is true of 0 of 36",
    );
    const recipe = recipeOf({ score: 'balancedAccuracy' });
    await expect(finetune({ ...given(), recipe, targets: labels })).rejects.toThrow(ConfigError);
  });
});

describe('a number', () => {
  test('is learned in its own unit', async () => {
    const { model, testProbabilities, validationProbabilities, curves, bestEpoch } = await finetune({
      ...{ ...given(), recipe: recipeOf(), targets: numbers, test: parts.test },
    });
    expect(model.config.head).toMatchObject({ classes: 1, output: 'number' });
    const score = scoreNumbers(
      Float64Array.from(parts.test, (i) => rate[i]!),
      testProbabilities,
    );
    expect(score.r2).toBeGreaterThan(0.5);
    expect(describeOutputs([72.345678], ['rate'], model.config)).toBe('72.35');
    // What was told of validation windows while training is what the finished model says.
    const validated = scoreNumbers(
      Float64Array.from(parts.validation, (i) => rate[i]!),
      validationProbabilities,
    );
    expect(curves.find(({ epoch }) => epoch === bestEpoch)!.mae).toBeCloseTo(validated.mae, 3);
  });

  test('that is always the same is refused', async () => {
    const same = { ...numbers, values: numbers.values.map(() => 5) };
    await expect(finetune({ ...given(), recipe: recipeOf(), targets: same })).rejects.toThrow(
      'only the value 5',
    );
  });
});
