/** Level 4 MAT-files built in place: every number type in either byte order, text, several matrices, wrong sizes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import { isMat4Head, openMat4 } from '../../src/read/mat/mat4.ts';
import { ascii, concat, int16, matrix } from './build.ts';

/** Every matrix as [name, value]. */
async function read(bytes: Uint8Array) {
  const { variables, read } = await openMat4(bytesSource('x.mat', bytes), false);
  return Promise.all(variables.map(async ({ name }, i) => [name, await read(i)] as const));
}

type Setter = (view: DataView, at: number, value: number, little: boolean) => void;
/** By the P digit of the type: name, bytes, how to write, which values are exact. */
const types: readonly [name: string, bytes: number, set: Setter, values: fc.Arbitrary<number>][] = [
  ['float64', 8, (v, at, x, little) => v.setFloat64(at, x, little), fc.double()],
  ['float32', 4, (v, at, x, little) => v.setFloat32(at, x, little), fc.float()],
  [
    'int32',
    4,
    (v, at, x, little) => v.setInt32(at, x, little),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  ],
  ['int16', 2, (v, at, x, little) => v.setInt16(at, x, little), fc.integer({ min: -32_768, max: 32_767 })],
  ['uint16', 2, (v, at, x, little) => v.setUint16(at, x, little), fc.integer({ min: 0, max: 65_535 })],
  ['uint8', 1, (v, at, x) => v.setUint8(at, x), fc.integer({ min: 0, max: 255 })],
];

const classes: Readonly<Record<string, string>> = {
  float64: 'double',
  float32: 'single',
  int32: 'int32',
  int16: 'int16',
  uint16: 'uint16',
  uint8: 'uint8',
};

describe('openMat4', () => {
  it.each(
    types.flatMap(
      ([name], digit) =>
        [
          [name, 'little', digit],
          [name, 'big', digit],
        ] as const,
    ),
  )('reads %s, %s-endian, column by column', async (_, order, digit) => {
    const [name, bytes, set, values] = types[digit]!;
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(5), fc.infiniteStream(values), async (rows, columns, stream) => {
        const numbers = [...stream.take(rows * columns)];
        const view = new DataView(new ArrayBuffer(numbers.length * bytes));
        for (const [i, value] of numbers.entries()) set(view, i * bytes, value, order === 'little');
        const type = digit * 10 + (order === 'little' ? 0 : 1000);
        const found = await read(matrix('signal', type, rows, columns, new Uint8Array(view.buffer)));
        expect(found).toMatchObject([
          ['signal', { kind: 'numeric', class: classes[name], shape: [rows, columns] }],
        ]);
        const { values } = found[0]![1] as { values: Float64Array };
        expect(Float64Array.from(values)).toEqual(Float64Array.from(numbers));
        expect(isMat4Head(matrix('signal', type, rows, columns, new Uint8Array(view.buffer)))).toBe(true);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('takes the first bytes of each matrix for its own byte order, at odd places too', async () => {
    const bytes = concat(
      matrix('note', 51, 1, 3, ascii('abc')),
      matrix('big', 1030, 1, 2, Uint8Array.of(0x01, 0x02, 0xff, 0xfe)),
      matrix('val', 30, 2, 2, int16([1, 2, 3, 4])),
      matrix('empty', 0, 0, 0, new Uint8Array(0)),
    );
    const found = await read(bytes);
    expect(found).toMatchObject([
      ['note', { kind: 'char', rows: ['abc'] }],
      ['big', { values: Int16Array.of(0x0102, -2) }],
      ['val', { shape: [2, 2], values: Int16Array.of(1, 2, 3, 4) }],
      ['empty', { shape: [0, 0], values: new Float64Array(0) }],
    ]);
  });

  it('finds no matrix in an empty file', async () => {
    expect(await read(new Uint8Array(0))).toEqual([]);
  });

  it('reads imaginary parts', async () => {
    expect(await read(matrix('z', 30, 1, 2, int16([1, 2, 3, 4]), 1))).toMatchObject([
      ['z', { values: Int16Array.of(1, 2), imaginary: Int16Array.of(3, 4) }],
    ]);
  });

  it('reads sparse matrices, listed in any order; the last row of the list is their size', async () => {
    const list = [2, 1, 3, 2, 1, 2, 7, 5, 0].flatMap((value) => [
      ...new Uint8Array(Float64Array.of(value).buffer),
    ]);
    expect(await read(matrix('s', 2, 3, 3, Uint8Array.from(list)))).toMatchObject([
      [
        's',
        {
          kind: 'sparse',
          shape: [3, 2],
          rowIndices: Int32Array.of(0, 1),
          columnStarts: Int32Array.of(0, 1, 2),
          values: Float64Array.of(5, 7),
        },
      ],
    ]);
  });

  it('names the numbers of machines long gone', async () => {
    await expect(
      read(
        matrix('x', 30, 1, 1, int16([1]))
          .with(0, 0xee)
          .with(1, 0x07),
      ),
    ).rejects.toMatchObject({
      name: 'UnsupportedError',
    });
  });

  it.each([
    ['a number type that is none', 60],
    ['a kind that is none', 33],
    ['a filled reserved digit', 130],
    ['a type of five digits', 10_000],
  ])('refuses %s', async (_, type) => {
    await expect(read(matrix('x', type, 1, 1, new Uint8Array(8)))).rejects.toThrow(
      /as matrix type at byte 0/,
    );
  });

  it('refuses what is no MAT-file of level 4', async () => {
    const text = ascii('MATLAB 5.0 MAT-file, Platform: GLNXA64');
    await expect(read(text)).rejects.toThrow(FormatError);
  });

  it('refuses more elements than there are bytes, with both sizes, before it makes room for them', async () => {
    await expect(read(matrix('x', 30, 2, 3, int16([1, 2, 3, 4, 5])))).rejects.toMatchObject({
      name: 'FormatError',
      message:
        'mat: x.mat ends at byte 32, a matrix of 2 × 3 ends at 34; its header is at byte 0. It is no level 4 MAT-file, or damaged.',
      byteOffset: 0,
    });
    for (const [rows, columns] of [
      [2 ** 32 - 1, 2 ** 32 - 1],
      [2 ** 31, 1],
      [65_536, 65_536],
    ] as const)
      await expect(read(matrix('x', 0, rows, columns, new Uint8Array(64)))).rejects.toThrow(FormatError);
  });

  it('refuses bytes behind the last matrix that are too few for another, and says where', async () => {
    const bytes = concat(matrix('x', 30, 1, 1, int16([1])), new Uint8Array(19));
    await expect(read(bytes)).rejects.toMatchObject({
      message: expect.stringContaining('has 19 bytes where a matrix header has 20 at byte 24'),
      byteOffset: 24,
    });
  });

  it('refuses a name that is longer than the file, or than any name', async () => {
    const bytes = matrix('x', 30, 1, 1, int16([1]));
    new DataView(bytes.buffer).setUint32(16, 100, true);
    await expect(read(bytes)).rejects.toThrow(FormatError);
    await expect(read(matrix('n'.repeat(5000), 30, 1, 1, int16([1])))).rejects.toThrow(FormatError);
    expect((await read(matrix('n'.repeat(4000), 30, 1, 1, int16([1]))))[0]![0]).toHaveLength(4000);
  });
});
