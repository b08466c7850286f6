/**
 * Values of a Parquet page → numbers where they are wanted, or texts: plain, dictionary, run lengths, delta, split bytes;
 * every length is checked before it is believed. Source: Apache Parquet format 2.10, Encodings.md.
 */
import { UnsupportedError } from '../../core/errors.ts';
import { decodeNumbers, type NumberType } from '../stored-numbers.ts';

/** What a damaged page throws; the reader says where. */
export class PageDamage extends Error {}

export interface PagedColumn {
  readonly type: string;
  readonly codec: string;
  /** 1: values may be missing. */
  readonly maxDefinition: 0 | 1;
  readonly isUnsigned: boolean;
}

const widths: Readonly<Record<string, number>> = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };

/** Numbers of a page → result, as many as it has room for. */
export function decodeNumbersOf(
  bytes: Uint8Array,
  column: PagedColumn,
  encoding: number,
  dictionary: Float64Array | undefined,
  result: Float64Array,
): void {
  const { length } = result;
  if (length === 0) return;
  if (encoding === 0) readPlain(bytes, column, result);
  else if (encoding === 2 || encoding === 8) {
    const [packed, width] = packedPlaces(bytes, dictionary);
    const highest = readHybrid(packed, width, result, dictionary!);
    if (highest >= dictionary!.length)
      throw new PageDamage(`a value refers to entry ${highest} of ${dictionary!.length}`);
  } else if (encoding === 3 && column.type === 'BOOLEAN' && bytes.length >= 4)
    readHybrid(bytes.subarray(4), 1, result);
  else if (encoding === 9) readPlain(unsplit(bytes, column, length), column, result);
  else if (encoding === 5) readDelta(bytes, result);
  else throw unsupported(encoding);
}

/** Texts of a page, as bytes. */
export function decodeTexts(
  bytes: Uint8Array,
  encoding: number,
  count: number,
  dictionary: readonly Uint8Array[] | undefined,
): readonly Uint8Array[] {
  if (count === 0) return [];
  if (encoding === 0) return readTexts(bytes, count);
  if (encoding !== 2 && encoding !== 8) throw unsupported(encoding);
  const [packed, width] = packedPlaces(bytes, dictionary);
  const places = new Uint32Array(count);
  const highest = readHybrid(packed, width, places);
  if (highest >= dictionary!.length)
    throw new PageDamage(`a value refers to entry ${highest} of ${dictionary!.length}`);
  return Array.from(places, (place) => dictionary![place]!);
}

const unsupported = (encoding: number) =>
  new UnsupportedError(`values in encoding ${encoding}`, `parquet encoding ${encoding}`);

function packedPlaces(
  bytes: Uint8Array,
  dictionary: ArrayLike<unknown> | undefined,
): readonly [packed: Uint8Array, width: number] {
  if (!dictionary || bytes.length === 0)
    throw new PageDamage('a page refers to a dictionary that is not there');
  return [bytes.subarray(1), bytes[0]!];
}

export function readTexts(bytes: Uint8Array, count: number): Uint8Array[] {
  const texts: Uint8Array[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const length = at + 4 <= bytes.length ? uint32(bytes, at) : -1;
    if (length < 0 || at + 4 + length > bytes.length) throw new PageDamage(`text ${i} of ${count} is cut`);
    texts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}

/** A dictionary of `count` numbers. */
export function readDictionary(bytes: Uint8Array, column: PagedColumn, count: number): Float64Array {
  checkPlain(bytes, column, count);
  const result = new Float64Array(count);
  readPlain(bytes, column, result);
  return result;
}

function checkPlain(bytes: Uint8Array, { type }: PagedColumn, count: number): void {
  const bits = type === 'BOOLEAN' ? 1 : 8 * (widths[type] ?? 0);
  if (bits === 0) throw new UnsupportedError(`values of type ${type}`, `parquet type ${type}`);
  if (!(count >= 0 && count * bits <= bytes.length * 8))
    throw new PageDamage(`${count} values do not fit ${bytes.length} bytes`);
}

function readPlain(bytes: Uint8Array, column: PagedColumn, result: Float64Array): void {
  const { type, isUnsigned } = column;
  const { length } = result;
  checkPlain(bytes, column, length);
  const width = widths[type];
  if (!width) {
    for (let i = 0; i < length; i++) result[i] = (bytes[i >> 3]! >> (i & 7)) & 1;
    return;
  }
  const stored: NumberType =
    type === 'DOUBLE'
      ? 'float64'
      : type === 'FLOAT'
        ? 'float32'
        : `${isUnsigned ? 'u' : ''}int${width === 4 ? 32 : 64}`;
  // Pages begin anywhere.
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes.subarray(0, length * width));
  decodeNumbers(
    aligned,
    0,
    { type: stored, isBigEndian: false, strideBytes: width, gain: 1, offset: 0 },
    result,
    0,
    length,
  );
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

/**
 * Runs and packed bits, numbers of `width` bits → result, or what they mean by `meaning`; the highest of them. The length
 * of `result` has been held against the number of rows.
 */
export function readHybrid(
  bytes: Uint8Array,
  width: number,
  result: Float64Array | Uint32Array,
  meaning?: Float64Array,
): number {
  if (width > 32) throw new PageDamage(`numbers of ${width} bits`);
  const count = result.length;
  if (width === 0) {
    result.fill(meaning ? (meaning[0] ?? 0) : 0);
    return 0;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [at, done, highest] = [0, 0, 0];
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
      result.fill(meaning ? (meaning[value] ?? 0) : value, done, end);
      highest = Math.max(highest, value);
      done = end;
    } else {
      const values = Math.min(count - done, Math.floor(header / 2) * 8);
      if (at + (values * width) / 8 > bytes.length || values === 0)
        throw new PageDamage(`runs hold ${done} of ${count} values`);
      const found = meaning
        ? look(bytes, view, at, width, meaning, result, done, values)
        : unpack(bytes, view, at, width, result, done, values);
      highest = Math.max(highest, found);
      done += values;
      at += Math.floor(header / 2) * width;
    }
  }
  return highest;
}

type Numbers = Float64Array | Uint32Array;

/** Values of `width` bits, one after the other, from byte `at` on; the highest of them. `view`: of the bytes. */
function unpack(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  width: number,
  result: Numbers,
  from: number,
  count: number,
): number {
  let highest = 0;
  const { byteLength } = view;
  const mask = 2 ** width - 1;
  let [i, bit] = [0, at * 8];
  // A word of 32 bits, from any byte on, holds two numbers after the 7 bits before them, or one.
  const inWords = width > 25 ? 0 : Math.min(count, Math.floor(((byteLength - at - 4) * 8) / width) + 1);
  if (width <= 12)
    for (const last = inWords - 1; i < last; i += 2, bit += 2 * width) {
      const word = view.getInt32(bit >> 3, true) >>> (bit & 7);
      const one = word & mask;
      const other = (word >>> width) & mask;
      if (one > highest) highest = one;
      if (other > highest) highest = other;
      result[from + i] = one;
      result[from + i + 1] = other;
    }
  for (; i < inWords; i++, bit += width) {
    const one = (view.getInt32(bit >> 3, true) >>> (bit & 7)) & mask;
    if (one > highest) highest = one;
    result[from + i] = one;
  }
  for (; i < count; i++, bit += width) {
    const one = bitsAt(bytes, bit, width);
    if (one > highest) highest = one;
    result[from + i] = one;
  }
  return highest;
}

/** The same, each the place of a value in `meaning`: a loop of its own, compiled for it. */
function look(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  width: number,
  meaning: Float64Array,
  result: Numbers,
  from: number,
  count: number,
): number {
  let highest = 0;
  const { byteLength } = view;
  const mask = 2 ** width - 1;
  let [i, bit] = [0, at * 8];
  // A word of 32 bits, from any byte on, holds two numbers after the 7 bits before them, or one.
  const inWords = width > 25 ? 0 : Math.min(count, Math.floor(((byteLength - at - 4) * 8) / width) + 1);
  if (width <= 12)
    for (const last = inWords - 1; i < last; i += 2, bit += 2 * width) {
      const word = view.getInt32(bit >> 3, true) >>> (bit & 7);
      const one = word & mask;
      const other = (word >>> width) & mask;
      if (one > highest) highest = one;
      if (other > highest) highest = other;
      result[from + i] = meaning[one]!;
      result[from + i + 1] = meaning[other]!;
    }
  for (; i < inWords; i++, bit += width) {
    const one = (view.getInt32(bit >> 3, true) >>> (bit & 7)) & mask;
    if (one > highest) highest = one;
    result[from + i] = meaning[one]!;
  }
  for (; i < count; i++, bit += width) {
    const one = bitsAt(bytes, bit, width);
    if (one > highest) highest = one;
    result[from + i] = meaning[one]!;
  }
  return highest;
}

export const uint32 = (bytes: Uint8Array, at: number) =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

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
function readDelta(bytes: Uint8Array, result: Float64Array): void {
  const count = result.length;
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
}
