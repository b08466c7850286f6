/** Errors of the file system under a download → ours, each with what to do about it. */
import { HeartmindError, StorageError } from '../core/errors.ts';

const again = 'and run the same command again: what has come is kept.';
const elsewhere = `choose another folder by --to, ${again}`;
const advice: Readonly<Record<string, readonly [fact: string, fix: string]>> = {
  ENOSPC: ['the disk is full', `Make room or ${elsewhere}`],
  EDQUOT: ['your share of the disk is full', `Make room or ${elsewhere}`],
  ENAMETOOLONG: [
    'the path is too long for this file system',
    `Choose a folder with a shorter path by --to, ${again}`,
  ],
  EISDIR: ['there is a folder of that name', `Move it away, ${again}`],
  ENOTDIR: ['a file is where a folder is needed', `Move it away, ${again}`],
  EEXIST: ['something of that name is in the way', `Move it away, ${again}`],
  EACCES: ['you have no permission', `Change it or ${elsewhere}`],
  EPERM: ['you have no permission', `Change it or ${elsewhere}`],
  EROFS: ['the file system is read-only', `Write elsewhere: ${elsewhere}`],
  EMFILE: ['too many files are open', `Raise the limit (ulimit -n) or use --jobs 1, ${again}`],
};

/** StorageError for an error of the system on `path`; every other error as it is. */
export function asStorageError(path: string, error: unknown): unknown {
  const { code, message, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (error instanceof HeartmindError || code === undefined || syscall === undefined) return error;
  const [fact, fix] = advice[code] ?? [message, `Make room or ${elsewhere}`];
  return new StorageError(`${path}: cannot be written (${fact}). ${fix}`, path, { cause: error });
}
