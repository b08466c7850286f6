/**
 * Number types as weights files store them → the dtypes of heartmind's tensors. Half precision becomes float32,
 * exactly. Used by the safetensors and .pth readers.
 *
 * IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits. bfloat16: the upper half of a float32.
 */
import { arrayTypes, type DType, type Tensor } from '../core/tensor.ts';

/** A stored number type: its width and how a value is read from bytes. */
export interface StoredType {
  readonly bytes: 1 | 2 | 4 | 8;
  /** The dtype of the tensor that it becomes. */
  readonly dtype: DType;
  readonly half?: 'binary16' | 'bfloat16';
}

/** By safetensors' names. */
export const storedTypes = {
  F64: { bytes: 8, dtype: 'float64' },
  F32: { bytes: 4, dtype: 'float32' },
  F16: { bytes: 2, dtype: 'float32', half: 'binary16' },
  BF16: { bytes: 2, dtype: 'float32', half: 'bfloat16' },
  I64: { bytes: 8, dtype: 'int64' },
  I32: { bytes: 4, dtype: 'int32' },
  U8: { bytes: 1, dtype: 'uint8' },
  I8: { bytes: 1, dtype: 'int8' },
  BOOL: { bytes: 1, dtype: 'bool' },
} as const satisfies Record<string, StoredType>;
export type StoredTypeName = keyof typeof storedTypes;

/**
 * Read `count` values from `bytes`, which starts at the first and holds them all (the caller has checked it), into a
 * fresh array of the tensor's dtype. Booleans other than 0 become 1.
 */
export function readValues(
  type: StoredType,
  bytes: Uint8Array,
  count: number,
  littleEndian = true,
): Tensor['data'] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, count * type.bytes);
  if (type.half !== undefined) {
    const widen = type.half === 'binary16' ? binary16ToNumber : bfloat16ToNumber;
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = widen(view.getUint16(2 * i, littleEndian));
    return values;
  }
  const values = new arrayTypes[type.dtype](count);
  const target = new Uint8Array(values.buffer);
  target.set(bytes.subarray(0, count * type.bytes));
  if (type.dtype === 'bool') for (let i = 0; i < count; i++) target[i] = target[i] === 0 ? 0 : 1;
  // Typed arrays have the machine's order, which is little-endian on everything that runs JavaScript engines today.
  if (!littleEndian && type.bytes > 1) {
    for (let i = 0; i < target.length; i += type.bytes) target.subarray(i, i + type.bytes).reverse();
  }
  return values;
}

/** The value of an IEEE half-precision number. */
export function binary16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

function bfloat16ToNumber(bits: number): number {
  word.setUint32(0, bits * 65536);
  return word.getFloat32(0);
}
