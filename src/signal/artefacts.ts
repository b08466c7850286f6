/**
 * What a window of one channel holds besides brain: x [T] → flags with the measured values, window by window. Each rule
 * has one threshold, named with its source in `artefactRules`. Nothing is repaired or dropped here.
 */
import { ConfigError } from '../core/errors.ts';
import { bridgeMissing } from './missing.ts';
import { checkQuality } from './quality.ts';
import { type PowerDensity, welch } from './spectrum.ts';

export type ArtefactName =
  | 'missing'
  | 'flat'
  | 'clipped'
  | 'range'
  | 'amplitude'
  | 'pop'
  | 'mains'
  | 'muscle'
  | 'blink';

/** Flagged where the measured value exceeds the threshold. */
export const artefactRules: Readonly<
  Record<ArtefactName, { readonly threshold: number; readonly measure: string; readonly source: string }>
> = {
  missing: { threshold: 0, measure: 'share of samples that are not finite', source: 'none may be' },
  flat: {
    threshold: 0.5,
    measure: 'share of samples in runs of one value of 1 s, or 1 where the range is under 1 µV',
    source: "MNE's flat = 1e-6 V",
  },
  clipped: { threshold: 0, measure: 'share of samples cut off at the extremes', source: 'ours (quality.ts)' },
  range: {
    threshold: 0,
    measure: '1 where a sample lies outside the range of the file or 10 mV off the median',
    source: 'ANSI/AAMI EC11, doubled (quality.ts)',
  },
  amplitude: {
    threshold: 100,
    measure: 'largest distance from the median, µV',
    source: "CBraMod's pre-training drops windows above 100 µV",
  },
  pop: {
    threshold: 50,
    measure: 'largest step between two samples that stays for 50 ms, µV',
    source: "ours; 50 µV between samples is BrainVision Analyzer's usual limit of the gradient",
  },
  mains: {
    threshold: 0.25,
    measure: 'share of the power from 1 Hz to 100 Hz within 1 Hz of the mains frequency',
    source: 'ours',
  },
  muscle: {
    threshold: 0.4,
    measure: 'share of the power from 1 to 60 Hz above 20 Hz, mains left out',
    source: 'band: Goncharova et al., Clin. Neurophysiol. 114, 2003; share: ours',
  },
  blink: {
    threshold: 75,
    measure: 'highest wave of 80 to 600 ms above its surroundings, frontal channels only, µV',
    source: 'duration: Caffier et al., Eur. J. Appl. Physiol. 89, 2003; height: ours',
  },
};

export interface ArtefactOptions {
  /** What one of x's units is worth in microvolt. Default 1. */
  readonly unitMicrovolts?: number;
  /** The values that the file can hold, in x's unit. */
  readonly range?: readonly [low: number, high: number];
  /** Default 2 s; windows follow one another, the last one is shorter (but never under half of it). */
  readonly windowSeconds?: number;
  /** 50 or 60 Hz. */
  readonly mainsHz?: number;
  /** Look for blinks: only channels near the eyes show them (Fp1, Fp2, AF7, AF8, EOG). */
  readonly frontal?: boolean;
  /** Other thresholds than those of `artefactRules`. */
  readonly thresholds?: Partial<Readonly<Record<ArtefactName, number>>>;
}

export interface WindowArtefacts {
  /** Seconds from the first sample, half-open. */
  readonly start: number;
  readonly end: number;
  readonly flags: readonly ArtefactName[];
  /** What each rule measured; NaN where it cannot be measured (no such frequencies, not frontal, nothing finite). */
  readonly values: Readonly<Record<ArtefactName, number>>;
}

const popHoldSeconds = 0.05;
const blinkSeconds = [0.08, 0.6] as const;

/** Flags of all windows of a channel. ConfigError for a window under 0.5 s. */
export function findArtefacts(
  x: Float64Array,
  rateHz: number,
  options: ArtefactOptions = {},
): WindowArtefacts[] {
  const { windowSeconds = 2, thresholds = {} } = options;
  if (!(windowSeconds >= 0.5 && rateHz > 0))
    throw new ConfigError(
      `findArtefacts: windows of ${windowSeconds} s at ${rateHz} Hz. Use 0.5 s or more and a rate above 0.`,
      'windowSeconds',
      '0.5 or more',
    );
  const length = Math.round(windowSeconds * rateHz);
  const count = Math.max(Number(x.length > 0), Math.round(x.length / length));
  return Array.from({ length: count }, (_, w) => {
    const [start, end] = [w * length, w === count - 1 ? x.length : (w + 1) * length];
    const values = measureWindow(x.subarray(start, end), rateHz, options);
    const flags = artefactNames.filter(
      (name) => values[name] > (thresholds[name] ?? artefactRules[name].threshold),
    );
    return { start: start / rateHz, end: end / rateHz, flags, values };
  });
}

const artefactNames = Object.keys(artefactRules) as ArtefactName[];

function measureWindow(
  x: Float64Array,
  rateHz: number,
  options: ArtefactOptions,
): Record<ArtefactName, number> {
  const { unitMicrovolts = 1, range, mainsHz = 50, frontal = false } = options;
  const quality = checkQuality(x, rateHz, { unitMicrovolts, ...(range && { range }) });
  const missing = quality.nonFinite / x.length;
  if (missing === 1) return { ...nothing, missing, flat: 1 };
  const microvolts = bridgeMissing(x).values.map((value) => value * unitMicrovolts);
  const centre = middle(microvolts);
  const amplitude = microvolts.reduce((most, value) => Math.max(most, Math.abs(value - centre)), 0);
  const power =
    microvolts.length >= 4
      ? welch(microvolts, rateHz, { segmentSamples: Math.min(microvolts.length, Math.round(rateHz)) })
      : undefined;
  return {
    missing,
    flat: quality.flat ? 1 : quality.still,
    clipped: quality.clipped,
    range: Number(quality.outOfRange),
    amplitude,
    pop: largestPop(microvolts, Math.max(1, Math.round(popHoldSeconds * rateHz))),
    mains: power ? shareOf(power, mainsHz - 1, mainsHz + 1, [1, 100]) : Number.NaN,
    muscle: power ? shareOf(power, 20, 60, [1, 60], mainsHz) : Number.NaN,
    blink: frontal ? findWaves(microvolts, rateHz, 0).height : Number.NaN,
  };
}

const nothing = Object.fromEntries(artefactNames.map((name) => [name, Number.NaN])) as Record<
  ArtefactName,
  number
>;

/** The smaller of a step between two samples and of what is left of it between the medians before and after. */
function largestPop(x: Float64Array, hold: number): number {
  let largest = 0;
  for (let i = hold; i + hold < x.length; i++) {
    const step = Math.abs(x[i + 1]! - x[i]!);
    if (step <= largest) continue;
    const change = Math.abs(
      middle(x.subarray(i + 1, i + 1 + hold)) - middle(x.subarray(i + 1 - hold, i + 1)),
    );
    largest = Math.max(largest, Math.min(step, change));
  }
  return largest;
}

/** Power in [low, high] over power in `whole`, what lies within 2 Hz of `without` left out of both. NaN above half the rate. */
function shareOf(
  { frequencyHz, density }: PowerDensity,
  low: number,
  high: number,
  whole: readonly [number, number],
  without = Number.NaN,
): number {
  let [part, all] = [0, 0];
  if (low >= frequencyHz.at(-1)!) return Number.NaN;
  for (let k = 0; k < frequencyHz.length; k++) {
    const frequency = frequencyHz[k]!;
    if (frequency < whole[0] || frequency > whole[1] || Math.abs(frequency - without) <= 2) continue;
    all += density[k]!;
    if (frequency >= low && frequency <= high) part += density[k]!;
  }
  return all > 0 ? part / all : Number.NaN;
}

export interface Waves {
  /** Of the highest one, above or below its surroundings. */
  readonly height: number;
  /** Half-open ranges of samples of all waves above a height, widened to their feet. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
}

/**
 * Waves as long as a blink (80 to 600 ms at half height) that stand out of the median of their surroundings by more than
 * `threshold`, either way. x must be finite, in microvolt.
 */
export function findWaves(x: Float64Array, rateHz: number, threshold: number): Waves {
  const smooth = average(x, Math.max(1, Math.round(0.04 * rateHz)));
  const centre = middle(smooth);
  const [shortest, longest] = blinkSeconds.map((seconds) => seconds * rateHz) as [number, number];
  const ranges: [number, number][] = [];
  let height = 0;
  for (const sign of [1, -1]) {
    const up = smooth.map((value) => sign * (value - centre));
    for (let i = 1; i < up.length - 1; i++) {
      if (!(up[i]! > up[i - 1]! && up[i]! >= up[i + 1]!) || up[i]! <= threshold) continue;
      let [left, right] = [i, i];
      while (left > 0 && up[left - 1]! > up[i]! / 2 && i - left <= longest) left--;
      while (right < up.length - 1 && up[right + 1]! > up[i]! / 2 && right - i <= longest) right++;
      const highest = up.subarray(left, right + 1).every((value) => value <= up[i]!);
      const width = right - left + 1;
      if (!highest || width < shortest || width > longest) continue;
      if (up[i]! > height) height = up[i]!;
      // Feet: where the wave is back at a tenth of its height.
      while (left > 0 && up[left]! > up[i]! / 10 && i - left <= longest) left--;
      while (right < up.length - 1 && up[right]! > up[i]! / 10 && right - i <= longest) right++;
      ranges.push([left, right + 1]);
      i = right;
    }
  }
  return { height, ranges: mergeRanges(ranges) };
}

function mergeRanges(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [start, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

function average(x: Float64Array, length: number): Float64Array {
  const sums = new Float64Array(x.length + 1);
  for (let i = 0; i < x.length; i++) sums[i + 1] = sums[i]! + x[i]!;
  const half = length >> 1;
  return x.map((_, i) => {
    const [start, end] = [Math.max(0, i - half), Math.min(x.length, i + half + 1)];
    return (sums[end]! - sums[start]!) / (end - start);
  });
}

function middle(x: Float64Array): number {
  return Float64Array.from(x).sort()[x.length >> 1] ?? Number.NaN;
}
