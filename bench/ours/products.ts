/** The machine's own ceilings through our engine: one matrix product, one pass over memory. */
import { availableParallelism } from 'node:os';
import { Random } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import { countFlops } from '../../src/graph/flops.ts';
import { Graph } from '../../src/graph/ir.ts';
import { add, gemm, matmul } from '../../src/graph/operators.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import type { Prepared } from './worker.ts';

export interface ProductJob {
  /** Gemm: x·Wᵀ + b, as linear layers are. MatMul: x·W. */
  readonly operator: 'Gemm' | 'MatMul';
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Constants can be packed once; in training they are inputs. */
  readonly weights: 'input' | 'constant';
}

export async function matrixProduct({
  operator,
  rows,
  inner,
  columns,
  weights,
}: ProductJob): Promise<Prepared> {
  const backend = await createNodeBackend({ device: 'cpu' });
  const draw = (shape: readonly number[]) => {
    const random = Random.derive(0, 'bench', 'product');
    return float32(
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    );
  };
  const weight = draw(operator === 'Gemm' ? [columns, inner] : [inner, columns]);
  const bias = draw([columns]);
  const graph = new Graph('product');
  const x = graph.input('x', 'float32', [rows, inner]);
  const place = (name: string, data: typeof weight) =>
    weights === 'constant' ? graph.constant(data) : graph.input(name, 'float32', data.shape);
  const w = place('w', weight);
  graph.output('y', operator === 'Gemm' ? gemm(x, w, place('b', bias), { transB: true }) : matmul(x, w));
  const program = await backend.compile(graph);
  const all = { x: draw([rows, inner]), w: weight, b: bias };
  const feeds = Object.fromEntries(program.inputNames.map((name) => [name, all[name as keyof typeof all]]));
  const into = { y: draw([rows, columns]) };
  const run = async () => {
    await program.run(feeds, ['y'], into);
    return undefined;
  };
  await run();
  return {
    ready: {
      flops: countFlops(graph),
      engine: { engine: backend.description, threads: availableParallelism() },
    },
    run,
  };
}

export interface MemoryJob {
  readonly megabytes: number;
}

/** y = x + 1 over an array far larger than the caches: read once, written once. */
export async function memoryCopy({ megabytes }: MemoryJob): Promise<Prepared> {
  const backend = await createNodeBackend({ device: 'cpu' });
  const length = (megabytes * 1e6) / 4;
  const graph = new Graph('memory');
  graph.output('y', add(graph.input('x', 'float32', [length]), 1));
  const program = await backend.compile(graph);
  const feeds = { x: float32([length], new Float32Array(length).fill(1)) };
  const into = { y: float32([length], new Float32Array(length).fill(1)) };
  const run = async () => {
    await program.run(feeds, ['y'], into);
    return undefined;
  };
  await run();
  return {
    ready: { engine: { engine: backend.description, threads: availableParallelism() } },
    run,
  };
}
