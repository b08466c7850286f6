/** What a delimited text looks like, from its first lines: delimiter, decimal mark, header, kinds of columns. */
import { type KeyedExport, keyedExport, type TextLine } from './csv-keyed.ts';
import { numberEnd, readNumber } from './csv-number.ts';
import { parseTime } from './csv-time.ts';

export type ColumnKind = 'number' | 'time' | 'text';

export interface CsvLayout {
  /** `,` `;` tab, or a space for runs of white space. */
  readonly delimiter: string;
  /** Byte between whole and fraction: 46 or 44. */
  readonly mark: number;
  readonly names: readonly string[];
  /** Cells that the header names; rows may have more. */
  readonly named: number;
  /** A second row of the header, where there is one. */
  readonly units: readonly string[] | undefined;
  readonly kinds: readonly ColumnKind[];
  /** Byte of the first row of data. */
  readonly dataStart: number;
  /** Line of it, from 1. */
  readonly dataLine: number;
  /** Comments and whatever stands before the header. */
  readonly preamble: readonly string[];
  /** An export of a single lead that says everything beside its values. */
  readonly keyed?: KeyedExport;
}

const delimiters = ['\t', ';', ',', ' '] as const;
const missing = /^(|nan|na|n\/a|null|none|-|inf|-inf|\+inf|infinity|-infinity)$/i;

/** Guess from the first bytes (UTF-8, without BOM); undefined where there is no row of data. `isWhole`: nothing follows. */
export function guessLayout(head: Uint8Array, isWhole: boolean): CsvLayout | undefined {
  const lines = linesOf(head, isWhole);
  const keyed = keyedExport(lines);
  if (keyed) return keyedLayout(keyed);
  const rows = lines.filter(({ text }) => text.trim() !== '' && !isComment(text));
  if (rows.length === 0) return undefined;
  const single = singleColumn(rows);
  const delimiter = single ? ';' : guessDelimiter(rows);
  const cells = rows.map(({ text }) => splitCells(text, delimiter));
  const width = usualWidth(cells.slice(-200));
  const mark = single ? 44 : guessMark(cells, delimiter);
  const { first, named } = firstRow(cells, width, mark);
  if (first < 0) return undefined;
  const firstLine = rows[first]!;
  const above = lines.filter(({ number, text }) => number < firstLine.number && text.trim() !== '');
  const header: string[][] = [];
  let preamble = above.length;
  while (preamble > 0 && header.length < 2) {
    const { text } = above[preamble - 1]!;
    const row = splitCells(text.replace(/^[%#]+\s*/, ''), delimiter);
    if (row.length === width + 1 && row.at(-1) === '') row.pop();
    if (row.length !== named || (isComment(text) && header.length > 0) || (named === 1 && isComment(text)))
      break;
    header.unshift(row);
    preamble--;
  }
  const isPaired = header.length === 2 && header[1]!.every((unit) => unit.length <= 14);
  const names = (isPaired ? header[0] : header.at(-1)) ?? [];
  const kept = isPaired || header.length < 2 ? preamble : preamble + 1;
  const data = cells.slice(first).filter((row) => row.length >= named && row.length <= width);
  // As R writes tables: names for all columns but the first, which counts the rows.
  const isIndexed = names.length === width - 1 && isCounting(data);
  const allNames = isIndexed ? ['index', ...names] : names;
  return {
    delimiter,
    mark,
    names: Array.from({ length: width }, (_, c) => cleanName(allNames[c] ?? '') || `column ${c + 1}`),
    named: isIndexed || names.length === 0 ? width : named,
    units: isPaired ? header[1]!.map(cleanName) : undefined,
    kinds: Array.from({ length: width }, (_, c) =>
      kindOf(
        data.flatMap((row) => row[c] ?? []),
        mark,
      ),
    ),
    dataStart: firstLine.start,
    dataLine: firstLine.number,
    preamble: above.slice(0, kept).map(({ text }) => text.trim()),
  };
}

/** The first row of data, and the cells that the header above it has: as many as rows have, or fewer. */
function firstRow(
  cells: readonly (readonly string[])[],
  width: number,
  mark: number,
): { first: number; named: number } {
  const first = cells.findIndex((row) => row.length === width && isData(row, mark));
  let at = first - 1;
  const named = cells[at]?.length ?? width;
  while (at >= 0 && cells[at]!.length === named && isData(cells[at]!, mark)) at--;
  const header = cells[at];
  const isHeader =
    header?.length === named && header.every((cell) => cell !== '' && !isNumber(cell, mark)) && named > 1;
  return isHeader && named < width ? { first: at + 1, named } : { first, named: width };
}

const isCounting = (rows: readonly (readonly string[])[]) =>
  rows.length > 2 && rows.slice(0, 50).every((row, i) => Number(row[0]) === Number(rows[0]![0]) + i);

/** Decimal commas under a header of one name: `ECG (mV)`, then `0,512`. The comma is no delimiter there. */
function singleColumn(rows: readonly TextLine[]): boolean {
  const header = rows.findLastIndex(({ text }) => !/^[+-]?\d+(,\d+)?$/.test(text.trim()));
  const values = rows.slice(header + 1).map(({ text }) => text.trim());
  return (
    header >= 0 &&
    values.length >= 3 &&
    !/[,;\t]/.test(rows[header]!.text) &&
    values.some((value) => value.includes(','))
  );
}

function keyedLayout(keyed: KeyedExport): CsvLayout {
  return {
    delimiter: ';',
    mark: keyed.mark,
    names: [keyed.channel],
    named: 1,
    units: [keyed.unit],
    kinds: ['number'],
    dataStart: keyed.first.start,
    dataLine: keyed.first.number,
    preamble: [],
    keyed,
  };
}

const isComment = (text: string) => /^\s*[%#]/.test(text);
const cleanName = (name: string) =>
  name
    .trim()
    .replace(/^(['"])(.*)\1$/, '$2')
    .trim();

/** Lines that a quote may go on over. */
const mostQuotedLines = 20;

/** Does the head end within a line? Then that line is not looked at. A line end in quotes ends none. */
function linesOf(head: Uint8Array, isWhole: boolean): TextLine[] {
  const lines: TextLine[] = [];
  const decoder = new TextDecoder();
  const lineEnd = (from: number) => {
    let end = from;
    while (end < head.length && head[end] !== 10 && head[end] !== 13) end++;
    return end;
  };
  const behind = (end: number) => end + (head[end] === 13 && head[end + 1] === 10 ? 2 : 1);
  for (let start = 0, number = 1; start < head.length; ) {
    let end = lineEnd(start);
    let text = decoder.decode(head.subarray(start, end));
    let count = 1;
    if (isOpenQuote(text)) {
      let [further, joined, more] = [end, text, 1];
      while (further < head.length && more < mostQuotedLines && isOpenQuote(joined)) {
        const next = behind(further);
        further = lineEnd(next);
        joined += ` ${decoder.decode(head.subarray(next, further))}`;
        more++;
      }
      if (!isOpenQuote(joined)) [end, text, count] = [further, joined, more];
    }
    if (end === head.length && !isWhole && lines.length > 0) break;
    lines.push({ text, start, number });
    start = behind(end);
    number += count;
  }
  return lines;
}

const isOpenQuote = (text: string) => text.includes('"') && text.split('"').length % 2 === 0;

/** Cells of a line; quotes are taken off, spaces around too. */
export function splitCells(text: string, delimiter: string): string[] {
  if (!text.includes('"'))
    return delimiter === ' ' ? text.trim().split(/\s+/) : text.split(delimiter).map((cell) => cell.trim());
  const cells: string[] = [];
  let [cell, isQuoted] = ['', false];
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') cell += text[i++];
      else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === delimiter) {
      if (delimiter !== ' ' || cell !== '') cells.push(cell.trim());
      cell = '';
    } else cell += character;
  }
  return [...cells, cell.trim()];
}

function usualWidth(cells: readonly (readonly string[])[]): number {
  const counts = new Map<number, number>();
  for (const { length } of cells) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [1, 0] as [
    number,
    number,
  ])[0];
}

/** The first one that cuts four lines of five into equally many cells, two or more. */
function guessDelimiter(rows: readonly TextLine[]): string {
  const sample = rows.slice(-100);
  return (
    delimiters.find((delimiter) => {
      const cells = sample.map(({ text }) => splitCells(text, delimiter));
      const width = usualWidth(cells);
      return width > 1 && cells.filter(({ length }) => length === width).length >= 0.8 * cells.length;
    }) ?? ','
  );
}

function guessMark(cells: readonly (readonly string[])[], delimiter: string): number {
  if (delimiter === ',') return 46;
  let [commas, points] = [0, 0];
  for (const cell of cells.slice(-200).flat()) {
    if (/^[+-]?\d*,\d+(e[+-]?\d+)?$/i.test(cell)) commas++;
    else if (/^[+-]?\d*\.\d+(e[+-]?\d+)?$/i.test(cell)) points++;
  }
  return commas > points ? 44 : 46;
}

/** A number's characters, one at a time. */
const scratch = new Uint8Array(400);

/** Is the whole text a number? */
export function isNumber(text: string, mark: number): boolean {
  const { length } = text;
  if (length === 0 || length > scratch.length) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    scratch[i] = code;
  }
  return !Number.isNaN(readNumber(scratch, 0, length, mark)) && numberEnd() === length;
}

const isMissing = (cell: string) => missing.test(cell);

/** A row of data has a number, and at most as many texts as numbers and times; a header has none. */
function isData(row: readonly string[], mark: number): boolean {
  const numbers = row.filter((cell) => isNumber(cell, mark) || parseTime(cell)).length;
  const texts = row.filter((cell) => !isNumber(cell, mark) && !parseTime(cell) && !isMissing(cell)).length;
  return numbers > 0 && texts <= numbers;
}

/** What a column is by some of its cells. */
export function kindOf(cells: readonly string[], mark: number): ColumnKind {
  const filled = cells.filter((cell) => !isMissing(cell));
  const numbers = filled.filter((cell) => isNumber(cell, mark)).length;
  if (filled.length > 0 && numbers >= filled.length * 0.5) return 'number';
  if (filled.length > 0 && filled.filter((cell) => parseTime(cell)).length >= filled.length * 0.5)
    return 'time';
  // Nothing but `nan`: numbers that are not there. Nothing at all: texts that may come.
  return filled.length === 0 && cells.some((cell) => cell !== '') ? 'number' : 'text';
}
