/**
 * Heart rate variability by frequency: beat intervals [N] → power in bands, ms². Bands: Task Force of the ESC and NASPE,
 * Circulation 93, 1996. Two spectra: Welch's on the intervals resampled by a quadratic spline (the steps and lengths of
 * NeuroKit2 0.2.13, `hrv_frequency`), and Lomb's (Astrophys. Space Sci. 39, 1976; Scargle, Astrophys. J. 263, 1982) on
 * the intervals as they are, nothing resampled.
 */
import { ConfigError } from '../core/errors.ts';
import { rfft } from './fft.ts';
import type { Intervals } from './hrv-intervals.ts';
import { quadraticSpline } from './hrv-spline.ts';

/** Half-open bands in hertz. */
export const hrvBands = {
  ulf: [0, 0.0033],
  vlf: [0.0033, 0.04],
  lf: [0.04, 0.15],
  hf: [0.15, 0.4],
  vhf: [0.4, 0.5],
} as const satisfies Record<string, readonly [number, number]>;

export type HrvBand = keyof typeof hrvBands;

export interface FrequencyOptions {
  /** `welch` (default) or `lomb-scargle`. */
  readonly method?: 'welch' | 'lomb-scargle';
  /** Rate of the resampled intervals for Welch. NeuroKit2's: 100 Hz. */
  readonly resampleHz?: number;
  /** Divide the spectrum by its largest value, as NeuroKit2 does unless told otherwise: powers are then no longer ms². */
  readonly normalise?: boolean;
}

export type FrequencyDomain = Readonly<Record<HrvBand, number>> & {
  /** Sum of the bands that are defined. */
  readonly total: number;
  readonly lfHf: number;
  /** lf / total and hf / total, as NeuroKit2's LFn and HFn. */
  readonly lfShare: number;
  readonly hfShare: number;
  /** lf / (lf + hf) and hf / (lf + hf): the Task Force's normalised units over 100, without very low frequencies. */
  readonly lfNormalised: number;
  readonly hfNormalised: number;
  readonly lnHf: number;
  /** Lowest frequency that the length resolves: bands that reach below are cut off there. */
  readonly lowestHz: number;
  /** Why a value is NaN or cut off, a sentence each. */
  readonly reasons: readonly string[];
};

interface Spectrum {
  readonly frequencyHz: Float64Array;
  /** ms²/Hz, one-sided. */
  readonly density: Float64Array;
  readonly lowestHz: number;
}

/** Largest resampled length, and largest number of products of Lomb's sums: about a second each. Ours. */
const maxSamples = 2 ** 24;
const maxProducts = 2e8;
const minIntervals = 4;
/** Lomb's frequencies lie this much closer than the resolution 1 / duration. Usual for integrating; ours. */
const oversampling = 5;
const highestHz = hrvBands.vhf[1];

/**
 * Powers in bands. Never throws for intervals of any kind: what is not defined is NaN and `reasons` says why.
 * ConfigError for a rate below 1 Hz.
 */
export function hrvFrequency(intervals: Intervals, options: FrequencyOptions = {}): FrequencyDomain {
  const { method = 'welch', resampleHz = 100, normalise = false } = options;
  if (!(resampleHz >= 1 && Number.isFinite(resampleHz)))
    throw new ConfigError(
      `hrvFrequency: resampleHz is ${resampleHz}. Bands up to ${highestHz} Hz need 1 Hz or more.`,
      'resampleHz',
      '1 or more',
    );
  const reasons: string[] = [];
  const spectrum =
    method === 'welch' ? resampledWelch(intervals, resampleHz, reasons) : lomb(intervals, reasons);
  if (spectrum && normalise) {
    const largest = spectrum.density.reduce((a, b) => Math.max(a, b), 0);
    for (let k = 0; k < spectrum.density.length; k++) spectrum.density[k]! /= largest;
  }
  const power = (band: HrvBand) =>
    spectrum ? integrate(spectrum, hrvBands[band], band, reasons) : Number.NaN;
  const powers = {
    ulf: power('ulf'),
    vlf: power('vlf'),
    lf: power('lf'),
    hf: power('hf'),
    vhf: power('vhf'),
  };
  const defined = Object.values(powers).filter(Number.isFinite);
  const total = defined.length > 0 ? defined.reduce((a, b) => a + b, 0) : Number.NaN;
  const { lf, hf } = powers;
  return {
    ...powers,
    total,
    lfHf: lf / hf,
    lfShare: lf / total,
    hfShare: hf / total,
    lfNormalised: lf / (lf + hf),
    hfNormalised: hf / (lf + hf),
    lnHf: Math.log(hf),
    lowestHz: spectrum?.lowestHz ?? Number.NaN,
    reasons,
  };
}

/** Trapezoids over the frequencies within the band and above what the length resolves. */
function integrate(
  { frequencyHz, density, lowestHz }: Spectrum,
  [low, high]: readonly [number, number],
  band: string,
  reasons: string[],
): number {
  if (lowestHz > low && lowestHz < high && low > 0)
    reasons.push(`${band}: cut off below ${lowestHz.toFixed(4)} Hz, which the length does not resolve.`);
  let power = 0;
  let last = -1;
  for (let k = 0; k < frequencyHz.length; k++) {
    const frequency = frequencyHz[k]!;
    if (frequency < Math.max(low, lowestHz) || frequency >= high) continue;
    if (last === k - 1) power += ((density[k]! + density[last]!) * (frequency - frequencyHz[last]!)) / 2;
    last = k;
  }
  if (power > 0) return power;
  reasons.push(`${band}: no power resolved between ${low} and ${high} Hz.`);
  return Number.NaN;
}

function isEnough({ intervals }: Intervals, reasons: string[]): boolean {
  if (intervals.length >= minIntervals) return true;
  reasons.push(
    `${intervals.length} intervals are too few for a spectrum; ${minIntervals} or more are needed.`,
  );
  return false;
}

/** Two cycles of the lowest frequency fit in a segment of half the length. */
function resampledWelch(input: Intervals, rateHz: number, reasons: string[]): Spectrum | undefined {
  if (!isEnough(input, reasons)) return undefined;
  const { times } = input;
  const [start, step] = [times[0]!, 1 / rateHz];
  const length = Math.ceil((times.at(-1)! + step - start) / step);
  if (length > maxSamples) {
    reasons.push(`${length} samples at ${rateHz} Hz are too many; use a lower rate or a shorter part.`);
    return undefined;
  }
  const places = Float64Array.from({ length }, (_, i) => start + i * step);
  const nn = input.intervals.map((interval) => 1000 * interval);
  const resampled = quadraticSpline(times, nn, places);
  const mean = resampled.reduce((sum, value) => sum + value, 0) / length;
  const lowestHz = (2 * rateHz) / (length / 2);
  const segment = Math.min(Math.trunc((2 / lowestHz) * rateHz), Math.trunc(length / 2));
  if (segment < 2) {
    reasons.push(`${length} samples at ${rateHz} Hz are too few for a spectrum.`);
    return undefined;
  }
  return {
    ...welchPadded(
      resampled.map((value) => value - mean),
      segment,
      rateHz,
    ),
    lowestHz,
  };
}

/** Welch with a periodic Hann window, half overlapped, no trend removed, each segment padded to twice its length. */
function welchPadded(x: Float64Array, segment: number, rateHz: number) {
  const window = Float64Array.from(
    { length: segment },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / segment),
  );
  const windowPower = window.reduce((sum, value) => sum + value * value, 0);
  const bins = segment + 1;
  const density = new Float64Array(bins);
  const padded = new Float64Array(2 * segment);
  let segments = 0;
  for (let start = 0; start + segment <= x.length; start += segment - Math.floor(segment / 2), segments++) {
    for (let i = 0; i < segment; i++) padded[i] = x[start + i]! * window[i]!;
    const { re, im } = rfft(padded);
    for (let k = 0; k < bins; k++) density[k]! += re[k]! * re[k]! + im[k]! * im[k]!;
  }
  for (let k = 0; k < bins; k++)
    density[k]! *= (k === 0 || k === bins - 1 ? 1 : 2) / (rateHz * windowPower * segments);
  // In NumPy's order of operations: the lowest frequency that counts is one of these, and rounding decides which.
  const step = 1 / (2 * segment * (1 / rateHz));
  return { frequencyHz: Float64Array.from({ length: bins }, (_, k) => k * step), density };
}

/** Lomb's periodogram of the intervals at their own times, as a one-sided density: its integral is the variance. */
function lomb(input: Intervals, reasons: string[]): Spectrum | undefined {
  if (!isEnough(input, reasons)) return undefined;
  const { times } = input;
  const n = times.length;
  const duration = times[n - 1]! - times[0]!;
  const count = Math.floor(highestHz * duration * oversampling);
  if (count < 1 || count * n > maxProducts) {
    reasons.push(
      count < 1
        ? `${duration} s are too short for a spectrum.`
        : `${n} intervals over ${Math.round(duration)} s are too many; use welch or a shorter part.`,
    );
    return undefined;
  }
  const mean = input.intervals.reduce((sum, value) => sum + value, 0) / n;
  const x = input.intervals.map((interval) => 1000 * (interval - mean));
  const frequencyHz = Float64Array.from({ length: count }, (_, k) => (k + 1) / (duration * oversampling));
  const density = frequencyHz.map((frequency) => {
    const omega = 2 * Math.PI * frequency;
    let [xc, xs, cc, cs] = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const angle = omega * (times[i]! - times[0]!);
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      xc += x[i]! * c;
      xs += x[i]! * s;
      cc += c * c;
      cs += c * s;
    }
    // tan 2ωτ = Σ sin 2ωt / Σ cos 2ωt
    const tau = Math.atan2(2 * cs, 2 * cc - n) / 2;
    const [c, s] = [Math.cos(tau), Math.sin(tau)];
    const ccTau = c * c * cc + 2 * c * s * cs + s * s * (n - cc);
    const [along, across] = [c * xc + s * xs, c * xs - s * xc];
    return (duration / n) * (along ** 2 / ccTau + (n - ccTau > 0 ? across ** 2 / (n - ccTau) : 0));
  });
  return { frequencyHz, density, lowestHz: 1 / duration };
}
