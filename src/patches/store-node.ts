/** Stores in a folder: reading by positions of open files, writing whole files at once. */
import { open, readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StorageError } from '../core/errors.ts';
import { writeFileAtomically } from '../core/output-node.ts';
import { fileSource } from '../read/file-node.ts';
import type { StoreFiles, StorePlace } from './store-place.ts';

/** A store's folder, for reading. */
export function folderFiles(path: string): StoreFiles {
  return { name: path, open: (file) => fileSource(join(path, file)) };
}

/** A folder to write a store to; it is made when first written to. */
export function folderPlace(path: string): StorePlace {
  return {
    name: path,
    async read(file) {
      try {
        return new Uint8Array(await readFile(join(path, file)));
      } catch (cause) {
        if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
        throw new StorageError(`${join(path, file)}: cannot be read (${(cause as Error).message}).`, path, {
          cause,
        });
      }
    },
    write: (file, bytes) => writeFileAtomically(join(path, file), bytes),
    remove: (file) => rm(join(path, file), { recursive: true, force: true }),
  };
}

/** Bytes that may still be written where a folder is or will be. */
export async function freeBytes(path: string): Promise<number> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (cause) {
      if (folder === dirname(folder))
        throw new StorageError(`${path}: its disk cannot be asked for room.`, path, { cause });
    }
  }
}

/** Is there a file of that name? */
export async function hasFile(path: string): Promise<boolean> {
  try {
    await (await open(path, 'r')).close();
    return true;
  } catch {
    return false;
  }
}
