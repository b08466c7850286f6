/** The reference values in test/golden/model, made by scripts/golden/model.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '../../src/core/tensor.ts';
import { decodeSafetensors } from '../../src/model/safetensors.ts';

/** Bytes of a golden file. */
export function goldenBytes(fileName: string): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, '../golden/model', fileName)));
}

/** Tensors of a golden safetensors file; asking for one that is not there fails. */
export function goldenTensors(fileName: string): (key: string) => Tensor {
  const { tensors } = decodeSafetensors(goldenBytes(fileName), fileName);
  return (key) => {
    const found = tensors.get(key);
    if (found === undefined) throw new Error(`${fileName} has no ${key}`);
    return found;
  };
}

/** The same dtype, shape and bytes? (Faster than a deep comparison.) */
export function sameTensor(a: Tensor | undefined, b: Tensor | undefined): boolean {
  const bytes = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return (
    a !== undefined &&
    b !== undefined &&
    a.dtype === b.dtype &&
    a.shape.join() === b.shape.join() &&
    bytes(a).equals(bytes(b))
  );
}

/** Largest absolute difference. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** ‖a − b‖ / ‖b‖. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** One number by which each hostile variant of a file is made: cut, bit flip, or overwritten bytes. */
export function damage(
  bytes: Uint8Array,
  kind: 'cut' | 'flip' | 'overwrite',
  at: number,
  value: number,
): Uint8Array {
  const position = Math.floor(at * bytes.length);
  if (kind === 'cut') return bytes.slice(0, position);
  const damaged = bytes.slice();
  if (kind === 'flip') damaged[position]! ^= 1 << (value & 7);
  else damaged.fill(value & 255, position, position + 1 + (value >> 8));
  return damaged;
}
