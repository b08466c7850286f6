/**
 * Ways to do one thing, one of them ours: what a choice in the code is worth. A case is a name and its ways; each way runs
 * in a process of its own, in turns with the others.
 */
import ort from 'onnxruntime-node';
import { Random } from '../../src/core/random.ts';
import { SparseDraws } from '../../src/core/sparse-draws.ts';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import { maskedMse } from '../../src/graph/losses.ts';
import { encodeOnnx } from '../../src/graph/onnx.ts';
import * as op from '../../src/graph/operators.ts';
import { fuseMatmul, optimise } from '../../src/graph/passes.ts';
import { encode, encoderParameters, reconstruct } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { DropoutSites } from '../../src/model/dropout.ts';
import { positionEmbedding } from '../../src/model/position-embedding.ts';
import { selectionMatrix } from '../../src/model/toeplitz.ts';
import { normOf, updateBlock } from '../../src/train/adamw.ts';
import { buildUpdateGraph, layOut, names } from '../../src/train/step-graphs.ts';
import type { Prepared } from './worker.ts';

export interface ChoiceJob {
  readonly name: string;
  readonly way: string;
}

type Run = () => Promise<unknown> | unknown;
type Ways = Readonly<Record<string, () => Promise<Run>>>;

const [batch, channels, patches] = [16, 12, 10];
const rows = batch * channels * patches;
const config = encoderConfig({ layers: 12, dropout: 0.1 });

/** Our way first. */
export const choices: Readonly<Record<string, Ways>> = {
  'gradients of 12 layers: passes over the graph': {
    'values shared, scales folded, transposed factors fused': async () =>
      runGraph(fuseMatmul(optimise(gradientGraph()))),
    'values shared, scales folded': async () => runGraph(optimise(gradientGraph())),
    'as differentiated': async () => runGraph(gradientGraph()),
  },
  'gradients of 12 layers: memory of the engine': {
    'no pattern planned ahead': async () => runGraph(trained()),
    'pattern planned ahead (the default)': async () => runGraph(trained(), { enableMemPattern: true }),
    'no arena': async () => runGraph(trained(), { enableCpuMemArena: false }),
  },
  'gradients of 12 layers: threads of the engine': {
    'they spin between operators (the default)': async () => runGraph(trained()),
    'they sleep between operators': async () =>
      runGraph(trained(), { extra: { session: { intra_op: { allow_spinning: '0' } } } }),
  },
  'gradients: frozen parts skip their backward': {
    'the last layer learns': async () =>
      runGraph(fuseMatmul(optimise(gradientGraph((name) => /layers\.11\.|proj_out/.test(name))))),
    'all layers learn': async () => runGraph(trained()),
  },
  'update of 4.9 M parameters': {
    'one pass in TypeScript': async () => {
      const { layout, flat } = updateOf();
      const [parameter, first, second, gradients] = [flat(), flat(), flat(), flat()];
      const options = { scale: 0.1, rates: { all: 1e-3 }, step: 3 };
      return () => {
        if (!Number.isFinite(normOf(gradients, layout.length))) throw new Error('norm');
        for (const block of layout.blocks)
          updateBlock({ parameter, first, second }, gradients, block, options);
      };
    },
    'a graph of elementwise operators': async () => {
      const { layout, update, flat } = updateOf();
      return runGraph(buildUpdateGraph(layout, update), {}, (name) =>
        name.startsWith('rate/') || name === names.step
          ? Float32Array.of(1)
          : name === names.weight
            ? Float32Array.of(9)
            : flat(),
      );
    },
  },
  'dropout of [1920, 800], drawing included': {
    'gaps drawn, a mask of 0 and 1': async () => {
      const draws = new SparseDraws(0.1);
      const random = new Random(1);
      const graph = new Graph('dropout');
      graph.output(
        'y',
        op.dropout(graph.input('x', 'float32', [rows, 800]), graph.input('kept', 'bool', [rows, 800]), 0.9),
      );
      const kept = new Uint8Array(rows * 800);
      const run = await runGraph(graph, {}, (name) => (name === 'kept' ? kept : undefined));
      return () => {
        draws.fill(kept, random);
        return run();
      };
    },
    'a random byte a value, compared in the graph': async () => {
      const random = new Random(1);
      const graph = new Graph('dropout');
      const bytes = graph.input('bytes', 'uint8', [rows, 800]);
      const limit = graph.constant(tensor('uint8', [], Uint8Array.of(26)));
      const kept = op.cast(op.not(op.less(bytes, limit)), 'float32');
      graph.output('y', op.mul(graph.input('x', 'float32', [rows, 800]), op.mul(kept, 256 / 230)));
      const data = new Uint8Array(rows * 800);
      const words = new Uint32Array(data.buffer);
      const run = await runGraph(graph, {}, (name) => (name === 'bytes' ? data : undefined));
      return () => {
        for (let i = 0; i < words.length; i++) words[i] = random.uint32();
        return run();
      };
    },
  },
  'a mask applied to [1920, 800]': {
    'product with 0 and 1': () => maskGraph((x, kept) => op.mul(x, op.cast(kept, 'float32'))),
    Where: () => maskGraph((x, kept) => op.where(kept, x, 0)),
  },
  'GELU of [1920, 800] with its gradient': {
    'the error function shared': () => runGraph(optimise(geluGraph())),
    'the engine’s GELU, its gradient apart': () => runGraph(geluGraph()),
  },
  'sum of [1920, 200] over rows, 24 times': {
    'product with a row of ones': () =>
      sums((x) => op.gemm(x.graph.constant(tensor('float32', [1, rows], new Float32Array(rows).fill(1))), x)),
    ReduceSum: () => sums((x) => op.reduceSum(x, [0])),
  },
  'queries, keys and values of [1920, 100] to heads': {
    'three products, three transpositions': () =>
      runSingle({ x: [rows, 100], q: [100, 100], k: [100, 100], v: [100, 100] }, ({ x, q, k, v }) =>
        [q!, k!, v!].map((weight) =>
          op.transpose(op.reshape(op.matmul(x!, weight), [batch, channels, patches, 4, 25]), [0, 2, 3, 1, 4]),
        ),
      ),
    'one product, one transposition of five axes, a split': () =>
      runSingle({ x: [rows, 100], w: [100, 300] }, ({ x, w }) => {
        const all = op.reshape(op.matmul(x!, w!), [batch, channels, patches, 12, 25]);
        return op.split(op.transpose(all, [0, 2, 3, 1, 4]), 2, [4, 4, 4]);
      }),
  },
  'position convolution 19×7, with gradients': {
    'a product with a Toeplitz matrix per feature': () =>
      position((grid, kernel, bias) => {
        const rowsOfGrid = op.reshape(grid, [rows, 200]);
        const parameter = (name: string) => (name.endsWith('weight') ? kernel : bias);
        return positionEmbedding(rowsOfGrid, config, {
          shape: { batch, channels, patches },
          parameter,
          dropout: undefined,
        });
      }),
    'Conv and ConvTranspose': () =>
      position((grid, kernel, bias) =>
        op.conv(op.transpose(grid, [0, 3, 1, 2]), kernel, bias, {
          strides: [1, 1],
          pads: [9, 3, 9, 3],
          group: 200,
        }),
      ),
  },
  'first convolution of 1,920 patches, with gradients': {
    'one dense product': () =>
      withGradients({ x: [rows, 200], w: [25, 49] }, ({ x, w }) => {
        const select = selectionMatrix(
          { kernel: 49, inputs: 200, outputs: 8, stride: 25, pad: 24 },
          'outputs-inputs',
        );
        const dense = op.reshape(op.matmul(w!, x!.graph.constant(select)), [200, 200]);
        return op.gemm(x!, dense, undefined, { transB: true });
      }),
    Conv: () =>
      withGradients({ x: [rows, 1, 200], w: [25, 1, 49] }, ({ x, w }) =>
        op.conv(x!, w!, undefined, { strides: [25], pads: [24, 24] }),
      ),
  },
};

export async function choice({ name, way }: ChoiceJob): Promise<Prepared> {
  const run = await choices[name]![way]!();
  const begun = performance.now();
  await run();
  const first = (performance.now() - begun) / 1000;
  return {
    ready: { first, engine: { engine: `onnxruntime-node ${ort.env.versions.node}` } },
    async run() {
      await run();
      return undefined;
    },
  };
}

/** Masked reconstruction of the encoder with the gradients of the parameters that learn. */
function gradientGraph(learns: (name: string) => boolean = () => true): Graph {
  const graph = new Graph('gradients');
  const values = new Map(
    encoderParameters(config).map(({ name, shape }) => [name, graph.input(name, 'float32', shape)]),
  );
  const parameter = (name: string) => values.get(name)!;
  const target = graph.input('patches', 'float32', [batch, channels, patches, 200]);
  const mask = graph.input('mask', 'bool', [batch, channels, patches]);
  const dropout = new DropoutSites(graph, config.dropout);
  const embedding = encode({ patches: target, mask, parameter, config, dropout });
  const { total } = maskedMse(reconstruct(embedding, parameter), target, mask);
  const learning = [...values.keys()].filter((name) => !name.includes('mask_encoding') && learns(name));
  const gradients = differentiate(total, learning.map(parameter));
  for (const [i, name] of learning.entries()) graph.output(`gradient/${name}`, gradients[i]!);
  graph.output('total', total);
  return graph;
}

/** The graph that training runs. */
const trained = () => fuseMatmul(optimise(gradientGraph()));

function updateOf() {
  const specs = encoderParameters(config)
    .filter(({ frozen }) => !frozen)
    .map(({ name, shape }) => ({ name, shape, group: 'all' }));
  const update = { clipNorm: 1, weightDecay: 0.05, decayOn: 'all' } as const;
  const layout = layOut(specs, update);
  const random = new Random(2);
  return {
    layout,
    update,
    flat: () => Float32Array.from({ length: layout.length }, () => 0.01 * random.uniform()),
  };
}

function maskGraph(apply: (x: Value, kept: Value) => Value): Promise<Run> {
  const graph = new Graph('mask');
  graph.output(
    'y',
    apply(graph.input('x', 'float32', [rows, 800]), graph.input('kept', 'bool', [rows, 800])),
  );
  return runGraph(graph);
}

function geluGraph(): Graph {
  const graph = new Graph('gelu');
  const x = graph.input('x', 'float32', [rows, 800]);
  const y = op.gelu(x);
  const loss = op.reduceSum(op.mul(y, graph.input('g', 'float32', [rows, 800])));
  graph.output('y', y);
  graph.output('gradient', differentiate(loss, [x])[0]!);
  return graph;
}

function sums(sum: (x: Value) => Value): Promise<Run> {
  const graph = new Graph('sums');
  for (let i = 0; i < 24; i++) graph.output(`y${i}`, sum(graph.input(`x${i}`, 'float32', [rows, 200])));
  return runGraph(graph);
}

function runSingle(
  inputs: Readonly<Record<string, readonly number[]>>,
  build: (values: Record<string, Value>) => readonly Value[],
): Promise<Run> {
  const graph = new Graph('single');
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
  );
  for (const [i, value] of build(values).entries()) graph.output(`y${i}`, value);
  return runGraph(graph);
}

function withGradients(
  inputs: Readonly<Record<string, readonly number[]>>,
  build: (values: Record<string, Value>) => Value,
): Promise<Run> {
  return runSingle(inputs, (values) => {
    const y = build(values);
    return [y, ...differentiate(op.reduceSum(op.mul(y, y)), Object.values(values))];
  });
}

function position(build: (grid: Value, kernel: Value, bias: Value) => Value): Promise<Run> {
  const inputs = { grid: [batch, channels, patches, 200], kernel: [200, 1, 19, 7], bias: [200] };
  return withGradients(inputs, ({ grid, kernel, bias }) => build(grid!, kernel!, bias!));
}

/** Run a graph by the engine itself, so that its options are ours; inputs are noise, or as `data` says. */
async function runGraph(
  graph: Graph,
  options: ort.InferenceSession.SessionOptions = {},
  data: (name: string) => Float32Array | Uint8Array | undefined = () => undefined,
): Promise<Run> {
  const session = await ort.InferenceSession.create(encodeOnnx(graph), {
    executionProviders: ['cpu'],
    enableMemPattern: false,
    interOpNumThreads: 1,
    ...options,
  });
  const random = new Random(3);
  const wrap = ({ dtype, data: values, shape }: Tensor) => new ort.Tensor(dtype, values as never, shape);
  const used = graph.inputs.filter(({ name }) => session.inputNames.includes(name));
  const feeds = Object.fromEntries(
    used.map(({ name, dtype, shape }) => {
      const value = zeros(dtype as 'float32', shape as readonly number[]);
      const given = data(name);
      if (given) return [name, wrap({ ...value, data: given as Float32Array })];
      for (let i = 0; i < value.data.length; i++)
        value.data[i] = dtype === 'bool' ? Number(random.uniform() < 0.9) : 0.1 * random.normal();
      return [name, wrap(value)];
    }),
  );
  const into = Object.fromEntries(
    [...graph.outputs].map(([name, { dtype, shape }]) => [
      name,
      wrap(zeros(dtype as 'float32', shape as readonly number[])),
    ]),
  );
  return () => session.run(feeds, into);
}
