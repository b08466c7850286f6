/**
 * Heart rate and its variability: R-peak times in seconds → numbers. Definitions: Task Force of the ESC and NASPE,
 * "Heart rate variability: standards of measurement", Circulation 93, 1996, section "Time domain methods".
 */

export interface Variability {
  /** 60 / median interval. NaN below 2 beats. */
  readonly medianRatePerMinute: number;
  /** Standard deviation of the intervals in seconds (divisor: their number less one). NaN below 3 beats. */
  readonly sdnn: number;
  /** Root mean square of the differences of successive intervals, in seconds. NaN below 3 beats. */
  readonly rmssd: number;
}

/** Mean heart rate from the first to the last beat, per minute. NaN below 2 beats. */
export function heartRate(beats: Float64Array): number {
  return beats.length < 2 ? Number.NaN : (60 * (beats.length - 1)) / (beats.at(-1)! - beats[0]!);
}

/** Beats with start ≤ time < end, as a view. `beats` must ascend. */
export function beatsBetween(beats: Float64Array, start: number, end: number): Float64Array {
  const firstFrom = (time: number) => {
    let [low, high] = [0, beats.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (beats[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const first = firstFrom(start);
  return beats.subarray(first, Math.max(first, firstFrom(end)));
}

/**
 * Rate and variability of ascending beats, all of which count: select them with `beatsBetween` first. At a seam two
 * recordings join: what lies between the beats around it is no interval, and its neighbours are not successive.
 */
export function variability(beats: Float64Array, seams: readonly number[] = []): Variability {
  const runs = splitAt(beats, seams).map(differences);
  const intervals = Float64Array.from(runs.flatMap((run) => [...run]));
  const changes = Float64Array.from(runs.flatMap((run) => [...differences(run)]));
  const mean = sum(intervals) / intervals.length;
  const squares = sum(intervals.map((interval) => (interval - mean) ** 2));
  return {
    medianRatePerMinute: 60 / median(intervals),
    sdnn: intervals.length < 2 ? Number.NaN : Math.sqrt(squares / (intervals.length - 1)),
    rmssd:
      changes.length < 1
        ? Number.NaN
        : Math.sqrt(sum(changes.map((change) => change * change)) / changes.length),
  };
}

function splitAt(beats: Float64Array, seams: readonly number[]): Float64Array[] {
  const cuts = [Number.NEGATIVE_INFINITY, ...[...seams].sort((a, b) => a - b), Number.POSITIVE_INFINITY];
  return cuts.slice(1).map((end, i) => beatsBetween(beats, cuts[i]!, end));
}

function differences(x: Float64Array): Float64Array {
  return Float64Array.from({ length: Math.max(0, x.length - 1) }, (_, i) => x[i + 1]! - x[i]!);
}

function sum(x: Float64Array): number {
  return x.reduce((total, value) => total + value, 0);
}

function median(x: Float64Array): number {
  if (x.length === 0) return Number.NaN;
  const sorted = Float64Array.from(x).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
