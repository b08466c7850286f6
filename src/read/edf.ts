/**
 * EDF, EDF+C and EDF+D: bytes → Recording, lazily. Records are interleaved; a window is one ranged read of the records
 * that hold it. Physical value = (digital − dmin) · (pmax − pmin) / (dmax − dmin) + pmin, in float64.
 * Source: Kemp et al. 1992; EDF+ specification, edfplus.info.
 */
import type { ByteSource } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import type { Annotation, Channel, Recording, Span } from '../core/recording.ts';
import { parseAnnotationLists } from './edf-annotations.ts';
import { type EdfHeader, type EdfSignal, readEdfHeader, type SampleBytes } from './edf-header.ts';
import { checkSamples, isRate, quoted, roomFor } from './header-text.ts';
import { int16View } from './int16.ts';
import { explainLineEndings } from './line-endings.ts';
import type { ReadOptions } from './options.ts';
import { chunkBytes, keptBytes, RangedBytes } from './ranged-bytes.ts';

/** Open an EDF or EDF+ file. FormatError where the header is damaged or promises more than there is. */
export async function openEdf(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const log: string[] = [];
  const header = await readEdfHeader(source, log);
  const recordCount = await countRecords(source, header, options.tolerant ?? false, log);
  const bytes = new RangedBytes(source);
  const times = await readTimes(bytes, header, recordCount, log);
  const stored = header.signals.filter((signal) => !signal.isAnnotations && signal.samplesPerRecord > 0);
  const empty = header.signals.filter((signal) => signal.samplesPerRecord === 0);
  if (empty.length > 0) log.push(`edf: ${empty.length} signals without samples were left out.`);
  const unpaced = stored.find((signal) => !isRate(signal.samplesPerRecord / header.recordSeconds));
  if (unpaced) {
    throw new FormatError(
      `edf: ${source.name} has records of ${header.recordSeconds} seconds with ${unpaced.samplesPerRecord} samples of ${quoted(unpaced.label)}, which is no rate. The header is damaged.`,
      source.name,
      244,
    );
  }
  const scales = stored.map((signal) => scaleOf(signal, log));
  const channels = stored.map((signal, i) => channelOf(signal, scales[i]!, header, recordCount));
  const spans = spansOf(header, recordCount, times, stored, log);
  const startTime =
    header.startTime && new Date(header.startTime.getTime() + Math.round(times.offset * 1000));
  return {
    source: source.name,
    format: 'edf',
    channels,
    spans,
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    annotations: times.annotations,
    ...(startTime && !Number.isNaN(startTime.getTime()) && { startTime }),
    metadata: {
      ...(header.patient && { patient: header.patient }),
      ...(header.recording && { recording: header.recording }),
      ...(header.reserved && { variant: header.reserved }),
    },
    log,
    async read(channel, start, end, into) {
      checkSamples(`edf: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      await readSamples(bytes, header, stored[channel]!, scales[channel]!, start, end, result);
      return result;
    },
    async close() {
      await source.close?.();
    },
  };
}

/** Whole records that the file holds, or FormatError where it holds fewer than promised and that is not tolerated. */
async function countRecords(source: ByteSource, header: EdfHeader, tolerant: boolean, log: string[]) {
  const present = Math.floor((source.byteLength - header.headerBytes) / header.recordBytes);
  const promisedBytes = header.headerBytes + header.recordCount * header.recordBytes;
  if (header.recordCount === -1) {
    log.push(`edf: the header leaves the number of records open (−1); the file's size makes ${present}.`);
    return present;
  }
  if (source.byteLength === promisedBytes) return header.recordCount;
  const mangled = await explainLineEndings(source, header.headerBytes, promisedBytes);
  if (mangled) throw new FormatError(`edf: ${source.name} ${mangled}`, source.name, header.headerBytes);
  if (source.byteLength > promisedBytes) {
    log.push(`edf: ${source.byteLength - promisedBytes} bytes after the last record were left out.`);
    return header.recordCount;
  }
  const fact = `ends at byte ${source.byteLength}, header promises ${promisedBytes}`;
  if (!tolerant) {
    throw new FormatError(
      `edf: ${source.name} ${fact}. The copy is truncated; fetch it again.`,
      source.name,
      source.byteLength,
    );
  }
  log.push(`edf: truncated: ${fact}; ${present} of ${header.recordCount} records are read.`);
  return present;
}

interface Times {
  /** Seconds from the header's start time to the first record (below 1 in proper files). */
  readonly offset: number;
  /** Seconds from the first record's start, one a record; empty where the file has no annotation signal. */
  readonly onsets: readonly number[];
  readonly annotations: readonly Annotation[];
}

/** Go once through the annotation signals. Of large records, only their bytes are read. */
async function readTimes(
  bytes: RangedBytes,
  header: EdfHeader,
  recordCount: number,
  log: string[],
): Promise<Times> {
  const signals = header.signals.filter((signal) => signal.isAnnotations && signal.samplesPerRecord > 0);
  const onsets: number[] = [];
  const found: Annotation[] = [];
  let [broken, untimed] = [0, 0];
  if (signals.length === 0) return { offset: 0, onsets, annotations: [] };
  const { recordBytes, headerBytes, recordSeconds } = header;
  const isLong = bytes.source.isLocal && recordCount * recordBytes > keptBytes;
  const isSparse = recordBytes > 65536 || (isLong && recordBytes > 4096);
  const perChunk = Math.max(1, Math.floor(chunkBytes / recordBytes));
  for (let record = 0; record < recordCount; record++) {
    const first = record - (record % perChunk);
    const chunkStart = headerBytes + first * recordBytes;
    const chunkEnd = headerBytes + Math.min(recordCount, first + perChunk) * recordBytes;
    for (const [i, signal] of signals.entries()) {
      const start = headerBytes + record * recordBytes + signal.recordOffset;
      const end = start + signal.samplesPerRecord * header.sampleBytes;
      const parsed = isSparse
        ? parseAnnotationLists(await bytes.source.read(start, end))
        : await bytes.use(chunkStart, chunkEnd, (chunk) =>
            parseAnnotationLists(chunk.subarray(start - chunkStart, end - chunkStart)),
          );
      broken += parsed.broken;
      if (i === 0) {
        const keeper = parsed.lists[0]?.texts[0] === '' ? parsed.lists[0].onset : undefined;
        if (keeper === undefined) untimed++;
        onsets.push(keeper ?? (onsets.at(-1) ?? -recordSeconds) + recordSeconds);
      }
      for (const { onset, duration, texts } of parsed.lists)
        for (const label of texts) if (label !== '') found.push({ start: onset, duration, label });
    }
  }
  if (broken > 0) log.push(`edf: ${broken} annotation lists could not be read and were left out.`);
  if (untimed > 0)
    log.push(
      `edf: ${untimed} of ${recordCount} records do not state their time; taken to follow the one before.`,
    );
  const offset = onsets[0] ?? 0;
  return {
    offset,
    onsets: onsets.map((onset) => onset - offset),
    annotations: found.map((a) => ({ ...a, start: a.start - offset })).sort((a, b) => a.start - b.start),
  };
}

/** Records whose onsets follow one another within half a sample make one span; EDF and EDF+C are one span. */
function spansOf(
  header: EdfHeader,
  recordCount: number,
  { onsets, annotations }: Times,
  stored: readonly EdfSignal[],
  log: string[],
): Span[] {
  const { recordSeconds } = header;
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
  if (!header.reserved.startsWith('EDF+D')) {
    log.push(
      `edf: the file is marked as continuous, its records state ${spans.length - 1} gaps; read as continuous.`,
    );
    return [whole];
  }
  if (spans.some((span, i) => i > 0 && span.start < spans[i - 1]!.start + spans[i - 1]!.duration - tolerance))
    log.push('edf: some records start before the one stored before them ends.');
  return spans;
}

interface Scale {
  readonly gain: number;
  readonly digitalMin: number;
  readonly physicalMin: number;
  readonly isCalibrated: boolean;
}

function scaleOf(
  { label, digitalMin, digitalMax, physicalMin, physicalMax }: EdfSignal,
  log: string[],
): Scale {
  const gain = (physicalMax - physicalMin) / (digitalMax - digitalMin);
  if (Number.isFinite(gain) && gain !== 0) return { gain, digitalMin, physicalMin, isCalibrated: true };
  log.push(
    `edf: '${label}' has an empty physical or digital range; its values are the stored integers, without unit.`,
  );
  return { gain: 1, digitalMin: 0, physicalMin: 0, isCalibrated: false };
}

function channelOf(signal: EdfSignal, scale: Scale, header: EdfHeader, recordCount: number): Channel {
  const note = [signal.prefilter, signal.transducer].filter((text) => text !== '').join('; ');
  const [low, high] = [signal.physicalMin, signal.physicalMax].sort((a, b) => a - b) as [number, number];
  return {
    name: signal.label,
    unit: scale.isCalibrated ? signal.unit : '',
    rateHz: signal.samplesPerRecord / header.recordSeconds,
    lengthSamples: recordCount * signal.samplesPerRecord,
    ...(scale.isCalibrated && { range: [low, high] as const, resolution: Math.abs(scale.gain) }),
    ...(note && { note }),
  };
}

/**
 * Samples [start, end) → result. Whole records are read at once, for the channels that will be asked for next; only the
 * signal's own bytes where a record, or the stretch of a local file, is too large to keep.
 */
async function readSamples(
  bytes: RangedBytes,
  { recordBytes, headerBytes, sampleBytes }: EdfHeader,
  signal: EdfSignal,
  scale: Scale,
  start: number,
  end: number,
  result: Float64Array,
): Promise<void> {
  if (start === end) return;
  const perRecord = signal.samplesPerRecord;
  const firstRecord = Math.floor(start / perRecord);
  const lastRecord = Math.ceil(end / perRecord);
  const isSmallPart = perRecord * sampleBytes * 8 <= recordBytes;
  const isLong = (lastRecord - firstRecord) * recordBytes > keptBytes;
  if (recordBytes > chunkBytes || (bytes.source.isLocal && isLong && isSmallPart)) {
    let scratch: Uint8Array | undefined;
    for (let record = firstRecord; record < lastRecord; record++) {
      const from = Math.max(start, record * perRecord);
      const to = Math.min(end, (record + 1) * perRecord);
      const at =
        headerBytes + record * recordBytes + signal.recordOffset + (from - record * perRecord) * sampleBytes;
      const length = (to - from) * sampleBytes;
      if (scratch?.length !== length) scratch = bytes.source.isLocal ? new Uint8Array(length) : undefined;
      const part = await bytes.source.read(at, at + length, scratch);
      decode(part, 0, sampleBytes, scale, result, from - start, to - start);
    }
    return;
  }
  const perChunk = Math.max(1, Math.floor(chunkBytes / recordBytes));
  for (let first = firstRecord; first < lastRecord; first += perChunk) {
    const last = Math.min(lastRecord, first + perChunk);
    await bytes.use(headerBytes + first * recordBytes, headerBytes + last * recordBytes, (chunk) => {
      for (let record = first; record < last; record++) {
        const from = Math.max(start, record * perRecord);
        const to = Math.min(end, (record + 1) * perRecord);
        const inRecord = signal.recordOffset + (from - record * perRecord) * sampleBytes;
        const at = (record - first) * recordBytes + inRecord;
        decode(chunk, at, sampleBytes, scale, result, from - start, to - start);
      }
    });
  }
}

/** Little-endian two's complement integers of 2 or 3 bytes from byte `at` → physical values result[from … to). */
function decode(
  bytes: Uint8Array,
  at: number,
  width: SampleBytes,
  { gain, digitalMin, physicalMin }: Scale,
  result: Float64Array,
  from: number,
  to: number,
): void {
  const stored = width === 2 ? int16View(bytes, at, to - from) : undefined;
  if (stored) {
    for (let i = 0; i < stored.length; i++) result[from + i] = (stored[i]! - digitalMin) * gain + physicalMin;
    return;
  }
  for (let i = from, k = at; i < to; i++, k += width) {
    const value =
      width === 2
        ? ((bytes[k]! | (bytes[k + 1]! << 8)) << 16) >> 16
        : ((bytes[k]! | (bytes[k + 1]! << 8) | (bytes[k + 2]! << 16)) << 8) >> 8;
    result[i] = (value - digitalMin) * gain + physicalMin;
  }
}
