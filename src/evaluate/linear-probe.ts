/**
 * Linear probes: L2-regularised logistic regressions (one for each label) or ridge regressions on the same features
 * [n, d], fitted together by L-BFGS, so that thousands of features are no more than many products.
 *
 * The problem of each label is scikit-learn's: sum of losses + ½ |w|² / C after standardising, the intercept free.
 */
import { DataError } from '../core/errors.ts';
import { inverseOf, type Principal, principalDirections } from './preconditioner.ts';
import { Rows } from './row-products.ts';

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
  { C, ...options }: FitOptions,
): LinearProbe {
  const found = fitLinearProbes(features, indices, truth, labels, { ...options, strengths: [C] });
  return [...found][0]!.probe;
}

/** The same for several strengths, one after the other: each begins where the one before ended. */
export function* fitLinearProbes(
  features: ProbeFeatures,
  indices: readonly number[],
  truth: Float64Array,
  labels: readonly string[],
  {
    loss,
    strengths,
    tolerance = usualTolerance,
    basis,
  }: Omit<FitOptions, 'C'> & {
    readonly strengths: readonly number[];
    readonly basis?: Rows | undefined;
  },
): Generator<{ readonly C: number; readonly probe: LinearProbe }> {
  const { size } = features;
  const outputs = labels.length;
  checkTruth(indices, truth, labels, loss);
  const { mean, scale } = fitScale(features, indices);
  const x = standardiseRows(features, indices, mean, scale);
  const y = new Float64Array(indices.length * outputs);
  for (const [i, index] of indices.entries())
    y.set(truth.subarray(index * outputs, (index + 1) * outputs), i * outputs);
  const principal = principalDirections(x, basis);
  let weights: Float64Array = new Float64Array(outputs * (size + 1));
  for (const C of strengths) {
    const problem = { loss, C, size, outputs };
    const curvature = principal && curvatureOf(principal, y, problem);
    weights = minimise((at) => objective(x, y, at, problem), weights, tolerance, curvature);
    yield { C, probe: { mean, scale, weights } };
  }
}

/**
 * Directions in which the features of these rows vary most: fits to parts of them are quicker with it and reach the same
 * place. Undefined where it would not pay.
 */
export function commonBasis(features: ProbeFeatures, indices: readonly number[]): Rows | undefined {
  const { mean, scale } = fitScale(features, indices);
  return principalDirections(standardiseRows(features, indices, mean, scale))?.basis;
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
  return x.scores(weights, outputs);
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
): Rows {
  const x = new Rows(indices.length, size);
  const { values, stride } = x;
  for (const [row, i] of indices.entries())
    for (let j = 0; j < size; j++) values[row * stride + j] = (data[i * size + j]! - mean[j]!) / scale[j]!;
  return x;
}

interface Problem {
  readonly loss: FitOptions['loss'];
  readonly C: number;
  readonly size: number;
  readonly outputs: number;
}

interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** Σ losses + ½ |w|² / C over all labels. */
function objective(
  x: Rows,
  y: Float64Array,
  weights: Float64Array,
  { loss, C, size, outputs }: Problem,
): Evaluation {
  const residual = x.scores(weights, outputs);
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
  const gradient = x.products(residual, outputs);
  for (let k = 0; k < outputs; k++) {
    const start = k * (size + 1);
    const g = gradient.subarray(start, start + size + 1);
    for (let j = 0; j < size; j++) {
      const w = weights[start + j]!;
      g[j]! += w / C;
      value += (w * w) / (2 * C);
    }
  }
  return { value, gradient };
}

type Inverse = (v: Float64Array) => Float64Array;

/** About the inverse Hessian [K·(d + 1)], label by label: every row as uncertain as the mean, features as they vary together. */
function curvatureOf(principal: Principal, y: Float64Array, { loss, C, size, outputs }: Problem): Inverse {
  const width = size + 1;
  const labels = Array.from({ length: outputs }, (_, k) => {
    const known = Array.from({ length: y.length / outputs }, (_, i) => y[i * outputs + k]!).filter(
      (value) => !Number.isNaN(value),
    );
    const share = known.reduce((sum, value) => sum + value, 0) / known.length;
    const weight = loss === 'squares' ? 1 : share * (1 - share);
    return { inverse: inverseOf(principal, weight, 1 / C), intercept: 1 / (weight * known.length) };
  });
  return (v) => {
    const result = new Float64Array(v.length);
    for (const [k, { inverse, intercept }] of labels.entries()) {
      const part = v.subarray(k * width, (k + 1) * width);
      result.set(inverse(part), k * width);
      result[k * width + size] = intercept * part[size]!;
    }
    return result;
  };
}

/** L-BFGS with a backtracking search (Nocedal & Wright, algorithm 7.4), from a first inverse Hessian; the objectives are convex. */
function minimise(
  evaluate: (at: Float64Array) => Evaluation,
  start: Float64Array,
  tolerance: number,
  inverse: Inverse | undefined,
): Float64Array {
  let at = start;
  const zero = evaluate(new Float64Array(at.length));
  const goal = tolerance * Math.max(norm(zero.gradient), Number.MIN_VALUE);
  let { value, gradient } = at.every((v) => v === 0) ? zero : evaluate(at);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let iteration = 0; iteration < maximumIterations && norm(gradient) > goal; iteration++) {
    const direction = descent(gradient, pairs, inverse);
    const slope = dot(direction, gradient);
    // Where nothing is known of the curvature, the first step is short.
    let step = pairs.length === 0 && !inverse ? Math.min(1, 1 / norm(direction)) : 1;
    let next = at;
    let found: Evaluation = { value: Number.POSITIVE_INFINITY, gradient };
    for (let halving = 0; halving < 40; halving++, step /= 2) {
      next = at.map((v, i) => v + step * direction[i]!);
      found = evaluate(next);
      if (found.value <= value + 1e-4 * step * slope) break;
    }
    if (!(found.value < value)) break; // rounding is all that is left
    const s = next.map((v, i) => v - at[i]!);
    const y = found.gradient.map((v, i) => v - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 0) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > memory) pairs.shift();
    at = next;
    ({ value, gradient } = found);
  }
  return at;
}

/** −H·gradient by the two-loop recursion. */
function descent(
  gradient: Float64Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
  inverse: Inverse = (v) => v.slice(),
): Float64Array {
  let q: Float64Array = gradient.map((v) => -v);
  const alphas: number[] = [];
  for (const { s, y, rho } of pairs.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.unshift(alpha);
    for (let i = 0; i < q.length; i++) q[i]! -= alpha * y[i]!;
  }
  q = inverse(q);
  const last = pairs.at(-1);
  if (last) {
    const gamma = dot(last.s, last.y) / dot(last.y, inverse(last.y));
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
