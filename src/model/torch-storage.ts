/**
 * A tensor as PyTorch stores it, a strided view into a storage → a dense row-major tensor.
 *
 * Source: pytorch torch/_utils.py, `_rebuild_tensor_v2(storage, storage_offset, size, stride, …)`; strides and offsets
 * count values.
 */
import { FormatError } from '../core/errors.ts';
import { sizeOf, type Tensor } from '../core/tensor.ts';
import { readValues, type StoredType } from './stored-values.ts';

/** A storage that a pickle names; its bytes lie elsewhere in the file. */
export class StorageReference {
  readonly kind = 'opaque';
  constructor(
    readonly key: string,
    readonly type: StoredType,
    /** Values in it, as the pickle says. */
    readonly count: number,
  ) {}
}

/** A tensor that a pickle describes. */
export class TensorReference {
  readonly kind = 'opaque';
  constructor(
    readonly storage: StorageReference,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  /** Memory that the dense tensor takes: halves become 4 bytes each. */
  get byteLength(): number {
    return sizeOf(this.shape) * Math.max(this.storage.type.half ? 4 : 1, this.storage.type.bytes);
  }
}

/** Copy a strided view out of its storage's bytes. FormatError where it reaches beyond them; `where` begins messages. */
export function stridedTensor(
  reference: TensorReference,
  bytes: Uint8Array,
  littleEndian: boolean,
  where: string,
  source: string,
): Tensor {
  const { storage, offset, shape, strides } = reference;
  const width = storage.type.bytes;
  const count = sizeOf(shape);
  const available = Math.floor(bytes.byteLength / width);
  const last =
    offset + shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? Number.NaN), 0);
  const fits =
    shape.length === strides.length &&
    storage.count <= available &&
    (count === 0 || (last < storage.count && count <= storage.count));
  if (!fits) {
    throw new FormatError(
      `${where} of shape [${shape}], strides [${strides}] and offset ${offset} does not fit its storage of ${Math.min(storage.count, available)} values. Fetch the file again.`,
      source,
    );
  }
  const { dtype } = storage.type;
  if (count === 0 || isRowMajor(shape, strides)) {
    const start = count === 0 ? 0 : offset * width;
    const data = readValues(storage.type, bytes.subarray(start, start + count * width), count, littleEndian);
    return { dtype, shape, data };
  }
  const gathered = new Uint8Array(count * width);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    for (let byte = 0; byte < width; byte++) gathered[to * width + byte] = bytes[from * width + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype, shape, data: readValues(storage.type, gathered, count, littleEndian) };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
