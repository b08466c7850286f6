/** MAT-files of level 5 built element by element, in either byte order, compressed or not; and small samples of each version. */
import { zlibSync } from 'fflate';
import { ascii, concat, int16, matrix } from './build.ts';

export interface MatrixParts {
  /** The mx… number: 1 cell, 2 struct, 4 char, 5 sparse, 6 double, … */
  readonly mx: number;
  readonly dims: readonly number[];
  readonly name?: string;
  /** 2 logical, 8 complex. */
  readonly flags?: number;
  /** What follows the name. */
  readonly data: readonly Uint8Array[];
}

/** A builder for one byte order. */
export function mat5(isLittle = true) {
  const uint32 = (...values: number[]) => {
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [i, value] of values.entries()) view.setUint32(i * 4, value, isLittle);
    return bytes;
  };
  const element = (type: number, data: Uint8Array) =>
    concat(uint32(type, data.length), data, new Uint8Array(-data.length & 7));
  const small = (type: number, data: Uint8Array) =>
    concat(uint32((data.length << 16) | type), data, new Uint8Array(4 - data.length));
  /** Numbers as type mi… */
  const numbers = (type: number, values: readonly number[]) => {
    const width = [0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8, 0, 0, 1, 2, 4][type]!;
    const bytes = new Uint8Array(values.length * width);
    const view = new DataView(bytes.buffer);
    for (const [i, value] of values.entries()) {
      if (type === 7) view.setFloat32(i * 4, value, isLittle);
      else if (type === 9) view.setFloat64(i * 8, value, isLittle);
      else if (width === 8) view.setBigInt64(i * 8, BigInt(value), isLittle);
      else if (width === 4) view.setInt32(i * 4, value, isLittle);
      else if (width === 2) view.setInt16(i * 2, value, isLittle);
      else view.setInt8(i, value);
    }
    return element(type, bytes);
  };
  const matrix5 = ({ mx, dims, name = '', flags = 0, data }: MatrixParts) =>
    element(
      14,
      concat(
        element(6, uint32((flags << 8) | mx, 0)),
        element(5, uint32(...dims)),
        name.length > 0 && name.length <= 4 ? small(1, ascii(name)) : element(1, ascii(name)),
        ...data,
      ),
    );
  const struct = (
    dims: readonly number[],
    fields: readonly string[],
    values: readonly Uint8Array[],
    name = '',
  ) =>
    matrix5({
      mx: 2,
      dims,
      name,
      data: [
        small(5, uint32(32)),
        element(1, concat(...fields.map((field) => concat(ascii(field), new Uint8Array(32 - field.length))))),
        ...values,
      ],
    });
  const text = (value: string, name = '') =>
    matrix5({ mx: 4, dims: [1, value.length], name, data: [element(16, new TextEncoder().encode(value))] });
  const doubles = (dims: readonly number[], values: readonly number[], name = '', type = 9) =>
    matrix5({ mx: 6, dims, name, data: [numbers(type, values)] });
  const cell = (dims: readonly number[], cells: readonly Uint8Array[], name = '') =>
    matrix5({ mx: 1, dims, name, data: cells });
  const compressed = (variable: Uint8Array) => {
    const data = zlibSync(variable);
    return concat(uint32(15, data.length), data);
  };
  const file = (...variables: readonly Uint8Array[]) =>
    concat(
      ascii('MATLAB 5.0 MAT-file, made by a test'.padEnd(116)),
      new Uint8Array(8),
      isLittle ? Uint8Array.of(0, 1, 0x49, 0x4d) : Uint8Array.of(1, 0, 0x4d, 0x49),
      ...variables,
    );
  return { uint32, element, small, numbers, matrix5, struct, text, doubles, cell, compressed, file };
}

/** A struct like those of datasets: S.Data{1×2} of structs with texts, numbers and cells of signals. */
export function nested(isLittle = true): Uint8Array {
  const { struct, cell, doubles, text } = mat5(isLittle);
  const person = (k: number) =>
    struct(
      [1, 1],
      ['Age', 'ECG'],
      [
        text(String(20 + k)),
        struct(
          [1, 1],
          ['stimuli'],
          [cell([2, 1], [doubles([2, 2], [k, 2, 3, 4]), doubles([1, 3], [k, 6, 7.5])])],
        ),
      ],
    );
  return struct(
    [1, 1],
    ['Data', 'rate'],
    [cell([1, 2], [person(1), person(2)]), doubles([1, 1], [256], '', 4)],
    'S',
  );
}

/** Small valid files of every version, the main file first in each. */
export function matSamples(): Record<string, Uint8Array>[] {
  return [true, false]
    .flatMap((isLittle) => {
      const build = mat5(isLittle);
      const { compressed, file, matrix5, numbers } = build;
      const sparse = matrix5({
        mx: 5,
        dims: [3, 2],
        name: 'sp',
        data: [numbers(5, [0, 2]), numbers(5, [0, 1, 2]), numbers(9, [1.5, -2])],
      });
      const complex = matrix5({
        mx: 7,
        dims: [1, 2],
        name: 'z',
        flags: 8,
        data: [numbers(7, [1, 2]), numbers(7, [3, 4])],
      });
      return [
        file(nested(isLittle), sparse, complex, build.text('héllo', 'greeting')),
        file(compressed(nested(isLittle)), compressed(sparse), compressed(complex)),
      ];
    })
    .concat([
      concat(matrix('val', 30, 2, 3, int16([1, 2, 3, 4, 5, 6])), matrix('note', 51, 1, 3, ascii('abc'))),
    ])
    .map((bytes) => ({ 'x.mat': bytes }));
}
