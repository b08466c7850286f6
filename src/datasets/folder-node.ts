/** A ByteFolder on disk. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { fileSource } from '../read/file-node.ts';

/** Open a folder; DataError where there is none. */
export async function openFolder(path: string): Promise<ByteFolder> {
  let files: string[];
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(path, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .sort();
  } catch (cause) {
    throw new DataError(`${path}: no folder that can be read. Check the path.`, { cause });
  }
  return {
    name: path,
    list: async () => files,
    open: (file) => fileSource(join(path, file)),
  };
}
