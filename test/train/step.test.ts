import { beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { learningRateAt } from '../../src/train/schedule.ts';
import { StepRunner } from '../../src/train/step.ts';
import { inputs, toyInitial, toyLoss, toySpecs, toyTask } from './fixtures/toy.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});
const update = { clipNorm: 0.5, weightDecay: 0.1, decayOn: 'matrices' as const };
const indices = [0, 1, 2, 3, 4, 5, 6, 7];

async function updated(parts: number, separate: boolean, specs = toySpecs) {
  const runner = new StepRunner({
    backend,
    specs,
    initial: toyInitial(),
    build: () => toyLoss(8 / parts, 0),
    update,
    separate,
  });
  const task = toyTask();
  const outcomes = [];
  for (let step = 0; step < 3; step++) {
    const batches = Array.from({ length: parts }, (_, i) => ({
      kind: 'plain',
      feeds: task.draw(indices.slice((i * 8) / parts, ((i + 1) * 8) / parts), new Random(0)).feeds,
    }));
    outcomes.push(await runner.compute(batches, { all: 0.01 }, new Random(0)));
    runner.commit();
  }
  const state = Object.fromEntries(Object.entries(runner.state).map(([key, { data }]) => [key, [...data]]));
  await runner.dispose();
  return { state, outcomes };
}

test('fused, separate and accumulated updates agree', async () => {
  const fused = await updated(1, false);
  for (const other of [await updated(1, true), await updated(2, false), await updated(4, false)]) {
    for (const [key, values] of Object.entries(fused.state))
      for (const [i, x] of values.entries()) expect(other.state[key]![i]).toBeCloseTo(x, 5);
    for (const [i, { loss, norm }] of fused.outcomes.entries()) {
      expect(other.outcomes[i]!.loss).toBeCloseTo(loss, 5);
      expect(other.outcomes[i]!.norm).toBeCloseTo(norm, 5);
    }
  }
});

test('a frozen parameter has no state and does not move; without any other it is an error', async () => {
  const specs = toySpecs.map(({ name, shape, group }) =>
    name === 'w1' ? { name, shape } : { name, shape, group },
  );
  const { state } = await updated(1, false, specs as typeof toySpecs);
  expect(Object.keys(state).sort()).toEqual(
    ['b1', 'w2'].flatMap((name) => ['first', 'parameter', 'second'].map((part) => `${part}/${name}`)).sort(),
  );
  const frozen = toySpecs.map(({ name, shape }) => ({ name, shape })) as unknown as typeof toySpecs;
  await expect(updated(1, false, frozen)).rejects.toThrow('every parameter is frozen');
});

test('an update takes effect by commit only, and one that is not finite leaves the state', async () => {
  const runner = new StepRunner({
    backend,
    specs: toySpecs,
    initial: toyInitial(),
    build: () => toyLoss(8, 0),
    update,
  });
  const before = [...runner.state['parameter/w1']!.data];
  const { feeds } = toyTask({ poison: 2 }).draw(indices, new Random(0));
  const { loss } = await runner.compute([{ kind: 'plain', feeds }], { all: 0.01 }, new Random(0));
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
