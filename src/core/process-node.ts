/** Names of processes that others can check later: does the process that made a lock or an unfinished file still live? */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessName {
  readonly pid: number;
  readonly host: string;
  /** Equal for processes that see each other's numbers: one machine, one container. Eight hexadecimal digits. */
  readonly place?: string;
  /** When it was started, as the system counts: a later process of the same number has another. */
  readonly started?: string;
}

let ownPlace: string | undefined;

/** The place of this process. */
export function placeOfProcess(): string {
  ownPlace ??= createHash('sha256')
    .update([hostname(), machineId(), pidNamespace()].join('\n'))
    .digest('hex')
    .slice(0, 8);
  return ownPlace;
}

/** This process. */
export function nameProcess(): ProcessName {
  const started = statusOf(process.pid)?.started;
  return {
    pid: process.pid,
    host: hostname(),
    place: placeOfProcess(),
    ...(started === undefined ? {} : { started }),
  };
}

/** Is a process gone? Undefined where that cannot be told from here: it is on another machine or in another container. */
export function isGone({ pid, host, place, started }: ProcessName): boolean | undefined {
  const isHere = place === undefined ? host === hostname() : place === placeOfProcess();
  if (!isHere || !(pid > 0)) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const status = statusOf(pid);
  if (status?.isEnded) return true;
  if (status === undefined || started === undefined) return undefined;
  return status.started !== started;
}

/** What Linux says of a process; undefined elsewhere. */
function statusOf(pid: number): { readonly started: string; readonly isEnded: boolean } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The name before the parenthesis may hold anything; state is the 3rd field, the start the 22nd.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (!fields || fields[19] === undefined) return undefined;
  return { started: fields[19], isEnded: fields[0] === 'Z' || fields[0] === 'X' };
}

function machineId(): string {
  return readText('/etc/machine-id')?.trim() ?? '';
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
