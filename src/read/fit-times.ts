/** What the fits of time stamps share, of XDF streams and of tables: medians, and straight lines over sample numbers. */

/** NaN where the list is empty or holds NaN, as NumPy's. */
export function median(list: ArrayLike<number>): number {
  const sorted = Float64Array.from(list).sort();
  const half = sorted.length >> 1;
  if (sorted.length === 0 || Number.isNaN(sorted[sorted.length - 1]!)) return Number.NaN;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export interface Line {
  /** Value at `middle`. */
  readonly mean: number;
  /** Change a sample. */
  readonly slope: number;
  /** The sample number around which the line is most exact. */
  readonly middle: number;
}

/**
 * Least-squares line through `values` [first, last], inclusive, relative to values[first]. Sample numbers count from 0 at
 * `first`, or are `numbers` relative to numbers[first].
 */
export function straightLine(
  values: Float64Array,
  first: number,
  last: number,
  numbers?: Float64Array,
): Line {
  const n = last - first + 1;
  const base = values[first]!;
  let middle = (n - 1) / 2;
  if (numbers) {
    middle = 0;
    for (let i = first; i <= last; i++) middle += (numbers[i]! - numbers[first]!) / n;
  }
  let [sum, product, squares] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const y = values[first + i]! - base;
    const x = (numbers ? numbers[first + i]! - numbers[first]! : i) - middle;
    sum += y;
    product += x * y;
    if (numbers) squares += x * x;
  }
  if (!numbers) squares = (n * (n * n - 1)) / 12; // Σ(i − middle)²
  return { mean: sum / n, slope: squares > 0 ? product / squares : 0, middle };
}
