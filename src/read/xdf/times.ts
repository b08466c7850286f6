/**
 * Time stamps of XDF streams, as pyxdf 1.17 makes them: clock offsets fitted robustly between clock resets, then, for
 * streams with a rate, a straight line through every stretch without a break. Seconds, float64.
 * Source: XDF specification 1.0; pyxdf's load_xdf, whose defaults are the constants here; Boyd et al. 2011, §6.1.1
 * (Huber fit by ADMM).
 */
import { median, straightLine } from '../fit-times.ts';

/** Inclusive indices [first, last], as pyxdf gives them. */
export type Segment = readonly [first: number, last: number];

/** A clock reset: its offset measurement is late by this much, and differs by this much from the others. */
const reset = { timeSeconds: 5, timeDeviations: 5, valueSeconds: 1, valueDeviations: 10 };
/** Offsets that are further off, in seconds, count as outliers. */
const winsorSeconds = 1e-4;
const fitIterations = 1000;
/** A break is longer than both. */
const breakSeconds = 1;
const breakSamples = 500;

/** Map stamps to the recorder's clock, in place. Gives the stretches between clock resets. */
export function synchronizeClock(
  stamps: Float64Array,
  times: readonly number[],
  values: readonly number[],
): Segment[] {
  if (times.length === 0 || stamps.length === 0) return [];
  const ranges = times.length > 1 ? clockRanges(times, values) : [[0, 0] as const];
  const lines = ranges.map(([first, last]) => {
    if (first === last) return [values[first]!, 0] as const;
    const [scaled, y] = [times, values].map((list) =>
      Float64Array.from(list.slice(first, last + 1), (x) => x / winsorSeconds),
    );
    const [intercept, slope] = robustLine(scaled!, y!);
    return [intercept * winsorSeconds, slope] as const;
  });
  const segments: Segment[] = [];
  let start = 0;
  for (const [i, [intercept, slope]] of lines.entries()) {
    const next = ranges[i]![1] + 1;
    let end = stamps.length;
    if (next < times.length) {
      const [ending, starting] = [times[next - 1]!, times[next]!];
      end = start;
      while (end < stamps.length && Math.abs(stamps[end]! - ending) < Math.abs(stamps[end]! - starting))
        end++;
    }
    if (end === start) continue;
    segments.push([start, end - 1]);
    for (let k = start; k < end; k++) stamps[k] = stamps[k]! + (intercept + slope * stamps[k]!);
    start = end;
  }
  return segments;
}

/** Stretches of offset measurements between clock resets. */
function clockRanges(times: readonly number[], values: readonly number[]): Segment[] {
  const timeSteps = steps(times);
  const valueSteps = steps(values);
  const late = farOff(timeSteps, reset.timeDeviations, reset.timeSeconds);
  const other = farOff(valueSteps, reset.valueDeviations, reset.valueSeconds);
  return cutWhere(times.length, (i) => timeSteps[i]! < 0 || (late[i]! && other[i]!));
}

const steps = (list: ArrayLike<number>) =>
  Float64Array.from({ length: Math.max(0, list.length - 1) }, (_, i) => list[i + 1]! - list[i]!);

function farOff(list: Float64Array, deviations: number, seconds: number): boolean[] {
  const middle = median(list);
  const away = list.map((x) => Math.abs(x - middle));
  const spread = median(away) + Number.EPSILON;
  return Array.from(away, (x) => x / spread > deviations && x > seconds);
}

/** Inclusive segments of `length` items, cut after every item i with isCut(i). */
function cutWhere(length: number, isCut: (i: number) => boolean): Segment[] {
  const segments: Segment[] = [];
  let first = 0;
  for (let i = 0; i < length; i++) {
    if (i < length - 1 && !isCut(i)) continue;
    segments.push([first, i]);
    first = i + 1;
  }
  return segments;
}

/**
 * Minimise ½ Σ huber(a + b·x − y) by the alternating direction method of multipliers, ρ = 1. [0, 0] where the normal
 * equations are singular.
 */
function robustLine(x: Float64Array, y: Float64Array): [intercept: number, slope: number] {
  const n = x.length;
  const offset = x.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const t = x.map((value) => value - offset);
  // Offsets between clocks are large and alike: around the first of them, no digits are lost in the sums.
  const level = y[0]!;
  let [sum, squares, sumY, product] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    sum += t[i]!;
    squares += t[i]! * t[i]!;
    sumY += y[i]! - level;
    product += t[i]! * (y[i]! - level);
  }
  // Cholesky factor of [[n, Σt], [Σt, Σt²]].
  const l00 = Math.sqrt(n);
  const l10 = sum / l00;
  const rest = squares - l10 * l10;
  if (!(rest > 0)) return [0, 0];
  const l11 = Math.sqrt(rest);
  const z = new Float64Array(n);
  const u = new Float64Array(n);
  let [a, b] = [0, 0];
  for (let k = 0; k < fitIterations; k++) {
    let [right0, right1] = [sumY, product];
    for (let i = 0; i < n; i++) {
      const w = z[i]! - u[i]!;
      right0 += w;
      right1 += t[i]! * w;
    }
    const v0 = right0 / l00;
    const v1 = (right1 - l10 * v0) / l11;
    const slope = v1 / l11;
    const intercept = (v0 - l10 * slope) / l00;
    let isSettled = slope === b && intercept === a;
    [a, b] = [intercept, slope];
    for (let i = 0; i < n; i++) {
      const d = a + b * t[i]! - (y[i]! - level) + u[i]!;
      const shrink = d === 0 ? 1 : Math.max(0, 1 - 2 / Math.abs(d));
      const next = 0.5 * d + 0.5 * shrink * d;
      const dual = d - next;
      if (next !== z[i] || dual !== u[i]) isSettled = false;
      z[i] = next;
      u[i] = dual;
    }
    if (isSettled) break;
  }
  return [a + level - b * offset, b];
}

export interface Dejittered {
  readonly segments: readonly Segment[];
  /** Samples per second over all segments; 0 where there is no telling. */
  readonly rateHz: number;
}

/** Replace stamps, in place, by straight lines between breaks; the rate that comes of it. */
export function dejitter(stamps: Float64Array, nominalRateHz: number): Dejittered {
  const longest = Math.max(breakSeconds, breakSamples / nominalRateHz);
  const segments = cutWhere(stamps.length, (i) => Math.abs(stamps[i + 1]! - stamps[i]!) > longest);
  let [count, seconds] = [0, 0];
  for (const [first, last] of segments) {
    straighten(stamps, first, last);
    count += last - first;
    seconds += stamps[last]! - stamps[first]!;
  }
  return { segments, rateHz: count > 0 && seconds !== 0 ? count / seconds : 0 };
}

/** Least-squares line over sample numbers, around its middle, where it is most exact. */
function straighten(stamps: Float64Array, first: number, last: number): void {
  const n = last - first + 1;
  if (n < 2) return;
  const base = stamps[first]!;
  const { mean, slope, middle } = straightLine(stamps, first, last);
  for (let i = 0; i < n; i++) stamps[first + i] = base + (mean + slope * (i - middle));
}

/**
 * Is the last clock offset a known defect's (liblsl issue 246: a stray measurement and stray samples when a stream goes
 * away)? By its distance from the others in time (10 intervals) or value (10 robust deviations).
 */
export function isLastOffsetStray(times: readonly number[], values: readonly number[]): boolean {
  if (times.length < 3) return false;
  const intervals = steps(times);
  const last = Math.abs(intervals.at(-1)!);
  const usual = median(intervals.subarray(0, -1));
  const timeRatio = usual > 0 ? last / usual : last > 0 ? Number.POSITIVE_INFINITY : 1;
  const earlier = values.slice(0, -1);
  const middle = median(earlier);
  const spread = median(earlier.map((value) => Math.abs(value - middle)));
  const deviation = spread > Number.EPSILON ? Math.abs(values.at(-1)! - middle) / (1.4826 * spread) : 0;
  return timeRatio > 10 || deviation > 10;
}
