/**
 * WFDB header text (.hea) → record, signals, comments; single-segment records.
 * Source: header(5) of the WFDB Applications Guide, physionet.org.
 */
import { FormatError, UnsupportedError } from '../core/errors.ts';
import { decimal, isRate, quoted } from './header-text.ts';

export interface WfdbSignal {
  readonly fileName: string;
  readonly format: string;
  readonly samplesPerFrame: number;
  /** Frames by which the stored signal lags. */
  readonly skewFrames: number;
  readonly byteOffset: number;
  /** Stored units per physical unit. */
  readonly gain: number;
  /** Stored value of physical zero. */
  readonly baseline: number;
  readonly unit: string;
  /** Bits of the converter; 0 where not given. */
  readonly resolutionBits: number;
  readonly adcZero: number;
  /** 16-bit sum of all stored samples, where given. */
  readonly checksum?: number;
  readonly description: string;
}

export interface WfdbHeader {
  readonly record: string;
  /** Frames per second. */
  readonly frameRateHz: number;
  /** Frames, where the header says. */
  readonly frameCount?: number;
  readonly startTime?: Date;
  readonly signals: readonly WfdbSignal[];
  readonly comments: readonly string[];
}

/** Parse a header. FormatError names the line; UnsupportedError for multi-segment records. */
export function parseWfdbHeader(text: string, source: string, log: string[]): WfdbHeader {
  const lines = text.split(/\r?\n|\r/).map((line) => line.trim());
  const comments = lines.filter((line) => line.startsWith('#')).map((line) => line.slice(1).trim());
  const content = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const fail = (fact: string): never => {
    throw new FormatError(`wfdb: ${source} ${fact}`, source);
  };
  const [recordText = '', countText = '', rateText, lengthText, ...when] = content[0]?.split(/\s+/) ?? [];
  const [record = '', segments] = recordText.split('/');
  const count = /^\d{1,6}$/.test(countText)
    ? Number(countText)
    : fail(`has ${quoted(content[0] ?? '')} as its record line; 'name signals rate …' is needed.`);
  if (segments !== undefined) {
    throw new UnsupportedError(
      `wfdb: ${source} is a record of ${quoted(segments)} segments, which cannot be read yet. Open a segment's own .hea file.`,
      'wfdb multi-segment records',
    );
  }
  const rate = rateText === undefined ? 250 : (decimal(rateText.split('/')[0]!) ?? Number.NaN);
  if (!isRate(rate)) fail(`has ${quoted(rateText ?? '')} as its sampling frequency.`);
  const frameCount = lengthText === undefined ? undefined : Number(lengthText);
  if (frameCount !== undefined && !(Number.isSafeInteger(frameCount) && frameCount >= 0))
    fail(`has ${quoted(lengthText!)} as its number of samples.`);
  if (content.length - 1 < count)
    fail(
      `promises ${count} signals and describes ${content.length - 1}. The header is truncated; fetch it again.`,
    );
  if (content.length - 1 > count)
    log.push(`wfdb: ${content.length - 1 - count} lines after the last signal were left out.`);
  const startTime = startOf(when);
  if (when.length > 0 && !startTime)
    log.push(`wfdb: ${quoted(when.join(' '))} is not a start time with its date; it is left out.`);
  return {
    record,
    frameRateHz: rate,
    ...(frameCount && { frameCount }),
    ...(startTime && { startTime }),
    signals: content.slice(1, count + 1).map((line) => parseSignal(line, fail, log)),
    comments,
  };
}

/** `file format[xN][:skew][+offset] gain[(baseline)][/units] bits zero initial checksum block description`. */
function parseSignal(line: string, fail: (fact: string) => never, log: string[]): WfdbSignal {
  const [fileName = '', layoutText = '', gainText, ...rest] = line.split(/\s+/);
  const layout = /^(\d{1,4})(?:x(\d{1,6}))?(?::(\d{1,9}))?(?:\+(\d{1,15}))?$/.exec(layoutText);
  if (!layout) return fail(`has ${quoted(line)} as a signal line; 'file format gain …' is needed.`);
  const samplesPerFrame = Number(layout[2] ?? 1);
  if (samplesPerFrame < 1) return fail(`has ${quoted(layoutText)}: a signal has at least 1 sample a frame.`);
  const calibration = /^([^(/]+)?(?:\(([^)]*)\))?(?:\/(.+))?$/.exec(gainText ?? '200');
  const stated = calibration?.[1] === undefined ? 200 : decimal(calibration[1]);
  if (!calibration || stated === undefined)
    return fail(`has ${quoted(gainText ?? '')} as gain in ${quoted(line)}.`);
  const integers = rest.slice(0, 5).map((text) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined));
  const description = line.split(/\s+/).slice(8).join(' ');
  const [resolutionBits = 0, adcZero = 0, , checksum] = integers;
  const baseline = calibration[2] === undefined ? adcZero : decimal(calibration[2]);
  if (baseline === undefined) return fail(`has ${quoted(calibration[2]!)} as baseline in ${quoted(line)}.`);
  const gain = stated || 200;
  // No stored sample, at most 2¹⁶, may become infinite.
  if (!Number.isFinite((Math.abs(baseline) + 65536) / gain))
    return fail(`has ${quoted(gainText ?? '')} as gain in ${quoted(line)}.`);
  if (stated === 0)
    log.push(`wfdb: ${quoted(description || fileName)} is not calibrated (gain 0); 200 per mV is assumed.`);
  return {
    fileName,
    format: layout[1]!,
    samplesPerFrame,
    skewFrames: Number(layout[3] ?? 0),
    byteOffset: Number(layout[4] ?? 0),
    gain,
    baseline,
    unit: calibration[3] ?? 'mV',
    resolutionBits,
    adcZero,
    ...(checksum !== undefined && { checksum }),
    description,
  };
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `hh:mm:ss[.sss] dd/mm/yyyy`, in either order, and `dd-Mon-yyyy` as the 2021 challenge writes it. */
function startOf(when: readonly string[]): Date | undefined {
  const text = when.join(' ');
  const time = /(?:^| )(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d+)?)?(?: |$)/.exec(text);
  const date = /(?:^| )(\d{1,2})[/-](\d{1,2}|[A-Za-z]{3})[/-](\d{4})(?: |$)/.exec(text);
  if (!time || !date) return undefined;
  const month = /\d/.test(date[2]!) ? Number(date[2]) : months.indexOf(date[2]!.toLowerCase()) + 1;
  const day = Number(date[1]);
  const milliseconds = Math.round(Number(time[4] ?? 0) * 1000);
  const start = new Date(
    Date.UTC(
      Number(date[3]),
      month - 1,
      day,
      Number(time[1]),
      Number(time[2]),
      Number(time[3] ?? 0),
      milliseconds,
    ),
  );
  return start.getUTCDate() === day && start.getUTCMonth() === month - 1 ? start : undefined;
}
