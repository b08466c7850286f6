/** The file system's errors in plain English: what is wrong, and what to do. */
import { HeartmindError, StorageError } from './errors.ts';

interface Explained {
  readonly fact: string;
  readonly fix: string;
}

const room = 'Make room, then run it again.';
const rights = 'Change the permissions, or choose another place.';
const explained: Readonly<Record<string, Explained>> = {
  ENOSPC: { fact: 'the disk is full', fix: room },
  EDQUOT: { fact: 'your share of the disk is used up', fix: room },
  EFBIG: { fact: 'the disk takes no file of that size', fix: 'Choose another disk.' },
  EACCES: { fact: 'no permission to write there', fix: rights },
  EPERM: { fact: 'no permission to write there', fix: rights },
  EROFS: { fact: 'the disk is read-only', fix: 'Choose another place.' },
  ENOTDIR: { fact: 'a part of the path is a file, not a folder', fix: 'Check the path.' },
  EEXIST: { fact: 'a part of the path is a file, not a folder', fix: 'Check the path.' },
  ENAMETOOLONG: { fact: 'the name is too long', fix: 'Choose a shorter one.' },
  ELOOP: { fact: 'its links lead in a circle', fix: 'Check the path.' },
  ENOENT: { fact: 'its folder went away meanwhile', fix: 'Run it again.' },
  EBUSY: { fact: 'the file is in use and cannot be replaced', fix: 'Choose another place.' },
  EPIPE: { fact: 'its reader went away', fix: 'Keep the reader running, then run it again.' },
  ENXIO: { fact: 'nobody reads from it', fix: 'Choose a file.' },
};

/** What is wrong and what to do, by the code of an error. */
export function explainSystemError(cause: unknown): Explained {
  const { code, message } = cause as NodeJS.ErrnoException;
  return (
    explained[code ?? ''] ?? { fact: message ?? String(cause), fix: 'Choose another place, or run it again.' }
  );
}

/** An error of writing as a StorageError; errors of ours stay. `what` is said of the path, `kept` of what is there now. */
export function writingError(path: string, what: string, kept: string, cause: unknown): HeartmindError {
  if (cause instanceof HeartmindError) return cause;
  const { fact, fix } = explainSystemError(cause);
  const sentence = kept === '' ? '' : `${kept} `;
  return new StorageError(`${path}: ${what} (${fact}). ${sentence}${fix}`, path, { cause });
}
