/**
 * One pass over an XDF file: chunk after chunk → streams with their headers, time stamps, and where their samples lie.
 * Samples themselves are passed over. Source: XDF specification 1.0, github.com/sccn/xdf/wiki/Specifications.
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { chunkBytes } from '../ranged-bytes.ts';
import { GrowingArray } from '../table/growing.ts';
import { parseXml, textAt, type XmlElement } from './xml.ts';

export type XdfFormat = 'int8' | 'int16' | 'int32' | 'int64' | 'float32' | 'double64' | 'string';

/** Bytes of a value; 0: strings, each with its own length. */
export const valueBytes: Readonly<Record<XdfFormat, number>> = {
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  double64: 8,
  string: 0,
};

export interface ScannedStream {
  readonly id: number;
  readonly header: XmlElement;
  readonly format: XdfFormat;
  readonly channelCount: number;
  /** 0: irregular. */
  readonly nominalRateHz: number;
  readonly clockTimes: number[];
  readonly clockValues: number[];
  /** As stored or deduced, before any correction. Seconds. */
  readonly stamps: GrowingArray;
  /** Runs of samples of equal size, three numbers each: byte position, first sample, bytes a sample. */
  readonly runs: GrowingArray;
  /** Of a stream of strings: its values, sample by sample. */
  readonly texts: string[];
  footer?: XmlElement | undefined;
  /** Of the last sample, for those without one. */
  lastStamp: number;
}

export interface XdfScan {
  readonly header: XmlElement | undefined;
  readonly streams: readonly ScannedStream[];
}

const boundaryMark = Uint8Array.of(67, 165, 70, 220, 203, 245, 65, 15, 179, 14, 213, 70, 115, 131, 203, 228);
const tags = { fileHeader: 1, streamHeader: 2, samples: 3, clockOffset: 4, boundary: 5, streamFooter: 6 };
/** Headers are text of some kilobytes; impedances and electrode positions make some of them long. */
const longestHeader = 64 * 1024 * 1024;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

class Damage extends Error {}

/** Scan a file whose first four bytes are `XDF:`. FormatError where it is damaged and that is not tolerated. */
export async function scanXdf(source: ByteSource, isTolerant: boolean, log: string[]): Promise<XdfScan> {
  const where = `xdf: ${source.name}`;
  const budget = budgetOf(source);
  const element = () => budget.spend(where, 'header fields');
  const window = new ScanWindow(source);
  const streams = new Map<number, ScannedStream>();
  const refused = new Map<number, string>();
  const counts = { orphans: 0, repeated: 0, unknown: 0 };
  let header: XmlElement | undefined;
  let position = 4;
  while (position < source.byteLength) {
    await budget.breathe();
    const start = position;
    try {
      const head = await window.at(start, Math.min(15, source.byteLength - start));
      const size = new Reader(head, 0, head.length);
      const length = size.variable();
      const content = start + size.at;
      const isCut = length > source.byteLength - content;
      if (length < 2) throw new Damage(`states a chunk of ${length} bytes`);
      const tag = size.uint16();
      const hasStream = tag === 2 || tag === 3 || tag === 4 || tag === 6;
      if (isCut && tag !== tags.samples)
        throw new Damage(`states a chunk of ${length} bytes, ${source.byteLength - content} are left`);
      const end = Math.min(source.byteLength, content + length);
      if (tag === tags.boundary || tag < 1 || tag > 6) {
        if (tag < 1 || tag > 6) counts.unknown++;
        position = end;
        continue;
      }
      if (tag !== tags.samples && length > longestHeader)
        throw new Damage(`states a header of ${length} bytes`);
      const reader = new Reader(await window.at(content, end - content), 2, content);
      const id = hasStream ? reader.uint32() : -1;
      const stream = streams.get(id);
      if (tag === tags.fileHeader) header ??= parseXml(reader.restText(), element);
      else if (tag === tags.streamHeader) {
        if (stream || refused.has(id)) counts.repeated++;
        else {
          budget.spend(where, 'streams', heavyElement);
          const made = streamOf(id, reader.restText(), element);
          if (typeof made !== 'string') budget.spend(where, 'channels', heavyElement * made.channelCount);
          if (typeof made === 'string') refused.set(id, made);
          else streams.set(id, made);
        }
      } else if (!stream) {
        if (tag === tags.samples && !refused.has(id)) counts.orphans++;
      } else if (tag === tags.clockOffset) {
        const [time, value] = [reader.float64(), reader.float64()];
        if (Number.isFinite(time) && Number.isFinite(value)) {
          budget.spend(where, 'clock offsets');
          stream.clockTimes.push(time);
          stream.clockValues.push(value);
        }
      } else if (tag === tags.streamFooter) stream.footer = parseXml(reader.restText(), element);
      else {
        const before = stream.texts.length;
        scanSamples(stream, reader);
        budget.spend(where, 'texts', stream.texts.length - before);
        if (isCut) throw new Damage('ends within it');
      }
      position = end;
    } catch (cause) {
      if (!(cause instanceof Damage)) throw cause;
      const fact = `the chunk at byte ${start} ${cause.message}`;
      if (!isTolerant) {
        throw new FormatError(
          `${where}: ${fact}. The copy is damaged; fetch it again, or read what is whole with --tolerant.`,
          source.name,
          start,
        );
      }
      position = await window.afterBoundary(start + 1);
      log.push(
        position < source.byteLength
          ? `xdf: ${fact}; read on after the next boundary, at byte ${position}.`
          : `xdf: ${fact}; nothing after it was read.`,
      );
    }
  }
  for (const [id, reason] of refused) log.push(`xdf: stream ${id} was left out: ${reason}.`);
  if (counts.orphans > 0)
    log.push(`xdf: ${counts.orphans} chunks of samples of streams without a header were left out.`);
  if (counts.repeated > 0) log.push(`xdf: ${counts.repeated} repeated stream headers were passed over.`);
  if (counts.unknown > 0) log.push(`xdf: ${counts.unknown} chunks of unknown kinds were passed over.`);
  return { header, streams: [...streams.values()] };
}

/** A stream from its header, or why it cannot be read. */
function streamOf(id: number, text: string, onElement: () => void): ScannedStream | string {
  const header = parseXml(text, onElement);
  if (!header) return 'its header is not XML';
  const format = textAt(header, 'channel_format');
  const channelCount = Number(textAt(header, 'channel_count'));
  const rate = Number(textAt(header, 'nominal_srate'));
  if (!Object.hasOwn(valueBytes, format)) return `its values are '${format.slice(0, 40)}'`;
  if (!Number.isSafeInteger(channelCount) || channelCount < 0 || channelCount > 1e7)
    return `it states '${textAt(header, 'channel_count').slice(0, 40)}' channels`;
  return {
    id,
    header,
    format: format as XdfFormat,
    channelCount,
    nominalRateHz: Number.isFinite(rate) && rate > 0 ? rate : 0,
    clockTimes: [],
    clockValues: [],
    stamps: new GrowingArray(),
    runs: new GrowingArray(),
    texts: [],
    lastStamp: 0,
  };
}

/** Note the stamps and places of a chunk's samples. Damage where it holds fewer than it states; those it has are kept. */
function scanSamples(stream: ScannedStream, reader: Reader): void {
  const count = reader.variable();
  const { stamps, runs, format, channelCount, nominalRateHz, texts } = stream;
  const interval = nominalRateHz > 0 ? 1 / nominalRateHz : 0;
  const size = channelCount * valueBytes[format];
  let last = stream.lastStamp;
  let stride = -1;
  for (let k = 0; k < count; k++) {
    const start = reader.at;
    const isWhole = format === 'string' ? reader.takeStrings(channelCount, texts) : reader.skipSample(size);
    if (!isWhole) {
      stream.lastStamp = last;
      throw new Damage(`states ${count} samples of stream ${stream.id} and holds ${k}`);
    }
    last = reader.stamped ? reader.stamp : last + interval;
    stamps.push(last);
    if (format === 'string' || reader.at - start === stride) continue;
    stride = reader.at - start;
    runs.push(reader.base + start);
    runs.push(stamps.length - 1);
    runs.push(stride);
  }
  stream.lastStamp = last;
}

/** Reads little-endian fields of a chunk; Damage beyond its end. */
class Reader {
  readonly #view: DataView;
  stamped = false;
  stamp = 0;

  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    /** Of byte 0 in the file. */
    readonly base: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(length: number): number {
    const from = this.at;
    if (from + length > this.bytes.length) throw new Damage('ends within a field');
    this.at = from + length;
    return from;
  }

  uint16 = (): number => this.#view.getUint16(this.#take(2), true);
  uint32 = (): number => this.#view.getUint32(this.#take(4), true);
  float64 = (): number => this.#view.getFloat64(this.#take(8), true);

  /** A length of 1, 4 or 8 bytes, and before it which. */
  variable(): number {
    const width = this.bytes[this.#take(1)];
    if (width === 1) return this.bytes[this.#take(1)]!;
    if (width === 4) return this.uint32();
    if (width === 8) return Number(this.#view.getBigUint64(this.#take(8), true));
    throw new Damage(`states a length of ${width} bytes`);
  }

  restText(): string {
    return utf8.decode(this.bytes.subarray(this.at));
  }

  /** Pass over a sample, taking its stamp; false, and nothing passed, where it is not whole. */
  skipSample(size: number): boolean {
    const from = this.at;
    if (from >= this.bytes.length) return false;
    const stamped = this.bytes[from] !== 0;
    const end = from + (stamped ? 9 : 1) + size;
    if (end > this.bytes.length) return false;
    this.stamped = stamped;
    if (stamped) this.stamp = this.#view.getFloat64(from + 1, true);
    this.at = end;
    return true;
  }

  /** The texts of a sample, appended; false, and none taken, where it is not whole. */
  takeStrings(count: number, texts: string[]): boolean {
    const [from, before] = [this.at, texts.length];
    try {
      if (!this.skipSample(0)) return false;
      for (let i = 0; i < count; i++) {
        const length = this.variable();
        const start = this.#take(length);
        texts.push(length === 0 ? '' : utf8.decode(this.bytes.subarray(start, start + length)));
      }
      return true;
    } catch (cause) {
      if (!(cause instanceof Damage)) throw cause;
      this.at = from;
      texts.length = before;
      return false;
    }
  }
}

/** Bytes of the source from front to back, some megabytes at a time. */
class ScanWindow {
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #memory: Uint8Array | undefined;

  constructor(readonly source: ByteSource) {}

  /** Valid until the next call. */
  async at(start: number, length: number): Promise<Uint8Array> {
    const end = start + length;
    if (start < this.#start || end > this.#start + this.#bytes.length) {
      const size = Math.min(this.source.byteLength - start, Math.max(length, chunkBytes));
      if (this.source.isLocal && (this.#memory?.length ?? 0) < size) this.#memory = new Uint8Array(size);
      this.#bytes = await this.source.read(start, start + size, this.#memory?.subarray(0, size));
      this.#start = start;
    }
    return this.#bytes.subarray(start - this.#start, end - this.#start);
  }

  /** The byte after the first boundary mark from `start` on; the file's length where there is none. */
  async afterBoundary(start: number): Promise<number> {
    const { byteLength } = this.source;
    for (let from = start; from < byteLength; from += chunkBytes) {
      const bytes = await this.at(from, Math.min(byteLength - from, chunkBytes + boundaryMark.length));
      for (let i = bytes.indexOf(67); i >= 0; i = bytes.indexOf(67, i + 1))
        if (boundaryMark.every((byte, k) => bytes[i + k] === byte)) return from + i + boundaryMark.length;
    }
    return byteLength;
  }
}
