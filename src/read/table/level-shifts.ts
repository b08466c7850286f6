/**
 * Where a noisy series goes over to another level for good: lost samples, seen in what is left of time stamps when a
 * straight line is taken off. A packet that only came late is no shift, because the next ones are in time again.
 */
import { median } from '../fit-times.ts';

export interface LevelShift {
  /** The first value on the new level. */
  readonly at: number;
  /** New level − old level. */
  readonly size: number;
}

/** Values on each side that tell a level; more than that cost time and tell little. */
const widest = 60;
/** A shift counts from this many deviations of shifts that are none. */
const deviations = 6;
const toDeviation = 1.4826; // median distance from the median → standard deviation of a normal distribution
const sampleSize = 1500;

/** Shifts of at least `least` among `values`, as few as explain them; up and down within `near` values are none. */
export function levelShifts(values: Float64Array, least: number, near: number): LevelShift[] {
  const count = values.length;
  if (count < 4) return [];
  const noise = noiseOf(values);
  // So many values that chance makes no shift of that size.
  const wanted = Math.ceil((7 * noise) / least) ** 2;
  const width = Math.max(1, Math.min(widest, wanted, Math.floor(count / 4)));
  const threshold = Math.max(least, width > 1 ? deviations * chanceShift(values, width) : 0);
  const cuts = findCuts(values, width, threshold);
  const shifts = cuts.map((at, i) => ({
    at,
    size: sizeAt(values, cuts[i - 1] ?? 0, at, cuts[i + 1] ?? count, width),
  }));
  return lasting(values, withoutReturns(values, shifts, least, near), least);
}

/** Shifts that are still there when the levels are told by more values. */
function lasting(values: Float64Array, shifts: readonly LevelShift[], least: number): LevelShift[] {
  const kept: LevelShift[] = [];
  for (const [k, { at }] of shifts.entries()) {
    const size = sizeAcross(values, at, at, kept.at(-1)?.at ?? 0, shifts[k + 1]?.at);
    if (Math.abs(size) >= least) kept.push({ at, size });
  }
  return kept;
}

/** Shifts that a later one takes back, and the other way round, become the one shift that remains of them, if any. */
function withoutReturns(
  values: Float64Array,
  shifts: readonly LevelShift[],
  least: number,
  near: number,
): LevelShift[] {
  const kept: LevelShift[] = [];
  for (const [k, shift] of shifts.entries()) {
    const sign = Math.sign(shift.size);
    let [from, sum] = [kept.length, shift.size];
    while (from > 0 && sum * sign > least / 2) {
      const before = kept[from - 1]!;
      if (before.size * sign > 0 || shift.at - before.at > near) break;
      sum += before.size;
      from--;
    }
    if (from === kept.length) {
      kept.push(shift);
      continue;
    }
    const undone = kept.splice(from);
    const size = sizeAcross(values, undone[0]!.at, shift.at, kept.at(-1)?.at ?? 0, shifts[k + 1]?.at);
    if (Math.abs(size) < least) continue;
    const largest = [...undone, shift].reduce((a, b) => (b.size * size > a.size * size ? b : a));
    kept.push({ at: largest.at, size });
  }
  return kept;
}

/** Level behind `last` − level before `first`, by as many values as there are up to the next shifts. */
function sizeAcross(
  values: Float64Array,
  first: number,
  last: number,
  from: number,
  to = values.length,
): number {
  const before = values.subarray(Math.max(from, first - widest), first);
  return median(values.subarray(last, Math.min(to, last + widest))) - median(before);
}

/** Standard deviation of single values about their level, by their differences. */
export function noiseOf(values: Float64Array): number {
  const stride = Math.max(1, Math.floor(values.length / 50_000));
  const steps: number[] = [];
  for (let i = stride; i < values.length; i += stride) steps.push(Math.abs(values[i]! - values[i - 1]!));
  return (median(steps) * toDeviation) / Math.SQRT2;
}

/** What the levels beside a place differ by where nothing was lost, as a standard deviation. */
function chanceShift(values: Float64Array, width: number): number {
  const places = values.length - 2 * width + 1;
  const shifts: number[] = [];
  for (let k = 0; k < Math.min(places, sampleSize); k++) {
    const at = width + Math.floor((k * places) / Math.min(places, sampleSize));
    shifts.push(Math.abs(shiftAt(values, at - width, at, at + width)));
  }
  return median(shifts) * toDeviation;
}

const shiftAt = (values: Float64Array, from: number, at: number, to: number) =>
  median(values.subarray(at, to)) - median(values.subarray(from, at));

const sizeAt = (values: Float64Array, from: number, at: number, to: number, width: number) =>
  shiftAt(values, Math.max(from, at - width), at, Math.min(to, at + width));

function findCuts(values: Float64Array, width: number, threshold: number): number[] {
  const count = values.length;
  const few = Math.max(1, Math.ceil(width / 3));
  // Means tell at once where nothing happens.
  const sums = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) sums[i + 1] = sums[i]! + values[i]! - values[0]!;
  const cuts: number[] = [];
  let from = 0;
  const strength = (at: number): number => {
    const [low, high] = [Math.max(from, at - width), Math.min(count, at + width)];
    const [before, after] = [at - low, high - at];
    const short = Math.sqrt((width / before + width / after) / 2);
    const means = (sums[high]! - sums[at]!) / after - (sums[at]! - sums[low]!) / before;
    if (Math.abs(means) < (threshold * short) / 3) return 0;
    return Math.abs(shiftAt(values, low, at, high)) / (threshold * short);
  };
  for (let at = few; at <= count - few; at++) {
    if (at - from < few || strength(at) < 1) continue;
    let best = at;
    if (width === 1) {
      cuts.push(at);
      from = at;
      continue;
    }
    let most = gainAt(values, Math.max(from, at - width), at, Math.min(count, at + 2 * width));
    for (let next = at + 1; next <= Math.min(count - few, at + width); next++) {
      const gain = gainAt(values, Math.max(from, at - width), next, Math.min(count, at + 2 * width));
      if (gain > most) [best, most] = [next, gain];
    }
    cuts.push(best);
    from = best;
    at = best + few - 1;
  }
  return cuts;
}

/** How much better two levels explain values [from, to) than one: the smaller the distances left, the larger. */
function gainAt(values: Float64Array, from: number, at: number, to: number): number {
  const left = (low: number, high: number) => {
    const part = values.subarray(low, high);
    const level = median(part);
    let sum = 0;
    for (let i = 0; i < part.length; i++) sum += Math.abs(part[i]! - level);
    return sum;
  };
  return -left(from, at) - left(at, to);
}
