import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, InterruptedError } from '../../src/core/errors.ts';
import type { FloatTensors } from '../../src/model/parameters.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import {
  anyRank,
  assertSameTask,
  cutRows,
  dealJobs,
  shareBytes,
  shareFigures,
  spreadRows,
} from '../../src/train/distributed.ts';
import { finetune } from '../../src/train/finetune.ts';
import { type MetricsLog, type TrainingOptions, train } from '../../src/train/loop.ts';
import { pretrain } from '../../src/train/pretrain.ts';
import type { Ranks } from '../../src/train/ranks.ts';
import { parseFinetuneRecipe, parsePretrainRecipe } from '../../src/train/recipe.ts';
import { onRanks } from './fixtures/memory-ranks.ts';
import { MemoryStore, syntheticWindows } from './fixtures/synthetic.ts';
import { toyOptimization, toyTask } from './fixtures/toy.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

describe('ranks agree', () => {
  test('that one of them wants something', async () => {
    expect(await onRanks(3, (ranks) => anyRank(ranks, ranks.rank === 1))).toEqual([true, true, true]);
    expect(await onRanks(3, (ranks) => anyRank(ranks, false))).toEqual([false, false, false]);
    expect(await anyRank(undefined, true)).toBe(true);
  });

  test('on the bytes and figures of rank 0', async () => {
    const bytes = await onRanks(2, (ranks) =>
      shareBytes(ranks, ranks.rank === 0 ? Uint8Array.of(7, 8) : undefined),
    );
    expect(bytes).toEqual([Uint8Array.of(7, 8), Uint8Array.of(7, 8)]);
    expect(await onRanks(2, (ranks) => shareBytes(ranks, undefined))).toEqual([undefined, undefined]);
    const figures = { a: 0.1, b: Number.NaN, c: Number.NEGATIVE_INFINITY };
    const shared = await onRanks(2, (ranks) => shareFigures(ranks, ranks.rank === 0 ? figures : { z: 1 }));
    expect(shared).toEqual([figures, figures]);
  });

  test('or say where their recipes or data differ', async () => {
    const same = onRanks(2, (ranks) => assertSameTask(ranks, { data: 'a', recipe: { seed: 1 } }));
    await expect(same).resolves.toEqual([undefined, undefined]);
    const differing = onRanks(3, (ranks) =>
      assertSameTask(ranks, { data: 'a', recipe: { seed: ranks.rank === 2 ? 5 : 1 } }),
    );
    await expect(differing).rejects.toThrow(
      'recipe: rank 2 has {"seed":5}, rank 0 has {"seed":1}. Give every rank the same recipe and the same files.',
    );
    await expect(differing).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('work is spread', () => {
  test.each([
    [0, 4, 3],
    [1, 4, 3],
    [10, 4, 2],
    [10, 4, 4],
    [64, 1, 7],
  ])('over rows: %i in blocks of %i over %i ranks', async (count, block, size) => {
    const rows = cutRows(count, block, size);
    expect(rows[0]!.start).toBe(0);
    expect(rows.at(-1)!.end).toBe(count);
    for (const [i, { start }] of rows.entries()) {
      expect(start).toBe(i === 0 ? 0 : rows[i - 1]!.end);
      expect(start === count || start % block === 0).toBe(true);
    }
    const expected = Float32Array.from({ length: 2 * count }, (_, i) => i);
    const all = await onRanks(size, (ranks) =>
      spreadRows(ranks, count, block, async ({ start, end }) => expected.slice(2 * start, 2 * end)),
    );
    for (const one of all) expect(one).toEqual(expected);
  });

  test('over jobs: r, r + size, …, and comes back in their order', async () => {
    const jobs = ['a', 'b', 'c', 'd', 'e'];
    const done: string[] = [];
    const all = await onRanks(2, (ranks) =>
      dealJobs(ranks, jobs, async (job, index) => {
        done.push(`${ranks.rank}${job}`);
        return { job, index, half: 0.1 };
      }),
    );
    expect(done.sort()).toEqual(['0a', '0c', '0e', '1b', '1d']);
    const alone = await dealJobs(undefined, jobs, async (job, index) => ({ job, index, half: 0.1 }));
    expect(all).toEqual([alone, alone]);
    expect(await onRanks(3, (ranks) => dealJobs(ranks, ['a'], async (job) => job))).toEqual([
      ['a'],
      ['a'],
      ['a'],
    ]);
  });

  test('over jobs: where one rank is stopped, all are', async () => {
    const results = onRanks(3, (ranks) =>
      dealJobs(ranks, [0, 1, 2], async (job) => {
        if (job === 1) throw new InterruptedError('stopped');
        return job;
      }).catch((error) => error),
    );
    for (const error of await results) expect(error).toBeInstanceOf(InterruptedError);
  });
});

/** The loss of every update. */
class Losses implements MetricsLog {
  readonly values: number[] = [];
  readonly names = new Set<string>();
  record(_step: number, values: Readonly<Record<string, number>>) {
    for (const name of Object.keys(values)) this.names.add(name);
    if ('train/loss' in values) this.values.push(values['train/loss']!);
  }
  flush() {}
}

const toyRun = (over: Partial<TrainingOptions> = {}, scores?: readonly number[]) =>
  train(toyTask(scores ? { scores } : {}), {
    backend,
    seed: 3,
    optimization: toyOptimization(),
    identity: { recipe: { seed: 3 } },
    ...over,
  });

const valuesOf = (tensors: FloatTensors) => [...tensors].map(([name, { data }]) => [name, [...data]]);

describe('training on several ranks', () => {
  test.each([2, 4])('%i ranks with a share of the batch each equal one, dropout on', async (size) => {
    const optimization = toyOptimization({ epochs: 15 });
    const log = new Losses();
    const whole = await toyRun({ optimization, log });
    expect(log.values).toHaveLength(60);
    const shared = new Losses();
    const all = await onRanks(size, (ranks) => toyRun({ optimization, ranks, log: shared }));
    for (const { parameters } of all) expect(valuesOf(parameters)).toEqual(valuesOf(all[0]!.parameters));
    expectClose(all[0]!.parameters, whole.parameters);
    expectCloseLosses(shared.values, log.values);
    // Rank 0 alone logs, what sums took among it.
    expect(shared.values).toHaveLength(60);
    expect(shared.names).toContain('seconds/sum');
    expect(log.names).not.toContain('seconds/sum');
  });

  test('all begin with the state of rank 0', async () => {
    const off = (ranks: Ranks) => {
      const task = toyTask();
      if (ranks.rank === 0) return task;
      for (const { data } of task.initial.values()) data.fill(9);
      return task;
    };
    const [first, second] = await onRanks(2, (ranks) =>
      train(off(ranks), {
        ...{ backend, seed: 3, ranks, identity: {} },
        optimization: toyOptimization(),
      }),
    );
    expect(valuesOf(second!.parameters)).toEqual(valuesOf(first!.parameters));
    expectClose(first!.parameters, (await toyRun()).parameters);
  });

  test('only rank 0 reads and writes checkpoints; the best epoch is that of its scores', async () => {
    const stores = [new MemoryStore(), new MemoryStore()];
    const scores = [3, 1, 2];
    const run = () =>
      onRanks(2, (ranks) =>
        toyRun({ ranks, store: stores[ranks.rank]! }, ranks.rank === 0 ? scores : [1, 2, 3]),
      );
    const all = await run();
    expect(all.map(({ bestEpoch }) => bestEpoch)).toEqual([2, 2]);
    expect(all[1]!.curves).toEqual(all[0]!.curves);
    expect(stores[0]!.bytes).toBeDefined();
    expect(stores[1]!.bytes).toBeUndefined();
    // Finished: nothing is trained again, and both ranks know.
    const again = await run();
    for (const one of again) expect(valuesOf(one.parameters)).toEqual(valuesOf(all[0]!.parameters));
  });

  test.each([0, 1])('stopped at any update on rank %i, all stop and resume bit-exactly', async (asked) => {
    const whole = await onRanks(2, (ranks) => toyRun({ ranks }));
    const store = new MemoryStore();
    let stops = 0;
    for (;;) {
      const all = await onRanks(2, async (ranks) => {
        const controller = new AbortController();
        const inner = toyTask();
        let drawn = 0;
        const task = {
          ...inner,
          draw: (...given: Parameters<typeof inner.draw>) => {
            // The second batch is drawn while the first computes.
            if (++drawn === 2 && ranks.rank === asked) controller.abort();
            return inner.draw(...given);
          },
        };
        const options = { backend, seed: 3, optimization: toyOptimization(), identity: {}, ranks, store };
        return train(task, { ...options, signal: controller.signal }).catch((error) => error as Error);
      });
      if (all[0] instanceof Error) {
        for (const error of all) expect(error).toBeInstanceOf(InterruptedError);
        stops++;
        continue;
      }
      for (const one of all as typeof whole)
        expect(valuesOf(one.parameters)).toEqual(valuesOf(whole[0]!.parameters));
      break;
    }
    expect(stops).toBe(11);
  });

  test('ranks that round differently are brought together after every epoch', async () => {
    const drifting = (ranks: Ranks): Ranks => ({
      ...ranks,
      async sum(values) {
        await ranks.sum(values);
        if (ranks.rank === 1) for (let i = 0; i < values.length - 2; i++) values[i]! *= 1 + 1e-6;
      },
    });
    const run = (epochs: number, change = (ranks: Ranks) => ranks) =>
      onRanks(2, (ranks) =>
        toyRun({ ranks: change(ranks), optimization: toyOptimization({ epochs, clipNorm: 1e9 }) }),
      );
    const [first, second] = await run(3, drifting);
    expect(valuesOf(second!.parameters)).toEqual(valuesOf(first!.parameters));
    expectClose(first!.parameters, (await run(3))[0]!.parameters);
  });

  test('a batch that cannot be cut evenly is refused before anything is trained', async () => {
    await expect(onRanks(3, (ranks) => toyRun({ ranks }))).rejects.toThrow('Choose a multiple of 3.');
  });
});

describe('two ranks with batch B equal one with batch 2B to 1e-6 over 50 updates', () => {
  const subjects = ['a', 'b', 'c', 'd', 'e'].flatMap((name) => [name, name, name, name]);

  test('pre-training: dropout, masks drawn, subsets of leads, validation', async () => {
    const windows = await syntheticWindows({ channels: { ecg: ['I', 'II', 'V1'] }, patches: 2, subjects });
    const recipe = parsePretrainRecipe({
      version: 1,
      task: 'pretrain',
      modality: 'ecg',
      seed: 5,
      encoder: { layers: 1 },
      leadSubsets: [3, 2, 1],
      learningRate: 5e-4,
      mask: { mixture: { dual: 1, intra: 1 } },
      optimization: { epochs: 13, batch: 4, minimumLearningRate: 1e-5, validateEvery: 6 },
    });
    const log = new Losses();
    const one = await pretrain({ backend, windows, recipe, log });
    const shared = new Losses();
    const all = await onRanks(2, (ranks) => pretrain({ backend, windows, recipe, ranks, log: shared }));
    expect(log.values).toHaveLength(52);
    expectCloseLosses(shared.values, log.values);
    for (const { tensors } of all) expectClose(tensors, one.tensors);
    for (const [key, value] of Object.entries(one.curves.at(-1)!))
      expect(all[1]!.curves.at(-1)![key]!, key).toBeCloseTo(value!, 6);
  });

  test('fine-tuning: encoder tuned, dropout, validation and test', async () => {
    const labels = subjects.map((_, i) => i % 2);
    const windows = await syntheticWindows({
      channels: { ecg: ['II'] },
      patches: 2,
      subjects,
      labels,
    });
    const recipe = parseFinetuneRecipe({
      version: 1,
      task: 'finetune',
      seed: 2,
      encoders: { ecg: { layers: 1 } },
      head: { kind: 'mlp' },
      tune: 'all',
      learningRates: { backbone: 1e-4, head: 5e-4 },
      optimization: { epochs: 17, batch: 4, minimumLearningRate: 1e-6 },
    });
    const [training, validation, test] = [
      [0, 12],
      [12, 16],
      [16, 20],
    ].map(([from, to]) => [...subjects.keys()].slice(from, to)) as [number[], number[], number[]];
    const options = { backend, windows, recipe, training, validation, test };
    const log = new Losses();
    const one = await finetune({ ...options, log });
    const shared = new Losses();
    const all = await onRanks(2, (ranks) => finetune({ ...options, ranks, log: shared }));
    expect(log.values).toHaveLength(51);
    expectCloseLosses(shared.values, log.values);
    for (const { model, bestEpoch, testProbabilities } of all) {
      expect(bestEpoch).toBe(one.bestEpoch);
      expectClose(model.tensors, one.model.tensors);
      expect(testProbabilities).toHaveLength(8);
      for (const [i, p] of one.testProbabilities.entries()) expect(testProbabilities[i]).toBeCloseTo(p, 6);
    }
  });
});

function expectCloseLosses(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, loss] of expected.entries())
    expect(Math.abs(actual[i]! - loss)).toBeLessThan(1e-6 * Math.max(1, loss));
}

/**
 * All values together within 1e-6 of their length (Euclidean), every tensor within 5e-6 of its own: biases are small, and
 * sums in another order round otherwise. Save the biases of keys: attention does not depend on them (they shift all
 * scores of a query alike), so that their gradient is rounding alone, which Adam blows up to a whole step.
 */
function expectClose(actual: FloatTensors, expected: FloatTensors): void {
  const far: string[] = [];
  const all = { difference: 0, length: 0 };
  for (const [name, { data }] of expected) {
    const other = actual.get(name)!.data;
    const [from, to] = name.endsWith('in_proj_bias') ? [data.length / 3, (2 * data.length) / 3] : [0, 0];
    let [difference, length] = [0, 0];
    for (const [i, x] of data.entries()) {
      if (i >= from && i < to) continue;
      difference += (x - other[i]!) ** 2;
      length += x ** 2;
    }
    all.difference += difference;
    all.length += length;
    if (Math.sqrt(difference) > 5e-6 * Math.sqrt(length))
      far.push(`${name} ${Math.sqrt(difference / length)}`);
  }
  expect(far).toEqual([]);
  expect(Math.sqrt(all.difference / all.length)).toBeLessThan(1e-6);
}
