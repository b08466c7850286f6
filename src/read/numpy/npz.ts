/** NumPy's .npz (a zip of .npy, format 1.0): how embeddings travel to Python. Source: numpy.lib.format. */

import { type Zippable, zipSync } from 'fflate';
import { maxOf } from '../../core/arrays.ts';
import type { DType, Tensor } from '../../core/tensor.ts';

const descriptions: Readonly<Record<DType, string>> = {
  float32: '<f4',
  float64: '<f8',
  int64: '<i8',
  int32: '<i4',
  uint8: '|u1',
  int8: '|i1',
  bool: '|b1',
};

/** Tensors, or lists of strings, by name → the bytes of an .npz that `numpy.load` opens without pickle. */
export function encodeNpz(arrays: ReadonlyMap<string, Tensor | readonly string[]>): Uint8Array {
  const files: Zippable = {};
  for (const [name, array] of arrays) {
    // A fixed date: equal arrays give equal bytes.
    files[`${name}.npy`] = [encodeNpy(array), { level: 0, mtime: '1980-01-01' }];
  }
  return zipSync(files);
}

/** One array → the bytes of an .npy. Strings become fixed-width UCS-4, as NumPy stores them. */
export function encodeNpy(array: Tensor | readonly string[]): Uint8Array {
  const isText = Array.isArray(array);
  const { description, shape, bytes } = isText ? encodeText(array) : encodeTensor(array as Tensor);
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const dictionary = `{'descr': '${description}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const headerLength = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10; // data start at a multiple of 64
  const result = new Uint8Array(10 + headerLength + bytes.byteLength);
  result.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, headerLength & 255, headerLength >> 8]);
  result.set(new TextEncoder().encode(`${dictionary.padEnd(headerLength - 1)}\n`), 10);
  result.set(bytes, 10 + headerLength);
  return result;
}

function encodeTensor({ dtype, shape, data }: Tensor) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { description: descriptions[dtype], shape, bytes };
}

function encodeText(words: readonly string[]) {
  const codes = words.map((word) => Array.from(word, (character) => character.codePointAt(0)!));
  const width = maxOf(
    codes.map((word) => word.length),
    1,
  );
  const bytes = new Uint8Array(4 * width * words.length);
  const view = new DataView(bytes.buffer);
  for (const [row, word] of codes.entries()) {
    for (const [column, code] of word.entries()) view.setUint32(4 * (row * width + column), code, true);
  }
  return { description: `<U${width}`, shape: [words.length], bytes };
}
