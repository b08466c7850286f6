/**
 * Pages of a flat Parquet column → numbers or texts, with every length checked before it is believed; what is in a
 * page is decoded by encodings.ts. Source: Apache Parquet format 2.10, parquet.thrift.
 */
import { Inflate } from 'fflate';
import { UnsupportedError } from '../../core/errors.ts';
import {
  decodeNumbersOf,
  decodeTexts,
  PageDamage,
  type PagedColumn,
  readDictionary,
  readHybrid,
  readTexts,
  uint32,
} from './encodings.ts';
import { inflateSnappy } from './snappy.ts';

/** Takes what pages hold: numbers, or texts, by the column's type. */
export interface PageSink {
  /** Memory for the numbers of the next `count` rows. */
  room(count: number): Float64Array;
  /** The next rows; those with 0 in `defined` have no value. */
  texts(values: readonly Uint8Array[], defined: Uint32Array | undefined): void;
}

interface Fields {
  readonly [field: number]: number | Fields;
}

/** Thrift's compact structs: whole numbers, booleans and structs; the rest is passed over. */
function readStruct(bytes: Uint8Array, start: number, depth = 0): [Fields, number] {
  const fields: Record<number, number | Fields> = Object.create(null);
  let at = start;
  let field = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (let k = 0; k < 10; k++, scale *= 128) {
      if (at >= bytes.length) throw new PageDamage('a header ends within a number');
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new PageDamage('a number of a header has no end');
  };
  const zigzag = () => {
    const value = varint();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  };
  const skip = (type: number, level: number): number | Fields => {
    if (type === 1 || type === 2) return type === 1 ? 1 : 0;
    if (type === 3) return bytes[at++] ?? 0;
    if (type >= 4 && type <= 6) return zigzag();
    if (type === 7) at += 8;
    else if (type === 8) {
      const length = varint();
      at += length;
    } else if (type === 12 && level < 8) {
      const [inner, end] = readStruct(bytes, at, level + 1);
      at = end;
      return inner;
    } else throw new PageDamage(`a header has a field of type ${type}`);
    return 0;
  };
  for (;;) {
    if (at >= bytes.length) throw new PageDamage('a header has no end');
    const byte = bytes[at++]!;
    if (byte === 0) return [fields, at];
    field = byte >> 4 ? field + (byte >> 4) : zigzag();
    const value = skip(byte & 15, depth);
    if (field > 0 && field < 32) fields[field] = value;
  }
}

const numberAt = (fields: number | Fields | undefined, ...path: number[]): number => {
  let found = fields;
  for (const field of path) found = typeof found === 'object' ? found[field] : undefined;
  return typeof found === 'number' ? found : 0;
};

const pages = { data: 0, dictionary: 2, data2: 3 };
/** Deflate makes at most this many bytes of one, Snappy fewer. */
const inflateRatio = 1032;

/** Take `rows` values of a column chunk out of its pages. */
export function readPages(bytes: Uint8Array, column: PagedColumn, rows: number, sink: PageSink): void {
  const isText = column.type === 'BYTE_ARRAY';
  let dictionary: Float64Array | undefined;
  let words: Uint8Array[] | undefined;
  let done = 0;
  for (let at = 0; done < rows; ) {
    if (at >= bytes.length) throw new PageDamage(`its pages hold ${done} of ${rows} values`);
    const [header, start] = readStruct(bytes, at);
    const [kind, plainBytes, storedBytes] = [1, 2, 3].map((field) => numberAt(header, field)) as [
      number,
      number,
      number,
    ];
    if (!(storedBytes >= 0 && start + storedBytes <= bytes.length))
      throw new PageDamage(`a page states ${storedBytes} bytes`);
    if (!(plainBytes >= 0 && plainBytes <= storedBytes * inflateRatio + 1024))
      throw new PageDamage(`a page of ${storedBytes} bytes states ${plainBytes} inflated`);
    const stored = bytes.subarray(start, start + storedBytes);
    at = start + storedBytes;
    if (kind === pages.dictionary) {
      const page = inflate(stored, plainBytes, column.codec);
      const count = numberAt(header, 7, 1);
      if (isText) words = readTexts(page, count);
      else dictionary = readDictionary(page, column, count);
    } else if (kind === pages.data || kind === pages.data2) {
      const isNew = kind === pages.data2;
      const part = isNew ? 8 : 5;
      const count = numberAt(header, part, 1);
      if (!(count >= 0 && count <= rows - done))
        throw new PageDamage(`a page states ${count} values, ${rows - done} are left`);
      const encoding = numberAt(header, part, isNew ? 4 : 2);
      let levels: Uint8Array | undefined;
      let values: Uint8Array;
      if (isNew) {
        const [defined, repeated] = [numberAt(header, 8, 5), numberAt(header, 8, 6)];
        if (!(defined >= 0 && repeated >= 0 && defined + repeated <= Math.min(storedBytes, plainBytes)))
          throw new PageDamage(`a page states levels of ${defined} and ${repeated} bytes`);
        levels = stored.subarray(repeated, repeated + defined);
        const rest = stored.subarray(repeated + defined);
        const isPlain = typeof header[8] === 'object' && header[8][7] === 0;
        values = isPlain ? rest : inflate(rest, plainBytes - repeated - defined, column.codec);
      } else {
        values = inflate(stored, plainBytes, column.codec);
        if (column.maxDefinition > 0) {
          const length = values.length >= 4 ? uint32(values, 0) : -1;
          if (length < 0 || 4 + length > values.length)
            throw new PageDamage(`a page states levels of ${length} bytes`);
          levels = values.subarray(4, 4 + length);
          values = values.subarray(4 + length);
        }
      }
      const defined = column.maxDefinition > 0 ? levelsOf(levels!, count) : undefined;
      let present = count;
      if (defined) for (let i = 0; i < count; i++) present -= 1 - defined[i]!;
      if (isText) sink.texts(decodeTexts(values, encoding, present, words), defined);
      else if (!defined || present === count)
        decodeNumbersOf(values, column, encoding, dictionary, sink.room(count));
      else {
        const found = new Float64Array(present);
        decodeNumbersOf(values, column, encoding, dictionary, found);
        const room = sink.room(count);
        for (let i = 0, k = 0; i < count; i++) room[i] = defined[i] ? found[k++]! : Number.NaN;
      }
      done += count;
      if (count === 0 && storedBytes === 0 && at === start) throw new PageDamage('a page is empty');
    }
  }
}

/** 1 where a row has a value; undefined where all have one. */
function levelsOf(levels: Uint8Array, count: number): Uint32Array | undefined {
  if (isOneRun(levels, count)) return undefined;
  const defined = new Uint32Array(count);
  const highest = readHybrid(levels, 1, defined);
  if (highest > 1) throw new PageDamage(`a page has levels up to ${highest}, 1 is the highest`);
  return defined;
}

/** A single run of ones, as most columns have it. */
function isOneRun(levels: Uint8Array, count: number): boolean {
  let [at, header] = [0, 0];
  for (let byte = 128, scale = 1; byte >= 128 && at < 5; scale *= 128) {
    byte = levels[at++] ?? 0;
    header += (byte & 127) * scale;
  }
  return header % 2 === 0 && header / 2 >= count && levels[at] === 1;
}

function inflate(bytes: Uint8Array, length: number, codec: string): Uint8Array {
  if (codec === 'UNCOMPRESSED') {
    if (bytes.length !== length)
      throw new PageDamage(`a page has ${bytes.length} bytes instead of ${length}`);
    return bytes;
  }
  const result = new Uint8Array(length);
  if (codec === 'SNAPPY') {
    if (length > 0 && !inflateSnappy(bytes, result)) throw new PageDamage('a page is no Snappy block');
    return result;
  }
  if (codec !== 'GZIP') throw new UnsupportedError(`compression by ${codec}`, `parquet codec ${codec}`);
  let done = 0;
  const start = gzipBody(bytes);
  const stream = new Inflate((part) => {
    if (done + part.length > length) throw new PageDamage(`a page inflates to more than ${length} bytes`);
    result.set(part, done);
    done += part.length;
  });
  for (let at = start; at < bytes.length; at += 65536)
    stream.push(bytes.subarray(at, at + 65536), at + 65536 >= bytes.length);
  if (done !== length) throw new PageDamage(`a page inflates to ${done} bytes instead of ${length}`);
  return result;
}

/** Where deflate starts after a gzip header without extras, as Parquet writers make it. */
function gzipBody(bytes: Uint8Array): number {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[3] !== 0 || bytes.length < 18)
    throw new PageDamage('a page is not gzip');
  return 10;
}
