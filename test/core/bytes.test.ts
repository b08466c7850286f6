import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { allocateBytes, blobSource, bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import { unitFactor } from '../../src/core/units.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

describe('bytesSource and blobSource', () => {
  it.each([
    ['bytes', bytesSource('a', bytes, { 'b.dat': bytes.subarray(3) })],
    ['blob', blobSource('a', new Blob([bytes]), new Map([['b.dat', new Blob([bytes.subarray(3)])]]))],
  ])('%s: give slices and siblings, refuse what is not there', async (_, source) => {
    expect([...(await source.read(998, 1000))]).toEqual([998 & 255, 999 & 255]);
    expect((await source.sibling!('b.dat'))!.byteLength).toBe(997);
    expect(await source.sibling!('toString')).toBeUndefined();
    for (const [start, end] of [
      [-1, 1],
      [0, 1001],
      [5, 4],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      await expect(source.read(start, end)).rejects.toThrow(FormatError);
    }
  });
});

test('bytes that no array holds are refused with their number', () => {
  expect(() => allocateBytes('a', 5, 5 + 2 ** 33)).toThrow(
    /^a: 8589934592 bytes from byte 5 on were asked for in one piece, at most 4294967296 fit into one array/,
  );
});

test('a file that a page lost is an error of ours', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heartmind-blob-'));
  try {
    const path = join(folder, 'a.bin');
    await writeFile(path, bytes);
    const source = blobSource('a.bin', await openAsBlob(path));
    await writeFile(path, 'other');
    await expect(source.read(0, 1000)).rejects.toThrow(
      /^a\.bin: bytes from 0 on cannot be read \(NotReadableError.*changed or removed since it was chosen/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('unitFactor', () => {
  it('knows voltages in every spelling and nothing else', () => {
    expect(unitFactor('mV', 'uV')).toBe(1000);
    expect(unitFactor('µV', 'mV')).toBe(1e-3);
    expect(unitFactor(' V', 'µV')).toBe(1e6);
    expect(() => unitFactor('mmHg', 'uV')).toThrow(/'mmHg' is not a voltage/);
    expect(() => unitFactor('constructor', 'uV')).toThrow(/'constructor'/);
  });
});
