/** What a recording has beside its samples, as JSON in a Parquet file's metadata under `heartmind`. */
import { FormatError } from '../../core/errors.ts';
import type { Annotation, Channel, Recording, Span } from '../../core/recording.ts';
import { checkSamples, isRate, isTime, roomFor } from '../header-text.ts';

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

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);
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

/** The recording; a column is decoded when one of its samples is first asked for, and kept. */
export function writtenRecording(
  source: string,
  { channels: described, spans, annotations, startTimeMs, startNanoseconds, metadata, rows }: ParquetFacts,
  readColumn: (column: number) => Promise<Float64Array>,
  close: () => Promise<void>,
): Recording {
  const channels = described.map((channel): Channel => ({ ...channel, lengthSamples: rows }));
  const columns = new Map<number, Promise<Float64Array>>();
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
    async read(channel, start, end, into) {
      checkSamples(`parquet: ${source}`, source, channels, channel, start, end);
      const result = roomFor(end - start, into);
      const column = columns.get(channel) ?? readColumn(channel);
      columns.set(channel, column);
      result.set((await column).subarray(start, end));
      return result;
    },
    close,
  };
}
