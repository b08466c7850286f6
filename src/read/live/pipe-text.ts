/** Text that arrives in pieces → lines → samples, a row a line. A line is read once, however it is cut. */
import { ConfigError, FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import { isCounterName, isTimeName, splitUnit } from '../table/columns.ts';
import { splitCells } from '../table/csv-layout.ts';
import type { CountedNotes } from './notes.ts';

/** A line longer than this is no line of samples. */
const maxLineCharacters = 1 << 20;
/** So many lines may be wrong before it is said that none is right. */
const mostWrongLines = 100;
const missing = /^(|nan|na|n\/a|null|none|-|[+-]?inf(inity)?)$/i;

/** Whole lines out of bytes. */
export class TextLines {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #endedInReturn = false;

  constructor(readonly name: string) {}

  /** Is there the beginning of a line? */
  get isOpen(): boolean {
    return this.#rest !== '';
  }

  /** The lines that these bytes complete. */
  push(bytes: Uint8Array): string[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    // The line feed of a line end that was cut in two.
    if (this.#endedInReturn && text.startsWith('\n')) text = text.slice(1);
    if (text !== '') this.#endedInReturn = text.endsWith('\r');
    if (!/[\r\n]/.test(text)) {
      this.#rest += text;
      if (this.#rest.length > maxLineCharacters) this.#refuse();
      return [];
    }
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop()!;
    if (this.#rest.length > maxLineCharacters) this.#refuse();
    return lines;
  }

  /** What came behind the last line end. */
  end(): string {
    return this.#rest + this.#decoder.decode();
  }

  #refuse(): never {
    throw new FormatError(
      `${this.name}: a line is longer than ${maxLineCharacters} characters. It is no text.`,
      this.name,
    );
  }
}

/** Rows of samples out of lines, whose first one that says something is a header or holds samples already. */
export class TextRows {
  /** Undefined until the first line came. */
  columns: readonly { readonly name: string; readonly unit: string }[] | undefined;
  #line = 0;
  #delimiter = ',';
  #header = '';
  #width = 0;
  /** Columns of samples: others are times and counters. */
  #used: readonly number[] = [];
  #wrong = 0;
  #right = 0;

  constructor(
    readonly name: string,
    readonly given: readonly string[] | undefined,
    readonly notes: CountedNotes,
  ) {}

  /** Samples [column][row] of these lines. A row that does not fit the header is missing as a whole: nothing moves. */
  push(lines: readonly string[]): Float64Array[] {
    const found: { readonly cells: readonly string[] | undefined; readonly line: number }[] = [];
    for (const text of lines) {
      this.#line++;
      if (text.trim() === '' || /^\s*[#%]/.test(text)) continue;
      if (!this.columns) {
        if (this.#begin(text)) continue;
      }
      const cells = this.#cellsOf(text);
      if (cells !== 'none') found.push({ cells, line: this.#line });
    }
    const samples = this.#used.map(() => new Float64Array(found.length).fill(Number.NaN));
    for (const [row, { cells, line }] of found.entries())
      for (const [c, i] of this.#used.entries())
        if (cells) samples[c]![row] = this.#numberOf(cells[i]!, line);
    return samples;
  }

  /** The first line: is it a header? */
  #begin(text: string): boolean {
    this.#delimiter = ['\t', ';', ',', ' '].find((one) => text.includes(one)) ?? ',';
    const head = splitCells(text, this.#delimiter);
    while (head.length > 1 && head.at(-1) === '') head.pop();
    const isHeader = head.some((cell) => Number.isNaN(this.#parse(cell)) && !missing.test(cell));
    this.#width = head.length;
    this.#header = isHeader ? text.trim() : '';
    this.#used = head.flatMap((name, i) =>
      isHeader && (isTimeName(name) || isCounterName(name)) ? [] : [i],
    );
    const named = this.#used.map((i) => (isHeader ? splitUnit(head[i]!) : { name: `${i + 1}`, unit: '' }));
    if (this.given && this.given.length !== named.length)
      throw new ConfigError(
        `${this.name}: --channels names ${this.given.length}, the lines hold ${named.length}. Name each.`,
        '--channels',
      );
    this.columns = named.map(({ name, unit }, i) => ({ name: this.given?.[i] ?? name, unit }));
    return isHeader;
  }

  /** A row's cells; undefined where they do not fit, 'none' where the line is no row at all. */
  #cellsOf(text: string): readonly string[] | undefined | 'none' {
    const cells = splitCells(text, this.#delimiter);
    while (cells.length > this.#width && cells.at(-1) === '') cells.pop();
    if (!cells.some((cell) => missing.test(cell) || !Number.isNaN(this.#parse(cell)))) {
      const what =
        text.trim() === this.#header ? 'headers came again' : 'lines without numbers were passed over';
      this.notes.add(what, 1, `line ${this.#line} ${quoted(text.trim())}`);
      return 'none';
    }
    if (cells.length === this.#width) {
      this.#right++;
      return cells;
    }
    this.#wrong++;
    const fact = `rows do not have ${this.#width} numbers and are missing`;
    if (this.#right === 0 && this.#wrong === mostWrongLines)
      throw new FormatError(
        `${this.name}: the first ${mostWrongLines} rows do not have ${this.#width} cells, as the first line has. Check what is sent.`,
        this.name,
      );
    this.notes.add(fact, 1, `line ${this.#line} with ${cells.length}`);
    return undefined;
  }

  #parse(cell: string): number {
    if (cell === '') return Number.NaN;
    return Number(this.#delimiter === ',' ? cell : cell.replace(',', '.'));
  }

  #numberOf(cell: string, line: number): number {
    if (missing.test(cell)) return Number.NaN;
    const value = this.#parse(cell);
    if (Number.isNaN(value))
      this.notes.add('cells are no numbers and are missing', 1, `${quoted(cell)} in line ${line}`);
    return value;
  }
}
