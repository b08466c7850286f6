/**
 * MATLAB level 4 MAT-files: bytes → named real matrices, either byte order, all five number types and text.
 * Source: "MAT-File Format", The MathWorks, chapter on level 4.
 */
import type { ByteSource } from '../core/bytes.ts';
import { FormatError, UnsupportedError } from '../core/errors.ts';
import { latin1, quoted } from './header-text.ts';

export interface Matrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Column by column: element (r, c) is at c · rows + r. */
  readonly values: Float64Array;
  /** Values are character codes. */
  readonly isText: boolean;
}

interface NumberType {
  readonly bytes: number;
  get(view: DataView, at: number, isLittle: boolean): number;
}

/** The P digit of the type field. */
const numberTypes: readonly NumberType[] = [
  { bytes: 8, get: (view, at, little) => view.getFloat64(at, little) },
  { bytes: 4, get: (view, at, little) => view.getFloat32(at, little) },
  { bytes: 4, get: (view, at, little) => view.getInt32(at, little) },
  { bytes: 2, get: (view, at, little) => view.getInt16(at, little) },
  { bytes: 2, get: (view, at, little) => view.getUint16(at, little) },
  { bytes: 1, get: (view, at) => view.getUint8(at) },
];

/** Read every matrix. FormatError where sizes exceed the bytes present; UnsupportedError for complex and sparse ones. */
export async function readMat4(source: ByteSource): Promise<Matrix[]> {
  const matrices: Matrix[] = [];
  let at = 0;
  while (at < source.byteLength) {
    const fail = (fact: string): never => {
      throw new FormatError(
        `mat: ${source.name} ${fact} at byte ${at}. It is no level 4 MAT-file, or damaged.`,
        source.name,
        at,
      );
    };
    if (at + 20 > source.byteLength) fail(`has ${source.byteLength - at} bytes where a matrix header has 20`);
    const head = viewOf(await source.read(at, at + 20));
    // MOPT: thousands are the byte order (0 little, 1 big); a wrong order reads as a huge number.
    const isLittle = head.getUint32(0, true) <= 9999;
    const [type, rows, columns, imaginary, nameLength] = [0, 4, 8, 12, 16].map((offset) =>
      head.getUint32(offset, isLittle),
    );
    const [m, o, p, t] = [1000, 100, 10, 1].map((digit) => Math.floor(type! / digit) % 10);
    const numberType = numberTypes[p!];
    if (type! > 9999 || o !== 0 || !numberType || t! > 2 || m !== (isLittle ? 0 : 1))
      fail(`has ${type} as matrix type`);
    const size = rows! * columns!;
    const dataStart = at + 20 + nameLength!;
    const dataEnd = dataStart + size * numberType!.bytes * (imaginary === 0 ? 1 : 2);
    if (nameLength! > 4096 || dataEnd > source.byteLength)
      fail(
        `ends at byte ${source.byteLength}, a matrix of ${rows} × ${columns} ends at ${dataEnd}; its header is`,
      );
    const name = latin1(await source.read(at + 20, dataStart));
    if (imaginary !== 0 || t === 2) {
      const kind = t === 2 ? 'sparse' : 'complex';
      throw new UnsupportedError(
        `mat: ${source.name} holds the ${kind} matrix ${quoted(name)}. Save it as a full real one.`,
        `mat ${kind} matrices`,
      );
    }
    const data = viewOf(await source.read(dataStart, dataEnd));
    const values = new Float64Array(size);
    for (let i = 0; i < size; i++) values[i] = numberType!.get(data, i * numberType!.bytes, isLittle);
    matrices.push({ name, rows: rows!, columns: columns!, values, isText: t === 1 });
    at = dataEnd;
  }
  return matrices;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
