/**
 * What every verb shares: typed flags, the context, errors → exit codes, Ctrl-C.
 * Exit codes: 0 done, 1 a bug in heartmind, 2 wrong usage or recipe, 3 data that cannot be used, 4 engine or device,
 * 5 a file could not be written, 6 a training diverged, 130 stopped by the user (a checkpoint is written).
 */
import { ArgumentParseError, type CommandContext, type TypedFlagParameter } from '@stricli/core';
import { ConfigError, type ErrorName, HeartmindError } from '../core/errors.ts';
import { visibleLine, visibleText } from '../core/visible-text.ts';
import { type InferencePrecision, inferencePrecisions } from '../model/precision.ts';
import type { Backend, Device } from '../runtime/backend.ts';
import { createNodeBackend } from '../runtime/ort-node.ts';
import { createProgress, type Progress, type ProgressMode } from '../train/progress.ts';
import { styled } from './standard-streams.ts';

export interface Context extends CommandContext {
  /** Aborted by the first Ctrl-C: long work stops at the next step and saves itself. */
  readonly signal: AbortSignal;
}

const exitCodes: Readonly<Record<ErrorName, number>> = {
  ConfigError: 2,
  FormatError: 3,
  UnsupportedError: 3,
  ChannelError: 3,
  ShapeError: 3,
  DataError: 3,
  BackendError: 4,
  StorageError: 5,
  DivergenceError: 6,
  InterruptedError: 130,
};

/** The exit code of whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  return error instanceof HeartmindError ? exitCodes[error.name] : 1;
}

/** The message for the terminal: a heartmind error by its message alone, a bug with its stack. */
export function describeError(error: unknown, debug: boolean): string {
  if (error instanceof HeartmindError)
    return debug ? visibleText(error.stack ?? error.message) : visibleLine(error.message);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `heartmind: unexpected error, please report it.\n${visibleText(text)}`;
}

/** A wrong flag or argument: our own parsers name the flag themselves, stricli's messages lack the full stop. */
export function describeUsageError(error: unknown): string {
  const cause = error instanceof ArgumentParseError ? error.exception : error;
  const text = visibleLine((cause instanceof ConfigError ? cause : (error as Error)).message);
  return `${text}${/[.?!]$/.test(text) ? '' : '.'} See --help.`;
}

export interface EngineFlags {
  readonly device: 'auto' | Device;
  readonly threads?: number;
}

export interface WorkFlags extends EngineFlags {
  readonly progress: ProgressMode;
}

/** `--device`, `--threads`. */
export const engineFlags = {
  device: {
    kind: 'enum',
    values: ['auto', 'cpu', 'webgpu', 'cuda'],
    brief: 'Where to compute (default: auto)',
    default: 'auto',
  } satisfies TypedFlagParameter<'auto' | Device>,
  threads: {
    kind: 'parsed',
    parse: parseCount('--threads'),
    brief: 'Threads of the engine (default: one per core)',
    optional: true,
    placeholder: 'n',
  } satisfies TypedFlagParameter<number | undefined>,
} as const;

/** `--device`, `--threads`, `--progress`. */
export const workFlags = {
  ...engineFlags,
  progress: {
    kind: 'enum',
    values: ['auto', 'json', 'none'],
    brief: 'Progress on stderr: a live line, JSON lines, or none (default: auto)',
    default: 'auto',
  } satisfies TypedFlagParameter<ProgressMode>,
} as const;

/** `--json`. */
export const jsonFlag = {
  json: {
    kind: 'boolean',
    brief: 'Print JSON for machines',
    default: false,
  } satisfies TypedFlagParameter<boolean>,
} as const;

export function createBackend(flags: EngineFlags): Promise<Backend> {
  return createNodeBackend({
    device: flags.device,
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
  });
}

export function createWorkProgress(flags: WorkFlags): Progress {
  return createProgress(flags.progress, styled(process.stderr));
}

/** A parser of whole numbers ≥ `minimum` for a flag. */
export function parseCount(flag: string, minimum = 1): (input: string) => number {
  return (input) => {
    const value = Number(input);
    if (!Number.isInteger(value) || value < minimum) {
      throw new ConfigError(
        `${flag}: '${input}' is not a whole number of at least ${minimum}.`,
        flag,
        `≥ ${minimum}`,
      );
    }
    return value;
  };
}

/** A flag that takes a text and must be given. */
export function requiredText(brief: string, placeholder: string) {
  return { kind: 'parsed', parse: parseText, brief, placeholder } as const;
}

/** A flag that takes a text. */
export function optionalText(brief: string, placeholder: string) {
  return { ...requiredText(brief, placeholder), optional: true } as const;
}

/** `--model` of verbs that take a run's folder. */
export const modelNameFlag = {
  model: optionalText("Which of a run's models: eeg, ecg, eeg+ecg", 'name'),
} as const;

/** `--precision` of verbs that run or write a model. */
export const inferencePrecisionFlag = {
  precision: {
    kind: 'enum',
    values: inferencePrecisions,
    brief:
      'Numbers to compute in: int8 makes files smaller and the cpu faster, at a small cost (default: float32)',
    default: 'float32',
  } satisfies TypedFlagParameter<InferencePrecision>,
} as const;

/** Parser of a plain string. */
export function parseText(input: string): string {
  return input;
}

/** What was asked, for a result that is kept: without the places of this machine. */
export function describeCommand(given: readonly string[] = process.argv.slice(2)): string {
  const words = given.map((word) => word.split(',').map(withoutPlace).join(','));
  const without = new Set(['--out', '--progress', '--threads', '--device']);
  const kept = words.filter(
    (word, i) => word !== '--json' && !without.has(word) && !without.has(words[i - 1] ?? ''),
  );
  return `heartmind ${kept.join(' ')}`;
}

/** Weights by their name and folder, as runs name them alike; another file by its name, a folder as PATH. */
function withoutPlace(word: string): string {
  const named = /^([\w-]+=)?(.*[\\/].*)$/.exec(word);
  if (!named) return word;
  const [, name = '', path] = named;
  const parts = path!.split(/[\\/]/);
  if (!/\.\w+$/.test(path!)) return `${name}PATH`;
  return name + parts.slice(path!.endsWith('.safetensors') ? -2 : -1).join('/');
}
