/**
 * Heart rate variability of beat intervals in the time domain and from the Poincaré plot. Definitions: Task Force of the
 * ESC and NASPE, Circulation 93, 1996; Shaffer and Ginsberg, Front. Public Health 5:258, 2017; SD1 and SD2: Brennan et
 * al., IEEE Trans. Biomed. Eng. 48(11), 2001; sample entropy: Richman and Moorman, Am. J. Physiol. 278, 2000. Equal to
 * NeuroKit2 0.2.13 (`hrv_time`, `hrv_nonlinear`) where docs/signals.md does not say otherwise. All times in
 * milliseconds, as the field reports them.
 */
import type { Intervals } from './hrv-intervals.ts';

export interface TimeDomain {
  readonly meanNN: number;
  readonly medianNN: number;
  readonly minNN: number;
  readonly maxNN: number;
  /** Standard deviation (divisor n − 1, as everywhere here). */
  readonly sdnn: number;
  /** SD of the means, mean of the SDs, of windows of 5 minutes: NaN below three windows. */
  readonly sdann5: number;
  readonly sdnni5: number;
  /** The same for windows of 1 minute. */
  readonly sdann1: number;
  readonly sdnni1: number;
  /** Of the differences of successive intervals: root mean square, and standard deviation. */
  readonly rmssd: number;
  readonly sdsd: number;
  /** sdnn / meanNN, rmssd / meanNN. */
  readonly cvnn: number;
  readonly cvsd: number;
  /** Median absolute deviation × 1.4826, and interquartile range. */
  readonly madNN: number;
  readonly iqrNN: number;
  /** Differences above 50 and 20 ms, percent of the intervals (so the Task Force, not of the differences). */
  readonly pnn50: number;
  readonly pnn20: number;
  /** Triangular index: intervals over the largest count of a histogram with bins of 1/128 s. */
  readonly hti: number;
}

export interface Poincare {
  readonly sd1: number;
  readonly sd2: number;
  readonly sd1sd2: number;
  /** Area of the ellipse, ms². */
  readonly area: number;
}

/** Bins of the triangular index: Task Force, 7.8125 ms. */
const binMs = 1000 / 128;
/** Times in seconds are exact to less than this, so that 50 ms are not above 50 ms. */
const roundingMs = 1e-6;
/** MAD of a normal distribution is its SD over this. */
const madFactor = 1.4826;

/** Time domain. A value whose definition needs more intervals than there are is NaN; never throws. */
export function hrvTime({ intervals, follows }: Intervals): TimeDomain {
  const nn = intervals.map((interval) => 1000 * interval);
  const changes = successiveChanges(nn, follows);
  const sorted = Float64Array.from(nn).sort();
  const meanNN = mean(nn);
  const medianNN = quantile(sorted, 0.5);
  const sdnn = deviation(nn);
  const rmssd = Math.sqrt(mean(changes.map((change) => change * change)));
  const share = (above: number) =>
    changes.length === 0
      ? Number.NaN
      : (100 * changes.filter((change) => Math.abs(change) > above + roundingMs).length) /
        (changes.length + 1);
  const [fives, ones] = [segments(nn, 5), segments(nn, 1)];
  return {
    meanNN,
    medianNN,
    minNN: sorted[0] ?? Number.NaN,
    maxNN: sorted.at(-1) ?? Number.NaN,
    sdnn,
    sdann5: deviation(Float64Array.from(fives, mean)),
    sdnni5: mean(Float64Array.from(fives, deviation)),
    sdann1: deviation(Float64Array.from(ones, mean)),
    sdnni1: mean(Float64Array.from(ones, deviation)),
    rmssd,
    sdsd: deviation(changes),
    cvnn: sdnn / meanNN,
    cvsd: rmssd / meanNN,
    madNN: madFactor * quantile(nn.map((value) => Math.abs(value - medianNN)).sort(), 0.5),
    iqrNN: quantile(sorted, 0.75) - quantile(sorted, 0.25),
    pnn50: share(50),
    pnn20: share(20),
    hti: nn.length / largestBin(nn),
  };
}

/** Spread across (SD1) and along (SD2) the line of identity of each interval against the next. NaN below three intervals. */
export function hrvPoincare({ intervals, follows }: Intervals): Poincare {
  const across: number[] = [];
  const along: number[] = [];
  for (let i = 1; i < intervals.length; i++) {
    if (!follows[i]) continue;
    across.push((1000 * (intervals[i - 1]! - intervals[i]!)) / Math.SQRT2);
    along.push((1000 * (intervals[i - 1]! + intervals[i]!)) / Math.SQRT2);
  }
  const sd1 = deviation(Float64Array.from(across));
  const sd2 = deviation(Float64Array.from(along));
  return { sd1, sd2, sd1sd2: sd1 / sd2, area: Math.PI * sd1 * sd2 };
}

/**
 * Sample entropy: −ln of the share of templates of m intervals within `tolerance` SDs of each other that still are with
 * one interval more. SD with divisor n, as in the paper and in NeuroKit2's `entropy_sample` with its default tolerance.
 * NaN where nothing repeats. Work grows with the square of the number of intervals.
 */
export function sampleEntropy({ intervals }: Intervals, m = 2, tolerance = 0.2): number {
  const n = intervals.length;
  const spread = n > 1 ? deviation(intervals) * Math.sqrt((n - 1) / n) : Number.NaN;
  const r = tolerance * spread;
  let [short, long] = [0, 0];
  for (let i = 0; i < n - m; i++)
    for (let j = i + 1; j < n - m; j++) {
      let k = 0;
      while (k < m && Math.abs(intervals[i + k]! - intervals[j + k]!) <= r) k++;
      if (k < m) continue;
      short++;
      if (Math.abs(intervals[i + m]! - intervals[j + m]!) <= r) long++;
    }
  return long > 0 ? -Math.log(long / short) : Number.NaN;
}

function successiveChanges(nn: Float64Array, follows: Uint8Array): Float64Array {
  const changes: number[] = [];
  for (let i = 1; i < nn.length; i++) if (follows[i]) changes.push(nn[i]! - nn[i - 1]!);
  return Float64Array.from(changes);
}

/** Intervals by consecutive whole windows of their summed time, those of two or more; none below three windows. */
function segments(nn: Float64Array, minutes: number): Float64Array[] {
  const windowMs = 60_000 * minutes;
  const count = Math.floor(nn.reduce((sum, value) => sum + value, 0) / windowMs);
  if (!(count >= 3)) return [];
  const parts: Float64Array[] = [];
  let [start, window, time] = [0, 0, 0];
  for (const [i, value] of nn.entries()) {
    time += value;
    const now = Math.floor(time / windowMs);
    if (now === window) continue;
    parts.push(nn.subarray(start, i));
    [start, window] = [i, now];
  }
  if (window < count) parts.push(nn.subarray(start));
  return parts.filter((part) => part.length > 1);
}

function largestBin(nn: Float64Array): number {
  const counts = new Map<number, number>();
  for (const value of nn) {
    const bin = Math.floor(value / binMs);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return counts.size > 0 ? [...counts.values()].reduce((a, b) => Math.max(a, b)) : Number.NaN;
}

function mean(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value, 0) / x.length;
}

/** Divisor n − 1; NaN below two values. */
function deviation(x: Float64Array): number {
  if (x.length < 2) return Number.NaN;
  const centre = mean(x);
  return Math.sqrt(x.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (x.length - 1));
}

/** Between order statistics by a straight line, as NumPy's default. NaN of nothing. */
function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
