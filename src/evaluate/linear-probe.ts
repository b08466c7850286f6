/**
 * Linear probes: L2-regularised logistic regressions (one for each label) or ridge regressions on the same features
 * [n, d], fitted together by L-BFGS, so that thousands of features are no more than many products.
 *
 * The problem of each label is scikit-learn's: sum of losses + ½ |w|² / C after standardising, the intercept free.
 */
import { DataError } from '../core/errors.ts';

export interface ProbeFeatures {
  /** [W, F]. */
  readonly data: Float32Array;
  readonly size: number;
}

export interface LinearProbe {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** [K, F + 1], the intercept last. */
  readonly weights: Float64Array;
}

export interface FitOptions {
  /** logistic: truth is 0 or 1. squares: any number. */
  readonly loss: 'logistic' | 'squares';
  /** Inverse strength of the penalty. */
  readonly C: number;
  /** To begin from: the solution for another C. */
  readonly from?: LinearProbe;
  /** Stop where the gradient is below this share of what it was at zero; 1e-5 by default. */
  readonly tolerance?: number;
}

const memory = 10;
const maximumIterations = 300;
const usualTolerance = 1e-5;

/**
 * Fit the rows `indices` to truth [W, K]; a row whose truth is NaN does not count for that label. DataError for a label that
 * is never, or always, true among them.
 */
export function fitLinearProbe(
  features: ProbeFeatures,
  indices: readonly number[],
  truth: Float64Array,
  labels: readonly string[],
  options: FitOptions,
): LinearProbe {
  const { size } = features;
  const outputs = labels.length;
  checkTruth(indices, truth, labels, options.loss);
  const { mean, scale } = fitScale(features, indices);
  const x = standardiseRows(features, indices, mean, scale);
  const y = new Float64Array(indices.length * outputs);
  for (const [i, index] of indices.entries())
    y.set(truth.subarray(index * outputs, (index + 1) * outputs), i * outputs);
  const problem = (weights: Float64Array, gradient: Float64Array) =>
    objective(x, y, weights, gradient, { ...options, size, outputs });
  const start = options.from?.weights.slice() ?? new Float64Array(outputs * (size + 1));
  return { mean, scale, weights: minimise(problem, start, options.tolerance ?? usualTolerance) };
}

/** Scores [n, K]: log-odds, or the predicted numbers. */
export function predictLinearProbe(
  { mean, scale, weights }: LinearProbe,
  features: ProbeFeatures,
  indices: readonly number[],
): Float64Array {
  const { size } = features;
  const outputs = weights.length / (size + 1);
  const x = standardiseRows(features, indices, mean, scale);
  return scoresOf(x, indices.length, weights, size, outputs);
}

function checkTruth(
  indices: readonly number[],
  truth: Float64Array,
  labels: readonly string[],
  loss: FitOptions['loss'],
): void {
  for (const [k, label] of labels.entries()) {
    const known = indices.map((i) => truth[i * labels.length + k]!).filter((value) => !Number.isNaN(value));
    const distinct = new Set(known).size;
    if (distinct > 1) continue;
    const what = loss === 'logistic' ? 'true and untrue' : 'different';
    throw new DataError(
      `probe: '${label}' has ${distinct === 0 ? 'no value' : `only the value ${known[0]}`} among ${indices.length} training windows; ${what} ones are due. Leave it out.`,
    );
  }
}

function fitScale({ data, size }: ProbeFeatures, indices: readonly number[]) {
  const mean = new Float64Array(size);
  const scale = new Float64Array(size);
  for (const i of indices) for (let j = 0; j < size; j++) mean[j]! += data[i * size + j]!;
  for (let j = 0; j < size; j++) mean[j]! /= indices.length;
  for (const i of indices) for (let j = 0; j < size; j++) scale[j]! += (data[i * size + j]! - mean[j]!) ** 2;
  for (let j = 0; j < size; j++) {
    const deviation = Math.sqrt(scale[j]! / indices.length);
    // What varies by rounding alone is constant.
    scale[j] = deviation > 1e-6 * Math.abs(mean[j]!) ? deviation : 1;
  }
  return { mean, scale };
}

function standardiseRows(
  { data, size }: ProbeFeatures,
  indices: readonly number[],
  mean: Float64Array,
  scale: Float64Array,
): Float64Array {
  const x = new Float64Array(indices.length * size);
  for (const [row, i] of indices.entries())
    for (let j = 0; j < size; j++) x[row * size + j] = (data[i * size + j]! - mean[j]!) / scale[j]!;
  return x;
}

/** Rows at once: sums that do not wait for each other. Each sum's order is that of its terms, whatever the number. */
const rowsAtOnce = 4;

/** X·Wᵀ with intercepts: [n, d] and [K, d + 1] → [n, K]. */
function scoresOf(x: Float64Array, count: number, weights: Float64Array, size: number, outputs: number) {
  const scores = new Float64Array(count * outputs);
  const whole = count - (count % rowsAtOnce);
  for (let i = 0; i < whole; i += rowsAtOnce) {
    const [a, b, c, d] = [i * size, (i + 1) * size, (i + 2) * size, (i + 3) * size];
    for (let k = 0; k < outputs; k++) {
      const at = k * (size + 1);
      let [sa, sb, sc, sd] = [
        weights[at + size]!,
        weights[at + size]!,
        weights[at + size]!,
        weights[at + size]!,
      ];
      for (let j = 0; j < size; j++) {
        const w = weights[at + j]!;
        sa += x[a + j]! * w;
        sb += x[b + j]! * w;
        sc += x[c + j]! * w;
        sd += x[d + j]! * w;
      }
      scores[i * outputs + k] = sa;
      scores[(i + 1) * outputs + k] = sb;
      scores[(i + 2) * outputs + k] = sc;
      scores[(i + 3) * outputs + k] = sd;
    }
  }
  for (let i = whole; i < count; i++)
    for (let k = 0; k < outputs; k++) {
      const at = k * (size + 1);
      let sum = weights[at + size]!;
      for (let j = 0; j < size; j++) sum += x[i * size + j]! * weights[at + j]!;
      scores[i * outputs + k] = sum;
    }
  return scores;
}

/** Rᵀ·X and the sums of R: [n, K] and [n, d] → [K, d + 1]. */
function addProducts(
  gradient: Float64Array,
  residual: Float64Array,
  x: Float64Array,
  size: number,
  outputs: number,
) {
  const count = residual.length / outputs;
  const whole = count - (count % rowsAtOnce);
  gradient.fill(0);
  for (let i = 0; i < count; i += i < whole ? rowsAtOnce : 1)
    for (let k = 0; k < outputs; k++) {
      const at = k * (size + 1);
      const row = i * size;
      const r = residual[i * outputs + k]!;
      if (i >= whole) {
        for (let j = 0; j < size; j++) gradient[at + j]! += r * x[row + j]!;
        gradient[at + size]! += r;
        continue;
      }
      const [b, c, d] = [row + size, row + 2 * size, row + 3 * size];
      const rb = residual[(i + 1) * outputs + k]!;
      const rc = residual[(i + 2) * outputs + k]!;
      const rd = residual[(i + 3) * outputs + k]!;
      for (let j = 0; j < size; j++)
        gradient[at + j] =
          gradient[at + j]! + r * x[row + j]! + rb * x[b + j]! + rc * x[c + j]! + rd * x[d + j]!;
      gradient[at + size] = gradient[at + size]! + r + rb + rc + rd;
    }
}

interface Problem {
  readonly loss: FitOptions['loss'];
  readonly C: number;
  readonly size: number;
  readonly outputs: number;
}

/** Σ losses + ½ |w|² / C over all labels; the gradient is written into place. */
function objective(
  x: Float64Array,
  y: Float64Array,
  weights: Float64Array,
  gradient: Float64Array,
  { loss, C, size, outputs }: Problem,
): number {
  const count = y.length / outputs;
  const residual = scoresOf(x, count, weights, size, outputs);
  let value = 0;
  for (let i = 0; i < residual.length; i++) {
    const [score, truth] = [residual[i]!, y[i]!];
    if (Number.isNaN(truth)) residual[i] = 0;
    else if (loss === 'squares') {
      residual[i] = score - truth;
      value += (score - truth) ** 2 / 2;
    } else {
      // log(1 + e^s) − t·s, without overflow.
      value += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - truth * score;
      residual[i] = 1 / (1 + Math.exp(-score)) - truth;
    }
  }
  addProducts(gradient, residual, x, size, outputs);
  for (let k = 0; k < outputs; k++) {
    const start = k * (size + 1);
    const g = gradient.subarray(start, start + size + 1);
    for (let j = 0; j < size; j++) {
      const w = weights[start + j]!;
      g[j]! += w / C;
      value += (w * w) / (2 * C);
    }
  }
  return value;
}

/** L-BFGS with a backtracking search (Nocedal & Wright, algorithm 7.4); the objectives are convex. */
function minimise(
  evaluate: (at: Float64Array, gradient: Float64Array) => number,
  start: Float64Array,
  tolerance: number,
): Float64Array {
  let at = start;
  let gradient = new Float64Array(at.length);
  const zero = new Float64Array(at.length);
  evaluate(new Float64Array(at.length), zero);
  const goal = tolerance * Math.max(norm(zero), Number.MIN_VALUE);
  let value = evaluate(at, gradient);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let iteration = 0; iteration < maximumIterations && norm(gradient) > goal; iteration++) {
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    let step = pairs.length === 0 ? Math.min(1, 1 / norm(gradient)) : 1;
    const next = new Float64Array(at.length);
    const nextGradient = new Float64Array(at.length);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < 40; halving++, step /= 2) {
      for (let i = 0; i < at.length; i++) next[i] = at[i]! + step * direction[i]!;
      nextValue = evaluate(next, nextGradient);
      if (nextValue <= value + 1e-4 * step * slope) break;
    }
    if (!(nextValue < value)) break; // rounding is all that is left
    const s = next.map((v, i) => v - at[i]!);
    const y = nextGradient.map((v, i) => v - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 0) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > memory) pairs.shift();
    [at, gradient, value] = [next, nextGradient, nextValue];
  }
  return at;
}

/** −H·gradient by the two-loop recursion. */
function descent(
  gradient: Float64Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = gradient.map((v) => -v);
  const alphas: number[] = [];
  for (const { s, y, rho } of pairs.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.unshift(alpha);
    for (let i = 0; i < q.length; i++) q[i]! -= alpha * y[i]!;
  }
  const last = pairs.at(-1);
  if (last) {
    const gamma = dot(last.s, last.y) / dot(last.y, last.y);
    for (let i = 0; i < q.length; i++) q[i]! *= gamma;
  }
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

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}
