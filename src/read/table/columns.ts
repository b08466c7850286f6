/** What columns of tables are, by their names and values: times, counters, labels, units. */
import type { TableColumn } from './table.ts';
import { rateOf } from './time.ts';

export interface TimeColumn {
  readonly name: string;
  /** Seconds of each row from the first one's; NaN where a row has no time. */
  readonly seconds: Float64Array;
  /** Of the first row since 1970, where a column says so. */
  readonly epochSeconds?: number;
  /** All columns that hold times. */
  readonly columns: readonly TableColumn[];
}

const timeName =
  /^(time|times|time ?stamps?|date ?time|date|t|sec|secs|seconds?|msecs?|ms|millis(econds?)?|elapsed( time)?|zeit|unix( time)?|epoch|lsl(_| )?time(stamp)?s?|(phone|sensor|device|host|local|server|unix|arrival|board|packet|lsl|recording|sample|system|utc|relative|elapsed)[ _-]?time[ _-]?(stamps?)?)$/i;
const counterName =
  /^(#|no|nr|index|row|sample|sample ?(index|number|no|nr|count(er)?|id)|counter|packet ?(index|number|count(er)?|num|id)|seq(uence)?( ?(number|no))?|unnamed: 0|other|battery.*|headbandon|hsi_.*|elements|column 0)$/i;
const labelName =
  /^(labels?|markers?|events?|triggers?|stim(ulus)?|annotations?|class|condition|marker channel|status)$/i;
const unitPattern = /^(.*?)\s*[[({]\s*([^\])}]{1,14}?)\s*[\])}]\s*$/;
const unitEnding = /^(.*?)[ _-](n?v|uv|µv|μv|mv|ns|us|µs|ms|sec|bpm)$/i;
const seconds: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['sec', 1],
  ['secs', 1],
  ['second', 1],
  ['seconds', 1],
  ['ms', 1e3],
  ['msec', 1e3],
  ['millis', 1e3],
  ['millisecond', 1e3],
  ['milliseconds', 1e3],
  ['us', 1e6],
  ['µs', 1e6],
  ['μs', 1e6],
  ['microseconds', 1e6],
  ['ns', 1e9],
  ['nanoseconds', 1e9],
]);

/** Name and unit apart: `ECG (mV)`, `ch1 [uV]`, `ecg_uV`. */
export function splitUnit(name: string): { readonly name: string; readonly unit: string } {
  const match = unitPattern.exec(name) ?? unitEnding.exec(name);
  const unit =
    match?.[2]?.replace(/[μµ]|micro-?v(olt)?s?$/i, (micro) => (micro.length > 1 ? 'uV' : 'u')) ?? '';
  return match?.[1] ? { name: match[1].trim(), unit } : { name, unit: '' };
}

export interface NamedUnit {
  readonly name: string;
  readonly unit: string;
  /** Who says the unit: the table, whoever reads it, or what is known of the device's exports. */
  readonly by: 'table' | 'reader' | 'device' | 'nobody';
}

/** Name and unit of a channel; devices whose exports name no units are known by their columns. */
export function columnUnit(column: TableColumn, given: string | undefined): NamedUnit {
  const split = column.unit === undefined ? splitUnit(column.name) : column;
  const { name } = split;
  if (split.unit) return { name, unit: split.unit, by: 'table' };
  if (given) return { name, unit: given, by: 'reader' };
  const unit = knownUnit(name);
  return { name, unit, by: unit ? 'device' : 'nobody' };
}

function knownUnit(name: string): string {
  if (/^RAW_(TP9|TP10|AF7|AF8)$/.test(name) || /^EXG Channel \d+$/.test(name)) return 'uV';
  if (/^(Accelerometer_[XYZ]|Accel Channel \d+)$/.test(name)) return 'g';
  return '';
}

const tidy = (name: string) => splitUnit(name).name.replace(/[_-]+/g, ' ').trim();

/** Is it a running number, a state of the device, or anything else that nobody would filter? */
export const isCounterName = (name: string): boolean =>
  counterName.test(name) || counterName.test(tidy(name));
export const isTimeName = (name: string): boolean => timeName.test(tidy(name));
export const isLabelName = (name: string): boolean => labelName.test(tidy(name));

/**
 * The column whose times are the most regular; where none is named as one and the rate is not known, a first column that
 * only grows.
 */
export function timeColumn(
  columns: readonly TableColumn[],
  log: string[],
  isRateKnown = false,
): TimeColumn | undefined {
  const named = columns.filter((column) => column.isTime || isTimeName(column.name));
  const isUsable = ({ values }: TableColumn) => countPresent(values) > 2;
  const candidates = named.filter(isUsable);
  const [first] = columns;
  if (
    named.length === 0 &&
    !isRateKnown &&
    first &&
    columns.length > 1 &&
    /^column 1$/.test(first.name) &&
    isRamp(first.values)
  )
    candidates.push(first);
  if (candidates.length === 0) return undefined;
  const all = candidates.map((column) => ({ column, ...inSeconds(column) }));
  const rated = all.map((entry) => ({ ...entry, regularity: rateOf(entry.values)?.regularity ?? -1 }));
  const best = rated.reduce((a, b) => (b.regularity > a.regularity + 0.02 ? b : a));
  if (best.guess) log.push(best.guess);
  const dated = all.find(({ epochSeconds }) => epochSeconds !== undefined);
  return {
    name: best.column.name,
    seconds: best.values,
    ...(dated?.epochSeconds !== undefined && { epochSeconds: dated.epochSeconds }),
    columns: [...new Set([...named, best.column])],
  };
}

/** Values that are there, of the first and the others: three are enough to know. */
function countPresent(values: Float64Array): number {
  let count = 0;
  for (let i = 0; i < values.length && count < 3; i++) if (!Number.isNaN(values[i])) count++;
  return count;
}

const firstPresent = (values: Float64Array) => values.find((x) => !Number.isNaN(x)) ?? Number.NaN;

function isRamp(values: Float64Array): boolean {
  if (values.length < 10) return false;
  for (let i = 1; i < values.length; i++) if (!(values[i]! >= values[i - 1]!)) return false;
  const rate = rateOf(values);
  return rate !== undefined && rate.regularity > 0.9;
}

function inSeconds(column: TableColumn): { values: Float64Array; epochSeconds?: number; guess?: string } {
  const { values } = column;
  const start = firstPresent(values);
  if (column.isTime) {
    return {
      values: unwrapDays(values, column.isDated ?? false),
      ...(column.isDated && { epochSeconds: start }),
    };
  }
  const stated = column.unit ?? splitUnit(column.name).unit;
  let perSecond = seconds.get(stated.toLowerCase()) ?? seconds.get(tidy(column.name).toLowerCase());
  let guess: string | undefined;
  const size = Math.abs(start);
  if (perSecond === undefined && size > 1e8)
    perSecond = size > 1e17 ? 1e9 : size > 1e14 ? 1e6 : size > 1e11 ? 1e3 : 1;
  if (perSecond === undefined) {
    const step = 1 / (rateOf(values)?.measuredHz ?? 1);
    perSecond = step <= 1 ? 1 : step < 1000 ? 1e3 : step < 1e6 ? 1e6 : 1e9;
    if (perSecond !== 1)
      guess = `table: steps of ${Number(step.toPrecision(4))} in '${column.name.slice(0, 40)}' are taken for 1/${perSecond} s.`;
  }
  const epoch = start / perSecond;
  const isEpoch = epoch > 631152000 && epoch < 4102444800 && !/sensor|device/i.test(column.name); // 1990 to 2100
  return {
    values: values.map((x) => (x - start) / perSecond),
    ...(isEpoch && { epochSeconds: epoch }),
    ...(guess && { guess }),
  };
}

/** Seconds from the first; clock times go on after midnight. */
function unwrapDays(values: Float64Array, isDated: boolean): Float64Array {
  const start = firstPresent(values);
  let [days, last] = [0, start];
  return values.map((x) => {
    if (Number.isNaN(x)) return x;
    if (!isDated && x - last < -43200) days += 86400;
    last = x;
    return x - start + days;
  });
}
