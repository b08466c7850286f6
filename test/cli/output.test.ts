/** What a command writes and prints, as a user sees it: inputs, closed pipes, full disks, names that would forge text. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { startIn } from './start.ts';
import { buildCli, heartmindIn, makeWorkspace, removeCli } from './workspace.ts';

const hasFull = process.platform === 'linux';
const cpu = ['--device', 'cpu', '--threads', '1'];
const seconds = 10;
const rateHz = 200;
let folder: string;

function recording(names: readonly string[], label: string): Uint8Array {
  const samples = Float64Array.from({ length: seconds * rateHz }, (_, i) => 50 * Math.sin(i / 7));
  return encodeEdf({
    channels: names.map((name) => ({ name, unit: 'uV', rateHz, samples })),
    annotations: [{ start: 1, duration: 0, label }],
  });
}

/** Everything but line breaks that has no place in a terminal's text. */
const forbidden = /[^\P{Cc}\n]|\p{Cf}|[\u2028\u2029]/u;

beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  await mkdir(join(folder, 'many'));
  for (let i = 0; i < 12; i++)
    await writeFile(join(folder, 'many', `r${i}.edf`), recording(['Fz', 'Cz', 'ECG'], 'rest'));
  // The released model reads it: the electrodes that it wants, and one lead.
  const sample = join(import.meta.dirname, '../../sample-data/eegmat');
  const name = (await readdir(sample)).find((one) => one.endsWith('.edf.gz'))!;
  await copyFile(join(sample, name), join(folder, 'in.edf.gz'));
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe('a reader that goes away', () => {
  test('from standard output: every file is converted, exit code 0', async () => {
    const started = startIn(folder, ['convert', 'many', 'piped', '--to', 'bdf', '--progress', 'none']);
    started.child.stdout!.once('data', () => started.child.stdout!.destroy());
    expect(await started.finished).toMatchObject({ code: 0, stderr: '' });
    expect((await readdir(join(folder, 'piped'))).length).toBe(12);
  });

  test('from standard error: a training goes on to its end', async () => {
    const args = ['pretrain', '--data', 'a/labels.csv', '--recipe', 'pretrain.json', '--out', 'runs/deaf'];
    const started = startIn(folder, [...args, '--progress', 'json', ...cpu]);
    started.child.stderr!.once('data', () => started.child.stderr!.destroy());
    expect(await started.finished).toMatchObject({ code: 0 });
    expect(await readdir(join(folder, 'runs/deaf'))).toEqual(
      expect.arrayContaining(['encoder.safetensors', 'report.html', 'result.json']),
    );
  });

  test('keeps the exit code of work that fails', async () => {
    const started = startIn(folder, ['info', 'many/r0.edf', 'not-there.edf']);
    started.child.stdout!.once('data', () => started.child.stdout!.destroy());
    expect((await started.finished).code).toBe(3);
  });
});

test('a reader that is slow gets everything', async () => {
  const files = Array.from({ length: 12 }, (_, i) => `many/r${i}.edf`);
  const started = startIn(folder, ['info', ...files, ...files, '--json']);
  started.child.stdout!.pause();
  await delay(1500);
  started.child.stdout!.resume();
  const { code, stdout } = await started.finished;
  expect(code).toBe(0);
  expect(stdout.length).toBeGreaterThan(65_536);
  expect(JSON.parse(stdout)).toHaveLength(24);
});

describe.skipIf(!hasFull)('a full disk behind standard output (/dev/full: Linux)', () => {
  async function onFull(args: readonly string[]) {
    const full = openSync('/dev/full', 'w');
    try {
      return await startIn(folder, args, ['ignore', full, 'pipe']).finished;
    } finally {
      closeSync(full);
    }
  }

  test('is said in one line, exit code 5; the work is done', async () => {
    const { code, stderr } = await onFull([
      ...['convert', 'many', 'unsaid', '--to', 'bdf', '--progress', 'none'],
    ]);
    expect(stderr).toBe(
      'standard output: what was printed is not complete (the disk is full). Make room, then run it again.\n',
    );
    expect(code).toBe(5);
    expect((await readdir(join(folder, 'unsaid'))).length).toBe(12);
  });

  test('is said once where a named output fails too', async () => {
    const { code, stderr } = await heartmindIn(folder, ['info', 'many/r0.edf', '--html', '/dev/full']);
    expect(stderr).toContain('/dev/full: cannot be written after 0 bytes (the disk is full).');
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(5);
  });
});

/** A disk of 256 KiB can be mounted by root on Linux. */
function mountSmallDisk(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const disk = mkdtempSync(join(tmpdir(), 'heartmind-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
  if (status === 0) return disk;
  rmdirSync(disk);
  return undefined;
}
const disk = mountSmallDisk();
afterAll(() => {
  if (disk === undefined) return;
  spawnSync('umount', [disk]);
  rmdirSync(disk);
});

describe.skipIf(disk === undefined)(
  `a disk that is really full${disk === undefined ? ' (skipped: only root on Linux may mount a small one)' : ''}`,
  () => {
    test('keeps the old file, nothing beside it, and says so: exit code 5', async () => {
      await writeFile(
        join(folder, 'large.edf'),
        recording(
          Array.from({ length: 80 }, (_, i) => `E${i}`),
          '',
        ),
      );
      await writeFile(join(disk!, 'large.bdf'), 'the old one');
      const args = ['convert', 'large.edf', join(disk!, 'large.bdf'), '--force', '--progress', 'none'];
      const { code, stdout, stderr } = await heartmindIn(folder, args);
      expect(stderr).toMatch(
        /large\.bdf: cannot be written after \d+ bytes \(the disk is full\)\. What was there before is intact\. Make room, then run it again\.\n$/,
      );
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
      expect(await readdir(disk!)).toEqual(['large.bdf']);
      expect(await readFile(join(disk!, 'large.bdf'), 'utf8')).toBe('the old one');
    });

    test('takes a part of what is printed, and that is not passed over', async () => {
      const text = openSync(join(disk!, 'printed.json'), 'w');
      writeSync(text, new Uint8Array(200 * 1024));
      const files = Array.from({ length: 12 }, (_, i) => `many/r${i}.edf`);
      const args = ['info', ...files, ...files, ...files, '--json'];
      const { code, stderr } = await startIn(folder, args, ['ignore', text, 'pipe']).finished;
      closeSync(text);
      expect(stderr).toContain('standard output: what was printed is not complete (the disk is full).');
      expect(code).toBe(5);
    });
  },
);

describe('predict --out', () => {
  test('refuses its recording before it computes', async () => {
    const before = await readFile(join(folder, 'in.edf.gz'));
    const { code, stderr } = await heartmindIn(folder, ['predict', 'in.edf.gz', '--out', 'in.edf.gz']);
    expect(stderr).toContain('in.edf.gz: this file is being read. Write to another name or folder.');
    expect(stderr).not.toContain('predict: 1/1');
    expect(code).toBe(2);
    expect(Buffer.compare(await readFile(join(folder, 'in.edf.gz')), before)).toBe(0);
  });

  test.skipIf(process.platform === 'win32')(
    '/dev/stdout goes on where the shell stands in a file (POSIX)',
    async () => {
      const log = await open(join(folder, 'log.csv'), 'w');
      await log.write('before\n');
      const args = ['predict', 'in.edf.gz', '--out', '/dev/stdout', ...cpu];
      const { code } = await startIn(folder, args, ['ignore', log.fd, 'pipe']).finished;
      await log.close();
      expect(code).toBe(0);
      expect(await readFile(join(folder, 'log.csv'), 'utf8')).toMatch(/^before\nfile,start,duration,/);
    },
  );
});

describe.skipIf(process.platform === 'win32')('names that would forge text (POSIX)', () => {
  const evil = 'e\x1b[2Jv\u202eil\nheartmind: all is well';

  test('in errors, and of files that are there', async () => {
    await writeFile(join(folder, `${evil}.edf`), 'no recording');
    for (const name of [`${evil}.edf`, `no ${evil}`]) {
      const { code, stdout, stderr } = await heartmindIn(folder, ['info', name]);
      expect(code).toBe(3);
      expect(stdout).toBe('');
      expect(stderr).not.toMatch(forbidden);
      expect(stderr).toContain('e\\u001b[2Jv\\u202eil\\nheartmind: all is well');
      expect(stderr).not.toMatch(/^heartmind: all is well/m);
    }
  });

  test.each([[evil], ['info', '--progress', evil], ['evaluate', '--out', 'x', '--data', evil]])(
    'in verbs and flags: %j',
    async (...args) => {
      const { code, stderr } = await heartmindIn(folder, args);
      expect(code).toBe(2);
      expect(stderr).not.toMatch(forbidden);
      expect(stderr).not.toMatch(/^heartmind: all is well/m);
    },
  );

  test('in channels, annotations, folders, progress and notes', async () => {
    const inside = join(folder, 'odd\x9b\u2066');
    await mkdir(inside);
    await writeFile(join(inside, 'x\x1b[1m.edf'), recording(['F\u200bz', 'Cz'], 'eyes\u202e closed\x1b[8m'));
    for (const args of [
      ['info', inside],
      ['info', join(inside, 'x\x1b[1m.edf')],
      ['convert', inside, 'odd-out', '--to', 'bdf'],
    ]) {
      const { code, stdout, stderr } = await heartmindIn(folder, args);
      expect(`${code} ${stderr}`).toMatch(/^0/);
      expect(stdout + stderr).not.toMatch(forbidden);
    }
    const { stdout } = await heartmindIn(folder, ['info', join(inside, 'x\x1b[1m.edf'), '--json']);
    expect(JSON.parse(stdout).source).toBe(join(inside, 'x\x1b[1m.edf'));
  });

  test('stay as they are in data', async () => {
    const name = 'sub\x1b\u202e.edf.gz';
    await copyFile(join(folder, 'in.edf.gz'), join(folder, name));
    const { code, stdout, stderr } = await heartmindIn(folder, ['predict', name, ...cpu]);
    expect(code).toBe(0);
    expect(stdout.split('\n')[1]!.startsWith(`${name},0,`)).toBe(true);
    expect(stderr).not.toMatch(forbidden);
  });
});

test('outputs are tried before long work: explain', async () => {
  const { code, stderr } = await heartmindIn(folder, ['explain', 'in.edf.gz', '--out', 'many', ...cpu]);
  expect(stderr).toMatch(/many.* is a folder\. Name a file in it\./);
  expect(stderr).not.toMatch(/explain.*\d+\/\d+/);
  expect(code).toBe(2);
});
