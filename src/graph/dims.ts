/** Arithmetic on sizes: numbers, `'B'`, and multiples of it such as `'76B'`. At most one factor B in a size. */
import { ShapeError } from '../core/errors.ts';
import type { Dim, Shape } from './ir.ts';

interface Monomial {
  readonly factor: number;
  /** Power of B. */
  readonly power: number;
}

function parseDim(dim: Dim): Monomial {
  if (typeof dim === 'number') return { factor: dim, power: 0 };
  const match = /^(\d*)B$/.exec(dim);
  if (!match)
    throw new ShapeError(
      `shape: '${dim}' is no size. Use a number, 'B' or '12B'.`,
      'shape',
      "number or 'nB'",
      dim,
    );
  return { factor: match[1] === '' ? 1 : Number(match[1]), power: 1 };
}

function formatDim({ factor, power }: Monomial): Dim {
  if (power === 0) return factor;
  return factor === 1 ? 'B' : `${factor}B`;
}

/** Are two shapes the same? */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Product of sizes as one size. ShapeError for B². */
export function productOf(dims: Shape): Dim {
  const product = dims
    .map(parseDim)
    .reduce((a, b) => ({ factor: a.factor * b.factor, power: a.power + b.power }), {
      factor: 1,
      power: 0,
    });
  if (product.power > 1) {
    throw new ShapeError(
      `shape: [${dims}] holds B twice, which cannot be merged into one size.`,
      'shape',
      'one B',
      String(dims),
    );
  }
  return formatDim(product);
}

/** The number behind a size; ShapeError where it depends on B. */
export function staticDim(operator: string, dim: Dim): number {
  if (typeof dim === 'number') return dim;
  throw new ShapeError(
    `${operator}: needs a fixed size, has '${dim}'. Build the graph with a number for the batch.`,
    operator,
    'a number',
    dim,
  );
}

/** The numbers behind a shape; ShapeError where one depends on B. */
export function staticShape(operator: string, shape: Shape): number[] {
  return shape.map((dim) => staticDim(operator, dim));
}

/** Shape of an elementwise operation on both, by NumPy's broadcasting rules. */
export function broadcastShapes(operator: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new ShapeError(
      `${operator}: shapes [${a}] and [${b}] do not broadcast.`,
      operator,
      `[${a}]`,
      `[${b}]`,
    );
  });
}

/** Axis in [0, rank) from one that may count from the end. */
export function normaliseAxis(operator: string, axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(result) && result >= 0 && result < rank) return result;
  throw new ShapeError(
    `${operator}: axis ${axis} of a value with ${rank} axes.`,
    operator,
    `< ${rank}`,
    String(axis),
  );
}
