/** Repeated timings → what a table shows of them. */

/** Seconds, unless the name around it says otherwise. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly q1: number;
  readonly q3: number;
  readonly max: number;
  readonly repeats: number;
}

/** Median, quartiles (linear between neighbours) and ends. At least one value. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('spreadOf: no values. Measure at least once.');
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const position = share * (sorted.length - 1);
    const low = Math.floor(position);
    const high = Math.min(sorted.length - 1, low + 1);
    return sorted[low]! + (position - low) * (sorted[high]! - sorted[low]!);
  };
  return { median: at(0.5), min: at(0), q1: at(0.25), q3: at(0.75), max: at(1), repeats: values.length };
}

/** `amount` of something in each of these times: rates a second; the least time gives the greatest rate. */
export function rateOf(amount: number, time: Spread): Spread {
  return {
    median: amount / time.median,
    min: amount / time.max,
    q1: amount / time.q3,
    q3: amount / time.q1,
    max: amount / time.min,
    repeats: time.repeats,
  };
}

/**
 * Ratio of two rivals timed in turns, `theirs / ours`, above 1 where ours is faster: the median of the ratios of
 * neighbours in time, so that what slows the machine down for a while cancels.
 */
export function speedup(ours: readonly number[], theirs: readonly number[]): Spread {
  const pairs = Math.min(ours.length, theirs.length);
  return spreadOf(Array.from({ length: pairs }, (_, i) => theirs[i]! / ours[i]!));
}
