/**
 * Interpolating quadratic spline: points (x [n], y [n]) → values at other places. Knots half-way between points, the
 * first and last inner one left out, as `scipy.interpolate.make_interp_spline(k=2)`; de Boor, "A Practical Guide to
 * Splines", 1978, chapters IX and XIII.
 */
import { DataError } from '../core/errors.ts';

/**
 * Values at `at` (ascending; outside of x: those of the end points). DataError below three points or where x does not
 * ascend.
 */
export function quadraticSpline(x: Float64Array, y: Float64Array, at: Float64Array): Float64Array {
  const n = x.length;
  if (n < 3 || x.some((value, i) => i > 0 && !(value > x[i - 1]!)))
    throw new DataError(
      `quadraticSpline: ${n} points ${n < 3 ? 'are too few' : 'that do not ascend'}. Use 3 or more, ascending.`,
    );
  const knots = new Float64Array(n + 3);
  knots.fill(x[0]!, 0, 3);
  for (let i = 0; i < n - 3; i++) knots[i + 3] = (x[i + 1]! + x[i + 2]!) / 2;
  knots.fill(x[n - 1]!, n);
  const coefficients = solveCollocation(x, y, knots);
  const basis = new Float64Array(3);
  let span = 2;
  return at.map((place) => {
    if (place < x[0]!) return y[0]!;
    if (place > x[n - 1]!) return y[n - 1]!;
    span = findSpan(knots, n, place, span);
    fillBasis(knots, span, place, basis);
    return (
      basis[0]! * coefficients[span - 2]! +
      basis[1]! * coefficients[span - 1]! +
      basis[2]! * coefficients[span]!
    );
  });
}

/** Coefficients with Σ B_j(x_i) c_j = y_i: five diagonals, totally positive, so that elimination needs no pivoting. */
function solveCollocation(x: Float64Array, y: Float64Array, knots: Float64Array): Float64Array {
  const n = x.length;
  const width = 5;
  const rows = new Float64Array(n * width); // column j of row i at j − i + 2
  const right = Float64Array.from(y);
  const basis = new Float64Array(3);
  let span = 2;
  for (let i = 0; i < n; i++) {
    span = findSpan(knots, n, x[i]!, span);
    fillBasis(knots, span, x[i]!, basis);
    for (let k = 0; k < 3; k++) {
      const offset = span - 2 + k - i + 2;
      if (offset >= 0 && offset < width) rows[i * width + offset] = basis[k]!;
    }
  }
  for (let i = 0; i < n; i++)
    for (let down = 1; down <= 2 && i + down < n; down++) {
      const factor = rows[(i + down) * width + 2 - down]! / rows[i * width + 2]!;
      if (factor === 0) continue;
      for (let k = 0; k <= 2; k++)
        rows[(i + down) * width + 2 - down + k]! -= factor * rows[i * width + 2 + k]!;
      right[i + down]! -= factor * right[i]!;
    }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = 1; k <= 2 && i + k < n; k++) right[i]! -= rows[i * width + 2 + k]! * right[i + k]!;
    right[i]! /= rows[i * width + 2]!;
  }
  return right;
}

/** The span s with knots[s] ≤ place < knots[s + 1], the last one for the end itself; `from` may be a smaller one. */
function findSpan(knots: Float64Array, n: number, place: number, from: number): number {
  let span = from;
  while (span < n - 1 && place >= knots[span + 1]!) span++;
  return span;
}

/** The three quadratic B-splines that are not zero in a span (Cox and de Boor's recursion). */
function fillBasis(knots: Float64Array, span: number, place: number, basis: Float64Array): void {
  const [t0, t1, t2, t3] = [knots[span - 1]!, knots[span]!, knots[span + 1]!, knots[span + 2]!];
  const right = (place - t1) / (t2 - t1);
  const left = 1 - right;
  basis[0] = (left * (t2 - place)) / (t2 - t0);
  basis[1] = (left * (place - t0)) / (t2 - t0) + (right * (t3 - place)) / (t3 - t1);
  basis[2] = (right * (place - t1)) / (t3 - t1);
}
