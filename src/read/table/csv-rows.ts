/** Rows of delimited text → columns: numbers straight from bytes, texts only where they change. */
import { type CsvLayout, splitCells } from './csv-layout.ts';
import { numberEnd, readNumber } from './csv-number.ts';
import { parseTime } from './csv-time.ts';
import { GrowingArray } from './growing.ts';

export interface TextChange {
  /** The row from which on the text stands. */
  readonly row: number;
  readonly text: string;
}

export interface CsvRows {
  rowCount: number;
  /** By column; empty for texts. Times as seconds. */
  readonly numbers: readonly GrowingArray[];
  /** By column; empty for numbers. */
  readonly texts: readonly TextChange[][];
  /** Texts in rows that hold nothing else, before the row with that number. */
  readonly events: TextChange[];
  /** Rows with more or fewer cells than the header, comments not counted. */
  ragged: number;
  firstRagged: number;
  /** Cells of numbers that are none. */
  unreadable: number;
  firstUnreadable: string;
  /** Lines so far. */
  line: number;
  datedTimes: boolean;
  /** By column of text: the cell of the last row. */
  readonly lastCells: Uint8Array[];
  /** The last date, hour and minute read, as text and since 1970. */
  minute: { readonly bytes: Uint8Array; readonly seconds: number };
}

/** Rows may start small: they are only texts of some bytes. */
export function emptyRows(layout: CsvLayout, expectedRows: number): CsvRows {
  return {
    rowCount: 0,
    numbers: layout.kinds.map((kind) => new GrowingArray(kind === 'text' ? 1 : expectedRows)),
    texts: layout.kinds.map(() => []),
    events: [],
    ragged: 0,
    firstRagged: 0,
    unreadable: 0,
    firstUnreadable: '',
    line: layout.dataLine - 1,
    datedTimes: false,
    lastCells: layout.kinds.map(() => new Uint8Array(0)),
    minute: { bytes: new Uint8Array(0), seconds: 0 },
  };
}

const utf8 = new TextDecoder();

/**
 * Add the rows in bytes [start, end); the last line may lack its end only where `isLast`. Gives the byte after the last
 * whole row.
 */
export function addRows(
  rows: CsvRows,
  layout: CsvLayout,
  bytes: Uint8Array,
  start: number,
  end: number,
  isLast: boolean,
): number {
  const { delimiter, mark, kinds } = layout;
  const width = kinds.length;
  const separator = delimiter.charCodeAt(0);
  const isSpaced = delimiter === ' ';
  const codes = Uint8Array.from(kinds, (kind) => (kind === 'number' ? 0 : kind === 'time' ? 1 : 2));
  const row = new Float64Array(width);
  const cellStarts = new Float64Array(width);
  const { numbers } = rows;
  let at = start;
  while (at < end) {
    // The usual row: no quotes, nothing odd.
    let i = at;
    let column = 0;
    for (; column < width; column++) {
      while (bytes[i] === 32 || (isSpaced && bytes[i] === 9)) i++;
      let next: number;
      if (codes[column] === 0) {
        row[column] = readNumber(bytes, i, end, mark);
        next = numberEnd();
        if (next === i && bytes[i] !== separator && bytes[i] !== 10 && bytes[i] !== 13) {
          if (!isNan(bytes, i)) break;
          next = i + 3;
        }
      } else {
        next = i;
        for (let byte = bytes[i]; next < end && byte !== separator && byte !== 10 && byte !== 13; ) {
          if (byte === 34) break;
          byte = bytes[++next];
        }
        if (bytes[next] === 34) break;
        cellStarts[column] = i;
        row[column] = codes[column] === 1 ? timeOf(rows, bytes, i, next, mark) : next;
      }
      i = next;
      if (i >= end) break;
      while (bytes[i] === 32 || (isSpaced && bytes[i] === 9)) i++;
      if (column === width - 1) break;
      if (isSpaced) continue;
      if (bytes[i] !== separator) break;
      i++;
    }
    const byte = bytes[i];
    if (column === width - 1 && i < end && (byte === 10 || byte === 13)) {
      if (byte === 13 && i + 1 >= end && !isLast) return at;
      if (hasNumbers(row, codes)) {
        for (let c = 0; c < width; c++) {
          if (codes[c] !== 2) numbers[c]!.push(row[c]!);
          else noteText(rows, c, bytes, cellStarts[c]!, row[c]!);
        }
        rows.rowCount++;
      } else noteEvent(rows, bytes, codes, cellStarts, row);
      rows.line++;
      at = i + (byte === 13 && bytes[i + 1] === 10 ? 2 : 1);
      continue;
    }
    const stop = endOfRow(bytes, at, end);
    if (stop === end && !isLast) return at;
    if (bytes[stop] === 13 && stop + 1 === end && !isLast) return at;
    rows.line++;
    addSlowRow(rows, layout, utf8.decode(bytes.subarray(at, stop)));
    at = stop + (bytes[stop] === 13 && bytes[stop + 1] === 10 ? 2 : 1);
  }
  return Math.min(at, end);
}

const isNan = (bytes: Uint8Array, i: number) =>
  (bytes[i]! | 32) === 110 && (bytes[i + 1]! | 32) === 97 && (bytes[i + 2]! | 32) === 110;

/** A row without numbers is no sample; nor is one with a time only. */
function hasNumbers(row: Float64Array, codes: Uint8Array): boolean {
  for (let c = 0; c < row.length; c++) if (codes[c] === 0 && !Number.isNaN(row[c])) return true;
  return false;
}

function noteText(rows: CsvRows, column: number, bytes: Uint8Array, start: number, end: number): void {
  const last = rows.lastCells[column]!;
  let isSame = last.length === end - start;
  for (let i = 0; isSame && i < last.length; i++) isSame = last[i] === bytes[start + i];
  if (isSame) return;
  rows.lastCells[column] = bytes.slice(start, end);
  noteChange(rows, column, utf8.decode(bytes.subarray(start, end)).trim());
}

function noteChange(rows: CsvRows, column: number, text: string): void {
  const changes = rows.texts[column]!;
  if ((changes.at(-1)?.text ?? '') !== text) changes.push({ row: rows.rowCount, text });
}

function noteEvent(
  rows: CsvRows,
  bytes: Uint8Array,
  codes: Uint8Array,
  starts: Float64Array,
  ends: Float64Array,
): void {
  const words: string[] = [];
  for (let c = 0; c < codes.length; c++)
    if (codes[c] === 2) words.push(utf8.decode(bytes.subarray(starts[c]!, ends[c]!)).trim());
  const text = words.filter((word) => word !== '').join(' ');
  if (text !== '') rows.events.push({ row: rows.rowCount, text });
}

/** Seconds of a written time; of most only the seconds differ from the one before. */
function timeOf(rows: CsvRows, bytes: Uint8Array, start: number, end: number, mark: number): number {
  const { minute } = rows;
  const { length } = minute.bytes;
  if (length > 0 && end - start > length) {
    let i = 0;
    while (i < length && bytes[start + i] === minute.bytes[i]) i++;
    if (i === length) {
      const seconds = readNumber(bytes, start + i, end, mark);
      if (numberEnd() === end && seconds >= 0) return minute.seconds + seconds;
    }
  }
  const text = utf8.decode(bytes.subarray(start, end)).trim();
  const time = parseTime(text);
  if (!time) return Number.NaN;
  if (time.isDate) {
    rows.datedTimes = true;
    const parts = /^(.*:)(\d{2}\.\d+)$/.exec(text);
    if (parts)
      rows.minute = { bytes: new TextEncoder().encode(parts[1]), seconds: time.seconds - Number(parts[2]) };
  }
  return time.seconds;
}

/** Where the line that starts at `at` ends: line ends in quotes do not count, unless the quote never closes. */
function endOfRow(bytes: Uint8Array, at: number, end: number): number {
  let isQuoted = false;
  let firstEnd = -1;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 34) isQuoted = !isQuoted;
    else if (byte === 10 || byte === 13) {
      if (!isQuoted) return i;
      if (firstEnd < 0) firstEnd = i;
      if (i - at > 65536) return firstEnd;
    }
  }
  return isQuoted && firstEnd >= 0 ? firstEnd : end;
}

function addSlowRow(rows: CsvRows, { delimiter, mark, kinds }: CsvLayout, line: string): void {
  if (line.trim() === '' || /^\s*[%#]/.test(line)) return;
  const cells = splitCells(line, delimiter);
  if (cells.length === kinds.length + 1 && cells.at(-1) === '') cells.pop();
  if (cells.length !== kinds.length) {
    rows.ragged++;
    if (rows.firstRagged === 0) rows.firstRagged = rows.line;
    return;
  }
  const values = cells.map((cell, c) =>
    kinds[c] === 'text' ? Number.NaN : cellValue(rows, cell, kinds[c]!, mark),
  );
  const label = cells.filter((cell, c) => kinds[c] === 'text' && cell !== '').join(' ');
  const isSample = values.some((value, c) => kinds[c] === 'number' && !Number.isNaN(value));
  if (!isSample) {
    if (label !== '') rows.events.push({ row: rows.rowCount, text: label });
    return;
  }
  for (const [c, kind] of kinds.entries()) {
    if (kind !== 'text') rows.numbers[c]!.push(values[c]!);
    else {
      rows.lastCells[c] = new TextEncoder().encode(cells[c]);
      noteChange(rows, c, cells[c]!);
    }
  }
  rows.rowCount++;
}

function cellValue(rows: CsvRows, cell: string, kind: 'number' | 'time', mark: number): number {
  if (kind === 'time') {
    const time = parseTime(cell);
    if (time?.isDate) rows.datedTimes = true;
    return time?.seconds ?? Number.NaN;
  }
  const value = Number(mark === 44 ? cell.replace(',', '.') : cell);
  if (cell === '') return Number.NaN;
  if (!Number.isNaN(value)) return value;
  if (!/^[+-]?(nan|na|n\/a|null|none|-|inf(inity)?)$/i.test(cell)) {
    rows.unreadable++;
    rows.firstUnreadable ||= cell.slice(0, 40);
  }
  return Number.NaN;
}
