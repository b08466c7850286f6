import { expect, test } from 'vitest';
import { countFlops } from '../../src/graph/flops.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import { add, conv, convTranspose, gemm, matmul } from '../../src/graph/operators.ts';

type Shapes = readonly (readonly (number | string)[])[];

function flopsOf(shapes: Shapes, build: (...values: Value[]) => Value, batch?: number): number {
  const graph = new Graph('flops');
  build(...shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape)));
  return countFlops(graph, batch);
}

test.each<[string, Shapes, (...values: Value[]) => Value, number]>([
  [
    'matmul',
    [
      [7, 2, 3],
      [3, 5],
    ],
    (a, b) => matmul(a!, b!),
    2 * 7 * 2 * 3 * 5,
  ],
  [
    'gemm',
    [
      [2, 3],
      [3, 5],
    ],
    (a, b) => gemm(a!, b!),
    2 * 2 * 3 * 5,
  ],
  [
    'gemm, both transposed',
    [
      [3, 2],
      [5, 3],
    ],
    (a, b) => gemm(a!, b!, undefined, { transA: true, transB: true }),
    2 * 2 * 3 * 5,
  ],
  // 4 maps of 6 values from 2 channels, 3 taps
  [
    'conv',
    [
      [1, 2, 1, 8],
      [4, 2, 1, 3],
    ],
    (x, w) => conv(x!, w!),
    2 * 4 * 6 * 2 * 3,
  ],
  [
    'grouped conv',
    [
      [1, 4, 1, 8],
      [4, 1, 1, 3],
    ],
    (x, w) => conv(x!, w!, undefined, { group: 4 }),
    2 * 4 * 6 * 3,
  ],
  // the gradient of the first convolution costs what it does
  [
    'transposed conv',
    [
      [1, 4, 1, 6],
      [4, 2, 1, 3],
    ],
    (x, w) => convTranspose(x!, w!),
    2 * 4 * 6 * 2 * 3,
  ],
  ['what is no product', [[9], [9]], (a, b) => add(a!, b!), 0],
])('%s', (_, shapes, build, expected) => {
  expect(flopsOf(shapes, build)).toBe(expected);
});

test('a free batch is put in', () => {
  const build = (a?: Value, b?: Value) => matmul(a!, b!);
  expect(
    flopsOf(
      [
        ['12B', 3],
        [3, 5],
      ],
      build,
      4,
    ),
  ).toBe(2 * 48 * 3 * 5);
  expect(() =>
    flopsOf(
      [
        ['12B', 3],
        [3, 5],
      ],
      build,
    ),
  ).toThrow("countFlops: the size '12B' is open. Give the batch.");
});
