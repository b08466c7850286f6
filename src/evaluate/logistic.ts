/**
 * L2-regularised logistic regression on standardised features [n, d]: the classical baseline's classifier.
 * The problem is scikit-learn's LogisticRegression (two classes: one weight vector; more: multinomial), after a
 * StandardScaler fitted on the same rows. Solved by L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.4).
 */
import { DataError } from '../core/errors.ts';

export interface LogisticOptions {
  /** Inverse strength of the penalty. */
  readonly C: number;
  /** balanced: every class has the same total weight. */
  readonly classWeight: 'balanced' | 'none';
}

export interface LogisticModel {
  readonly classCount: number;
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** [outputs, d + 1], the intercept last; one output for two classes. */
  readonly weights: Float64Array;
}

const memory = 20;
const tolerance = 1e-9;
const maximumIterations = 5000;
/** Relative rounding error of a sum of thousands of losses in float64. */
const valueRounding = 1e-12;

/** Fit rows [n][d] with class indices [n]. DataError where a class is absent. */
export function fitLogistic(
  rows: readonly Float64Array[],
  labels: ArrayLike<number>,
  classCount: number,
  { C, classWeight }: LogisticOptions,
): LogisticModel {
  const counts = Array<number>(classCount).fill(0);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  const absent = counts.indexOf(0);
  if (absent >= 0)
    throw new DataError(
      `logistic regression: class ${absent} has no training window. Use a split in which each class occurs.`,
    );
  const { mean, scale } = fitScaler(rows);
  const x = rows.map((row) => standardise(row, mean, scale));
  const weightOf = counts.map((count) =>
    classWeight === 'balanced' ? rows.length / (classCount * count) : 1,
  );
  const outputs = classCount === 2 ? 1 : classCount;
  const width = mean.length + 1;
  const objective = (w: Float64Array) => evaluateObjective(w, x, labels, weightOf, outputs, width, C);
  return { classCount, mean, scale, weights: minimise(objective, new Float64Array(outputs * width)) };
}

/** Class probabilities [n · K]. */
export function predictLogistic(
  { classCount, mean, scale, weights }: LogisticModel,
  rows: readonly Float64Array[],
): Float64Array {
  const outputs = classCount === 2 ? 1 : classCount;
  const width = mean.length + 1;
  const result = new Float64Array(rows.length * classCount);
  for (const [i, row] of rows.entries()) {
    const scores = linearScores(weights, standardise(row, mean, scale), outputs, width);
    if (outputs === 1) {
      const p = 1 / (1 + Math.exp(-scores[0]!));
      result.set([1 - p, p], 2 * i);
      continue;
    }
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    result.set(
      powers.map((power) => power / sum),
      i * classCount,
    );
  }
  return result;
}

/** Mean and population deviation of each feature; a constant feature is divided by 1, as StandardScaler does. */
function fitScaler(rows: readonly Float64Array[]): { mean: Float64Array; scale: Float64Array } {
  const d = rows[0]!.length;
  const mean = new Float64Array(d);
  const scale = new Float64Array(d);
  for (const row of rows) for (let j = 0; j < d; j++) mean[j]! += row[j]! / rows.length;
  for (const row of rows) for (let j = 0; j < d; j++) scale[j]! += (row[j]! - mean[j]!) ** 2 / rows.length;
  return { mean, scale: scale.map((variance, j) => deviationOf(variance, mean[j]!, rows.length)) };
}

/**
 * Standard deviation to divide by; 1 where the variance of n equal values is nothing but the rounding of their mean,
 * by scikit-learn's bound (preprocessing/_data.py, _is_constant_feature).
 */
export function deviationOf(variance: number, mean: number, n: number): number {
  const rounding = n * Number.EPSILON * variance + (n * mean * Number.EPSILON) ** 2;
  return variance <= rounding ? 1 : Math.sqrt(variance);
}

function standardise(row: Float64Array, mean: Float64Array, scale: Float64Array): Float64Array {
  return row.map((value, j) => (value - mean[j]!) / scale[j]!);
}

function linearScores(weights: Float64Array, x: Float64Array, outputs: number, width: number): number[] {
  return Array.from({ length: outputs }, (_, k) => {
    let score = weights[(k + 1) * width - 1]!;
    for (let j = 0; j < width - 1; j++) score += weights[k * width + j]! * x[j]!;
    return score;
  });
}

/** Weighted log loss + |w|² / (2C), intercepts free, divided by n; and its gradient. */
function evaluateObjective(
  weights: Float64Array,
  rows: readonly Float64Array[],
  labels: ArrayLike<number>,
  weightOf: readonly number[],
  outputs: number,
  width: number,
  C: number,
): { value: number; gradient: Float64Array } {
  let value = 0;
  const gradient = new Float64Array(weights.length);
  for (const [i, x] of rows.entries()) {
    const label = labels[i]!;
    const weight = weightOf[label]!;
    const scores = linearScores(weights, x, outputs, width);
    const slopes = outputs === 1 ? binarySlope(scores[0]!, label) : multinomialSlopes(scores, label);
    value += weight * slopes.loss;
    for (const [k, slope] of slopes.slopes.entries()) {
      for (let j = 0; j < width - 1; j++) gradient[k * width + j]! += weight * slope * x[j]!;
      gradient[(k + 1) * width - 1]! += weight * slope;
    }
  }
  for (let k = 0; k < outputs; k++) {
    for (let j = k * width; j < (k + 1) * width - 1; j++) {
      value += weights[j]! ** 2 / (2 * C);
      gradient[j]! += weights[j]! / C;
    }
  }
  return { value: value / rows.length, gradient: gradient.map((g) => g / rows.length) };
}

function binarySlope(score: number, label: number): { loss: number; slopes: number[] } {
  // ln(1 + e^s) − y s, without overflow.
  const loss = Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - label * score;
  return { loss, slopes: [1 / (1 + Math.exp(-score)) - label] };
}

function multinomialSlopes(scores: readonly number[], label: number): { loss: number; slopes: number[] } {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return {
    loss: Math.log(sum) + top - scores[label]!,
    slopes: powers.map((power, k) => power / sum - Number(k === label)),
  };
}

/** L-BFGS with backtracking until the gradient's largest entry is below the tolerance. */
function minimise(
  objective: (w: Float64Array) => { value: number; gradient: Float64Array },
  start: Float64Array,
): Float64Array {
  let w = start;
  let { value, gradient } = objective(w);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let iteration = 0; iteration < maximumIterations; iteration++) {
    if (gradient.every((g) => Math.abs(g) < tolerance)) break;
    const direction = twoLoop(gradient, pairs);
    const slope = dot(direction, gradient);
    let step = 1;
    let next: { value: number; gradient: Float64Array } | undefined;
    let moved = w;
    for (let halving = 0; halving < 50; halving++) {
      moved = w.map((value, i) => value + step * direction[i]!);
      next = objective(moved);
      if (next.value < value && next.value <= value + 1e-4 * step * slope) break;
      // Near the optimum values differ by rounding only; the slope still tells (Hager & Zhang 2005, section 4).
      const equal = Math.abs(next.value - value) <= valueRounding * Math.abs(value);
      if (equal && Math.abs(dot(next.gradient, direction)) <= 0.5 * Math.abs(slope)) break;
      step /= 2;
      next = undefined;
    }
    if (!next) break; // neither value nor slope can fall any more in float64
    const s = moved.map((value, i) => value - w[i]!);
    const y = next.gradient.map((g, i) => g - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 0) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > memory) pairs.shift();
    w = moved;
    ({ value, gradient } = next);
  }
  return w;
}

function twoLoop(
  gradient: Float64Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = gradient.map((g) => -g);
  const alphas: number[] = [];
  for (const { s, y, rho } of pairs.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.unshift(alpha);
    for (let i = 0; i < q.length; i++) q[i]! -= alpha * y[i]!;
  }
  const last = pairs.at(-1);
  const scale = last ? 1 / (last.rho * dot(last.y, last.y)) : 1;
  for (let i = 0; i < q.length; i++) q[i]! *= scale;
  for (const [k, { s, y, rho }] of pairs.entries()) {
    const beta = rho * dot(y, q);
    for (let i = 0; i < q.length; i++) q[i]! += (alphas[k]! - beta) * s[i]!;
  }
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
