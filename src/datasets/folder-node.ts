/** A ByteFolder on disk. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { fileSource } from '../read/file-node.ts';

/**
 * Files of a folder and those below it, inside it with `/`, in a fixed order; links to files are files, as data under
 * git-annex are. Links that lead nowhere are told apart: their content was not fetched.
 */
export async function listFiles(path: string): Promise<{ files: string[]; dangling: string[] }> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  const dangling: string[] = [];
  for (const entry of entries) {
    const inside = relative(path, join(entry.parentPath, entry.name)).replaceAll('\\', '/');
    if (inside.startsWith('.git/')) continue;
    if (entry.isFile()) files.push(inside);
    if (!entry.isSymbolicLink()) continue;
    const target = await stat(join(path, inside)).catch(() => undefined);
    if (!target) dangling.push(inside);
    else if (target.isFile()) files.push(inside);
  }
  return { files: files.sort(), dangling: dangling.sort() };
}

/** Open a folder; DataError where there is none. */
export async function openFolder(path: string): Promise<ByteFolder> {
  let files: string[];
  try {
    files = (await listFiles(path)).files;
  } catch (cause) {
    throw new DataError(`${path}: no folder that can be read. Check the path.`, { cause });
  }
  return {
    name: path,
    list: async () => files,
    open: (file) => fileSource(join(path, file)),
  };
}
