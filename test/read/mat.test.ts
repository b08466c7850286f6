/** MAT-files: SciPy's own against SciPy's values, built ones by element, selective reading, and lies. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import { openMat } from '../../src/read/mat/mat.ts';
import type { MatValue, NumericArray } from '../../src/read/mat/values.ts';
import golden from '../golden/read/mat.json' with { type: 'json' };
import { concat, countingSource } from './build.ts';
import { mat5, matSamples, nested } from './build-mat.ts';

const shared = join(import.meta.dirname, '../../../shared/data/conformance/mat_scipy');

interface GoldenValue {
  readonly kind: string;
  readonly [key: string]: unknown;
}
type Golden = { readonly error?: string; readonly variables?: Readonly<Record<string, GoldenValue>> };

/** Our value in the form of the golden file. */
function encode(value: MatValue, isLevel4: boolean): unknown {
  if (value.kind === 'numeric') {
    const type = { double: 'float64', single: 'float32' }[value.class as string] ?? value.class;
    return {
      kind: 'numeric',
      shape: value.shape,
      ...(!isLevel4 && { type }),
      values: numbers(value.values),
      ...(value.imaginary && { imaginary: numbers(value.imaginary) }),
    };
  }
  if (value.kind === 'logical') return { ...value, values: numbers(value.values) };
  if (value.kind === 'sparse') {
    const { isLogical, rowIndices, columnStarts, values, imaginary, ...rest } = value;
    return {
      ...rest,
      rowIndices: [...rowIndices],
      columnStarts: [...columnStarts],
      values: numbers(values),
      ...(imaginary && { imaginary: numbers(imaginary) }),
    };
  }
  if (value.kind === 'cell') return { ...value, cells: value.cells.map((cell) => encode(cell, isLevel4)) };
  if (value.kind === 'struct')
    return {
      ...value,
      fields: [...value.fields].map(([name, values]) => [name, values.map((v) => encode(v, isLevel4))]),
    };
  if (value.kind === 'opaque')
    return {
      kind: 'opaque',
      class: value.class,
      ...(value.class === 'object' && { className: value.className }),
    };
  return value;
}

function numbers(values: NumericArray): unknown {
  if (values.length > 60) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { sha256: createHash('sha256').update(bytes).digest('hex'), count: values.length };
  }
  return Array.from(values as Float64Array, (x) =>
    typeof x === 'bigint'
      ? String(x)
      : Number.isFinite(x)
        ? x
        : Number.isNaN(x)
          ? 'nan'
          : x > 0
            ? 'inf'
            : '-inf',
  );
}

/** SciPy refuses the name of one and loses those of objects in another. */
const named: Readonly<Record<string, readonly string[]>> = {
  'bad_miutf8_array_name.mat': ['äray_name'],
  'testmatlabstring_7_WIN64.mat': ['matstring1', 'matstring2'],
};

describe.skipIf(!existsSync(shared))('SciPy’s files (in ../shared, extra)', () => {
  for (const [fileName, { error, variables }] of Object.entries(golden.files as Record<string, Golden>)) {
    // SciPy does not read version 7.3; below.
    if (fileName.startsWith('testhdf5')) continue;
    it(fileName, async () => {
      const source = bytesSource(fileName, readFileSync(join(shared, fileName)));
      const read = async () => {
        const file = await openMat(source);
        const found: [string, unknown][] = [];
        for (const { name } of file.variables)
          found.push([name, encode(await file.read(name), file.version === '4')]);
        return found;
      };
      if (named[fileName]) expect((await read()).map(([name]) => name)).toEqual(named[fileName]);
      else if (error) await expect(read()).rejects.toThrow(HeartmindError);
      else expect(Object.fromEntries(await read())).toEqual(plain(variables!, /_4|mat4/.test(fileName)));
    });
  }

  it('testhdf5_7.4_GLNX86.mat, which is HDF5', async () => {
    const bytes = readFileSync(join(shared, 'testhdf5_7.4_GLNX86.mat'));
    const file = await openMat(bytesSource('testhdf5.mat', bytes));
    // As testdouble of the other versions: 0, π/4, … 2π.
    const quarters = Float64Array.from({ length: 9 }, (_, k) => (k * Math.PI) / 4);
    expect(await file.read('testdouble')).toEqual({
      kind: 'numeric',
      class: 'double',
      shape: [1, 9],
      values: quarters,
    });
    await file.close();
  });
});

/** Level 4 keeps the type that is stored; SciPy says which it was by its own name. */
function plain(variables: Readonly<Record<string, GoldenValue>>, _isLevel4: boolean): unknown {
  return JSON.parse(JSON.stringify(variables), (key, value) =>
    key === 'type' && _isLevel4 ? undefined : value,
  );
}

describe('openMat', () => {
  it('reads every sample to its end', async () => {
    for (const sample of matSamples()) {
      const file = await openMat(bytesSource('x.mat', Object.values(sample)[0]!));
      for (const { name, class: matClass } of file.variables) {
        const value = await file.read(name);
        expect(value.kind).not.toBe('skipped');
        if (name === 'sp')
          expect(value).toMatchObject({ rowIndices: Int32Array.of(0, 2), values: Float64Array.of(1.5, -2) });
        if (name === 'greeting') expect(value).toMatchObject({ rows: ['héllo'] });
        if (name === 'z') expect(value).toMatchObject({ class: 'single', imaginary: Float32Array.of(3, 4) });
        expect(matClass).not.toBe('opaque');
      }
    }
  });

  it.each([true, false])('widens every stored type to the class, little-endian: %s', async (isLittle) => {
    const { matrix5, numbers: store, file } = mat5(isLittle);
    for (const type of [1, 3, 5, 7, 9, 12])
      for (const [mx, name] of [
        [6, 'double'],
        [7, 'single'],
        [10, 'int16'],
        [14, 'int64'],
      ] as const) {
        const bytes = file(matrix5({ mx, dims: [1, 3], name: 'x', data: [store(type, [-3, 0, 100])] }));
        const value = await (await openMat(bytesSource('x.mat', bytes))).read('x');
        expect(value).toMatchObject({ kind: 'numeric', class: name });
        expect(Array.from((value as { values: Float64Array }).values, Number)).toEqual([-3, 0, 100]);
      }
  });

  it('names later fields of a name apart, and keeps hostile names as names', async () => {
    const { struct, doubles, file } = mat5();
    const fields = ['a', '__proto__', 'a', 'a', 'constructor'];
    const bytes = file(
      struct(
        [1, 1],
        fields,
        fields.map((_, i) => doubles([1, 1], [i])),
        's',
      ),
    );
    const value = await (await openMat(bytesSource('x.mat', bytes))).read('s');
    expect(value.kind === 'struct' && [...value.fields.keys()]).toEqual([
      'a',
      '__proto__',
      '_1_a',
      '_2_a',
      'constructor',
    ]);
    expect(Object.hasOwn(Object.prototype, '0')).toBe(false);
  });

  it('offers the whole variables of a truncated file when asked to', async () => {
    const { doubles, file } = mat5();
    const bytes = file(doubles([1, 2], [1, 2], 'a'), doubles([1, 2], [3, 4], 'b')).subarray(0, -4);
    await expect(openMat(bytesSource('x.mat', bytes))).rejects.toThrow(/--tolerant/);
    const found = await openMat(bytesSource('x.mat', bytes), { tolerant: true });
    expect(found.variables.map(({ name }) => name)).toEqual(['a']);
    expect(found.log[0]).toMatch(/truncated.*1 whole variables/);
  });
});

describe('parts of a variable', () => {
  const { compressed, file } = mat5();
  const files = { stored: file(nested()), compressed: file(compressed(nested())) };

  it.each(Object.entries(files))('are given in order, by pattern (%s)', async (_, bytes) => {
    const mat = await openMat(bytesSource('x.mat', bytes));
    const paths: string[] = [];
    for await (const { path, value } of mat.parts('S', ['S.Data{*}.ECG.stimuli{2}', 'S.rate'])) {
      paths.push(path);
      expect(value).toMatchObject({ kind: 'numeric', shape: path === 'S.rate' ? [1, 1] : [1, 3] });
    }
    expect(paths).toEqual(['S.Data{1}.ECG.stimuli{2}', 'S.Data{2}.ECG.stimuli{2}', 'S.rate']);
  });

  it.each(Object.entries(files))('can be left after the first (%s)', async (_, bytes) => {
    const mat = await openMat(bytesSource('x.mat', bytes));
    for await (const { value } of mat.parts('S', ['S.Data{1}.Age'])) {
      expect(value).toMatchObject({ rows: ['21'] });
      break;
    }
    expect(await mat.read('S', { select: ['S.rate'] })).toMatchObject({ kind: 'struct' });
  });

  it('what was not selected is named as skipped, with its shape', async () => {
    const mat = await openMat(bytesSource('x.mat', files.compressed));
    const value = await mat.read('S', { select: ['S.Data{2}.Age'] });
    const data = value.kind === 'struct' ? value.fields.get('Data')![0]! : undefined;
    expect(data).toMatchObject({
      kind: 'cell',
      cells: [{ kind: 'skipped', shape: [1, 1] }, { kind: 'struct' }],
    });
  });

  it('an index names everything and its shape', async () => {
    const mat = await openMat(bytesSource('x.mat', files.compressed));
    const entries = await mat.index('S');
    expect(entries.map(({ path }) => path)).toContain('S.Data{2}.ECG.stimuli{1}');
    expect(entries.find(({ path }) => path === 'S.Data{2}.ECG.stimuli{1}')).toMatchObject({ shape: [2, 2] });
    expect(entries).toHaveLength(15);
  });

  it('of a stored variable are jumped to: little else is read', async () => {
    const { struct, doubles, file: build } = mat5();
    const long = Array.from({ length: 200_000 }, (_, i) => i);
    const bytes = build(
      struct([1, 1], ['a', 'b'], [doubles([1, long.length], long), doubles([1, 1], [7])], 'S'),
    );
    const { source, requests } = countingSource('x.mat', bytes);
    const mat = await openMat(source);
    expect(await mat.read('S', { select: ['S.b'] })).toMatchObject({ kind: 'struct' });
    expect(requests.total()).toBeLessThan(60_000);
  });

  it('a path that is none is refused', async () => {
    const mat = await openMat(bytesSource('x.mat', files.stored));
    await expect(mat.read('S', { select: ['S.Data{'] })).rejects.toMatchObject({ name: 'ConfigError' });
    await expect(mat.read('T')).rejects.toThrow(/has no variable 'T'. It has 'S'/);
  });
});

describe('lies', () => {
  const { matrix5, numbers: store, cell, doubles, element, compressed, file, uint32 } = mat5();
  const open = async (bytes: Uint8Array) => {
    const mat = await openMat(bytesSource('x.mat', bytes));
    for (const { name } of mat.variables) await mat.read(name);
  };

  it.each([
    ['more numbers than bytes', matrix5({ mx: 6, dims: [1, 1e9], name: 'x', data: [store(9, [1, 2])] })],
    ['more cells than bytes', cell([1, 1e9], [doubles([1, 1], [1])], 'x')],
    ['a negative size', matrix5({ mx: 6, dims: [1, 2 ** 32 - 1], name: 'x', data: [store(9, [1])] })],
    [
      'a blank text of a gigabyte',
      matrix5({ mx: 4, dims: [1, 1e9], name: 'x', data: [element(16, new Uint8Array(0))] }),
    ],
    ['compressed within compressed', compressed(compressed(doubles([1, 1], [1], 'x')))],
    ['a matrix longer than its compressed data', compressed(concat(uint32(14, 1e9), new Uint8Array(64)))],
    [
      'sparse columns that go backwards',
      matrix5({ mx: 5, dims: [3, 2], name: 'x', data: [store(5, [0]), store(5, [0, 2, 1]), store(9, [1])] }),
    ],
    ['a class that is none', matrix5({ mx: 99, dims: [1, 1], name: 'x', data: [] })],
  ])('%s', async (_, variable) => {
    await expect(open(file(variable))).rejects.toMatchObject({ name: 'FormatError' });
  });

  it('nesting without end', async () => {
    let inner = doubles([1, 1], [1]);
    for (let depth = 0; depth < 100; depth++) inner = cell([1, 1], [inner], depth === 99 ? 'x' : '');
    await expect(open(file(inner))).rejects.toThrow(/nests more than 64/);
  });
});
