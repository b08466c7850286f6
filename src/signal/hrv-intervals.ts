/**
 * R-peak times [N] in seconds → intervals between successive beats [≤ N − 1], with those that do not come from the sinus
 * node (ectopic beats, missed or invented ones) marked, counted, and removed or replaced if asked.
 * Limits: Task Force of the ESC and NASPE, Circulation 93, 1996; the 20 % rule: Malik et al., "Heart rate variability in
 * relation to prognosis after myocardial infarction: selection of optimal processing techniques", Eur. Heart J. 10, 1989.
 */
import { ConfigError } from '../core/errors.ts';

export interface IntervalOptions {
  /**
   * What happens to an interval that is marked: `keep` (default; it is only counted), `remove`, or `interpolate` (a
   * straight line between its good neighbours).
   */
  readonly correction?: 'keep' | 'remove' | 'interpolate';
  /** Largest change from the last good interval, as a fraction of it. Malik: 0.2. */
  readonly largestChange?: number;
  /** Shortest and longest plausible interval, seconds: 240 and 20 beats per minute. */
  readonly plausibleSeconds?: readonly [shortest: number, longest: number];
}

export interface Intervals {
  /** Seconds. */
  readonly intervals: Float64Array;
  /** Time of the beat that ends each interval, seconds, as the beats'. */
  readonly times: Float64Array;
  /** Whether interval i follows interval i − 1 without one left out between: only then their difference means something. */
  readonly follows: Uint8Array;
  /** Intervals that were marked as implausible or as a jump. */
  readonly marked: number;
  /** Intervals before any were removed. */
  readonly total: number;
  /** Beats that were left out because they are not finite or do not ascend. */
  readonly brokenBeats: number;
}

const defaults = { correction: 'keep', largestChange: 0.2, plausibleSeconds: [0.25, 3] } as const;

/**
 * Intervals between beats. An interval is marked where it is implausible or differs from the last good one by more than
 * `largestChange`; after four marked in a row the rhythm is taken to have changed, and counting starts anew from the
 * fifth. Never throws for beats of any kind; ConfigError for options out of range.
 */
export function beatIntervals(beats: ArrayLike<number>, options: IntervalOptions = {}): Intervals {
  const { correction, largestChange, plausibleSeconds } = { ...defaults, ...options };
  if (!(largestChange > 0))
    throw new ConfigError(
      `beatIntervals: largestChange is ${largestChange}. Use a fraction above 0, such as 0.2.`,
      'largestChange',
      'above 0',
    );
  const ascending: number[] = [];
  for (let i = 0; i < beats.length; i++)
    if (Number.isFinite(beats[i]) && !(beats[i]! <= ascending.at(-1)!)) ascending.push(beats[i]!);
  const times = Float64Array.from(ascending.slice(1));
  const intervals = times.map((time, i) => time - ascending[i]!);
  const isGood = markIntervals(intervals, largestChange, plausibleSeconds);
  const good = isGood.reduce((sum, value) => sum + value, 0);
  const counted = {
    marked: intervals.length - good,
    total: intervals.length,
    brokenBeats: beats.length - ascending.length,
  };
  if (correction === 'interpolate' && good > 0)
    return { intervals: bridge(intervals, isGood), times, follows: followsAll(intervals.length), ...counted };
  if (correction === 'keep') return { intervals, times, follows: followsAll(intervals.length), ...counted };
  const kept = [...isGood.keys()].filter((i) => isGood[i] === 1);
  return {
    intervals: Float64Array.from(kept, (i) => intervals[i]!),
    times: Float64Array.from(kept, (i) => times[i]!),
    follows: Uint8Array.from(kept, (i, k) => Number(k > 0 && kept[k - 1] === i - 1)),
    ...counted,
  };
}

/** Marked intervals in a row after which a rhythm has changed. Ours. */
const mostInARow = 4;

function markIntervals(
  intervals: Float64Array,
  largestChange: number,
  [shortest, longest]: readonly [number, number],
): Uint8Array {
  const isGood = new Uint8Array(intervals.length);
  const isPlausible = (interval: number) => interval >= shortest && interval <= longest;
  // The first interval has no predecessor: the median of the first plausible ones stands in.
  const first = Float64Array.from(intervals)
    .filter(isPlausible)
    .slice(0, 2 * mostInARow + 1)
    .sort();
  let last = first[first.length >> 1] ?? 0;
  let row = 0;
  for (const [i, interval] of intervals.entries()) {
    const isNear = Math.abs(interval - last) <= largestChange * last;
    if (isPlausible(interval) && (isNear || row >= mostInARow)) {
      isGood[i] = 1;
      last = interval;
      row = 0;
    } else row++;
  }
  return isGood;
}

function followsAll(length: number): Uint8Array {
  const follows = new Uint8Array(length).fill(1);
  if (length > 0) follows[0] = 0;
  return follows;
}

/** Marked intervals replaced by a straight line between good ones, at the ends by the nearest. */
function bridge(intervals: Float64Array, isGood: Uint8Array): Float64Array {
  const result = Float64Array.from(intervals);
  for (let start = 0; start < result.length; start++) {
    if (isGood[start]) continue;
    let end = start;
    while (end < result.length && !isGood[end]) end++;
    const after = end < result.length ? intervals[end]! : intervals[start - 1]!;
    const before = start > 0 ? intervals[start - 1]! : after;
    for (let i = start; i < end; i++)
      result[i] = before + ((after - before) * (i - start + 1)) / (end - start + 1);
    start = end;
  }
  return result;
}
