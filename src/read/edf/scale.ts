/**
 * How values become the stored integers of an EDF or BDF signal: (values, resolution) → digital and physical ranges.
 * Channels with a resolution keep their integers; the header's fields of 8 characters must then say that scale, so ends
 * of the range are sought that 8 characters hold exactly. Others get the finest scale that holds their values.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Channel } from '../../core/recording.ts';

/** What a channel's samples reach; low > high where there are none. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
  /** Are some NaN? */
  readonly hasMissing: boolean;
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

/** The scale of a channel in `bits` of storage. ConfigError where its values do not fit. */
export function scaleFor(channel: Scaled, values: ValueRange, bits: 16 | 24): StoredScale {
  const factors: readonly (readonly [string, number])[] =
    channel.unit === 'V'
      ? [
          ['V', 1],
          ['uV', 1e6],
        ]
      : channel.unit === 'mV'
        ? [
            ['mV', 1],
            ['uV', 1e3],
          ]
        : [[channel.unit, 1]];
  const limits = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] as const;
  const attempt = ([unit, factor]: readonly [string, number]) =>
    channel.resolution === undefined
      ? finestScale(values, limits, unit, factor)
      : wholeSteps(channel, channel.resolution, values, limits, unit, factor);
  const [first, other] = [attempt(factors[0]!), factors[1]];
  const second = first.error > tolerableError && other ? attempt(other) : first;
  const best = second.error < first.error ? second : first;
  if (best.error < 0.5) return best.scale;
  throw new ConfigError(
    `edf: the ends of '${channel.name}', ${values.low} and ${values.high} ${channel.unit}, do not fit a header field of 8 characters. Use another unit.`,
    'unit',
  );
}

/** A scale and how wrong the header's digits make it at its ends, in steps. */
interface Attempt {
  readonly scale: StoredScale;
  readonly error: number;
}
/** Steps: not worth another unit. */
const tolerableError = 0.1;

type Limits = readonly [lowest: number, highest: number];

function wholeSteps(
  { name, range, offset = 0 }: Scaled,
  resolution: number,
  { low, high, hasMissing }: ValueRange,
  [lowest, highest]: Limits,
  unit: string,
  factor: number,
): Attempt {
  const stepsOf = (x: number) => Math.round((x - offset) / resolution);
  const [first, last] = low <= high ? [stepsOf(low), stepsOf(high)] : [0, 0];
  if (last - first > highest - lowest) {
    throw new ConfigError(
      `edf: '${name}' reaches from ${low} to ${high}, more than ${highest > 32767 ? '24 bits' : '16 bits'} at a resolution of ${resolution}. ${highest > 32767 ? 'Write a format of floating point numbers.' : 'Write .bdf, which has 24 bits, or choose other channels.'}`,
      'resolution',
    );
  }
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
  const inner = Math.max(last - shift, below - shift + 1, 1);
  const least = Math.min(below - shift, inner - 1, -1);
  return scaleOf(
    bestEnd(lowest, Math.max(lowest, least), endAt, resolution * factor),
    bestEnd(highest, Math.min(highest, inner), endAt, resolution * factor),
  );
}

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
): Attempt {
  const [a, b] = low > high ? [0, 0] : [low * factor, high * factor];
  const [bottom, top] = a === b ? [a - 1, b + 1] : [a, b];
  // Missing samples take the lowest integer for themselves.
  const [min, max] = [
    roundedOut(hasMissing ? bottom - (top - bottom) / 2 ** 14 : bottom, Math.floor),
    roundedOut(top, Math.ceil),
  ];
  const step = (Number(max) - Number(min)) / (highest - lowest);
  // Rounded outwards, a range may become wider than the values: a hundredth of the resolution is not worth another unit.
  const spread = (Number(max) - Number(min)) / (top - bottom);
  return {
    scale: {
      ...{ resolution: step / factor, offset: (Number(min) - lowest * step) / factor, shift: 0, unit },
      ...{ physicalMin: min, physicalMax: max, digitalMin: lowest, digitalMax: highest },
    },
    error: Math.min(0.499, (spread - 1) * 10),
  };
}

/** A bound in at most 8 characters that still encloses the value. */
function roundedOut(bound: number, round: (x: number) => number): string {
  for (let decimals = 6; decimals >= 0; decimals--) {
    const text = String(round(bound * 10 ** decimals) / 10 ** decimals);
    if (text.length <= 8 && !text.includes('e')) return text;
  }
  throw new ConfigError(
    `edf: ${bound} does not fit a header field of 8 characters. Use a larger unit.`,
    'unit',
  );
}
