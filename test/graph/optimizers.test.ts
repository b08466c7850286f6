/** AdamW, clipping and losses against the formulas of PyTorch's documentation, written out in float64. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { SparseDraws } from '../../src/core/sparse-draws.ts';
import { float32, scalar, tensor } from '../../src/core/tensor.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import { binaryCrossEntropy, crossEntropy, maskedMse, meanOf } from '../../src/graph/losses.ts';
import { dropout } from '../../src/graph/operators.ts';
import { adamW, clipByGlobalNorm } from '../../src/graph/optimizers.ts';
import type { Backend, Feeds } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

async function evaluate(graph: Graph, value: Value, feeds: Feeds): Promise<number[]> {
  graph.output('value', value);
  const program = await backend.compile(graph);
  return Array.from((await program.run(feeds)).value!.data as Float32Array);
}

describe('adamW', () => {
  it('follows torch.optim.AdamW over 50 steps', async () => {
    const size = 7;
    const graph = new Graph('adamw');
    const input = (name: string, shape: readonly number[]) => graph.input(name, 'float32', shape);
    const update = adamW({
      parameter: input('p', [size]),
      gradient: input('g', [size]),
      firstMoment: input('m', [size]),
      secondMoment: input('v', [size]),
      learningRate: input('lr', []),
      weightDecay: 0.05,
      step: input('t', []),
    });
    graph.output('new_p', update.parameter);
    graph.output('new_m', update.firstMoment);
    graph.output('new_v', update.secondMoment);
    const program = await backend.compile(graph);
    const random = new Random(3);
    const start = Array.from({ length: size }, () => random.normal());
    let state: Feeds = {
      p: float32([size], start),
      m: float32([size], Array(size).fill(0)),
      v: float32([size], Array(size).fill(0)),
    };
    const [p, m, v] = [start.map(Math.fround), Array<number>(size).fill(0), Array<number>(size).fill(0)];
    for (let t = 1; t <= 50; t++) {
      const lr = 0.01 * (1 + Math.cos(t / 10));
      const g = Array.from({ length: size }, () => Math.fround(random.normal() * 10 ** -random.integer(6)));
      const next = await program.run({ ...state, g: float32([size], g), lr: scalar(lr), t: scalar(t) });
      state = { p: next.new_p!, m: next.new_m!, v: next.new_v! };
      for (let i = 0; i < size; i++) {
        p[i]! *= 1 - lr * 0.05;
        m[i] = 0.9 * m[i]! + 0.1 * g[i]!;
        v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2;
        p[i]! -= (lr * (m[i]! / (1 - 0.9 ** t))) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8);
      }
    }
    for (let i = 0; i < size; i++) {
      expect(state.p!.data[i]).toBeCloseTo(p[i]!, 4);
      expect(Number(state.v!.data[i]) / v[i]!).toBeCloseTo(1, 4);
    }
  });
});

describe('clipByGlobalNorm', () => {
  it.each([
    [0.1, 0.1 / 5.000001],
    [100, 1],
  ])('to %d', async (maxNorm, scale) => {
    const graph = new Graph('clip');
    const clipped = clipByGlobalNorm(
      [graph.input('a', 'float32', [1]), graph.input('b', 'float32', [1])],
      maxNorm,
    );
    graph.output('norm', clipped.norm);
    graph.output('clipped', clipped.gradients[0]!);
    const program = await backend.compile(graph);
    const { norm, clipped: result } = await program.run({ a: float32([1], [3]), b: float32([1], [-4]) });
    expect(norm!.data[0]).toBe(5);
    expect(result!.data[0]).toBeCloseTo(3 * scale, 6);
  });
});

describe('losses', () => {
  const logits = [0.2, -1, 3, 0.5, 0.5, -2, 1, 0, 0.3, -0.7, 2, 1];
  const labels = [2, 0, 1, 2];

  it.each([
    [0, undefined],
    [0.1, undefined],
    [0, [1, 2, 0.5]],
    [0.1, [1, 2, 0.5]],
  ])(
    'crossEntropy, smoothing %d, weights %j, as torch.nn.CrossEntropyLoss defines it',
    async (labelSmoothing, classWeights) => {
      const graph = new Graph('ce');
      const value = crossEntropy(graph.input('x', 'float32', [4, 3]), graph.input('y', 'int64', [4]), {
        labelSmoothing,
        ...(classWeights ? { classWeights } : {}),
      });
      const [actual] = await evaluate(graph, meanOf(value), {
        x: float32([4, 3], logits),
        y: tensor('int64', [4], BigInt64Array.from(labels, BigInt)),
      });
      const weights = classWeights ?? [1, 1, 1];
      let [sum, total] = [0, 0];
      for (const [i, label] of labels.entries()) {
        const row = logits.slice(3 * i, 3 * i + 3);
        const logSum = Math.log(row.reduce((a, x) => a + Math.exp(x), 0));
        for (let k = 0; k < 3; k++) {
          const target = (k === label ? 1 - labelSmoothing : 0) + labelSmoothing / 3;
          sum -= target * weights[k]! * (row[k]! - logSum);
        }
        total += weights[label]!;
      }
      expect(actual).toBeCloseTo(sum / total, 5);
    },
  );

  it('binaryCrossEntropy does not overflow', async () => {
    const graph = new Graph('bce');
    const value = binaryCrossEntropy(graph.input('x', 'float32', [3]), graph.input('t', 'float32', [3]));
    const [actual] = await evaluate(graph, meanOf(value), {
      x: float32([3], [200, -200, 0]),
      t: float32([3], [1, 1, 0.5]),
    });
    expect(actual).toBeCloseTo((0 + 200 + Math.log(2)) / 3, 4);
  });

  it('maskedMse counts the masked values only', async () => {
    const graph = new Graph('masked');
    const value = maskedMse(
      graph.input('x', 'float32', [2, 2]),
      graph.input('t', 'float32', [2, 2]),
      graph.input('m', 'bool', [2]),
    );
    const feeds = {
      x: float32([2, 2], [1, 2, 3, 4]),
      t: float32([2, 2], [0, 0, 0, 0]),
      m: tensor('bool', [2], Uint8Array.of(0, 1)),
    };
    expect(await evaluate(graph, meanOf(value), feeds)).toEqual([12.5]);
  });
});

describe('dropout', () => {
  it('drops where the mask says and keeps the expectation', async () => {
    const size = 100_000;
    const draws = new SparseDraws(0.1);
    const graph = new Graph('dropout');
    const kept = tensor('bool', [size], draws.fill(new Uint8Array(size), new Random(5)));
    const value = dropout(
      graph.input('x', 'float32', [size]),
      graph.input('kept', 'bool', [size]),
      1 - draws.probability,
    );
    const result = await evaluate(graph, value, { x: float32([size], new Float32Array(size).fill(1)), kept });
    const dropped = result.filter((x) => x === 0).length;
    expect(dropped / size).toBeCloseTo(0.1, 2);
    expect(result.reduce((a, b) => a + b, 0) / size).toBeCloseTo(1, 2);
    expect(result.every((x, i) => (x === 0) === (kept.data[i] === 0))).toBe(true);
  });
});
