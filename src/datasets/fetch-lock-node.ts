/** One process at a time writes into a folder: a lock file with its holder, renewed while it works, taken over when it died. */
import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '../core/errors.ts';

export const lockName = '.heartmind-fetch.lock';

/** A lock that was not renewed for so long is of a process that died, on another machine. Milliseconds. */
const staleMs = 60_000;
const renewMs = 10_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly id: string;
}

/** Lock a folder that exists; the result unlocks it. StorageError where another process holds it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, lockName);
  const own: Holder = { pid: process.pid, host: hostname(), id: randomUUID() };
  for (let tries = 0; ; tries++) {
    if (await create(path, own)) break;
    const holder = await readHolder(path);
    if (holder && tries < 5 && (await isDead(path, holder))) await removeStale(path, holder);
    else if (holder || tries >= 5)
      throw new StorageError(
        `${folder}: another heartmind${holder ? ` (process ${holder.pid} on ${holder.host})` : ''} is fetching into this folder. Wait for it, or remove ${lockName} if there is none.`,
        path,
      );
  }
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), renewMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if ((await readHolder(path))?.id === own.id) await rm(path, { force: true });
  };
}

/** With its content at once: written beside, then linked, which fails where the lock is taken. */
async function create(path: string, own: Holder): Promise<boolean> {
  const beside = `${path}.${own.id}`;
  try {
    const file = await open(beside, 'wx');
    try {
      await file.writeFile(JSON.stringify(own));
    } finally {
      await file.close();
    }
    await link(beside, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      // File systems without links: created and filled in two steps.
      const lock = await open(path, 'wx');
      await lock.writeFile(JSON.stringify(own));
      await lock.close();
    });
    return true;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new StorageError(`${path}: cannot be written (${message}). Choose another folder by --to.`, path, {
      cause,
    });
  } finally {
    await rm(beside, { force: true });
  }
}

/** Undefined: there is none (any more). */
async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { pid, host, id } = JSON.parse(text) as Partial<Holder>;
    return { pid: Number(pid), host: String(host), id: String(id) };
  } catch {
    return { pid: 0, host: 'unknown', id: '' };
  }
}

async function isDead(path: string, { pid, host }: Holder): Promise<boolean> {
  if (host === hostname() && pid > 0) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ESRCH';
    }
  }
  const status = await stat(path).catch(() => undefined);
  return status !== undefined && Date.now() - status.mtimeMs > staleMs;
}

/** Move the dead one's lock away; where it turns out to be another's by now, put it back. */
async function removeStale(path: string, dead: Holder): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // somebody else was quicker
  }
  if ((await readHolder(aside))?.id !== dead.id) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
