/**
 * What EDF+ and BDF+ state of time: the annotation signals of all records → onsets and annotations; onsets → spans.
 * Source: EDF+ specification §2.2.
 */
import { budgetOf } from '../../core/budget.ts';
import type { Annotation, Span } from '../../core/recording.ts';
import type { RangedBytes } from '../ranged-bytes.ts';
import { type ParsedLists, parseAnnotationLists } from './annotations.ts';
import type { EdfHeader, EdfSignal } from './header.ts';
import { visitRecords } from './records.ts';

export interface EdfTimes {
  /** Seconds from the header's start time to the first record (below 1 in proper files). */
  readonly offset: number;
  /** Seconds from the first record's start, one a record; empty where the file has no annotation signal. */
  readonly onsets: readonly number[];
  readonly annotations: readonly Annotation[];
}

/**
 * Go once through the annotation signals; of large records, only their bytes are read. A label `text@@NAME` concerns the
 * channel of that name in `names`.
 */
export async function readTimes(
  bytes: RangedBytes,
  header: EdfHeader,
  recordCount: number,
  names: readonly string[],
  log: string[],
): Promise<EdfTimes> {
  const { format, recordSeconds } = header;
  const budget = budgetOf(bytes.source);
  const signals = header.signals.filter((signal) => signal.isAnnotations && signal.samplesPerRecord > 0);
  const onsets: number[] = [];
  const found: Annotation[] = [];
  let [broken, untimed] = [0, 0];
  if (signals.length === 0) return { offset: 0, onsets, annotations: [] };
  const keep = (parsed: ParsedLists, isFirst: boolean) => {
    broken += parsed.broken;
    if (isFirst) {
      const keeper = parsed.lists[0]?.texts[0] === '' ? parsed.lists[0].onset : undefined;
      if (keeper === undefined) untimed++;
      onsets.push(keeper ?? (onsets.at(-1) ?? -recordSeconds) + recordSeconds);
    }
    for (const { onset, duration, texts } of parsed.lists)
      for (const text of texts)
        if (text !== '') {
          budget.spend(`${format}: ${bytes.source.name}`, 'annotations');
          found.push({ start: onset, duration, ...labelOf(text, names) });
        }
  };
  await visitRecords(bytes, header, recordCount, signals, (part, _, signal) =>
    keep(parseAnnotationLists(part), signal === 0),
  );
  if (broken > 0) log.push(`${format}: ${broken} annotation lists could not be read and were left out.`);
  if (untimed > 0)
    log.push(
      `${format}: ${untimed} of ${recordCount} records do not state their time; taken to follow the one before.`,
    );
  const offset = onsets[0] ?? 0;
  return {
    offset,
    onsets: onsets.map((onset) => minus(onset, offset)),
    annotations: found
      .map((a) => ({ ...a, start: minus(a.start, offset) }))
      .sort((a, b) => a.start - b.start),
  };
}

/** Onsets are decimal texts: their difference is one too, of at most nanoseconds, where a double is that fine. */
function minus(onset: number, offset: number): number {
  const difference = onset - offset;
  return offset === 0 || Math.abs(difference) > 4e6 ? difference : Math.round(difference * 1e9) / 1e9 + 0;
}

/** EDFbrowser, MNE and others write the channel that an annotation concerns behind `@@`. */
function labelOf(text: string, names: readonly string[]): { label: string; channel?: number } {
  const at = text.lastIndexOf('@@');
  const channel = at > 0 ? names.indexOf(text.slice(at + 2)) : -1;
  return channel < 0 ? { label: text } : { label: text.slice(0, at), channel };
}

/** Records whose onsets follow one another within half a sample make one span; files not marked as +D are one span. */
export function spansOf(
  header: EdfHeader,
  recordCount: number,
  { onsets, annotations }: EdfTimes,
  stored: readonly EdfSignal[],
  log: string[],
): Span[] {
  const { format, recordSeconds } = header;
  if (recordCount === 0) return [];
  // A file of annotations only lasts as long as they do.
  if (recordSeconds === 0)
    return [{ start: 0, duration: annotations.reduce((end, a) => Math.max(end, a.start + a.duration), 0) }];
  const whole = { start: 0, duration: recordCount * recordSeconds };
  const fastest = stored.reduce((most, signal) => Math.max(most, signal.samplesPerRecord), 1);
  const tolerance = recordSeconds / fastest / 2;
  const spans: Span[] = [];
  let from = 0;
  for (let record = 1; record <= onsets.length; record++) {
    const expected = onsets[from]! + (record - from) * recordSeconds;
    if (record < onsets.length && Math.abs(onsets[record]! - expected) <= tolerance) continue;
    spans.push({ start: onsets[from]!, duration: (record - from) * recordSeconds });
    from = record;
  }
  if (spans.length <= 1) return [whole];
  if (!/^[EB]DF\+D/.test(header.reserved)) {
    log.push(
      `${format}: the file is marked as continuous, its records state ${spans.length - 1} gaps; read as continuous.`,
    );
    return [whole];
  }
  if (spans.some((span, i) => i > 0 && span.start < spans[i - 1]!.start + spans[i - 1]!.duration - tolerance))
    log.push(`${format}: some records start before the one stored before them ends.`);
  return spans;
}
