/** Plain text tables for the terminal. */
import { maxOf } from '../core/arrays.ts';
import { visibleLine } from '../core/visible-text.ts';

/** Columns padded to their widest cell, a rule under the header. `alignment` per column (default: left). */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignment: readonly ('left' | 'right')[] = [],
): string {
  const shown = rows.map((row) => row.map(visibleLine));
  const widths = header.map((title, column) =>
    maxOf(
      shown.map((row) => (row[column] ?? '').length),
      title.length,
    ),
  );
  const line = (cells: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? '';
        return alignment[column] === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...shown.map(line)].join('\n');
}
