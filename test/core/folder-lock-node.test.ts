/** The lock of a folder: one holder, named to whoever comes second, taken over when its process is dead. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StorageError } from '../../src/core/errors.ts';
import { freeLocks, lockFolder, lockName } from '../../src/core/folder-lock-node.ts';
import { isGone, nameProcess } from '../../src/core/process-node.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A lock file as another process would have written it. */
const writeLock = (holder: object) => writeFile(join(folder, lockName), JSON.stringify(holder));
const others = { id: 'x', work: 'heartmind evaluate', since: '2026-01-02T03:04:05.000Z' };

test('the second comer is told who holds it, since when, for what', async () => {
  const unlock = await lockFolder(folder, 'heartmind pretrain');
  const error = await lockFolder(folder).catch((caught) => caught);
  expect(error).toBeInstanceOf(StorageError);
  expect(error.message).toMatch(
    new RegExp(
      `in use since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC by another process \\(process ${process.pid} on .*, heartmind pretrain\\)`,
    ),
  );
  await unlock();
  expect(await readdir(folder)).toEqual([]);
  await (await lockFolder(folder))();
});

test('however many come at once, one has it', async () => {
  const settled = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  freeLocks();
  expect(await readdir(folder)).toEqual([]);
});

test('a process that was killed loses it, also before its parent has noticed', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  await writeLock({ ...others, ...nameProcess(), pid: child.pid, started: undefined });
  await expect(lockFolder(folder)).rejects.toThrow('heartmind evaluate');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await lockFolder(folder))();
});

test.skipIf(process.platform !== 'linux')(
  'another process of the same number is not the holder (Linux)',
  async () => {
    await writeLock({ ...others, ...nameProcess(), started: '1' });
    await (await lockFolder(folder))();
    expect(isGone(nameProcess())).toBe(false);
  },
);

test('a holder on another machine is believed for ten minutes after it last said so', async () => {
  await writeLock({ ...others, pid: 1, host: `not-${hostname()}`, place: '00000000' });
  await utimes(join(folder, lockName), new Date(), new Date(Date.now() - 500_000));
  await expect(lockFolder(folder)).rejects.toThrow(`not-${hostname()}`);
  await utimes(join(folder, lockName), new Date(), new Date(Date.now() - 700_000));
  await (await lockFolder(folder))();
});

test.skipIf(process.platform !== 'linux')(
  'a holder here that lives keeps it, however long it was busy (Linux)',
  async () => {
    await writeLock({ ...others, ...nameProcess() });
    await utimes(join(folder, lockName), new Date(0), new Date(0));
    await expect(lockFolder(folder)).rejects.toThrow('in use since 2026-01-02 03:04:05 UTC');
  },
);

test('freeing leaves a lock that is another’s by now', async () => {
  const unlock = await lockFolder(folder);
  await writeLock({ ...others, ...nameProcess() });
  freeLocks();
  await unlock();
  expect(JSON.parse(await readFile(join(folder, lockName), 'utf8')).id).toBe('x');
});
