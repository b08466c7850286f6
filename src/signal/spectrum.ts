/**
 * Power spectral density: x [T] → density [F]. Welch (1967), IEEE Trans. Audio Electroacoust. 15(2), with the defaults
 * of `scipy.signal.welch`: periodic Hann window, mean removed from each segment, one-sided, mean over segments.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { sumPowers } from './fft.ts';

export interface WelchOptions {
  /** Samples in a segment; the frequency step is rate / this. */
  readonly segmentSamples: number;
  /** Samples that neighbouring segments share; half a segment (rounded down) if absent. */
  readonly overlapSamples?: number;
}

export interface PowerDensity {
  /** [F], from 0 to half the rate. */
  readonly frequencyHz: Float64Array;
  /** [F], in the signal's unit squared per Hz. */
  readonly density: Float64Array;
}

/**
 * Welch's estimate. A NaN makes every value NaN. DataError if x is shorter than a segment, ConfigError for a segment
 * or overlap out of range.
 */
export function welch(x: Float64Array, rateHz: number, options: WelchOptions): PowerDensity {
  const { segmentSamples: length, overlapSamples = Math.floor(options.segmentSamples / 2) } = options;
  if (!(rateHz > 0))
    throw new ConfigError(`welch: rateHz is ${rateHz}. A rate must be above 0 Hz.`, 'rateHz', 'above 0');
  if (!Number.isInteger(length) || length < 2) {
    throw new ConfigError(
      `welch: segmentSamples is ${length}. Use a whole number of 2 or more.`,
      'segmentSamples',
      '2 or more',
    );
  }
  if (!Number.isInteger(overlapSamples) || overlapSamples < 0 || overlapSamples >= length) {
    throw new ConfigError(
      `welch: overlapSamples is ${overlapSamples}. Use a whole number from 0 to ${length - 1}.`,
      'overlapSamples',
      `0 to ${length - 1}`,
    );
  }
  if (x.length < length) {
    throw new DataError(
      `welch: the signal has ${x.length} samples, a segment ${length}. Use shorter segments.`,
    );
  }
  const window = hannWindow(length);
  const windowPower = window.reduce((sum, value) => sum + value * value, 0);
  const bins = Math.floor(length / 2) + 1;
  const step = length - overlapSamples;
  const segments = Math.floor((x.length - length) / step) + 1;
  const density = sumPowers(x, window, step);
  for (let k = 0; k < bins; k++) {
    // Frequencies other than 0 and half the rate stand for a negative one too.
    const sides = k === 0 || 2 * k === length ? 1 : 2;
    density[k]! *= sides / (rateHz * windowPower * segments);
  }
  return { frequencyHz: Float64Array.from({ length: bins }, (_, k) => (k * rateHz) / length), density };
}

let lastWindow = new Float64Array(0);

/** Periodic; the last one is kept, since all channels have one length of segment. */
function hannWindow(length: number): Float64Array {
  if (lastWindow.length !== length)
    lastWindow = Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
  return lastWindow;
}

/**
 * Mean density over lowHz ≤ f < highHz, in the signal's unit squared per Hz: comparable between bands of any width.
 * DataError if no frequency of the estimate lies there.
 */
export function bandPower(power: PowerDensity, lowHz: number, highHz: number): number {
  let sum = 0;
  let count = 0;
  for (let k = 0; k < power.frequencyHz.length; k++) {
    if (power.frequencyHz[k]! < lowHz || power.frequencyHz[k]! >= highHz) continue;
    sum += power.density[k]!;
    count++;
  }
  if (count === 0) {
    throw new DataError(
      `bandPower: none of the ${power.frequencyHz.length} frequencies up to ${power.frequencyHz.at(-1)} Hz lies in [${lowHz}, ${highHz}). Use longer segments or another band.`,
    );
  }
  return sum / count;
}
