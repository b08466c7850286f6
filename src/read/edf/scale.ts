/**
 * How values become the stored integers of an EDF or BDF signal: (values, resolution) → digital and physical ranges.
 * Channels with a resolution keep their integers; the header's fields of 8 characters must then say that scale, so ends
 * of the range are sought that 8 characters hold exactly. Others get the finest scale that holds their values.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Channel } from '../../core/recording.ts';
import { microvolts } from '../../core/units.ts';

/** What a channel's samples reach; low > high where there are none. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
  /** Are some NaN? */
  readonly hasMissing: boolean;
  /** What the channel moves by in a short while; absent where it does not move. */
  readonly noise?: number;
}

export interface StoredScale {
  /** Stored integer: round((x − offset) / resolution) − shift. */
  readonly resolution: number;
  readonly offset: number;
  readonly shift: number;
  /** As the header says it; µV where volts would need more digits than it has. */
  readonly unit: string;
  readonly physicalMin: string;
  readonly physicalMax: string;
  readonly digitalMin: number;
  readonly digitalMax: number;
}

type Scaled = Pick<Channel, 'name' | 'unit' | 'resolution' | 'offset' | 'range'>;

/** µV, where volts and millivolts need more digits than a header field has: what multiplies them. */
function microvoltsIn(unit: string): number | undefined {
  const worth = microvolts(unit);
  return worth !== undefined && worth > 1 ? worth : undefined;
}

/**
 * The scale of a channel in `bits` of storage: its own steps where all of them fit and the header can say them, else the
 * finest that holds its values. ConfigError for bits that do not fit, and where 8 characters cannot say the range.
 */
export function scaleFor(channel: Scaled, values: ValueRange, bits: 16 | 24): StoredScale {
  const { name, unit, resolution } = channel;
  const micro = microvoltsIn(unit);
  const factors = [[unit, 1] as const, ...(micro ? [['uV', micro] as const] : [])];
  const limits = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] as const;
  const best = (attempt: (unit: string, factor: number) => Attempt | undefined): Attempt | undefined => {
    let found: Attempt | undefined;
    for (const [unitOf, factor] of factors) {
      const one = attempt(unitOf, factor);
      if (one && (!found || one.error < found.error)) found = one;
      if (found && found.error <= tolerableError) break;
    }
    return found;
  };
  const format = bits === 16 ? 'edf' : 'bdf';
  const reach = `'${name}' reaches from ${values.low} to ${values.high}${unit && ` ${unit}`}`;
  if (resolution !== undefined) {
    const whole = best((unitOf, factor) => wholeSteps(channel, resolution, values, limits, unitOf, factor));
    if (whole && whole.error < 0.5) return whole.scale;
    if (!whole && unit === 'Boolean')
      throw new ConfigError(
        `${format}: ${reach}: bits, more than ${bits} of them, that cannot be rounded. Leave it out with --channels '!${name}', or write ${bits === 16 ? '.bdf' : '.npz'}.`,
        'resolution',
      );
  }
  const finest = best((unitOf, factor) => finestScale(values, limits, unitOf, factor));
  if (finest && finest.error < mostCoarse) return finest.scale;
  throw new ConfigError(
    `${format}: ${reach}, which header fields of 8 characters cannot say. Use another unit, or write .npz or .parquet.`,
    'unit',
  );
}

/** A scale and how wrong the header's digits make it: at its ends, in steps of the channel; or by how much too coarse. */
interface Attempt {
  readonly scale: StoredScale;
  readonly error: number;
}
/** Rounded to so few levels, a signal is none any more: of 16 bits, 10 would be left. */
const mostCoarse = 10 * 2 ** 6;
/** Not worth another unit. */
const tolerableError = 0.1;

type Limits = readonly [lowest: number, highest: number];

/** Undefined where the values take more steps than there are. */
function wholeSteps(
  { range, offset = 0 }: Scaled,
  resolution: number,
  { low, high, hasMissing }: ValueRange,
  [lowest, highest]: Limits,
  unit: string,
  factor: number,
): Attempt | undefined {
  if (!(resolution > 0) || !Number.isFinite(resolution) || !Number.isFinite(offset)) return undefined;
  const stepsOf = (x: number) => Math.round((x - offset) / resolution);
  const [first, last] = low <= high ? [stepsOf(low), stepsOf(high)] : [0, 0];
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return undefined;
  if (last - first > highest - lowest) return undefined;
  // Where all integers fit as they are, they stay; else they move together.
  const below = hasMissing && last - first < highest - lowest ? first - 1 : first;
  const shift = below >= lowest && last <= highest ? 0 : Math.round((below + last) / 2);
  const physicalAt = (digital: number) => (offset + (digital + shift) * resolution) * factor;
  const endAt = (digital: number): End => {
    const value = physicalAt(digital);
    return { digital, value, error: fieldError(value) };
  };
  const scaleOf = (a: End, b: End): Attempt => ({
    scale: {
      ...{ resolution, offset, shift, unit },
      ...{ physicalMin: textOf(a.value), physicalMax: textOf(b.value) },
      ...{ digitalMin: a.digital, digitalMax: b.digital },
    },
    error: Math.max(a.error, b.error) / (resolution * factor),
  });
  const given = range?.map((end) => stepsOf(end) - shift);
  if (given && given[0]! >= lowest && given[1]! <= highest && given[0]! < given[1]!) {
    const attempt = scaleOf(endAt(given[0]!), endAt(given[1]!));
    const isRoomy = !hasMissing || given[0]! <= below - shift;
    if (attempt.error <= 1e-6 && isRoomy) return attempt;
  }
  // Ends that have too many digits even without a point are passed over.
  const digitalAt = (value: number) => (value / factor - offset) / resolution - shift;
  const [bottom, top] = [Math.ceil(digitalAt(-9_999_999)), Math.floor(digitalAt(99_999_999))];
  const inner = Math.max(last - shift, below - shift + 1, 1);
  const least = Math.min(below - shift, inner - 1, -1);
  return scaleOf(
    bestEnd(clamp(bottom, lowest, least), Math.max(lowest, least), endAt, resolution * factor),
    bestEnd(clamp(top, inner, highest), Math.min(highest, inner), endAt, resolution * factor),
  );
}

const clamp = (x: number, low: number, high: number) => Math.max(low, Math.min(high, x));

interface End {
  readonly digital: number;
  /** Physical. */
  readonly value: number;
  /** What writing it in 8 characters changes. */
  readonly error: number;
}

/** Digital ends tried: enough for a decimal of five digits to come out even. */
const mostTried = 70_000;

/** Of the ends from `from` inwards to `to`, the first that the header can say exactly, else that it says best. */
function bestEnd(from: number, to: number, endAt: (digital: number) => End, step: number): End {
  const inwards = from <= to ? 1 : -1;
  const count = Math.min(mostTried, Math.abs(to - from));
  let best = endAt(from);
  for (let i = 1; i <= count && best.error > 1e-9 * step; i++) {
    const end = endAt(from + i * inwards);
    if (end.error < best.error) best = end;
  }
  return best;
}

const powers = Array.from({ length: 8 }, (_, i) => 10 ** i);

/** Decimals that a field of 8 characters has room for; negative where the number itself does not fit. */
function decimalsOf(value: number): number {
  const magnitude = Math.abs(value);
  const room = value < 0 ? 7 : 8;
  const whole = magnitude < 1 ? 1 : Math.floor(Math.log10(magnitude)) + 1;
  return whole > room ? -1 : Math.max(0, room - whole - 1);
}

function fieldError(value: number): number {
  const power = powers[decimalsOf(value)];
  if (power === undefined) return Number.POSITIVE_INFINITY;
  const error = Math.abs(Math.round(value * power) / power - value);
  // Doubles of one decimal differ in their last digits by how they were computed.
  return error <= Math.abs(value) * 1e-14 ? 0 : error;
}

/** Without an exponent, which not every reader knows. */
function textOf(value: number): string {
  const text = value.toFixed(Math.max(0, decimalsOf(value)));
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  // 9.9999999 becomes 10.000000, a digit longer.
  return short === '-0' ? '0' : short.length <= 8 ? short : String(Math.trunc(value));
}

function finestScale(
  { low, high, hasMissing }: ValueRange,
  [lowest, highest]: Limits,
  unit: string,
  factor: number,
): Attempt | undefined {
  const [a, b] = low > high ? [0, 0] : [low * factor, high * factor];
  // A constant lies in the middle of twice its size, at most ±1: what is small is not lost in a large step. A constant
  // zero gets whole steps, of which 0 is one.
  const around = Math.min(1, Math.abs(a));
  const [bottom, top] = a !== b ? [a, b] : a === 0 ? [lowest, highest] : [a - around, a + around];
  // Missing samples take the lowest integer for themselves.
  const [min, max] = [
    roundedOut(hasMissing && a !== b ? bottom - (top - bottom) / 2 ** 14 : bottom, Math.floor),
    roundedOut(top, Math.ceil),
  ];
  if (min === undefined || max === undefined) return undefined;
  const step = (Number(max) - Number(min)) / (highest - lowest);
  // Rounded outwards, a range may become wider than the values: a hundredth of the resolution is not worth another unit.
  const spread = (Number(max) - Number(min)) / (top - bottom);
  return {
    scale: {
      ...{ resolution: step / factor, offset: (Number(min) - lowest * step) / factor, shift: 0, unit },
      ...{ physicalMin: min, physicalMax: max, digitalMin: lowest, digitalMax: highest },
    },
    error: (spread - 1) * 10,
  };
}

/** A bound in at most 8 characters that still encloses the value, if there is one. */
function roundedOut(bound: number, round: (x: number) => number): string | undefined {
  for (let decimals = 6; decimals >= 0; decimals--) {
    const text = String(round(bound * 10 ** decimals) / 10 ** decimals);
    if (/^-?[\d.]{1,8}$/.test(text) && text.length <= 8) return text;
  }
  return undefined;
}
