/** Rows of delimited text that are not as most: quotes, comments, missing and superfluous cells. */
import { type CsvLayout, splitCells } from './csv-layout.ts';
import type { CsvRows } from './csv-rows.ts';
import { parseTime } from './csv-time.ts';

/** A text that stands from the next row on, where it is another one than before. */
export function noteChange(rows: CsvRows, column: number, text: string): void {
  const changes = rows.texts[column]!;
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

/** A row with quotes, too few or too many cells, words for numbers: by its text. */
export function addOddRow(rows: CsvRows, { delimiter, mark, kinds }: CsvLayout, line: string): void {
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
