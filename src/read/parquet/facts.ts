/** What a recording has beside its samples, as JSON in a Parquet file's metadata under `heartmind`. */
import { FormatError } from '../../core/errors.ts';
import { isObject } from '../../core/plain.ts';
import type { Annotation, Channel, Recording, Span } from '../../core/recording.ts';
import { checkSamples, isRate, isTime, roomFor } from '../header-text.ts';
import { type ReadTogether, withPass } from '../read-channels.ts';

export interface ParquetFacts {
  readonly version: 1;
  readonly channels: readonly Omit<Channel, 'lengthSamples'>[];
  readonly spans: readonly Span[];
  readonly annotations: readonly Annotation[];
  readonly startTimeMs?: number;
  readonly startNanoseconds?: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rows: number;
}

export function factsOf(recording: Recording): ParquetFacts {
  const { channels, spans, annotations, startTime, startNanoseconds, metadata } = recording;
  return {
    version: 1,
    channels: channels.map(({ lengthSamples: _, ...channel }) => channel),
    spans,
    annotations,
    ...(startTime && { startTimeMs: startTime.getTime() }),
    ...(startNanoseconds && { startNanoseconds }),
    metadata,
    rows: channels[0]?.lengthSamples ?? 0,
  };
}

const isText = (x: unknown): x is string => typeof x === 'string';
const isReal = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x);
const isMoment = (x: unknown): x is number => isReal(x) && isTime(x);
const listOf = (x: unknown): unknown[] => (Array.isArray(x) ? x : []);

/** Checked field by field. FormatError where it does not fit the columns. */
export function parseFacts(
  json: string,
  source: string,
  columnCount: number,
  rowCount: number,
): ParquetFacts {
  const fail = (fact: string): never => {
    throw new FormatError(
      `parquet: ${source} ${fact} in its 'heartmind' metadata. It was changed after heartmind wrote it.`,
      source,
    );
  };
  let facts: unknown;
  try {
    facts = JSON.parse(json);
  } catch {
    return fail('has no JSON');
  }
  if (!isObject(facts) || facts.version !== 1) return fail('has another version');
  const channels = listOf(facts.channels).flatMap((channel): Omit<Channel, 'lengthSamples'>[] => {
    if (!isObject(channel) || !isText(channel.name) || !isText(channel.unit) || !isReal(channel.rateHz))
      return [];
    const { name, unit, rateHz, range, resolution, offset, note } = channel;
    const [low, high] = listOf(range);
    return [
      {
        name,
        unit,
        rateHz,
        ...(isReal(low) && isReal(high) && { range: [low, high] as const }),
        ...(isReal(resolution) && { resolution }),
        ...(isReal(offset) && { offset }),
        ...(isText(note) && { note }),
      },
    ];
  });
  if (
    channels.length !== columnCount ||
    facts.rows !== rowCount ||
    channels.some(({ rateHz }) => !isRate(rateHz))
  )
    return fail(
      `describes ${channels.length} channels of ${facts.rows} samples for ${columnCount} of ${rowCount}`,
    );
  const spans = listOf(facts.spans).flatMap((span): Span[] =>
    isObject(span) && isMoment(span.start) && isMoment(span.duration)
      ? [{ start: span.start, duration: span.duration }]
      : [],
  );
  const annotations = listOf(facts.annotations).flatMap((a): Annotation[] => {
    if (!isObject(a) || !isMoment(a.start) || !isMoment(a.duration) || !isText(a.label)) return [];
    const { start, duration, label, channel } = a;
    const isOne = isReal(channel) && Number.isInteger(channel) && channel >= 0 && channel < columnCount;
    return [{ start, duration, label, ...(isOne && { channel }) }];
  });
  const { startTimeMs, startNanoseconds, metadata } = facts;
  return {
    version: 1,
    channels,
    spans,
    annotations,
    ...(isReal(startTimeMs) && Math.abs(startTimeMs) <= 8.64e15 && { startTimeMs }),
    ...(isReal(startNanoseconds) && startNanoseconds >= 0 && startNanoseconds < 1e6 && { startNanoseconds }),
    metadata: Object.fromEntries(
      Object.entries(isObject(metadata) ? metadata : {}).filter(
        (entry): entry is [string, string] => isText(entry[1]) && entry[0] !== '__proto__',
      ),
    ),
    rows: rowCount,
  };
}

/** Decode whole columns, into memory for each where it is given. */
export type ReadColumns = (
  columns: readonly number[],
  rooms?: readonly Float64Array[],
) => Promise<readonly Float64Array[]>;

/** The recording; a column is decoded when a part of it is first asked for, and kept; whole ones where they are wanted. */
export function writtenRecording(
  source: string,
  { channels: described, spans, annotations, startTimeMs, startNanoseconds, metadata, rows }: ParquetFacts,
  readColumns: ReadColumns,
  close: () => Promise<void>,
): Recording {
  const channels = described.map((channel): Channel => ({ ...channel, lengthSamples: rows }));
  const columns = new Map<number, Promise<Float64Array>>();
  const columnOf = (channel: number): Promise<Float64Array> => {
    const column = columns.get(channel) ?? readColumns([channel]).then(([values]) => values!);
    columns.set(channel, column);
    return column;
  };
  const read = async (channel: number, start: number, end: number, into?: Float64Array) => {
    checkSamples(`parquet: ${source}`, source, channels, channel, start, end);
    const result = roomFor(end - start, into);
    if (!columns.has(channel) && result.length === rows) await readColumns([channel], [result]);
    else result.set((await columnOf(channel)).subarray(start, end));
    return result;
  };
  const together: ReadTogether = async (ranges, rooms) => {
    const fresh: number[] = [];
    for (const [i, { channel, start, end }] of ranges.entries())
      if (!columns.has(channel) && end - start === rows) fresh.push(i);
      else rooms[i]!.set((await columnOf(channel)).subarray(start, end));
    if (fresh.length === 0) return;
    await readColumns(
      fresh.map((i) => ranges[i]!.channel),
      fresh.map((i) => rooms[i]!),
    );
  };
  return {
    source,
    format: 'parquet',
    channels,
    spans,
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    annotations,
    ...(startTimeMs !== undefined && { startTime: new Date(startTimeMs) }),
    ...(startNanoseconds && { startNanoseconds }),
    metadata,
    log: [],
    read: withPass(read, together),
    close,
  };
}
