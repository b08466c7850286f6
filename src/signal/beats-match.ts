/**
 * How well detected beats agree with annotated ones: two ascending lists of times in seconds → counts. Beat by beat, as
 * ANSI/AAMI EC57:2012 (section 4.3.2) and WFDB's `bxb` do: a detection matches an annotation within a tolerance, each
 * at most once, and of two that could match the nearer one does.
 */
import { ConfigError } from '../core/errors.ts';

export interface MatchOptions {
  /** Largest distance of a match, seconds. EC57: 0.15. */
  readonly toleranceSeconds?: number;
  /** Nothing before counts: EC57 grants 5 minutes of learning. */
  readonly fromSeconds?: number;
  /** Nothing from here on counts. */
  readonly toSeconds?: number;
  /** Half-open stretches where nothing counts: EC57 leaves out ventricular flutter. */
  readonly excluded?: readonly (readonly [start: number, end: number])[];
}

export interface BeatMatch {
  /** Annotated and found. */
  readonly matched: number;
  /** Annotated, not found. */
  readonly missed: number;
  /** Found, not annotated. */
  readonly extra: number;
  /** matched / (matched + missed); NaN without annotations. */
  readonly sensitivity: number;
  /** matched / (matched + extra); NaN without detections. */
  readonly positivePredictivity: number;
  /** Detection less annotation of every match, seconds. */
  readonly errors: Float64Array;
}

/**
 * Match detections with annotations. A match at the edge of what counts is made first and then counted by its
 * annotation's time, so that no beat is lost because its two times lie on either side. ConfigError for a tolerance that
 * is not above 0.
 */
export function matchBeats(
  annotated: ArrayLike<number>,
  detected: ArrayLike<number>,
  options: MatchOptions = {},
): BeatMatch {
  const { toleranceSeconds = 0.15, fromSeconds = 0, toSeconds = Number.POSITIVE_INFINITY } = options;
  if (!(toleranceSeconds > 0))
    throw new ConfigError(
      `matchBeats: toleranceSeconds is ${toleranceSeconds}. Use a time above 0 s.`,
      'toleranceSeconds',
      'above 0',
    );
  const excluded = options.excluded ?? [];
  const counts = (time: number) =>
    time >= fromSeconds && time < toSeconds && !excluded.some(([start, end]) => time >= start && time < end);
  const distance = (i: number, j: number) =>
    i < annotated.length && j < detected.length
      ? Math.abs(detected[j]! - annotated[i]!)
      : Number.POSITIVE_INFINITY;
  const errors: number[] = [];
  let [missed, extra] = [0, 0];
  for (let i = 0, j = 0; i < annotated.length || j < detected.length; ) {
    const here = distance(i, j);
    const isMatch = here <= toleranceSeconds && distance(i, j + 1) >= here && distance(i + 1, j) >= here;
    if (isMatch) {
      if (counts(annotated[i]!)) errors.push(detected[j]! - annotated[i]!);
      i++;
      j++;
    } else if (isFirst(annotated, i, detected, j, here <= toleranceSeconds && distance(i, j + 1) < here)) {
      if (counts(annotated[i]!)) missed++;
      i++;
    } else {
      if (counts(detected[j]!)) extra++;
      j++;
    }
  }
  const matched = errors.length;
  return {
    matched,
    missed,
    extra,
    sensitivity: matched / (matched + missed),
    positivePredictivity: matched / (matched + extra),
    errors: Float64Array.from(errors),
  };
}

/** Whether annotation i is given up before detection j; a nearer detection to come gives up the present one instead. */
function isFirst(
  annotated: ArrayLike<number>,
  i: number,
  detected: ArrayLike<number>,
  j: number,
  hasNearerDetection: boolean,
): boolean {
  if (j >= detected.length) return true;
  if (i >= annotated.length || hasNearerDetection) return false;
  return annotated[i]! <= detected[j]!;
}
