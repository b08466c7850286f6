import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, DivergenceError, InterruptedError, StorageError } from '../../src/core/errors.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { type CheckpointStore, decodeCheckpoint } from '../../src/train/checkpoint.ts';
import { type TrainingOptions, type TrainingTask, train } from '../../src/train/loop.ts';
import { toyOptimization, toyTask } from './fixtures/toy.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

class MemoryStore implements CheckpointStore {
  bytes: Uint8Array | undefined;
  saves = 0;
  readonly beside = new Map<string, Uint8Array>();
  async load() {
    return this.bytes;
  }
  async save(bytes: Uint8Array) {
    this.bytes = bytes;
    this.saves++;
  }
  async saveBeside(name: string, bytes: Uint8Array) {
    this.beside.set(name, bytes);
    return name;
  }
}

function run(task: TrainingTask, over: Partial<TrainingOptions> = {}) {
  const optimization = toyOptimization();
  return train(task, {
    backend,
    seed: 3,
    optimization,
    identity: { recipe: { seed: 3 }, data: 'a' },
    ...over,
  });
}

const weights = (result: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries([...result.parameters].map(([name, { data }]) => [name, [...data]]));

describe('the training loop', () => {
  test('learns, and gives the same weights for the same seed only', async () => {
    const optimization = toyOptimization({ epochs: 60 });
    const first = await run(toyTask({ dropout: 0 }), { optimization });
    const second = await run(toyTask({ dropout: 0 }), { optimization });
    const other = await run(toyTask({ dropout: 0 }), { optimization, seed: 4 });
    expect(weights(second)).toEqual(weights(first));
    expect(weights(other)).not.toEqual(weights(first));
    expect(first.curves).toHaveLength(60);
    expect(first.curves.at(-1)!.trainLoss!).toBeLessThan(0.5 * first.curves[0]!.trainLoss!);
    expect(first.steps).toBe(60 * Math.ceil(30 / 8));
  });

  test.each([1, 2])('stopped at any update it resumes bit-exactly (accumulate %i)', async (accumulate) => {
    const optimization = toyOptimization({ accumulate });
    const whole = await run(toyTask(), { optimization });
    const store = new MemoryStore();
    let stops = 0;
    for (;;) {
      const controller = new AbortController();
      const log = { record: () => controller.abort(), flush() {} };
      const resumed = run(toyTask(), { optimization, store, log, signal: controller.signal });
      const result = await resumed.catch((error) => {
        expect(error).toBeInstanceOf(InterruptedError);
        stops++;
      });
      if (!result) continue;
      expect(weights(result)).toEqual(weights(whole));
      expect(result.curves).toEqual(whole.curves);
      break;
    }
    expect(stops).toBe(11);
  });

  test.each(['while windows are read', 'while it validates'])(
    'stopped %s it saves a checkpoint, and resumes bit-exactly',
    async (place) => {
      const whole = await run(toyTask({ scores: [3, 2, 1] }));
      const store = new MemoryStore();
      const controller = new AbortController();
      const task = toyTask({ scores: [3, 2, 1] });
      const stop = () => {
        controller.abort();
        throw new InterruptedError('store: stopped.');
      };
      let draws = 0;
      const stalled: TrainingTask =
        place === 'while it validates'
          ? { ...task, validate: async () => stop() }
          : { ...task, draw: async (...given) => (draws++ < 3 ? task.draw(...given) : stop()) };
      const optimization = toyOptimization({ checkpointSeconds: 1e6 });
      const first = run(stalled, { store, optimization, signal: controller.signal });
      await expect(first).rejects.toThrow(/^training: stopped after [1-9]\d* of \d+ updates\. A checkpoint/);
      expect(store.saves).toBe(1);
      const resumed = await run(toyTask({ scores: [3, 2, 1] }), { store });
      expect(weights(resumed)).toEqual(weights(whole));
      expect(resumed.curves).toEqual(whole.curves);
    },
  );

  test('a finished run is not trained again', async () => {
    const store = new MemoryStore();
    const first = await run(toyTask(), { store });
    const { saves } = store;
    expect(weights(await run(toyTask(), { store }))).toEqual(weights(first));
    expect(store.saves).toBe(saves);
  });

  test('a checkpoint of another recipe or other data is refused by name', async () => {
    const store = new MemoryStore();
    await run(toyTask(), { store });
    const other = run(toyTask(), { store, identity: { recipe: { seed: 9 }, data: 'a' } });
    await expect(other).rejects.toThrow(ConfigError);
    await expect(run(toyTask(), { store, identity: { recipe: { seed: 9 }, data: 'a' } })).rejects.toThrow(
      'recipe.seed: the checkpoint has 3, this run has 9.',
    );
    await expect(run(toyTask(), { store, identity: { recipe: { seed: 3 }, data: 'b' } })).rejects.toThrow(
      'data: the checkpoint has "a", this run has "b".',
    );
  });

  test('stops early and restores the best epoch', async () => {
    const optimization = toyOptimization({ epochs: 20, patience: 3 });
    const scores = [5, 4, 3, 6, Number.NaN, 7, 8];
    const stopped = await run(toyTask({ scores }), { optimization });
    expect(stopped.curves.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(stopped.bestEpoch).toBe(3);
    expect(stopped.curves[4]!.loss).toBeNull();
    const last = await run(toyTask({ scores: [5, 6, 7, 8, 9, 10, 11] }), {
      optimization: toyOptimization({ epochs: 20, patience: 1 }),
    });
    expect(last.bestEpoch).toBe(1);
    expect(last.curves).toHaveLength(2);
  });

  test('a loss that is not finite stops the run and is saved with the state before it', async () => {
    const store = new MemoryStore();
    const error = await run(toyTask({ poison: 4 }), { store }).catch((caught) => caught);
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error.savedTo).toBe(`diverged-step-${error.step}.safetensors`);
    const { tensors, progress } = decodeCheckpoint(store.beside.get(error.savedTo)!);
    expect(progress.step).toBe(error.step - 1);
    expect([...tensors.get('batch/0/target')!.data].some((x) => Number.isNaN(x))).toBe(true);
    expect([...tensors.get('parameter/w1')!.data].every((x) => Number.isFinite(Number(x)))).toBe(true);
  });

  test('however a batch is cut into parts, the run is the same', async () => {
    const whole = await run(toyTask());
    for (const accumulate of [2, 8]) {
      const cut = await run(toyTask(), { optimization: toyOptimization({ accumulate }) });
      for (const [name, values] of Object.entries(weights(whole)))
        for (const [i, x] of values.entries()) expect(weights(cut)[name]![i]).toBeCloseTo(x, 5);
    }
    await expect(run(toyTask(), { optimization: toyOptimization({ accumulate: 3 }) })).rejects.toThrow(
      'optimization.batch: 8 windows cannot be cut into 3 equal parts on each of 1 ranks. Choose a multiple of 3.',
    );
  });

  test('a task gives its own order of windows, and may take its time to draw them', async () => {
    const task = toyTask();
    const seen: number[][] = [];
    const optimization = toyOptimization({ epochs: 2 });
    await run(
      {
        ...task,
        order: (epoch) => Array.from({ length: 30 }, (_, i) => (i + 10 * epoch) % 30),
        draw: async (indices, draws) => {
          seen.push([...indices]);
          await new Promise((resolve) => setTimeout(resolve, 1));
          return task.draw(indices, draws);
        },
      },
      { optimization },
    );
    expect(seen).toHaveLength(8);
    expect(seen.slice(0, 4).flat()).toEqual([...Array(30).keys(), 0, 1]);
    expect(seen[4]).toEqual([10, 11, 12, 13, 14, 15, 16, 17]);
  });

  test('reports figures and progress', async () => {
    const names = new Set<string>();
    const done: number[] = [];
    let total = 0;
    let ends = 0;
    await run(toyTask(), {
      log: { record: (_, values) => Object.keys(values).map((name) => names.add(name)) as never, flush() {} },
      progress: (windows) => {
        total = windows;
        return { update: (n) => done.push(n), end: () => ends++ };
      },
    });
    expect([...names].sort()).toEqual([
      'learningRate/all',
      'train/gradientNorm',
      'train/loss',
      'validation/loss',
    ]);
    expect(done.at(-1)).toBe(total);
    expect(ends).toBe(1);
  });

  test('a checkpoint that cannot be written stops the run with StorageError', async () => {
    const store = new MemoryStore();
    store.save = async () => {
      throw new StorageError('full', 'x');
    };
    await expect(run(toyTask(), { store })).rejects.toThrow(StorageError);
  });
});
