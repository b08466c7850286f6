/**
 * Times of a table's rows → the device's rate, and which rows follow one another without a gap. Stamps jitter, come in
 * packets and late; a gap is only where all later stamps are late too. Seconds.
 */
import { median, straightLine } from '../fit-times.ts';
import { type LevelShift, levelShifts, noiseOf } from './level-shifts.ts';
import { type Packets, packetsOf } from './packets.ts';
import { snapRate } from './time.ts';

/** Rows [first, first + count) without a gap, from `start` seconds after the first row. */
export interface RowStretch {
  readonly first: number;
  readonly count: number;
  readonly start: number;
}

export interface RowFit {
  /** As given, or the usual rate next to the measured one. */
  readonly rateHz: number;
  /** Rows a second by the stamps, lost rows counted. */
  readonly measuredHz: number;
  readonly stretches: readonly RowStretch[];
  /** Rows that share a stamp, or whose stamps were spread over a packet; 1: each row has its own. */
  readonly packetRows: number;
  /** The furthest that a stamp lies from the even rows, in seconds; lost rows taken out. */
  readonly jitterSeconds: number;
  /** Rows whose time lies before the one of the row above. */
  readonly backward: number;
  readonly firstBackward: number;
  /** Seconds that the clock was set back for good, all together. */
  readonly setBackSeconds: number;
}

/** Packets whose stamps are looked at to choose where the fit begins. */
const trialPackets = 6000;
const trialRounds = 2;
const rounds = 5;
/** Shifts up and down within this time are one late delivery, or one early stamp. Seconds. */
const nearSeconds = 5;
/** A clock that was set forward and is set back within this time, or the other way round, lost nothing. Seconds. */
const sameEventSeconds = 30;

/** Fit rows at `times` (NaN: no stamp). Undefined where fewer than three stamps go forward. `given`: the rate in hertz, if known. */
export function fitRows(times: Float64Array, given?: number): RowFit | undefined {
  const back = countBackward(times);
  const regular = back.backward === 0 ? fitRegular(times, given) : undefined;
  if (regular) return { ...regular, ...back };
  const packets = packetsOf(times);
  const count = packets.rows.length;
  if (count < 3 || back.backward >= count - 2) return undefined;
  const slope = chooseSlope(packets);
  if (slope === undefined) return undefined;
  const fit = refine(packets, slope, rounds);
  const measuredHz = 1 / fit.slope;
  if (!(measuredHz > 0) || !Number.isFinite(measuredHz)) return undefined;
  const spread = noiseOf(fit.residuals);
  const span = packets.times[count - 1]! - packets.times[0]!;
  const uncertain = (6 * spread) / (Math.sqrt(count / 12) * Math.abs(span));
  const rateHz = given ?? snapRate(measuredHz, Math.min(0.03, Math.max(0.004, uncertain)));
  // A gap keeps its length in seconds, unless the rate that was given is another device's.
  const lostHz = Math.abs(measuredHz / rateHz - 1) > 0.02 ? measuredHz : rateHz;
  const { lost, setBackSeconds } = lostRows(packets, fit.shifts, lostHz);
  let jitterSeconds = 0;
  for (const residual of fit.residuals) jitterSeconds = Math.max(jitterSeconds, Math.abs(residual));
  return {
    rateHz,
    measuredHz,
    stretches: layStretches(lost, times.length, rateHz),
    packetRows: packets.size,
    jitterSeconds,
    ...back,
    setBackSeconds,
  };
}

function countBackward(times: Float64Array) {
  let [backward, firstBackward, last] = [0, 0, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    if (Number.isNaN(time)) continue;
    if (time < last && backward++ === 0) firstBackward = i;
    last = time;
  }
  return { backward, firstBackward };
}

/** Stamps that lie on a straight line, none further off than half a step: the usual file, and the fastest. */
function fitRegular(
  times: Float64Array,
  given?: number,
): Omit<RowFit, 'backward' | 'firstBackward'> | undefined {
  const { length } = times;
  const slope = (times[length - 1]! - times[0]!) / (length - 1);
  if (length < 3 || !(slope > 0)) return undefined;
  let furthest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < length; i++) {
    const away = Math.abs(times[i]! - times[0]! - i * slope);
    const step = times[i]! - times[i - 1]!;
    if (!(away < 0.45 * slope) || step > 1.5 * slope) return undefined;
    if (step < least) least = step;
    if (away > furthest) furthest = away;
  }
  // Equal stamps: pairs would pass for jitter of half a step.
  if (least === 0) return undefined;
  const measuredHz = 1 / slope;
  if (!Number.isFinite(measuredHz)) return undefined;
  const rateHz = given ?? snapRate(measuredHz, 0.004);
  return {
    rateHz,
    measuredHz,
    stretches: [{ first: 0, count: length, start: 0 }],
    packetRows: 1,
    jitterSeconds: furthest,
    setBackSeconds: 0,
  };
}

/** Seconds a row, by the median over distances of packets short and long; the one that leaves least unexplained. */
function chooseSlope(packets: Packets): number | undefined {
  const count = Math.min(packets.rows.length, trialPackets);
  const few: Packets = {
    ...packets,
    rows: packets.rows.subarray(0, count),
    times: packets.times.subarray(0, count),
  };
  let best: { slope: number; cost: number } | undefined;
  for (let lag = 1; lag < count && lag <= 4096; lag *= lag < 4 ? 2 : 4) {
    const slopes: number[] = [];
    for (let k = lag; k < count; k++) {
      const slope = (few.times[k]! - few.times[k - lag]!) / (few.rows[k]! - few.rows[k - lag]!);
      if (slope > 0) slopes.push(slope);
    }
    const slope = median(slopes);
    if (!(slope > 0)) continue;
    const fit = refine(few, slope, trialRounds);
    const distance = fit.residuals.reduce((sum, residual) => sum + Math.abs(residual), 0) / count;
    // Bayesian information: what is left, and three numbers for each gap.
    const cost =
      count * Math.log(distance / fit.slope + 1e-3) + 3 * Math.log(count) * (1 + fit.shifts.length);
    if (fit.slope > 0 && (!best || cost < best.cost)) best = { slope: fit.slope, cost };
  }
  return best?.slope;
}

/** Line and shifts in turns, until neither moves. */
function refine(packets: Packets, start: number, rounds: number) {
  const { rows, times, size } = packets;
  const count = rows.length;
  const density = (rows[count - 1]! - rows[0]!) / (count - 1); // rows a packet
  let slope = start;
  let shifts: LevelShift[] = [];
  const residuals = new Float64Array(count);
  for (let round = 0; round < rounds; round++) {
    for (let k = 0; k < count; k++) residuals[k] = times[k]! - times[0]! - slope * (rows[k]! - rows[0]!);
    shifts = levelShifts(residuals, 0.5 * size * slope, nearSeconds / (slope * density));
    let [level, next] = [0, 0];
    for (let k = 0; k < count; k++) {
      while (shifts[next]?.at === k) level += shifts[next++]!.size;
      residuals[k] = residuals[k]! - level;
    }
    const near = clipped(residuals);
    const line = straightLine(near, 0, count - 1, rows);
    const [base, first] = [near[0]! + line.mean, rows[0]! + line.middle];
    for (let k = 0; k < count; k++) residuals[k] = residuals[k]! - base - line.slope * (rows[k]! - first);
    slope += line.slope;
    if (!(slope > 0) || Math.abs(line.slope) < 1e-9 * slope) break;
  }
  return { slope, shifts, residuals };
}

/** Late deliveries shall not bend the line: what is far off counts as six deviations. */
function clipped(residuals: Float64Array): Float64Array {
  const stride = Math.max(1, Math.floor(residuals.length / 50_000));
  const sample = residuals.filter((_, i) => i % stride === 0);
  const middle = median(sample);
  const most = 6 * 1.4826 * median(sample.map((x) => Math.abs(x - middle)));
  return most > 0
    ? residuals.map((x) => Math.min(middle + most, Math.max(middle - most, x)))
    : residuals.slice();
}

/** Shifts → rows lost before a row. A shift back undoes earlier ones at about its time, else the clock was set back. */
function lostRows(
  { rows, size }: Packets,
  shifts: readonly LevelShift[],
  rateHz: number,
): { lost: { row: number; rows: number }[]; setBackSeconds: number } {
  const lost: { row: number; rows: number; time: number }[] = [];
  const debts: { rows: number; time: number }[] = [];
  const settle = (open: { rows: number; time: number }[], rest: number, time: number): number => {
    let left = rest;
    for (let i = open.length - 1; i >= 0 && left > 0 && time - open[i]!.time < sameEventSeconds; i--) {
      const taken = Math.min(left, open[i]!.rows);
      open[i]!.rows -= taken;
      left -= taken;
    }
    return left;
  };
  // Times of places as the rows run: stamps may have been set back.
  const timeAt = (k: number) => rows[k]! / rateHz;
  for (const { at, size: seconds } of shifts) {
    const exact = seconds * rateHz;
    const portions = Math.round(exact / size);
    const count = Math.abs(exact - portions * size) < 0.35 * size ? portions * size : Math.round(exact);
    if (count > 0) {
      const left = settle(debts, count, timeAt(at));
      if (left > 0) lost.push({ row: rows[at]!, rows: left, time: timeAt(at) });
    } else if (count < 0) {
      const left = settle(lost, -count, timeAt(at));
      if (left > 0) debts.push({ rows: left, time: timeAt(at) });
    }
  }
  return {
    lost: lost.filter((gap) => gap.rows > 0),
    setBackSeconds: debts.reduce((sum, debt) => sum + debt.rows, 0) / rateHz,
  };
}

function layStretches(
  lost: readonly { row: number; rows: number }[],
  total: number,
  rateHz: number,
): RowStretch[] {
  const stretches: RowStretch[] = [];
  let [first, missing] = [0, 0];
  for (const { row, rows } of [...lost, { row: total, rows: 0 }]) {
    if (row > first) stretches.push({ first, count: row - first, start: (first + missing) / rateHz });
    first = row;
    missing += rows;
  }
  return stretches;
}
