/**
 * EEG rhythms: one channel x [T] → power in bands (absolute, relative, logarithmic) and the alpha peak. Bands are data.
 * Densities by Welch (spectrum.ts). Peak and centre of gravity: Klimesch, Brain Res. Rev. 29, 1999; the peak between
 * frequencies by a parabola through the logarithms, as in Corcoran et al., Psychophysiology 55(7), 2018, without their
 * smoothing.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { type PowerDensity, welch } from './spectrum.ts';

/** Half-open, hertz. */
export type Bands = Readonly<Record<string, readonly [lowHz: number, highHz: number]>>;

/** As the classical baselines use them. */
export const eegBands = {
  delta: [1, 4],
  theta: [4, 8],
  alpha: [8, 13],
  beta: [13, 30],
  gamma: [30, 45],
} as const satisfies Bands;

/** Where an adult's alpha peak is looked for. Klimesch: 7.5 to 12.5 Hz, and a little more. */
const alphaHz = [7, 13] as const;

export interface BandPowersOptions<B extends Bands> {
  readonly bands?: B;
  /** Length of Welch's segments; they overlap by half. 2 s resolve 0.5 Hz. A shorter signal is one segment. */
  readonly segmentSeconds?: number;
}

export interface BandPowers<B extends Bands> {
  /** Density summed over the band, in x's unit squared. */
  readonly absolute: Readonly<Record<keyof B, number>>;
  /** Of the sum over all bands; NaN where there is no power. */
  readonly relative: Readonly<Record<keyof B, number>>;
  /** Natural logarithm of the absolute power; NaN where there is none. */
  readonly log: Readonly<Record<keyof B, number>>;
  /** Frequency of the highest maximum of the density from 7 to 13 Hz; NaN where it has none there. */
  readonly peakAlphaHz: number;
  /** Mean frequency from 7 to 13 Hz, weighted by density. */
  readonly alphaCentreHz: number;
}

/**
 * Powers of one channel. A value that is not finite makes all of them NaN: bridge it first (missing.ts). ConfigError for
 * a band above half the rate, DataError where no frequency of the estimate lies in a band (the signal is too short).
 */
export function bandPowers<B extends Bands = typeof eegBands>(
  x: Float64Array,
  rateHz: number,
  options: BandPowersOptions<B> = {},
): BandPowers<B> {
  const { bands = eegBands as unknown as B, segmentSeconds = 2 } = options;
  for (const [name, [low, high]] of Object.entries(bands))
    if (!(low >= 0 && low < high && high <= rateHz / 2))
      throw new ConfigError(
        `bandPowers: the band ${name} is [${low}, ${high}) Hz at a rate of ${rateHz} Hz. Use bands from 0 to ${rateHz / 2} Hz.`,
        `bands.${name}`,
        `0 to ${rateHz / 2}`,
      );
  const segmentSamples = Math.min(x.length, Math.round(segmentSeconds * rateHz));
  if (segmentSamples < 2)
    throw new DataError(
      `bandPowers: the signal has ${x.length} samples, segments of ${segmentSeconds} s need 2 or more. Use a longer signal.`,
    );
  const power = welch(x, rateHz, { segmentSamples });
  const step = rateHz / segmentSamples;
  const entries = Object.entries(bands).map(([name, [low, high]]) => {
    const sum = sumBetween(power, low, high);
    if (sum.count === 0)
      throw new DataError(
        `bandPowers: ${segmentSamples / rateHz} s resolve ${step} Hz, so that no frequency lies in ${name}, [${low}, ${high}) Hz. Use a longer signal.`,
      );
    return [name, sum.density * step] as const;
  });
  const total = entries.reduce((sum, [, value]) => sum + value, 0);
  const map = (of: (value: number) => number) =>
    Object.fromEntries(entries.map(([name, value]) => [name, of(value)])) as Record<keyof B, number>;
  const alpha = sumBetween(power, alphaHz[0], alphaHz[1]);
  return {
    absolute: map((value) => value),
    relative: map((value) => value / total),
    log: map((value) => (value > 0 ? Math.log(value) : Number.NaN)),
    peakAlphaHz: peakBetween(power, alphaHz[0], alphaHz[1]),
    alphaCentreHz: alpha.moment / alpha.density,
  };
}

function sumBetween({ frequencyHz, density }: PowerDensity, low: number, high: number) {
  let [sum, moment, count] = [0, 0, 0];
  for (let k = 0; k < frequencyHz.length; k++) {
    if (frequencyHz[k]! < low || frequencyHz[k]! >= high) continue;
    sum += density[k]!;
    moment += frequencyHz[k]! * density[k]!;
    count++;
  }
  return { density: sum, moment, count };
}

/** A maximum, not an end of the range: a falling spectrum has no peak. */
function peakBetween({ frequencyHz, density }: PowerDensity, low: number, high: number): number {
  let best = 0;
  for (let k = 1; k < density.length - 1; k++) {
    if (frequencyHz[k]! < low || frequencyHz[k]! > high) continue;
    const isMaximum = density[k]! > density[k - 1]! && density[k]! >= density[k + 1]!;
    if (isMaximum && density[k]! > (best === 0 ? 0 : density[best]!)) best = k;
  }
  if (best === 0) return Number.NaN;
  const [before, here, after] = [density[best - 1]!, density[best]!, density[best + 1]!].map(Math.log);
  const bend = before! - 2 * here! + after!;
  const shift = bend < 0 && Number.isFinite(bend) ? (before! - after!) / (2 * bend) : 0;
  return frequencyHz[best]! + shift * (frequencyHz[1]! - frequencyHz[0]!);
}
