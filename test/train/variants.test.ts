/** Fine-tuning of every kind of fusion, pooling and adaptation: it learns, and the model is what was trained. */
import { beforeAll, describe, expect, test } from 'vitest';
import { InterruptedError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { encoderParameters } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { decodeModel, encodeModel } from '../../src/model/model-file.ts';
import { initialParameters } from '../../src/model/parameters.ts';
import { Predictor } from '../../src/model/predict.ts';
import { selectWindows } from '../../src/patches/window-set.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { type FinetuneOptions, finetune } from '../../src/train/finetune.ts';
import { type FinetuneRecipe, parseFinetuneRecipe } from '../../src/train/recipe.ts';
import { scoreValidation } from '../../src/train/validation-score.ts';
import { MemoryStore, syntheticWindows } from './fixtures/synthetic.ts';

const subjects = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].flatMap((name) => [name, name, name, name]);
const labels = subjects.map((_, i) => i % 2);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const parts = { training: range(0, 20), validation: range(20, 24), test: range(24, 28) };

let backend: Backend;
let windows: WindowSet;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  windows = await syntheticWindows({
    ...{ channels: { eeg: ['C3', 'C4'], ecg: ['II'] }, patches: 1, subjects, labels },
    signal: (window, channel, seconds, modality) => {
      const task = labels[window]!;
      const angle = 2 * Math.PI * (seconds + 0.05 * ((3 * window) % 5));
      if (modality === 'ecg') return Math.sin((task ? 2 : 1) * angle) ** 5;
      return (task ? 0.6 : 0.2) * Math.sin(10 * angle + channel) + 0.1 * Math.sin(3 * angle);
    },
  });
});

const draw = (seed: number) =>
  initialParameters(encoderParameters(encoderConfig({ layers: 1 })), new Random(seed));
const encoders = { eeg: draw(11), ecg: draw(12) };

function recipeOf(over: object = {}, optimization: object = {}): FinetuneRecipe {
  return parseFinetuneRecipe({
    ...{ version: 1, task: 'finetune', seed: 7, head: { kind: 'linear' }, tune: 'frozen' },
    encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
    learningRates: { head: 1e-2, backbone: 1e-3 },
    score: 'loss',
    optimization: { epochs: 1, batch: 10, minimumLearningRate: 1e-5, ...optimization },
    ...over,
  });
}
const run = (recipe: FinetuneRecipe, over: Partial<FinetuneOptions> = {}) =>
  finetune({ backend, windows, recipe, encoders, ...parts, ...over });
const score = (probabilities: Float32Array, indices: readonly number[] = parts.test) =>
  scoreValidation(
    Int32Array.from(indices, (i) => labels[i]!),
    probabilities,
    2,
  ).balancedAccuracy;
const largest = (a: Float32Array, b: Float32Array) =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);

describe('on frozen encoders', () => {
  test.each<[string, object, number]>([
    ['gated fusion', { fusion: 'gated' }, 802 + 2 * 400 + 802],
    ['late fusion', { fusion: 'late' }, 2 * 402 + 2 * 400],
    ['cross-attention', { fusion: 'cross-attention' }, 802 + 2 * (400 + 800 + 4 * 40200)],
    ['attention pooling', { head: { kind: 'linear', pool: 'attention' } }, 802 + 2 * 400 + 400],
  ])('%s learns, and the finished model gives what was validated', async (_, over, values) => {
    const recipe = recipeOf(over, { epochs: 10 });
    const result = await run(recipe);
    expect(score(result.testProbabilities)).toBe(1);
    expect(result.trainedValues).toBe(values);
    expect(result.model.provenance!.trainedValues).toBe(String(values));
    // Trained on standardised features, finished on plain ones: the same loss, so the scaling was folded in rightly.
    const { loss } = scoreValidation(
      Int32Array.from(parts.validation, (i) => labels[i]!),
      result.validationProbabilities,
      2,
    );
    expect(Math.abs(loss - result.curves[result.bestEpoch - 1]!.loss!)).toBeLessThan(1e-4);
    const decoded = decodeModel(encodeModel(result.model), 'model');
    const predictor = new Predictor(backend, decoded.config, decoded.tensors);
    const again = await predictor.probabilities(selectWindows(windows, parts.test).signals);
    expect(again).toEqual(result.testProbabilities);
    await predictor.dispose();
  });
});

describe('modality dropout', () => {
  test.each(['concatenate', 'late'] as const)(
    'with fusion %s gives one model for both signals and for each alone',
    async (fusion) => {
      const recipe = recipeOf({ fusion, modalityDropout: 0.5 }, { epochs: 15 });
      const { testProbabilities, missingProbabilities, model } = await run(recipe, { testMissing: true });
      expect(score(testProbabilities)).toBe(1);
      for (const modality of ['eeg', 'ecg'] as const) {
        expect(score(missingProbabilities[modality]!)).toBe(1);
        expect(largest(missingProbabilities[modality]!, testProbabilities)).toBeGreaterThan(1e-6);
      }
      expect(model.config.nullEmbeddings).toBe(true);
    },
  );

  test('drops as it is drawn, however batches are cut, and never both', async () => {
    const present: number[][] = [];
    const watching: Backend = {
      ...{ description: backend.description, device: backend.device },
      async compile(graph, options) {
        const program = await backend.compile(graph, options);
        if (graph instanceof Uint8Array || graph.name !== 'gradients') return program;
        return {
          ...{ inputNames: program.inputNames, outputNames: program.outputNames },
          run(feeds, wanted) {
            const bits = (name: string) => Array.from(feeds[name]!.data as Uint8Array);
            bits('eeg.present').forEach((bit, i) => {
              present.push([bit, bits('ecg.present')[i]!]);
            });
            return program.run(feeds, wanted);
          },
          dispose: () => program.dispose(),
        };
      },
    };
    const recipe = recipeOf({ modalityDropout: 0.5 }, { epochs: 10 });
    const whole = await run(recipe, { backend: watching });
    expect(present).toHaveLength(200);
    const kinds = present.map(([eeg, ecg]) => `${eeg}${ecg}`);
    const share = (kind: string) => kinds.filter((one) => one === kind).length / kinds.length;
    expect(share('00')).toBe(0);
    expect(share('11')).toBeCloseTo(0.5, 0);
    for (const kind of ['10', '01']) expect(Math.abs(share(kind) - 0.25)).toBeLessThan(0.1);
    const first = present.splice(0).map(String);
    await run(recipeOf({ modalityDropout: 0.5 }, { epochs: 10, accumulate: 2 }), { backend: watching });
    expect(present.map(String)).toEqual(first);
    expect(whole.curves).toHaveLength(10);
  });

  test('of one modality alone changes nothing', async () => {
    const alone = { encoders: { ecg: { layers: 1 } } };
    const plain = await run(recipeOf(alone));
    const dropped = await run(recipeOf({ ...alone, modalityDropout: 0.5, fusion: 'gated' }));
    expect(dropped.testProbabilities).toEqual(plain.testProbabilities);
    expect(dropped.missingProbabilities).toEqual({});
  });

  test('is missed where a model was trained without it: zeros in the signal’s place', async () => {
    const { missingProbabilities, model } = await run(recipeOf(), { testMissing: true });
    expect(Object.keys(missingProbabilities)).toEqual(['eeg', 'ecg']);
    const predictor = new Predictor(backend, model.config, model.tensors);
    const { eeg } = selectWindows(windows, parts.test).signals;
    await expect(predictor.probabilities({ eeg: eeg! })).rejects.toThrow(
      'predict: the model takes ecg as II × 1 × 200, got nothing.',
    );
    await predictor.dispose();
  });
});

describe('low-rank adaptation', () => {
  const lora = { lora: { rank: 2, alpha: 4 } };

  test('tunes factors and head alone, and merges them into a plain model', async () => {
    const store = new MemoryStore();
    const { model, trainedValues, testProbabilities } = await run(recipeOf({ tune: lora }, { epochs: 6 }), {
      store,
    });
    // 3,200 values a layer and rank, in two encoders.
    expect(trainedValues).toBe(802 + 2 * 3200 * 2);
    expect(score(testProbabilities)).toBe(1);
    expect([...model.tensors.keys()].some((name) => name.includes('lora'))).toBe(false);
    const moved = [...model.tensors].filter(([name, { data }]) => {
      const [, modality, rest] = /^(eeg|ecg)\.(.*)$/.exec(name) ?? [];
      const before = modality && encoders[modality as 'eeg'].get(rest!)?.data;
      return before && largest(data, before) > 0;
    });
    expect(moved.map(([name]) => name.replace(/^(eeg|ecg)\.encoder\.layers\.0\./, ''))).toEqual(
      [1, 2].flatMap(() => [
        ...['self_attn_s.in_proj_weight', 'self_attn_s.out_proj.weight'],
        ...['self_attn_t.in_proj_weight', 'self_attn_t.out_proj.weight', 'linear1.weight', 'linear2.weight'],
      ]),
    );
    const names = [...decodeCheckpoint(store.bytes!).tensors.keys()].filter((name) =>
      name.startsWith('parameter/'),
    );
    expect(names).toHaveLength(2 + 2 * 2 * 6);
  });

  test('stopped and resumed gives bit-identical weights', async () => {
    const recipe = recipeOf({ tune: lora, fusion: 'gated', modalityDropout: 0.3 }, { epochs: 2 });
    const whole = await run(recipe);
    const store = new MemoryStore();
    const controller = new AbortController();
    const log = { record: (step: number) => (step === 3 ? controller.abort() : undefined), flush() {} };
    await expect(run(recipe, { store, log, signal: controller.signal })).rejects.toThrow(InterruptedError);
    const resumed = await run(recipe, { store });
    expect(resumed.testProbabilities).toEqual(whole.testProbabilities);
    for (const [name, { data }] of whole.model.tensors)
      expect(resumed.model.tensors.get(name)!.data, name).toEqual(data);
  });
});

describe('a checkpoint', () => {
  test('from before there were kinds goes on; of another kind it does not', async () => {
    const store = new MemoryStore();
    await run(recipeOf({}, { epochs: 1 }), { store });
    const { identity } = decodeCheckpoint(store.bytes!);
    const saved = identity.recipe as Record<string, unknown>;
    expect(Object.keys(saved)).not.toContain('fusion');
    expect(Object.keys(saved)).not.toContain('modalityDropout');
    expect(saved.head).toEqual({ kind: 'linear', hidden: 200, dropout: 0.1 });
    await expect(run(recipeOf({ fusion: 'gated' }), { store })).rejects.toThrow(
      'recipe.fusion: the checkpoint has nothing, this run has "gated"',
    );
  });
});
