/**
 * One process at a time writes into a folder (a run, a store, a download): a lock file that names its holder, renewed while
 * it works, freed when it ends however it ends, taken over when it was killed.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from './errors.ts';
import { explainSystemError } from './output-errors-node.ts';
import { isGone, nameProcess, type ProcessName } from './process-node.ts';

export const lockName = '.heartmind.lock';

/** A lock of another machine that was not renewed for so long is of a process that died. Milliseconds. */
const staleMs = 600_000;
const renewMs = 10_000;

interface Holder extends ProcessName {
  readonly id: string;
  /** What it does: `heartmind evaluate`. */
  readonly work: string;
  /** When it took the folder, by its own clock: ISO 8601. */
  readonly since: string;
}

/** Locks of this process, to be freed where it ends without its own code running on. */
const held = new Map<string, Holder>();

/**
 * Lock a folder that exists; the result unlocks it, and the end of the process does. StorageError at once where another
 * process holds it, or another part of this one.
 */
export async function lockFolder(folder: string, work = 'heartmind'): Promise<() => Promise<void>> {
  const path = join(folder, lockName);
  const own: Holder = { ...nameProcess(), id: randomUUID(), work, since: new Date().toISOString() };
  for (let tries = 0; ; tries++) {
    if (await create(path, own)) break;
    const holder = await readHolder(path);
    if (holder && tries < 5 && (await isDead(path, holder))) await removeStale(path, holder);
    else if (holder || tries >= 5) throw inUse(folder, path, holder);
  }
  if (held.size === 0) process.once('exit', freeLocks);
  held.set(path, own);
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), renewMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    held.delete(path);
    if (held.size === 0) process.removeListener('exit', freeLocks);
    if ((await readHolder(path))?.id === own.id) await rm(path, { force: true });
  };
}

/** Free every lock of this process at once: it is about to end. */
export function freeLocks(): void {
  for (const [path, { id }] of held) {
    try {
      if (parseHolder(readFileSync(path, 'utf8')).id === id) rmSync(path, { force: true });
    } catch {
      // The folder is gone, and its lock with it.
    }
  }
  held.clear();
  process.removeListener('exit', freeLocks);
}

function inUse(folder: string, path: string, holder: Holder | undefined): StorageError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'a process that just began';
  const what = holder?.work ? `, ${holder.work}` : '';
  const since = holder?.since ? ` since ${holder.since.slice(0, 19).replace('T', ' ')} UTC` : '';
  return new StorageError(
    `${folder}: in use${since} by another process (${who}${what}). Wait for it, stop it, or choose another folder; where it is gone, remove ${path}.`,
    path,
  );
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
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    const { fact, fix } = explainSystemError(cause);
    throw new StorageError(`${path}: cannot be written (${fact}). ${fix}`, path, { cause });
  } finally {
    await rm(beside, { force: true });
  }
}

/** Undefined: there is none (any more). */
async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseHolder(text);
}

function parseHolder(text: string): Holder {
  try {
    const { pid, host, place, started, id, work, since } = JSON.parse(text) as Partial<Holder>;
    return {
      ...{ pid: Number(pid), host: String(host), id: String(id) },
      ...{ work: work ?? '', since: since ?? '' },
      ...(place === undefined ? {} : { place }),
      ...(started === undefined ? {} : { started }),
    };
  } catch {
    return { pid: 0, host: 'unknown', id: '', work: '', since: '' };
  }
}

async function isDead(path: string, holder: Holder): Promise<boolean> {
  const gone = isGone(holder);
  if (gone !== undefined) return gone;
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
