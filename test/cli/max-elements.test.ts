/** `--max-elements` bounds what a file may hold, is named by the error that it raises, and a signal ends a long reading. */
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, open, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openInput } from '../../src/cli/read-flags.ts';
import { InterruptedError } from '../../src/core/errors.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { boundary, fileHeader } from '../read/build-xdf.ts';
import { startIn, waitFor } from './start.ts';
import { buildCli, heartmindIn, removeCli } from './workspace.ts';

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'heartmind-elements-')));
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

describe('a signal ends the opening of a long file', () => {
  const file = () => join(folder, 'long.xdf');
  beforeAll(async () => {
    // Chunks without content, 80 MB: seconds of reading on any machine.
    const mark = boundary();
    const part = new Uint8Array(1_000_000 * mark.length);
    for (let at = 0; at < part.length; at += mark.length) part.set(mark, at);
    const output = await open(file(), 'w');
    await output.write(fileHeader());
    for (let k = 0; k < 4; k++) await output.write(part);
    await output.close();
  });

  test('of the library', async () => {
    await expect(openInput(file(), { signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError);
  });

  /** Does a process have the file open? Linux tells. */
  const isOpenIn = (pid: number) => {
    const descriptors = `/proc/${pid}/fd`;
    try {
      return readdirSync(descriptors).some((name) => readlinkSync(join(descriptors, name)) === file());
    } catch {
      return false; // closed between two looks
    }
  };

  test.skipIf(process.platform !== 'linux').each(['SIGTERM', 'SIGINT'] as const)(
    'of the command line: %s',
    async (signal) => {
      const started = startIn(folder, ['info', file()]);
      expect(await waitFor(started, () => isOpenIn(started.child.pid!))).toBe(true);
      const begun = performance.now();
      started.child.kill(signal);
      const { code, stdout, stderr } = await started.finished;
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(/stopped\.\n$/);
      expect(performance.now() - begun).toBeLessThan(5000);
    },
  );
});
