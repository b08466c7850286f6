/**
 * Pickled NumPy data, as several published datasets come (WESAD, DEAP, FACED): bytes → dicts, lists and arrays. Nothing
 * is run: of all globals only those that NumPy writes for arrays are known, and they only describe bytes.
 * Source: numpy's ndarray.__reduce__ (state: version, shape, dtype, Fortran order, bytes), pickle protocols 0–5.
 */
import { FormatError } from '../../core/errors.ts';
import { isKind, type PickleGlobal, type PickleOpaque, type PickleValue, readPickle } from './pickle.ts';

/** A dense numeric array; `values` in row-major order whatever the file's. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly values: Float64Array | Float32Array | Int32Array | Int16Array | Int8Array | Uint8Array;
}

/** What a pickle of plain data holds. Dicts are Maps; keys are strings or numbers. */
export type NumpyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | NumpyArray
  | readonly NumpyValue[]
  | ReadonlyMap<string | number, NumpyValue>;

export function isArray(value: NumpyValue | undefined): value is NumpyArray {
  return typeof value === 'object' && value !== null && 'shape' in value && 'values' in value;
}

class DType implements PickleOpaque {
  readonly kind = 'opaque';
  isBig = false;
  constructor(readonly code: string) {}
}

class PendingArray implements PickleOpaque {
  readonly kind = 'opaque';
  array: NumpyArray | undefined;
}

const maxDimensions = 32; // NumPy's own
const maxDepth = 64;

type Decode = (view: DataView, isLittle: boolean, count: number) => NumpyArray['values'];
const fill = <T extends NumpyArray['values']>(into: T, get: (i: number) => number): T => {
  for (let i = 0; i < into.length; i++) into[i] = get(i);
  return into;
};

/** Bytes of an item, and how items are read. 64-bit integers become float64: exact to 2⁵³. */
const numberTypes: Readonly<Record<string, readonly [width: number, decode: Decode]>> = {
  f8: [8, (v, little, n) => fill(new Float64Array(n), (i) => v.getFloat64(8 * i, little))],
  f4: [4, (v, little, n) => fill(new Float32Array(n), (i) => v.getFloat32(4 * i, little))],
  i8: [8, (v, little, n) => fill(new Float64Array(n), (i) => Number(v.getBigInt64(8 * i, little)))],
  u8: [8, (v, little, n) => fill(new Float64Array(n), (i) => Number(v.getBigUint64(8 * i, little)))],
  i4: [4, (v, little, n) => fill(new Int32Array(n), (i) => v.getInt32(4 * i, little))],
  u4: [4, (v, little, n) => fill(new Float64Array(n), (i) => v.getUint32(4 * i, little))],
  i2: [2, (v, little, n) => fill(new Int16Array(n), (i) => v.getInt16(2 * i, little))],
  u2: [2, (v, little, n) => fill(new Int32Array(n), (i) => v.getUint16(2 * i, little))],
  i1: [1, (v, _, n) => fill(new Int8Array(n), (i) => v.getInt8(i))],
  u1: [1, (v, _, n) => fill(new Uint8Array(n), (i) => v.getUint8(i))],
  b1: [1, (v, _, n) => fill(new Uint8Array(n), (i) => v.getUint8(i))],
};

/**
 * Decode a pickle of dicts, lists, tuples, numbers, strings and numeric arrays. FormatError for damage and for
 * everything else, by name; memory stays a small multiple of the bytes.
 */
export function decodeNumpyPickle(bytes: Uint8Array, name: string): NumpyValue {
  const fail = (fact: string): never => {
    throw new FormatError(`${name}: pickle: ${fact}. Fetch the file again, or save plain arrays.`, name);
  };
  // Every byte may be an array's once: a pickle that refers to one buffer a thousand times is refused.
  let budget = 2 * bytes.length + 1024;
  const makeArray = (
    shape: PickleValue,
    dtype: PickleValue,
    isFortran: boolean,
    data: PickleValue,
  ): NumpyArray => {
    const sizes = isKind(shape, 'tuple') ? shape.items.map(Number) : fail('an array without a shape');
    if (!(dtype instanceof DType)) return fail('an array without a type');
    const [width, decode] = numberTypes[dtype.code] ?? fail(`arrays of type '${dtype.code}' are not numbers`);
    const raw =
      data instanceof Uint8Array
        ? data
        : typeof data === 'string'
          ? latin1Bytes(data)
          : fail('an array without bytes');
    if (sizes.length > maxDimensions || sizes.some((size) => !Number.isSafeInteger(size) || size < 0))
      fail('a shape that is none');
    const count = sizes.reduce((product, size) => product * size, 1);
    if (count * width !== raw.length)
      fail(`an array of shape [${sizes.slice(0, 8).join(', ')}] has ${raw.length} bytes`);
    budget -= raw.length;
    if (budget < 0) fail('the same bytes stand for many arrays');
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    const values = decode(view, !dtype.isBig, count);
    return { shape: sizes, values: isFortran ? toRowMajor(values, sizes) : values };
  };
  const call = (of: (args: readonly PickleValue[]) => PickleValue, title: string): PickleGlobal => ({
    kind: 'global',
    name: title,
    call: of,
  });
  const reconstruct = call(() => new PendingArray(), 'numpy._reconstruct');
  const scalar = call(([dtype, data]) => {
    const { values } = makeArray(emptyTuple, dtype ?? null, false, data ?? null);
    return values[0]!;
  }, 'numpy.scalar');
  const frombuffer = call(([data, dtype, shape, order]) => {
    const pending = new PendingArray();
    pending.array = makeArray(shape ?? null, dtype ?? null, order === 'F', data ?? null);
    return pending;
  }, 'numpy._frombuffer');
  const globals = new Map<string, PickleGlobal>([
    ['numpy ndarray', { kind: 'global', name: 'numpy.ndarray' }],
    [
      'numpy dtype',
      call(([code]) => new DType(textOf(code ?? null) ?? fail('a type without a name')), 'numpy.dtype'),
    ],
    // How Python 3 writes bytes for Python 2: text of Latin-1 characters.
    [
      '_codecs encode',
      call(
        ([text]) => (typeof text === 'string' ? latin1Bytes(text) : fail('text that is none')),
        '_codecs.encode',
      ),
    ],
    ...['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((module): [string, PickleGlobal][] => [
      [`${module} _reconstruct`, reconstruct],
      [`${module} scalar`, scalar],
    ]),
    ...['numpy.core.numeric', 'numpy._core.numeric'].map((module): [string, PickleGlobal] => [
      `${module} _frombuffer`,
      frombuffer,
    ]),
  ]);
  const { value } = readPickle(bytes, 0, {
    name,
    globals,
    rebuilds: 'arrays',
    stringsAsBytes: true,
    persistentLoad: () => fail('it asks for something outside the file'),
    build(target, state) {
      const items = isKind(state, 'tuple') ? state.items : fail('a state that is no tuple');
      if (target instanceof DType) {
        // (version, byte order, …): '<', '>' or '|'.
        target.isBig = textOf(items[1] ?? null) === '>';
        return target;
      }
      if (!(target instanceof PendingArray)) return fail('it sets attributes of something that is no array');
      const [, shape, dtype, isFortran, data] = items;
      target.array = makeArray(
        shape ?? null,
        dtype ?? null,
        isFortran === true || isFortran === 1,
        data ?? null,
      );
      return target;
    },
  });
  const seen = new Set<PickleValue>();
  const plain = (item: PickleValue, depth: number): NumpyValue => {
    if (depth > maxDepth) return fail(`values nested deeper than ${maxDepth}`);
    if (item instanceof PendingArray) return item.array ?? fail('an array without its state');
    // Python 2's strings are mostly text.
    if (item instanceof Uint8Array) return textOf(item) ?? item;
    if (typeof item !== 'object' || item === null) return item;
    if (seen.has(item)) return fail('a value that holds itself or stands in many places');
    seen.add(item);
    if (isKind(item, 'tuple') || isKind(item, 'list')) return item.items.map((one) => plain(one, depth + 1));
    if (!isKind(item, 'map')) return fail('something that is no plain value');
    const result = new Map<string | number, NumpyValue>();
    for (const [key, one] of item.entries) {
      const text = typeof key === 'number' ? key : textOf(key);
      result.set(text ?? fail('a key that is no text'), plain(one, depth + 1));
    }
    return result;
  };
  return plain(value, 0);
}

const emptyTuple: PickleValue = { kind: 'tuple', items: [] } as unknown as PickleValue;

/** Short printable Latin-1. */
function textOf(value: PickleValue): string | undefined {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array) || value.length > 4096) return undefined;
  let text = '';
  for (const byte of value) {
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function toRowMajor<T extends NumpyArray['values']>(values: T, shape: readonly number[]): T {
  const result = values.slice() as T;
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, d) => shape.slice(0, d).reduce((product, size) => product * size, 1));
  for (let i = 0; i < values.length; i++) {
    result[i] = values[index.reduce((sum, at, d) => sum + at * strides[d]!, 0)]!;
    for (let d = shape.length - 1; d >= 0 && ++index[d]! === shape[d]; d--) index[d] = 0;
  }
  return result;
}
