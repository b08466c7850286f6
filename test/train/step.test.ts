import { beforeAll, expect, test } from 'vitest';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { Draws } from '../../src/train/draws.ts';
import type { Ranks } from '../../src/train/ranks.ts';
import { learningRateAt } from '../../src/train/schedule.ts';
import { type BatchPart, StepRunner, type StepRunnerOptions } from '../../src/train/step.ts';
import { layOut } from '../../src/train/step-graphs.ts';
import { inputs, toyInitial, toyLoss, toySpecs, toyTask } from './fixtures/toy.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});
const update = { clipNorm: 0.5, weightDecay: 0.1, decayOn: 'matrices' as const };
const indices = [0, 1, 2, 3, 4, 5, 6, 7];

function makeRunner(build: StepRunnerOptions['build'], over: Partial<StepRunnerOptions> = {}) {
  return new StepRunner({ backend, specs: toySpecs, initial: toyInitial(), build, update, ...over });
}

/** Three updates, the batch cut into parts of these sizes. */
async function updated(parts: readonly number[], over: Partial<StepRunnerOptions> = {}, dropout = 0) {
  const runner = makeRunner((kind) => toyLoss(Number(kind), dropout), over);
  const task = toyTask();
  const outcomes = [];
  for (let step = 0; step < 3; step++) {
    let first = 0;
    const batchParts: BatchPart[] = [];
    for (const size of parts) {
      const draws = new Draws(7, step, first);
      const { feeds } = await task.draw(indices.slice(first, first + size), draws);
      batchParts.push({ batch: { kind: String(size), samples: size, feeds }, draws });
      first += size;
    }
    outcomes.push(await runner.compute(batchParts, { all: 0.01 }));
    runner.commit();
  }
  const state = Object.fromEntries(Object.entries(runner.state).map(([key, { data }]) => [key, [...data]]));
  await runner.dispose();
  return { state, outcomes };
}

test.each([0, 0.3])('however a batch is cut, the update is the same (dropout %d)', async (dropout) => {
  const whole = await updated([8], {}, dropout);
  for (const parts of [
    [4, 4],
    [2, 6],
    [1, 1, 1, 1, 1, 1, 1, 1],
  ]) {
    const other = await updated(parts, {}, dropout);
    for (const [key, values] of Object.entries(whole.state))
      for (const [i, x] of values.entries()) expect(other.state[key]![i]).toBeCloseTo(x, 6);
    for (const [i, { loss, norm }] of whole.outcomes.entries()) {
      expect(other.outcomes[i]!.loss).toBeCloseTo(loss, 6);
      expect(other.outcomes[i]!.norm).toBeCloseTo(norm, 5);
    }
  }
});

test('ranks sum gradients, total and weight once an update', async () => {
  // Another rank that always has the same as this one: the mean stays.
  let sums = 0;
  const ranks: Ranks = {
    rank: 0,
    size: 2,
    sum(values) {
      sums++;
      for (let i = 0; i < values.length; i++) values[i]! *= 2;
    },
    broadcast() {},
    gather: (bytes) => [bytes, bytes],
  };
  const alone = await updated([8]);
  const doubled = await updated([4, 4], { ranks });
  expect(sums).toBe(3);
  for (const [i, { loss, norm }] of alone.outcomes.entries()) {
    expect(doubled.outcomes[i]!.loss).toBeCloseTo(loss, 6);
    expect(doubled.outcomes[i]!.norm).toBeCloseTo(norm, 5);
  }
});

test('parameters lie flat by group and decay', () => {
  const specs = [...toySpecs, { name: 'h', shape: [3, 5], group: 'head' }, { name: 'frozen', shape: [9] }];
  const { length, parameters, blocks } = layOut(specs, update);
  expect(length).toBe(3 * 1024);
  expect(parameters.map(({ name, start }) => [name, start])).toEqual([
    ['w1', 0],
    ['w2', 32],
    ['b1', 1024],
    ['h', 2048],
  ]);
  expect(blocks).toEqual([
    { start: 0, length: 1024, group: 'all', decay: 0.1 },
    { start: 1024, length: 1024, group: 'all', decay: 0 },
    { start: 2048, length: 1024, group: 'head', decay: 0.1 },
  ]);
});

test('a frozen parameter has no state and does not move; without any other it is an error', async () => {
  const specs = toySpecs.map(({ name, shape, group }) =>
    name === 'w1' ? { name, shape } : { name, shape, group },
  );
  const { state } = await updated([8], { specs });
  expect(Object.keys(state).sort()).toEqual(
    ['b1', 'w2'].flatMap((name) => ['first', 'parameter', 'second'].map((part) => `${part}/${name}`)).sort(),
  );
  const frozen = toySpecs.map(({ name, shape }) => ({ name, shape }));
  await expect(updated([8], { specs: frozen })).rejects.toThrow('every parameter is frozen');
});

test('an update takes effect by commit only, and one that is not finite leaves the state', async () => {
  const runner = makeRunner(() => toyLoss(8, 0));
  const before = [...runner.state['parameter/w1']!.data];
  const draws = new Draws(0, 0, 0);
  const batch = await toyTask({ poison: 2 }).draw(indices, draws);
  const { loss } = await runner.compute([{ batch, draws }], { all: 0.01 });
  expect(loss).toBeNaN();
  expect([...runner.state['parameter/w1']!.data]).toEqual(before);
  expect(before).toHaveLength(inputs * 8);
  await runner.dispose();
});

test('the schedule rises, falls by a cosine and ends at its minimum', () => {
  const schedule = { totalSteps: 10, warmupSteps: 0, minimum: 0.1 };
  // η_min + (η − η_min)(1 + cos(π t / T)) / 2, torch.optim.lr_scheduler.CosineAnnealingLR
  expect([0, 1, 5, 10].map((t) => learningRateAt(t, 1, schedule))).toEqual(
    [0, 1, 5, 10].map((t) => expect.closeTo(0.1 + 0.45 * (1 + Math.cos((Math.PI * t) / 10)), 12)),
  );
  const warm = { ...schedule, warmupSteps: 4 };
  expect([0, 1, 3, 4, 10].map((t) => learningRateAt(t, 1, warm))).toEqual([
    0.25,
    0.5,
    1,
    1,
    expect.closeTo(0.1, 12),
  ]);
});
