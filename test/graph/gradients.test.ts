/** Every gradient rule against finite differences, from one table. A rule without a case fails. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { SparseDraws } from '../../src/core/sparse-draws.ts';
import { float32, sizeOf, type Tensor, tensor } from '../../src/core/tensor.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { gradientRules } from '../../src/graph/gradients.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import {
  binaryCrossEntropy,
  crossEntropy,
  knownBinaryCrossEntropy,
  knownMse,
  maskedMse,
  meanOf,
  mse,
} from '../../src/graph/losses.ts';
import * as op from '../../src/graph/operators.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

interface Case {
  /** Operators that this case covers. */
  readonly covers: readonly op.OperatorName[];
  readonly shapes: readonly (readonly number[])[];
  readonly build: (inputs: Value[]) => Value;
  /** Values drawn for the inputs: away from kinks and poles. Default: normal. */
  readonly draw?: (random: Random) => number;
}

const positive = (random: Random) => 0.5 + random.uniform();
const awayFromZero = (random: Random) => (random.uniform() < 0.5 ? -1 : 1) * (0.3 + random.uniform());
const indices = (x: Value, shape: readonly number[], values: readonly number[]) =>
  x.graph.constant(tensor('int64', shape, BigInt64Array.from(values, BigInt)));
const truth = (x: Value, shape: readonly number[], values: readonly number[]) =>
  x.graph.constant(tensor('bool', shape, Uint8Array.from(values)));

const cases: Readonly<Record<string, Case>> = {
  'add, broadcast on both sides': {
    covers: ['Add'],
    shapes: [
      [2, 1, 3],
      [4, 1],
    ],
    build: ([a, b]) => op.add(a!, b!),
  },
  'add, a scalar': { covers: ['Add'], shapes: [[], [2, 3]], build: ([a, b]) => op.add(a!, b!) },
  'sub, broadcast': { covers: ['Sub'], shapes: [[3], [2, 3]], build: ([a, b]) => op.sub(a!, b!) },
  'mul, broadcast': {
    covers: ['Mul'],
    shapes: [
      [2, 3, 1],
      [1, 5],
    ],
    build: ([a, b]) => op.mul(a!, b!),
  },
  'mul, a value by itself': { covers: ['Mul'], shapes: [[4]], build: ([a]) => op.mul(a!, a!) },
  'div, broadcast': {
    covers: ['Div'],
    shapes: [[2, 3], [3]],
    build: ([a, b]) => op.div(a!, b!),
    draw: awayFromZero,
  },
  'number / value': { covers: ['Div'], shapes: [[3]], build: ([a]) => op.div(2, a!), draw: positive },
  square: { covers: ['Pow'], shapes: [[3, 2]], build: ([a]) => op.pow(a!, 2) },
  'power 1.5': { covers: ['Pow'], shapes: [[5]], build: ([a]) => op.pow(a!, 1.5), draw: positive },
  'where, broadcast': {
    covers: ['Where'],
    shapes: [[2, 3], [3]],
    build: ([a, b]) => op.where(truth(a!, [2, 1], [1, 0]), a!, b!),
  },
  cast: { covers: ['Cast'], shapes: [[3]], build: ([a]) => op.cast(op.cast(a!, 'float64'), 'float32') },
  neg: { covers: ['Neg'], shapes: [[3]], build: ([a]) => op.neg(a!) },
  abs: { covers: ['Abs'], shapes: [[7]], build: ([a]) => op.abs(a!), draw: awayFromZero },
  exp: { covers: ['Exp'], shapes: [[3]], build: ([a]) => op.exp(a!) },
  log: { covers: ['Log'], shapes: [[3]], build: ([a]) => op.log(a!), draw: positive },
  sqrt: { covers: ['Sqrt'], shapes: [[3]], build: ([a]) => op.sqrt(a!), draw: positive },
  erf: { covers: ['Erf'], shapes: [[5]], build: ([a]) => op.erf(a!) },
  tanh: { covers: ['Tanh'], shapes: [[5]], build: ([a]) => op.tanh(a!) },
  sigmoid: { covers: ['Sigmoid'], shapes: [[5]], build: ([a]) => op.sigmoid(a!) },
  relu: { covers: ['Relu'], shapes: [[9]], build: ([a]) => op.relu(a!), draw: awayFromZero },
  gelu: { covers: ['Gelu'], shapes: [[4, 5]], build: ([a]) => op.gelu(a!) },
  softplus: { covers: ['Softplus'], shapes: [[5]], build: ([a]) => op.softplus(a!) },
  'matmul, one matrix for all rows': {
    covers: ['MatMul'],
    shapes: [
      [2, 3, 4],
      [4, 5],
    ],
    build: ([a, b]) => op.matmul(a!, b!),
  },
  'matmul, batched': {
    covers: ['MatMul'],
    shapes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    build: ([a, b]) => op.matmul(a!, b!),
  },
  'matmul, broadcast batch': {
    covers: ['MatMul'],
    shapes: [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    build: ([a, b]) => op.matmul(a!, b!),
  },
  'gemm with bias': {
    covers: ['Gemm'],
    shapes: [[3, 4], [4, 2], [2]],
    build: ([a, b, c]) => op.gemm(a!, b!, c!),
  },
  'gemm, A transposed': {
    covers: ['Gemm'],
    shapes: [
      [4, 3],
      [4, 2],
      [3, 1],
    ],
    build: ([a, b, c]) => op.gemm(a!, b!, c!, { transA: true }),
  },
  'gemm, B transposed': {
    covers: ['Gemm'],
    shapes: [
      [3, 4],
      [2, 4],
    ],
    build: ([a, b]) => op.gemm(a!, b!, undefined, { transB: true }),
  },
  'gemm, both transposed': {
    covers: ['Gemm'],
    shapes: [
      [4, 3],
      [2, 4],
    ],
    build: ([a, b]) => op.gemm(a!, b!, undefined, { transA: true, transB: true }),
  },
  'conv, one axis, strided and padded unevenly': {
    covers: ['Conv'],
    shapes: [[2, 3, 11], [4, 3, 4], [4]],
    build: ([x, w, b]) => op.conv(x!, w!, b!, { strides: [3], pads: [1, 2] }),
  },
  'conv, the stride leaves samples over': {
    covers: ['Conv'],
    shapes: [
      [1, 1, 20],
      [2, 1, 5],
    ],
    build: ([x, w]) => op.conv(x!, w!, undefined, { strides: [6], pads: [2, 2] }),
  },
  'conv, grouped and dilated': {
    covers: ['Conv'],
    shapes: [
      [2, 4, 9],
      [6, 2, 3],
    ],
    build: ([x, w]) => op.conv(x!, w!, undefined, { group: 2, dilations: [2], pads: [1, 1] }),
  },
  'conv, two axes, depthwise': {
    covers: ['Conv'],
    shapes: [[2, 3, 5, 4], [3, 1, 3, 5], [3]],
    build: ([x, w, b]) => op.conv(x!, w!, b!, { group: 3, pads: [1, 2, 1, 2] }),
  },
  'conv, two axes, strided': {
    covers: ['Conv'],
    shapes: [
      [1, 2, 6, 7],
      [2, 2, 3, 2],
    ],
    build: ([x, w]) => op.conv(x!, w!, undefined, { strides: [2, 3], pads: [1, 0, 0, 1] }),
  },
  'softmax, last axis': { covers: ['Softmax'], shapes: [[2, 5]], build: ([a]) => op.softmax(a!) },
  'softmax, an inner axis': { covers: ['Softmax'], shapes: [[2, 3, 2]], build: ([a]) => op.softmax(a!, 1) },
  logSoftmax: { covers: ['LogSoftmax'], shapes: [[2, 5]], build: ([a]) => op.logSoftmax(a!) },
  layerNorm: {
    covers: ['LayerNormalization'],
    shapes: [[2, 3, 6], [6], [6]],
    build: ([x, s, b]) => op.layerNorm(x!, s!, b!),
  },
  groupNorm: {
    covers: ['LayerNormalization'],
    shapes: [[2, 6, 3, 2], [6], [6]],
    build: ([x, s, b]) => op.groupNorm(x!, s!, b!, 3),
  },
  'reduceSum, all': { covers: ['ReduceSum'], shapes: [[2, 3]], build: ([a]) => op.reduceSum(a!) },
  'reduceSum, some axes': {
    covers: ['ReduceSum'],
    shapes: [[2, 3, 4]],
    build: ([a]) => op.reduceSum(a!, [0, 2]),
  },
  'reduceMean, kept': {
    covers: ['ReduceMean'],
    shapes: [[2, 3, 4]],
    build: ([a]) => op.reduceMean(a!, [1], { keepDims: true }),
  },
  'reduceMean, an axis from the end': {
    covers: ['ReduceMean'],
    shapes: [[2, 3]],
    build: ([a]) => op.reduceMean(a!, [-1]),
  },
  reduceMax: { covers: ['ReduceMax'], shapes: [[3, 5]], build: ([a]) => op.reduceMax(a!, [1]) },
  reshape: { covers: ['Reshape'], shapes: [[2, 6]], build: ([a]) => op.reshape(a!, [3, 1, 4]) },
  transpose: { covers: ['Transpose'], shapes: [[2, 3, 4]], build: ([a]) => op.transpose(a!, [2, 0, 1]) },
  expand: { covers: ['Expand'], shapes: [[3, 1]], build: ([a]) => op.expand(a!, [2, 3, 4]) },
  'split, one piece unused': {
    covers: ['Split'],
    shapes: [[2, 6]],
    build: ([a]) => {
      const [x, , z] = op.split(a!, 1, [1, 3, 2]);
      return op.mul(x!, z!);
    },
  },
  concat: {
    covers: ['Concat'],
    shapes: [
      [2, 1],
      [2, 3],
      [2, 2],
    ],
    build: (values) => op.concat(values, 1),
  },
  'slice, inner': { covers: ['Slice'], shapes: [[2, 6, 3]], build: ([a]) => op.slice(a!, 1, 1, 4) },
  'slice, from the start': { covers: ['Slice'], shapes: [[5]], build: ([a]) => op.slice(a!, 0, 0, 2) },
  'gather, repeated rows': {
    covers: ['Gather'],
    shapes: [[4, 2]],
    build: ([a]) => op.gather(a!, indices(a!, [5], [3, 0, 3, 3, 1])),
  },
  'gather, an inner axis by a matrix of indices': {
    covers: ['Gather'],
    shapes: [[2, 4, 3]],
    build: ([a]) => op.gather(a!, indices(a!, [2, 3], [3, 0, 3, 2, 1, 0]), 1),
  },
  dropout: {
    covers: ['Mul', 'Cast'],
    shapes: [[4, 8]],
    build: ([a]) =>
      op.dropout(
        a!,
        truth(a!, [4, 8], [...new SparseDraws(0.4).fill(new Uint8Array(32), new Random(4))]),
        0.6,
      ),
  },
  'crossEntropy, smoothed and weighted': {
    covers: ['LogSoftmax', 'Gather'],
    shapes: [[4, 3]],
    build: ([a]) =>
      meanOf(
        crossEntropy(a!, indices(a!, [4], [0, 2, 1, 2]), { labelSmoothing: 0.1, classWeights: [1, 2, 0.5] }),
      ),
  },
  binaryCrossEntropy: {
    covers: ['Softplus'],
    shapes: [
      [3, 2],
      [3, 2],
    ],
    build: ([x, t]) => meanOf(binaryCrossEntropy(x!, op.sigmoid(t!))),
  },
  'binaryCrossEntropy of known values, weighted': {
    covers: ['Softplus', 'Cast'],
    shapes: [
      [3, 2],
      [3, 2],
    ],
    build: ([x, t]) =>
      meanOf(knownBinaryCrossEntropy(x!, op.sigmoid(t!), truth(x!, [3, 2], [1, 0, 1, 1, 0, 1]), [3, 0.5])),
  },
  'mse of known values': {
    covers: ['ReduceSum', 'Cast'],
    shapes: [
      [3, 2],
      [3, 2],
    ],
    build: ([a, b]) => meanOf(knownMse(a!, b!, truth(a!, [3, 2], [1, 0, 1, 1, 0, 1]))),
  },
  mse: {
    covers: ['ReduceSum'],
    shapes: [
      [3, 2],
      [3, 2],
    ],
    build: ([a, b]) => meanOf(mse(a!, b!)),
  },
  maskedMse: {
    covers: ['ReduceSum', 'Cast'],
    shapes: [
      [2, 3, 4],
      [2, 3, 4],
    ],
    build: ([a, b]) => meanOf(maskedMse(a!, b!, truth(a!, [2, 3], [1, 0, 0, 1, 1, 0]))),
  },
  'a value used three times': {
    covers: ['Add'],
    shapes: [[3]],
    build: ([a]) => op.add(op.mul(a!, op.exp(a!)), op.neg(a!)),
  },
};

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

describe('gradient rules', () => {
  it('have a case each', () => {
    const covered = new Set(Object.values(cases).flatMap((example) => example.covers));
    const rules = op.operatorNames.filter((name) => gradientRules[name] !== 'none');
    expect(rules.filter((name) => !covered.has(name))).toEqual([]);
  });

  it.each(Object.entries(cases))('%s', async (_, { shapes, build, draw = (random) => random.normal() }) => {
    const random = new Random(11);
    const inputs = shapes.map((shape) =>
      float32(
        shape,
        Array.from({ length: sizeOf(shape) }, () => draw(random)),
      ),
    );
    // loss = Σ weights · y, weights random, so that no gradient hides in a symmetry.
    const graph = new Graph('case');
    const values = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape));
    const result = build(values);
    const size = sizeOf(result.shape as number[]);
    const weights = graph.constant(
      float32(
        result.shape as number[],
        Array.from({ length: size }, () => 0.5 + random.uniform()),
      ),
    );
    const loss = op.reduceSum(op.mul(result, weights));
    graph.output('loss', loss);
    for (const [i, gradient] of differentiate(loss, values).entries()) {
      expect(gradient.shape).toEqual(shapes[i]);
      graph.output(`g${i}`, gradient);
    }
    const program = await backend.compile(graph);
    const feed = (tensors: readonly Tensor[]) =>
      Object.fromEntries(tensors.map((value, i) => [`x${i}`, value]));
    const analytic = await program.run(feed(inputs));
    const lossAt = async (tensors: readonly Tensor[]) =>
      Number((await program.run(feed(tensors), ['loss'])).loss!.data[0]);
    for (const [i, input] of inputs.entries()) {
      const gradient = analytic[`g${i}`]!.data as Float32Array;
      for (let j = 0; j < input.data.length; j++) {
        const moved = (delta: number) =>
          inputs.map((other, k) =>
            k === i
              ? { ...other, data: (other.data as Float32Array).with(j, other.data[j]! + delta) }
              : other,
          );
        const numeric = async (h: number) => ((await lossAt(moved(h))) - (await lossAt(moved(-h)))) / (2 * h);
        // Richardson: the error of the central difference falls with h², so two steps cancel it.
        const [coarse, fine] = [await numeric(0.04), await numeric(0.02)];
        const expected = (4 * fine - coarse) / 3;
        const tolerance = 2e-3 * Math.max(1, Math.abs(expected));
        expect(
          Math.abs(gradient[j]! - expected),
          `d loss / d x${i}[${j}]: ${gradient[j]} against ${expected}`,
        ).toBeLessThan(tolerance);
      }
    }
    await program.dispose();
  });
});
