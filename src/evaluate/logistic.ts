/**
 * L2-regularised logistic regression on standardised features [n, d]: the classical baseline's classifier.
 * The problem is scikit-learn's LogisticRegression (two classes: one weight vector; more: multinomial), after a
 * StandardScaler fitted on the same rows. Solved by Newton's method with a Cholesky
 * factorisation: a few steps whatever the features' correlation.
 */
import { maxOf } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import { deviationOf } from '../signal/standardise.ts';

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

/** Steps are halved until the objective falls; it is strictly convex but for the sum of the intercepts. */
const maximumIterations = 100;
const maximumHalvings = 40;
/** Stop where a step promises to lower the objective by less than this share of it. */
const tolerance = 1e-14;

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
  const problem = { rows: x, labels, weightOf, outputs, width, C };
  return { classCount, mean, scale, weights: minimise(problem) };
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
    const p = probabilitiesOf(linearScores(weights, standardise(row, mean, scale), outputs, width));
    result.set(outputs === 1 ? [1 - p[0]!, p[0]!] : p, i * classCount);
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

interface Problem {
  /** Standardised. */
  readonly rows: readonly Float64Array[];
  readonly labels: ArrayLike<number>;
  readonly weightOf: readonly number[];
  readonly outputs: number;
  /** Features and the intercept. */
  readonly width: number;
  readonly C: number;
}

/** Weighted log loss + |w|² / (2C), intercepts free. */
function objectiveOf(problem: Problem, weights: Float64Array): number {
  const { rows, labels, weightOf, outputs, width, C } = problem;
  let value = 0;
  for (const [i, x] of rows.entries()) {
    const label = labels[i]!;
    const scores = linearScores(weights, x, outputs, width);
    const all = outputs === 1 ? [0, scores[0]!] : scores;
    const top = maxOf(all);
    const sum = all.reduce((total, score) => total + Math.exp(score - top), 0);
    value += weightOf[label]! * (Math.log(sum) + top - all[label]!);
  }
  for (const [j, weight] of weights.entries()) if ((j + 1) % width !== 0) value += weight ** 2 / (2 * C);
  return value;
}

/** Gradient [m] and Hessian [m, m] (lower triangle) of `objectiveOf`, m = outputs · width. */
function derivativesOf(
  problem: Problem,
  weights: Float64Array,
): { gradient: Float64Array; hessian: Float64Array } {
  const { rows, labels, weightOf, outputs, width, C } = problem;
  const size = outputs * width;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  const extended = new Float64Array(width).fill(1);
  for (const [i, x] of rows.entries()) {
    extended.set(x);
    const label = labels[i]!;
    const weight = weightOf[label]!;
    const p = probabilitiesOf(linearScores(weights, x, outputs, width));
    for (let k = 0; k < outputs; k++) {
      const isTrue = outputs === 1 ? label === 1 : label === k;
      const slope = weight * (p[k]! - Number(isTrue));
      for (let j = 0; j < width; j++) gradient[k * width + j]! += slope * extended[j]!;
      for (let l = 0; l <= k; l++) {
        const curvature = weight * p[k]! * (Number(k === l) - p[l]!);
        for (let j = 0; j < width; j++) {
          const factor = curvature * extended[j]!;
          const at = (k * width + j) * size + l * width;
          const end = k === l ? j + 1 : width;
          for (let m = 0; m < end; m++) hessian[at + m]! += factor * extended[m]!;
        }
      }
    }
  }
  for (let j = 0; j < size; j++) {
    if ((j + 1) % width === 0) continue;
    gradient[j]! += weights[j]! / C;
    hessian[j * size + j]! += 1 / C;
  }
  return { gradient, hessian };
}

/** One logistic output, or a softmax. */
function probabilitiesOf(scores: readonly number[]): number[] {
  if (scores.length === 1) return [1 / (1 + Math.exp(-scores[0]!))];
  const top = maxOf(scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function minimise(problem: Problem): Float64Array {
  let weights = new Float64Array(problem.outputs * problem.width);
  let value = objectiveOf(problem, weights);
  for (let iteration = 0; iteration < maximumIterations; iteration++) {
    const { gradient, hessian } = derivativesOf(problem, weights);
    const step = solveSymmetric(hessian, gradient);
    const promise = step.reduce((sum, s, j) => sum + s * gradient[j]!, 0);
    if (!(promise > tolerance * Math.abs(value))) break;
    let scale = 1;
    let next = value;
    let moved = weights;
    for (let halving = 0; halving < maximumHalvings; halving++, scale /= 2) {
      moved = weights.map((weight, j) => weight - scale * step[j]!);
      next = objectiveOf(problem, moved);
      if (next <= value - 1e-4 * scale * promise) break;
    }
    if (!(next < value)) break; // it cannot fall any more in float64
    weights = moved;
    value = next;
  }
  return weights;
}

/** H⁻¹ g by Cholesky, in place; a touch of the largest diagonal entry keeps a singular H (softmax intercepts) solvable. */
function solveSymmetric(hessian: Float64Array, gradient: Float64Array): Float64Array {
  const size = gradient.length;
  let largest = 0;
  for (let j = 0; j < size; j++) largest = Math.max(largest, hessian[j * size + j]!);
  for (let j = 0; j < size; j++) {
    const row = j * size;
    for (let k = 0; k <= j; k++) {
      const other = k * size;
      let sum = hessian[row + k]! + (j === k ? 1e-12 * largest : 0);
      for (let m = 0; m < k; m++) sum -= hessian[row + m]! * hessian[other + m]!;
      hessian[row + k] = j === k ? Math.sqrt(Math.max(sum, 1e-300)) : sum / hessian[other + k]!;
    }
  }
  const solution = Float64Array.from(gradient);
  for (let j = 0; j < size; j++) {
    for (let m = 0; m < j; m++) solution[j]! -= hessian[j * size + m]! * solution[m]!;
    solution[j]! /= hessian[j * size + j]!;
  }
  for (let j = size - 1; j >= 0; j--) {
    for (let m = j + 1; m < size; m++) solution[j]! -= hessian[m * size + j]! * solution[m]!;
    solution[j]! /= hessian[j * size + j]!;
  }
  return solution;
}
