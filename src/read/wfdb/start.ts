/** When a WFDB record began: `hh:mm:ss[.sss] dd/mm/yyyy` of its record line → Date and nanoseconds, or a time of day. */
import { quoted, utcDate } from '../header-text.ts';

export interface WfdbStart {
  readonly startTime?: Date;
  /** Nanoseconds after `startTime`, below a millisecond. */
  readonly startNanoseconds?: number;
  /** Where the date is not given. */
  readonly timeOfDay?: string;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * Time and date in either order, the date as `dd/mm/yyyy`, as `dd-Mon-yyyy` (the 2021 challenge), or as `yyyy-mm-dd`
 * (ISO 8601, as many scripts write it). What is neither is left out.
 */
export function parseWfdbStart(words: readonly string[], log: string[]): WfdbStart {
  const text = words.join(' ').replace(/(\d)T(\d{1,2}:)/, '$1 $2');
  if (text === '') return {};
  const time = /(?:^| )(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?(?: |$)/.exec(text);
  const [day, monthText, year] = dateIn(text);
  const isTime = time && Number(time[1]) < 24 && Number(time[2]) < 60 && Number(time[3] ?? 0) < 60;
  if (isTime && time[0] === text) {
    log.push(`wfdb: the header gives ${quoted(text)} without a date; it stands in the metadata.`);
    return { timeOfDay: text };
  }
  if (isTime && day !== undefined) {
    const month = /\d/.test(monthText!) ? Number(monthText) : months.indexOf(monthText!.toLowerCase()) + 1;
    const nanoseconds = Number((time[4] ?? '').padEnd(9, '0').slice(0, 9));
    const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3] ?? 0)];
    const milliseconds = Math.floor(nanoseconds / 1e6);
    const start = utcDate(Number(year), month, Number(day), hour, minute, second, milliseconds);
    if (start) return { startTime: start, ...(nanoseconds % 1e6 && { startNanoseconds: nanoseconds % 1e6 }) };
  }
  log.push(`wfdb: ${quoted(text)} is not a start time with its date; it is left out.`);
  return {};
}

/** Day, month and year as they are written; none where there is no date. */
function dateIn(text: string): (string | undefined)[] {
  const iso = /(?:^| )(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})(?: |$)/.exec(text);
  if (iso) return [iso[3], iso[2], iso[1]];
  return /(?:^| )(\d{1,2})[/.-](\d{1,2}|[A-Za-z]{3})[/.-](\d{4})(?: |$)/.exec(text)?.slice(1) ?? [];
}
