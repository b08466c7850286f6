/** A table of text that grows: the rows that are new → live pieces. What was read once is not read again. */

import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import type { ReadOptions } from '../options.ts';
import { columnUnit, timeColumn } from '../table/columns.ts';
import { readCsvParts } from '../table/csv.ts';
import type { CsvLayout } from '../table/csv-layout.ts';
import { addRows, type CsvRows, emptyRows } from '../table/csv-rows.ts';
import { widerLayout } from '../table/csv-wider.ts';
import { fitRows } from '../table/fit-rows.ts';
import type { GrowingArray } from '../table/growing.ts';
import { type Table, tableRecording } from '../table/table.ts';
import type { LivePiece } from './live.ts';
import type { CountedNotes } from './notes.ts';

/** A pause longer than this is a gap; a shorter one, between regular stamps, is missing samples. Seconds. */
const longestHole = 1;
/** A line that is longer is none. */
const mostLineBytes = 1 << 20;
const secondsOfDay = 86_400;

/** What the table's beginning says of the rest. */
interface Beginning {
  readonly recording: Recording;
  readonly layout: CsvLayout;
  /** Byte of the first row. */
  readonly dataStart: number;
  /** By channel: its column. */
  readonly columns: readonly number[];
  readonly time:
    | { readonly column: number; readonly perSecond: number; readonly isClock: boolean }
    | undefined;
  /** Are the stamps so regular that a missing row shows? */
  readonly isRegular: boolean;
  readonly headerRows: number;
}

/** Look at the beginning of a table. `source`: whole lines. Errors as `openCsv`. */
export async function beginTable(source: ByteSource, options: ReadOptions): Promise<Beginning> {
  const { table, layout, dataStart } = await readCsvParts(source);
  const recording = tableRecording(table, options);
  const numeric = layout.kinds.flatMap((kind, c) => (kind === 'text' ? [] : [c]));
  const columns: number[] = [];
  let next = 0;
  for (const channel of recording.channels) {
    while (columnUnit(table.columns[next]!, options.unit).name !== channel.name) next++;
    columns.push(numeric[next++]!);
  }
  const time = timeOf(table, numeric);
  return {
    recording,
    layout,
    dataStart,
    columns,
    time: time && { column: time.column, perSecond: time.perSecond, isClock: time.isClock },
    isRegular: time?.isRegular ?? false,
    headerRows: table.headerRows ?? 0,
  };
}

function timeOf(table: Table, numeric: readonly number[]) {
  const time = timeColumn(table.columns, [], table.rateHz !== undefined);
  const at = table.columns.findIndex(({ name }) => name === time?.name);
  const fit = time && fitRows(time.seconds);
  if (!time || !fit || at < 0) return undefined;
  const { values, isTime, isDated } = table.columns[at]!;
  let [first, last] = [0, values.length - 1];
  while (first < last && Number.isNaN(values[first])) first++;
  while (last > first && Number.isNaN(values[last])) last--;
  const seconds = time.seconds[last]! - time.seconds[first]!;
  const perSecond = isTime ? 1 : (values[last]! - values[first]!) / seconds;
  const isRegular = fit.packetRows === 1 && fit.jitterSeconds * fit.measuredHz < 0.3 && fit.backward === 0;
  return { column: numeric[at]!, perSecond, isClock: Boolean(isTime && !isDated), isRegular };
}

/** Reads on behind the beginning: bytes in, pieces out. */
export class TableTail {
  #layout: CsvLayout;
  #rest: Uint8Array = new Uint8Array(0);
  #toSkip: number;
  readonly #rateHz: number;
  /** Seconds of the source that were given or passed over. */
  end: number;
  #time: number | undefined;
  #rowsSince = 0;
  readonly #widths = new Map<number, number>();

  constructor(
    readonly beginning: Beginning,
    readonly notes: CountedNotes,
    start: number,
  ) {
    this.#layout = beginning.layout;
    this.#toSkip = beginning.headerRows;
    this.#rateHz = beginning.recording.channels[0]!.rateHz;
    this.end = start;
  }

  /** Bytes that belong to a row whose end has not come. */
  get waitingBytes(): number {
    return this.#rest.length;
  }

  /** The pieces that these bytes complete: rows whose line end is there. */
  push(bytes: Uint8Array): LivePiece[] {
    const all = new Uint8Array(this.#rest.length + bytes.length + 1);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const end = all.length - 1;
    all[end] = 10; // behind any row stands no digit
    let rows = this.#rowsOf(all, end);
    if (rows.rows.long > 0) rows = this.#widen(rows, all, end);
    this.#rest = all.slice(rows.done, end);
    if (this.#rest.length > mostLineBytes)
      throw new FormatError(
        `${this.notes.where}: a line of more than ${mostLineBytes} bytes. This is no table.`,
        this.notes.where,
      );
    this.#note(rows.rows);
    return this.#piecesOf(rows.rows);
  }

  #rowsOf(bytes: Uint8Array, end: number): { rows: CsvRows; done: number } {
    const rows = emptyRows(this.#layout, 16 + Math.ceil(end / (4 * this.#layout.kinds.length)));
    return { rows, done: addRows(rows, this.#layout, bytes, 0, end, false) };
  }

  /** A column that begins later, as a marker's: read these rows again with it. */
  #widen(found: { rows: CsvRows; done: number }, bytes: Uint8Array, end: number) {
    for (const [width, count] of found.rows.widths)
      this.#widths.set(width, (this.#widths.get(width) ?? 0) + count);
    const wider = widerLayout(this.#layout, { ...found.rows, widths: this.#widths });
    if (!wider) return found;
    this.#layout = wider;
    this.#widths.clear();
    return this.#rowsOf(bytes, end);
  }

  #note({ short, long, unreadable, firstUnreadable }: CsvRows): void {
    this.notes.add('rows have cells too few; what they lack is missing', short);
    this.notes.add('rows have numbers too many and are missing', long);
    this.notes.add('cells are no numbers and are missing', unreadable, `'${firstUnreadable}'`);
  }

  #piecesOf(rows: CsvRows): LivePiece[] {
    const { columns, time } = this.beginning;
    const from = Math.min(this.#toSkip, rows.rowCount);
    this.#toSkip -= from;
    const sources = columns.map((column) => rows.numbers[column]!);
    const stamps = time ? rows.numbers[time.column]! : undefined;
    const pieces: LivePiece[] = [];
    let begun = from;
    let gapTo: number | undefined;
    let holes: { row: number; count: number }[] = [];
    const finish = (row: number) => {
      const samples = sources.map((source) => withHoles(source, begun, row, holes));
      this.end += (samples[0]?.length ?? 0) / this.#rateHz;
      if (row > begun || gapTo !== undefined)
        pieces.push(gapTo === undefined ? { samples } : { samples, gapTo });
    };
    for (let row = from; stamps && row < rows.rowCount; row++) {
      const lost = this.#lostBefore(stamps.at(row));
      if (lost === 0) continue;
      if (lost <= longestHole * this.#rateHz) holes.push({ row, count: lost });
      else {
        finish(row);
        gapTo = this.end + lost / this.#rateHz;
        this.end = gapTo;
        [begun, holes] = [row, []];
      }
    }
    finish(rows.rowCount);
    return pieces;
  }

  /** Samples lost before a row with this stamp. */
  #lostBefore(stamp: number): number {
    const { time, isRegular } = this.beginning;
    this.#rowsSince++;
    if (!time || Number.isNaN(stamp)) return 0;
    let seconds = stamp / time.perSecond;
    if (this.#time === undefined) {
      [this.#time, this.#rowsSince] = [seconds, 0];
      return 0;
    }
    if (time.isClock) while (seconds - this.#time < -secondsOfDay / 2) seconds += secondsOfDay;
    const step = seconds - this.#time;
    if (step === 0) return 0; // one stamp a packet
    if (step < 0) this.notes.add('stamps lie before the one above them; the rows follow on');
    const excess = step - this.#rowsSince / this.#rateHz;
    [this.#time, this.#rowsSince] = [seconds, 0];
    const least = isRegular ? 0.75 / this.#rateHz : Math.max(longestHole, 20 / this.#rateHz);
    if (excess < least) return 0;
    const lost = Math.round(excess * this.#rateHz);
    this.notes.add('samples are missing by their times', lost);
    return lost;
  }
}

/** Rows [from, to) of a column; NaN before those rows where samples were lost. */
function withHoles(
  source: GrowingArray,
  from: number,
  to: number,
  holes: readonly { row: number; count: number }[],
): Float64Array {
  const values = source.values();
  const total = to - from + holes.reduce((sum, { count }) => sum + count, 0);
  const result = new Float64Array(total).fill(Number.NaN);
  let [at, begun] = [0, from];
  for (const { row, count } of holes) {
    result.set(values.subarray(begun, row), at);
    at += row - begun + count;
    begun = row;
  }
  result.set(values.subarray(begun, to), at);
  return result;
}
