/**
 * NumPy's .npy, formats 1.0 to 3.0: header, and values of every numeric type, both byte orders and both orders of
 * storage → float64. No pickles: objects are refused. Source: numpy.lib.format.
 */
import { budgetOf } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { latin1, quoted } from '../header-text.ts';
import type { NumericArray } from '../mat/values.ts';
import { isLittleEndian, takeStrided } from '../strided.ts';

export type NpyKind = 'f' | 'i' | 'u' | 'b' | 'U' | 'S';

export interface NpyHeader {
  readonly kind: NpyKind;
  /** Bytes of a value. */
  readonly width: number;
  readonly isLittle: boolean;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Byte of the first value. */
  readonly dataStart: number;
  /** Values in all. */
  readonly size: number;
}

const longestHeader = 1024 * 1024;

/** Header of an .npy. FormatError where it is damaged or promises more than there is. */
export async function readNpyHeader(source: ByteSource, isTolerant = false): Promise<NpyHeader> {
  const where = `npy: ${source.name}`;
  const fail = (fact: string, at: number): never => {
    throw new FormatError(`${where} ${fact}. Save the array again with numpy.save.`, source.name, at);
  };
  if (source.byteLength < 10) fail(`has ${source.byteLength} bytes, which is no array`, 0);
  const start = await source.read(0, Math.min(12, source.byteLength));
  if (latin1(start, 0, 6) !== '\x93NUMPY') fail(`starts with ${quoted(latin1(start, 0, 6))}`, 0);
  const isLong = start[6]! >= 2;
  if (start[6]! < 1 || start[6]! > 3) fail(`is of format ${start[6]}.${start[7]}; 1.0 to 3.0 are known`, 6);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const length = isLong && start.length >= 12 ? view.getUint32(8, true) : view.getUint16(8, true);
  const dataStart = (isLong ? 12 : 10) + length;
  if (length > longestHeader || dataStart > source.byteLength) fail(`states a header of ${length} bytes`, 8);
  const text = new TextDecoder().decode(await source.read(isLong ? 12 : 10, dataStart));
  const description = /'descr'\s*:\s*('([^']*)'|\[)/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const dimensions = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (!description || !order || !dimensions) fail(`has a header that cannot be read: ${quoted(text)}`, 10);
  const type = /^([<>|=]?)([fiubUSO]|c|V|m8|M8)(\d*)/.exec(description![2] ?? 'V');
  const width = Number(type?.[3] || 1) * (type?.[2] === 'U' ? 4 : 1);
  const isKnown = type && knownWidths[type[2]!]?.(width);
  if (!type || !isKnown) {
    const name = description![2] ?? 'records';
    throw new UnsupportedError(
      `${where} holds ${name === '|O' ? 'pickled objects, which could run code' : `values of type '${name}'`}. Save numbers, with astype(float).`,
      `npy type ${name}`,
    );
  }
  const shape = (dimensions![1]!.match(/\d+/g) ?? []).map(Number);
  const size = shape.reduce((product, n) => product * n, 1);
  const stored = source.byteLength - dataStart;
  if (!Number.isSafeInteger(size) || (size * width > stored && !isTolerant)) {
    throw new FormatError(
      `${where} ends at byte ${source.byteLength}; its shape (${shape.join(', ')}) of ${width} bytes each promises ${dataStart + size * width}. The copy is truncated; fetch it again, or read what is there with --tolerant.`,
      source.name,
      source.byteLength,
    );
  }
  return {
    kind: type[2] as NpyKind,
    width,
    isLittle: type[1] !== '>',
    isFortran: order![1] === 'True',
    shape,
    dataStart,
    size,
  };
}

const knownWidths: Readonly<Record<string, (width: number) => boolean>> = {
  f: (width) => [2, 4, 8].includes(width),
  i: (width) => [1, 2, 4, 8].includes(width),
  u: (width) => [1, 2, 4, 8].includes(width),
  b: (width) => width === 1,
  U: (width) => width <= 4 * 65536,
  S: (width) => width <= 65536,
};

/** Values of numbers: result[from … to) from byte `at` on, a value every `stride` bytes. */
export function decodeNumbers(
  { kind, width, isLittle }: NpyHeader,
  bytes: Uint8Array,
  at: number,
  stride: number,
  result: Float64Array,
  from: number,
  to: number,
): void {
  if (to <= from) return;
  const type = viewTypes[`${kind}${width}`];
  if (type && (isLittle === isLittleEndian || width === 1) && stride % width === 0) {
    const step = stride / width;
    const count = (to - from - 1) * step + 1;
    const isAligned = (bytes.byteOffset + at) % width === 0;
    if (isAligned || step === 1) {
      const { buffer, byteOffset } = isAligned
        ? { buffer: bytes.buffer, byteOffset: bytes.byteOffset + at }
        : new Uint8Array(bytes.subarray(at, at + count * width)); // a Buffer's slice would be a view
      takeStrided(new type(buffer, byteOffset, count), 0, step, result.subarray(from, to));
      return;
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let k = at;
  const each = (value: (at: number) => number) => {
    for (let i = from; i < to; i++, k += stride) result[i] = value(k);
  };
  if (kind === 'f' && width === 8) each((p) => view.getFloat64(p, isLittle));
  else if (kind === 'f' && width === 4) each((p) => view.getFloat32(p, isLittle));
  else if (kind === 'f') each((p) => halfFloat(view.getUint16(p, isLittle)));
  else if (kind === 'i' && width === 2) each((p) => view.getInt16(p, isLittle));
  else if (kind === 'i' && width === 4) each((p) => view.getInt32(p, isLittle));
  else if (kind === 'i' && width === 1) each((p) => view.getInt8(p));
  else if (kind === 'i') each((p) => Number(view.getBigInt64(p, isLittle)));
  else if (kind === 'u' && width === 2) each((p) => view.getUint16(p, isLittle));
  else if (kind === 'u' && width === 4) each((p) => view.getUint32(p, isLittle));
  else if (kind === 'u' && width === 8) each((p) => Number(view.getBigUint64(p, isLittle)));
  else if (kind === 'b') each((p) => (bytes[p] ? 1 : 0));
  else each((p) => bytes[p]!);
}

type ViewOf = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => NumericArray;

/** Kinds whose values can be seen as an array of the machine's; truths and half precision cannot. */
const viewTypes: Readonly<Record<string, ViewOf | undefined>> = {
  ...{ f8: Float64Array, f4: Float32Array, i8: BigInt64Array, u8: BigUint64Array },
  ...{ i4: Int32Array, u4: Uint32Array, i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array },
};

/** IEEE 754 binary16. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

export interface NpyArray {
  readonly shape: readonly number[];
  /** In C order. */
  readonly values: Float64Array | readonly string[];
}

/** A whole array: numbers as float64, texts as strings, in C order. */
export async function decodeNpy(source: ByteSource): Promise<NpyArray> {
  const header = await readNpyHeader(source);
  const { shape, size, width, kind, dataStart } = header;
  const bytes = await source.read(dataStart, dataStart + size * width);
  const order = header.isFortran && shape.length > 1 ? fortranOrder(shape) : undefined;
  if (kind === 'U' || kind === 'S') {
    budgetOf(source).spend(`npy: ${source.name}`, 'texts', size);
    const texts = Array.from({ length: size }, (_, i) => textAt(header, bytes, i));
    return { shape, values: order ? Array.from(order, (i) => texts[i]!) : texts };
  }
  const values = new Float64Array(size);
  decodeNumbers(header, bytes, 0, width, values, 0, size);
  return { shape, values: order ? Float64Array.from(order, (i) => values[i]!) : values };
}

/** For each place in C order, the place in storage. */
function fortranOrder(shape: readonly number[]): Float64Array {
  const size = shape.reduce((product, n) => product * n, 1);
  const order = new Float64Array(size);
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, d) => shape.slice(0, d).reduce((product, n) => product * n, 1));
  for (let i = 0; i < size; i++) {
    order[i] = index.reduce((sum, n, d) => sum + n * strides[d]!, 0);
    for (let d = shape.length - 1; d >= 0 && ++index[d]! === shape[d]; d--) index[d] = 0;
  }
  return order;
}

function textAt({ kind, width, isLittle }: NpyHeader, bytes: Uint8Array, index: number): string {
  const [start, end] = [index * width, (index + 1) * width];
  if (kind === 'S') return new TextDecoder().decode(bytes.subarray(start, end)).replace(/\0+$/, '');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = start; at < end; at += 4) {
    const code = view.getUint32(at, isLittle);
    if (code === 0) break;
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return text;
}
