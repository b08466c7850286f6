/** Rows of delimited text → columns: numbers straight from bytes, texts only where they change. */
import type { CsvLayout } from './csv-layout.ts';
import { numberEnd, powers, readNumber } from './csv-number.ts';
import { addOddRow, endOfRow, noteChange } from './csv-odd-rows.ts';
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
  /** Rows with fewer cells than the header: what they lack is NaN. */
  short: number;
  firstShort: number;
  /** Rows with more numbers than the header has names: which belongs where is not known, so all are NaN. */
  long: number;
  firstLong: number;
  /** Of those, how many have how many cells, and what stood in the cells without a name. */
  readonly widths: Map<number, number>;
  readonly furtherCells: string[][];
  /** The last line, where it ends without a line end and has too few cells: it was still being written. */
  torn: string | undefined;
  /** Does the text end without a line end? */
  isOpenEnded: boolean;
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
    short: 0,
    firstShort: 0,
    long: 0,
    firstLong: 0,
    widths: new Map(),
    furtherCells: [],
    torn: undefined,
    isOpenEnded: false,
    unreadable: 0,
    firstUnreadable: '',
    line: layout.dataLine - 1,
    datedTimes: false,
    lastCells: layout.kinds.map(() => new Uint8Array(0)),
    minute: { bytes: new Uint8Array(0), seconds: 0 },
  };
}

const utf8 = new TextDecoder();

/** Numbers collected before they go to their columns, each of which lies elsewhere in memory. */
const blockNumbers = 8192;

/**
 * Add the rows in bytes [start, end); the last line may lack its end only where `isLast`. There is a byte behind `end`
 * that is no part of a number. Gives the byte after the last whole row.
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
  const hasTexts = codes.includes(2);
  const cellStarts = new Float64Array(width);
  const point = mark - 48;
  const blockRows = Math.max(1, Math.floor(blockNumbers / width));
  const block = new Float64Array(width * blockRows);
  let pending = 0;
  const flush = () => {
    for (let c = 0; c < width; c++) if (codes[c] !== 2) rows.numbers[c]!.append(block, c, width, pending);
    pending = 0;
  };
  let at = start;
  while (at < end) {
    // The usual row: no quotes, nothing odd.
    const row = pending * width;
    let isSample = false;
    let i = at;
    let column = 0;
    for (; column < width; column++) {
      while (bytes[i] === 32 || (isSpaced && bytes[i] === 9)) i++;
      let next: number;
      if (codes[column] === 0) {
        // Up to nine digits fit 32 bits; dividing them by a power of ten is exact but for the one rounding (Clinger 1990).
        const first = bytes[i] === 45 ? i + 1 : i;
        let k = first;
        let digits = 0;
        let digit = bytes[k]! - 48;
        while (digit >= 0 && digit <= 9) {
          digits = (Math.imul(digits, 10) + digit) | 0;
          digit = bytes[++k]! - 48;
        }
        let length = k - first;
        let places = 0;
        if (digit === point) {
          const before = k;
          digit = bytes[++k]! - 48;
          while (digit >= 0 && digit <= 9) {
            digits = (Math.imul(digits, 10) + digit) | 0;
            digit = bytes[++k]! - 48;
          }
          places = k - before - 1;
          length += places;
        }
        const stop = digit + 48;
        if (length > 0 && length < 10 && (stop === separator || stop === 10 || stop === 13)) {
          const value = places === 0 ? digits : digits / powers[places]!;
          block[row + column] = first === i ? value : -value;
          isSample = true;
          if (stop === separator && column < width - 1 && !isSpaced) {
            i = k + 1;
            continue;
          }
          next = k;
        } else {
          const value = readNumber(bytes, i, end, mark);
          block[row + column] = value;
          next = numberEnd();
          if (next === i && bytes[i] !== separator && bytes[i] !== 10 && bytes[i] !== 13) {
            if (!isNan(bytes, i)) break;
            next = i + 3;
          }
          if (!Number.isNaN(value)) isSample = true;
        }
      } else {
        next = i;
        for (let byte = bytes[i]; next < end && byte !== separator && byte !== 10 && byte !== 13; ) {
          if (byte === 34) break;
          byte = bytes[++next];
        }
        if (bytes[next] === 34) break;
        cellStarts[column] = i;
        block[row + column] = codes[column] === 1 ? timeOf(rows, bytes, i, next, mark) : next;
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
      if (byte === 13 && i + 1 >= end && !isLast) break;
      // A row without numbers is no sample; nor is one with a time only.
      if (isSample) {
        for (let c = 0; hasTexts && c < width; c++)
          if (codes[c] === 2) noteText(rows, c, bytes, cellStarts[c]!, block[row + c]!);
        rows.rowCount++;
        if (++pending === blockRows) flush();
      } else noteEvent(rows, bytes, codes, cellStarts, block.subarray(row, row + width));
      rows.line++;
      at = i + (byte === 13 && bytes[i + 1] === 10 ? 2 : 1);
      continue;
    }
    const stop = endOfRow(bytes, at, end);
    if (stop === end && !isLast) break;
    if (bytes[stop] === 13 && stop + 1 === end && !isLast) break;
    rows.line++;
    flush();
    const isTorn = isLast && rows.isOpenEnded && stop >= end - 1;
    addOddRow(rows, layout, utf8.decode(bytes.subarray(at, stop)), isTorn);
    at = stop + (bytes[stop] === 13 && bytes[stop + 1] === 10 ? 2 : 1);
  }
  flush();
  return Math.min(at, end);
}

const isNan = (bytes: Uint8Array, i: number) =>
  (bytes[i]! | 32) === 110 && (bytes[i + 1]! | 32) === 97 && (bytes[i + 2]! | 32) === 110;

function noteText(rows: CsvRows, column: number, bytes: Uint8Array, start: number, end: number): void {
  const last = rows.lastCells[column]!;
  let isSame = last.length === end - start;
  for (let i = 0; isSame && i < last.length; i++) isSame = last[i] === bytes[start + i];
  if (isSame) return;
  rows.lastCells[column] = bytes.slice(start, end);
  noteChange(rows, column, utf8.decode(bytes.subarray(start, end)).trim());
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
