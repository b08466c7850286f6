/** One variable of a MAT-file of version 7.3, and all within it; the same decisions part by part as in level 5. */
import type { Budget } from '../../core/budget.ts';
import { FormatError } from '../../core/errors.ts';
import type { Hdf5File } from '../hdf5/hdf5.ts';
import type { HdfValues } from '../hdf5/values.ts';
import { quoted } from '../header-text.ts';
import type { MatPart } from './file.ts';
import { arrayOf } from './mat5-elements.ts';
import type { MatChooser } from './select.ts';
import {
  countOf,
  emptyMatrix,
  type MatClass,
  type MatValue,
  type NumericArray,
  type NumericClass,
  numericClasses,
  rowsOfCharacters,
} from './values.ts';

export interface Walker {
  readonly hdf: Hdf5File;
  readonly choose: MatChooser;
  readonly keep: boolean;
  /** Values that may still be looked at: references that go round in a circle would never end. */
  readonly budget: { left: number };
  /** Of what is built in one pass. */
  readonly elements: Budget;
}

/** MATLAB gives every value an object of its own, which takes more bytes than that. */
const leastObjectBytes = 32;

/** As many values as a file can have. */
export function cycleGuard(byteLength: number): Walker['budget'] {
  return { left: 64 + Math.floor(byteLength / leastObjectBytes) };
}

export interface Object73 {
  readonly path: string;
  readonly class: MatClass;
  /** As MATLAB says it. */
  readonly shape: readonly number[];
  readonly isComplex: boolean;
  readonly isEmpty: boolean;
  readonly isGroup: boolean;
  readonly className: string;
  /** Fields in their order, where the file says it. */
  readonly fields: readonly string[] | undefined;
  /** Rows of a sparse matrix. */
  readonly sparseRows: number | undefined;
}

/** Real nesting is below ten; references can go round in a circle. */
const deepest = 64;

const classes: readonly string[] = [...numericClasses, 'logical', 'char', 'cell', 'struct'];

/** What an object is by its attributes; undefined where it is neither dataset nor group. */
export async function describe73(hdf: Hdf5File, path: string): Promise<Object73 | undefined> {
  const type = await hdf.typeOf(path);
  if (!type) return undefined;
  const attributes = await hdf.attributes(path);
  const named = textsOf(attributes.get('MATLAB_class'))?.[0] ?? '';
  const isGroup = type === 'group';
  const sparseRows = numberOf(attributes.get('MATLAB_sparse'));
  const isEmpty = (numberOf(attributes.get('MATLAB_empty')) ?? 0) !== 0;
  const fields = textsOf(attributes.get('MATLAB_fields'));
  const decodes = attributes.has('MATLAB_object_decode');
  const base = { path, isGroup, className: named, fields, isEmpty, sparseRows, isComplex: false };
  const matClass = (decodes ? 'opaque' : classes.includes(named) ? named : undefined) as MatClass | undefined;
  if (isGroup) {
    if (sparseRows !== undefined) {
      const starts = (await hdf.dataset(`${path}/jc`)).shape[0] ?? 1;
      return { ...base, class: 'sparse', shape: [sparseRows, Math.max(0, starts - 1)] };
    }
    const isStruct = named === 'struct' || named === '';
    if (!isStruct) return { ...base, class: 'opaque', shape: [1, 1] };
    return { ...base, class: 'struct', shape: await structShape(hdf, path, fields) };
  }
  const { shape, kind } = await hdf.dataset(path);
  if (isEmpty) {
    const sizes = await hdf.read(path);
    const stated = sizes.kind === 'number' ? Array.from(sizes.values as Float64Array, Number) : [0, 0];
    return {
      ...base,
      class: matClass ?? 'double',
      shape: stated.every(Number.isSafeInteger) ? stated : [0, 0],
    };
  }
  const reversed = shape.length === 0 ? [1, 1] : shape.length === 1 ? [shape[0]!, 1] : [...shape].reverse();
  const isComplex = kind === 'complex';
  if (matClass) return { ...base, class: matClass, shape: reversed, isComplex };
  if (named === 'function_handle') return { ...base, class: 'function', shape: reversed };
  if (named !== '') return { ...base, class: 'opaque', shape: reversed };
  // Written by another program: what the numbers say.
  return {
    ...base,
    class: kind === 'text' ? 'char' : kind === 'reference' ? 'cell' : 'double',
    shape: reversed,
    isComplex,
  };
}

/** A struct array is a group whose fields are references, all of the same shape. */
async function structShape(
  hdf: Hdf5File,
  path: string,
  fields: readonly string[] | undefined,
): Promise<number[]> {
  const first = fields?.[0] ?? (await hdf.list(path))[0];
  if (first === undefined || (await hdf.typeOf(`${path}/${first}`)) !== 'dataset') return [1, 1];
  const { kind, shape } = await hdf.dataset(`${path}/${first}`);
  if (kind !== 'reference' || (await hdf.attributes(`${path}/${first}`)).has('MATLAB_class')) return [1, 1];
  return shape.length === 1 ? [shape[0]!, 1] : [...shape].reverse();
}

/** Go through the object at an HDF5 path; `name` is its path as MATLAB writes it. */
export async function* readMat73(
  walker: Walker,
  path: string,
  name: string,
  depth = 0,
): AsyncGenerator<MatPart, MatValue> {
  const { hdf, choose, keep } = walker;
  const object = await describe73(hdf, path);
  if (!object) return emptyMatrix;
  if (depth > deepest) fail(hdf, path, `nests more than ${deepest} values`);
  if (walker.budget.left-- <= 0) fail(hdf, path, 'has references that go round in a circle');
  walker.elements.spend(`mat: ${hdf.source}`, 'cells and fields');
  await walker.elements.breathe();
  const { shape } = object;
  const decision = choose(name, { class: object.class, shape });
  const skipped: MatValue = { kind: 'skipped', class: object.class, shape };
  if (decision === 'whole' || decision === 'place') {
    const value = await wholeValue(walker, object, name, depth);
    yield { path: name, value };
    return keep ? value : skipped;
  }
  if (decision === 'skip' || object.isEmpty) return skipped;
  if (object.class === 'cell') {
    const cells: MatValue[] = [];
    for (const [i, target] of (await referencesOf(walker, path)).entries()) {
      const cell = yield* readMat73(walker, target, `${name}{${i + 1}}`, depth + 1);
      if (keep) cells.push(cell);
    }
    return keep ? { kind: 'cell', shape, cells } : skipped;
  }
  if (object.class === 'struct') {
    const { names, targets } = await structFields(walker, object);
    const columns = names.map((): MatValue[] => []);
    const count = countOf(shape);
    for (let i = 0; i < count; i++)
      for (const [k, field] of names.entries()) {
        const at = `${name}${count === 1 ? '' : `(${i + 1})`}.${field}`;
        const value = yield* readMat73(walker, targets[k]![i]!, at, depth + 1);
        if (keep) columns[k]!.push(value);
      }
    return keep
      ? { kind: 'struct', shape, fields: new Map(names.map((field, k) => [field, columns[k]!])) }
      : skipped;
  }
  return skipped;
}

async function wholeValue(around: Walker, object: Object73, name: string, depth: number): Promise<MatValue> {
  const { hdf, budget, elements } = around;
  const { class: matClass, shape, path } = object;
  if (object.isEmpty) return emptyOf(object);
  switch (matClass) {
    case 'object':
    case 'function':
    case 'opaque':
      return { kind: 'opaque', class: matClass, className: object.className, shape };
    case 'cell':
    case 'struct': {
      const walker = {
        hdf,
        budget,
        elements,
        keep: true,
        choose: (at: string) => (at === name ? 'inside' : 'whole'),
      } as const;
      const steps = readMat73(walker, path, name, depth);
      for (;;) {
        const { done, value } = await steps.next();
        if (done) return value;
      }
    }
    case 'sparse':
      return sparseValue(hdf, object);
    case 'char':
      return charValue(hdf, object);
    default:
      return numericValue(hdf, object);
  }
}

function emptyOf({ class: matClass, shape, fields }: Object73): MatValue {
  if (matClass === 'cell') return { kind: 'cell', shape, cells: [] };
  if (matClass === 'struct')
    return { kind: 'struct', shape, fields: new Map((fields ?? []).map((field) => [field, []])) };
  if (matClass === 'char') return { kind: 'char', shape, rows: [''] };
  if (matClass === 'logical') return { kind: 'logical', shape, values: new Uint8Array(0) };
  const numericClass = numericClasses.find((known) => known === matClass) ?? 'double';
  return { kind: 'numeric', class: numericClass, shape, values: arrayOf(numericClass, 0) };
}

async function numericValue(hdf: Hdf5File, { path, class: matClass, shape }: Object73): Promise<MatValue> {
  const found = await hdf.read(path);
  if (found.kind !== 'number' && found.kind !== 'complex')
    return fail(hdf, path, `has ${found.kind}s as numbers`);
  if (matClass === 'logical')
    return { kind: 'logical', shape, values: asClass(found.values, 'uint8') as Uint8Array };
  const numericClass = numericClasses.find((known) => known === matClass) ?? 'double';
  const value = {
    kind: 'numeric',
    class: numericClass,
    shape,
    values: asClass(found.values, numericClass),
  } as const;
  return found.kind === 'complex' ? { ...value, imaginary: asClass(found.imaginary, numericClass) } : value;
}

function asClass(values: NumericArray, numericClass: NumericClass): NumericArray {
  const room = arrayOf(numericClass, 0);
  if (values.constructor === room.constructor) return values;
  const result = arrayOf(numericClass, values.length);
  if (result instanceof BigInt64Array || result instanceof BigUint64Array)
    for (let i = 0; i < values.length; i++) result[i] = BigInt(Math.trunc(Number(values[i])) || 0);
  else for (let i = 0; i < values.length; i++) result[i] = Number(values[i]);
  return result;
}

async function charValue(hdf: Hdf5File, { path, shape }: Object73): Promise<MatValue> {
  const found = await hdf.read(path);
  if (found.kind === 'text') return { kind: 'char', shape, rows: [...found.values] };
  if (found.kind !== 'number') return fail(hdf, path, `has ${found.kind}s as characters`);
  const characters = Array.from(found.values as Uint16Array, (code) => String.fromCharCode(Number(code)));
  return { kind: 'char', shape, rows: rowsOfCharacters(characters, characters.length, shape) };
}

async function sparseValue(hdf: Hdf5File, { path, shape, className }: Object73): Promise<MatValue> {
  const integers = async (name: string) => {
    if ((await hdf.typeOf(`${path}/${name}`)) !== 'dataset') return new Int32Array(0);
    const found = await hdf.read(`${path}/${name}`);
    return found.kind === 'number'
      ? (asClass(found.values, 'int32') as Int32Array)
      : fail(hdf, path, 'has a sparse matrix without numbers');
  };
  const [rowIndices, columnStarts] = [await integers('ir'), await integers('jc')];
  const [rows, columns] = shape as [number, number];
  const count = columnStarts.at(-1) ?? 0;
  const isOrdered = columnStarts.every((start, c) => (c === 0 ? start === 0 : start >= columnStarts[c - 1]!));
  if (columnStarts.length !== columns + 1 || !isOrdered || count !== rowIndices.length)
    fail(hdf, path, `has ${rowIndices.length} elements in ${columns} sparse columns`);
  if (rowIndices.some((row) => row < 0 || row >= rows))
    fail(hdf, path, `has elements outside of ${rows} rows`);
  const isLogical = className === 'logical';
  const empty = { kind: 'number', values: new Float64Array(0) } as const;
  const data = count === 0 ? empty : await hdf.read(`${path}/data`);
  if ((data.kind !== 'number' && data.kind !== 'complex') || data.values.length !== count)
    return fail(hdf, path, `has no ${count} sparse values`);
  const values = asClass(data.values, 'double') as Float64Array;
  const value = { kind: 'sparse', isLogical, shape, rowIndices, columnStarts, values } as const;
  return data.kind === 'complex'
    ? { ...value, imaginary: asClass(data.imaginary, 'double') as Float64Array }
    : value;
}

async function referencesOf({ hdf, elements }: Walker, path: string): Promise<string[]> {
  const found = await hdf.read(path);
  if (found.kind !== 'reference') return fail(hdf, path, `has ${found.kind}s where it refers to values`);
  elements.spend(`mat: ${hdf.source}`, 'references', found.values.length);
  const targets: string[] = [];
  for (const reference of found.values) {
    if (elements.isLong()) await elements.breathe();
    targets.push((await hdf.follow(reference)) ?? fail(hdf, path, 'refers to nothing'));
  }
  return targets;
}

/** Names of fields, and for each the objects of all elements. */
async function structFields(walker: Walker, { path, fields, shape }: Object73) {
  const { hdf } = walker;
  const count = countOf(shape);
  const names: string[] = [];
  const targets: string[][] = [];
  const listed = fields ?? (await hdf.list(path));
  const isArray = await isReferenceField(hdf, path, listed[0]);
  for (const field of listed) {
    if (!(await hdf.typeOf(`${path}/${field}`))) continue;
    const found = isArray ? await referencesOf(walker, `${path}/${field}`) : [`${path}/${field}`];
    if (found.length !== count)
      fail(hdf, path, `has ${found.length} values of ${quoted(field)} in ${count} elements`);
    names.push(field);
    targets.push(found);
  }
  return { names, targets };
}

async function isReferenceField(hdf: Hdf5File, path: string, field: string | undefined): Promise<boolean> {
  if (field === undefined || (await hdf.typeOf(`${path}/${field}`)) !== 'dataset') return false;
  const { kind } = await hdf.dataset(`${path}/${field}`);
  return kind === 'reference' && !(await hdf.attributes(`${path}/${field}`)).has('MATLAB_class');
}

function textsOf(value: HdfValues | undefined): readonly string[] | undefined {
  return value?.kind === 'text' ? value.values : undefined;
}

function numberOf(value: HdfValues | undefined): number | undefined {
  return value?.kind === 'number' && value.values.length > 0 ? Number(value.values[0]) : undefined;
}

function fail(hdf: Hdf5File, path: string, fact: string): never {
  throw new FormatError(
    `mat: ${hdf.source} ${fact} at ${quoted(path)}. The file is damaged; fetch it again.`,
    hdf.source,
  );
}
