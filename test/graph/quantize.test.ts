import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import { Graph } from '../../src/graph/ir.ts';
import { decodeOnnx, encodeOnnx } from '../../src/graph/onnx.ts';
import {
  add,
  dynamicQuantizeLinear,
  gelu,
  gemm,
  matmul,
  matmulInteger,
  split,
} from '../../src/graph/operators.ts';
import { printGraph } from '../../src/graph/print.ts';
import { quantizeProducts, quantizeRows } from '../../src/graph/quantize.ts';
import { rewrite } from '../../src/graph/rewrite.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

const backend: Backend = await createNodeBackend({ device: 'cpu', threads: 1 });

const normals = (length: number, seed: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.normal());
};

async function run(graph: Graph | Uint8Array, x: Float32Array, width: number): Promise<Float32Array> {
  const program = await backend.compile(graph);
  const { y } = await program.run({ x: float32([x.length / width, width], x) });
  await program.dispose();
  return y!.data as Float32Array;
}

/**
 * Whether this processor adds products of bytes exactly. AVX2 and SSE multiply bytes in pairs (VPMADDUBSW) and hold each
 * pair's sum in 16 bits, where 255 · 127 · 2 = 64,770 becomes 32,767. Processors with VNNI, and ARM's, hold it in 32 bits.
 */
async function addsExactly(bits: 7 | 8): Promise<boolean> {
  const [inputs, limit] = [64, bits === 7 ? 63 : 127];
  const graph = new Graph('largest bytes');
  const x = graph.input('x', 'float32', ['B', inputs]);
  const largest = graph.constant(float32([1, inputs], new Float32Array(inputs).fill(limit)), 'w');
  graph.output('y', gemm(x, largest, undefined, { transB: true }));
  // 0 … 255: scale 1, zero 0.
  const data = new Float32Array(inputs).fill(255).fill(0, inputs - 1);
  const sum = (inputs - 1) * 255 * limit;
  const [y] = await run(quantizeProducts(graph, { bits }), data, inputs);
  return Math.abs(y! / sum - 1) < 1e-6;
}
const isExact = { 7: await addsExactly(7), 8: await addsExactly(8) };
const found = (bits: 7 | 8) =>
  isExact[bits] ? 'this processor adds exactly' : "this processor's sums overflow 16 bits";

/** gelu(x W₀ᵀ + b) W₁ᵀ + b W₂ᵀ … with the second weights as one constant that is split, as q, k and v are. */
function exampleGraph(): Graph {
  const graph = new Graph('example');
  const x = graph.input('x', 'float32', ['B', 4]);
  const bias = graph.constant(float32([4], [1, 2, 3, 4]), 'bias');
  const inner = gelu(
    gemm(x, graph.constant(float32([4, 4], normals(16, 1)), 'first'), bias, { transB: true }),
  );
  const parts = split(graph.constant(float32([4, 4], normals(16, 2)), 'stacked'), 0, [1, 3]);
  const [one, three] = parts.map((part) => gemm(inner, part, undefined, { transB: true }));
  graph.output('y', add(one!, three!));
  return graph;
}

/** A graph as text after a pass that changes nothing. */
const printCopy = (graph: Graph) => printGraph(rewrite(graph, () => undefined));

describe('quantizeRows', () => {
  it.each([7, 8] as const)('rounds every row by its own scale, %i bits', (bits) => {
    const data = normals(5 * 3, 4).map((value, i) => value * 10 ** Math.floor(i / 3));
    data.fill(0, 12); // a row of zeros
    const { values, scales } = quantizeRows(float32([5, 3], data), bits);
    expect(values.shape).toEqual([3, 5]);
    const limit = bits === 7 ? 63 : 127;
    for (let n = 0; n < 4; n++) {
      const row = [0, 1, 2].map((k) => values.data[k * 5 + n]!);
      expect(Math.max(...row.map(Math.abs))).toBe(limit);
      for (const [k, value] of row.entries())
        expect(Math.abs(value * scales.data[n]! - data[3 * n + k]!)).toBeLessThanOrEqual(
          0.5001 * scales.data[n]!,
        );
    }
    expect([values.data[4], scales.data[4]]).toEqual([0, 1]);
  });
});

describe('quantizeProducts', () => {
  it('writes standard operators, the bytes of a value once', () => {
    expect(printGraph(quantizeProducts(exampleGraph()))).toMatchInlineSnapshot(`
      "graph example
        input x: float32[B,4]
        v2: uint8[B,4], v3: float32[], v4: uint8[] = DynamicQuantizeLinear(x)
        v5: int32[B,4] = MatMulInteger(v2, const int8[4,4], v4)
        v6: float32[4] = Mul(v3, [0.0158092,0.0159126,0.0373803,0.0338928])
        v7: float32[B,4] = Cast(v5) {to: "float32"}
        v8: float32[B,4] = Mul(v7, v6)
        v9: float32[B,4] = Add(v8, [1,2,3,4])
        v10: float32[B,4] = Gelu(v9)
        v15: uint8[B,4], v16: float32[], v17: uint8[] = DynamicQuantizeLinear(v10)
        v18: int32[B,1] = MatMulInteger(v15, [0,11,-63,5], v17)
        v19: float32[1] = Mul(v16, [0.0305325])
        v20: float32[B,1] = Cast(v18) {to: "float32"}
        v21: float32[B,1] = Mul(v20, v19)
        v22: int32[B,3] = MatMulInteger(v15, const int8[4,3], v17)
        v23: float32[3] = Mul(v16, [0.020422,0.0185275,0.0171681])
        v24: float32[B,3] = Cast(v22) {to: "float32"}
        v25: float32[B,3] = Mul(v24, v23)
        v26: float32[B,3] = Add(v21, v25)
        output y = v26
      "
    `);
  });

  it('is exact for whole numbers within the range of bytes', async () => {
    const random = new Random(7);
    const whole = (length: number, limit: number) =>
      Float32Array.from({ length }, (_, i) =>
        i % 40 === 0 ? limit : Math.round(limit * (2 * random.uniform() - 1)),
      );
    const graph = new Graph('whole');
    const x = graph.input('x', 'float32', ['B', 40]);
    graph.output(
      'y',
      gemm(x, graph.constant(float32([9, 40], whole(360, 63)), 'w'), undefined, { transB: true }),
    );
    // −128 … 127: scale 1, zero 128.
    const data = whole(3 * 40, 127).map((value, i) => (i === 1 ? -128 : value));
    expect(await run(quantizeProducts(graph), data, 40)).toEqual(await run(graph, data, 40));
  });

  it('keeps 7 bits unless told otherwise: their sums are exact on every processor', async () => {
    expect(isExact[7]).toBe(true);
    const graph = new Graph('default');
    const x = graph.input('x', 'float32', ['B', 40]);
    graph.output(
      'y',
      gemm(x, graph.constant(float32([9, 40], normals(360, 3)), 'w'), undefined, { transB: true }),
    );
    const data = normals(40, 5);
    expect(await run(quantizeProducts(graph), data, 40)).toEqual(
      await run(quantizeProducts(graph, { bits: 7 }), data, 40),
    );
  });

  it.each([
    [7, found(7)],
    [8, found(8)],
  ] as const)('is within the rounding of rows and weights, %i bits (%s)', async (bits, _found) => {
    const [inputs, outputs, rows] = [200, 33, 17];
    const weights = normals(outputs * inputs, 8);
    const graph = new Graph('linear');
    const x = graph.input('x', 'float32', ['B', inputs]);
    const bias = graph.constant(float32([outputs], normals(outputs, 9)), 'b');
    graph.output(
      'y',
      gemm(x, graph.constant(float32([outputs, inputs], weights), 'w'), bias, { transB: true }),
    );
    const quantized = quantizeProducts(graph, { bits });
    const data = normals(rows * inputs, 10);
    const [exact, rounded] = [await run(graph, data, inputs), await run(quantized, data, inputs)];
    const { scales, values } = quantizeRows(float32([outputs, inputs], weights), bits);
    // Half a step of the row in every x, half a step of the column in every weight.
    const step = (Math.max(...data) - Math.min(...data)) / 255;
    const zero = Math.round(-Math.min(...data) / step);
    const byteOf = (value: number) => Math.min(255, Math.max(0, Math.round(value / step) + zero));
    /** What is lost where sums of two neighbouring products are held in 16 bits. */
    const overflow = (m: number, n: number): number => {
      let lost = 0;
      for (let k = 0; k < inputs; k += 2) {
        const product = (at: number) => byteOf(data[m * inputs + at]!) * values.data[at * outputs + n]!;
        lost += Math.max(0, Math.abs(product(k) + product(k + 1)) - 32_767);
      }
      return lost * step * scales.data[n]!;
    };
    let largest = 0;
    for (const [i, value] of exact.entries()) {
      const [m, n] = [Math.floor(i / outputs), i % outputs];
      let bound = 1e-3 + (isExact[bits] ? 0 : overflow(m, n));
      for (let k = 0; k < inputs; k++) {
        const [a, b] = [Math.abs(data[m * inputs + k]!), Math.abs(weights[n * inputs + k]!)];
        bound += (a * scales.data[n]!) / 2 + ((b + scales.data[n]! / 2) * step) / 2;
      }
      const error = Math.abs(value - rounded[i]!);
      expect(error).toBeLessThan(bound);
      largest = Math.max(largest, error);
    }
    expect(largest).toBeGreaterThan(0.01); // or nothing was quantized
    expect(await run(encodeOnnx(quantized), data, inputs)).toEqual(rounded);
    expect(await run(decodeOnnx(encodeOnnx(quantized)).graph, data, inputs)).toEqual(rounded);
  });

  it('leaves alone what is not selected, what is not constant and the graph itself', () => {
    const graph = exampleGraph();
    const before = printGraph(graph);
    expect(printGraph(quantizeProducts(graph, { select: () => false }))).toBe(printCopy(graph));
    const names: string[] = [];
    quantizeProducts(graph, { select: (name) => names.push(name) < 0 });
    expect(names).toEqual(['first', 'stacked.0', 'stacked.1']);
    expect(printGraph(graph)).toBe(before);

    const other = new Graph('other');
    const [x, w] = [other.input('x', 'float32', ['B', 4]), other.input('w', 'float32', [3, 4])];
    const table = other.constant(float32([4, 3], normals(12, 3)), 'table');
    other.output('y', add(gemm(x, w, undefined, { transB: true }), matmul(x, table)));
    expect(printGraph(quantizeProducts(other))).toBe(printCopy(other));
  });
});

describe('operators of INT8', () => {
  const graph = new Graph('refusals');
  const x = graph.input('x', 'float32', ['B', 4]);
  const { values, scale, zero } = dynamicQuantizeLinear(x);
  it('refuse what does not fit', () => {
    expect([values.dtype, scale.dtype, zero.dtype]).toEqual(['uint8', 'float32', 'uint8']);
    expect(() => dynamicQuantizeLinear(values)).toThrow(
      'DynamicQuantizeLinear: expected float32, got uint8.',
    );
    expect(() => matmulInteger(values, values, zero)).toThrow(
      'MatMulInteger: shapes [B,4] and [B,4] do not fit.',
    );
    const unfit = graph.constant(float32([4, 2], normals(8, 1)));
    expect(() => matmulInteger(values, unfit, zero)).toThrow('MatMulInteger: expected int8, got float32.');
  });
});
