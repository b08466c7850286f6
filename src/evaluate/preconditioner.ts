/**
 * What makes regressions on thousands of correlated features quick: the few directions in which they vary most, X [n, d] → an
 * orthonormal basis V [m, d] and how much XᵀX is within it. In these the curvature of a problem is known, elsewhere it is
 * small. Found by power iteration of a random block: Halko, Martinsson and Tropp, SIAM Review 53 (2011), algorithm 4.4.
 */
import { Random } from '../core/random.ts';
import { Rows } from './row-products.ts';

/** Directions, and steps of the iteration: more of either cost more than they save. */
const usualRank = 64;
const steps = 2;
/** Fewer features are quick by themselves. */
const fewestFeatures = 256;

export interface Principal {
  /** V [m, d]. */
  readonly basis: Rows;
  /** V·XᵀX·Vᵀ [m, m], the lower triangle. */
  readonly within: Float64Array;
  /** The mean of XᵀX's diagonal in the directions that are left. */
  readonly rest: number;
}

/**
 * Rows x [n, d], each column of mean zero; undefined where it would not pay. With a `basis`, of rows that are much the same,
 * only how they vary within it is measured.
 */
export function principalDirections(x: Rows, basis: Rows | undefined = findBasis(x)): Principal | undefined {
  if (!basis) return undefined;
  const { count, size, values } = x;
  const rank = basis.count;
  const products = x.scores(vectorsOf(basis), rank);
  const within = new Float64Array(rank * rank);
  for (let i = 0; i < count; i++)
    for (let a = 0; a < rank; a++)
      for (let b = 0; b <= a; b++) within[a * rank + b]! += products[i * rank + a]! * products[i * rank + b]!;
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at]! * values[at]!;
  let taken = 0;
  for (let a = 0; a < rank; a++) taken += within[a * rank + a]!;
  return { basis, within, rest: Math.max(0, total - taken) / (size - rank) };
}

function findBasis(x: Rows): Rows | undefined {
  const { count, size } = x;
  const rank = Math.min(usualRank, count >> 1);
  if (size < fewestFeatures || rank < 4) return undefined;
  const random = Random.derive(0, 'principal directions');
  const start = Float64Array.from({ length: rank * (size + 1) }, () => random.normal());
  let vectors = orthonormalise(start, rank, size);
  for (let step = 0; step < steps; step++)
    vectors = orthonormalise(x.products(x.scores(vectors, rank), rank), rank, size);
  const basis = new Rows(rank, size);
  for (let a = 0; a < rank; a++)
    basis.values.set(vectors.subarray(a * (size + 1), a * (size + 1) + size), a * basis.stride);
  return basis;
}

/** As weights [m, d + 1] without intercepts. */
function vectorsOf({ values, count, size, stride }: Rows): Float64Array {
  const vectors = new Float64Array(count * (size + 1));
  for (let a = 0; a < count; a++) vectors.set(values.subarray(a * stride, a * stride + size), a * (size + 1));
  return vectors;
}

/** About (weight · XᵀX + ridge)⁻¹, as a function of vectors [d + 1]; what it gives for the intercept means nothing. */
export function inverseOf(
  { basis, within, rest }: Principal,
  weight: number,
  ridge: number,
): (v: Float64Array) => Float64Array {
  const rank = basis.count;
  const factor = cholesky(within, rank, weight, ridge);
  const outside = 1 / (weight * rest + ridge);
  return (v) => {
    const inside = basis.scores(v, 1).map((sum) => sum - v[basis.size]!);
    const solved = solve(factor, inside, rank);
    const result = basis.products(
      solved.map((value, a) => value - outside * inside[a]!),
      1,
    );
    for (let j = 0; j < result.length; j++) result[j]! += outside * v[j]!;
    return result;
  };
}

/** Rows made orthonormal, each twice against those before it: once is not enough in floating point. */
function orthonormalise(rows: Float64Array, rank: number, size: number): Float64Array {
  const row = (a: number) => rows.subarray(a * (size + 1), (a + 1) * (size + 1));
  for (let a = 0; a < rank; a++) {
    const own = row(a);
    own[size] = 0;
    for (let pass = 0; pass < 2; pass++)
      for (let b = 0; b < a; b++) {
        const other = row(b);
        const share = dot(own, other);
        for (let j = 0; j < size; j++) own[j]! -= share * other[j]!;
      }
    const length = Math.sqrt(dot(own, own));
    for (let j = 0; j < size; j++) own[j]! /= length || 1;
  }
  return rows;
}

/** Lower factor of weight · M + ridge. */
function cholesky(within: Float64Array, rank: number, weight: number, ridge: number): Float64Array {
  const factor = new Float64Array(rank * rank);
  for (let a = 0; a < rank; a++)
    for (let b = 0; b <= a; b++) {
      let sum = weight * within[a * rank + b]! + (a === b ? ridge : 0);
      for (let k = 0; k < b; k++) sum -= factor[a * rank + k]! * factor[b * rank + k]!;
      factor[a * rank + b] = a === b ? Math.sqrt(sum) : sum / factor[b * rank + b]!;
    }
  return factor;
}

function solve(factor: Float64Array, right: Float64Array, rank: number): Float64Array {
  const solution = right.slice();
  for (let a = 0; a < rank; a++) {
    for (let k = 0; k < a; k++) solution[a]! -= factor[a * rank + k]! * solution[k]!;
    solution[a]! /= factor[a * rank + a]!;
  }
  for (let a = rank - 1; a >= 0; a--) {
    for (let k = a + 1; k < rank; k++) solution[a]! -= factor[k * rank + a]! * solution[k]!;
    solution[a]! /= factor[a * rank + a]!;
  }
  return solution;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
