/**
 * Delimited text (CSV, TSV and the like) → Recording, header and delimiter guessed: also exports of Muse (Mind Monitor,
 * muselsl), OpenBCI, Polar Sensor Logger, Empatica, rdsamp. The text is read once, from front to back; its columns stay.
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { DataError, FormatError, UnsupportedError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import type { ReadOptions } from '../options.ts';
import { type CsvLayout, guessLayout } from './csv-layout.ts';
import { addRows, type CsvRows, emptyRows } from './csv-rows.ts';
import { embeddedRate, isMarker, statedRate } from './csv-stated.ts';
import { asUtf8 } from './csv-text.ts';
import { noteOddRows, widerLayout } from './csv-wider.ts';
import { type Table, type TableColumn, tableRecording } from './table.ts';

const headBytes = 128 * 1024;
/** A head grows until it has that many lines, or is that long. */
const fewestHeadLines = 8;
const mostHeadBytes = 64 * 1024 * 1024;
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
  return (await readCsvParts(source)).table;
}

/** The whole table, and what its text looks like: for those who go on reading where more comes. */
export async function readCsvParts(
  source: ByteSource,
): Promise<{ readonly table: Table; readonly layout: CsvLayout; readonly dataStart: number }> {
  const { source: text, skip } = await asUtf8(source);
  const { head, layout: guessed } = await readHead(text, skip, source.name);
  if (/^\d+(\.\d+)?,\s*IBI\s/.test(new TextDecoder().decode(head.subarray(0, 64))))
    throw new UnsupportedError(
      `csv: ${source.name} holds intervals between beats, not samples. Open the file with the signal (BVP.csv).`,
      'intervals between beats',
    );
  const budget = budgetOf(source);
  budget.spend(`csv: ${source.name}`, 'columns', heavyElement * guessed.kinds.length);
  let layout = guessed;
  const dataStart = skip + layout.dataStart;
  let rows = await parseAll(text, layout, dataStart, head.length);
  const log: string[] = [];
  const wider = widerLayout(layout, rows);
  if (wider) {
    layout = wider;
    rows = await parseAll(text, layout, dataStart, head.length);
  }
  noteOddRows(source.name, layout, rows, log);
  return { table: { ...tableOf(source.name, layout, rows, log), budget }, layout, dataStart };
}

/** The first bytes: so many that a few rows are among them, however wide they are. */
async function readHead(
  text: ByteSource,
  skip: number,
  name: string,
): Promise<{ head: Uint8Array; layout: CsvLayout }> {
  for (let size = headBytes; ; size *= 8) {
    const head = await text.read(skip, Math.min(text.byteLength, skip + size));
    if (head.subarray(0, 4096).includes(0))
      throw new FormatError(
        `csv: ${name} is not text: it has a NUL at byte ${skip + head.indexOf(0)}.`,
        name,
        skip,
      );
    const isWhole = skip + head.length === text.byteLength;
    const isWide = !isWhole && size < mostHeadBytes && countLines(head) < fewestHeadLines;
    const layout = isWide ? undefined : guessLayout(head, isWhole);
    if (layout) return { head, layout };
    if (!isWide)
      throw new DataError(
        `csv: ${name} has no row of numbers in its first ${head.length} bytes. Name a table of samples.`,
      );
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let i = 0; i < bytes.length; i++)
    if (bytes[i] === 10 || (bytes[i] === 13 && bytes[i + 1] !== 10)) lines++;
  return lines;
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
  const budget = budgetOf(source).fresh();
  let events = 0;
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
    const isOpenEnded = bytes[to - 1] !== 10 && bytes[to - 1] !== 13;
    bytes[to] = 10;
    if (isLast) to++;
    rows ??= emptyRows(
      layout,
      expectedRows(bytes.subarray(from, to), total, Math.min(headLength, to - from)),
    );
    rows.isOpenEnded = isLast && isOpenEnded;
    const done = addRows(rows, layout, bytes, from, to, isLast);
    rest = bytes.slice(done, to);
    budget.spend(`csv: ${source.name}`, 'rows of text', rows.events.length - events);
    events = rows.events.length;
    await budget.breathe();
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
  const { kinds, units, preamble, keyed } = layout;
  const names = layout.names.map((name, c) =>
    c >= layout.named && kinds[c] === 'number' && isMarker(rows.numbers[c]!.values()) ? 'marker' : name,
  );
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
  const rateHz = keyed?.rateHz ?? embedded?.rateHz ?? statedRate(preamble);
  if (rateHz !== undefined) log.push(`csv: ${rateHz} Hz as the file states.`);
  const shared = {
    source,
    format: 'csv',
    rowCount: embedded ? rows.rowCount - 2 : rows.rowCount,
    ...(embedded && { headerRows: 2 }),
    columns,
    texts: names.flatMap((name, c) => (kinds[c] === 'text' ? [{ name, changes: rows.texts[c]! }] : [])),
    events: rows.events,
    log,
  };
  return {
    ...shared,
    ...(rateHz !== undefined && { rateHz }),
    ...(embedded && { startTime: new Date(Math.round(embedded.start * 1000)) }),
    ...(keyed?.startTime && { startTime: keyed.startTime }),
    ...(keyed && { metadata: keyed.pairs }),
    ...(preamble.length > 0 && { metadata: { comments: preamble.join('\n').slice(0, 4096) } }),
  };
}
