/** Stored numbers of any type, evenly spaced in bytes → physical values: stored · gain + offset, in float64. */
import type { NumericArray } from './mat/values.ts';
import type { RangedBytes } from './ranged-bytes.ts';
import { chunkBytes } from './ranged-bytes.ts';
import { isLittleEndian, takeStrided } from './strided.ts';

export type NumberType =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int24'
  | 'uint24'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';

export const numberBytes: Readonly<Record<NumberType, number>> = {
  ...{ int8: 1, uint8: 1, int16: 2, uint16: 2, int24: 3, uint24: 3, int32: 4, uint32: 4 },
  ...{ int64: 8, uint64: 8, float32: 4, float64: 8 },
};

/** The integers that a type holds; undefined for floating point. */
export function integerRange(type: NumberType): readonly [low: number, high: number] | undefined {
  if (type === 'float32' || type === 'float64') return undefined;
  const bits = numberBytes[type] * 8;
  return type.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

export interface StoredSeries {
  readonly type: NumberType;
  readonly isBigEndian: boolean;
  /** From a number to the next. */
  readonly strideBytes: number;
  readonly gain: number;
  readonly offset: number;
}

/** Numbers from byte `at` on → result[from … to). */
export function decodeNumbers(
  bytes: Uint8Array,
  at: number,
  series: StoredSeries,
  result: Float64Array,
  from: number,
  to: number,
): void {
  const { type, isBigEndian, strideBytes, gain, offset } = series;
  const size = numberBytes[type];
  const address = bytes.byteOffset + at;
  const isNative = isBigEndian !== isLittleEndian && address % size === 0 && strideBytes % size === 0;
  if (isNative && to > from) {
    const step = strideBytes / size;
    const count = (to - from - 1) * step + 1;
    const array = gain === 1 && offset === 0 ? arrays[type] : undefined;
    if (array) {
      // As they are stored: minus zero too.
      takeStrided(new array(bytes.buffer, address, count), 0, step, result.subarray(from, to));
      return;
    }
    // One loop a type: a loop that has seen many kinds of views cannot be compiled for one. Four numbers a turn: 1.3 × the speed.
    if (type === 'int16') {
      int16s(new Int16Array(bytes.buffer, address, count), step, gain, offset, result, from);
      return;
    }
    if (type === 'int32') {
      int32s(new Int32Array(bytes.buffer, address, count), step, gain, offset, result, from);
      return;
    }
    if (type === 'float32') {
      float32s(new Float32Array(bytes.buffer, address, count), step, gain, offset, result, from);
      return;
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const get = getters[type];
  if (gain === 1 && offset === 0)
    for (let i = from, k = at; i < to; i++, k += strideBytes) result[i] = get(view, k, !isBigEndian);
  else
    for (let i = from, k = at; i < to; i++, k += strideBytes)
      result[i] = get(view, k, !isBigEndian) * gain + offset;
}

type ViewOf = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => NumericArray;

const arrays: Readonly<Partial<Record<NumberType, ViewOf>>> = {
  ...{ int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array },
  ...{ uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array },
  ...{ float32: Float32Array, float64: Float64Array },
};

function int16s(
  view: Int16Array,
  step: number,
  gain: number,
  offset: number,
  result: Float64Array,
  from: number,
): void {
  let i = from;
  let k = 0;
  for (; k + 3 * step < view.length; i += 4, k += 4 * step) {
    result[i] = view[k]! * gain + offset;
    result[i + 1] = view[k + step]! * gain + offset;
    result[i + 2] = view[k + 2 * step]! * gain + offset;
    result[i + 3] = view[k + 3 * step]! * gain + offset;
  }
  for (; k < view.length; i++, k += step) result[i] = view[k]! * gain + offset;
}

function int32s(
  view: Int32Array,
  step: number,
  gain: number,
  offset: number,
  result: Float64Array,
  from: number,
): void {
  let i = from;
  let k = 0;
  for (; k + 3 * step < view.length; i += 4, k += 4 * step) {
    result[i] = view[k]! * gain + offset;
    result[i + 1] = view[k + step]! * gain + offset;
    result[i + 2] = view[k + 2 * step]! * gain + offset;
    result[i + 3] = view[k + 3 * step]! * gain + offset;
  }
  for (; k < view.length; i++, k += step) result[i] = view[k]! * gain + offset;
}

function float32s(
  view: Float32Array,
  step: number,
  gain: number,
  offset: number,
  result: Float64Array,
  from: number,
): void {
  let i = from;
  let k = 0;
  for (; k + 3 * step < view.length; i += 4, k += 4 * step) {
    result[i] = view[k]! * gain + offset;
    result[i + 1] = view[k + step]! * gain + offset;
    result[i + 2] = view[k + 2 * step]! * gain + offset;
    result[i + 3] = view[k + 3 * step]! * gain + offset;
  }
  for (; k < view.length; i++, k += step) result[i] = view[k]! * gain + offset;
}

const uint24 = (view: DataView, at: number, isLittle: boolean) =>
  isLittle
    ? view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    : (view.getUint8(at) << 16) | view.getUint16(at + 1, false);

const getters: Readonly<Record<NumberType, (view: DataView, at: number, isLittle: boolean) => number>> = {
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int16: (view, at, isLittle) => view.getInt16(at, isLittle),
  uint16: (view, at, isLittle) => view.getUint16(at, isLittle),
  int24: (view, at, isLittle) => (uint24(view, at, isLittle) << 8) >> 8,
  uint24,
  int32: (view, at, isLittle) => view.getInt32(at, isLittle),
  uint32: (view, at, isLittle) => view.getUint32(at, isLittle),
  int64: (view, at, isLittle) => Number(view.getBigInt64(at, isLittle)),
  uint64: (view, at, isLittle) => Number(view.getBigUint64(at, isLittle)),
  float32: (view, at, isLittle) => view.getFloat32(at, isLittle),
  float64: (view, at, isLittle) => view.getFloat64(at, isLittle),
};

/** Numbers [start, end) of a series whose number 0 lies at byte `first`, read in chunks → result. */
export async function readSeries(
  bytes: RangedBytes,
  first: number,
  series: StoredSeries,
  start: number,
  end: number,
  result: Float64Array,
): Promise<void> {
  const { strideBytes, type } = series;
  const perChunk = Math.max(1, Math.floor(chunkBytes / strideBytes));
  // Chunks begin at the same numbers whoever asks, so that channels share them.
  for (let from = start; from < end; ) {
    const to = Math.min(end, (Math.floor(from / perChunk) + 1) * perChunk);
    const at = first + from * strideBytes;
    await bytes.use(at, first + (to - 1) * strideBytes + numberBytes[type], (chunk) =>
      decodeNumbers(chunk, 0, series, result, from - start, to - start),
    );
    from = to;
  }
}

/** The same where series lie interleaved in frames from byte `base` on: whole frames are read, once for all series. */
export async function readInterleaved(
  bytes: RangedBytes,
  base: number,
  inFrame: number,
  series: StoredSeries,
  start: number,
  end: number,
  result: Float64Array,
): Promise<void> {
  const { strideBytes } = series;
  const perChunk = Math.max(1, Math.floor(chunkBytes / strideBytes));
  for (let from = start; from < end; ) {
    const to = Math.min(end, from + perChunk);
    await bytes.use(base + from * strideBytes, base + to * strideBytes, (chunk) =>
      decodeNumbers(chunk, inFrame, series, result, from - start, to - start),
    );
    from = to;
  }
}
