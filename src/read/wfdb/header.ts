/**
 * WFDB header text (.hea) → record, signals, segments, comments.
 * Source: header(5) of the WFDB Applications Guide, physionet.org.
 */
import { FormatError } from '../../core/errors.ts';
import { decimal, isRate, quoted } from '../header-text.ts';
import { isCalibration } from './calibration.ts';
import { parseWfdbStart, type WfdbStart } from './start.ts';

export interface WfdbSignal {
  /** `~` where nothing is stored. */
  readonly fileName: string;
  readonly format: string;
  readonly samplesPerFrame: number;
  /** Frames by which the stored signal lags. */
  readonly skewFrames: number;
  /** Bytes before the first sample; samples in a FLAC file. */
  readonly byteOffset: number;
  /** Stored units per physical unit. */
  readonly gain: number;
  /** Stored value of physical zero. */
  readonly baseline: number;
  readonly unit: string;
  /** Bits of the converter; 0 where not given. */
  readonly resolutionBits: number;
  readonly adcZero: number;
  /** What the first difference of format 8 is added to. */
  readonly initialValue: number;
  /** 16-bit sum of all stored samples, where given. */
  readonly checksum?: number;
  readonly description: string;
}

/** One of several records that follow one another; `~` is a stretch without any. */
export interface WfdbSegmentLine {
  readonly name: string;
  readonly frameCount: number;
}

export interface WfdbHeader extends WfdbStart {
  readonly record: string;
  /** Frames per second. */
  readonly frameRateHz: number;
  /** Frames, where the header says. */
  readonly frameCount?: number;
  /** Ticks per second of the counter that the lab's log may refer to, and its value at frame 0. */
  readonly counterRateHz?: number;
  readonly baseCounter?: number;
  /** Signals that the record line promises; those of a multi-segment record are described by its segments. */
  readonly signalCount: number;
  readonly signals: readonly WfdbSignal[];
  readonly segments?: readonly WfdbSegmentLine[];
  readonly comments: readonly string[];
}

type Fail = (fact: string) => never;

/** Frames that a header may promise: a thousandth of what float64 counts, so that samples a frame still fit. */
const maxFrames = 2 ** 43;

/** Parse a header. FormatError names the line. */
export function parseWfdbHeader(text: string, source: string, log: string[]): WfdbHeader {
  const lines = text.split(/\r?\n|\r/).map((line) => line.trim());
  const comments = lines.filter((line) => line.startsWith('#')).map((line) => line.slice(1).trim());
  const content = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const fail: Fail = (fact) => {
    throw new FormatError(`wfdb: ${source} ${fact}`, source);
  };
  const [recordText = '', countText = '', rateText, lengthText, ...when] = content[0]?.split(/\s+/) ?? [];
  const signalCount = /^\d{1,6}$/.test(countText)
    ? Number(countText)
    : fail(`has ${quoted(content[0] ?? '')} as its record line; 'name signals rate …' is needed.`);
  const rest = content.slice(1);
  const { record, segmentText } = splitRecordName(recordText, signalCount, rest);
  const rates = /^([^/(]+)(?:\/([^(]+)(?:\(([^)]*)\))?)?$/.exec(rateText ?? '250');
  const rate = decimal(rates?.[1] ?? '') ?? Number.NaN;
  if (!isRate(rate)) fail(`has ${quoted(rateText ?? '')} as its sampling frequency.`);
  const counterRateHz = decimal(rates?.[2] ?? '');
  const baseCounter = decimal(rates?.[3] ?? '');
  const frameCount = lengthText === undefined ? undefined : framesOf(lengthText, fail);
  const described = {
    record,
    frameRateHz: rate,
    ...(frameCount && { frameCount }),
    ...(counterRateHz !== undefined && { counterRateHz }),
    ...(baseCounter !== undefined && { baseCounter }),
    ...parseWfdbStart(when, log),
    signalCount,
    comments,
  };
  if (segmentText !== undefined)
    return { ...described, signals: [], segments: parseSegments(segmentText, rest, frameCount, fail, log) };
  if (rest.length < signalCount)
    fail(
      `promises ${signalCount} signals and describes ${rest.length}. The header is truncated; fetch it again.`,
    );
  if (rest.length > signalCount)
    log.push(`wfdb: ${rest.length - signalCount} lines after the last signal were left out.`);
  return { ...described, signals: rest.slice(0, signalCount).map((line) => parseSignal(line, fail, log)) };
}

function framesOf(text: string, fail: Fail): number {
  const frames = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return frames <= maxFrames ? frames : fail(`has ${quoted(text)} as its number of samples.`);
}

/**
 * `name/3` is a record of three segments. Where a folder stands before the name (`median/c07`, `mitdb/100` before as many
 * signal lines as are promised), it is none: the name alone is the record's.
 */
function splitRecordName(
  text: string,
  signalCount: number,
  lines: readonly string[],
): { record: string; segmentText?: string } {
  const [, before, after] = /^(.*)\/(.*)$/.exec(text) ?? [];
  if (before === undefined || after === undefined) return { record: text };
  const areSignals =
    lines.length === signalCount &&
    lines.length !== Number(after) &&
    lines.every((line) => /\S\s+\S+\s+\S/.test(line));
  const isFolder = /[A-Za-z_]/.test(after) || areSignals;
  return isFolder ? { record: after } : { record: before, segmentText: after };
}

/** As many as the record line promises; or, where another number of them is listed whose lengths add up, all of those. */
function parseSegments(
  countText: string,
  lines: readonly string[],
  frameCount: number | undefined,
  fail: Fail,
  log: string[],
): WfdbSegmentLine[] {
  const count = /^\d{1,6}$/.test(countText) ? Number(countText) : 0;
  if (count === 0) fail(`has ${quoted(countText)} as its number of segments; it is 1 or more.`);
  const segments = lines.map((line) => {
    const [name = '', lengthText = ''] = line.split(/\s+/);
    return { name, lengthText };
  });
  const listed = segments.map(({ lengthText }) =>
    /^\d{1,15}$/.test(lengthText) ? Number(lengthText) : Number.NaN,
  );
  const addsUp = frameCount !== undefined && listed.reduce((sum, frames) => sum + frames, 0) === frameCount;
  if (lines.length !== count && addsUp && lines.length > 0)
    log.push(
      `wfdb: the header promises ${count} segments and lists ${lines.length}, whose lengths add up to its ${frameCount} frames; those are read.`,
    );
  else if (lines.length < count)
    fail(`promises ${count} segments and names ${lines.length}. The header is truncated; fetch it again.`);
  else if (lines.length > count)
    log.push(`wfdb: ${lines.length - count} lines after the last segment were left out.`);
  return (addsUp ? segments : segments.slice(0, count)).map(({ name, lengthText }) => ({
    name,
    frameCount: framesOf(lengthText, fail),
  }));
}

/** `file format[xN][:skew][+offset] gain[(baseline)][/units] bits zero initial checksum block description`. */
function parseSignal(line: string, fail: Fail, log: string[]): WfdbSignal {
  const [fileName = '', layoutText = '', gainText, ...rest] = line.split(/\s+/);
  const layout = /^(\d{1,4})(?:x(\d{1,6}))?(?::(\d{1,9}))?(?:\+(\d{1,15}))?$/.exec(layoutText);
  if (!layout) return fail(`has ${quoted(line)} as a signal line; 'file format gain …' is needed.`);
  const samplesPerFrame = Number(layout[2] ?? 1);
  if (samplesPerFrame < 1) return fail(`has ${quoted(layoutText)}: a signal has at least 1 sample a frame.`);
  const calibration = /^([^(/]+)?(?:\(([^)]*)\))?(?:\/(.+))?$/.exec(gainText ?? '0');
  const stated = calibration?.[1] === undefined ? 0 : decimal(calibration[1]);
  if (!calibration || stated === undefined)
    return fail(`has ${quoted(gainText ?? '')} as gain in ${quoted(line)}.`);
  const integers = rest.slice(0, 5).map((text) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined));
  const description = line.split(/\s+/).slice(8).join(' ');
  const [resolutionBits = 0, adcZero = 0, initialValue = adcZero, checksum] = integers;
  const baseline = calibration[2] === undefined ? adcZero : decimal(calibration[2]);
  if (baseline === undefined) return fail(`has ${quoted(calibration[2]!)} as baseline in ${quoted(line)}.`);
  const gain = stated || 200;
  if (!isCalibration(gain, baseline))
    return fail(`has ${quoted(gainText ?? '')} as gain in ${quoted(line)}.`);
  if (stated === 0)
    log.push(
      `wfdb: ${quoted(description || fileName)} is not calibrated (gain ${gainText === undefined ? 'absent' : '0'}); 200 per mV is assumed.`,
    );
  return {
    fileName,
    format: String(Number(layout[1])),
    samplesPerFrame,
    skewFrames: Number(layout[3] ?? 0),
    byteOffset: Number(layout[4] ?? 0),
    gain,
    baseline,
    unit: calibration[3] ?? 'mV',
    resolutionBits,
    adcZero,
    initialValue,
    ...(checksum !== undefined && { checksum }),
    description,
  };
}
