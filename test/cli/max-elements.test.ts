/** `--max-elements` bounds what a file may hold, is named by the error that it raises, and a signal ends a long reading. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openInput } from '../../src/cli/read-flags.ts';
import { InterruptedError } from '../../src/core/errors.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { boundary, fileHeader, join as joined } from '../read/build-xdf.ts';
import { buildCli, heartmindIn, removeCli } from './workspace.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-elements-'));
  const samples = Float64Array.from({ length: 2000 }, (_, i) => Math.sin(i));
  const annotations = Array.from({ length: 50 }, (_, i) => ({ start: i / 10, duration: 0, label: 'beat' }));
  const channels = [{ name: 'Fz', unit: 'uV', rateHz: 200, samples }];
  await writeFile(join(folder, 'a.edf'), encodeEdf({ channels, annotations }));
  await buildCli();
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

test('the flag that the error names raises the limit', async () => {
  const refused = await heartmindIn(folder, ['info', 'a.edf', '--max-elements', '40']);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toMatch(/holds more than 40 cells, .* raise the limit with --max-elements\./);
  const read = await heartmindIn(folder, ['info', 'a.edf', '--max-elements', '400']);
  expect([read.code, read.stderr]).toEqual([0, '']);
  const wrong = await heartmindIn(folder, ['info', 'a.edf', '--max-elements', '0']);
  expect(wrong.code).toBe(2);
});

test('every verb that reads recordings takes it', async () => {
  const verbs = [
    'info',
    'convert',
    'prepare',
    'pretrain',
    'finetune',
    'evaluate',
    'probe',
    'predict',
    'embed',
    'explain',
  ];
  const helps = await Promise.all(verbs.map((verb) => heartmindIn(folder, [verb, '--help'])));
  const without = verbs.filter((_, i) => !helps[i]!.stdout.includes('--max-elements'));
  expect(without).toEqual([]);
});

test('a signal ends the opening of a long file', async () => {
  // Half a million chunks without content: longer than a breath, whatever the machine.
  const mark = boundary();
  const bytes = new Uint8Array(500_000 * mark.length);
  for (let at = 0; at < bytes.length; at += mark.length) bytes.set(mark, at);
  const file = join(folder, 'long.xdf');
  await writeFile(file, joined(fileHeader(), bytes));
  await expect(openInput(file, { signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError);
});
