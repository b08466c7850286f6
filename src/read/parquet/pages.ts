/**
 * Pages of a flat Parquet column → numbers or texts, with every length checked before it is believed. Encodings: plain,
 * dictionary, run lengths, delta, split bytes. Source: Apache Parquet format 2.10, Encodings.md and parquet.thrift.
 */
import { Inflate } from 'fflate';
import { UnsupportedError } from '../../core/errors.ts';
import { inflateSnappy } from './snappy.ts';

/** What a damaged page throws; the reader says where. */
export class PageDamage extends Error {}

export interface PagedColumn {
  readonly type: string;
  readonly codec: string;
  /** 1: values may be missing. */
  readonly maxDefinition: 0 | 1;
  readonly isUnsigned: boolean;
}

export interface PageSink {
  /** The next rows; those with 0 in `defined` have no value. */
  numbers(values: Float64Array, defined: Uint32Array | undefined): void;
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
  let dictionary: Float64Array | Uint8Array[] | undefined;
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
      dictionary = readPlain(page, column, numberAt(header, 7, 1));
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
      const defined = column.maxDefinition > 0 ? readHybrid(levels!, 1, count) : undefined;
      let present = count;
      if (defined) for (const bit of defined) present -= 1 - bit;
      const decoded = decode(values, column, encoding, present, dictionary);
      // Pages without values say nothing of their kind.
      if (decoded instanceof Float64Array && (present > 0 || column.type !== 'BYTE_ARRAY'))
        sink.numbers(decoded, defined);
      else sink.texts(decoded instanceof Float64Array ? [] : decoded, defined);
      done += count;
      if (count === 0 && storedBytes === 0 && at === start) throw new PageDamage('a page is empty');
    }
  }
}

type Values = Float64Array | readonly Uint8Array[];

function decode(
  bytes: Uint8Array,
  column: PagedColumn,
  encoding: number,
  count: number,
  dictionary: Values | undefined,
): Values {
  if (count === 0) return new Float64Array(0);
  if (encoding === 0) return readPlain(bytes, column, count);
  if (encoding === 2 || encoding === 8) {
    if (!dictionary || bytes.length === 0)
      throw new PageDamage('a page refers to a dictionary that is not there');
    const places = readHybrid(bytes.subarray(1), bytes[0]!, count);
    const { length } = dictionary;
    let highest = 0;
    for (let i = 0; i < places.length; i++) if (places[i]! > highest) highest = places[i]!;
    if (highest >= length) throw new PageDamage(`a value refers to entry ${highest} of ${length}`);
    if (!(dictionary instanceof Float64Array)) return Array.from(places, (place) => dictionary[place]!);
    const result = new Float64Array(count);
    for (let i = 0; i < count; i++) result[i] = dictionary[places[i]!]!;
    return result;
  }
  if (encoding === 3 && column.type === 'BOOLEAN' && bytes.length >= 4)
    return Float64Array.from(readHybrid(bytes.subarray(4), 1, count));
  if (encoding === 9) return readPlain(unsplit(bytes, column, count), column, count);
  if (encoding === 5) return readDelta(bytes, count);
  throw new UnsupportedError(`values in encoding ${encoding}`, `parquet encoding ${encoding}`);
}

const widths: Readonly<Record<string, number>> = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };

function readPlain(
  bytes: Uint8Array,
  { type, isUnsigned }: PagedColumn,
  count: number,
): Float64Array | Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 'BYTE_ARRAY') {
    const texts: Uint8Array[] = [];
    for (let i = 0, at = 0; i < count; i++) {
      const length = at + 4 <= bytes.length ? uint32(bytes, at) : -1;
      if (length < 0 || at + 4 + length > bytes.length) throw new PageDamage(`text ${i} of ${count} is cut`);
      texts.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return texts;
  }
  const bits = type === 'BOOLEAN' ? 1 : 8 * (widths[type] ?? 0);
  if (bits === 0) throw new UnsupportedError(`values of type ${type}`, `parquet type ${type}`);
  if (!(count >= 0 && count * bits <= bytes.length * 8))
    throw new PageDamage(`${count} values do not fit ${bytes.length} bytes`);
  const result = new Float64Array(count);
  if (type === 'DOUBLE' && bytes.byteOffset % 8 === 0)
    result.set(new Float64Array(bytes.buffer, bytes.byteOffset, count));
  else if (type === 'DOUBLE') for (let i = 0; i < count; i++) result[i] = view.getFloat64(8 * i, true);
  else if (type === 'FLOAT') for (let i = 0; i < count; i++) result[i] = view.getFloat32(4 * i, true);
  else if (type === 'INT32')
    for (let i = 0; i < count; i++)
      result[i] = isUnsigned ? view.getUint32(4 * i, true) : view.getInt32(4 * i, true);
  else if (type === 'INT64')
    for (let i = 0; i < count; i++) {
      const high = isUnsigned ? view.getUint32(8 * i + 4, true) : view.getInt32(8 * i + 4, true);
      result[i] = high * 2 ** 32 + view.getUint32(8 * i, true);
    }
  else for (let i = 0; i < count; i++) result[i] = (bytes[i >> 3]! >> (i & 7)) & 1;
  return result;
}

/** Bytes 0 of all values, then bytes 1, … → value by value. */
function unsplit(bytes: Uint8Array, { type }: PagedColumn, count: number): Uint8Array {
  const width = widths[type] ?? 0;
  if (width * count > bytes.length) throw new PageDamage(`${count} values do not fit ${bytes.length} bytes`);
  const result = new Uint8Array(width * count);
  for (let k = 0; k < width; k++)
    for (let i = 0; i < count; i++) result[i * width + k] = bytes[k * count + i]!;
  return result;
}

/** Runs and packed bits: `count` numbers of `width` bits. `count` has been held against the number of rows. */
function readHybrid(bytes: Uint8Array, width: number, count: number): Uint32Array {
  if (width > 32) throw new PageDamage(`numbers of ${width} bits`);
  const result = new Uint32Array(count);
  if (width === 0) return result;
  let [at, done] = [0, 0];
  while (done < count) {
    let [header, scale] = [0, 1];
    for (let byte = 128; byte >= 128; scale *= 128) {
      if (at >= bytes.length || scale > 2 ** 35) throw new PageDamage(`runs hold ${done} of ${count} values`);
      byte = bytes[at++]!;
      header += (byte & 127) * scale;
    }
    if (header % 2 === 0) {
      const size = Math.ceil(width / 8);
      if (at + size > bytes.length || header === 0)
        throw new PageDamage(`runs hold ${done} of ${count} values`);
      let value = 0;
      for (let k = size - 1; k >= 0; k--) value = value * 256 + bytes[at + k]!;
      at += size;
      const end = Math.min(count, done + header / 2);
      result.fill(value, done, end);
      done = end;
    } else {
      const values = Math.min(count - done, Math.floor(header / 2) * 8);
      if (at + (values * width) / 8 > bytes.length || values === 0)
        throw new PageDamage(`runs hold ${done} of ${count} values`);
      unpack(bytes, at, width, result, done, values);
      done += values;
      at += Math.floor(header / 2) * width;
    }
  }
  return result;
}

/** Values of `width` bits, one after the other, from byte `at` on. */
function unpack(
  bytes: Uint8Array,
  at: number,
  width: number,
  result: Uint32Array,
  from: number,
  count: number,
): void {
  if (width > 24) {
    for (let i = 0; i < count; i++) result[from + i] = bitsAt(bytes, at * 8 + i * width, width);
    return;
  }
  const mask = (1 << width) - 1;
  let [held, bits, next] = [0, 0, at];
  for (let i = 0; i < count; i++) {
    while (bits < width) {
      held |= bytes[next++]! << bits;
      bits += 8;
    }
    result[from + i] = held & mask;
    held >>>= width;
    bits -= width;
  }
}

function bitsAt(bytes: Uint8Array, bit: number, width: number): number {
  let value = 0;
  let at = Math.floor(bit / 8);
  let shift = bit % 8;
  for (let have = 0; have < width; at++, shift = 0) {
    const take = Math.min(8 - shift, width - have);
    value += (((bytes[at] ?? 0) >> shift) & ((1 << take) - 1)) * 2 ** have;
    have += take;
  }
  return value;
}

/** Differences in blocks, whole numbers of 64 bits. */
function readDelta(bytes: Uint8Array, count: number): Float64Array {
  let at = 0;
  const varint = () => {
    let [value, shift] = [0n, 0n];
    for (let byte = 128; byte >= 128; shift += 7n) {
      if (at >= bytes.length || shift > 63n) throw new PageDamage('differences are cut');
      byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
    }
    return value;
  };
  const zigzag = () => {
    const value = varint();
    return value & 1n ? -((value + 1n) >> 1n) : value >> 1n;
  };
  const [blockSize, miniCount, total] = [Number(varint()), Number(varint()), Number(varint())];
  const perMini = blockSize / miniCount;
  if (total < count || !(perMini >= 8 && perMini <= 65536 && perMini % 8 === 0) || miniCount > 1024)
    throw new PageDamage(`differences of ${total} values in blocks of ${blockSize}`);
  const result = new Float64Array(count);
  let value = zigzag();
  result[0] = Number(value);
  for (let done = 1; done < count; ) {
    const least = zigzag();
    const bitWidths = bytes.subarray(at, at + miniCount);
    at += miniCount;
    for (let m = 0; m < miniCount && done < count; m++) {
      const width = bitWidths[m] ?? 65;
      if (width > 64 || at + (width * Math.min(perMini, count - done)) / 8 > bytes.length)
        throw new PageDamage('differences are cut');
      for (let i = 0; i < perMini && done < count; i++) {
        const low = bitsAt(bytes, at * 8 + i * width, Math.min(32, width));
        const high = width > 32 ? bitsAt(bytes, at * 8 + i * width + 32, width - 32) : 0;
        value = BigInt.asIntN(64, value + least + BigInt(low) + (BigInt(high) << 32n));
        result[done++] = Number(value);
      }
      at += (width * perMini) / 8;
    }
  }
  return result;
}

const uint32 = (bytes: Uint8Array, at: number) =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

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
