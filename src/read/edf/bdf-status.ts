/**
 * The `Status` channel of BDF files: 24 bits a sample, of which the lower 16 are trigger inputs → annotations.
 * Source: https://www.biosemi.com/faq/trigger_signals.htm
 */
import { budgetOf } from '../../core/budget.ts';
import type { Annotation, Span } from '../../core/recording.ts';
import type { RangedBytes } from '../ranged-bytes.ts';
import type { EdfFormat, EdfHeader, EdfSignal } from './header.ts';
import { visitRecords } from './records.ts';
import type { EdfTimes } from './times.ts';

/** Does this signal hold bits rather than a voltage? */
export function isStatus({ label }: EdfSignal, format: EdfFormat): boolean {
  return format === 'bdf' && label.toLowerCase() === 'status';
}

/** Inputs that change more often than every this many samples carry no triggers. */
const leastSamplesBetween = 4;

/**
 * The file's annotations, and `trigger N` where the trigger inputs change to N other than 0. What they are at the first
 * sample is where they begin, no trigger. They are events of the recording, not of the Status channel, and stay where it is
 * left out. A file may also hold its triggers as annotations: those are not doubled.
 */
export async function readTriggers(
  bytes: RangedBytes,
  header: EdfHeader,
  recordCount: number,
  stored: readonly EdfSignal[],
  { onsets, annotations }: EdfTimes,
  spans: readonly Span[],
  log: string[],
): Promise<readonly Annotation[]> {
  const channel = stored.findIndex((signal) => isStatus(signal, header.format));
  if (channel < 0 || recordCount === 0) return annotations;
  const signal = stored[channel]!;
  const budget = budgetOf(bytes.source);
  const { recordSeconds } = header;
  const perRecord = signal.samplesPerRecord;
  const rateHz = perRecord / recordSeconds;
  const hasGaps = spans.length > 1;
  const found: { start: number; value: number }[] = [];
  const most = Math.ceil((recordCount * perRecord) / leastSamplesBetween);
  let [last, changes] = [-1, 0];
  await visitRecords(bytes, header, recordCount, [signal], (part, record) => {
    for (let i = 0, k = 0; k < part.length; i++, k += 3) {
      const value = part[k]! | (part[k + 1]! << 8);
      if (value === last) continue;
      if (last >= 0 && ++changes <= most && value !== 0) {
        const start = hasGaps ? onsets[record]! + i / rateHz : (record * perRecord + i) / rateHz;
        budget.spend(`bdf: ${bytes.source.name}`, 'triggers');
        found.push({ start, value });
      }
      last = value;
    }
  });
  if (changes > most) {
    log.push(
      `bdf: the trigger inputs of '${signal.label}' change ${changes} times in ${recordCount * perRecord} samples, so they carry no triggers; none were made annotations.`,
    );
    return annotations;
  }
  const place = (start: number, label: string) => `${Math.round(start * rateHz)} ${label}`;
  const told = new Set(annotations.map(({ start, label }) => place(start, label)));
  const triggers = found
    .map(({ start, value }) => ({ start, duration: 0, label: `trigger ${value}` }))
    .filter(({ start, label }) => !told.has(place(start, label)));
  return triggers.length === 0
    ? annotations
    : [...annotations, ...triggers].sort((a, b) => a.start - b.start);
}
