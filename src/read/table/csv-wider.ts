/** Rows that do not fit their header: a layout with the columns that the header does not name, and what to say of the rest. */
import { FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import { type CsvLayout, kindOf } from './csv-layout.ts';
import type { CsvRows } from './csv-rows.ts';

/** Cells of a row that a header may fail to name. */
const mostFurther = 64;

/** Where many rows have more cells than the header has names, as when a marker's column comes later: that many columns. */
export function widerLayout(layout: CsvLayout, rows: CsvRows): CsvLayout | undefined {
  const least = Math.max(3, rows.rowCount * 0.005);
  const [width] = [...rows.widths].filter(([, count]) => count >= least).sort((a, b) => b[0] - a[0])[0] ?? [
    0,
  ];
  if (width === 0 || width > layout.kinds.length + mostFurther || layout.keyed) return undefined;
  const further = Array.from({ length: width - layout.kinds.length }, (_, i) => layout.kinds.length + i);
  return {
    ...layout,
    names: [...layout.names, ...further.map((c) => `column ${c + 1}`)],
    units: layout.units && [...layout.units, ...further.map(() => '')],
    kinds: [
      ...layout.kinds,
      ...further.map((_, i) =>
        kindOf(
          rows.furtherCells.map((cells) => cells[i] ?? ''),
          layout.mark,
        ),
      ),
    ],
  };
}

/** What was odd, a counted sentence each. FormatError where it is a tenth of the rows. */
export function noteOddRows(source: string, { kinds, named }: CsvLayout, rows: CsvRows, log: string[]): void {
  const cells = (count: number) => `${count} cells`;
  for (const [count, fact, what] of [
    [
      rows.short,
      `${rows.short} rows have fewer than ${cells(named)}, the first in line ${rows.firstShort}`,
      'what they lack is NaN',
    ],
    [
      rows.long,
      `${rows.long} rows have more than ${cells(kinds.length)}, the first in line ${rows.firstLong}`,
      'which belongs where is not known, so their samples are NaN',
    ],
  ] as const) {
    if (count > 1 + 0.1 * rows.rowCount)
      throw new FormatError(`csv: ${source}: ${fact}. Correct the file.`, source);
    if (count > 0) log.push(`csv: ${fact}; ${what}.`);
  }
  if (kinds.length > named)
    log.push(
      `csv: the header names ${cells(named)}, rows have up to ${kinds.length}; those without a name were read too.`,
    );
  if (rows.torn !== undefined)
    log.push(`csv: the last line is torn (${quoted(rows.torn)}) and was left out.`);
  if (rows.unreadable > 0)
    log.push(`csv: ${rows.unreadable} cells are no numbers (${quoted(rows.firstUnreadable)}); they are NaN.`);
}
