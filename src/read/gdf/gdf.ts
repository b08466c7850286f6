/**
 * GDF, versions 1 and 2: bytes → Recording, lazily. Records as in EDF, each channel in its own number type; events in a
 * table behind the last record.
 * Source: Schlögl, "GDF - A general dataformat for biosignals", arXiv cs/0608052.
 */
import { budgetOf } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { Annotation, Channel, Recording } from '../../core/recording.ts';
import { readSamples } from '../edf/records.ts';
import { checkSamples, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { RangedBytes } from '../ranged-bytes.ts';
import { decodeNumbers, integerRange, numberBytes, type StoredSeries } from '../stored-numbers.ts';
import { type GdfChannel, type GdfHeader, readGdfHeader } from './header.ts';

/** Open a GDF file. FormatError where the header is damaged or promises more than there is. */
export async function openGdf(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const log: string[] = [];
  const header = await readGdfHeader(source, log);
  const tolerant = options.tolerant ?? false;
  const records = countRecords(source, header, tolerant, log);
  const scales = header.channels.map((channel) => seriesOf(channel, log));
  const channels = header.channels.map((channel, i) => channelOf(channel, scales[i]!, header, records));
  const duration = records * header.recordSeconds;
  const annotations = await readEvents(source, header, channels, tolerant, log);
  const bytes = new RangedBytes(source);
  const startTime = header.start === undefined ? undefined : new Date(Number(header.start / 1_000_000n));
  const startNanoseconds = Number((header.start ?? 0n) % 1_000_000n);
  const birthdate = header.birthdate;
  return {
    ...{ source: source.name, format: 'gdf', channels, duration, annotations, log },
    spans: records > 0 ? [{ start: 0, duration }] : [],
    ...(startTime && !Number.isNaN(startTime.getTime()) && { startTime }),
    ...(startTime && startNanoseconds > 0 && { startNanoseconds }),
    metadata: {
      ...(header.patient && { patient: header.patient }),
      ...(header.recording && { recording: header.recording }),
      ...(header.sex && { sex: header.sex }),
      ...(birthdate &&
        !Number.isNaN(birthdate.getTime()) && { birthdate: birthdate.toISOString().slice(0, 10) }),
      variant: `GDF ${header.version}`,
    },
    async read(channel, start, end, into) {
      checkSamples(`gdf: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      const { recordOffset, samplesPerRecord, type } = header.channels[channel]!;
      const { headerBytes, recordBytes } = header;
      await readSamples(
        bytes,
        { headerBytes, recordBytes, recordOffset, samplesPerRecord, sampleBytes: numberBytes[type] },
        (part, at, room, from, to) => decodeNumbers(part, at, scales[channel]!, room, from, to),
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

function countRecords(source: ByteSource, header: GdfHeader, tolerant: boolean, log: string[]): number {
  const { headerBytes, recordBytes, recordCount } = header;
  const present = Math.floor((source.byteLength - headerBytes) / recordBytes);
  if (recordCount === -1) {
    log.push(`gdf: the header leaves the number of records open (−1); the file's size makes ${present}.`);
    return present;
  }
  if (recordCount <= present) return recordCount;
  const fact = `ends at byte ${source.byteLength}, header promises ${headerBytes + recordCount * recordBytes}`;
  if (!tolerant)
    throw new FormatError(
      `gdf: ${source.name} ${fact}. The copy is truncated; fetch it again, or open the ${present} whole records that are there with --tolerant.`,
      source.name,
      source.byteLength,
    );
  log.push(`gdf: truncated: ${fact}; ${present} of ${recordCount} records are read.`);
  return present;
}

function seriesOf(channel: GdfChannel, log: string[]): StoredSeries & { readonly isCalibrated: boolean } {
  const { label, type, physicalMin, physicalMax, digitalMin, digitalMax } = channel;
  const common = { type, isBigEndian: false, strideBytes: numberBytes[type] };
  const gain = (physicalMax - physicalMin) / (digitalMax - digitalMin);
  const offset = physicalMin - digitalMin * gain;
  if (Number.isFinite(gain) && gain !== 0 && Number.isFinite(offset))
    return { ...common, gain, offset, isCalibrated: true };
  log.push(
    `gdf: ${quoted(label)} has an empty physical or digital range; its values are the stored numbers, without unit.`,
  );
  return { ...common, gain: 1, offset: 0, isCalibrated: false };
}

function channelOf(
  channel: GdfChannel,
  { gain, offset, isCalibrated }: StoredSeries & { readonly isCalibrated: boolean },
  { recordSeconds }: GdfHeader,
  records: number,
): Channel {
  const { label, unit, samplesPerRecord, type, note, transducer, physicalMin, physicalMax } = channel;
  const notes = [note, transducer].filter((text) => text !== '').join('; ');
  return {
    ...{ name: label, unit: isCalibrated ? unit : '' },
    rateHz: samplesPerRecord / recordSeconds,
    lengthSamples: records * samplesPerRecord,
    ...(isCalibrated && {
      range: [Math.min(physicalMin, physicalMax), Math.max(physicalMin, physicalMax)] as const,
    }),
    ...(integerRange(type) && { resolution: Math.abs(gain), offset }),
    ...(notes && { note: notes }),
  };
}

/** The event table: types as decimal numbers, as in the standard's list (769: left hand, 276: eyes open). */
async function readEvents(
  source: ByteSource,
  header: GdfHeader,
  channels: readonly Channel[],
  tolerant: boolean,
  log: string[],
): Promise<Annotation[]> {
  const { version, headerBytes, recordBytes, recordCount } = header;
  const start = headerBytes + recordCount * recordBytes;
  // Without a number of records there is no telling where the table begins.
  if (recordCount < 0 || start + 8 > source.byteLength) return [];
  const head = await source.read(start, start + 8);
  const view = new DataView(head.buffer, head.byteOffset, 8);
  const [mode, triple] = [head[0]!, head[1]! | (head[2]! << 8) | (head[3]! << 16)];
  if (mode !== 1 && mode !== 3) {
    if (mode !== 0) log.push(`gdf: an event table of kind ${mode} was left out; 1 and 3 are known.`);
    return [];
  }
  const isOld = version < 1.94;
  const count = isOld ? view.getUint32(4, true) : triple;
  const stated = isOld ? triple : view.getFloat32(4, true);
  const fastest = channels.reduce((most, { rateHz }) => Math.max(most, rateHz), 0);
  const rateHz = stated > 0 && Number.isFinite(stated) ? stated : fastest;
  const wanted = count * (mode === 3 ? 12 : 6);
  if (start + 8 + wanted > source.byteLength) {
    const fact = `an event table of ${count} events needs ${wanted} bytes, ${source.byteLength - start - 8} are there`;
    if (!tolerant)
      throw new FormatError(
        `gdf: ${source.name}: ${fact}. The copy is truncated; fetch it again, or open it without events with --tolerant.`,
        source.name,
        start,
      );
    log.push(`gdf: ${fact}; events were left out.`);
    return [];
  }
  budgetOf(source).spend(`gdf: ${source.name}`, 'events', count);
  const table = await source.read(start + 8, start + 8 + wanted);
  const data = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const events = Array.from({ length: count }, (_, i): Annotation => {
    const channel = mode === 3 ? data.getUint16(count * 6 + i * 2, true) : 0;
    const length = mode === 3 ? data.getUint32(count * 8 + i * 4, true) : 0;
    return {
      // Positions count from 1.
      start: (data.getUint32(i * 4, true) - 1) / rateHz,
      duration: length / rateHz,
      label: String(data.getUint16(count * 4 + i * 2, true)),
      ...(channel > 0 && channel <= channels.length && { channel: channel - 1 }),
    };
  });
  return events.sort((a, b) => a.start - b.start);
}
