/** Bytes of HDF5 values in the library's memory, little-endian → numbers, texts, references. */

import type { NumericArray, NumericClass } from '../mat/values.ts';
import type { HdfMetadata, HdfModule } from './library.ts';

export type HdfKind = HdfValues['kind'];

export type HdfValues =
  | { readonly kind: 'number'; readonly shape: readonly number[]; readonly values: NumericArray }
  | {
      readonly kind: 'complex';
      readonly shape: readonly number[];
      readonly values: NumericArray;
      readonly imaginary: NumericArray;
    }
  | { readonly kind: 'text'; readonly shape: readonly number[]; readonly values: readonly string[] }
  | { readonly kind: 'reference'; readonly shape: readonly number[]; readonly values: readonly Uint8Array[] }
  /** Compounds, bit fields, lists of numbers: not read. */
  | { readonly kind: 'other'; readonly shape: readonly number[] };

/** H5T_class_t */
const [integer, float, text, compound, reference, enumeration, variable] = [0, 1, 3, 6, 7, 8, 9];

export function kindOf(metadata: HdfMetadata): HdfKind {
  const { type, size, vlen_type: inner } = metadata;
  if (type === integer || type === enumeration) return [1, 2, 4, 8].includes(size) ? 'number' : 'other';
  if (type === float) return [2, 4, 8].includes(size) ? 'number' : 'other';
  if (type === text) return 'text';
  if (type === reference) return metadata.ref_type === 'object' && size === 8 ? 'reference' : 'other';
  if (type === variable) return inner?.type === text && inner.size === 1 && !inner.vlen ? 'text' : 'other';
  if (type === compound) return complexParts(metadata) ? 'complex' : 'other';
  return 'other';
}

/** The parts of complex numbers as MATLAB and h5py store them. */
function complexParts({ compound_type: found, size }: HdfMetadata) {
  const [real, imaginary] = found?.members ?? [];
  const isPair =
    found?.members.length === 2 && /^re?(al)?$/.test(real!.name) && /^im?(ag)?$/.test(imaginary!.name);
  if (!isPair || kindOf(real!) !== 'number' || kindOf(imaginary!) !== 'number') return undefined;
  const fits = [real!, imaginary!].every((part) => part.offset >= 0 && part.offset + part.size <= size);
  return fits ? { real: real!, imaginary: imaginary! } : undefined;
}

/** The class that numbers of a type have here: half precision becomes single. */
export function classOf({ type, size, signed }: HdfMetadata): NumericClass {
  if (type === float) return size === 8 ? 'double' : 'single';
  return `${signed ? '' : 'u'}int${size * 8}` as NumericClass;
}

/** `bytes`: a copy of its own, as long as the values are. */
export function decodeHdf(
  module: HdfModule,
  metadata: HdfMetadata,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): HdfValues {
  const kind = kindOf(metadata);
  const count = shape.reduce((product, size) => product * size, 1);
  const { size } = metadata;
  if (kind === 'number') return { kind, shape, values: numbersOf(metadata, bytes.buffer) };
  if (kind === 'reference')
    return {
      kind,
      shape,
      values: Array.from({ length: count }, (_, i) => bytes.slice(i * size, (i + 1) * size)),
    };
  if (kind === 'text') return { kind, shape, values: textsOf(module, metadata, bytes, count) };
  if (kind === 'complex') {
    const { real, imaginary } = complexParts(metadata)!;
    const part = (of: typeof real) => {
      const packed = new Uint8Array(count * of.size);
      for (let i = 0; i < count; i++)
        packed.set(bytes.subarray(i * size + of.offset, i * size + of.offset + of.size), i * of.size);
      return numbersOf(of, packed.buffer);
    };
    return { kind, shape, values: part(real), imaginary: part(imaginary) };
  }
  return { kind: 'other', shape };
}

function numbersOf(metadata: HdfMetadata, buffer: ArrayBuffer): NumericArray {
  if (metadata.type === float && metadata.size === 2) return halves(new Uint16Array(buffer));
  switch (classOf(metadata)) {
    case 'double':
      return new Float64Array(buffer);
    case 'single':
      return new Float32Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
      return new Uint8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'uint16':
      return new Uint16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'uint32':
      return new Uint32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    default:
      return new BigUint64Array(buffer);
  }
}

/** IEEE 754 half precision → single, exactly: a sign, 5 bits of exponent, 10 of fraction. */
function halves(stored: Uint16Array): Float32Array {
  const result = new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const bits = stored[i]!;
    const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    result[i] = bits & 0x8000 ? -size : size;
  }
  return result;
}

function textsOf(
  module: HdfModule,
  metadata: HdfMetadata,
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
): string[] {
  const decoder = new TextDecoder();
  const untilNul = (part: Uint8Array) => {
    const nul = part.indexOf(0);
    return decoder.decode(nul < 0 ? part : part.subarray(0, nul));
  };
  const memory = module.HEAPU8;
  // Pointers have four bytes in this machine.
  const pointers = () => new Uint32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
  if (metadata.type === variable) {
    const pairs = pointers();
    return Array.from({ length: count }, (_, i) => {
      const [length, start] = [pairs[2 * i]!, pairs[2 * i + 1]!];
      return start === 0 ? '' : decoder.decode(memory.slice(start, start + length));
    });
  }
  if (metadata.vlen) {
    const starts = pointers();
    return Array.from({ length: count }, (_, i) => {
      const start = starts[i]!;
      return start === 0 ? '' : decoder.decode(memory.slice(start, memory.indexOf(0, start)));
    });
  }
  const { size } = metadata;
  return Array.from({ length: count }, (_, i) =>
    untilNul(bytes.subarray(i * size, (i + 1) * size)).trimEnd(),
  );
}
