/**
 * Samples from a pipe → live pieces: lines of delimited text, or interleaved binary numbers (little-endian), as devices'
 * command-line tools write them.
 */
import { ConfigError, FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import type { LivePiece, LiveSource } from './live.ts';

export const pipeTypes = ['text', 'int16', 'int32', 'float32', 'float64'] as const;
export type PipeType = (typeof pipeTypes)[number];

export interface PipeOptions {
  readonly type: PipeType;
  /** Hz; of all channels. */
  readonly rateHz: number;
  /** `uV` unless said otherwise. */
  readonly unit?: string;
  /** Names of the channels, in order. Text whose first line is a header names its own. */
  readonly channels?: readonly string[];
}

/** A line longer than this is no line of samples. */
const maxLineCharacters = 1 << 20;
/** Columns that say when, not what. */
const timeColumn = /^(time|timestamps?|t|date|seconds|ms|index|sample)\b/i;

/** Read a pipe. ConfigError where rate or channels are missing; FormatError with the line where text is no number. */
export async function pipeSource(
  name: string,
  stream: ReadableStream<Uint8Array>,
  { type, rateHz, unit = 'uV', channels }: PipeOptions,
): Promise<LiveSource> {
  if (!(rateHz > 0))
    throw new ConfigError(`${name}: a pipe does not say its rate. Give --input-rate.`, '--input-rate');
  const reader = stream.getReader();
  const input = type === 'text' ? await textInput(name, reader, channels) : binaryInput(name, type, channels);
  return {
    name,
    channels: input.names.map((channel) => ({ name: channel, unit, rateHz })),
    async *pieces(signal) {
      const stop = () => void reader.cancel().catch(() => undefined);
      signal.addEventListener('abort', stop);
      try {
        for (const samples of input.begun()) yield { samples };
        for (;;) {
          const { done, value } = await reader.read();
          const samples = done ? input.end() : input.push(value);
          if (samples[0] !== undefined && samples[0].length > 0) yield { samples } satisfies LivePiece;
          if (done) return;
        }
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    close: () => reader.cancel().catch(() => undefined),
  };
}

interface Input {
  readonly names: readonly string[];
  /** What came with the header. */
  begun(): Iterable<Float64Array[]>;
  push(bytes: Uint8Array): Float64Array[];
  end(): Float64Array[];
}

function binaryInput(name: string, type: Exclude<PipeType, 'text'>, channels?: readonly string[]): Input {
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
    names: channels,
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
      if (rest.length === 0) return [];
      throw new FormatError(
        `${name}: ends with ${rest.length} bytes of a frame of ${frame}. Check the number of channels and --input-type.`,
        name,
      );
    },
  };
}

async function textInput(
  name: string,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  given?: readonly string[],
): Promise<Input> {
  const decoder = new TextDecoder();
  let [text, line] = ['', 0];
  const take = (isEnd: boolean): string[] => {
    const lines = text.split(/\r?\n/);
    text = isEnd ? '' : lines.pop()!;
    if (text.length > maxLineCharacters)
      throw new FormatError(
        `${name}: a line is longer than ${maxLineCharacters} characters. It is no text.`,
        name,
      );
    return lines;
  };
  // The first line that says something is a header, or already samples.
  let lines: string[] = [];
  for (let ended = false; !ended && !lines.some(isSaying); ) {
    const { done, value } = await reader.read();
    text += done ? decoder.decode() : decoder.decode(value, { stream: true });
    lines = [...lines, ...take(done)];
    ended = done;
  }
  const at = lines.findIndex(isSaying);
  if (at < 0) throw new FormatError(`${name}: ended before its first line. Nothing was sent.`, name);
  const delimiter = [',', ';', '\t', ' '].find((one) => lines[at]!.includes(one)) ?? ',';
  const split = (row: string) =>
    row
      .trim()
      .split(delimiter)
      .map((field) => field.trim());
  const head = split(lines[at]!);
  const isHeader = head.some((field) => field !== '' && Number.isNaN(Number(field)) && !/^nan$/i.test(field));
  const columns = isHeader
    ? head.map((field) => field.replace(/^"(.*)"$/, '$1'))
    : head.map((_, i) => `${i + 1}`);
  const used = columns.flatMap((column, i) => (isHeader && timeColumn.test(column) ? [] : [i]));
  const names = given ?? used.map((i) => columns[i]!);
  if (names.length !== used.length)
    throw new ConfigError(
      `${name}: --channels names ${names.length}, the lines hold ${used.length}. Name each.`,
      '--channels',
    );
  line = at + (isHeader ? 1 : 0);
  const parse = (rows: readonly string[]): Float64Array[] => {
    const kept = rows.filter(isSaying);
    const samples = used.map(() => new Float64Array(kept.length));
    let row = 0;
    for (const text of rows) {
      line++;
      if (!isSaying(text)) continue;
      const fields = split(text);
      for (const [c, i] of used.entries()) {
        const field = fields[i];
        const value = field === '' || /^(nan|na)$/i.test(field ?? '') ? Number.NaN : Number(field);
        if (field === undefined || (Number.isNaN(value) && field !== '' && !/^(nan|na)$/i.test(field)))
          throw new FormatError(
            `${name}: line ${line} has ${quoted(field ?? 'nothing')} in column ${i + 1}, a number is needed.`,
            name,
          );
        samples[c]![row] = value;
      }
      row++;
    }
    return samples;
  };
  const first = lines.slice(at + (isHeader ? 1 : 0));
  return {
    names,
    begun: () => (first.length > 0 ? [parse(first)] : []),
    push(bytes) {
      text += decoder.decode(bytes, { stream: true });
      return parse(take(false));
    },
    end() {
      text += decoder.decode();
      return parse(take(true));
    },
  };
}

function isSaying(line: string): boolean {
  return line.trim() !== '' && !/^\s*[#%]/.test(line);
}
