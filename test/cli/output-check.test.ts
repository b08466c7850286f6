import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertWritable } from '../../src/cli/output-check.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-output-'));
  await mkdir(join(folder, 'sub'));
  await writeFile(join(folder, 'file'), '');
});
afterAll(() => rm(folder, { recursive: true }));

test('a file in a folder that is there or can be made is fine', async () => {
  await assertWritable({ '--out': join(folder, 'a.html'), '--json': join(folder, 'new/b.json') });
  await assertWritable({ '--out': undefined });
});

test('a folder, and a path through a file, are refused before the work', async () => {
  await expect(assertWritable({ '--out': join(folder, 'sub') })).rejects.toThrow(
    `--out: ${join(folder, 'sub')} is a folder. Name a file in it.`,
  );
  await expect(assertWritable({ '--json': join(folder, 'file/x.json') })).rejects.toThrow(
    `--json: ${join(folder, 'file/x.json')} cannot be written (ENOTDIR at ${join(folder, 'file')}). Choose another path.`,
  );
});
