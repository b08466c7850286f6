/**
 * Files that the running command reads, whatever opened them and by whatever name: no output may replace one. The command
 * line switches it on for its one command; a library's user reads and writes as he likes.
 */
import { fstatSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

interface Identified {
  readonly dev: bigint;
  readonly ino: bigint;
}

let inputs: Set<string> | undefined;
/** Files that were put in place since: they may be read (to be compared) and replaced again. */
const own = new Set<string>();

/** From now on, every file that is opened to be read is noted; standard input too where it is a file. The result ends it. */
export function watchInputs(): () => void {
  inputs = new Set();
  own.clear();
  try {
    const status = fstatSync(0, { bigint: true });
    if (status.isFile()) inputs.add(identityOf(status));
  } catch {
    // There is no standard input.
  }
  return () => {
    inputs = undefined;
  };
}

/** Note an opened file. */
export async function noteInput(file: FileHandle): Promise<void> {
  if (inputs) add(await file.stat({ bigint: true }));
}

/** Note the file that a path leads to, if any. */
export function noteInputPath(path: string): void {
  if (!inputs) return;
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (status?.isFile()) add(status);
}

/** Is a file of this identity an input, under whatever name? */
export function isInput(status: Identified): boolean {
  const identity = identityOf(status);
  return inputs?.has(identity) === true && !own.has(identity);
}

/** A file that this command has written. */
export function noteOwnOutput(status: Identified): void {
  if (inputs) own.add(identityOf(status));
}

function add(status: Identified): void {
  inputs?.add(identityOf(status));
}

function identityOf({ dev, ino }: Identified): string {
  return `${dev}:${ino}`;
}
