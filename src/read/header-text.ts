/** Text fields of file headers → strings and numbers: fixed width, padded with spaces or NULs, Latin-1. */

import { FormatError, ShapeError } from '../core/errors.ts';
import type { Channel } from '../core/recording.ts';

/** Bytes [start, end) as ISO 8859-1, one character a byte; NULs end up as spaces, then trimmed. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let i = start; i < Math.min(end, bytes.length); i++) text += String.fromCharCode(bytes[i]! || 0x20);
  return text.trim();
}

/** Bytes as characters, one each, as they are: for the marks that formats begin with. Every byte is 0–255. */
export function characters(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A decimal number, comma or point, or undefined where the text is none: `1e3`, `-1,5`, `+7.`. */
export function decimal(text: string): number | undefined {
  const match = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.exec(text.replace(',', '.').trim());
  if (!match) return undefined;
  const value = Number(match[0]);
  return Number.isFinite(value) ? value : undefined;
}

/** Can a recording have this rate? Beyond a sample in 11 days or in a nanosecond a header is damaged. */
export function isRate(hertz: number): boolean {
  return hertz >= 1e-6 && hertz <= 1e9;
}

/** Can a recording last or be this far from its start? 1e12 s are 30,000 years. */
export function isTime(seconds: number): boolean {
  return Math.abs(seconds) <= 1e12;
}

/**
 * A calendar date and time of day → Date; `month` counts from 1. Undefined where there is no such day or time.
 * `Date.UTC` alone takes the years 0–99 for 1900–1999.
 */
export function utcDate(
  ...[year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0]: [
    year: number,
    month: number,
    day: number,
    hour?: number,
    minute?: number,
    second?: number,
    millisecond?: number,
  ]
): Date | undefined {
  const date = new Date(Date.UTC(2000, 0, 1, hour, minute, second, millisecond));
  date.setUTCFullYear(year, month - 1, day);
  const isDate = date.getUTCDate() === day && date.getUTCMonth() === month - 1;
  return isDate && hour < 24 && minute < 60 && second < 60 ? date : undefined;
}

/** Text as it may stand in a message: cut, quoted, control characters shown as `·`. */
export function quoted(text: string): string {
  const cut = text.length > 40 ? `${text.slice(0, 37)}…` : text;
  return `'${[...cut].map((c) => (c < ' ' || (c > '~' && c < '\u00a0') ? '·' : c)).join('')}'`;
}

/** The memory for `length` samples: `into`, or fresh. ShapeError where `into` has another length. */
export function roomFor(length: number, into?: Float64Array): Float64Array {
  if (!into || into.length === length) return into ?? new Float64Array(length);
  throw new ShapeError(
    `read: ${length} samples were asked for, there is room for ${into.length}. Give an array of that length.`,
    'read',
    `[${length}]`,
    `[${into.length}]`,
  );
}

/** Throw a FormatError unless samples [start, end) of `channel` exist. */
export function checkSamples(
  where: string,
  source: string,
  channels: readonly Channel[],
  channel: number,
  start: number,
  end: number,
): void {
  const found = channels[channel];
  if (!found)
    throw new FormatError(
      `${where}: channel ${channel} was asked for, there are ${channels.length}.`,
      source,
    );
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end) {
    if (end <= found.lengthSamples) return;
  }
  throw new FormatError(
    `${where}: samples ${start}–${end} of ${quoted(found.name)} were asked for, it has ${found.lengthSamples}.`,
    source,
  );
}
