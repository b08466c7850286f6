/**
 * How a channel's values become WFDB's integers: stored = round((x − offset) / resolution) · steps − shift, so that
 * x = (stored − baseline) / gain. WFDB's baseline is an integer; where offset is no whole number of resolutions, finer
 * steps make it one.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Channel } from '../../core/recording.ts';
import { isRate } from '../header-text.ts';
import { isCalibration } from './calibration.ts';

export interface WriteScale {
  readonly resolution: number;
  readonly offset: number;
  /** Stored steps in one of `resolution`. */
  readonly steps: number;
  readonly shift: number;
  readonly gain: number;
  readonly baseline: number;
  /** Stored values that there may be: of the channel's range, or as found. */
  readonly low: number;
  readonly high: number;
  /** Stored values of the ends of the channel's range, where it has one. */
  readonly converter?: readonly [low: number, high: number];
}

/** What is in a channel. */
export interface Extremes {
  readonly lowest: number;
  readonly highest: number;
  /** Decimal places with which every value is written exactly; undefined where more than nine are needed. */
  readonly decimals: number | undefined;
  /** What the channel moves by in a short while; absent where it does not move. */
  readonly noise?: number | undefined;
}

/** Bits a sample, and the code that the header names it by. */
export const writeFormats = [
  { bits: 16, format: '16' },
  { bits: 24, format: '24' },
  { bits: 32, format: '32' },
] as const;
export type WriteBits = (typeof writeFormats)[number]['bits'];

const mostSteps = 16;
/** Off the whole number by less than this, an offset is one: offsets are results of a division. */
const wholeTolerance = 1e-6;

/** A scale that keeps the channel's stored integers; undefined where it states none. */
export function scaleOfChannel(
  { resolution, offset = 0, range }: Channel,
  found?: Extremes,
): WriteScale | undefined {
  if (resolution === undefined || !(resolution > 0) || !Number.isFinite(offset)) return undefined;
  const ratio = offset / resolution;
  let steps = 1;
  while (steps <= mostSteps && Math.abs(steps * ratio - Math.round(steps * ratio)) > wholeTolerance) steps++;
  // No step makes it whole: with four, the nearest integer is still that of the same stored value.
  if (steps > mostSteps) steps = 4;
  const stored = (x: number) => Math.round((x - offset) / resolution) * steps;
  const [low, high] =
    found && found.lowest <= found.highest ? [found.lowest, found.highest] : (range ?? [0, 0]);
  return centred({
    resolution,
    offset,
    steps,
    gain: inverse(resolution / steps),
    baseline: 0 - Math.round(steps * ratio),
    low: stored(low),
    high: stored(high),
    ...(range && { converter: [stored(range[0]), stored(range[1])] as const }),
  });
}

/** Steps that values without any get: of 16 bits, or where those are coarse beside the noise, of 24 or 32. */
const widths = [65_000, 2 ** 24 - 2 ** 16, 2 ** 32 - 2 ** 24] as const;
/** Steps in what a channel moves by in a short while. */
const stepsInNoise = 8;

/** A scale for values without one: their own decimal places where those fit 32 bits, else as many steps as their noise needs. */
export function scaleOfValues({ lowest, highest, decimals, noise }: Extremes): WriteScale {
  // Nothing but missing samples.
  if (lowest > highest) return scaleOfValues({ lowest: 0, highest: 0, decimals: 0 });
  if (
    decimals !== undefined &&
    Math.max(Math.abs(lowest), Math.abs(highest)) * 10 ** decimals < 2 ** 31 - 2
  ) {
    const gain = 10 ** decimals;
    const [low, high] = [Math.round(lowest * gain), Math.round(highest * gain)];
    return centred({ resolution: 1 / gain, offset: 0, steps: 1, gain, baseline: 0, low, high });
  }
  const width = highest - lowest;
  // A flat line needs one step of its own size.
  const resolutions = widths.map((steps) => (width > 0 ? width : Math.abs(lowest) || 1) / steps);
  const isFine = (step: number) => noise === undefined || step * stepsInNoise <= noise;
  const resolution = resolutions.find(isFine) ?? resolutions.at(-1)!;
  const baseline = 0 - Math.round((lowest + width / 2) / resolution);
  const offset = 0 - baseline * resolution;
  const stored = (x: number) => Math.round((x - offset) / resolution);
  return {
    resolution,
    offset,
    steps: 1,
    shift: 0,
    gain: 1 / resolution,
    baseline,
    low: stored(lowest),
    high: stored(highest),
  };
}

/** Values that fit 16 bits but for where their zero is are moved there. */
function centred(scale: Omit<WriteScale, 'shift'>): WriteScale {
  const { low, high, baseline } = scale;
  if (bitsOf(low, high) === 16 || high - low > 2 * 32767) return { ...scale, shift: 0 };
  const shift = Math.round((low + high) / 2);
  const converter = scale.converter && ([scale.converter[0] - shift, scale.converter[1] - shift] as const);
  return {
    ...scale,
    shift,
    baseline: baseline - shift,
    low: low - shift,
    high: high - shift,
    ...(converter && { converter }),
  };
}

/** The fewest bits that hold integers and leave the lowest for missing samples; undefined beyond 32. */
export function bitsOf(low: number, high: number): WriteBits | undefined {
  return writeFormats.find(({ bits }) => -low < 2 ** (bits - 1) && high < 2 ** (bits - 1))?.bits;
}

/** 1 / x as the shortest number whose inverse is x again: 200 of 0.005. */
function inverse(x: number): number {
  const exact = 1 / x;
  const short = Number(exact.toPrecision(15));
  return 1 / short === x ? short : exact;
}

/** ConfigError unless the header can say the scale and the values come back within a step of it. */
export function checkScale(scale: WriteScale, { lowest, highest }: Extremes, { name, unit }: Channel): void {
  if (isFaithful(scale, lowest > highest ? [] : [lowest, highest])) return;
  throw new ConfigError(
    `wfdb: '${name}' reaches from ${lowest} to ${highest}${unit && ` ${unit}`}, which the gain of a header cannot say. Use another unit, or write .npz or .parquet.`,
    'unit',
  );
}

/** Do these values come back within a step, but for the last digits of a double? */
export function isFaithful(scale: WriteScale, values: readonly number[]): boolean {
  const { resolution, offset, steps, shift, gain, baseline } = scale;
  return (
    isCalibration(gain, baseline) &&
    values.every((x) => {
      const stored = Math.round((x - offset) / resolution) * steps - shift;
      const error = Math.abs((stored - baseline) / gain - x);
      return error <= resolution + 8 * Number.EPSILON * Math.abs(x);
    })
  );
}

/** Samples of all channels in a frame: a record is filled up to whole ones. */
const mostFrameSamples = 2 ** 13;
/** The same of frames that hold one sample of the slowest channel, which cannot be shorter. */
const longestFrameSamples = 2 ** 19;

/**
 * The frame of channels of several rates: frames a second, and each channel's samples in one. ConfigError where no
 * frame holds whole samples of all.
 */
export function frameOf(channels: readonly Channel[]): { frameRateHz: number; perFrame: number[] } {
  const slowest = channels.reduce((least, { rateHz }) => Math.min(least, rateHz), Number.POSITIVE_INFINITY);
  if (channels.length === 0) return { frameRateHz: 250, perFrame: [] };
  const ratio = channels.reduce((sum, { rateHz }) => sum + rateHz / slowest, 0);
  for (
    let samples = 1;
    samples * ratio <= (samples === 1 ? longestFrameSamples : mostFrameSamples);
    samples++
  ) {
    const frameRateHz = slowest / samples;
    if (!isRate(frameRateHz)) break;
    const perFrame = channels.map(({ rateHz }) => Math.round(rateHz / frameRateHz));
    if (channels.every(({ rateHz }, i) => Math.abs(perFrame[i]! * frameRateHz - rateHz) <= 1e-9 * rateHz))
      return { frameRateHz, perFrame };
  }
  const rates = [...new Set(channels.map(({ rateHz }) => rateHz))].slice(0, 5).join(', ');
  throw new ConfigError(
    `wfdb: no frame of up to ${longestFrameSamples} samples holds whole samples of channels at ${rates} Hz. Choose one rate with --rate, or fewer channels.`,
    'rate',
    'rates that are whole multiples of one',
  );
}
