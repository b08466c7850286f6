/**
 * EDF, EDF+C, EDF+D, and with samples of three bytes BDF, BDF+C, BDF+D: bytes → Recording, lazily. Records are
 * interleaved; a window is one ranged read of the records that hold it.
 * Physical value = (digital − dmin) · (pmax − pmin) / (dmax − dmin) + pmin, in float64.
 * Source: Kemp et al. 1992; EDF+ specification, edfplus.info.
 */
import { maxOf, minOf } from '../../core/arrays.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { Channel, Recording } from '../../core/recording.ts';
import { checkSamples, isRate, quoted, roomFor } from '../header-text.ts';
import { explainLineEndings } from '../line-endings.ts';
import type { ReadOptions } from '../options.ts';
import { RangedBytes } from '../ranged-bytes.ts';
import { isStatus, readTriggers } from './bdf-status.ts';
import { type EdfFormat, type EdfHeader, type EdfSignal, readEdfHeader } from './header.ts';
import { metadataOf } from './metadata.ts';
import { readSamples } from './records.ts';
import { decodeSamples, type EdfScale } from './samples.ts';
import { readTimes, spansOf } from './times.ts';

/** Open an EDF or EDF+ file. FormatError where the header is damaged or promises more than there is. */
export function openEdf(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  return openLayout(source, options, 'edf');
}

/** Open a BDF or BDF+ file. Changes of its `Status` channel's trigger bits are annotations `trigger N`. */
export function openBdf(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  return openLayout(source, options, 'bdf');
}

async function openLayout(source: ByteSource, options: ReadOptions, format: EdfFormat): Promise<Recording> {
  const log: string[] = [];
  const header = await readEdfHeader(source, log, format);
  const recordCount = await countRecords(source, header, options.tolerant ?? false, log);
  const bytes = new RangedBytes(source);
  const stored = header.signals.filter((signal) => !signal.isAnnotations && signal.samplesPerRecord > 0);
  const empty = header.signals.filter((signal) => signal.samplesPerRecord === 0);
  if (empty.length > 0) log.push(`${format}: ${empty.length} signals without samples were left out.`);
  const unpaced = stored.find((signal) => !isRate(signal.samplesPerRecord / header.recordSeconds));
  if (unpaced) {
    throw new FormatError(
      `${format}: ${source.name} has records of ${header.recordSeconds} seconds with ${unpaced.samplesPerRecord} samples of ${quoted(unpaced.label)}, which is no rate. The header is damaged.`,
      source.name,
      244,
    );
  }
  const names = stored.map(({ label }) => label);
  const times = await readTimes(bytes, header, recordCount, names, log);
  const scales = stored.map((signal) => scaleOf(signal, format, log));
  const channels = stored.map((signal, i) => channelOf(signal, scales[i]!, header, recordCount));
  const spans = spansOf(header, recordCount, times, stored, log);
  const annotations = await readTriggers(bytes, header, recordCount, stored, times, spans, log);
  const [startTime, startNanoseconds] = startOf(header.startTime, times.offset);
  return {
    source: source.name,
    format,
    channels,
    spans,
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    annotations,
    ...(startTime && { startTime }),
    ...(startTime && startNanoseconds > 0 && { startNanoseconds }),
    metadata: metadataOf(header),
    log,
    async read(channel, start, end, into) {
      checkSamples(`${format}: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      const { recordOffset, samplesPerRecord } = stored[channel]!;
      const { headerBytes, recordBytes, sampleBytes } = header;
      await readSamples(
        bytes,
        { headerBytes, recordBytes, recordOffset, samplesPerRecord, sampleBytes },
        (part, at, into, from, to) => decodeSamples(part, at, sampleBytes, scales[channel]!, into, from, to),
        start,
        end,
        result,
      );
      return result;
    },
    async close() {
      await source.close?.();
    },
  };
}

/** Whole records that the file holds, or FormatError where it holds fewer than promised and that is not tolerated. */
async function countRecords(source: ByteSource, header: EdfHeader, tolerant: boolean, log: string[]) {
  const { format } = header;
  const present = Math.floor((source.byteLength - header.headerBytes) / header.recordBytes);
  const promisedBytes = header.headerBytes + header.recordCount * header.recordBytes;
  if (header.recordCount === -1) {
    log.push(
      `${format}: the header leaves the number of records open (−1); the file's size makes ${present}.`,
    );
    return present;
  }
  if (source.byteLength === promisedBytes) return header.recordCount;
  const mangled = await explainLineEndings(source, header.headerBytes, promisedBytes);
  if (mangled) throw new FormatError(`${format}: ${source.name} ${mangled}`, source.name, header.headerBytes);
  if (source.byteLength > promisedBytes) {
    log.push(`${format}: ${source.byteLength - promisedBytes} bytes after the last record were left out.`);
    return header.recordCount;
  }
  const fact = `ends at byte ${source.byteLength}, header promises ${promisedBytes}`;
  if (!tolerant) {
    throw new FormatError(
      `${format}: ${source.name} ${fact}. The copy is truncated; fetch it again, or open the ${present} whole records that are there with --tolerant.`,
      source.name,
      source.byteLength,
    );
  }
  log.push(`${format}: truncated: ${fact}; ${present} of ${header.recordCount} records are read.`);
  return present;
}

/** The header's start, in whole seconds, moved by the first record's onset: milliseconds, and nanoseconds below them. */
function startOf(start: Date | undefined, offset: number): [Date | undefined, number] {
  const whole = Math.floor(offset);
  const nanoseconds = Math.round((offset - whole) * 1e9);
  const milliseconds = Math.floor(nanoseconds / 1e6);
  const moved = start && new Date(start.getTime() + whole * 1000 + milliseconds);
  return [moved && !Number.isNaN(moved.getTime()) ? moved : undefined, nanoseconds - milliseconds * 1e6];
}

interface ChannelScale extends EdfScale {
  readonly isCalibrated: boolean;
}

function scaleOf(signal: EdfSignal, format: EdfFormat, log: string[]): ChannelScale {
  const { label, digitalMin, digitalMax, physicalMin, physicalMax } = signal;
  const raw = { gain: 1, digitalMin: 0, physicalMin: 0 };
  // Bits, not a voltage, whatever the header says of their range.
  if (isStatus(signal, format)) return { ...raw, isCalibrated: true };
  const gain = (physicalMax - physicalMin) / (digitalMax - digitalMin);
  const offset = physicalMin - digitalMin * gain;
  if (Number.isFinite(gain) && gain !== 0 && Number.isFinite(offset))
    return { gain, digitalMin, physicalMin, isCalibrated: true };
  log.push(
    `${format}: ${quoted(label)} has an empty physical or digital range; its values are the stored integers, without unit.`,
  );
  return { ...raw, isCalibrated: false };
}

function channelOf(
  signal: EdfSignal,
  { gain, digitalMin, physicalMin, isCalibrated }: ChannelScale,
  header: EdfHeader,
  recordCount: number,
): Channel {
  const note = [signal.prefilter, signal.transducer].filter((text) => text !== '').join('; ');
  const isBits = isStatus(signal, header.format);
  const ends = isBits ? [-(2 ** 23), 2 ** 23 - 1] : [signal.physicalMin, signal.physicalMax];
  return {
    name: signal.label,
    unit: isBits ? 'Boolean' : isCalibrated ? signal.unit : '',
    rateHz: signal.samplesPerRecord / header.recordSeconds,
    lengthSamples: recordCount * signal.samplesPerRecord,
    ...(isCalibrated && { range: [minOf(ends), maxOf(ends)] as const }),
    resolution: Math.abs(gain),
    offset: physicalMin - digitalMin * gain,
    ...(note && { note }),
  };
}
