/**
 * Recordings → EDF+ and BDF+ files, 16 or 24 bits a sample. A channel with a resolution keeps its stored integers, so
 * that a round trip is exact; gaps make EDF+D. EDF knows no missing samples: they are stored as the lowest integer, and
 * an annotation `missing` says where. Where the last record must be filled up, its last values are repeated and
 * `Recording ends` says where. Source: https://www.edfplus.info/specs.
 */
import { bytesSource } from '../../core/bytes.ts';
import { ConfigError, FormatError } from '../../core/errors.ts';
import type { Annotation, Recording } from '../../core/recording.ts';
import { isFlattened } from '../noise.ts';
import type { OutputFile, WriteOptions, WriteRecording } from '../output.ts';
import { checkWritable } from '../writable.ts';
import {
  type EdfPlan,
  type EncodedPlan,
  encodePlan,
  encodeSamples,
  onsetOf,
  type PlannedSignal,
  sampleBytesOf,
} from './encode.ts';
import { type EdfFormat, readEdfHeader } from './header.ts';
import { layoutRecords, type RecordLayout, type RecordSpan, recordLayout } from './layout.ts';
import { patientField, recordingField } from './metadata.ts';
import { scaleFor, type ValueRange } from './scale.ts';
import { scanRecording } from './scan.ts';

/** Write EDF+ (16 bits). ConfigError where channels do not fit: too many steps of their resolution, rates that do not meet. */
export const writeEdf: WriteRecording = (recording, fileName, options) =>
  writeLayout(recording, fileName, 'edf', options);

/** Write BDF+ (24 bits); the same otherwise. */
export const writeBdf: WriteRecording = (recording, fileName, options) =>
  writeLayout(recording, fileName, 'bdf', options);

async function* writeLayout(
  recording: Recording,
  fileName: string,
  format: EdfFormat,
  options: WriteOptions = {},
): AsyncGenerator<OutputFile> {
  const encoded = encodePlan(await planRecording(recording, format));
  await checkHeader(encoded, fileName);
  yield { name: fileName, bytes: recordBytes(recording, encoded, options) };
}

/** ConfigError where our own reader would refuse the header, or take a channel for annotations. */
async function checkHeader({ header, plan }: EncodedPlan, fileName: string): Promise<void> {
  const refuse = (fact: string, cause?: unknown): never => {
    throw new ConfigError(
      `${fact} Such a recording cannot be written as ${plan.format.toUpperCase()}; write .npz or .parquet.`,
      'out',
      undefined,
      { cause },
    );
  };
  try {
    const { signals } = await readEdfHeader(bytesSource(fileName, header), [], plan.format);
    const found = signals.filter(({ isAnnotations }) => !isAnnotations).length;
    if (found !== plan.signals.length)
      refuse(`${plan.format}: of ${plan.signals.length} channels, the header says ${found}.`);
  } catch (cause) {
    if (cause instanceof FormatError) refuse(cause.message, cause);
    throw cause;
  }
}

/** Once over all samples: their ranges and where some are missing decide scales and annotations. */
async function planRecording(recording: Recording, format: EdfFormat): Promise<EdfPlan> {
  checkWritable(recording, format, true);
  const { startTime, startNanoseconds = 0, metadata } = recording;
  const hasSamples = recording.channels.some(({ lengthSamples }) => lengthSamples > 0);
  const channels = hasSamples || recording.annotations.length === 0 ? recording.channels : [];
  // A file of annotations only: one record that takes no time.
  const layout: RecordLayout =
    channels.length > 0
      ? layoutRecords(channels, recording.spans, sampleBytesOf(format))
      : recordLayout([], [], 0);
  const { ranges, missing } = await scanRecording(recording, channels, layout);
  const bits = format === 'edf' ? 16 : 24;
  const signals = channels.map((channel, i): PlannedSignal => {
    const [prefilter = '', ...transducer] = channel.note?.split('; ') ?? [];
    const scale = scaleFor(channel, ranges[i]!, bits);
    return { name: channel.name, prefilter, transducer: transducer.join('; '), scale };
  });
  refuseFlattened(channels, signals, ranges, format);
  const milliseconds = (((startTime?.getTime() ?? 0) % 1000) + 1000) % 1000;
  const { length } = channels;
  return {
    ...{ format, signals, startFraction: milliseconds / 1e3 + startNanoseconds / 1e9 },
    layout: length > 0 ? layout : { ...layout, spans: [{ start: 0, records: 1, from: [], to: [] }] },
    ...(startTime && { startTime: new Date(startTime.getTime() - milliseconds) }),
    patient: patientField(metadata),
    recording: recordingField(metadata),
    annotations: [...recording.annotations, ...missing, ...fillings(channels, layout)],
  };
}

/** ConfigError that names every channel whose steps would be coarser than what it moves by. */
function refuseFlattened(
  channels: Recording['channels'],
  signals: readonly PlannedSignal[],
  ranges: readonly ValueRange[],
  format: EdfFormat,
): void {
  const figure = (value: number) => Number(value.toPrecision(3));
  const flattened = channels.flatMap(({ name, unit, resolution }, i) => {
    const step = signals[i]!.scale.resolution;
    const { low, high, noise } = ranges[i]!;
    if (!isFlattened(step, resolution, noise)) return [];
    const fact = `'${name}' (reaches ${figure(low)}…${figure(high)}${unit && ` ${unit}`}: a step is ${figure(step)}, it mostly moves by ${figure(noise!)})`;
    return [{ name, fact }];
  });
  if (flattened.length === 0) return;
  const others = flattened.map(({ name }) => `!${name}`).join(',');
  throw new ConfigError(
    `${format}: ${format === 'edf' ? 16 : 24} bits would flatten ${flattened.map(({ fact }) => fact).join(', ')}. Write ${format === 'edf' ? '.bdf (24 bits) or .parquet' : '.npz or .parquet'}, or leave them out with --channels '${others}'.`,
    'resolution',
  );
}

/** Where the last records of spans are filled up. */
function fillings(
  channels: Recording['channels'],
  { spans, perRecord, recordSeconds }: RecordLayout,
): Annotation[] {
  return spans.flatMap((span, i): Annotation[] => {
    const end = channels.reduce(
      (most, { rateHz }, c) => Math.max(most, (span.to[c]! - span.from[c]!) / rateHz),
      0,
    );
    const isWhole = perRecord.some((count, c) => span.to[c]! - span.from[c]! === span.records * count);
    const start = span.start + end;
    if (isWhole) return [];
    if (i === spans.length - 1) return [{ start, duration: 0, label: 'Recording ends' }];
    return [{ start, duration: span.start + span.records * recordSeconds - start, label: 'missing' }];
  });
}

/** Samples read at a time, over all channels: 2 MiB of them. */
const blockSamples = 2 ** 18;

async function* recordBytes(
  recording: Recording,
  encoded: EncodedPlan,
  options: WriteOptions,
): AsyncGenerator<Uint8Array> {
  const { plan, header } = encoded;
  const { layout } = plan;
  yield header;
  const perBlock = Math.max(1, Math.floor(blockSamples / Math.max(1, sum(layout.perRecord))));
  const memory = layout.perRecord.map((count) => new Float64Array(count * perBlock));
  let place = 0;
  for (const span of layout.spans)
    for (let first = 0; first < span.records; first += perBlock) {
      const records = Math.min(perBlock, span.records - first);
      const parts: Float64Array[] = [];
      for (const [i, count] of layout.perRecord.entries()) {
        const start = Math.min(span.to[i]!, span.from[i]! + first * count);
        const end = Math.min(span.to[i]!, start + records * count);
        // A channel that has ended stays at its last value.
        const from = start === end && start > 0 ? start - 1 : start;
        parts.push(await recording.read(i, from, end, memory[i]!.subarray(0, end - from)));
      }
      yield encodeRecords(encoded, parts, span, first, records, place);
      place += records;
      options.onProgress?.(onsetOf(layout, span, first + records));
    }
}

/** Records [first, first + records) of a span; `parts` hold each channel's samples from the first record on. */
function encodeRecords(
  { plan, recordBytes, annotationBytes }: EncodedPlan,
  parts: readonly ArrayLike<number>[],
  span: RecordSpan,
  first: number,
  records: number,
  place: number,
): Uint8Array {
  const { layout, signals, format } = plan;
  const width = sampleBytesOf(format);
  const bytes = new Uint8Array(records * recordBytes);
  let at = 0;
  for (let record = 0; record < records; record++) {
    for (const [i, count] of layout.perRecord.entries()) {
      encodeSamples(bytes, at, width, signals[i]!.scale, parts[i]!, record * count, count);
      at += count * width;
    }
    const annotations = annotationBytes(place + record, onsetOf(layout, span, first + record));
    bytes.set(annotations, at);
    at += annotations.length;
  }
  return bytes;
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);

export interface EdfChannel {
  readonly name: string;
  readonly unit: string;
  readonly rateHz: number;
  readonly samples: ArrayLike<number>;
  /** One digital step in the channel's unit. Default: the finest that the samples' range allows. */
  readonly resolution?: number;
  readonly prefilter?: string;
  readonly transducer?: string;
}

export interface EdfContent {
  readonly channels: readonly EdfChannel[];
  /** Seconds of one record; whole samples of every channel must fit. Default 1. */
  readonly recordSeconds?: number;
  readonly startTime?: Date;
  /** EDF+'s patient field: `X M 01-JAN-1990 X`. */
  readonly patient?: string;
  /** What stands after the start date in EDF+'s recording field. */
  readonly recording?: string;
  readonly annotations?: readonly Annotation[];
}

/**
 * Encode signals in memory as EDF+C. The last record is filled with each channel's last value. ConfigError where it does
 * not fit EDF.
 */
export function encodeEdf(content: EdfContent): Uint8Array {
  const { channels, recordSeconds = 1, annotations = [] } = content;
  const perRecord = channels.map(({ name, rateHz }) => {
    const count = rateHz * recordSeconds;
    if (Number.isInteger(count) && count >= 1) return count;
    throw new ConfigError(
      `edf: channel '${name}' has ${count} samples in a record of ${recordSeconds} s. Choose recordSeconds so that they are whole.`,
      'recordSeconds',
      'whole samples per record',
    );
  });
  const [from, to] = [channels.map(() => 0), channels.map(({ samples }) => samples.length)];
  const layout = recordLayout([{ start: 0, from, to }], perRecord, recordSeconds);
  const signals = channels.map((channel): PlannedSignal => {
    const { name, prefilter = '', transducer = '' } = channel;
    return { name, prefilter, transducer, scale: scaleFor(channel, rangeOf(channel), 16) };
  });
  const encoded = encodePlan({
    ...{ format: 'edf', signals, layout, startFraction: 0, annotations },
    ...(content.startTime && { startTime: content.startTime }),
    patient: content.patient ?? 'X X X X',
    recording: content.recording ?? 'X X X',
  });
  const { header } = encoded;
  const records = layout.spans[0]?.records ?? 0;
  const bytes = new Uint8Array(header.length + records * encoded.recordBytes);
  bytes.set(header);
  const parts = channels.map(({ samples }) => samples);
  if (records > 0) bytes.set(encodeRecords(encoded, parts, layout.spans[0]!, 0, records, 0), header.length);
  return bytes;
}

function rangeOf({ name, samples }: EdfChannel): ValueRange {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]!;
    if (!Number.isFinite(value))
      throw new ConfigError(`edf: sample ${i} of '${name}' is ${value}. EDF holds numbers only.`, name);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high, hasMissing: false };
}
