/** Training from a store: the same weights as from memory in that order, stopped or not, on one rank or two. */
import { beforeAll, describe, expect, test } from 'vitest';
import { InterruptedError } from '../../src/core/errors.ts';
import type { FloatTensors } from '../../src/model/parameters.ts';
import { encodeSamples } from '../../src/patches/store-samples.ts';
import { openStoreWindows, type StoreWindows } from '../../src/patches/store-windows.ts';
import { StoreWriter } from '../../src/patches/store-writer.ts';
import { asReader, type WindowReader } from '../../src/patches/window-reader.ts';
import type { Modality } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { finetune } from '../../src/train/finetune.ts';
import { type PretrainResult, pretrain } from '../../src/train/pretrain.ts';
import { parseFinetuneRecipe, parsePretrainRecipe } from '../../src/train/recipe.ts';
import { TrainingWindows } from '../../src/train/training-windows.ts';
import { type MemoryPlace, memoryPlace } from '../patches/store-place.ts';
import { onRanks } from './fixtures/memory-ranks.ts';
import { MemoryStore, syntheticWindows } from './fixtures/synthetic.ts';

const people = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const each = 6;
let backend: Backend;
let place: MemoryPlace;
let streamed: PretrainResult;
/** Room for two pools of eight windows of the ECG. */
const memoryMegabytes = (2 * 8 * 2 * 400) / 2 ** 20;
const open = (): Promise<StoreWindows> => openStoreWindows(place, { memoryMegabytes, target: 'state' });

beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  const subject = people.flatMap((name) => Array.from({ length: each }, () => name));
  const state = subject.map((_, i) => i % 2);
  const set = await syntheticWindows({
    ...{ channels: { eeg: ['C3'], ecg: ['II'] }, patches: 2, subjects: subject, labels: state },
    signal: (window, _channel, t) => Math.sin((state[window]! + 1) * 8 * t + window),
  });
  const trials = subject.map((name, i) => ({
    id: `${i}`,
    subject: name,
    targets: { state: set.classes[state[i]!]! },
  }));
  place = memoryPlace();
  const writer = await StoreWriter.open(place, {
    recipe: set.recipe,
    dataset: { name: 'toy', title: '', licence: '', url: '', citation: '', splits: {} },
    targets: { state: set.classes },
    type: 'int16',
    windowsPerShard: 10,
    trials,
  });
  const bitsOf = (modality: Modality, i: number) => {
    const { bits, peak } = encodeSamples(
      set.signals[modality]!.data.subarray(i * 400, (i + 1) * 400),
      'int16',
    )!;
    return { bits, peak: Float32Array.of(peak) };
  };
  for (const i of trials.keys())
    await writer.add({
      ...{ trial: i, piece: 0, start: Float64Array.of(0), beats: new Float64Array(0), dropped: [] },
      signals: { eeg: bitsOf('eeg', i), ecg: bitsOf('ecg', i) },
    });
  await writer.finish();
  streamed = await pretrain({ backend, windows: await open(), recipe });
});

const recipe = parsePretrainRecipe({
  ...{ version: 1, task: 'pretrain', modality: 'ecg', seed: 5, encoder: { layers: 1 } },
  optimization: { epochs: 2, batch: 4, accumulate: 2, minimumLearningRate: 1e-5 },
});
const finetuneRecipe = parseFinetuneRecipe({
  ...{ version: 1, task: 'finetune', seed: 3, head: { kind: 'linear' }, tune: 'all' },
  encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
  optimization: { epochs: 2, batch: 6, minimumLearningRate: 1e-5 },
});
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const parts = { training: range(0, 30), validation: range(30, 36), test: range(36, 42) };

const valuesOf = (tensors: FloatTensors) =>
  new Map(
    [...tensors].map(([name, { data }]) => [name, Buffer.from(data.slice().buffer).toString('base64')]),
  );

/** The store's windows in memory, in the order of the store. */
async function inMemory(): Promise<WindowReader> {
  const windows = await open();
  const near = asReader(await windows.load());
  const stream = (_: Int32Array, modalities: readonly Modality[]) => ({
    read: (indices: ArrayLike<number>) => near.read(indices, modalities),
  });
  return { ...near, far: { ...windows.far, stream } };
}

describe('training from a store', () => {
  test('is training from memory in the same order', async () => {
    const held = await pretrain({ backend, windows: await inMemory(), recipe });
    expect(valuesOf(streamed.tensors)).toEqual(valuesOf(held.tensors));
    expect(streamed.curves).toEqual(held.curves);
    expect(streamed.provenance).toEqual(held.provenance);
  });

  test('goes on after any update with the same batches, and only with the same memory', async () => {
    for (const stopAt of [7, 9]) {
      const store = new MemoryStore();
      const stop = new AbortController();
      const log = { record: (step: number) => (step === stopAt ? stop.abort() : undefined), flush() {} };
      const stopped = pretrain({ backend, windows: await open(), recipe, store, log, signal: stop.signal });
      await expect(stopped).rejects.toThrow(InterruptedError);
      const larger = await openStoreWindows(place, { memoryMegabytes: 4 * memoryMegabytes, target: 'state' });
      await expect(pretrain({ backend, windows: larger, recipe, store })).rejects.toThrow(
        'order.pool: the checkpoint has 8, this run has 32.',
      );
      const resumed = await pretrain({ backend, windows: await open(), recipe, store });
      expect(valuesOf(resumed.tensors)).toEqual(valuesOf(streamed.tensors));
    }
  });

  test('two ranks train as one, each reading its own windows alone', async () => {
    const both = await onRanks(2, async (ranks) =>
      pretrain({ backend, windows: await open(), recipe, ranks }),
    );
    expect(valuesOf(both[0]!.tensors)).toEqual(valuesOf(both[1]!.tensors));
    for (const [name, { data }] of streamed.tensors) {
      const worst = data.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - both[0]!.tensors.get(name)!.data[i]!)),
        0,
      );
      expect(worst, name).toBeLessThan(1e-6);
    }
    const windows = await open();
    const options = { windows, indices: parts.training, modalities: ['ecg'] as const, batch: 4, seed: 5 };
    const expected = await onRanks(2, async (ranks) => {
      const sequences: number[][] = [];
      const stream = (sequence: Int32Array) => {
        sequences.push([...sequence]);
        return { read: async () => ({}) };
      };
      const spied = {
        ...asReader(windows),
        count: windows.count,
        far: { ...windows.far, stream },
      } as WindowReader;
      const order = new TrainingWindows({ ...options, windows: spied, ranks }).order.order!(0);
      const own = Array.from(order).filter((_, at) => (at % 4 < 2 ? 0 : 1) === ranks.rank);
      expect(sequences).toEqual([own.map((position) => parts.training[position]!)]);
      return sequences[0]!;
    });
    expect(expected.flat().sort((a, b) => a - b)).toEqual(parts.training);
  });

  test.each(['all', 'frozen'] as const)(
    'fine-tuning with %s gives what it gives from memory',
    async (tune) => {
      const recipeOf = { ...finetuneRecipe, tune };
      const fromStore = await finetune({ backend, windows: await open(), recipe: recipeOf, ...parts });
      const held = await finetune({ backend, windows: await inMemory(), recipe: recipeOf, ...parts });
      expect(valuesOf(fromStore.model.tensors)).toEqual(valuesOf(held.model.tensors));
      expect(fromStore.testProbabilities).toEqual(held.testProbabilities);
      expect(fromStore.testProbabilities).toHaveLength(12);
    },
  );
});
