/**
 * Features on a common scale: rows [n][d] → z-scores [n][d]. Three ways that differ in what they may look at, named in the
 * result, because scores are only comparable within one way:
 * - per subject, transductive: mean and SD of all of a person's rows, those to be predicted included. Label-free, but no
 *   prediction can be made before the person's whole recording is there.
 * - training subjects: mean and SD of the training rows, for everybody.
 * - per subject, causal: mean and SD of the person's rows so far.
 */

export type StandardisationMethod = 'per subject (transductive)' | 'training rows' | 'per subject (causal)';

export interface Standardised {
  readonly method: StandardisationMethod;
  /** True where a row's value depends on rows after it: not for live use, and to be said beside every score. */
  readonly transductive: boolean;
  readonly rows: Float64Array[];
}

/**
 * Standard deviation to divide by; 1 where the variance of n equal values is nothing but the rounding of their mean,
 * by scikit-learn's bound (preprocessing/_data.py, _is_constant_feature).
 */
export function deviationOf(variance: number, mean: number, n: number): number {
  const rounding = n * Number.EPSILON * variance + (n * mean * Number.EPSILON) ** 2;
  return variance <= rounding ? 1 : Math.sqrt(variance);
}

/** z-scores over all rows of each person, transductive: see above. Values that are not finite are left out and stay so. */
export function standardisePerSubject(
  rows: readonly Float64Array[],
  subjects: readonly string[],
): Standardised {
  const bySubject = new Map<string, number[]>();
  for (const [i, subject] of subjects.entries()) {
    const indices = bySubject.get(subject);
    if (indices) indices.push(i);
    else bySubject.set(subject, [i]);
  }
  const result: Float64Array[] = rows.map((row) => Float64Array.from(row));
  for (const indices of bySubject.values()) {
    const scale = scaleOf(indices.map((i) => rows[i]!));
    for (const i of indices) result[i] = scale(rows[i]!);
  }
  return { method: 'per subject (transductive)', transductive: true, rows: result };
}

/** z-scores by mean and SD of the training rows alone. */
export function standardiseByTraining(
  rows: readonly Float64Array[],
  trainIndices: ArrayLike<number>,
): Standardised {
  const scale = scaleOf(Array.from(trainIndices, (i) => rows[i]!));
  return { method: 'training rows', transductive: false, rows: rows.map(scale) };
}

/**
 * z-scores of each row by its own person's rows up to and including it, in the order given: NaN for a person's first row,
 * whose deviation is not defined yet.
 */
export function standardiseCausally(
  rows: readonly Float64Array[],
  subjects: readonly string[],
): Standardised {
  const running = new Map<string, RunningStandardiser>();
  const result = rows.map((row, i) => {
    const own = running.get(subjects[i]!) ?? new RunningStandardiser(row.length);
    running.set(subjects[i]!, own);
    return own.push(row);
  });
  return { method: 'per subject (causal)', transductive: false, rows: result };
}

/** One person's features as they come. Welford, Technometrics 4(3), 1962. */
export class RunningStandardiser {
  readonly #count: Float64Array;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;

  constructor(features: number) {
    this.#count = new Float64Array(features);
    this.#mean = new Float64Array(features);
    this.#squares = new Float64Array(features);
  }

  /** Take a row in, and return its z-scores by all rows so far. */
  push(row: Float64Array): Float64Array {
    return row.map((value, j) => {
      if (!Number.isFinite(value)) return Number.NaN;
      const n = ++this.#count[j]!;
      const before = value - this.#mean[j]!;
      this.#mean[j]! += before / n;
      this.#squares[j]! += before * (value - this.#mean[j]!);
      if (n < 2) return Number.NaN;
      return (value - this.#mean[j]!) / deviationOf(this.#squares[j]! / n, this.#mean[j]!, n);
    });
  }
}

/** The map to z-scores by the finite values of some rows (SD with divisor n, as scikit-learn). */
function scaleOf(rows: readonly Float64Array[]): (row: Float64Array) => Float64Array {
  const width = rows[0]?.length ?? 0;
  const means = new Float64Array(width);
  const deviations = new Float64Array(width);
  for (let j = 0; j < width; j++) {
    const values = rows.map((row) => row[j]!).filter(Number.isFinite);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    means[j] = mean;
    deviations[j] = deviationOf(variance, mean, values.length);
  }
  return (row) => row.map((value, j) => (value - means[j]!) / deviations[j]!);
}
