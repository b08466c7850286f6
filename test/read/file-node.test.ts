/** Local files: what is no file, what was closed. */
import { appendFile, mkdtemp, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readWholeFile } from '../../src/core/read-file-node.ts';
import { fileSource } from '../../src/read/file-node.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-file-'));
  await writeFile(join(folder, 'a.bin'), new Uint8Array(50_000));
});
afterAll(() => rm(folder, { recursive: true }));

test('a folder and a device are no files', async () => {
  await expect(fileSource(folder)).rejects.toThrow(/this is a folder, not a file/);
  if (process.platform !== 'win32')
    await expect(fileSource('/dev/null')).rejects.toThrow(/a pipe or a device/);
  await expect(fileSource(join(folder, 'b.bin'))).rejects.toThrow(/there is no such file/);
});

test('a closed file says so, for short and long reads; closing twice is no error', async () => {
  const source = await fileSource(join(folder, 'a.bin'));
  expect((await source.read(0, 50_000)).length).toBe(50_000);
  await source.close!();
  await source.close!();
  for (const end of [10, 50_000])
    await expect(source.read(0, end)).rejects.toThrow(/a\.bin: the file was closed. Open it again/);
});

test('reads come in system calls of a bounded length, and whole', async () => {
  const path = join(folder, 'b.bin');
  const content = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7) & 255);
  await writeFile(path, content);
  for (const mostBytesPerCall of [1000, 20_000, 60_000]) {
    const source = await fileSource(path, { mostBytesPerCall });
    expect(await source.read(17, 49_017)).toEqual(content.subarray(17, 49_017));
    expect(source.readSync!(17, 9017)).toEqual(content.subarray(17, 9017));
    await source.close!();
  }
  expect(await readWholeFile(path)).toEqual(content);
});

describe('a file that is changed while it is read', () => {
  const path = () => join(folder, 'c.bin');
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const open = async (options = {}) => {
    await writeFile(path(), new Uint8Array(50_000));
    // A while ago: file systems tell times apart by some milliseconds.
    await utimes(path(), new Date(1e12), new Date(1e12));
    return fileSource(path(), options);
  };
  const changes: [string, () => Promise<unknown>, RegExp][] = [
    ['grows', () => appendFile(path(), 'x'), /it had 50000 bytes, it has 50001/],
    ['shrinks', () => truncate(path(), 40_000), /it had 50000 bytes, it has 40000/],
    [
      'is written over',
      () => writeFile(path(), new Uint8Array(50_000).fill(1)),
      /its time of change was 2001-/,
    ],
  ];

  test.each(changes)('and %s is told of by the next read, or by close', async (_, change, message) => {
    for (const length of [10, 30_000]) {
      const source = await open();
      await source.read(0, length);
      await change();
      await pause(15);
      await expect(source.read(0, length)).rejects.toThrow(message);
      expect(() => source.readSync!(0, length)).not.toThrow(TypeError);
      await source.close!().catch(() => undefined);
    }
    const source = await open();
    await pause(15);
    await source.read(0, 10);
    await change();
    await source.read(0, 10).catch(() => undefined);
    await expect(source.close!()).rejects.toThrow(message);
    await source.close!();
  });

  test('may grow where that is asked for, but not shrink', async () => {
    const source = await open({ mayGrow: true });
    await appendFile(path(), 'x');
    await pause(15);
    expect((await source.read(0, 50_000)).length).toBe(50_000);
    await truncate(path(), 40_000);
    await expect(source.read(0, 50_000)).rejects.toThrow(/ends at byte 40000, it had 50000 when opened/);
    await source.close!();
  });

  test('so is one beside it, between two openings', async () => {
    const beside = join(folder, 'd.bin');
    await writeFile(beside, 'abc');
    const source = await open();
    for (let i = 0; i < 2; i++) await (await source.sibling!('d.bin'))!.close!();
    await writeFile(`${beside}.new`, 'abc');
    const { atime, mtime } = await stat(beside);
    await utimes(`${beside}.new`, atime, mtime);
    await rename(`${beside}.new`, beside);
    await expect(source.sibling!('d.bin')).rejects.toThrow(/d\.bin: the file was changed while it was read/);
    await source.close!();
  });

  test('an untouched one is read and closed in peace', async () => {
    const source = await open();
    await source.read(0, 10);
    await pause(15);
    await source.read(0, 30_000);
    await source.close!();
  });
});
