/** Replacing a file at once or not at all: write beside it, fsync, rename, fsync the folder. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StorageError } from './errors.ts';

/** The calls that write, so that a test can let them fail. */
export interface WritingFiles {
  readonly open: typeof open;
  readonly rename: typeof rename;
}

/** Replace a file at once or not at all. StorageError where it cannot be written: what was there is intact. */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array,
  files: WritingFiles = { open, rename },
): Promise<void> {
  const folder = dirname(path);
  const beside = join(folder, `.${basename(path)}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await files.open(beside, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(beside, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined);
    const { code, message } = cause as NodeJS.ErrnoException;
    const fact = code === 'ENOSPC' ? 'the disk is full' : (message ?? String(cause));
    throw new StorageError(
      `${path}: ${bytes.length} bytes could not be written (${fact}). What was there before is intact; make room and resume.`,
      path,
      { cause },
    );
  }
}

/** The rename itself must reach the disk. Windows cannot open a folder for that, and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
