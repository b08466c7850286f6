/**
 * XDF (LabRecorder): bytes → streams with synchronised time stamps; samples are decoded when read. Equal to pyxdf in
 * values and stamps. Source: XDF specification 1.0.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { latin1, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { chunkBytes, RangedBytes } from '../ranged-bytes.ts';
import { type ScannedStream, scanXdf, valueBytes, type XdfFormat } from './scan.ts';
import { dejitter, isLastOffsetStray, type Segment, synchronizeClock } from './times.ts';
import { childAt, textAt, type XmlElement } from './xml.ts';

export interface XdfChannel {
  readonly label: string;
  readonly unit: string;
  readonly type: string;
}

export interface XdfStream {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly format: XdfFormat;
  readonly channelCount: number;
  readonly lengthSamples: number;
  /** 0: irregular. */
  readonly nominalRateHz: number;
  /** From the stamps; 0 where there is no telling. */
  readonly effectiveRateHz: number;
  readonly channels: readonly XdfChannel[];
  /** Seconds of the recorder's clock, clock offsets and jitter taken out, one a sample. */
  readonly timestamps: Float64Array;
  /** Stretches without a break, inclusive sample numbers. */
  readonly segments: readonly Segment[];
  /** Stretches between clock resets, inclusive sample numbers. */
  readonly clockSegments: readonly Segment[];
  readonly clockTimes: readonly number[];
  readonly clockValues: readonly number[];
  readonly info: XmlElement;
  /** Values [start, end) of a channel of numbers: physical as stored, float64. */
  read(channel: number, start: number, end: number, into?: Float64Array): Promise<Float64Array>;
  /** Of a stream of strings: its values, sample by sample, `channelCount` each. */
  readonly texts: readonly string[];
}

export interface XdfFile {
  readonly source: string;
  readonly info: XmlElement | undefined;
  readonly streams: readonly XdfStream[];
  readonly log: readonly string[];
  close(): Promise<void>;
}

/** Open an XDF file. FormatError where it is none, or damaged and that is not tolerated. */
export async function openXdf(source: ByteSource, options: ReadOptions = {}): Promise<XdfFile> {
  const head = await source.read(0, Math.min(4, source.byteLength));
  if (latin1(head) !== 'XDF:') {
    throw new FormatError(
      `xdf: ${source.name} starts with ${quoted(latin1(head))} instead of 'XDF:'. Name an XDF file.`,
      source.name,
      0,
    );
  }
  const log: string[] = [];
  const { header, streams } = await scanXdf(source, options.tolerant ?? false, log);
  const bytes = new RangedBytes(source);
  return {
    source: source.name,
    info: header,
    streams: streams.map((stream) => streamOf(stream, bytes, log)),
    log,
    async close() {
      await source.close?.();
    },
  };
}

function streamOf(scanned: ScannedStream, bytes: RangedBytes, log: string[]): XdfStream {
  const { id, header, format, channelCount, nominalRateHz, clockTimes, clockValues } = scanned;
  let timestamps = scanned.stamps.values();
  const promised = textAt(scanned.footer, 'sample_count');
  const isOver = promised !== '' && Number(promised) >= 0 && timestamps.length > Number(promised);
  if (isOver && isLastOffsetStray(clockTimes, clockValues)) {
    clockTimes.pop();
    clockValues.pop();
    log.push(
      `xdf: stream ${id} has ${timestamps.length - Number(promised)} samples more than its end states and a stray clock offset; both were left out.`,
    );
    timestamps = timestamps.subarray(0, Math.floor(Number(promised)));
  }
  const clockSegments = synchronizeClock(timestamps, clockTimes, clockValues);
  const times = timesOf(timestamps, nominalRateHz, mayDropSamples(header));
  const runs = scanned.runs.values();
  const lengthSamples = timestamps.length;
  const check = (channel: number, start: number, end: number) => {
    const isInside = 0 <= start && start <= end && end <= lengthSamples;
    const isChannel = format !== 'string' && channel >= 0 && channel < channelCount;
    if (isChannel && isInside && Number.isSafeInteger(start) && Number.isSafeInteger(end)) return;
    throw new FormatError(
      `xdf: samples ${start}–${end} of channel ${channel} of stream ${id} were asked for, it has ${channelCount} channels of ${lengthSamples} ${format} samples.`,
      bytes.source.name,
    );
  };
  return {
    id,
    name: textAt(header, 'name'),
    type: textAt(header, 'type'),
    format,
    channelCount,
    lengthSamples,
    nominalRateHz,
    effectiveRateHz: times.rateHz,
    channels: lengthSamples > 0 ? channelsOf(header, channelCount) : [],
    timestamps,
    segments: times.segments,
    clockSegments,
    clockTimes,
    clockValues,
    info: header,
    texts: scanned.texts,
    async read(channel, start, end, into) {
      check(channel, start, end);
      const result = roomFor(end - start, into);
      const width = valueBytes[format];
      const offset = channel * width;
      await forRuns(
        bytes,
        runs,
        lengthSamples,
        channelCount * width,
        start,
        end,
        (view, at, stride, from, to) => {
          const stamp = stride - channelCount * width;
          decodeValues(format, view, at + stamp + offset, stride, result, from - start, to - start);
        },
      );
      return result;
    },
  };
}

function timesOf(stamps: Float64Array, nominalRateHz: number, mayDrop: boolean) {
  const whole: Segment[] = stamps.length > 0 ? [[0, stamps.length - 1]] : [];
  if (stamps.length === 0 || nominalRateHz === 0) return { segments: whole, rateHz: 0 };
  if (!mayDrop) return dejitter(stamps, nominalRateHz);
  const seconds = stamps.at(-1)! - stamps[0]!;
  return { segments: whole, rateHz: seconds > 0 ? (stamps.length - 1) / seconds : 0 };
}

/** Does the stream say that it can lose samples (videos, headsets)? Its stamps are then left as they are. */
export function mayDropSamples(header: XmlElement): boolean {
  return textAt(header, 'desc', 'synchronization', 'can_drop_samples').toLowerCase() === 'true';
}

function channelsOf(header: XmlElement, count: number): XdfChannel[] {
  const stated = (childAt(header, 'desc', 'channels')?.children ?? []).filter(
    ({ name }) => name === 'channel',
  );
  const name = textAt(header, 'name') || 'channel';
  return Array.from({ length: count }, (_, i) => ({
    label:
      textAt(stated[i], 'label') || textAt(stated[i], 'name') || (count === 1 ? name : `${name} ${i + 1}`),
    unit: textAt(stated[i], 'unit'),
    type: textAt(stated[i], 'type'),
  }));
}

type DecodeRun = (view: DataView, at: number, stride: number, from: number, to: number) => void;

/** Bytes read in a go: chunks of other streams in between come with them. */
const goBytes = chunkBytes / 2;

/** Call `decode` for every stretch of equally large samples in [start, end), neighbours read together. */
async function forRuns(
  bytes: RangedBytes,
  runs: Float64Array,
  lengthSamples: number,
  sampleBytes: number,
  start: number,
  end: number,
  decode: DecodeRun,
): Promise<void> {
  const firstOf = (run: number) =>
    3 * run < runs.length ? Math.min(lengthSamples, runs[3 * run + 1]!) : lengthSamples;
  for (let next = start, run = runAt(runs, start); next < end; ) {
    const firstRun = run;
    const begin = runs[3 * run]! + (next - firstOf(run)) * runs[3 * run + 2]!;
    const pieces: [run: number, from: number, to: number][] = [];
    let last = begin;
    while (next < end) {
      const [position, first, stride] = [runs[3 * run]!, firstOf(run), runs[3 * run + 2]!];
      const from = position + (next - first) * stride;
      const fits = Math.floor((begin + goBytes - from) / stride);
      if (from < begin || (fits < 1 && run > firstRun)) break;
      const to = Math.min(end, firstOf(run + 1), next + Math.max(1, fits));
      pieces.push([run, next, to]);
      last = position + (to - first) * stride;
      next = to;
      if (to < firstOf(run + 1)) break;
      run++;
    }
    await bytes.use(begin, last, (part) => {
      const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
      for (const [piece, from, to] of pieces) {
        const [position, first, stride] = [runs[3 * piece]!, runs[3 * piece + 1]!, runs[3 * piece + 2]!];
        if (sampleBytes > 0) decode(view, position + (from - first) * stride - begin, stride, from, to);
      }
    });
  }
}

/** The last run that starts at or before a sample. */
function runAt(runs: Float64Array, sample: number): number {
  let [low, high] = [0, runs.length / 3 - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (runs[3 * middle + 1]! <= sample) low = middle;
    else high = middle - 1;
  }
  return low;
}

function decodeValues(
  format: XdfFormat,
  view: DataView,
  at: number,
  stride: number,
  result: Float64Array,
  from: number,
  to: number,
): void {
  let k = at;
  if (format === 'float32') for (let i = from; i < to; i++, k += stride) result[i] = view.getFloat32(k, true);
  else if (format === 'int16')
    for (let i = from; i < to; i++, k += stride) result[i] = view.getInt16(k, true);
  else if (format === 'int32')
    for (let i = from; i < to; i++, k += stride) result[i] = view.getInt32(k, true);
  else if (format === 'int8') for (let i = from; i < to; i++, k += stride) result[i] = view.getInt8(k);
  else if (format === 'double64')
    for (let i = from; i < to; i++, k += stride) result[i] = view.getFloat64(k, true);
  else for (let i = from; i < to; i++, k += stride) result[i] = Number(view.getBigInt64(k, true));
}
