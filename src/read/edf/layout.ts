/**
 * How a recording is cut into records of EDF or BDF: (rates, spans) → seconds of a record and the records of each span.
 * A record holds whole samples of every channel, its length has at most 8 characters, and best every span is whole
 * records: nothing is then filled up.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Channel, Span } from '../../core/recording.ts';

export interface RecordSpan {
  /** Seconds from the recording's start. */
  readonly start: number;
  readonly records: number;
  /** Stored samples of each channel. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

export interface RecordLayout {
  readonly recordSeconds: number;
  /** Samples of each channel in a record. */
  readonly perRecord: readonly number[];
  readonly spans: readonly RecordSpan[];
}

type Paced = Pick<Channel, 'name' | 'rateHz' | 'lengthSamples'>;

/** A record longer than this is none that other software would take. */
const mostRecordBytes = 2 ** 20;
/** The same of records with one sample of the slowest channel, which cannot be shorter. */
const longestRecordBytes = 2 ** 24;
const mostTried = 60_000;
/** Below, in more records than these, the time stamps would be a large part of the file. */
const leastRecordBytes = 100;
const fewRecords = 3000;
/** Longer records, were they to be filled up, would add much that was not recorded. */
const longestFilledSeconds = 10;

/** Choose the records' length nearest to a second. ConfigError where no length has whole samples of all channels. */
export function layoutRecords(
  channels: readonly Paced[],
  spans: readonly Span[],
  sampleBytes: number,
): RecordLayout {
  const bounds = boundsOf(channels, spans);
  const slowest = channels.reduce((a, b) => (b.rateHz < a.rateHz ? b : a));
  const bytesPerSample =
    (channels.reduce((sum, { rateHz }) => sum + rateHz, 0) / slowest.rateHz) * sampleBytes;
  const most = Math.min(mostTried, Math.max(1, Math.floor(mostRecordBytes / bytesPerSample)));
  let best: { seconds: number; perRecord: number[]; badness: number } | undefined;
  for (let samples = 1; samples <= most && samples * bytesPerSample <= longestRecordBytes; samples++) {
    const seconds = shortSeconds(samples / slowest.rateHz);
    if (seconds === undefined) continue;
    const perRecord = channels.map(({ rateHz }) => Math.round(rateHz * seconds));
    const isPaced = channels.every(
      ({ rateHz }, i) => perRecord[i]! > 0 && Math.abs(perRecord[i]! / seconds - rateHz) <= 1e-9 * rateHz,
    );
    if (!isPaced) continue;
    const isWhole = bounds.every(({ from, to }) =>
      perRecord.every((count, i) => (to[i]! - from[i]!) % count === 0),
    );
    const isCrowded =
      samples * bytesPerSample < leastRecordBytes && slowest.lengthSamples / samples > fewRecords;
    if (!isWhole && seconds > Math.max(longestFilledSeconds, 1 / slowest.rateHz)) continue;
    if (!isWhole && !fitsBetween(bounds, perRecord, seconds)) continue;
    const badness = Math.abs(Math.log(seconds)) + (isWhole ? 0 : 1000) + (isCrowded ? 2000 : 0);
    if (!best || badness < best.badness) best = { seconds, perRecord, badness };
  }
  if (!best) {
    const rates = [...new Set(channels.map(({ rateHz }) => rateHz))];
    throw new ConfigError(
      `edf: no record of up to ${longestRecordBytes} bytes, whose length has up to 8 digits, has whole samples of channels at ${rates.slice(0, 5).join(', ')} Hz${spans.length > 1 ? ` and fits ${spans.length} stretches` : ''}. Choose one rate with --rate, or fewer channels.`,
      'rate',
      'rates of which some seconds hold whole samples',
    );
  }
  return recordLayout(bounds, best.perRecord, best.seconds);
}

/** The records of every span, the last of each filled up where it must be. */
export function recordLayout(
  bounds: readonly Omit<RecordSpan, 'records'>[],
  perRecord: readonly number[],
  recordSeconds: number,
): RecordLayout {
  const spans = bounds.map((span) => ({ ...span, records: recordsOf(span, perRecord) }));
  return { recordSeconds, perRecord, spans: spans.filter(({ records }) => records > 0) };
}

function recordsOf({ from, to }: Omit<RecordSpan, 'records'>, perRecord: readonly number[]): number {
  return perRecord.reduce((most, count, i) => Math.max(most, Math.ceil((to[i]! - from[i]!) / count)), 0);
}

/** Stored samples of each span follow one another: [from, to) of every channel. */
function boundsOf(channels: readonly Paced[], spans: readonly Span[]): Omit<RecordSpan, 'records'>[] {
  const bounds: Omit<RecordSpan, 'records'>[] = [];
  let seconds = 0;
  for (const [i, { start, duration }] of (spans.length > 0 ? spans : [{ start: 0, duration: 0 }]).entries()) {
    const from = bounds.at(-1)?.to ?? channels.map(() => 0);
    seconds += duration;
    const isLast = i >= spans.length - 1;
    const to = channels.map(({ rateHz, lengthSamples }, c) =>
      isLast ? lengthSamples : Math.max(from[c]!, Math.min(lengthSamples, Math.round(seconds * rateHz))),
    );
    bounds.push({ start, from, to });
  }
  return bounds;
}

/** Does filling up every span's last record leave the next span's start alone? */
function fitsBetween(
  bounds: readonly Omit<RecordSpan, 'records'>[],
  perRecord: readonly number[],
  seconds: number,
): boolean {
  return bounds.every((span, i) => {
    const next = bounds[i + 1];
    return !next || span.start + recordsOf(span, perRecord) * seconds <= next.start + 1e-6;
  });
}

/** The number of at most 8 characters that is these seconds, if there is one that other readers take for the same. */
function shortSeconds(seconds: number): number | undefined {
  const whole = seconds < 1 ? 1 : Math.floor(Math.log10(seconds)) + 1;
  if (whole > 8) return undefined;
  const power = 10 ** Math.max(0, 7 - whole);
  const rounded = Math.round(seconds * power) / power;
  return rounded > 0 && Math.abs(rounded - seconds) <= 1e-9 * seconds ? rounded : undefined;
}
