/** Flags of verbs that read recordings, and the opening of what a user names: a path, or `-` for standard input. */
import { Readable } from 'node:stream';
import type { TypedFlagParameter } from '@stricli/core';
import { defaultMaxElements } from '../core/budget.ts';
import { ConfigError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import { streamSource } from '../core/streams.ts';
import { microvolts } from '../core/units.ts';
import type { InputOptions } from '../datasets/trial-files.ts';
import { fileSource } from '../read/file-node.ts';
import { openRecording } from '../read/open.ts';
import { selectRecording } from '../signal/select.ts';
import { optionalText } from './command.ts';

export interface ReadFlags extends StatedFlags {
  readonly part?: string;
}

/** What is stated of every recording that a verb reads. */
export interface StatedFlags {
  readonly tolerant: boolean;
  readonly inputRate?: number;
  readonly inputUnit?: string;
  readonly inputBits?: '16' | '32';
  readonly channels?: readonly string[];
  readonly maxElements?: number;
}

/**
 * `--tolerant`, `--max-elements`, and what a file does not say itself: `--input-rate`, `--input-unit`, `--input-bits`,
 * `--channels`. For every verb that reads recordings; what a file contradicts is refused (read/stated.ts).
 */
export const statedFlags = {
  tolerant: {
    kind: 'boolean',
    brief: 'Open truncated files up to their last whole record',
    default: false,
  } satisfies TypedFlagParameter<boolean>,
  inputRate: {
    kind: 'parsed',
    parse: (input: string) => parseRate('--input-rate', input),
    brief: 'Sampling rate of files that do not say theirs (CSV, NPY)',
    optional: true,
    placeholder: 'Hz',
  } satisfies TypedFlagParameter<number | undefined>,
  inputUnit: {
    kind: 'parsed',
    parse: parseUnit,
    brief: 'Unit of channels whose file states none: uV, mV',
    optional: true,
    placeholder: 'unit',
  } satisfies TypedFlagParameter<string | undefined>,
  inputBits: {
    kind: 'enum',
    values: ['16', '32'],
    brief: 'Bits of a sample in files that do not say it (Neuroscan CNT)',
    optional: true,
  } satisfies TypedFlagParameter<'16' | '32' | undefined>,
  channels: {
    kind: 'parsed',
    parse: parseChannels,
    brief: "Which channels, with commas: names, globs (EEG*), #index, '!EMG*' for all others",
    optional: true,
    placeholder: 'names',
  } satisfies TypedFlagParameter<readonly string[] | undefined>,
  maxElements: {
    kind: 'parsed',
    parse: parseCount,
    brief: `Cells, texts, channels, annotations that a file may hold (default ${defaultMaxElements})`,
    optional: true,
    placeholder: 'count',
  } satisfies TypedFlagParameter<number | undefined>,
} as const;

/** The same, and `--part`, for verbs that are given files. */
export const readFlags = {
  ...statedFlags,
  part: optionalText(
    'Which of several recordings in a file: a stream (XDF), a variable (MAT), a row (HDF5)',
    'part',
  ),
} as const;

/** What is said of every recording, as the flags say. `signal`: the verb's, which ends the reading of a file, too. */
export function inputOptionsOf(flags: ReadFlags, signal: AbortSignal): InputOptions {
  const { tolerant, inputRate, inputUnit, inputBits, part, channels, maxElements } = flags;
  return {
    tolerant,
    signal,
    ...(maxElements === undefined ? {} : { maxElements }),
    ...(inputRate === undefined ? {} : { rateHz: inputRate }),
    ...(inputUnit === undefined ? {} : { unit: inputUnit }),
    ...(inputBits === undefined ? {} : { sampleBits: inputBits === '16' ? 16 : 32 }),
    ...(part === undefined ? {} : { part }),
    ...(channels === undefined ? {} : { channels }),
  };
}

/** The first flag by which something besides `--tolerant` is stated, for whom it is of no use: datasets, stores. */
export function statedFlagOf({ rateHz, unit, sampleBits, channels }: InputOptions): string | undefined {
  const given = {
    '--input-rate': rateHz,
    '--input-unit': unit,
    '--input-bits': sampleBits,
    '--channels': channels,
  };
  return Object.entries(given).find(([, value]) => value !== undefined)?.[0];
}

/**
 * Open a recording by its path, or standard input by `-`. Errors as `openRecordingFile` and `streamSource`; files are closed
 * where opening fails.
 */
export async function openInput(path: string, { channels, ...options }: InputOptions): Promise<Recording> {
  const source =
    path === '-'
      ? await streamSource('standard input', Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>)
      : await fileSource(path);
  try {
    const recording = await openRecording(source, options);
    return channels === undefined ? recording : selectRecording(recording, { channels });
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** A rate in hertz; ConfigError for anything else. */
export function parseRate(flag: string, input: string): number {
  const value = Number(input);
  if (input.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new ConfigError(`${flag}: '${input}' is no rate. Give hertz, above 0.`, flag, 'above 0');
}

/** Seconds, or `minutes:seconds`, or `hours:minutes:seconds`; ConfigError for anything else. */
export function parseTime(flag: string, input: string): number {
  const parts = input.split(':');
  const isTime = parts.length <= 3 && parts.every((part) => /^\d+(\.\d+)?$/.test(part));
  if (!isTime)
    throw new ConfigError(
      `${flag}: '${input}' is no time. Give seconds, m:s or h:m:s from the recording's start.`,
      flag,
      'seconds, m:s, h:m:s',
    );
  return parts.reduce((seconds, part) => 60 * seconds + Number(part), 0);
}

/** A whole number above 0; ConfigError for anything else. */
function parseCount(input: string): number {
  const value = Number(input);
  if (/^\d+$/.test(input) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new ConfigError(
    `--max-elements: '${input}' is no count. Give a whole number above 0.`,
    '--max-elements',
    'above 0',
  );
}

function parseUnit(input: string): string {
  if (microvolts(input) !== undefined) return input;
  throw new ConfigError(
    `--input-unit: '${input}' is not a voltage that heartmind knows. Give nV, uV, mV or V.`,
    '--input-unit',
    'nV, uV, mV, V',
  );
}

/** Names or patterns, with commas; ConfigError for an empty one. */
export function parseChannels(input: string): string[] {
  const names = input.split(',').map((name) => name.trim());
  if (names.some((name) => name === ''))
    throw new ConfigError(`--channels: '${input}' has an empty name. Write Fp1,Fp2.`, '--channels');
  return names;
}
