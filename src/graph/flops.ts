/** How much arithmetic a graph holds in its products: 2 for every multiplication with its addition. */
import { ShapeError } from '../core/errors.ts';
import type { Graph, Node, Shape } from './ir.ts';

/**
 * Floating-point operations of the matrix products and convolutions of one run; all else is left out, as it moves memory
 * rather than computes. `batch` stands for B where a shape holds it.
 */
export function countFlops({ nodes }: Graph, batch?: number): number {
  return nodes.reduce((sum, node) => sum + (productFlops[node.operator]?.(node, batch) ?? 0), 0);
}

const productFlops: Readonly<Record<string, (node: Node, batch?: number) => number>> = {
  // [.., M, K] × [.., K, N]: 2 K for every value of the result
  MatMul: ({ inputs, outputs }, batch) =>
    2 * size(outputs[0]!.shape, batch) * size(inputs[0]!.shape.slice(-1), batch),
  Gemm: ({ inputs, outputs, attributes }, batch) => {
    const [rows, columns] = inputs[0]!.shape;
    return 2 * size(outputs[0]!.shape, batch) * size([attributes.transA === 1 ? rows! : columns!], batch);
  },
  // kernel [out, in / groups, …]: 2 · in / groups · … for every value of the result
  Conv: ({ inputs, outputs }, batch) =>
    2 * size(outputs[0]!.shape, batch) * size(inputs[1]!.shape.slice(1), batch),
  // kernel [in, out / groups, …]: every value of the input meets out / groups · … of it
  ConvTranspose: ({ inputs }, batch) =>
    2 * size(inputs[0]!.shape, batch) * size(inputs[1]!.shape.slice(1), batch),
};

function size(shape: Shape, batch: number | undefined): number {
  return shape.reduce<number>((product, dim) => {
    if (typeof dim === 'number') return product * dim;
    if (batch === undefined)
      throw new ShapeError(
        `countFlops: the size '${dim}' is open. Give the batch.`,
        'countFlops',
        'a batch',
        dim,
      );
    return product * batch * Number(dim.slice(0, -1) || 1);
  }, 1);
}
