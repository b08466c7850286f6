/** Errors of the file system under a download → ours, each with what to do about it. */
import { HeartmindError, StorageError } from '../core/errors.ts';
import { explainSystemError } from '../core/output-errors-node.ts';

const again = 'and run the same command again: what has come is kept.';
const elsewhere = `choose another folder by --to, ${again}`;
const room = `Make room or ${elsewhere}`;
const rights = `Change it or ${elsewhere}`;
const away = `Move it away, ${again}`;

/** What to do where a download can say more than that. */
const fixes: Readonly<Record<string, string>> = {
  ...{ EACCES: rights, EPERM: rights, EISDIR: away, ENOTDIR: away, EEXIST: away },
  ENAMETOOLONG: `Choose a folder with a shorter path by --to, ${again}`,
  EROFS: `Write elsewhere: ${elsewhere}`,
  EMFILE: `Raise the limit (ulimit -n) or use --jobs 1, ${again}`,
};
/** Facts that are others for the many files of a download than for one output. */
const facts: Readonly<Record<string, string>> = {
  EISDIR: 'there is a folder of that name',
  ENOTDIR: 'a file is where a folder is needed',
  EEXIST: 'something of that name is in the way',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the path is too long for this file system',
};

/** StorageError for an error of the system on `path`; every other error as it is. */
export function asStorageError(path: string, error: unknown): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (error instanceof HeartmindError || code === undefined || syscall === undefined) return error;
  const fact = facts[code] ?? explainSystemError(error).fact;
  return new StorageError(`${path}: cannot be written (${fact}). ${fixes[code] ?? room}`, path, {
    cause: error,
  });
}
