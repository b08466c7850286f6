/** When a WFDB record began: `hh:mm:ss[.sss] dd/mm/yyyy` of its record line → Date and nanoseconds, or a time of day. */
import { quoted } from '../header-text.ts';

export interface WfdbStart {
  readonly startTime?: Date;
  /** Nanoseconds after `startTime`, below a millisecond. */
  readonly startNanoseconds?: number;
  /** Where the date is not given. */
  readonly timeOfDay?: string;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Time and date in either order, and `dd-Mon-yyyy` as the 2021 challenge writes it. What is neither is left out. */
export function parseWfdbStart(words: readonly string[], log: string[]): WfdbStart {
  const text = words.join(' ');
  if (text === '') return {};
  const time = /(?:^| )(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?(?: |$)/.exec(text);
  const date = /(?:^| )(\d{1,2})[/-](\d{1,2}|[A-Za-z]{3})[/-](\d{4})(?: |$)/.exec(text);
  const isTime = time && Number(time[1]) < 24 && Number(time[2]) < 60 && Number(time[3] ?? 0) < 60;
  if (isTime && time[0] === text) {
    log.push(`wfdb: the header gives ${quoted(text)} without a date; it stands in the metadata.`);
    return { timeOfDay: text };
  }
  if (isTime && date) {
    const month = /\d/.test(date[2]!) ? Number(date[2]) : months.indexOf(date[2]!.toLowerCase()) + 1;
    const day = Number(date[1]);
    const nanoseconds = Number((time[4] ?? '').padEnd(9, '0').slice(0, 9));
    const start = new Date(
      Date.UTC(
        Number(date[3]),
        month - 1,
        day,
        Number(time[1]),
        Number(time[2]),
        Number(time[3] ?? 0),
        Math.floor(nanoseconds / 1e6),
      ),
    );
    if (start.getUTCDate() === day && start.getUTCMonth() === month - 1)
      return { startTime: start, ...(nanoseconds % 1e6 && { startNanoseconds: nanoseconds % 1e6 }) };
  }
  log.push(`wfdb: ${quoted(text)} is not a start time with its date; it is left out.`);
  return {};
}
