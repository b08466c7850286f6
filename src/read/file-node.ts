/** Local files as ByteSources (Node only): path → lazy slices; siblings are the files of the same folder. */
import { fstatSync, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { allocateBytes, type ByteSource, checkRange } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import { noteInput } from '../core/input-files-node.ts';
import { readInto, readIntoSync } from '../core/read-file-node.ts';
import type { Recording } from '../core/recording.ts';
import { inflater } from './inflate-node.ts';
import { openRecording } from './open.ts';
import type { ReadOptions } from './options.ts';

export interface FileOptions {
  /** Another program is appending to the file: what is there when it is opened is read. */
  readonly mayGrow?: boolean;
  /** One system call asks for at most so many bytes. */
  readonly mostBytesPerCall?: number;
}

/**
 * Open a file for ranged reads. FormatError where it does not exist, is a folder, or may not be read; and from a read or
 * from `close` where its size or its time of change are no longer those that it was opened with.
 */
export async function fileSource(path: string, options: FileOptions = {}): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    // Looked at first: opening a pipe waits for whoever writes to it.
    const kind = await stat(path);
    if (kind.isDirectory())
      throw new FormatError(`${path}: this is a folder, not a file. Name a recording in it.`, path);
    if (!kind.isFile())
      throw new FormatError(
        `${path}: this is a pipe or a device, whose bytes come only once. Give - and send it to standard input.`,
        path,
      );
    handle = await open(path, 'r');
    await noteInput(handle);
    return sourceOf(path, handle, await handle.stat(), options);
  } catch (cause) {
    await handle?.close();
    if (cause instanceof FormatError) throw cause;
    const code = codeOf(cause);
    const fact =
      code === 'ENOENT' || code === 'ENOTDIR'
        ? 'there is no such file'
        : `the file cannot be opened (${code})`;
    throw new FormatError(`${path}: ${fact}. Check the path.`, path, undefined, { cause });
  }
}

/** What tells that a file is another than it was. */
type Version = Pick<Stats, 'size' | 'mtimeMs' | 'ino'>;

function isSame(one: Version, other: Version): boolean {
  return one.size === other.size && one.mtimeMs === other.mtimeMs && one.ino === other.ino;
}

/** Asking for a file's state costs as much as a short read: it is asked so often at most, and when the file is closed. Milliseconds. */
const checkEveryMs = 10;

function sourceOf(path: string, handle: FileHandle, opened: Version, options: FileOptions): ByteSource {
  const { mayGrow = false, mostBytesPerCall } = options;
  const byteLength = opened.size;
  let checkedMs = performance.now();
  let isUnchecked = false;
  let isClosed = false;
  /** Files beside it may be opened more than once while it is read: they stay the same, too. */
  const siblings = new Map<string, Version>();
  /** After a read: what was read is of the file as it was opened. */
  const check = (must = false) => {
    isUnchecked = true;
    if (mayGrow || handle.fd < 0 || (!must && performance.now() - checkedMs < checkEveryMs)) return;
    const now = fstatSync(handle.fd);
    checkedMs = performance.now();
    isUnchecked = false;
    if (!isSame(now, opened)) throw changed(path, opened, now);
  };
  const checkRead = (start: number, end: number, bytesRead: number) => {
    if (bytesRead < end - start)
      throw new FormatError(
        `${path}: ends at byte ${start + bytesRead}, it had ${byteLength} when opened. It was changed meanwhile; try again.`,
        path,
        start + bytesRead,
      );
    check();
  };
  const checkOpen = (start: number) => {
    if (isClosed || handle.fd < 0)
      throw new FormatError(`${path}: the file was closed. Open it again to read more.`, path, start);
  };
  return {
    name: path,
    byteLength,
    isLocal: true,
    async read(start, end, into) {
      checkRange(path, start, end, byteLength);
      checkOpen(start);
      const bytes = into?.length === end - start ? into : allocateBytes(path, start, end);
      try {
        checkRead(start, end, await readInto(handle, bytes, start, mostBytesPerCall));
      } catch (cause) {
        throw cause instanceof FormatError ? cause : unreadable(path, start, cause);
      }
      return bytes;
    },
    readSync(start, end) {
      checkRange(path, start, end, byteLength);
      checkOpen(start);
      const bytes = allocateBytes(path, start, end);
      try {
        checkRead(start, end, readIntoSync(handle.fd, bytes, start, mostBytesPerCall));
      } catch (cause) {
        throw cause instanceof FormatError ? cause : unreadable(path, start, cause);
      }
      return bytes;
    },
    inflater,
    async sibling(fileName) {
      if (/[/\\\0]/.test(fileName) || fileName === '' || fileName === '..' || fileName === '.')
        return undefined;
      const beside = join(dirname(path), fileName);
      try {
        const status = await stat(beside);
        const before = siblings.get(fileName);
        if (before && !mayGrow && !isSame(before, status)) throw changed(beside, before, status);
        siblings.set(fileName, status);
        return status.isFile() ? await fileSource(beside, options) : undefined;
      } catch (cause) {
        if (cause instanceof FormatError) throw cause;
        if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(codeOf(cause))) return undefined;
        throw new FormatError(`${beside}: the file cannot be opened (${codeOf(cause)}).`, beside, undefined, {
          cause,
        });
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      try {
        if (isUnchecked) check(true);
      } finally {
        await handle.close();
      }
    },
  };
}

function unreadable(path: string, position: number, cause: unknown): FormatError {
  return new FormatError(`${path}: reading at byte ${position} failed (${codeOf(cause)}).`, path, position, {
    cause,
  });
}

function changed(path: string, before: Version, now: Version): FormatError {
  const time = ({ mtimeMs }: Version) => new Date(mtimeMs).toISOString();
  const fact =
    now.size !== before.size
      ? `it had ${before.size} bytes, it has ${now.size}`
      : now.mtimeMs !== before.mtimeMs
        ? `its time of change was ${time(before)}, it is ${time(now)}`
        : 'another file has its name';
  return new FormatError(
    `${path}: the file was changed while it was read (${fact}). What was read may be of two versions; wait until nothing writes to it, and try again.`,
    path,
  );
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}

/** Open a recording by its path (WFDB: the .hea file). The file is closed again where opening fails. */
export async function openRecordingFile(
  path: string,
  options: ReadOptions & FileOptions = {},
): Promise<Recording> {
  const { mayGrow = false, mostBytesPerCall, ...told } = options;
  const source = await fileSource(path, { mayGrow, ...(mostBytesPerCall ? { mostBytesPerCall } : {}) });
  try {
    return await openRecording(source, told);
  } catch (error) {
    // A file that was changed meanwhile explains whatever went wrong.
    await source.close?.();
    throw error;
  }
}
