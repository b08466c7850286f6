/** Small files in every format, built byte by byte, apart from the writers under test; and a source that counts. */
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';

export interface Requests {
  /** What reached the source, in order: file, first byte, byte after the last. */
  readonly asked: { name: string; start: number; end: number; byteLength: number }[];
  /** Bytes asked for so far. */
  total(): number;
  reset(): void;
}

/** A source in memory that notes each request for its bytes and its siblings', before it is checked. */
export function countingSource(
  name: string,
  bytes: Uint8Array,
  siblings: Readonly<Record<string, Uint8Array>> = {},
): { source: ByteSource; requests: Requests } {
  const asked: Requests['asked'] = [];
  const counted = (inner: ByteSource): ByteSource => ({
    ...inner,
    async read(start, end) {
      asked.push({ name: inner.name, start, end, byteLength: inner.byteLength });
      return inner.read(start, end);
    },
    async sibling(fileName) {
      const found = await inner.sibling?.(fileName);
      return found && counted(found);
    },
  });
  return {
    source: counted(bytesSource(name, bytes, siblings)),
    requests: {
      asked,
      total: () => asked.reduce((sum, { start, end }) => sum + end - start, 0),
      reset: () => {
        asked.length = 0;
      },
    },
  };
}

export interface EdfSignalParts {
  readonly label: string;
  readonly perRecord: number;
  /** Digital values of a record, or the text of its annotation lists. */
  readonly values: (record: number) => ArrayLike<number> | string;
  readonly unit?: string;
  readonly physical?: readonly [min: string, max: string];
  readonly digital?: readonly [min: string, max: string];
  readonly prefilter?: string;
  readonly transducer?: string;
}

export interface EdfParts {
  readonly signals: readonly EdfSignalParts[];
  readonly records: number;
  /** What the header says, where it is not the truth. */
  readonly promised?: string;
  readonly recordSeconds?: string;
  readonly reserved?: string;
  readonly patient?: string;
  readonly recording?: string;
  /** `dd.mm.yyhh.mm.ss` */
  readonly start?: string;
  readonly headerBytes?: string;
}

export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function int16(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setInt16(i * 2, values[i]!, true);
  return bytes;
}

export function edfFile({ signals, records, recordSeconds = '1', ...parts }: EdfParts): Uint8Array {
  const field = (text: string, width: number) => ascii(text.padEnd(width).slice(0, width));
  const column = (width: number, of: (signal: EdfSignalParts) => string) =>
    signals.map((signal) => field(of(signal), width));
  const header = [
    field('0', 8),
    field(parts.patient ?? 'X X X X', 80),
    field(parts.recording ?? 'Startdate X X X X', 80),
    field(parts.start ?? '03.02.2110.20.30', 16),
    field(parts.headerBytes ?? String(256 * (signals.length + 1)), 8),
    field(parts.reserved ?? 'EDF+C', 44),
    field(parts.promised ?? String(records), 8),
    field(recordSeconds, 8),
    field(String(signals.length), 4),
    ...column(16, ({ label }) => label),
    ...column(80, ({ transducer }) => transducer ?? ''),
    ...column(8, ({ unit }) => unit ?? 'uV'),
    ...column(8, ({ physical }) => physical?.[0] ?? '-3276.8'),
    ...column(8, ({ physical }) => physical?.[1] ?? '3276.7'),
    ...column(8, ({ digital }) => digital?.[0] ?? '-32768'),
    ...column(8, ({ digital }) => digital?.[1] ?? '32767'),
    ...column(80, ({ prefilter }) => prefilter ?? ''),
    ...column(8, ({ perRecord }) => String(perRecord)),
    ...column(32, () => ''),
  ];
  const data: Uint8Array[] = [];
  for (let record = 0; record < records; record++)
    for (const { perRecord, values } of signals) {
      const given = values(record);
      const block = new Uint8Array(perRecord * 2);
      block.set(typeof given === 'string' ? new TextEncoder().encode(given) : int16(given));
      data.push(block);
    }
  return concat(...header, ...data);
}

/** The annotation signal of a file whose records start at `onsets`, with further lists by record. */
export function annotationSignal(
  onsets: readonly string[],
  lists: Readonly<Record<number, string>> = {},
  perRecord = 40,
): EdfSignalParts {
  return {
    label: 'EDF Annotations',
    perRecord,
    unit: '',
    physical: ['-1', '1'],
    values: (record) => `${onsets[record]}\x14\x14\0${lists[record] ?? ''}`,
  };
}

/** WFDB format 212: two 12-bit samples in three bytes; a last odd sample takes two. */
export function format212(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length * 1.5));
  for (let i = 0, at = 0; i < values.length; i += 2, at += 3) {
    const [a, b] = [values[i]! & 0xfff, (values[i + 1] ?? 0) & 0xfff];
    bytes[at] = a;
    bytes[at + 1] = (a >> 8) | ((b >> 8) << 4);
    // Behind an odd last sample there is no third byte: writing to it does nothing.
    bytes[at + 2] = b;
  }
  return bytes;
}

/** One matrix of a level 4 MAT-file; `type` is the MOPT number. */
export function matrix(
  name: string,
  type: number,
  rows: number,
  columns: number,
  data: Uint8Array,
  imaginary = 0,
): Uint8Array {
  const isLittle = type < 1000;
  const head = new DataView(new ArrayBuffer(20));
  for (const [i, value] of [type, rows, columns, imaginary, name.length + 1].entries())
    head.setUint32(i * 4, value, isLittle);
  return concat(new Uint8Array(head.buffer), ascii(`${name}\0`), data);
}

/** Words of a MIT annotation file: [code, step, text?]; code 59 takes a step of 32 bits. */
export function annotationFile(
  notes: readonly (readonly [code: number, step: number, text?: string])[],
  end = true,
): Uint8Array {
  const bytes: number[] = [];
  const word = (value: number) => bytes.push(value & 0xff, (value >> 8) & 0xff);
  for (const [code, step, text] of notes) {
    if (code === 59) {
      word(59 << 10);
      word(step >> 16);
      word(step & 0xffff);
      continue;
    }
    word((code << 10) | step);
    if (text === undefined) continue;
    const encoded = new TextEncoder().encode(text);
    word((63 << 10) | encoded.length);
    bytes.push(...encoded);
    if (encoded.length % 2) bytes.push(0);
  }
  if (end) word(0);
  return Uint8Array.from(bytes);
}
