/** Local files: what is no file, what was closed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
