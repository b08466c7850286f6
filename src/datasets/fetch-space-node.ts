/** Is there room on the disk, before the first byte comes? */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageError } from '../core/errors.ts';

/** Free bytes for an ordinary user on the file system of a path; replaceable for tests. */
export type FreeSpace = (path: string) => Promise<number | undefined>;

/** Of the nearest folder that exists; undefined where the system does not say. */
export const freeSpace: FreeSpace = async (path) => {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) return undefined;
    }
  }
};

/** StorageError where `needed` bytes do not fit below `folder`. */
export async function requireSpace(
  folder: string,
  needed: number,
  what: string,
  free: FreeSpace = freeSpace,
): Promise<void> {
  const available = await free(folder);
  if (available === undefined || needed <= available) return;
  throw new StorageError(
    `${folder}: ${what} needs ${formatBytes(needed)}, ${formatBytes(available)} are free. Make room, or choose another folder by --to.`,
    folder,
  );
}

/** `512 bytes`, `1.5 MB`, `12.3 GB`: decimal, as disks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 100 ? 1 : 0)} ${['', 'kB', 'MB', 'GB', 'TB'][power]}`;
}
