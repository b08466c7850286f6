/** Files that a verb is going to write, checked before its work: minutes of computing must not end in a wrong path. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { StorageError } from '../core/errors.ts';

/** StorageError where one of these files could not be written: it is a folder, or its nearest folder takes no files. */
export async function assertWritable(outputs: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const [flag, path] of Object.entries(outputs)) {
    if (path === undefined || path === '-') continue;
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory())
      throw new StorageError(`${flag}: ${path} is a folder. Name a file in it.`, path);
    const folder = await nearestFolder(resolve(path));
    try {
      // A file or a device in the place of a folder is no folder.
      if (!(await stat(folder)).isDirectory())
        throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
      await access(folder, constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw new StorageError(
        `${flag}: ${path} cannot be written (${(cause as NodeJS.ErrnoException).code ?? cause} at ${folder}). Choose another path.`,
        path,
        { cause },
      );
    }
  }
}

/** The nearest part of a path above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const isThere = await stat(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
    );
    if (isThere || folder === dirname(folder)) return folder;
  }
}
