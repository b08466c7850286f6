/**
 * Bad channels from their neighbours by spherical splines: rows [C][T] and positions [C] → rows [C][T]. Perrin, Pernier,
 * Bertrand and Echallier, Electroencephalogr. Clin. Neurophysiol. 72, 1989 (and the correction in 76, 1990), with the
 * parameters of MNE's `interpolate_bads`: stiffness 4, 50 Legendre terms, 1e-5 added to the diagonal.
 */
import { DataError, ShapeError } from '../core/errors.ts';
import type { Position } from './electrodes.ts';

export interface SplineOptions {
  /** Order m of the spline. */
  readonly stiffness?: number;
  readonly legendreTerms?: number;
  /** λ, added to the diagonal: smooths, and keeps electrodes that are close solvable. */
  readonly smoothing?: number;
}

/**
 * Weights [to][from] that map values at some positions to values at others. Positions are taken to the unit sphere about
 * the origin. DataError without a position to start from, or for one at the origin.
 */
export function splineWeights(
  from: readonly Position[],
  to: readonly Position[],
  options: SplineOptions = {},
): Float64Array[] {
  const { stiffness = 4, legendreTerms = 50, smoothing = 1e-5 } = options;
  if (from.length === 0)
    throw new DataError(
      'splineWeights: no channel is good. Leave the recording out, or mark fewer channels bad.',
    );
  const [near, far] = [from.map(toSphere), to.map(toSphere)];
  const factors = Float64Array.from(
    { length: legendreTerms },
    (_, k) => (2 * k + 3) / (((k + 1) * (k + 2)) ** stiffness * 4 * Math.PI),
  );
  const g = (a: Position, b: Position) => legendreSum(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], factors);
  const n = from.length;
  // [G + λI, 1; 1ᵀ, 0] w = [g; 1]: symmetric, so that weights are its solution for each wanted position.
  const matrix = Array.from({ length: n + 1 }, (_, i) =>
    Float64Array.from({ length: n + 1 }, (_, j) => {
      if (i === n || j === n) return Number(i !== j);
      return g(near[i]!, near[j]!) + (i === j ? smoothing : 0);
    }),
  );
  const wanted = far.map((place) => Float64Array.from([...near.map((other) => g(place, other)), 1]));
  return solve(matrix, wanted).map((weights) => weights.slice(0, n));
}

/**
 * Rows in which the bad ones are replaced; good ones are the same arrays. ShapeError where positions and rows differ in
 * number, DataError where all are bad.
 */
export function interpolateChannels(
  rows: readonly Float64Array[],
  positions: readonly Position[],
  bad: readonly number[],
  options: SplineOptions = {},
): Float64Array[] {
  if (rows.length !== positions.length)
    throw new ShapeError(
      `interpolateChannels: ${rows.length} channels have ${positions.length} positions. Give one for each.`,
      'interpolateChannels',
      `[${rows.length}]`,
      `[${positions.length}]`,
    );
  const isBad = new Set(bad);
  const good = [...rows.keys()].filter((i) => !isBad.has(i));
  const weights = splineWeights(
    good.map((i) => positions[i]!),
    bad.map((i) => positions[i]!),
    options,
  );
  const result = [...rows];
  for (const [k, channel] of bad.entries()) {
    const row = new Float64Array(rows[channel]!.length);
    for (const [j, i] of good.entries()) {
      const weight = weights[k]![j]!;
      const source = rows[i]!;
      for (let t = 0; t < row.length; t++) row[t]! += weight * source[t]!;
    }
    result[channel] = row;
  }
  return result;
}

/** Σ factors[n − 1] P_n(x) for n ≥ 1, by Clenshaw's recurrence. */
function legendreSum(x: number, factors: Float64Array): number {
  let [b1, b2] = [0, 0];
  for (let n = factors.length; n >= 1; n--) {
    const b = factors[n - 1]! + ((2 * n + 1) / (n + 1)) * x * b1 - ((n + 1) / (n + 2)) * b2;
    [b2, b1] = [b1, b];
  }
  return x * b1 - b2 / 2;
}

function toSphere(position: Position): Position {
  const length = Math.hypot(position[0]!, position[1]!, position[2]!);
  if (!(length > 0 && Number.isFinite(length)))
    throw new DataError(
      `interpolate: the position ${position.join(', ')} has no direction. Give positions about the head's centre.`,
    );
  return [position[0] / length, position[1] / length, position[2] / length];
}

/** Solutions of A x = b for several b, by elimination with partial pivoting; A and b are used up. */
function solve(a: Float64Array[], right: readonly Float64Array[]): Float64Array[] {
  const n = a.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i]![k]!) > Math.abs(a[pivot]![k]!)) pivot = i;
    [a[k], a[pivot]] = [a[pivot]!, a[k]!];
    for (const b of right) [b[k], b[pivot]] = [b[pivot]!, b[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i]![k]! / a[k]![k]!;
      if (factor === 0) continue;
      for (let j = k; j < n; j++) a[i]![j]! -= factor * a[k]![j]!;
      for (const b of right) b[i]! -= factor * b[k]!;
    }
  }
  for (const b of right)
    for (let i = n - 1; i >= 0; i--) {
      for (let j = i + 1; j < n; j++) b[i]! -= a[i]![j]! * b[j]!;
      b[i]! /= a[i]![i]!;
    }
  return [...right];
}
