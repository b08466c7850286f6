/**
 * What every writer asks of a recording before it writes: (recording, format) → nothing, or a ConfigError. A fact that our
 * own readers would refuse or leave out must not reach a file.
 */
import { ConfigError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import { isRate, isTime, quoted } from './header-text.ts';

/** Dates of four digits, which is what text headers hold. Milliseconds since 1970; `Date.UTC` takes the year 1 for 1901. */
const years = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:58.999Z')] as const;

/**
 * ConfigError for rates, lengths and times that no reader of ours takes. `hasTextDate`: the format writes a start as text
 * with a year of four digits.
 */
export function checkWritable(recording: Recording, format: string, hasTextDate: boolean): void {
  const { channels, spans, annotations, startTime, startNanoseconds = 0 } = recording;
  const refuse = (fact: string, fix: string, field: string): never => {
    throw new ConfigError(`${format}: ${fact}. ${fix}`, field);
  };
  for (const { name, rateHz, lengthSamples } of channels) {
    if (!isRate(rateHz))
      refuse(
        `channel ${quoted(name)} has a rate of ${rateHz} Hz; rates are 1e-6 to 1e9 Hz`,
        'State the rate with --input-rate.',
        'rateHz',
      );
    if (!Number.isSafeInteger(lengthSamples) || lengthSamples < 0)
      refuse(
        `channel ${quoted(name)} has ${lengthSamples} samples`,
        'Give a whole number of them.',
        'lengthSamples',
      );
  }
  for (const [i, { start, duration }] of spans.entries())
    if (!isTime(start) || !isTime(duration) || duration < 0)
      refuse(
        `stretch ${i + 1} starts at ${start} s and lasts ${duration} s; times are at most 1e12 s`,
        'Mend the times.',
        'spans',
      );
  for (const [i, { start, duration, label }] of annotations.entries())
    if (!isTime(start) || !isTime(duration))
      refuse(
        `annotation ${i + 1}, ${quoted(label)}, starts at ${start} s and lasts ${duration} s; times are at most 1e12 s`,
        'Mend or remove it.',
        'annotations',
      );
  if (!startTime) return;
  const ms = startTime.getTime();
  if (Number.isNaN(ms) || !(startNanoseconds >= 0 && startNanoseconds < 1e6))
    refuse(
      `the start is ${Number.isNaN(ms) ? 'no date' : `${startNanoseconds} ns after a millisecond`}`,
      'Give a date, and nanoseconds from 0 to 999,999.',
      'startTime',
    );
  if (hasTextDate && !(ms >= years[0] && ms <= years[1]))
    refuse(
      `the start ${startTime.toISOString()} has no year from 1 to 9999, which the header can say`,
      'Correct the start, or write .npz or .parquet.',
      'startTime',
    );
}

/** ConfigError that names the first infinite sample; `start` is the number of the first of `samples`. */
export function refuseInfinite(
  samples: ArrayLike<number>,
  start: number,
  name: string,
  format: 'edf' | 'wfdb',
): void {
  for (let i = 0; i < samples.length; i++)
    if (Math.abs(samples[i]!) === Number.POSITIVE_INFINITY)
      throw new ConfigError(
        `${format}: sample ${start + i} of '${name}' is ${samples[i]}. ${format.toUpperCase()} holds numbers only; write .npz or .parquet.`,
        name,
      );
}
