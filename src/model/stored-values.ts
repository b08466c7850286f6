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

/** The bits of the half-precision number nearest to a value, ties to even; beyond 65,504 infinity. */
export function numberToBinary16(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(word.getFloat32(0));
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below 2⁻¹⁴ numbers are multiples of 2⁻²⁴; above, of their exponent's 2⁻¹⁰. Carries run on into the exponent.
  if (magnitude < 2 ** -14) return sign | roundToEven(magnitude * 2 ** 24);
  const exponent = ((bits >>> 23) & 255) - 127;
  return sign | (((exponent + 14) << 10) + roundToEven((magnitude / 2 ** exponent) * 1024));
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

const word = new DataView(new ArrayBuffer(4));

function bfloat16ToNumber(bits: number): number {
  word.setUint32(0, bits * 65536);
  return word.getFloat32(0);
}
