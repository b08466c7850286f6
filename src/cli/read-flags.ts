/** Flags of verbs that read recordings, and the opening of what a user names: a path, or `-` for standard input. */
import { Readable } from 'node:stream';
import type { TypedFlagParameter } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import { streamSource } from '../core/streams.ts';
import { fileSource } from '../read/file-node.ts';
import { openRecording } from '../read/open.ts';
import type { ReadOptions } from '../read/options.ts';
import { optionalText } from './command.ts';

export interface ReadFlags {
  readonly tolerant: boolean;
  readonly inputRate?: number;
  readonly inputUnit?: string;
  readonly part?: string;
}

/** `--tolerant`. */
export const tolerantFlag = {
  tolerant: {
    kind: 'boolean',
    brief: 'Open truncated files up to their last whole record',
    default: false,
  } satisfies TypedFlagParameter<boolean>,
} as const;

/** `--tolerant`, `--input-rate`, `--input-unit`, `--part`. */
export const readFlags = {
  ...tolerantFlag,
  inputRate: {
    kind: 'parsed',
    parse: (input: string) => parseRate('--input-rate', input),
    brief: 'Sampling rate of files that do not say theirs (CSV, NPY)',
    optional: true,
    placeholder: 'Hz',
  } satisfies TypedFlagParameter<number | undefined>,
  inputUnit: optionalText('Unit of files that do not say theirs: uV, mV', 'unit'),
  part: optionalText(
    'Which of several recordings in a file: a stream (XDF), a variable (MAT), a row (HDF5)',
    'part',
  ),
} as const;

/** The reader's options as the flags say. */
export function readOptionsOf({ tolerant, inputRate, inputUnit, part }: ReadFlags): ReadOptions {
  return {
    tolerant,
    ...(inputRate === undefined ? {} : { rateHz: inputRate }),
    ...(inputUnit === undefined ? {} : { unit: inputUnit }),
    ...(part === undefined ? {} : { part }),
  };
}

/**
 * Open a recording by its path, or standard input by `-`. Errors as `openRecordingFile` and `streamSource`; files are closed
 * where opening fails.
 */
export async function openInput(path: string, options: ReadOptions): Promise<Recording> {
  const source =
    path === '-'
      ? await streamSource('standard input', Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>)
      : await fileSource(path);
  try {
    return await openRecording(source, options);
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
