/** HDF5 against h5py (scripts/golden/hdf5.py): types, parts of arrays, corpora, MAT 7.3; a source that waits; damage. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import { openHdf5 } from '../../src/read/hdf5/hdf5.ts';
import { hdfLibrary } from '../../src/read/hdf5/library.ts';
import { openMat } from '../../src/read/mat/mat.ts';
import { openRecording } from '../../src/read/open.ts';
import golden from '../golden/read/hdf5.json' with { type: 'json' };

const folder = join(import.meta.dirname, '../golden/read/hdf5');
const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
const source = (name: string) => bytesSource(name, files[name]!);
/** As over a network: no bytes at once. */
const waiting = (name: string): ByteSource => {
  const { readSync: _, ...rest } = source(name);
  return rest;
};

describe('openHdf5', () => {
  it('reads every number type, half precision exactly', async () => {
    const file = await openHdf5(source('types.h5'));
    for (const name of await file.list('/numbers')) {
      const found = await file.read(`/numbers/${name}`);
      expect(found).toMatchObject({ kind: 'number', shape: [2, 3] });
      expect(Array.from((found as { values: Float64Array }).values, Number)).toEqual([1, 2, 3, 4, 5, 120]);
    }
    const half = (await file.read('/half')) as { values: Float32Array };
    const expected = golden.half.map((text) => Number(text.replace('inf', 'Infinity')));
    expect([...half.values]).toEqual(expected);
    expect(await file.read('/complex')).toMatchObject({
      kind: 'complex',
      values: Float64Array.of(1, 3),
      imaginary: Float64Array.of(2, -4),
    });
    expect(await file.read('/texts/fixed')).toMatchObject({ values: ['ab', 'cde'] });
    expect(await file.read('/texts/free')).toMatchObject({ values: ['hé', '', 'x'.repeat(50)] });
    expect(await file.read('/texts/free', [[0, 1]])).toMatchObject({ values: ['hé'] });
    expect(await file.read('/flags')).toMatchObject({ values: Int8Array.of(1, 0) });
    expect(await file.read('/one')).toMatchObject({ shape: [], values: Float64Array.of(7.5) });
    expect((await file.attributes('/signal')).get('units')).toMatchObject({ values: ['mV'] });
    await file.close();
  });

  it('reads a part of a chunked, compressed array', async () => {
    const file = await openHdf5(source('types.h5'));
    expect(await file.dataset('/chunked')).toMatchObject({ shape: [20, 30], chunks: [7, 8] });
    const found = (await file.read('/chunked', [
      [5, 9],
      [3, 20],
    ])) as { values: Int32Array };
    expect([...found.values]).toEqual(golden.chunked);
    await expect(file.read('/chunked', [[5, 90]])).rejects.toThrow(
      /5–90 of '\/chunked' were asked for, it has 20/,
    );
    await expect(file.read('/nothing')).rejects.toThrow(/has no dataset '\/nothing'/);
    await file.close();
  });

  it('fetches bytes as they are wanted where the source waits', async () => {
    const file = await openHdf5(waiting('types.h5'));
    const found = (await file.read('/chunked', [
      [5, 9],
      [3, 20],
    ])) as { values: Int32Array };
    expect([...found.values]).toEqual(golden.chunked);
    await file.close();
  });
});

describe('recordings in HDF5', () => {
  it('CODE-15%: a row, without the zeros that fill it up', async () => {
    const recording = await openRecording(source('exams_part0.hdf5'), { part: '1' });
    expect(recording.channels).toHaveLength(12);
    expect(recording.channels[2]).toMatchObject({ name: 'DIII', rateHz: 400, lengthSamples: 52 });
    expect([...(await recording.read(2, 0, 52))]).toEqual(golden.code15.lead2.slice(5, -7));
    expect(recording.log.join(' ')).toMatch(/5 zeros at the beginning and 7 at the end/);
    await expect(openRecording(source('exams_part0.hdf5'))).rejects.toThrow(
      /has 3 recordings in '\/tracings'.*--part/,
    );
    await expect(openRecording(source('exams_part0.hdf5'), { part: 'tracings#3' })).rejects.toThrow(
      /3 was asked for/,
    );
    await recording.close();
  });

  it('SPH: half-precision leads', async () => {
    const recording = await openRecording(source('A00001.h5'));
    expect(recording.channels[11]).toMatchObject({ name: 'V6', unit: 'mV', rateHz: 500, lengthSamples: 40 });
    expect([...(await recording.read(11, 0, 40))]).toEqual(golden.sph.last);
  });

  it('any array, its rate and unit from attributes', async () => {
    const recording = await openRecording(source('types.h5'), { part: 'signal' });
    expect(recording.channels).toMatchObject([{ rateHz: 250, unit: 'mV' }, { name: 'Ch2' }]);
    expect([...(await recording.read(1, 10, 20))]).toEqual(golden.signal[1]!.slice(10, 20));
  });
});

describe('MAT 7.3', () => {
  it.each([
    ['at once', source],
    ['waiting', waiting],
  ])('gives the values of level 5 (%s)', async (_, sourceOf) => {
    const file = await openMat(sourceOf('v73.mat'));
    expect(file.version).toBe('7.3');
    expect(
      file.variables.map(({ name, class: c, shape }) => `${name} ${c} ${shape.join('×')}`).sort(),
    ).toEqual([
      'a struct 1×2',
      'b logical 1×2',
      'c cell 1×2',
      'greeting char 1×8',
      'i int16 1×2',
      'm double 2×3',
      'none double 0×3',
      'nothing char 0×0',
      's struct 1×1',
      'sp sparse 3×2',
      't single 2×3×4',
      'z double 1×2',
    ]);
    expect(await file.read('m')).toMatchObject({ values: Float64Array.of(1.5, 4, 2, 5, 3, 6) });
    const t = (await file.read('t')) as { values: Float32Array };
    expect([...t.values.subarray(0, 3)]).toEqual([0, 12, 4]);
    expect(await file.read('b')).toMatchObject({ kind: 'logical', values: Uint8Array.of(1, 0) });
    expect(await file.read('i')).toMatchObject({ class: 'int16', values: Int16Array.of(1, -2) });
    expect(await file.read('z')).toMatchObject({
      values: Float64Array.of(1, 2),
      imaginary: Float64Array.of(3, -4),
    });
    expect(await file.read('greeting')).toMatchObject({ kind: 'char', rows: ['héllo 日本'] });
    expect(await file.read('none')).toMatchObject({ shape: [0, 3], values: new Float64Array(0) });
    expect(await file.read('c')).toMatchObject({
      kind: 'cell',
      cells: [{ values: Float64Array.of(7) }, { rows: ['two'] }],
    });
    const s = await file.read('s');
    expect(s.kind === 'struct' && [...s.fields.keys()]).toEqual(['zeta', 'alpha']);
    expect(await file.read('a')).toMatchObject({
      kind: 'struct',
      shape: [1, 2],
      fields: new Map([
        ['x', [expect.objectContaining({ kind: 'numeric' }), expect.objectContaining({ rows: ['b'] })]],
      ]),
    });
    expect(await file.read('sp')).toMatchObject({
      rowIndices: Int32Array.of(0, 2),
      columnStarts: Int32Array.of(0, 1, 2),
      values: Float64Array.of(1.5, -2),
    });
    const paths: string[] = [];
    for await (const { path } of file.parts('s', ['s.alpha{*}'])) paths.push(path);
    expect(paths).toEqual(['s.alpha{1}']);
    expect((await file.index('a')).map(({ path }) => path)).toEqual(['a', 'a(1).x', 'a(2).x']);
    await file.close();
  });
});

describe('damage', () => {
  it('that libhdf5 would never come back from is refused on its way in', async () => {
    const bytes = new Uint8Array(files['v73.mat']!);
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    const heap = text.indexOf('GCOL');
    // The free space behind the last object: index 0, then its size.
    const view = new DataView(bytes.buffer);
    let at = heap + 16;
    while (view.getUint16(at, true) !== 0) at += 16 + Math.ceil(view.getUint32(at + 8, true) / 8) * 8;
    view.setUint32(at + 8, 0, true);
    const file = await openHdf5(bytesSource('v73.mat', bytes));
    await expect(file.attributes('/a')).rejects.toThrow(/a global heap has an object of 0 bytes/);
    await file.close();
  });

  it('a library that broke is replaced; files that are open carry on in the new one', async () => {
    const file = await openHdf5(source('types.h5'));
    const library = await hdfLibrary();
    library.isBroken = true;
    expect(await file.read('/one')).toMatchObject({ values: Float64Array.of(7.5) });
    expect((await hdfLibrary()).module).not.toBe(library.module);
    await file.close();
  });

  it('is refused with an error of ours, and the next file opens', async () => {
    let refused = 0;
    for (const name of ['types.h5', 'v73.mat'])
      for (let k = 0; k < 60; k++) {
        const bytes = new Uint8Array(files[name]!);
        for (let j = 0; j < 8; j++)
          bytes[(k * 7919 + j * 104_729 + 520) % bytes.length] = (k * 31 + j * 17) & 0xff;
        try {
          const file = await openHdf5(
            bytesSource(name, k % 3 === 0 ? bytes.subarray(0, 600 + k * 100) : bytes),
          );
          for (const path of await file.list('/')) {
            await file.attributes(`/${path}`);
            if ((await file.typeOf(`/${path}`)) === 'dataset') await file.read(`/${path}`);
          }
          await file.close();
        } catch (error) {
          expect(error).toBeInstanceOf(HeartmindError);
          refused++;
        }
      }
    expect(refused).toBeGreaterThan(10);
    const good = await openHdf5(source('types.h5'));
    expect(await good.read('/one')).toMatchObject({ values: Float64Array.of(7.5) });
  });
});

it('many damaged files wear no library out: one that is put away gives nothing back', async () => {
  const before = await hdfLibrary();
  const cut = files['A00001.h5']!.subarray(0, 3000);
  for (let i = 0; i < 250; i++)
    await expect(openHdf5(bytesSource(`${i}.h5`, cut))).rejects.toThrow(HeartmindError);
  expect(await hdfLibrary()).toBe(before);
});

it('without h5wasm, an error says what to install', async () => {
  vi.resetModules();
  vi.doMock('h5wasm', () => {
    throw new Error('no such package');
  });
  const { openHdf5: openWithout } = await import('../../src/read/hdf5/hdf5.ts');
  await expect(openWithout(source('types.h5'))).rejects.toMatchObject({
    name: 'UnsupportedError',
    message: expect.stringContaining('npm install h5wasm'),
  });
  vi.doUnmock('h5wasm');
});
