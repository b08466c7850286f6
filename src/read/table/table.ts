/**
 * Columns by name → Recording: the one path for delimited text, NumPy arrays and Parquet. A column of times gives rate
 * and gaps, the others become channels; texts become annotations. Lost rows are NaN up to a second, longer gaps end a span.
 */
import { appendAll } from '../../core/arrays.ts';
import type { Budget } from '../../core/budget.ts';
import { ConfigError, DataError } from '../../core/errors.ts';
import type { Annotation, Channel, Recording, Span } from '../../core/recording.ts';
import { checkSamples, isRate, isTime, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { columnUnit, isCounterName, isLabelName, type TimeColumn, timeColumn } from './columns.ts';
import { fitRows, type RowStretch } from './fit-rows.ts';
import { checkUnit, fitNotes, noteUnits } from './table-notes.ts';

export interface TableColumn {
  readonly name: string;
  /** One value a row; NaN: missing. */
  readonly values: Float64Array;
  readonly unit?: string;
  /** Seconds, where texts were read as times: since 1970 if `isDated`. */
  readonly isTime?: boolean;
  readonly isDated?: boolean;
  readonly resolution?: number;
  readonly offset?: number;
}

export interface Table {
  readonly source: string;
  readonly format: string;
  readonly rowCount: number;
  /** Rows of numbers before the first one that are no samples. */
  readonly headerRows?: number;
  readonly columns: readonly TableColumn[];
  /** From that row on the text stands, by column. */
  readonly texts?: readonly { readonly name: string; readonly changes: readonly RowText[] }[];
  /** Texts at a row, standing for nothing but themselves. */
  readonly events?: readonly RowText[];
  readonly rateHz?: number;
  readonly startTime?: Date;
  readonly startNanoseconds?: number;
  readonly annotations?: readonly Annotation[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly log?: readonly string[];
  /** What its annotations are drawn from. */
  readonly budget?: Budget | undefined;
}

export interface RowText {
  readonly row: number;
  readonly text: string;
}

/** Texts that change more often than this are data of another kind. */
export const mostChanges = 100_000;

/** DataError where no column holds samples, ConfigError where nothing says the rate. */
export function tableRecording(table: Table, options: ReadOptions = {}, close = async () => {}): Recording {
  const { source, format } = table;
  const where = `${format}: ${source}`;
  const log = [...(table.log ?? [])];
  const given = table.rateHz ?? options.rateHz;
  if (given !== undefined && !isRate(given))
    throw new ConfigError(`${where}: a rate of ${given} Hz. Give one above 0.`, 'rateHz', 'above 0');
  const time = timeColumn(table.columns, log, table.rateHz !== undefined);
  const left = new Set(time?.columns ?? []);
  const labels: TableColumn[] = [];
  const signals = table.columns.filter((column) => {
    if (left.has(column)) return false;
    if (column.isTime || isCounterName(column.name)) left.add(column);
    else if (isLabelName(column.name) && column.values.every((x) => Number.isInteger(x) || Number.isNaN(x)))
      labels.push(column);
    else if (column.values.every(Number.isNaN)) left.add(column);
    else return true;
    return false;
  });
  const dropped = [...left].filter((column) => !time?.columns.includes(column));
  if (dropped.length > 0)
    log.push(
      `${format}: ${dropped.length} columns without samples were left out: ${dropped
        .slice(0, 8)
        .map(({ name }) => quoted(name))
        .join(', ')}${dropped.length > 8 ? ', …' : ''}.`,
    );
  if (signals.length === 0 || table.rowCount === 0)
    throw new DataError(`${where} has no column of numbers to read as a channel. Name a table of samples.`);
  const { rateHz, stretches } = layRows(table, time, given, where, log);
  const layout = layOut(stretches, rateHz, table.rowCount, log, format);
  const units = signals.map((column) => columnUnit(column, options.unit));
  checkUnit(units, options.unit, where);
  noteUnits(units, format, log);
  const channels: Channel[] = signals.map((column, c) => ({
    name: units[c]!.name,
    unit: units[c]!.unit,
    rateHz,
    lengthSamples: layout.lengthSamples,
    ...(column.resolution !== undefined && { resolution: column.resolution, offset: column.offset ?? 0 }),
  }));
  const at = (row: number) => timeOfRow(stretches, rateHz, row);
  const draw = (count: number) => table.budget?.spend(where, 'annotations', count);
  const annotations = [
    ...(table.annotations ?? []),
    ...(table.events ?? []).map(({ row, text }) => ({ start: at(row), duration: 0, label: text })),
    ...labels.flatMap((column) => labelAnnotations(column, at, draw)),
    ...(table.texts ?? []).flatMap(({ name, changes }) =>
      textAnnotations(name, changes, table.rowCount, at, rateHz, format, log, draw),
    ),
  ].sort((a, b) => a.start - b.start);
  const start = table.startTime ? undefined : startOf(time);
  return {
    source,
    format,
    channels,
    spans: layout.spans,
    duration: layout.spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    annotations,
    ...(table.startTime && { startTime: table.startTime }),
    ...(table.startNanoseconds && { startNanoseconds: table.startNanoseconds }),
    ...(start && { startTime: start }),
    metadata: table.metadata ?? {},
    log,
    async read(channel, from, to, into) {
      checkSamples(where, source, channels, channel, from, to);
      const result = roomFor(to - from, into);
      const { values } = signals[channel]!;
      let filled = from;
      for (const { stored, first, count } of layout.pieces) {
        const [begin, end] = [Math.max(from, stored), Math.min(to, stored + count)];
        if (begin >= end) continue;
        result.fill(Number.NaN, filled - from, begin - from);
        result.set(values.subarray(first + begin - stored, first + end - stored), begin - from);
        filled = end;
      }
      result.fill(Number.NaN, filled - from);
      return result;
    },
    close,
  };
}

function layRows(
  table: Table,
  time: TimeColumn | undefined,
  given: number | undefined,
  where: string,
  log: string[],
): { rateHz: number; stretches: RowStretch[] } {
  const { format, rowCount } = table;
  const found = time && fitRows(time.seconds, given);
  const whole = [{ first: 0, count: rowCount, start: 0 }];
  if (!time || !found) {
    if (given === undefined) {
      throw new ConfigError(
        `${where} has no column of times and states no rate. Give the sampling rate with --input-rate.`,
        'rateHz',
        'Hz',
      );
    }
    return { rateHz: given, stretches: whole };
  }
  const { rateHz, measuredHz, stretches } = found;
  if (!isRate(rateHz))
    throw new DataError(
      `${where}: the times in ${quoted(time.name)} make ${measuredHz} Hz. Give --input-rate.`,
    );
  appendAll(log, fitNotes(found, `${format}:`, quoted(time.name), given));
  if (stretches.some(({ start }) => !isTime(start))) {
    log.push(
      `${format}: the times in ${quoted(time.name)} are further apart than can be; read as one stretch.`,
    );
    return { rateHz, stretches: whole };
  }
  return { rateHz, stretches: [...stretches] };
}

/** Where rows are stored: gaps up to a second are NaN (at most as many as there are rows), longer ones end a span. */
function layOut(
  stretches: readonly RowStretch[],
  rateHz: number,
  rowCount: number,
  log: string[],
  format: string,
): {
  spans: Span[];
  pieces: { stored: number; first: number; count: number }[];
  lengthSamples: number;
} {
  const pieces: { stored: number; first: number; count: number }[] = [];
  const spans: { start: number; duration: number }[] = [];
  let [stored, lost, apart] = [0, 0, 0];
  for (const { first, count, start } of stretches) {
    const span = spans.at(-1);
    const gap = span ? Math.round((start - span.start - span.duration) * rateHz) : 0;
    const isShort = span && gap <= Math.max(1, rateHz) && lost + gap <= rowCount;
    if (isShort) {
      stored += gap;
      lost += gap;
      span.duration += (gap + count) / rateHz;
    } else {
      if (span) apart += gap / rateHz;
      spans.push({ start, duration: count / rateHz });
    }
    pieces.push({ stored, first, count });
    stored += count;
  }
  if (lost > 0) log.push(`${format}: ${lost} samples are missing by their times; they are NaN.`);
  if (spans.length > 1)
    log.push(
      `${format}: ${spans.length - 1} gaps of ${Number(apart.toPrecision(4))} s together part the recording.`,
    );
  return { spans, pieces, lengthSamples: stored };
}

function timeOfRow(stretches: readonly RowStretch[], rateHz: number, row: number): number {
  let [low, high] = [0, stretches.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (stretches[middle]!.first <= row) low = middle;
    else high = middle - 1;
  }
  const { first, start } = stretches[low]!;
  return start + (row - first) / rateHz;
}

/** Whole numbers that mark rows: each run of one that is not 0. */
function labelAnnotations(
  { values }: TableColumn,
  at: (row: number) => number,
  draw: (count: number) => void,
): Annotation[] {
  const found: Annotation[] = [];
  let first = 0;
  for (let row = 1; row <= values.length && found.length < mostChanges; row++) {
    if (row < values.length && Object.is(values[row], values[first])) continue;
    const value = values[first]!;
    if (value !== 0 && !Number.isNaN(value)) {
      const duration = row - first > 1 ? at(row) - at(first) : 0;
      draw(1);
      found.push({ start: at(first), duration, label: String(value) });
    }
    first = row;
  }
  return found;
}

function textAnnotations(
  name: string,
  changes: readonly RowText[],
  rowCount: number,
  at: (row: number) => number,
  rateHz: number,
  format: string,
  log: string[],
  draw: (count: number) => void,
): Annotation[] {
  if (changes.length > Math.min(mostChanges, Math.max(100, rowCount / 2))) {
    log.push(
      `${format}: the texts in ${quoted(name)} change ${changes.length > mostChanges ? `more than ${mostChanges}` : changes.length} times and were left out.`,
    );
    return [];
  }
  draw(changes.length);
  return changes.flatMap(({ row, text }, i) => {
    if (text === '') return [];
    const end = changes[i + 1]?.row ?? rowCount;
    const duration = end - row > 1 ? at(end - 1) + 1 / rateHz - at(row) : 0;
    return [{ start: at(row), duration, label: text }];
  });
}

function startOf(time: TimeColumn | undefined): Date | undefined {
  if (time?.epochSeconds === undefined) return undefined;
  const start = new Date(Math.round(time.epochSeconds * 1000));
  return Number.isNaN(start.getTime()) ? undefined : start;
}
