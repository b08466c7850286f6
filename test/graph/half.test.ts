import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32, type Tensor } from '../../src/core/tensor.ts';
import { halfPrecision } from '../../src/graph/half.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import {
  add,
  cast,
  dropout,
  gelu,
  gemm,
  layerNorm,
  matmul,
  mul,
  reduceSum,
  reshape,
  softmax,
  sub,
} from '../../src/graph/operators.ts';
import { reachableNodes } from '../../src/graph/rewrite.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

const drawn = (shape: readonly number[], random: Random): Tensor<'float32'> =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

/** The types of the outputs of each operator's nodes, in order. */
function typesOf(graph: Graph, operator: string): string[] {
  return reachableNodes(graph)
    .filter((node) => node.operator === operator)
    .map(({ outputs }) => outputs[0]!.dtype);
}

function graphOf(build: (x: Value, w: Value, graph: Graph) => Value): Graph {
  const graph = new Graph('g');
  const x = graph.input('x', 'float32', [6, 8]);
  graph.output('y', build(x, graph.input('w', 'float32', [8, 8]), graph));
  return graph;
}

describe('halfPrecision', () => {
  it('products and what follows them are float16; inputs and outputs stay float32', () => {
    const half = halfPrecision(graphOf((x, w) => matmul(gelu(mul(gemm(x, w), 0.5)), w)));
    expect(typesOf(half, 'Gemm')).toEqual(['float16']);
    expect(typesOf(half, 'Mul')).toEqual(['float16']);
    expect(typesOf(half, 'Gelu')).toEqual(['float16']);
    expect(typesOf(half, 'MatMul')).toEqual(['float16']);
    expect(half.inputs.map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
    expect(half.outputs.get('y')!.dtype).toBe('float32');
    // x, w and 0.5 once each on the way in, the result on the way out.
    expect(typesOf(half, 'Cast')).toEqual(['float16', 'float16', 'float16', 'float32']);
  });

  it('norms, softmax and reductions are float32, and so is a sum with a float32 term', () => {
    const graph = graphOf((x, w, g) => {
      const ones = g.constant(float32([8], Array(8).fill(1)));
      const zeros = g.constant(float32([8], Array(8).fill(0)));
      const y = gemm(x, w);
      return reduceSum(mul(softmax(y), layerNorm(add(x, y), ones, zeros)));
    });
    const half = halfPrecision(graph);
    for (const operator of ['Softmax', 'LayerNormalization', 'Add', 'Mul', 'ReduceSum'])
      expect(typesOf(half, operator), operator).toEqual(['float32']);
  });

  it('products with constants and long sums stay float32', () => {
    const graph = graphOf((x, w, g) => matmul(matmul(x, g.constant(drawn([8, 8], new Random(1)))), w));
    expect(typesOf(halfPrecision(graph), 'MatMul')).toEqual(['float32', 'float16']);
    expect(typesOf(halfPrecision(graph, { longestSum: 7 }), 'MatMul')).toEqual(['float32', 'float32']);
    const weightGradient = graphOf((x) => gemm(x, x, undefined, { transA: true }));
    expect(typesOf(halfPrecision(weightGradient, { longestSum: 6 }), 'Gemm')).toEqual(['float16']);
    expect(typesOf(halfPrecision(weightGradient, { longestSum: 5 }), 'Gemm')).toEqual(['float32']);
  });

  it('a mask takes the type of what it masks', () => {
    const graph = graphOf((x, w, g) => dropout(gemm(x, w), g.input('kept', 'bool', [6, 8]), 0.5));
    const half = halfPrecision(graph);
    expect(typesOf(half, 'Mul')).toEqual(['float16', 'float16']);
    // x, w, the scale and the mask itself: nothing is made in float32 first.
    expect(typesOf(half, 'Cast')).toEqual(['float16', 'float16', 'float16', 'float16', 'float32']);
  });

  it('computes what float32 computes, to the precision of float16', async () => {
    const random = new Random(3);
    const graph = graphOf((x, w) => {
      const heads = reshape(gemm(x, w, undefined, { transB: true }), [2, 3, 8]);
      const mixed = matmul(softmax(matmul(heads, reshape(heads, [2, 8, 3]))), heads);
      return sub(gelu(reshape(mixed, [6, 8])), cast(x, 'float32'));
    });
    const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
    const feeds = { x: drawn([6, 8], random), w: drawn([8, 8], random) };
    const [exact, half] = await Promise.all(
      [graph, halfPrecision(graph)].map(async (each) => (await (await backend.compile(each)).run(feeds)).y!),
    );
    const errors = [...exact!.data].map((value, i) => Math.abs(Number(value) - Number(half!.data[i])));
    expect(half!.dtype).toBe('float32');
    expect(Math.max(...errors)).toBeLessThan(0.03);
    expect(Math.max(...errors)).toBeGreaterThan(1e-5); // it is another computation
  });
});
