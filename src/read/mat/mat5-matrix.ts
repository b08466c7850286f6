/**
 * One matrix of a MAT-file of level 5, and all within it: array flags, dimensions, name, then data by class. What is
 * wanted of it is decided part by part, before its data are read. Recursion is bounded, and so is every array by the
 * bytes that its element has.
 */

import type { NumberType } from '../stored-numbers.ts';
import { StoredBytes } from './bytes.ts';
import type { MatPart, TakeNumbers } from './file.ts';
import type { ElementReader, Tag } from './mat5-elements.ts';
import {
  arrayOf,
  countStored,
  matClasses,
  matrixType,
  readNumbers,
  readShort,
  readTag,
  skipPadding,
  storedClass,
} from './mat5-elements.ts';
import type { MatChooser } from './select.ts';
import { decodeCharacters } from './text.ts';
import {
  countOf,
  emptyMatrix,
  type MatClass,
  type MatValue,
  type NumericClass,
  numericClasses,
  rowsOfCharacters,
  uniqueFieldNames,
} from './values.ts';

/** Real nesting is below ten. */
const deepest = 64;

export interface Matrix5 {
  readonly class: MatClass;
  readonly name: string;
  readonly shape: readonly number[];
  readonly isComplex: boolean;
  readonly isLogical: boolean;
  /** Of an object. */
  readonly className: string;
  /** Where its bytes end. */
  readonly end: number;
}

export type Walk = AsyncGenerator<MatPart, MatValue>;

interface Wanted {
  readonly choose: MatChooser;
  /** Keep parts for the value at the end, too. */
  readonly keep: boolean;
  /** Take numbers where they are placed. */
  readonly take?: TakeNumbers | undefined;
}

/** What stands before the data. An element without bytes is an empty matrix. `isOuter`: may be a function's workspace. */
export async function readMatrixHead(reader: ElementReader, end: number, isOuter: boolean): Promise<Matrix5> {
  const { bytes, isLittle, fail } = reader;
  const none = { name: '', isComplex: false, isLogical: false, className: '', end };
  if (bytes.position === end) return { ...none, class: 'double', shape: [0, 0] };
  const flagsTag = await readTag(reader, end);
  if (flagsTag.type !== 6 || flagsTag.byteCount !== 8) fail('has no array flags where a matrix begins');
  await bytes.ensure(8);
  const [flags] = bytes.takePair(isLittle);
  const matClass = matClasses[flags & 0xff];
  if (!matClass) return fail(`has a matrix of class ${flags & 0xff}, which is none`);
  const isComplex = (flags & 0x800) !== 0;
  const isLogical = (flags & 0x200) !== 0;
  if (matClass === 'opaque') {
    // Name, kind of system (`MCOS`, `java`), class; no dimensions.
    const name = isOuter ? await readName(reader, end) : '';
    if (!isOuter) await readName(reader, end);
    await readName(reader, end);
    const className = await readName(reader, end);
    return { ...none, class: 'opaque', shape: [1, 1], name, className };
  }
  const shape = await readShape(reader, end);
  const name = await readName(reader, end);
  const className = matClass === 'object' ? await readName(reader, end) : '';
  return { class: matClass, name, shape, isComplex, isLogical, className, end };
}

async function readShape(reader: ElementReader, end: number): Promise<number[]> {
  const tag = await readTag(reader, end);
  // Some writers say unsigned.
  if ((tag.type !== 5 && tag.type !== 6) || tag.byteCount % 4 !== 0)
    reader.fail(`has ${tag.byteCount} bytes of type ${tag.type} where dimensions are expected`);
  const view = await readShort(reader, tag, end);
  const shape = Array.from({ length: tag.byteCount / 4 }, (_, i) => view.getInt32(i * 4, reader.isLittle));
  if (shape.length < 2 || shape.length > 64) reader.fail(`has a matrix of ${shape.length} dimensions`);
  if (shape.some((size) => size < 0) || !Number.isSafeInteger(countOf(shape)))
    reader.fail(`has a matrix of ${shape.join(' × ')} elements`);
  return shape;
}

async function readName(reader: ElementReader, end: number): Promise<string> {
  const tag = await readTag(reader, end);
  if (tag.type !== 1 && tag.type !== 2 && tag.type !== 16)
    reader.fail(`has data of type ${tag.type} where a name is expected`);
  return untilNul(await readShort(reader, tag, end));
}

function untilNul(bytes: DataView): string {
  const text = new TextDecoder().decode(bytes);
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

/** Go through a matrix whose head was read, to its end. */
export async function* walkMatrix(
  reader: ElementReader,
  matrix: Matrix5,
  path: string,
  wanted: Wanted,
  depth = 0,
): Walk {
  const { bytes, fail } = reader;
  if (depth > deepest) fail(`nests more than ${deepest} matrices`);
  const { shape, end } = matrix;
  const publicClass = matrix.isLogical && matrix.class !== 'sparse' ? 'logical' : matrix.class;
  const decision = wanted.choose(path, { class: publicClass, shape });
  const skipped: MatValue = { kind: 'skipped', class: publicClass, shape };
  const type = decision === 'place' ? placedType(matrix, await peekType(reader, matrix)) : undefined;
  if (type) {
    const tag = await readNumericTag(reader, matrix, 'numbers');
    const start = bytes instanceof StoredBytes ? bytes.position : undefined;
    const place = { type, isBigEndian: !reader.isLittle, start };
    const after = bytes.position + tag.byteCount;
    if (wanted.take) await wanted.take(bytes, place);
    else yield { path, value: skipped, place };
    await bytes.skip(after - bytes.position);
    await toEnd(reader, end);
    return skipped;
  }
  if (decision === 'whole' || decision === 'place') {
    const value = await readMatrix(reader, matrix, depth);
    yield { path, value };
    return wanted.keep ? value : skipped;
  }
  if (decision === 'inside' && matrix.class === 'cell') {
    const count = checkedCount(reader, shape, end, 1);
    const cells: MatValue[] = [];
    for (let i = 0; i < count; i++) {
      if (reader.budget.isLong()) await reader.budget.breathe();
      const inner = await nextHead(reader, end);
      const cell = yield* walkMatrix(reader, inner, `${path}{${i + 1}}`, wanted, depth + 1);
      if (wanted.keep) cells.push(cell);
    }
    await toEnd(reader, end);
    return wanted.keep ? { kind: 'cell', shape, cells } : skipped;
  }
  if (decision === 'inside' && matrix.class === 'struct') {
    const names = await readFieldNames(reader, end);
    const count = names.length === 0 ? 0 : checkedCount(reader, shape, end, names.length);
    const columns = names.map((): MatValue[] => []);
    for (let i = 0; i < count; i++)
      for (const [k, name] of names.entries()) {
        if (reader.budget.isLong()) await reader.budget.breathe();
        const inner = await nextHead(reader, end);
        const at = `${path}${count === 1 ? '' : `(${i + 1})`}.${name}`;
        const field = yield* walkMatrix(reader, inner, at, wanted, depth + 1);
        if (wanted.keep) columns[k]!.push(field);
      }
    await toEnd(reader, end);
    if (!wanted.keep) return skipped;
    return { kind: 'struct', shape, fields: new Map(names.map((name, k) => [name, columns[k]!])) };
  }
  await bytes.skip(end - bytes.position);
  return skipped;
}

/** A matrix whose head was read, whole. */
async function readMatrix(reader: ElementReader, matrix: Matrix5, depth: number): Promise<MatValue> {
  if (depth > deepest) reader.fail(`nests more than ${deepest} matrices`);
  const { shape, end } = matrix;
  const value = await readData(reader, matrix, depth);
  await toEnd(reader, end);
  if (value) return value;
  return {
    kind: 'opaque',
    class: matrix.class as 'object' | 'function' | 'opaque',
    className: matrix.className || matrix.class,
    shape,
  };
}

async function readData(
  reader: ElementReader,
  matrix: Matrix5,
  depth: number,
): Promise<MatValue | undefined> {
  const { bytes } = reader;
  const { shape, end } = matrix;
  switch (matrix.class) {
    case 'object':
    case 'function':
    case 'opaque':
      await bytes.skip(end - bytes.position);
      return undefined;
    case 'char':
      return readCharacters(reader, shape, end);
    case 'sparse':
      return readSparse(reader, matrix);
    case 'cell': {
      const count = checkedCount(reader, shape, end, 1);
      const cells: MatValue[] = [];
      for (let i = 0; i < count; i++) cells.push(await readNext(reader, end, depth));
      return { kind: 'cell', shape, cells };
    }
    case 'struct': {
      const names = await readFieldNames(reader, end);
      const count = names.length === 0 ? 0 : checkedCount(reader, shape, end, names.length);
      const columns = names.map((): MatValue[] => []);
      for (let i = 0; i < count; i++)
        for (const column of columns) column.push(await readNext(reader, end, depth));
      return { kind: 'struct', shape, fields: new Map(names.map((name, k) => [name, columns[k]!])) };
    }
    default:
      return readNumeric(reader, matrix);
  }
}

async function nextHead(reader: ElementReader, end: number): Promise<Matrix5> {
  const tag = await readTag(reader, end);
  if (tag.type !== matrixType || tag.isSmall)
    reader.fail(`has an element of type ${tag.type} where a matrix is expected`);
  return readMatrixHead(reader, reader.bytes.position + tag.byteCount, false);
}

async function readNext(reader: ElementReader, end: number, depth: number): Promise<MatValue> {
  if (reader.budget.isLong()) await reader.budget.breathe();
  const matrix = await nextHead(reader, end);
  if (matrix.end === reader.bytes.position) return emptyMatrix;
  return readMatrix(reader, matrix, depth + 1);
}

/** Elements that have a tag each: as many as there are bytes for, or a FormatError. */
function checkedCount(
  { bytes, budget, fail }: ElementReader,
  shape: readonly number[],
  end: number,
  perElement: number,
): number {
  const count = countOf(shape);
  if (count * perElement * 8 > end - bytes.position)
    fail(`has ${shape.join(' × ')} elements in ${end - bytes.position} bytes`);
  budget.spend(`mat: ${bytes.name}`, 'cells and fields', count * perElement);
  return count;
}

async function toEnd({ bytes, fail }: ElementReader, end: number): Promise<void> {
  if (bytes.position > end) fail(`has data beyond the end of their matrix at ${end}`);
  if (bytes.position < end) await bytes.skip(end - bytes.position);
}

async function readFieldNames(reader: ElementReader, end: number): Promise<string[]> {
  const { isLittle, fail } = reader;
  const lengthTag = await readTag(reader, end);
  if (lengthTag.byteCount !== 4) fail(`has ${lengthTag.byteCount} bytes as the length of field names`);
  const length = (await readShort(reader, lengthTag, end)).getInt32(0, isLittle);
  const tag = await readTag(reader, end);
  if (tag.byteCount === 0) return [];
  if (length <= 0 || tag.byteCount % length !== 0)
    fail(`has ${tag.byteCount} bytes of field names of ${length} bytes`);
  const view = await readShort(reader, tag, end);
  reader.budget.spend(`mat: ${reader.bytes.name}`, 'field names', tag.byteCount / length);
  return uniqueFieldNames(
    Array.from({ length: tag.byteCount / length }, (_, i) =>
      untilNul(new DataView(view.buffer, i * length, length)),
    ),
  );
}

/** The tag of as many numbers as the matrix has elements. */
async function readNumericTag(reader: ElementReader, { shape, end }: Matrix5, what: string): Promise<Tag> {
  const tag = await readTag(reader, end);
  const [stored, count] = [countStored(reader, tag), countOf(shape)];
  if (stored !== count)
    reader.fail(`has ${stored} ${what} of a matrix of ${shape.join(' × ')} = ${count} elements`);
  return tag;
}

/** The mi… number of the element that comes next in a matrix; 0 where there is none. */
async function peekType({ bytes, isLittle }: ElementReader, { end }: Matrix5): Promise<number> {
  if (end - bytes.position < 8) return 0;
  await bytes.ensure(8);
  const first = bytes.peek(isLittle);
  return first >>> 16 === 0 ? first : first & 0xffff;
}

/** The stored type of a real array, where its numbers as float64 are the values of its class. */
function placedType(
  { class: matClass, isLogical, isComplex }: Matrix5,
  type: number,
): NumberType | undefined {
  const stored = storedClass(type);
  if (!stored || isLogical || isComplex || !numericClasses.some((known) => known === matClass))
    return undefined;
  const isExact =
    stored === matClass || matClass === 'double' || (matClass === 'single' && /^u?int(8|16)$/.test(stored));
  if (!isExact) return undefined;
  return stored === 'double' ? 'float64' : stored === 'single' ? 'float32' : stored;
}

async function readNumeric(reader: ElementReader, matrix: Matrix5): Promise<MatValue> {
  const { shape, end, isLogical, isComplex } = matrix;
  const numericClass = isLogical ? 'uint8' : (matrix.class as NumericClass);
  const numbers = async (what: string) => {
    // An empty matrix may go without its data.
    if (countOf(shape) === 0 && reader.bytes.position === end) return arrayOf(numericClass, 0);
    return readNumbers(reader, await readNumericTag(reader, matrix, what), numericClass, end);
  };
  const values = await numbers('numbers');
  if (isLogical) return { kind: 'logical', shape, values: values as Uint8Array };
  if (!numericClasses.includes(numericClass)) reader.fail(`has numbers of class ${numericClass}`);
  const value = { kind: 'numeric', class: numericClass, shape, values } as const;
  return isComplex ? { ...value, imaginary: await numbers('imaginary parts') } : value;
}

async function readSparse(reader: ElementReader, matrix: Matrix5): Promise<MatValue> {
  const { shape, end, isLogical, isComplex } = matrix;
  const { fail } = reader;
  if (shape.length !== 2) fail(`has a sparse matrix of ${shape.length} dimensions`);
  const [rows, columns] = shape as [number, number];
  const integers = async () =>
    (await readNumbers(reader, await readTag(reader, end), 'int32', end)) as Int32Array;
  const allRows = await integers();
  const columnStarts = await integers();
  if (columnStarts.length !== columns + 1)
    fail(`has ${columnStarts.length} starts of ${columns} sparse columns`);
  const count = columnStarts.at(-1)!;
  for (let c = 0; c < columns; c++)
    if (columnStarts[c]! > columnStarts[c + 1]!) fail('has sparse columns that end before they start');
  const rowIndices = allRows.subarray(0, count);
  if (columnStarts[0] !== 0 || count > allRows.length || rowIndices.some((row) => row < 0 || row >= rows))
    fail(`has sparse elements outside of ${rows} × ${columns}`);
  const numbers = async () => {
    if (count === 0 && reader.bytes.position === end) return new Float64Array(0);
    const tag = await readTag(reader, end);
    // Truths take a byte each, whatever type the tag says.
    const isBytes = isLogical && tag.byteCount < count * 8 && tag.byteCount >= count;
    const stored = isBytes ? { ...tag, type: 2 } : tag;
    const all = (await readNumbers(reader, stored, 'double', end)) as Float64Array;
    if (all.length < count) fail(`has ${all.length} values of ${count} sparse elements`);
    return all.subarray(0, count);
  };
  const value = {
    kind: 'sparse',
    isLogical,
    shape,
    rowIndices,
    columnStarts,
    values: await numbers(),
  } as const;
  return isComplex ? { ...value, imaginary: await numbers() } : value;
}

async function readCharacters(
  reader: ElementReader,
  shape: readonly number[],
  end: number,
): Promise<MatValue> {
  const { bytes, isLittle, fail } = reader;
  const count = countOf(shape);
  const tag: Tag =
    count === 0 && bytes.position === end
      ? { type: 16, byteCount: 0, isSmall: true }
      : await readTag(reader, end);
  // A character is a text of its own until its row is joined.
  reader.budget.spend(`mat: ${bytes.name}`, 'texts', Math.ceil(tag.byteCount / 32));
  const raw = new Uint8Array(tag.byteCount);
  await bytes.into(raw);
  await skipPadding(reader, tag, end);
  const characters = decodeCharacters(raw, tag.type, count, isLittle);
  if (characters === undefined)
    return fail(`has ${raw.length} bytes of text for a matrix of ${shape.join(' × ')} characters`);
  return { kind: 'char', shape, rows: rowsOfCharacters(characters, count, shape) };
}
