/**
 * The data elements that MAT-files of level 5 are made of: tags, and numbers stored in the smallest type that holds
 * them. Source: "MAT-File Format", The MathWorks, chapter on level 5, table of data types (mi…) and array types (mx…).
 */
import type { Budget } from '../../core/budget.ts';
import { FormatError } from '../../core/errors.ts';
import type { ForwardBytes } from './bytes.ts';
import type { MatClass, NumericArray, NumericClass } from './values.ts';

/** miMATRIX and miCOMPRESSED. */
export const [matrixType, compressedType] = [14, 15];

/** By the mx… number of the array flags. Those of objects are named only. */
export const matClasses: readonly (MatClass | undefined)[] = [
  undefined,
  'cell',
  'struct',
  'object',
  'char',
  'sparse',
  'double',
  'single',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'function',
  'opaque',
  'opaque',
];

interface StoredType {
  readonly bytes: number;
  readonly class: NumericClass;
  get(view: DataView, at: number, isLittle: boolean): number;
}

/** By the mi… number; text in UTF-8, 16, 32 counts as integers of its units. */
const storedTypes: readonly (StoredType | undefined)[] = [
  undefined,
  { bytes: 1, class: 'int8', get: (view, at) => view.getInt8(at) },
  { bytes: 1, class: 'uint8', get: (view, at) => view.getUint8(at) },
  { bytes: 2, class: 'int16', get: (view, at, little) => view.getInt16(at, little) },
  { bytes: 2, class: 'uint16', get: (view, at, little) => view.getUint16(at, little) },
  { bytes: 4, class: 'int32', get: (view, at, little) => view.getInt32(at, little) },
  { bytes: 4, class: 'uint32', get: (view, at, little) => view.getUint32(at, little) },
  { bytes: 4, class: 'single', get: (view, at, little) => view.getFloat32(at, little) },
  undefined,
  { bytes: 8, class: 'double', get: (view, at, little) => view.getFloat64(at, little) },
  undefined,
  undefined,
  { bytes: 8, class: 'int64', get: (view, at, little) => Number(view.getBigInt64(at, little)) },
  { bytes: 8, class: 'uint64', get: (view, at, little) => Number(view.getBigUint64(at, little)) },
  undefined,
  undefined,
  { bytes: 1, class: 'uint8', get: (view, at) => view.getUint8(at) },
  { bytes: 2, class: 'uint16', get: (view, at, little) => view.getUint16(at, little) },
  { bytes: 4, class: 'uint32', get: (view, at, little) => view.getUint32(at, little) },
];

/** The class of numbers that are stored as an mi… type; undefined for what is none of numbers. */
export function storedClass(type: number): NumericClass | undefined {
  return storedTypes[type]?.class;
}

const arrays: Readonly<Record<NumericClass, new (length: number) => NumericArray>> = {
  double: Float64Array,
  single: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

export function arrayOf(numericClass: NumericClass, length: number): NumericArray {
  return new arrays[numericClass](length);
}

export interface Tag {
  readonly type: number;
  readonly byteCount: number;
  /** Its data lie in the tag itself and are at hand. */
  readonly isSmall: boolean;
}

/** Where elements are read from, and how. */
export interface ElementReader {
  readonly bytes: ForwardBytes;
  readonly isLittle: boolean;
  /** Of what is built in one pass. */
  readonly budget: Budget;
  /** Throws a FormatError about this place. */
  fail(fact: string): never;
}

/** FormatErrors that name file, variable's place and the place within it. */
export function failureOf(bytes: ForwardBytes): (fact: string) => never {
  return (fact) => {
    throw new FormatError(
      `mat: ${bytes.name} ${fact}, at byte ${bytes.position} of the variable at byte ${bytes.byteOffset}. The file is damaged; fetch it again.`,
      bytes.name,
      bytes.byteOffset,
    );
  };
}

/** The next tag; the data of a small one are at hand. `end`: where what it is in ends. */
export async function readTag({ bytes, isLittle, fail }: ElementReader, end: number): Promise<Tag> {
  if (bytes.position + 8 > end) fail(`has ${end - bytes.position} bytes where an element begins`);
  if (bytes.available < 8) await bytes.ensure(8);
  const view = bytes.take(4);
  const first = view.getUint32(0, isLittle);
  const small = first >>> 16;
  if (small !== 0) {
    if (small > 4) fail(`has a small element of ${small} bytes`);
    return { type: first & 0xffff, byteCount: small, isSmall: true };
  }
  const byteCount = bytes.take(4).getUint32(0, isLittle);
  if (bytes.position + byteCount > end)
    fail(`has an element of ${byteCount} bytes where there are ${end - bytes.position}`);
  return { type: first, byteCount, isSmall: false };
}

/** Pass over what fills an element up to 8 bytes: some writers leave it out at the end. */
export async function skipPadding({ bytes }: ElementReader, tag: Tag, end: number): Promise<void> {
  const padding = tag.isSmall ? 4 - tag.byteCount : -tag.byteCount & 7;
  const rest = Math.min(padding, end - bytes.position);
  if (rest > 0) await bytes.skip(rest);
}

/** The data of a short element: names, dimensions. A copy. */
export async function readShort(reader: ElementReader, tag: Tag, end: number): Promise<DataView> {
  if (tag.byteCount > 1 << 20) reader.fail(`has ${tag.byteCount} bytes where a name or a size is expected`);
  await reader.bytes.ensure(tag.byteCount);
  const view = reader.bytes.take(tag.byteCount);
  const copy = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  await skipPadding(reader, tag, end);
  return new DataView(copy.buffer);
}

const isLittleMachine = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Values are converted in blocks of that many bytes. */
const blockBytes = 1 << 15;

/** Numbers in an element of that tag. */
export function countStored({ fail }: ElementReader, tag: Tag): number {
  const stored = storedTypes[tag.type];
  if (!stored) return fail(`has data of type ${tag.type}, which is none of numbers`);
  if (tag.byteCount % stored.bytes !== 0)
    fail(`has ${tag.byteCount} bytes of numbers of ${stored.bytes} bytes`);
  return tag.byteCount / stored.bytes;
}

/** The numbers of an element, in the type of `numericClass`; memory: as many of them as the element has bytes for. */
export async function readNumbers(
  reader: ElementReader,
  tag: Tag,
  numericClass: NumericClass,
  end: number,
): Promise<NumericArray> {
  const { bytes, isLittle } = reader;
  const count = countStored(reader, tag);
  const stored = storedTypes[tag.type]!;
  const values = arrayOf(numericClass, count);
  if (stored.class === numericClass) {
    const raw = new Uint8Array(values.buffer);
    await bytes.into(raw);
    if (isLittle !== isLittleMachine && stored.bytes > 1) swapBytes(raw, stored.bytes);
  } else {
    const perBlock = blockBytes / stored.bytes;
    for (let from = 0; from < count; from += perBlock) {
      const to = Math.min(count, from + perBlock);
      await bytes.ensure((to - from) * stored.bytes);
      const view = bytes.take((to - from) * stored.bytes);
      if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
        for (let i = from, at = 0; i < to; i++, at += stored.bytes) {
          const value = stored.get(view, at, isLittle);
          values[i] = Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
        }
      } else widen(view, stored, isLittle, values, from, to);
    }
  }
  await skipPadding(reader, tag, end);
  return values;
}

function widen(
  view: DataView,
  stored: StoredType,
  isLittle: boolean,
  values: Exclude<NumericArray, BigInt64Array | BigUint64Array>,
  from: number,
  to: number,
): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  // What MATLAB makes of whole numbers in doubles, most often.
  if (stored.bytes === 1 && stored.class === 'uint8') {
    for (let i = from, at = 0; i < to; i++, at++) values[i] = bytes[at]!;
  } else if (stored.class === 'int16' && isLittle) {
    for (let i = from, at = 0; i < to; i++, at += 2)
      values[i] = ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
  } else
    for (let i = from, at = 0; i < to; i++, at += stored.bytes) values[i] = stored.get(view, at, isLittle);
}

export function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width)
    for (let i = 0, k = width - 1; i < k; i++, k--) {
      const byte = bytes[at + i]!;
      bytes[at + i] = bytes[at + k]!;
      bytes[at + k] = byte;
    }
}
