/** Rows of delimited text that are not as most: quotes, comments, missing and superfluous cells. */
import { type CsvLayout, isNumber, splitCells } from './csv-layout.ts';
import type { CsvRows } from './csv-rows.ts';
import { parseTime } from './csv-time.ts';
import { mostChanges } from './table.ts';

/** A text that stands from the next row on, where it is another one than before. */
export function noteChange(rows: CsvRows, column: number, text: string): void {
  const changes = rows.texts[column]!;
  // Texts that change more often are left out whatever they are: one more says so.
  if (changes.length > mostChanges) return;
  if ((changes.at(-1)?.text ?? '') !== text) changes.push({ row: rows.rowCount, text });
}

/** Where the line that starts at `at` ends: line ends in quotes do not count, unless the quote never closes. */
export function endOfRow(bytes: Uint8Array, at: number, end: number): number {
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

/** Rows whose further cells are kept, to see what they are. */
const keptRows = 200;

/** A row with quotes, too few or too many cells, words for numbers: by its text. `isTorn`: it is the last, and has no end. */
export function addOddRow(rows: CsvRows, layout: CsvLayout, line: string, isTorn: boolean): void {
  const { delimiter, mark, kinds, named } = layout;
  if (line.trim() === '' || /^\s*[%#]/.test(line)) return;
  const cells = splitCells(line, delimiter);
  while (cells.length > kinds.length && cells.at(-1) === '') cells.pop();
  if (isTorn && cells.length < named) {
    rows.torn = line;
    return;
  }
  const further = cells.splice(kinds.length);
  const isShort = cells.length < named;
  while (cells.length < kinds.length) cells.push('');
  // Words behind a row's cells are a remark; numbers are cells of nobody knows which column.
  const isLong = further.some((cell) => isNumber(cell, mark));
  const values = cells.map((cell, c) =>
    kinds[c] === 'text' ? Number.NaN : cellValue(rows, cell, kinds[c]!, mark),
  );
  const label = [...cells.filter((_, c) => kinds[c] === 'text'), ...further]
    .filter((cell) => cell !== '')
    .join(' ');
  const isSample = values.some((value, c) => kinds[c] === 'number' && !Number.isNaN(value));
  if (!isSample) {
    const words =
      label || (isShort ? cells.filter((cell) => cell !== '' && !isNumber(cell, mark)).join(' ') : '');
    if (words !== '') rows.events.push({ row: rows.rowCount, text: words });
    else if (isShort) noteShort(rows);
    return;
  }
  if (isLong) noteLong(rows, kinds.length, further);
  else if (further.length > 0) rows.events.push({ row: rows.rowCount, text: further.join(' ').trim() });
  if (isShort) noteShort(rows);
  for (const [c, kind] of kinds.entries()) {
    if (kind !== 'text') rows.numbers[c]!.push(isLong ? Number.NaN : values[c]!);
    else {
      rows.lastCells[c] = new TextEncoder().encode(cells[c]);
      noteChange(rows, c, cells[c]!);
    }
  }
  rows.rowCount++;
}

function noteShort(rows: CsvRows): void {
  if (rows.short++ === 0) rows.firstShort = rows.line;
}

function noteLong(rows: CsvRows, width: number, further: readonly string[]): void {
  if (rows.long++ === 0) rows.firstLong = rows.line;
  const length = width + further.length;
  rows.widths.set(length, (rows.widths.get(length) ?? 0) + 1);
  if (rows.furtherCells.length < keptRows) rows.furtherCells.push([...further]);
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
