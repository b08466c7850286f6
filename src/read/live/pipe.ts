/**
 * Samples from a pipe → live pieces: lines of delimited text, or interleaved binary numbers (little-endian), as devices'
 * command-line tools write them. Nothing is invented or moved: what cannot be read is missing, and counted.
 */

import { ConfigError, FormatError, InterruptedError } from '../../core/errors.ts';
import { customUnit } from '../../core/units.ts';
import type { LivePiece, LiveSource } from './live.ts';
import { CountedNotes, type NoteListener } from './notes.ts';
import { TextLines, TextRows } from './pipe-text.ts';

export const pipeTypes = ['text', 'int16', 'int32', 'float32', 'float64'] as const;
export type PipeType = (typeof pipeTypes)[number];

export interface PipeOptions {
  readonly type: PipeType;
  /** Hz; of all channels. */
  readonly rateHz: number;
  /** Of columns that do not say theirs. Microvolt unless said otherwise, which is noted. */
  readonly unit?: string;
  /** Names of the channels, in order. Text whose first line is a header names its own. */
  readonly channels?: readonly string[];
  /** Ends the wait for the first line. */
  readonly signal?: AbortSignal;
  /** Hears what was skipped, guessed or missing. */
  readonly onNote?: NoteListener;
}

/** Work between two turns of the event loop, in milliseconds: a full pipe shall not keep Ctrl-C from being heard. */
const breathMs = 50;

/** Read a pipe. ConfigError where rate or channels are missing, FormatError where nothing in it is a sample. */
export async function pipeSource(
  name: string,
  stream: ReadableStream<Uint8Array>,
  options: PipeOptions,
): Promise<LiveSource> {
  const { type, rateHz, unit, channels, signal, onNote = () => undefined } = options;
  if (!(rateHz > 0))
    throw new ConfigError(`${name}: a pipe does not say its rate. Give --input-rate.`, '--input-rate');
  const reader = stream.getReader();
  const notes = new CountedNotes(name, onNote);
  const next = breathing(reader);
  const input =
    type === 'text'
      ? await textInput(name, next, reader, channels, notes, signal)
      : binaryInput(name, type, channels, notes);
  if (unit === undefined && input.columns.some((column) => column.unit === ''))
    onNote(`${name}: no unit is stated, microvolt is assumed. --input-unit states one.`);
  return {
    name,
    channels: input.columns.map((column) => ({
      name: column.name,
      unit: column.unit || (unit ?? ''),
      ...(column.unit === '' && unit === undefined && { assumedUnit: customUnit }),
      rateHz,
    })),
    async *pieces(stopSignal) {
      const stop = () => void reader.cancel().catch(() => undefined);
      stopSignal.addEventListener('abort', stop);
      if (stopSignal.aborted) stop();
      try {
        for (const samples of input.begun()) yield { samples };
        for (;;) {
          const { done, value } = await next();
          const samples = done ? input.end() : input.push(value);
          if (samples[0] !== undefined && samples[0].length > 0) yield { samples } satisfies LivePiece;
          if (done) return;
        }
      } finally {
        stopSignal.removeEventListener('abort', stop);
        notes.finish();
      }
    },
    close: () => reader.cancel().catch(() => undefined),
  };
}

type Next = () => Promise<ReadableStreamReadResult<Uint8Array>>;

/** The next bytes; now and then the event loop has its turn first. */
function breathing(reader: ReadableStreamDefaultReader<Uint8Array>): Next {
  let since = performance.now();
  return async () => {
    if (performance.now() - since > breathMs) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      since = performance.now();
    }
    return reader.read();
  };
}

interface Input {
  readonly columns: readonly { readonly name: string; readonly unit: string }[];
  /** What came with the header. */
  begun(): Iterable<Float64Array[]>;
  push(bytes: Uint8Array): Float64Array[];
  end(): Float64Array[];
}

function binaryInput(
  name: string,
  type: Exclude<PipeType, 'text'>,
  channels: readonly string[] | undefined,
  notes: CountedNotes,
): Input {
  if (!channels || channels.length === 0)
    throw new ConfigError(
      `${name}: binary samples do not name their channels. Give --channels.`,
      '--channels',
    );
  const width = { int16: 2, int32: 4, float32: 4, float64: 8 }[type];
  const get = { int16: 'getInt16', int32: 'getInt32', float32: 'getFloat32', float64: 'getFloat64' } as const;
  const frame = width * channels.length;
  let rest = new Uint8Array(0);
  return {
    columns: channels.map((channel) => ({ name: channel, unit: '' })),
    begun: () => [],
    push(bytes) {
      const all = new Uint8Array(rest.length + bytes.length);
      all.set(rest);
      all.set(bytes, rest.length);
      const frames = Math.floor(all.length / frame);
      const view = new DataView(all.buffer);
      rest = all.slice(frames * frame);
      return channels.map((_, c) =>
        Float64Array.from({ length: frames }, (_, i) => view[get[type]](i * frame + c * width, true)),
      );
    },
    end() {
      if (rest.length > 0)
        notes.add(
          `bytes at the end are no whole frame of ${frame} and were left out (else check --channels and --input-type)`,
          rest.length,
        );
      return [];
    },
  };
}

async function textInput(
  name: string,
  next: Next,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  given: readonly string[] | undefined,
  notes: CountedNotes,
  signal: AbortSignal | undefined,
): Promise<Input> {
  const text = new TextLines(name);
  const rows = new TextRows(name, given, notes);
  const stop = () => void reader.cancel().catch(() => undefined);
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  let first: Float64Array[] = [];
  try {
    while (!rows.columns) {
      const { done, value } = await next();
      if (done && signal?.aborted)
        throw new InterruptedError(`${name}: stopped before the first line came. Nothing was read.`);
      if (done && !text.isOpen)
        throw new FormatError(`${name}: ended before its first line. Nothing was sent.`, name);
      if (done) {
        const torn = text.end();
        throw new FormatError(
          `${name}: ended within its first line ('${torn.slice(0, 40)}'). No sample was sent.`,
          name,
        );
      }
      first = rows.push(text.push(value));
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  return {
    columns: rows.columns,
    begun: () => ((first[0]?.length ?? 0) > 0 ? [first] : []),
    push: (bytes) => rows.push(text.push(bytes)),
    end() {
      const torn = text.end();
      if (torn !== '') notes.add('line at the end had no line end and was left out, as it may be torn');
      return [];
    },
  };
}
