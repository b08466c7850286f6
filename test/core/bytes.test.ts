import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { blobSource, bytesSource, gunzipSource, isGzip } from '../../src/core/bytes.ts';
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

describe('gunzipSource', () => {
  it('inflates', async () => {
    const zipped = gzipSync(bytes);
    expect(isGzip(zipped)).toBe(true);
    const source = await gunzipSource(bytesSource('a.edf.gz', zipped));
    expect([source.name, source.byteLength]).toEqual(['a.edf', 1000]);
    expect(await source.read(0, 1000)).toEqual(bytes);
  });

  it('refuses truncated data, junk and bombs', async () => {
    const zipped = gzipSync(bytes);
    await expect(gunzipSource(bytesSource('a.gz', zipped.subarray(0, 40)))).rejects.toThrow(
      /^a\.gz: gzip data ends in an error/,
    );
    await expect(gunzipSource(bytesSource('a.gz', bytes))).rejects.toThrow(FormatError);
    const bomb = gzipSync(new Uint8Array(50_000_000));
    await expect(gunzipSource(bytesSource('bomb.gz', bomb), 1_000_000)).rejects.toThrow(
      /more than 1000000 bytes/,
    );
  });
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
