/** How well a number is linearly readable from features, people held out: ridge whose penalty other people chose. */
import { kFoldBySubject } from 'heartmind';

/** Penalties λ of ½ |Xw − y|² + ½ λ |w|², on standardised features. */
const penalties = [10, 100, 1e3, 1e4];
const innerFolds = 5;

/**
 * Predictions [W] of `target` (NaN where unknown: such rows train nothing) from rows [W][F], each person's by a ridge on the
 * people of `train`; rows of `train` themselves by ridges that have not seen their person, so that a model on top of the
 * predictions learns from ones as bad as those that it will be given.
 */
export function crossFit(rows, target, subjects, train) {
  const known = train.filter((i) => Number.isFinite(target[i]));
  const inner = kFoldBySubject(
    known.map((i) => subjects[i]),
    innerFolds,
    0,
    1,
  ).map(({ test }) => {
    const held = new Set(test);
    const fitted = fitRidges(
      rows,
      target,
      known.filter((i) => !held.has(subjects[i])),
    );
    return { held, fitted };
  });
  const errors = penalties.map((_, k) => {
    let sum = 0;
    for (const { held, fitted } of inner)
      for (const i of known) if (held.has(subjects[i])) sum += (fitted[k](rows[i]) - target[i]) ** 2;
    return sum;
  });
  const best = errors.indexOf(Math.min(...errors));
  const whole = fitRidges(rows, target, known)[best];
  const trains = new Set(train.map((i) => subjects[i]));
  return Float64Array.from(rows, (row, i) => {
    const own = trains.has(subjects[i]) && inner.find(({ held }) => held.has(subjects[i]));
    return own ? own.fitted[best](row) : whole(row);
  });
}

/** One predictor a penalty, all from one product XᵀX. */
function fitRidges(rows, target, indices) {
  const size = rows[0].length;
  const { mean, scale } = moments(rows, indices);
  const middle = indices.reduce((sum, i) => sum + target[i], 0) / indices.length;
  const gram = new Float64Array(size * size);
  const right = new Float64Array(size);
  const x = new Float64Array(size);
  for (const i of indices) {
    for (let j = 0; j < size; j++) x[j] = (rows[i][j] - mean[j]) / scale[j];
    for (let j = 0; j < size; j++) {
      right[j] += x[j] * (target[i] - middle);
      for (let k = 0; k <= j; k++) gram[j * size + k] += x[j] * x[k];
    }
  }
  return penalties.map((penalty) => {
    const weights = solve(gram, right, penalty);
    return (row) => {
      let sum = middle;
      for (let j = 0; j < size; j++) sum += (weights[j] * (row[j] - mean[j])) / scale[j];
      return sum;
    };
  });
}

function moments(rows, indices) {
  const size = rows[0].length;
  const mean = new Float64Array(size);
  const scale = new Float64Array(size);
  for (const i of indices) for (let j = 0; j < size; j++) mean[j] += rows[i][j] / indices.length;
  for (const i of indices)
    for (let j = 0; j < size; j++) scale[j] += (rows[i][j] - mean[j]) ** 2 / indices.length;
  return { mean, scale: scale.map((variance) => Math.sqrt(variance) || 1) };
}

/** (G + λI)⁻¹ r by Cholesky; G is given by its lower triangle. */
function solve(gram, right, penalty) {
  const size = right.length;
  const lower = gram.slice();
  for (let j = 0; j < size; j++)
    for (let k = 0; k <= j; k++) {
      let sum = lower[j * size + k] + (j === k ? penalty : 0);
      for (let m = 0; m < k; m++) sum -= lower[j * size + m] * lower[k * size + m];
      lower[j * size + k] = j === k ? Math.sqrt(sum) : sum / lower[k * size + k];
    }
  const solution = right.slice();
  for (let j = 0; j < size; j++) {
    for (let m = 0; m < j; m++) solution[j] -= lower[j * size + m] * solution[m];
    solution[j] /= lower[j * size + j];
  }
  for (let j = size - 1; j >= 0; j--) {
    for (let m = j + 1; m < size; m++) solution[j] -= lower[m * size + j] * solution[m];
    solution[j] /= lower[j * size + j];
  }
  return solution;
}

/** Share of the variance that predictions explain, and their mean absolute error, over the known values. */
export function readability(predicted, target) {
  const known = [...target.keys()].filter((i) => Number.isFinite(target[i]));
  const mean = known.reduce((sum, i) => sum + target[i], 0) / known.length;
  const sumOf = (f) => known.reduce((sum, i) => sum + f(i), 0);
  return {
    r2: 1 - sumOf((i) => (predicted[i] - target[i]) ** 2) / sumOf((i) => (target[i] - mean) ** 2),
    meanAbsoluteError: sumOf((i) => Math.abs(predicted[i] - target[i])) / known.length,
    errorOfMean: sumOf((i) => Math.abs(mean - target[i])) / known.length,
  };
}
