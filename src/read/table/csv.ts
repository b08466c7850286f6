/**
 * Delimited text (CSV, TSV and the like) → Recording, header and delimiter guessed: also exports of Muse (Mind Monitor,
 * muselsl), OpenBCI, Polar Sensor Logger, Empatica, rdsamp. The text is read once, from front to back; its columns stay.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { DataError, FormatError, UnsupportedError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { quoted } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { type CsvLayout, guessLayout } from './csv-layout.ts';
import { addRows, type CsvRows, emptyRows } from './csv-rows.ts';
import { type Table, type TableColumn, tableRecording } from './table.ts';

const headBytes = 128 * 1024;
const chunkBytes = 4 * 1024 * 1024;
/** Chunks of a local file stay in a processor's cache. */
const localChunkBytes = 1024 * 1024;
const gapBytes = 16 * 1024;
const mostLineBytes = 64 * 1024 * 1024;

/** Open a table of samples. FormatError where the rows do not fit their header, ConfigError where the rate is unknown. */
export async function openCsv(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  return tableRecording(await readCsv(source), options, async () => source.close?.());
}

/** The whole table. */
export async function readCsv(source: ByteSource): Promise<Table> {
  const { source: text, skip } = await asUtf8(source);
  const head = await text.read(skip, Math.min(text.byteLength, skip + headBytes));
  if (head.subarray(0, 4096).includes(0))
    throw new FormatError(
      `csv: ${source.name} is not text: it has a NUL at byte ${skip + head.indexOf(0)}.`,
      source.name,
      skip,
    );
  const layout = guessLayout(head, skip + head.length === text.byteLength);
  if (!layout)
    throw new DataError(
      `csv: ${source.name} has no row of numbers in its first ${head.length} bytes. Name a table of samples.`,
    );
  if (/^\d+(\.\d+)?,\s*IBI\s/.test(new TextDecoder().decode(head.subarray(0, 64))))
    throw new UnsupportedError(
      `csv: ${source.name} holds intervals between beats, not samples. Open the file with the signal (BVP.csv).`,
      'intervals between beats',
    );
  const rows = await parseAll(text, layout, skip + layout.dataStart, head.length);
  const log: string[] = [];
  if (rows.ragged > 0) {
    const fact = `${rows.ragged} rows do not have ${layout.kinds.length} cells, the first in line ${rows.firstRagged}`;
    if (rows.ragged > 1 + 0.1 * rows.rowCount)
      throw new FormatError(`csv: ${source.name}: ${fact}. Correct the file.`, source.name);
    log.push(`csv: ${fact}; they were left out.`);
  }
  if (rows.unreadable > 0)
    log.push(`csv: ${rows.unreadable} cells are no numbers (${quoted(rows.firstUnreadable)}); they are NaN.`);
  return tableOf(source.name, layout, rows, log);
}

/** All rows, chunk by chunk; the next one is fetched while one is parsed. */
async function parseAll(
  source: ByteSource,
  layout: CsvLayout,
  start: number,
  headLength: number,
): Promise<CsvRows> {
  const total = source.byteLength - start;
  const usual = source.isLocal ? localChunkBytes : chunkBytes;
  let rows: CsvRows | undefined;
  let rest: Uint8Array = new Uint8Array(0);
  const fetch = (at: number, size: number, room?: Uint8Array): Promise<Chunk> => {
    const end = Math.min(source.byteLength, at + size);
    // Room before for the last chunk's unfinished row, and behind for a byte that ends the last row.
    const memory =
      room && room.length >= size + 2 * gapBytes ? room : new Uint8Array(end - at + 2 * gapBytes);
    const into = memory.subarray(gapBytes, gapBytes + end - at);
    const found = source.read(at, end, into).then((bytes) => {
      if (bytes.buffer !== memory.buffer) into.set(bytes);
      return { memory, end };
    });
    // It may fail while nobody waits for it yet.
    found.catch(() => undefined);
    return found;
  };
  let next: Promise<Chunk> | undefined = fetch(start, usual);
  let spare: Uint8Array | undefined;
  for (let at = start; next; ) {
    const chunk: Chunk = await next;
    const isLast = chunk.end === source.byteLength;
    // A long line is not begun anew for each of its chunks.
    next = isLast ? undefined : fetch(chunk.end, Math.max(usual, rest.length), spare);
    let bytes = chunk.memory;
    let from = gapBytes - rest.length;
    let to = gapBytes + chunk.end - at;
    if (from < 0) {
      bytes = new Uint8Array(rest.length + to - gapBytes + 1);
      bytes.set(chunk.memory.subarray(gapBytes, to), rest.length);
      to += rest.length - gapBytes;
      from = 0;
    }
    bytes.set(rest, from);
    // The last row may lack its line end; behind any chunk stands no digit.
    bytes[to] = 10;
    if (isLast) to++;
    rows ??= emptyRows(
      layout,
      expectedRows(bytes.subarray(from, to), total, Math.min(headLength, to - from)),
    );
    const done = addRows(rows, layout, bytes, from, to, isLast);
    rest = bytes.slice(done, to);
    spare = chunk.memory;
    at = chunk.end;
    if (rest.length > mostLineBytes)
      throw new FormatError(
        `csv: ${source.name}: a line of more than ${rest.length} bytes. This is no table.`,
        source.name,
        at,
      );
  }
  return rows!;
}

interface Chunk {
  readonly memory: Uint8Array;
  readonly end: number;
}

/** By the length of the first lines, and some more. */
function expectedRows(bytes: Uint8Array, total: number, sample: number): number {
  let lines = 1;
  for (let i = 0; i < sample; i++) if (bytes[i] === 10) lines++;
  return Math.ceil(((total * lines) / Math.max(1, sample)) * 1.02) + 16;
}

function tableOf(source: string, layout: CsvLayout, rows: CsvRows, log: string[]): Table {
  const { kinds, names, units, preamble } = layout;
  let columns: TableColumn[] = names.flatMap((name, c) =>
    kinds[c] === 'text'
      ? []
      : [
          {
            name,
            values: rows.numbers[c]!.values(),
            ...(units && kinds[c] === 'number' && { unit: units[c]! }),
            ...(kinds[c] === 'time' && { isTime: true, isDated: rows.datedTimes }),
          },
        ],
  );
  const embedded = kinds.every((kind) => kind === 'number') ? embeddedRate(columns) : undefined;
  if (embedded) columns = columns.map((column) => ({ ...column, values: column.values.subarray(2) }));
  const rateHz = embedded?.rateHz ?? statedRate(preamble);
  const shared = {
    source,
    format: 'csv',
    rowCount: embedded ? rows.rowCount - 2 : rows.rowCount,
    columns,
    texts: names.flatMap((name, c) => (kinds[c] === 'text' ? [{ name, changes: rows.texts[c]! }] : [])),
    events: rows.events,
    log,
  };
  return {
    ...shared,
    ...(rateHz !== undefined && { rateHz }),
    ...(embedded && { startTime: new Date(Math.round(embedded.start * 1000)) }),
    ...(preamble.length > 0 && { metadata: { comments: preamble.join('\n').slice(0, 4096) } }),
  };
}

/** Empatica: the first row is the time of the first sample in each column, the second the rate. */
function embeddedRate(columns: readonly TableColumn[]): { start: number; rateHz: number } | undefined {
  const [start, rateHz] = [columns[0]?.values[0] ?? 0, columns[0]?.values[1] ?? 0];
  const isOne = columns.every(
    ({ values }) => values.length > 2 && values[0] === start && values[1] === rateHz,
  );
  return isOne &&
    start > 1e9 &&
    start < 4.2e9 &&
    rateHz > 0 &&
    rateHz <= 4096 &&
    Math.abs(columns[0]!.values[2]!) < 1e9
    ? { start, rateHz }
    : undefined;
}

/** `%Sample Rate = 250 Hz`, `# fs: 1 kHz`. */
function statedRate(preamble: readonly string[]): number | undefined {
  for (const line of preamble) {
    const match =
      /(?:sampl(?:e|ing)[ _-]*(?:rate|frequency|freq)|\bs?rate|\bfs|\bsfreq)\s*(?:[([]\s*hz\s*[)\]])?\s*[=:,;\t ]\s*([\d.]+)\s*(k?)hz?/i.exec(
        line,
      ) ??
      /(?:sampl(?:e|ing)[ _-]*(?:rate|frequency)|\bfs|\bsfreq)\s*(?:[([]\s*hz\s*[)\]])?\s*[=:,;\t ]\s*([\d.]+)()/i.exec(
        line,
      );
    const hertz = match ? Number(match[1]) * (match[2] ? 1000 : 1) : Number.NaN;
    if (hertz > 0 && Number.isFinite(hertz)) return hertz;
  }
  return undefined;
}

/** The text without its mark; UTF-16 is rewritten. */
async function asUtf8(source: ByteSource): Promise<{ source: ByteSource; skip: number }> {
  const mark = await source.read(0, Math.min(3, source.byteLength));
  if (mark[0] === 0xef && mark[1] === 0xbb && mark[2] === 0xbf) return { source, skip: 3 };
  const isLittle = mark[0] === 0xff && mark[1] === 0xfe;
  if (!isLittle && !(mark[0] === 0xfe && mark[1] === 0xff)) return { source, skip: 0 };
  const text = new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(
    await source.read(0, source.byteLength),
  );
  const bytes = new TextEncoder().encode(text);
  return {
    source: {
      name: source.name,
      byteLength: bytes.length,
      read: async (start, end) => bytes.subarray(start, end),
    },
    skip: 0,
  };
}
