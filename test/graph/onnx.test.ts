import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FormatError, HeartmindError, ShapeError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { float32, tensor } from '../../src/core/tensor.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { broadcastShapes, productOf, staticDim } from '../../src/graph/dims.ts';
import { Graph } from '../../src/graph/ir.ts';
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts';
import * as op from '../../src/graph/operators.ts';
import { printGraph } from '../../src/graph/print.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

/** Linear layer, GELU, mean: with its gradient. */
function exampleGraph(): Graph {
  const graph = new Graph('example');
  const x = graph.input('x', 'float32', [2, 3]);
  const weight = graph.input('weight', 'float32', [3, 4]);
  op.exp(x); // dead
  const loss = op.reduceMean(op.gelu(op.gemm(x, weight, graph.constant(float32([4], [1, 2, 3, 4])))));
  const [gradient] = differentiate(loss, [weight]);
  graph.output('loss', loss);
  graph.output('gradient', gradient!);
  return graph;
}

describe('dims', () => {
  it('multiply, keeping B', () => {
    expect(productOf([2, 3])).toBe(6);
    expect(productOf(['B', 19, 4])).toBe('76B');
    expect(productOf(['76B', 2])).toBe('152B');
    expect(productOf([])).toBe(1);
    expect(() => productOf(['B', 'B'])).toThrow(ShapeError);
    expect(() => productOf(['C'])).toThrow(/'C' is no size/);
    expect(() => staticDim('x', 'B')).toThrow(/fixed size/);
  });

  it('broadcast as NumPy does', () => {
    expect(broadcastShapes('Add', ['B', 1, 3], [5, 1])).toEqual(['B', 5, 3]);
    expect(broadcastShapes('Add', [], [2])).toEqual([2]);
    expect(() => broadcastShapes('Add', [2, 3], [2])).toThrow('Add: shapes [2,3] and [2] do not broadcast.');
  });
});

describe('operators', () => {
  const graph = new Graph('shapes');
  const x = graph.input('x', 'float32', ['B', 4, 6]);
  const other = new Graph('other').input('y', 'float32', [1]);

  it('infer shapes, B included', () => {
    expect(op.reshape(x, ['4B', 6]).shape).toEqual(['4B', 6]);
    expect(op.transpose(x, [1, 0, 2]).shape).toEqual([4, 'B', 6]);
    expect(op.split(x, 1, [1, 3]).map((piece) => piece.shape)).toEqual([
      ['B', 1, 6],
      ['B', 3, 6],
    ]);
    expect(op.reduceSum(x, [-1], { keepDims: true }).shape).toEqual(['B', 4, 1]);
    expect(op.matmul(x, graph.input('w', 'float32', [6, 2])).shape).toEqual(['B', 4, 2]);
    expect(
      op.conv(x, graph.input('k', 'float32', [8, 2, 3]), undefined, { group: 2, strides: [2], pads: [1, 1] })
        .shape,
    ).toEqual(['B', 8, 3]);
    expect(op.equal(x, x).dtype).toBe('bool');
    expect(op.cast(x, 'float64').dtype).toBe('float64');
  });

  it.each([
    ['Reshape', () => op.reshape(x, ['B', 5])],
    ['Transpose', () => op.transpose(x, [0, 1])],
    ['Split', () => op.split(x, 1, [1, 2])],
    ['Concat', () => op.concat([x, op.reshape(x, ['B', 3, 8])], 1)],
    ['Slice', () => op.slice(x, 1, 2, 5)],
    ['MatMul', () => op.matmul(x, graph.input('v', 'float32', [5, 2]))],
    ['Gemm', () => op.gemm(op.reshape(x, ['4B', 6]), graph.input('u', 'float32', [5, 2]))],
    ['Conv', () => op.conv(x, graph.input('l', 'float32', [8, 3, 3]))],
    ['Softmax', () => op.softmax(x, 3)],
    ['Add', () => op.add(x, other)],
    ['Add', () => op.add(x, op.cast(x, 'float64'))],
    ['Where', () => op.where(x, x, x)],
  ] as const)('%s refuses what does not fit', (operator, build) => {
    let error: unknown;
    try {
      build();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ShapeError);
    expect((error as ShapeError).operator).toBe(operator);
  });
});

describe('printGraph', () => {
  it('is readable, and leaves out what no output needs', () => {
    expect(printGraph(exampleGraph())).toMatchInlineSnapshot(`
      "graph example
        input x: float32[2,3]
        input weight: float32[3,4]
        v2: float32[2,4] = Gemm(x, weight, [1,2,3,4]) {transA: 0, transB: 0, alpha: 1, beta: 1}
        v3: float32[2,4] = Gelu(v2)
        v5: float32[] = ReduceMean(v3, [0,1]) {keepdims: 0}
        v8: float32[1,1] = Reshape(1, [1,1])
        v10: float32[1,1] = Mul(v8, 0.125)
        v12: float32[2,4] = Expand(v10, [2,4])
        v14: float32[2,4] = Mul(v2, 0.707107)
        v15: float32[2,4] = Mul(v14, v14)
        v17: float32[2,4] = Sub(0.120782, v15)
        v18: float32[2,4] = Exp(v17)
        v19: float32[2,4] = Erf(v14)
        v20: float32[2,4] = Add(v19, 1)
        v21: float32[2,4] = Mul(v14, v18)
        v22: float32[2,4] = Add(v20, v21)
        v23: float32[2,4] = Mul(v12, v22)
        v25: float32[2,4] = Mul(v23, 0.5)
        v27: float32[3,4] = Gemm(x, v25) {transA: 1, transB: 0, alpha: 1, beta: 1}
        output loss = v5
        output gradient = v27
      "
    `);
  });
});

describe('differentiate', () => {
  it('gives zeros where the loss does not reach, and refuses a loss that is no scalar', async () => {
    const graph = new Graph('zeros');
    const [x, y] = [graph.input('x', 'float32', [2]), graph.input('y', 'float32', [3])];
    const [gx, gy] = differentiate(op.reduceSum(x), [x, y]);
    graph.output('gx', gx!);
    graph.output('gy', gy!);
    const program = await backend.compile(graph);
    const result = await program.run({ x: float32([2], [1, 2]), y: float32([3], [1, 2, 3]) });
    expect([...(result.gx!.data as Float32Array)]).toEqual([1, 1]);
    expect([...(result.gy!.data as Float32Array)]).toEqual([0, 0, 0]);
    expect(() => differentiate(x, [x])).toThrow(
      'differentiate: the loss has shape [2]. Reduce it to a scalar.',
    );
  });

  it('of a value with respect to itself is one', () => {
    const graph = new Graph('self');
    const x = graph.input('x', 'float32', []);
    expect(differentiate(x, [x])[0]!.constant!.data[0]).toBe(1);
  });
});

describe('encodeOnnx and decodeOnnx', () => {
  it('a decoded graph computes the same, and keeps the metadata', async () => {
    const graph = exampleGraph();
    const bytes = encodeOnnx(graph, { metadata: { recipe: '{"a":1}' } });
    const decoded = decodeOnnx(bytes);
    expect(decoded.metadata).toEqual({ recipe: '{"a":1}' });
    expect(decoded.graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([
      { name: 'x', dtype: 'float32', shape: [2, 3] },
      { name: 'weight', dtype: 'float32', shape: [3, 4] },
    ]);
    const random = new Random(1);
    const draw = (n: number) => Array.from({ length: n }, () => random.normal());
    const feeds = { x: float32([2, 3], draw(6)), weight: float32([3, 4], draw(12)) };
    const results = [];
    for (const version of [graph, decoded.graph, bytes]) {
      const program = await backend.compile(version);
      results.push(await program.run(feeds));
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('leaves dead nodes and constants out', () => {
    const graph = exampleGraph();
    graph.constant(float32([100_000], new Float32Array(100_000)));
    expect(encodeOnnx(graph).length).toBeLessThan(10_000);
    expect(
      decodeOnnx(encodeOnnx(graph)).graph.nodes.some(
        (node) => node.operator === 'Exp' && node.outputs[0]!.name === 'v0',
      ),
    ).toBe(false);
  });

  it('refuses other bytes with nothing but a heartmind error', () => {
    expect(() => decodeOnnx(new Uint8Array())).toThrow(FormatError);
    const good = encodeOnnx(exampleGraph());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => onlyHeartmindErrors(() => decodeOnnx(bytes))),
      { numRuns: 300, seed: 1 },
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) =>
        onlyHeartmindErrors(() => decodeOnnx(good.with(at, value))),
      ),
      { numRuns: 500, seed: 2 },
    );
  });
});

function onlyHeartmindErrors(run: () => unknown): boolean {
  try {
    run();
  } catch (error) {
    if (!(error instanceof HeartmindError)) throw error;
  }
  return true;
}

describe('a constant, an input and a value with two names', () => {
  it('can be outputs', async () => {
    const graph = new Graph('names');
    const x = graph.input('x', 'bool', [2]);
    const negated = op.not(x);
    graph.output('a', negated);
    graph.output('b', negated);
    graph.output('same', x);
    graph.output('two', graph.scalar(2));
    const program = await backend.compile(graph);
    const { a, b, same, two } = await program.run({ x: tensor('bool', [2], Uint8Array.of(1, 0)) });
    expect([a, b, same, two].map((value) => [...(value!.data as Uint8Array)])).toEqual([
      [0, 1],
      [0, 1],
      [1, 0],
      [2],
    ]);
  });
});
