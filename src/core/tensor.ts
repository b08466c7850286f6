/** A dense row-major array: what graphs take and give, what weights files hold. */
import { ShapeError } from './errors.ts';

export interface TensorData {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  int8: Int8Array;
  /** One byte each, 0 or 1. */
  bool: Uint8Array;
}
export type DType = keyof TensorData;

export interface Tensor<T extends DType = DType> {
  readonly dtype: T;
  readonly shape: readonly number[];
  readonly data: TensorData[T];
}

/** Named tensors, e.g. a model's weights. Order is meaningful: it is the order in files. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** Wrap data with its shape; ShapeError where they disagree. */
export function tensor<T extends DType>(dtype: T, shape: readonly number[], data: TensorData[T]): Tensor<T> {
  const size = sizeOf(shape);
  if (data.length !== size) {
    throw new ShapeError(
      `tensor: shape [${shape}] holds ${size} values, the data has ${data.length}.`,
      'tensor',
      String(size),
      String(data.length),
    );
  }
  return { dtype, shape, data };
}

/** float32 tensor from numbers. */
export function float32(shape: readonly number[], values: ArrayLike<number>): Tensor<'float32'> {
  return tensor('float32', shape, values instanceof Float32Array ? values : Float32Array.from(values));
}

/** float32 scalar. */
export function scalar(value: number): Tensor<'float32'> {
  return float32([], [value]);
}

/** A tensor of zeros. */
export function zeros<T extends DType>(dtype: T, shape: readonly number[]): Tensor<T> {
  const ArrayType = arrayTypes[dtype] as unknown as new (length: number) => TensorData[T];
  return { dtype, shape, data: new ArrayType(sizeOf(shape)) };
}

/** Number of values in a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Typed array class of each dtype. */
export const arrayTypes = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;
