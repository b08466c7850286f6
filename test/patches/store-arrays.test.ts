import { gzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { FormatError } from '../../src/core/errors.ts';
import { decodeColumn, encodeColumn } from '../../src/patches/store-arrays.ts';

/** The column's own metadata with other files behind it. */
function decode(files: (path: string) => Uint8Array, change: object = {}): Promise<unknown> {
  const { metadata } = encodeColumn('subject', ['a', 'b', 'c']);
  return decodeColumn('subject', { ...metadata, ...change }, async (path) => files(path));
}

test('a column comes back', async () => {
  const { files } = encodeColumn('subject', ['a', 'b', 'c']);
  expect(await decode((path) => files.get(path)!)).toEqual(['a', 'b', 'c']);
});

test('a few kilobytes that inflate to more than a column can have are refused before they are in memory', async () => {
  const bomb = gzipSync(new Uint8Array(200 * 2 ** 20), { level: 9 });
  expect(bomb.length).toBeLessThan(300_000);
  const before = process.memoryUsage().arrayBuffers;
  const error = await decode(() => bomb).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FormatError);
  expect((error as Error).message).toMatch(/^subject\/c\.0: .*hold more than the \d+ bytes that are due/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150 * 2 ** 20);
});

test('metadata that state more rows than a store has are refused', async () => {
  await expect(decode(() => new Uint8Array(0), { shape: [2 ** 40] })).rejects.toThrow(
    /^subject\/zarr\.json: states 1099511627776 rows/,
  );
});
