/**
 * Parquet → Recording: flat columns of numbers become channels, as a table's; files that heartmind wrote come back as
 * they were. hyparquet reads the footer, parquet-pages.ts the pages. Source: Apache Parquet format 2.10.
 */

import { type FileMetaData, parquetMetadata, type RowGroup, type SchemaElement } from 'hyparquet';
import { minOf } from '../../core/arrays.ts';
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { DataError, FormatError, HeartmindError, UnsupportedError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { quoted } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { mostChanges, type RowText, type Table, type TableColumn, tableRecording } from '../table/table.ts';
import { PageDamage, type PagedColumn } from './encodings.ts';
import { parseFacts, writtenRecording } from './facts.ts';
import { type PageSink, readPages } from './pages.ts';

const longestFooter = 64 * 1024 * 1024;
/** Run lengths make much of little; more values than this for a byte are taken for a lie. */
const valuesPerByte = 1032 / 8;
/** As float64 256 MB: up to here whatever a file says is read. */
const mostValues = 2 ** 25;
/** A column that carries a signal takes a byte a value at least, compressed; eight rows a byte are constants. */
const rowsPerByte = 8;

/** Open a table of samples. FormatError where it is damaged, UnsupportedError for codecs other than Snappy and gzip. */
export async function openParquet(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const metadata = await readFooter(source);
  const columns = columnsOf(metadata, source);
  const rowCount = Number(metadata.num_rows);
  const close = async () => source.close?.();
  const facts = metadata.key_value_metadata?.find(({ key }) => key === 'heartmind')?.value;
  const read = async (wanted: readonly FlatColumn[], rooms?: readonly Float64Array[]) => {
    const values = rooms ?? wanted.map(() => new Float64Array(rowCount));
    await readNumbers(source, metadata, wanted, values);
    return values;
  };
  if (facts !== undefined) {
    const flat = columns.filter(({ isText }) => !isText);
    return writtenRecording(
      source.name,
      parseFacts(facts, source.name, flat.length, rowCount),
      (wanted, rooms) =>
        read(
          wanted.map((c) => flat[c]!),
          rooms,
        ),
      close,
    );
  }
  const log: string[] = [];
  const nested = metadata.schema.slice(1).filter((element) => (element.num_children ?? 0) > 0);
  if (nested.length > 0)
    log.push(
      `parquet: ${nested.length} nested columns were left out: ${nested
        .slice(0, 8)
        .map(({ name }) => quoted(name))
        .join(', ')}.`,
    );
  const texts: { name: string; changes: RowText[] }[] = [];
  for (const column of columns)
    if (column.isText) texts.push({ name: column.name, changes: await readTexts(source, metadata, column) });
  const flat = columns.filter(({ isText }) => !isText);
  const values = await read(flat);
  const numbers = flat.map(
    ({ name, perSecond, isWhole }, c): TableColumn => ({
      name,
      values: values[c]!,
      ...(perSecond !== undefined && { isTime: true, isDated: true }),
      ...(isWhole && perSecond === undefined && { resolution: 1, offset: 0 }),
    }),
  );
  const table: Table = {
    source: source.name,
    format: 'parquet',
    rowCount,
    columns: numbers,
    texts,
    log,
    budget: budgetOf(source),
  };
  return tableRecording(table, options, close);
}

interface FlatColumn extends PagedColumn {
  readonly name: string;
  readonly index: number;
  readonly isText: boolean;
  readonly isWhole: boolean;
  /** Of time stamps: their units in a second. */
  readonly perSecond: number | undefined;
  /** Stored values are this many times larger (decimals). */
  readonly scale: number;
}

async function readFooter(source: ByteSource): Promise<FileMetaData> {
  const fail = (fact: string, cause?: unknown): never => {
    throw new FormatError(
      `parquet: ${source.name} ${fact}. The copy is truncated or damaged; fetch it again.`,
      source.name,
      Math.max(0, source.byteLength - 8),
      { cause },
    );
  };
  if (source.byteLength < 12) fail(`has ${source.byteLength} bytes`);
  const tail = await source.read(source.byteLength - 8, source.byteLength);
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  if (new TextDecoder().decode(tail.subarray(4)) !== 'PAR1') fail("does not end with 'PAR1'");
  if (length + 12 > source.byteLength || length > longestFooter) fail(`states a footer of ${length} bytes`);
  const footer = await source.read(source.byteLength - 8 - length, source.byteLength);
  try {
    const metadata = parquetMetadata(new Uint8Array(footer), { geoparquet: false });
    const rows = Number(metadata.num_rows);
    const inGroups = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
    if (!Number.isSafeInteger(rows) || rows < 0 || rows !== inGroups)
      fail(`states ${rows} rows, its groups ${inGroups}`);
    if (metadata.row_groups.some((group) => Number(group.num_rows) < 0))
      fail('has a group of fewer than no rows');
    const leaves = metadata.schema.length;
    if (rows * Math.max(1, leaves - 1) > valuesPerByte * source.byteLength * 8)
      fail(`states ${rows} rows of ${leaves - 1} columns in ${source.byteLength} bytes`);
    const values = rows * Math.max(1, leaves - 1);
    if (values > mostValues && rows > rowsPerByte * source.byteLength)
      throw new UnsupportedError(
        `parquet: ${source.name} states ${values} values in ${source.byteLength} bytes, so nearly all of them are constant; all would be in memory at once. Write fewer columns or rows a file.`,
        'parquet files of constants',
      );
    const pieces = Math.max(1, leaves - 1) * metadata.row_groups.length;
    budgetOf(source).spend(
      `parquet: ${source.name}`,
      'columns and row groups',
      pieces + heavyElement * leaves,
    );
    return metadata;
  } catch (cause) {
    if (cause instanceof HeartmindError) throw cause;
    return fail(
      `has a footer that cannot be read (${cause instanceof Error ? cause.message.slice(0, 80) : cause})`,
      cause,
    );
  }
}

/** Columns directly below the root, of types that are read. */
function columnsOf({ schema }: FileMetaData, source: ByteSource): FlatColumn[] {
  const columns: FlatColumn[] = [];
  let leaf = 0;
  for (let i = 1; i < schema.length; ) {
    const element = schema[i]!;
    const end = subtreeEnd(schema, i);
    const isFlat = end === i + 1 && element.repetition_type !== 'REPEATED';
    const type = element.type ?? '';
    const logical = element.logical_type?.type ?? '';
    const isText = type === 'BYTE_ARRAY';
    if (
      isFlat &&
      /^(INT32|INT64|FLOAT|DOUBLE|BOOLEAN|BYTE_ARRAY)$/.test(type) &&
      typeof element.name === 'string'
    )
      columns.push({
        name: element.name,
        index: leaf,
        type,
        codec: '',
        maxDefinition: element.repetition_type === 'OPTIONAL' ? 1 : 0,
        isText,
        isWhole: (type === 'INT32' || type === 'INT64') && element.converted_type !== 'DECIMAL',
        isUnsigned:
          /^UINT/.test(element.converted_type ?? '') ||
          (logical === 'INTEGER' &&
            element.logical_type?.type === 'INTEGER' &&
            !element.logical_type.isSigned),
        perSecond: perSecond(element),
        scale:
          element.converted_type === 'DECIMAL' ? 10 ** Math.min(300, Math.max(0, element.scale ?? 0)) : 1,
      });
    for (let k = i; k < end; k++) if (schema[k]!.type) leaf++;
    i = end;
  }
  if (columns.length === 0)
    throw new DataError(`parquet: ${source.name} has no flat column of numbers. Name a table of samples.`);
  return columns;
}

function subtreeEnd(schema: readonly SchemaElement[], start: number): number {
  let open = 1;
  let i = start;
  for (; open > 0 && i < schema.length; i++) open += Math.max(0, schema[i]!.num_children ?? 0) - 1;
  return i;
}

function perSecond({ converted_type, logical_type }: SchemaElement): number | undefined {
  if (converted_type === 'TIMESTAMP_MILLIS') return 1e3;
  if (converted_type === 'TIMESTAMP_MICROS') return 1e6;
  if (logical_type?.type !== 'TIMESTAMP') return undefined;
  return logical_type.unit === 'NANOS' ? 1e9 : logical_type.unit === 'MICROS' ? 1e6 : 1e3;
}

/** Numbers of whole columns → a room each; a row group of all of them is read at once where it is short. */
async function readNumbers(
  source: ByteSource,
  metadata: FileMetaData,
  columns: readonly FlatColumn[],
  rooms: readonly Float64Array[],
): Promise<void> {
  const row = columns.map(() => 0);
  const sinks = rooms.map(
    (room, i): PageSink => ({
      room(count) {
        const from = row[i]!;
        row[i] = from + count;
        return room.subarray(from, from + count);
      },
      texts() {},
    }),
  );
  await readChunks(source, metadata, columns, sinks);
  for (const [i, { perSecond, scale }] of columns.entries()) {
    const room = rooms[i]!;
    const divisor = perSecond ?? scale;
    if (divisor !== 1) for (let k = 0; k < room.length; k++) room[k] = room[k]! / divisor;
  }
}

async function readTexts(source: ByteSource, metadata: FileMetaData, column: FlatColumn): Promise<RowText[]> {
  const changes: RowText[] = [];
  const utf8 = new TextDecoder();
  let row = 0;
  const empty = new Uint8Array(0);
  let last: Uint8Array = empty;
  let lastText = '';
  const note = (text: string) => {
    if (text !== lastText && changes.length <= mostChanges) changes.push({ row, text });
    lastText = text;
  };
  const sink: PageSink = {
    room: (count) => new Float64Array(count),
    texts(part, defined) {
      const count = defined?.length ?? part.length;
      for (let i = 0, k = 0; i < count; i++, row++) {
        const bytes = defined?.[i] === 0 ? empty : part[k++]!;
        // The same entry of a dictionary: nothing to decode.
        if (bytes !== last) note(utf8.decode(bytes));
        last = bytes;
      }
    },
  };
  await readChunks(source, metadata, [column], [sink]);
  return changes;
}

/** Column chunks of a row group up to here are read together. Bytes. */
const sharedBytes = 16 * 2 ** 20;

interface Place {
  readonly column: FlatColumn;
  readonly codec: string;
  readonly start: number;
  readonly end: number;
}

async function readChunks(
  source: ByteSource,
  metadata: FileMetaData,
  columns: readonly FlatColumn[],
  sinks: readonly PageSink[],
): Promise<void> {
  const groups = metadata.row_groups.map((group) => ({
    rows: Number(group.num_rows),
    places: columns.map((column) => placeOf(source, group, column)),
  }));
  const fetch = (g: number) => groups[g] && fetchGroup(source, groups[g].places);
  let next = fetch(0);
  for (const [g, { rows, places }] of groups.entries()) {
    const fetched = await next!;
    next = fetch(g + 1);
    await budgetOf(source).breathe();
    // Decoding this one may fail before anybody waits for the next.
    next?.catch(() => undefined);
    for (const [i, place] of places.entries()) {
      const bytes = fetched
        ? fetched.bytes.subarray(place.start - fetched.start, place.end - fetched.start)
        : await source.read(place.start, place.end);
      decodeChunk(source, place, bytes, rows, sinks[i]!);
    }
  }
}

/** All chunks of a group at once, where they are few bytes with little between them. */
async function fetchGroup(
  source: ByteSource,
  places: readonly Place[],
): Promise<{ readonly start: number; readonly bytes: Uint8Array } | undefined> {
  if (places.length === 0) return undefined;
  const start = places.reduce((least, place) => Math.min(least, place.start), Number.POSITIVE_INFINITY);
  const end = places.reduce((most, place) => Math.max(most, place.end), 0);
  const wanted = places.reduce((sum, place) => sum + place.end - place.start, 0);
  if (end - start > Math.min(sharedBytes, 2 * wanted)) return undefined;
  return { start, bytes: await source.read(start, end) };
}

const whereOf = (source: ByteSource, column: FlatColumn) =>
  `parquet: ${source.name}, column ${quoted(column.name)}`;

function placeOf(source: ByteSource, group: RowGroup, column: FlatColumn): Place {
  const chunk = group.columns[column.index]?.meta_data;
  const where = whereOf(source, column);
  if (!chunk) throw new FormatError(`${where} has no pages. Fetch it again.`, source.name);
  const starts = [chunk.data_page_offset, chunk.dictionary_page_offset].flatMap((at) =>
    at === undefined || at === 0n ? [] : [Number(at)],
  );
  const start = minOf(starts);
  const end = start + Number(chunk.total_compressed_size);
  if (!(start >= 4 && end >= start && end <= source.byteLength) || chunk.type !== column.type)
    throw new FormatError(
      `${where} lies at bytes ${start}–${end}, the file has ${source.byteLength}. Fetch it again.`,
      source.name,
      start,
    );
  return { column, codec: chunk.codec, start, end };
}

function decodeChunk(
  source: ByteSource,
  { column, codec, start }: Place,
  bytes: Uint8Array,
  rows: number,
  sink: PageSink,
): void {
  const where = whereOf(source, column);
  try {
    readPages(bytes, { ...column, codec }, rows, sink);
  } catch (cause) {
    if (cause instanceof UnsupportedError && !cause.message.startsWith('parquet:'))
      throw new UnsupportedError(
        `${where} has ${cause.message}, which cannot be read. Write it with Snappy or gzip (compression="snappy" in pandas).`,
        cause.feature,
      );
    if (cause instanceof HeartmindError) throw cause;
    const fact = cause instanceof PageDamage || cause instanceof Error ? cause.message.slice(0, 120) : cause;
    throw new FormatError(`${where} is damaged: ${fact}. Fetch it again.`, source.name, start, { cause });
  }
}
