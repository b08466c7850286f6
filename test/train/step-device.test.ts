/** Training on a device that keeps the state: the same as on the host, with no value left behind. */
import { beforeAll, describe, expect, test } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { Draws } from '../../src/train/draws.ts';
import { train } from '../../src/train/loop.ts';
import { LossScale } from '../../src/train/loss-scale.ts';
import type { Ranks } from '../../src/train/ranks.ts';
import { type BatchPart, StepRunner, type StepRunnerOptions } from '../../src/train/step.ts';
import { withResidency } from './fixtures/resident.ts';
import { toyInitial, toyLoss, toyOptimization, toySpecs, toyTask } from './fixtures/toy.ts';

let cpu: Backend;
beforeAll(async () => {
  cpu = await createNodeBackend({ device: 'cpu', threads: 1 });
});
const update = { clipNorm: 0.5, weightDecay: 0.1, decayOn: 'matrices' as const };
const task = toyTask();

function makeRunner(over: Partial<StepRunnerOptions>): StepRunner {
  const build = (kind: string) => toyLoss(Number(kind), 0.2);
  return new StepRunner({ backend: cpu, specs: toySpecs, initial: toyInitial(), build, update, ...over });
}

async function partsOf(step: number, sizes: readonly number[]): Promise<BatchPart[]> {
  let first = 0;
  const parts: BatchPart[] = [];
  for (const size of sizes) {
    const draws = new Draws(7, step, first);
    const indices = Array.from({ length: size }, (_, i) => first + i);
    const { feeds } = await task.draw(indices, draws);
    parts.push({ batch: { kind: String(size), samples: size, feeds }, draws });
    first += size;
  }
  return parts;
}

async function take(runner: StepRunner, updates: number, sizes: readonly number[] = [8]) {
  const outcomes = [];
  for (let i = 0; i < updates; i++) {
    outcomes.push(await runner.compute(await partsOf(runner.steps, sizes), { all: 0.02 }));
    runner.commit();
  }
  return outcomes;
}

const valuesOf = (runner: StepRunner) => Object.values(runner.state).flatMap(({ data }) => [...data]);
const largest = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe('on a device that keeps the state', () => {
  const ranks: Ranks = {
    rank: 0,
    size: 2,
    sum(values) {
      for (let i = 0; i < values.length; i++) values[i]! *= 2;
    },
    broadcast() {},
    gather: async () => [],
  };
  const frozen = toySpecs.map(({ name, shape, group }) =>
    name === 'w1' ? { name, shape } : { name, shape, group },
  );
  test.each([
    ['one part', [8], {}],
    ['parts', [4, 2, 2], {}],
    ['ranks', [4, 4], { ranks }],
    ['a frozen parameter', [8], { specs: frozen }],
  ] as const)('%s: updates are those of the host', async (_, sizes, over) => {
    const { backend, live } = withResidency(cpu);
    const [host, device] = [makeRunner(over), makeRunner({ ...over, backend })];
    const initial = valuesOf(device);
    const expected = await take(host, 12, sizes);
    const found = await take(device, 12, sizes);
    for (const [i, { loss, norm }] of expected.entries()) {
      // AdamW's 1 − βᵗ is float32 there, and double on the host.
      expect(Math.abs(found[i]!.loss / loss - 1)).toBeLessThan(1e-4);
      expect(Math.abs(found[i]!.norm / norm - 1)).toBeLessThan(1e-4);
    }
    expect(valuesOf(device)).toEqual(initial); // nothing comes to the host unasked
    await device.fetch();
    expect(largest(valuesOf(device), valuesOf(host))).toBeLessThan(1e-4);
    expect(largest(valuesOf(device), initial)).toBeGreaterThan(0.01);
    // Parameters, both moments and gradients of each block, and the frozen values.
    expect(live.size).toBe(4 * 2 + ('specs' in over ? 1 : 0));
    await device.dispose();
    expect(live.size).toBe(0);
    await host.dispose();
  });

  test('an update takes effect by commit only, and one that is not finite leaves the state', async () => {
    const { backend } = withResidency(cpu);
    const runner = makeRunner({ backend });
    await take(runner, 2);
    await runner.fetch();
    const before = valuesOf(runner);
    const draws = new Draws(7, 2, 0);
    const { feeds } = await toyTask({ poison: 2 }).draw([0, 1, 2, 3, 4, 5, 6, 7], draws);
    const bad = { batch: { kind: '8', samples: 8, feeds }, draws };
    expect((await runner.compute([bad], { all: 0.02 })).loss).toBeNaN();
    await runner.fetch();
    expect(valuesOf(runner)).toEqual(before);
    // The run could go on.
    const [outcome] = await take(runner, 1);
    expect(outcome!.loss).toBeGreaterThan(0);
    await runner.dispose();
  });

  test('a saved state goes on where it was', async () => {
    const { backend } = withResidency(cpu);
    const whole = makeRunner({ backend });
    await take(whole, 3);
    await whole.fetch();
    const saved = new Map(
      Object.entries(whole.state).map(([key, { shape, data }]) => [
        key,
        tensor('float32', shape, data.slice()),
      ]),
    );
    const expected = await take(whole, 3);
    const resumed = makeRunner({ backend });
    await take(resumed, 1); // something else lies on the device already
    resumed.restore(saved, 3);
    expect(await take(resumed, 3)).toEqual(expected);
    await whole.dispose();
    await resumed.dispose();
  });

  test('the loop: the same curve and best epoch as on the host', async () => {
    const run = (backend: Backend) =>
      train(toyTask(), { backend, seed: 3, optimization: toyOptimization(), identity: {} });
    const { backend, live } = withResidency(cpu);
    const [host, device] = [await run(cpu), await run(backend)];
    expect(device.bestEpoch).toBe(host.bestEpoch);
    for (const [i, row] of host.curves.entries())
      expect(Math.abs(Number(device.curves[i]!.trainLoss) / Number(row.trainLoss) - 1)).toBeLessThan(1e-4);
    for (const [name, { data }] of host.parameters)
      expect(largest([...device.parameters.get(name)!.data], [...data]), name).toBeLessThan(1e-4);
    expect(live.size).toBe(0);
  });
});

describe('float16', () => {
  test('the loss follows that of float32, and the scale is part of the state', async () => {
    const runner = makeRunner({ precision: 'float16' });
    const exact = await take(makeRunner({}), 12);
    const half = await take(runner, 12);
    for (const [i, { loss }] of exact.entries())
      expect(Math.abs(half[i]!.loss / loss - 1)).toBeLessThan(0.01);
    const [scale, updates] = runner.state.scale!.data;
    // 2¹⁶ for the mean of 8, or what overflows left of it.
    expect(scale).toBe(2 ** (13 - runner.repeats));
    expect(updates).toBe(12);
    await runner.dispose();
  });

  test('gradients that overflow are computed again by a smaller scale', async () => {
    // The cpu engine computes float16 in float32: here it overflows from 2⁷ on.
    const backend: Backend = {
      ...cpu,
      async compile(graph, options) {
        const program = await cpu.compile(graph, options);
        return {
          ...program,
          async run(feeds, outputs, into) {
            const results = await program.run(feeds, outputs, into);
            const overflows = feeds.scale !== undefined && Number(feeds.scale.data[0]) >= 2 ** 7;
            if (overflows) results['gradient/w2']!.data.fill(Number.POSITIVE_INFINITY as never);
            return results;
          },
        };
      },
    };
    const runner = makeRunner({ backend, precision: 'float16' });
    const [found, expected] = [await take(runner, 3), await take(makeRunner({}), 3)];
    for (const [i, { loss }] of expected.entries())
      expect(Math.abs(found[i]!.loss / loss - 1)).toBeLessThan(0.01);
    expect(runner.repeats).toBe(7); // from 2¹³ to 2⁶, within the first update
    expect([...runner.state.scale!.data]).toEqual([2 ** 6, 3]);
    await runner.dispose();
  });

  test('the scale grows after 2000 updates, and gives up where no scale helps', () => {
    const scale = new LossScale();
    expect(scale.shouldRepeat({ weight: 64, norm: Number.POSITIVE_INFINITY })).toBe(true);
    expect(scale.value).toBe(1024);
    expect(scale.repeats).toBe(0);
    for (let i = 0; i < 2000; i++) {
      expect(scale.shouldRepeat({ weight: 64, norm: 1 })).toBe(false);
      scale.succeeded();
    }
    expect(scale.value).toBe(2048);
    let repeats = 0;
    while (scale.shouldRepeat({ weight: 64, norm: Number.NaN })) repeats++;
    expect(repeats).toBe(71); // 2¹¹ down to 2⁻⁶⁰
    expect(scale.repeats).toBe(71);
  });

  test('a device without it says so', async () => {
    const backend: Backend = {
      ...cpu,
      device: 'webgpu',
      compile: async () => Promise.reject(new Error('no f16')),
    };
    const runner = makeRunner({ backend, precision: 'float16' });
    await expect(take(runner, 1)).rejects.toThrow(
      'device webgpu: it does not compute in float16 (WebGPU adapters need shader-f16). Set optimization.precision to float32.',
    );
  });
});
