/**
 * What a detector of R peaks gets: x [T] with holes, padding, or a low rate → finite samples without padding at 100 Hz or
 * more. Nothing of it is filtered.
 */
import { resamplePolyphase } from './resample.ts';

/** Constant runs at an end that are padding, and how far a resampled step rings (10 samples at 200 Hz). Ours. */
const paddingSeconds = 0.25;
const ringingSeconds = 0.05;
/** Rate below which a signal is resampled, so that the band of the peak exists. */
const workingRateHz = 100;

export interface ConditionedEcg {
  readonly signal: Float64Array;
  /** Of its first sample, from x's. */
  readonly startSeconds: number;
  /** The given one, or a multiple of it. */
  readonly rateHz: number;
}

/** Bridge what is not finite by the last finite value, raise the rate to 100 Hz or more, leave constant padding out. */
export function conditionEcg(x: Float64Array, givenHz: number): ConditionedEcg {
  const factor = Math.ceil(workingRateHz / givenHz);
  const rateHz = givenHz * factor;
  const bridged = bridgeGaps(x);
  const [first, last] = withoutPadding(bridged, givenHz);
  return {
    signal: multiplyRate(bridged.slice(first, last), factor),
    startSeconds: first / givenHz,
    rateHz,
  };
}

/** More samples of the same signal; the line between its ends is taken off, for a step there would look like a beat. */
function multiplyRate(x: Float64Array, factor: number): Float64Array {
  if (factor === 1 || x.length < 2) return x;
  const slope = (x.at(-1)! - x[0]!) / (x.length - 1);
  return resamplePolyphase(
    x.map((value, i) => value - x[0]! - slope * i),
    factor,
    1,
  );
}

/** Samples [start, end) without constant stretches that fill up the file's last record: their steps look like beats. */
function withoutPadding(x: Float64Array, rateHz: number): [start: number, end: number] {
  const end = paddingStart(x, rateHz);
  const start = end - paddingStart(x.slice(0, end).reverse(), rateHz);
  return [start, end];
}

/** First sample of the constant runs at the end; a resampled step's ringing may lie between, before and after them. */
function paddingStart(x: Float64Array, rateHz: number): number {
  const run = Math.round(paddingSeconds * rateHz);
  const ringing = Math.round(ringingSeconds * rateHz);
  let end = x.length;
  for (let last = end - 1; last >= Math.max(0, end - 2 * ringing); last--) {
    let first = last;
    while (first > 0 && x[first - 1] === x[last]) first--;
    if (last - first < run) continue;
    end = Math.max(0, first - ringing);
    last = end;
  }
  return end;
}

function bridgeGaps(x: Float64Array): Float64Array {
  const bridged = x.slice();
  let last = x.find(Number.isFinite) ?? 0;
  for (let i = 0; i < bridged.length; i++) {
    if (Number.isFinite(bridged[i])) last = bridged[i]!;
    else bridged[i] = last;
  }
  return bridged;
}
