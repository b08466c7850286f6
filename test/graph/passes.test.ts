/** Passes change no result: every graph is run before and after, and what should vanish is counted. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32, sizeOf, type Tensor } from '../../src/core/tensor.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import * as op from '../../src/graph/operators.ts';
import { expandGelu, foldScales, fuseMatmul, optimise, shareValues } from '../../src/graph/passes.ts';
import { countUses, reachableNodes, rewrite } from '../../src/graph/rewrite.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

type Inputs = Readonly<Record<string, readonly number[]>>;

function makeGraph(inputs: Inputs, build: (values: Record<string, Value>) => Record<string, Value>): Graph {
  const graph = new Graph('test');
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
  );
  for (const [name, value] of Object.entries(build(values))) graph.output(name, value);
  return graph;
}

async function results(graph: Graph): Promise<Record<string, Tensor>> {
  const random = new Random(1);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const sizes = shape as readonly number[];
      return [
        name,
        float32(
          sizes,
          Float32Array.from({ length: sizeOf(sizes) }, () => random.normal()),
        ),
      ];
    }),
  );
  const program = await backend.compile(graph);
  const outputs = await program.run(feeds);
  await program.dispose();
  return outputs;
}

async function expectSame(before: Graph, after: Graph): Promise<void> {
  const [expected, actual] = [await results(before), await results(after)];
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, { shape, data }] of Object.entries(expected)) {
    expect(actual[name]!.shape).toEqual(shape);
    for (const [i, x] of (data as Float32Array).entries())
      expect(Math.abs(Number(actual[name]!.data[i]) - x), name).toBeLessThan(2e-6 * (1 + Math.abs(x)));
  }
}

const count = (graph: Graph, operator: string) =>
  reachableNodes(graph).filter((node) => node.operator === operator).length;

/** A layer as the encoder has it: linear, GELU, scaled mask, linear, scaled; with the gradients of everything. */
function layer(): Graph {
  return makeGraph({ x: [6, 4], w: [8, 4], b: [8], v: [4, 8], c: [4], m: [6, 8], n: [6, 4] }, (values) => {
    const { x, w, b, v, c, m, n } = values as Record<'x' | 'w' | 'b' | 'v' | 'c' | 'm' | 'n', Value>;
    const inner = op.mul(op.mul(op.gelu(op.gemm(x, w, b, { transB: true })), 1.25), m);
    const outer = op.mul(op.mul(op.gemm(inner, v, c, { transB: true }), 1.25), n);
    const loss = op.reduceSum(op.mul(outer, outer));
    const names = ['x', 'w', 'b', 'v', 'c'];
    const gradients = differentiate(
      loss,
      names.map((name) => values[name]!),
    );
    return {
      loss,
      outer,
      ...Object.fromEntries(names.map((name, i) => [`gradient ${name}`, gradients[i]!])),
    };
  });
}

describe.each(Object.entries({ expandGelu, shareValues, foldScales, fuseMatmul, optimise }))(
  '%s',
  (_, pass) => {
    it('changes no result of a layer and its gradients', async () => {
      const graph = layer();
      const nodes = graph.nodes.length;
      await expectSame(graph, pass(graph));
      expect(graph.nodes).toHaveLength(nodes);
    });

    it('is done after one time', () => {
      const once = pass(layer());
      expect(reachableNodes(pass(once)).length).toBe(reachableNodes(once).length);
    });
  },
);

describe('expandGelu', () => {
  it('shares the error function with the gradient', () => {
    const graph = shareValues(expandGelu(layer()));
    expect(count(graph, 'Gelu')).toBe(0);
    expect(count(graph, 'Erf')).toBe(1);
  });

  it('leaves a GELU without gradient to the engine', () => {
    const graph = makeGraph({ x: [3] }, ({ x }) => ({ y: op.gelu(x!) }));
    expect(count(expandGelu(graph), 'Gelu')).toBe(1);
  });
});

describe('shareValues', () => {
  it('computes equal things once, and tells different ones apart', async () => {
    const graph = makeGraph({ x: [2, 3] }, ({ x }) => ({
      a: op.add(op.reshape(x!, [3, 2]), 1),
      b: op.add(op.reshape(x!, [3, 2]), 1),
      c: op.add(op.reshape(x!, [6]), 1),
      d: op.add(op.reshape(x!, [3, 2]), 2),
      e: op.mul(op.transpose(x!, [1, 0]), -0),
      f: op.mul(op.transpose(x!, [1, 0]), 0),
    }));
    const shared = shareValues(graph);
    expect(count(shared, 'Reshape')).toBe(2);
    expect(count(shared, 'Add')).toBe(3);
    expect(count(shared, 'Transpose')).toBe(1);
    expect(count(shared, 'Mul')).toBe(2);
    await expectSame(graph, shared);
  });
});

describe('foldScales', () => {
  it('leaves no product with a constant around matrix products', () => {
    const graph = optimise(layer());
    const scales = reachableNodes(graph).filter(
      ({ operator, inputs }) => operator === 'Mul' && inputs.some((input) => input?.constant),
    );
    // The gradient of the square of the loss begins with one, and its bias sums want one each.
    expect(scales.length).toBeLessThanOrEqual(1);
    expect(count(layer(), 'Mul')).toBeGreaterThan(count(graph, 'Mul') + 4);
  });

  it('keeps a scaled value that is used twice', async () => {
    const graph = makeGraph({ x: [2, 3], w: [3, 3], y: [2, 3] }, ({ x, w, y }) => {
      const product = op.gemm(x!, w!);
      const scaled = op.mul(product, 3);
      return { scaled, sum: op.add(scaled, product), other: op.mul(scaled, y!), third: op.gemm(scaled, w!) };
    });
    await expectSame(graph, foldScales(graph));
  });

  it('counts alpha and beta of a Gemm', async () => {
    const graph = makeGraph({ x: [2, 3], w: [3, 4], c: [4] }, ({ x, w, c }) => {
      const product = op.gemm(op.mul(x!, 2), w!, c, { alpha: 0.5, beta: 3 });
      return { y: op.mul(op.mul(op.reshape(product, [4, 2]), 5), 7) };
    });
    const folded = foldScales(foldScales(graph));
    await expectSame(graph, folded);
  });
});

describe('fuseMatmul', () => {
  it('reads transposed factors, takes scales, and turns a transposed product around', async () => {
    const graph = makeGraph({ q: [2, 3, 4, 5], k: [2, 3, 6, 5], v: [2, 3, 6, 5] }, ({ q, k, v }) => {
      const scores = op.mul(op.matmul(q!, op.transpose(k!, [0, 1, 3, 2])), 0.5);
      const mixed = op.matmul(op.softmax(scores), v!);
      const loss = op.reduceSum(op.mul(mixed, mixed));
      const [dq, dk, dv] = differentiate(loss, [q!, k!, v!]);
      return { mixed, dq: dq!, dk: dk!, dv: dv! };
    });
    const fused = fuseMatmul(shareValues(graph));
    expect(count(fused, 'Transpose')).toBe(0);
    expect(count(fused, 'FusedMatMul')).toBeGreaterThan(3);
    await expectSame(graph, fused);
  });

  it('leaves other transpositions, and products that are used twice', async () => {
    const graph = makeGraph({ x: [2, 3, 3], y: [2, 3, 3] }, ({ x, y }) => {
      const product = op.matmul(op.transpose(x!, [1, 0, 2]), op.reshape(y!, [3, 3, 2]));
      return { product, scaled: op.mul(product, 2), turned: op.transpose(product, [0, 2, 1]) };
    });
    const fused = fuseMatmul(graph);
    expect(count(fused, 'FusedMatMul')).toBe(0);
    await expectSame(graph, fused);
  });
});

describe('rewrite', () => {
  it('drops what no output needs, keeps every input, and counts uses', () => {
    const graph = makeGraph({ x: [2], unused: [2] }, ({ x }) => {
      op.exp(x!);
      const y = op.add(x!, x!);
      return { y, z: y };
    });
    const copy = rewrite(graph, () => undefined);
    expect(copy.nodes.map(({ operator }) => operator)).toEqual(['Add']);
    expect(copy.inputs.map(({ name }) => name)).toEqual(['x', 'unused']);
    expect([...countUses(graph)].map(([{ name }, uses]) => [name, uses])).toEqual([
      ['x', 2],
      [graph.outputs.get('y')!.name, 2],
    ]);
  });
});
