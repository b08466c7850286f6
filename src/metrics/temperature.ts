/**
 * Temperature scaling (Guo et al. 2017): one number, fitted on validation windows, that makes probabilities mean what
 * they say. softmax(z / T) keeps every decision; T > 1 says that a model was too sure of itself.
 */
import { DataError } from '../core/errors.ts';

export interface TemperatureScaling {
  readonly temperature: number;
  /** Added to the scaled logits of each class; zeros unless biases were asked for. They can change decisions. */
  readonly bias: readonly number[];
  /** Mean negative log-likelihood of the fitted windows in nats, before and after. */
  readonly before: number;
  readonly after: number;
}

export interface TemperatureOptions {
  /** Fit a bias of every class too (Alexandari et al. 2020): takes back what class weights moved. */
  readonly bias?: boolean;
}

/** 1 / T lies between these: a validation part without an error, or without any skill, would have it run away. */
const sharpnessBounds = [0.05, 20] as const;
const maximumIterations = 100;
/** Probabilities below this count as it: a certain and wrong one would cost infinitely much. */
const smallestProbability = 1e-12;

/**
 * Fit on probabilities [W, K] and true classes [W] by the negative log-likelihood, which is convex in 1 / T and the
 * biases: Newton's method with halved steps. DataError without windows.
 */
export function fitTemperature(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
  { bias = false }: TemperatureOptions = {},
): TemperatureScaling {
  if (truth.length === 0 || probabilities.length !== truth.length * classCount)
    throw new DataError(
      `temperature: ${probabilities.length} probabilities for ${truth.length} windows of ${classCount} classes. Give ${classCount} for each of at least one.`,
    );
  const logits = Float64Array.from(probabilities, logOf);
  // Parameters: the sharpness 1 / T, then biases of the classes but the first, which is 0.
  const size = bias ? classCount : 1;
  const [lowest, highest] = sharpnessBounds;
  let parameters = [1, ...Array<number>(size - 1).fill(0)];
  let current = likelihood(truth, logits, classCount, parameters);
  const before = current.loss;
  for (let iteration = 0; iteration < maximumIterations; iteration++) {
    const step = solve(current.hessian, current.gradient);
    let next = current;
    let moved = parameters;
    for (let scale = 1; scale > 1e-9; scale /= 2) {
      moved = parameters.map((value, i) => value - scale * step[i]!);
      moved[0] = Math.min(highest, Math.max(lowest, moved[0]!));
      next = likelihood(truth, logits, classCount, moved);
      if (next.loss <= current.loss) break;
    }
    if (!(next.loss < current.loss)) break;
    [parameters, current] = [moved, next];
  }
  const [sharpness, ...biases] = parameters;
  return {
    temperature: 1 / sharpness!,
    bias: bias ? [0, ...biases] : Array<number>(classCount).fill(0),
    before,
    after: current.loss,
  };
}

/** Scaled probabilities [W, K]. */
export function applyTemperature(
  probabilities: ArrayLike<number>,
  classCount: number,
  { temperature, bias }: Pick<TemperatureScaling, 'temperature' | 'bias'>,
): Float64Array {
  const scaled = Float64Array.from(probabilities, (p, i) => logOf(p) / temperature + bias[i % classCount]!);
  for (let row = 0; row < scaled.length; row += classCount) softmax(scaled.subarray(row, row + classCount));
  return scaled;
}

/** Mean negative log-likelihood of the true classes in nats; probabilities [W, K]. */
export function negativeLogLikelihood(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
): number {
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum -= logOf(probabilities[i * classCount + truth[i]!]!);
  return sum / truth.length;
}

function logOf(p: number): number {
  return Math.log(Math.max(smallestProbability, p));
}

/** In place; the log of what was divided by. */
function softmax(row: Float64Array): number {
  const highest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let k = 0; k < row.length; k++) {
    row[k] = Math.exp(row[k]! - highest);
    sum += row[k]!;
  }
  for (let k = 0; k < row.length; k++) row[k]! /= sum;
  return highest + Math.log(sum);
}

interface Likelihood {
  readonly loss: number;
  readonly gradient: number[];
  readonly hessian: number[][];
}

/** Mean loss and its derivatives: with features x = (z, e₁ … e_K−1), gradient E[x] − x_y, Hessian Cov[x]. */
function likelihood(
  truth: ArrayLike<number>,
  logits: Float64Array,
  classCount: number,
  parameters: readonly number[],
): Likelihood {
  const size = parameters.length;
  const count = truth.length;
  const gradient = Array<number>(size).fill(0);
  const hessian = Array.from({ length: size }, () => Array<number>(size).fill(0));
  const row = new Float64Array(classCount);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const z = logits.subarray(i * classCount, (i + 1) * classCount);
    const feature = (k: number, j: number) => (j === 0 ? z[k]! : Number(j === k));
    for (let k = 0; k < classCount; k++)
      row[k] = z[k]! * parameters[0]! + (size > 1 && k > 0 ? parameters[k]! : 0);
    const own = row[truth[i]!]!;
    loss += (softmax(row) - own) / count;
    const means = parameters.map((_, j) => row.reduce((sum, p, k) => sum + p * feature(k, j), 0));
    for (let j = 0; j < size; j++) {
      gradient[j]! += (means[j]! - feature(truth[i]!, j)) / count;
      for (let l = 0; l < size; l++) {
        const product = row.reduce((sum, p, k) => sum + p * feature(k, j) * feature(k, l), 0);
        hessian[j]![l]! += (product - means[j]! * means[l]!) / count;
      }
    }
  }
  return { loss, gradient, hessian };
}

/** Solve H x = g by elimination, a little added to the diagonal: equal logits curve nowhere. */
function solve(hessian: readonly (readonly number[])[], gradient: readonly number[]): number[] {
  const size = gradient.length;
  const rows = hessian.map((row, i) => [
    ...row.map((value, j) => value + (i === j ? 1e-12 : 0)),
    gradient[i]!,
  ]);
  for (let i = 0; i < size; i++) {
    const pivot = rows[i]!;
    for (let j = i + 1; j < size; j++) {
      const factor = rows[j]![i]! / pivot[i]!;
      for (let k = i; k <= size; k++) rows[j]![k]! -= factor * pivot[k]!;
    }
  }
  const solution = Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const known = rows[i]!.slice(i + 1, size).reduce(
      (sum, value, j) => sum + value * solution[i + 1 + j]!,
      0,
    );
    solution[i] = (rows[i]![size]! - known) / rows[i]![i]!;
  }
  return solution;
}
