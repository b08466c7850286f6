/**
 * Files that are not finished: `.heartmind-PLACE-PID-RANDOM.tmp` beside the file that they will become. The name says whose
 * they are, so that what a killed process left can be told from what another one is writing.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isGone, placeOfProcess } from './process-node.ts';

const pattern = /^\.heartmind-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/;

/** Left by a process of which nothing can be known, on another machine: removed when not written to for so long. */
const abandonedMs = 7 * 24 * 3600 * 1000;

/** A name that no other file has, in a folder. */
export function nameUnfinished(folder: string): string {
  return join(folder, `.heartmind-${placeOfProcess()}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
}

/** Folders that were swept already: once is enough for a process. */
const swept = new Set<string>();

/** Remove what dead processes left in a folder. It never fails: what cannot be removed stays. */
export async function sweepUnfinished(folder: string): Promise<void> {
  const place = resolve(folder);
  if (swept.has(place)) return;
  swept.add(place);
  for (const name of await readdir(place).catch(() => [])) {
    const [, owner, pid] = pattern.exec(name) ?? [];
    if (owner === undefined) continue;
    const path = join(place, name);
    if (await isAbandoned(path, { pid: Number(pid), host: '', place: owner }))
      await rm(path, { force: true }).catch(() => undefined);
  }
}

async function isAbandoned(path: string, owner: Parameters<typeof isGone>[0]): Promise<boolean> {
  if (isGone(owner) === true) return true;
  const status = await stat(path).catch(() => undefined);
  return status !== undefined && owner.pid !== process.pid && Date.now() - status.mtimeMs > abandonedMs;
}
