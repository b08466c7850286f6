/**
 * MATLAB level 4 MAT-files: bytes → named matrices: real, complex, text, sparse; either byte order, all five number
 * types. Source: "MAT-File Format", The MathWorks, chapter on level 4.
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { latin1 } from '../header-text.ts';
import type { MatPlace, MatVariable } from './file.ts';
import { arrayOf, swapBytes } from './mat5-elements.ts';
import type { MatNumeric, MatValue, NumericArray, NumericClass } from './values.ts';
import { rowsOfCharacters } from './values.ts';

interface Stored4 extends MatVariable {
  readonly rows: number;
  readonly columns: number;
  readonly isLittle: boolean;
  readonly numberClass: NumericClass;
  /** 0 full, 1 text, 2 sparse */
  readonly layout: number;
  readonly dataStart: number;
  readonly dataEnd: number;
}

export interface Mat4 {
  readonly variables: readonly MatVariable[];
  readonly log: readonly string[];
  read(i: number): Promise<MatValue>;
  /** Of a full array of real numbers. */
  place(i: number): MatPlace | undefined;
}

/** The P digit of the type field. */
const numberTypes: readonly (readonly [bytes: number, NumericClass])[] = [
  [8, 'double'],
  [4, 'single'],
  [4, 'int32'],
  [2, 'int16'],
  [2, 'uint16'],
  [1, 'uint8'],
];

/** Could these first bytes be a matrix of level 4? */
export function isMat4Head(head: Uint8Array): boolean {
  if (head.length < 20) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const isLittle = view.getUint32(0, true) <= 9999;
  const type = view.getUint32(0, isLittle);
  const nameLength = view.getUint32(16, isLittle);
  const isOrder = type <= 4999 && (isLittle ? type < 1000 || type >= 2000 : type >= 1000);
  const isKind = Math.floor(type / 100) % 10 === 0 && Math.floor(type / 10) % 10 <= 5 && type % 10 <= 2;
  return isOrder && isKind && nameLength >= 1 && nameLength <= 256 && view.getUint32(12, isLittle) <= 1;
}

/** Read every header. FormatError where sizes exceed the bytes present. */
export async function openMat4(source: ByteSource, tolerant: boolean): Promise<Mat4> {
  const variables: Stored4[] = [];
  const log: string[] = [];
  let at = 0;
  const budget = budgetOf(source);
  while (at < source.byteLength) {
    const found = await readHeader(source, at);
    if (typeof found !== 'string') {
      budget.spend(`mat: ${source.name}`, 'variables', heavyElement);
      await budget.breathe();
      variables.push(found);
      at = found.dataEnd;
      continue;
    }
    if (tolerant && variables.length > 0) {
      log.push(`mat: ${found} at byte ${at}; ${variables.length} whole variables before it are read.`);
      break;
    }
    throw new FormatError(
      `mat: ${source.name} ${found} at byte ${at}. It is no level 4 MAT-file, or damaged.`,
      source.name,
      at,
    );
  }
  return {
    variables,
    log,
    read: (i) => readMatrix4(source, variables[i]!),
    place: (i) => placeOf(variables[i]!),
  };
}

function placeOf({ layout, numberClass, isLittle, isComplex, dataStart }: Stored4): MatPlace | undefined {
  if (layout !== 0 || isComplex) return undefined;
  const type = numberClass === 'double' ? 'float64' : numberClass === 'single' ? 'float32' : numberClass;
  return { type, isBigEndian: !isLittle, start: dataStart };
}

/** The header at a place, or what is wrong with it. */
async function readHeader(source: ByteSource, at: number): Promise<Stored4 | string> {
  if (at + 20 > source.byteLength) return `has ${source.byteLength - at} bytes where a matrix header has 20`;
  const head = viewOf(await source.read(at, at + 20));
  // MOPT: thousands are the byte order (0 little, 1 big, 2 to 4 machines long gone); a wrong order reads as a huge number.
  const isLittle = head.getUint32(0, true) <= 9999;
  const [type, rows, columns, imaginary, nameLength] = [0, 4, 8, 12, 16].map((offset) =>
    head.getUint32(offset, isLittle),
  ) as [number, number, number, number, number];
  const [m, o, p, t] = [1000, 100, 10, 1].map((digit) => Math.floor(type / digit) % 10) as [
    number,
    number,
    number,
    number,
  ];
  const numberType = numberTypes[p];
  if (isLittle && m >= 2 && m <= 4 && type <= 9999)
    throw new UnsupportedError(
      `mat: ${source.name} stores numbers of a VAX or a Cray at byte ${at}. Save it again with MATLAB.`,
      'mat level 4 VAX and Cray numbers',
    );
  if (type > 9999 || o !== 0 || !numberType || t > 2 || m !== (isLittle ? 0 : 1))
    return `has ${type} as matrix type`;
  const [bytes, numberClass] = numberType;
  const dataStart = at + 20 + nameLength;
  const dataEnd = dataStart + rows * columns * bytes * (imaginary === 1 && t !== 2 ? 2 : 1);
  if (imaginary > 1) return `has ${imaginary} where 0 or 1 says whether a matrix is complex`;
  if (nameLength > 4096 || dataEnd > source.byteLength)
    return `ends at byte ${source.byteLength}, a matrix of ${rows} × ${columns} ends at ${dataEnd}; its header is`;
  const name = latin1(await source.read(at + 20, dataStart));
  const place = { rows, columns, isLittle, numberClass, layout: t, dataStart, dataEnd };
  const isComplex = t === 2 ? columns === 4 : imaginary === 1;
  const shape = [rows, columns];
  if (t !== 2) return { name, class: t === 1 ? 'char' : numberClass, shape, isComplex, ...place };
  // A sparse matrix is a list of [row, column, real, imaginary], the last of them its size.
  if (columns < 3 || columns > 4 || rows < 1) return `has a sparse matrix stored as ${rows} × ${columns}`;
  const list = await readValues(source, place, 0);
  const sizes = [Number(list[rows - 1]), Number(list[2 * rows - 1])];
  if (sizes.some((size) => !Number.isInteger(size) || size < 0 || size > 2 ** 31))
    return `has a sparse matrix of ${sizes.join(' × ')}`;
  return { name, class: 'sparse', shape: sizes, isComplex, ...place };
}

type Place4 = Pick<Stored4, 'rows' | 'columns' | 'isLittle' | 'numberClass' | 'dataStart'>;

/** Part 0 or 1 (imaginary) of the stored numbers, in the machine's byte order. */
async function readValues(source: ByteSource, place: Place4, part: number): Promise<NumericArray> {
  const count = place.rows * place.columns;
  const values = arrayOf(place.numberClass, count);
  const raw = new Uint8Array(values.buffer);
  const start = place.dataStart + part * raw.length;
  const read = await source.read(start, start + raw.length, raw);
  if (read.buffer !== raw.buffer) raw.set(read);
  if (place.isLittle !== (new Uint8Array(Uint32Array.of(1).buffer)[0] === 1))
    swapBytes(raw, values.BYTES_PER_ELEMENT);
  return values;
}

async function readMatrix4(source: ByteSource, stored: Stored4): Promise<MatValue> {
  const { shape } = stored;
  const values = await readValues(source, stored, 0);
  if (stored.layout === 1) {
    const text = Array.from(values as Float64Array, (code) => String.fromCharCode(code));
    return { kind: 'char', shape, rows: rowsOfCharacters(text, text.length, shape) };
  }
  if (stored.layout === 2) return sparseOf(source, stored, Float64Array.from(values as Float64Array));
  const value: MatNumeric = { kind: 'numeric', class: stored.numberClass, shape, values };
  return stored.isComplex ? { ...value, imaginary: await readValues(source, stored, 1) } : value;
}

function sparseOf(
  source: ByteSource,
  { rows, shape, isComplex, dataStart }: Stored4,
  list: Float64Array,
): MatValue {
  const count = rows - 1;
  const [height, width] = shape as [number, number];
  const column = (i: number) => list[rows + i]! - 1;
  const order = Array.from({ length: count }, (_, i) => i);
  // Stored column by column as a rule; equal places keep their order.
  order.sort((a, b) => column(a) - column(b) || list[a]! - list[b]!);
  // The starts take room by the width, which no bytes stand for.
  const isOutside = order.some(
    (i) => !(list[i]! >= 1 && list[i]! <= height && column(i) >= 0 && column(i) < width),
  );
  if (isOutside || width > 2 ** 24)
    throw new FormatError(
      `mat: ${source.name} has a sparse matrix of ${height} × ${width} with elements outside of it, or too wide, at byte ${dataStart}. The file is damaged.`,
      source.name,
      dataStart,
    );
  const columnStarts = new Int32Array(width + 1);
  for (const i of order) columnStarts[column(i) + 1]!++;
  for (let c = 0; c < width; c++) columnStarts[c + 1]! += columnStarts[c]!;
  const value = {
    kind: 'sparse',
    isLogical: false,
    shape,
    rowIndices: Int32Array.from(order, (i) => list[i]! - 1),
    columnStarts,
    values: Float64Array.from(order, (i) => list[2 * rows + i]!),
  } as const;
  return isComplex ? { ...value, imaginary: Float64Array.from(order, (i) => list[3 * rows + i]!) } : value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
