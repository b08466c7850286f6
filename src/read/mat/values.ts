/**
 * Values of MAT-files, of any version, as a tagged union. Arrays lie column by column, as MATLAB has them: element
 * (r, c) of a matrix of `rows` rows is at c · rows + r, the first index runs fastest.
 */

export const numericClasses = [
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
] as const;
export type NumericClass = (typeof numericClasses)[number];

/** What MATLAB's `class` says; `object`, `function` and `opaque` are named, never built. */
export type MatClass =
  | NumericClass
  | 'logical'
  | 'char'
  | 'cell'
  | 'struct'
  | 'sparse'
  | 'object'
  | 'function'
  | 'opaque';

export type NumericArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface MatNumeric {
  readonly kind: 'numeric';
  readonly class: NumericClass;
  readonly shape: readonly number[];
  /** In the class's own type, whatever smaller type the file stores. */
  readonly values: NumericArray;
  readonly imaginary?: NumericArray;
}

export interface MatLogical {
  readonly kind: 'logical';
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

export interface MatChar {
  readonly kind: 'char';
  readonly shape: readonly number[];
  /** One text a row, padded as the file pads it; several where the matrix has several rows. */
  readonly rows: readonly string[];
}

export interface MatCell {
  readonly kind: 'cell';
  readonly shape: readonly number[];
  readonly cells: readonly MatValue[];
}

export interface MatStruct {
  readonly kind: 'struct';
  readonly shape: readonly number[];
  /** A value for each element, in the order of elements. A further field of a name is called `_1_name`, `_2_name`. */
  readonly fields: ReadonlyMap<string, readonly MatValue[]>;
}

/** Compressed sparse columns: column c holds values[columnStarts[c] … columnStarts[c + 1]) in rows rowIndices[…]. */
export interface MatSparse {
  readonly kind: 'sparse';
  readonly isLogical: boolean;
  readonly shape: readonly number[];
  readonly rowIndices: Int32Array;
  readonly columnStarts: Int32Array;
  readonly values: Float64Array;
  readonly imaginary?: Float64Array;
}

/** Objects, tables, strings, function handles: MATLAB's own classes, whose content is not read. */
export interface MatOpaque {
  readonly kind: 'opaque';
  readonly class: 'object' | 'function' | 'opaque';
  /** `string`, `table`, `containers.Map`, … where the file names it. */
  readonly className: string;
  readonly shape: readonly number[];
}

/** Something there that was not asked for. */
export interface MatSkipped {
  readonly kind: 'skipped';
  readonly class: MatClass;
  readonly shape: readonly number[];
}

export type MatValue =
  | MatNumeric
  | MatLogical
  | MatChar
  | MatCell
  | MatStruct
  | MatSparse
  | MatOpaque
  | MatSkipped;

export const emptyMatrix: MatNumeric = {
  kind: 'numeric',
  class: 'double',
  shape: [0, 0],
  values: new Float64Array(0),
};

/** Elements of an array of that shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The text of a char value: its rows without the blanks behind, one a line; undefined for other values. */
export function textOf(value: MatValue | undefined): string | undefined {
  if (value?.kind !== 'char') return undefined;
  return value.rows.map((row) => row.replace(/[\0 ]+$/, '')).join('\n');
}

/** Real numbers of a full numeric or logical value as float64; undefined for other values. */
export function numbersOf(value: MatValue | undefined): Float64Array | undefined {
  if (value?.kind === 'logical') return Float64Array.from(value.values);
  if (value?.kind !== 'numeric') return undefined;
  const { values } = value;
  if (values instanceof Float64Array) return values;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return Float64Array.from(values, Number);
  return Float64Array.from(values);
}

/** The one real number of a 1 × 1 value; undefined for anything else. */
export function numberOf(value: MatValue | undefined): number | undefined {
  const numbers = numbersOf(value);
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** A field of a struct's element (default: the first). */
export function fieldOf(value: MatValue | undefined, name: string, element = 0): MatValue | undefined {
  return value?.kind === 'struct' ? value.fields.get(name)?.[element] : undefined;
}

/** Field names as MATLAB-like keys: a further one of a name becomes `_1_name`, `_2_name`. */
export function uniqueFieldNames(names: readonly string[]): string[] {
  const copies = new Map<string, number>();
  return names.map((name) => {
    const copy = copies.get(name) ?? 0;
    copies.set(name, copy + 1);
    const unique = copy === 0 ? name : `_${copy}_${name}`;
    if (copy > 0) copies.set(unique, (copies.get(unique) ?? 0) + 1);
    return unique;
  });
}

/** Column-by-column characters → one text a row: [rows, …, columns] joined along the last dimension. */
export function rowsOfCharacters(
  characters: ArrayLike<string>,
  count: number,
  shape: readonly number[],
): string[] {
  const length = shape.at(-1) ?? 0;
  if (count === 0 || length === 0) return [''];
  const rowCount = count / length;
  if (rowCount === 1) return [Array.from(characters).join('')];
  return Array.from({ length: rowCount }, (_, row) => {
    let text = '';
    for (let k = 0; k < length; k++) text += characters[row + k * rowCount] ?? ' ';
    return text;
  });
}
