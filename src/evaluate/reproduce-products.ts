/**
 * What two modalities tell only together: products of all features of one with the first principal components of the
 * other, for a linear head. A head on concatenated embeddings has to find such products among hundreds of features by
 * itself, which takes many trials. Components are those of the trials' means: windows of a trial share their label, and what
 * varies within it (where beats fall) would take the first places. They are fitted on the training rows.
 */
import { Random } from '../core/random.ts';
import { type Features, fitScaling } from '../train/frozen-features.ts';
import type { GroupFold } from './protocol-groups.ts';

/** Of each modality. */
const components = 3;
/** Rounds of the power iteration; neighbouring components need not be told apart exactly. */
const rounds = 8;

/** Embeddings [W][D] of two modalities → rows of products [W, F]; `trial` names each window's trial, people's apart. */
export function productFeatures(
  eeg: readonly Float64Array[],
  ecg: readonly Float64Array[],
  trial: readonly string[],
  { train, validation, test }: GroupFold,
): Features {
  const [left, right] = [fitComponents(eeg, trial, train), fitComponents(ecg, trial, train)];
  const rowOf = (i: number): number[] => {
    const [a, b] = [left(i), right(i)];
    return [
      ...a.components.flatMap((u) => Array.from(b.standardised, (y) => u * y)),
      ...b.components.flatMap((v) => Array.from(a.standardised, (x) => v * x)),
    ];
  };
  const size = rowOf(train[0]!).length;
  const data = new Float32Array(eeg.length * size);
  for (const i of [...train, ...validation, ...test]) data.set(rowOf(i), i * size);
  return { data, size };
}

/** Of a row: standardised by the training rows, and its place along the first axes of their trials' means, scaled. */
function fitComponents(
  rows: readonly Float64Array[],
  trial: readonly string[],
  train: readonly number[],
): (row: number) => { readonly standardised: Float64Array; readonly components: number[] } {
  const size = rows[0]!.length;
  const data = new Float32Array(train.length * size);
  for (const [k, i] of train.entries()) data.set(rows[i]!, k * size);
  const { mean, deviation } = fitScaling({ data, size }, [...train.keys()]);
  const standardised = (i: number) => rows[i]!.map((value, j) => (value - mean[j]!) / deviation[j]!);
  const means = trialMeans(
    train.map(standardised),
    train.map((i) => trial[i]!),
  );
  const axes = principalAxes(means, Math.min(components, size));
  return (i) => {
    const row = standardised(i);
    return { standardised: row, components: axes.map(({ axis, scale }) => dot(row, axis) / scale) };
  };
}

function trialMeans(rows: readonly Float64Array[], trial: readonly string[]): Float64Array[] {
  const sums = new Map<string, { sum: Float64Array; count: number }>();
  for (const [i, row] of rows.entries()) {
    const found = sums.get(trial[i]!) ?? { sum: new Float64Array(row.length), count: 0 };
    for (let j = 0; j < row.length; j++) found.sum[j]! += row[j]!;
    found.count++;
    sums.set(trial[i]!, found);
  }
  return [...sums.values()].map(({ sum, count }) => sum.map((value) => value / count));
}

/** Leading axes of centred rows and the standard deviation along each, by power iteration from a fixed start. */
function principalAxes(rows: readonly Float64Array[], count: number) {
  const size = rows[0]!.length;
  const random = Random.derive(0, 'principal axes');
  let axes = Array.from({ length: count }, () => Float64Array.from({ length: size }, () => random.normal()));
  orthonormalise(axes);
  for (let round = 0; round < rounds; round++) {
    const next = axes.map(() => new Float64Array(size));
    for (const row of rows)
      for (const [k, axis] of axes.entries()) {
        const along = dot(row, axis);
        const sum = next[k]!;
        for (let j = 0; j < size; j++) sum[j]! += along * row[j]!;
      }
    axes = next;
    orthonormalise(axes);
  }
  return axes.map((axis) => {
    const squares = rows.reduce((sum, row) => sum + dot(row, axis) ** 2, 0);
    return { axis, scale: Math.sqrt(squares / rows.length) || 1 };
  });
}

/** Gram–Schmidt in place; an axis that nothing is left of stays zero. */
function orthonormalise(axes: readonly Float64Array[]): void {
  for (const [k, axis] of axes.entries()) {
    for (const other of axes.slice(0, k)) {
      const along = dot(axis, other);
      for (let j = 0; j < axis.length; j++) axis[j]! -= along * other[j]!;
    }
    const norm = Math.sqrt(dot(axis, axis));
    for (let j = 0; j < axis.length; j++) axis[j] = norm > 1e-12 ? axis[j]! / norm : 0;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}
