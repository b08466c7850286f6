/** Local files as ByteSources (Node only): path → lazy slices; siblings are the files of the same folder. */
import { readSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ByteSource, checkRange } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import type { Recording } from '../core/recording.ts';
import { inflater } from './inflate-node.ts';
import { openRecording } from './open.ts';
import type { ReadOptions } from './options.ts';

/** Open a file for ranged reads. FormatError where it does not exist, is a folder, or may not be read. */
export async function fileSource(path: string): Promise<ByteSource> {
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
    const status = await handle.stat();
    return sourceOf(path, handle, status.size);
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

/** Shorter reads wait for the disk: going through the pool of threads takes ten times as long as the read itself. */
const smallBytes = 16 * 1024;

function sourceOf(path: string, handle: FileHandle, byteLength: number): ByteSource {
  return {
    name: path,
    byteLength,
    isLocal: true,
    async read(start, end, into) {
      checkRange(path, start, end, byteLength);
      const bytes = into?.length === end - start ? into : new Uint8Array(end - start);
      let done = 0;
      while (done < bytes.length) {
        const bytesRead = await readSome(path, handle, bytes, done, start + done);
        if (bytesRead === 0)
          throw new FormatError(
            `${path}: ends at byte ${start + done}, it had ${byteLength} when opened. It was changed meanwhile; try again.`,
            path,
            start + done,
          );
        done += bytesRead;
      }
      return bytes;
    },
    readSync(start, end) {
      checkRange(path, start, end, byteLength);
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.length; ) {
        const bytesRead = readSync(handle.fd, bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0)
          throw new FormatError(
            `${path}: ends at byte ${start + done}. It was changed meanwhile; try again.`,
            path,
          );
        done += bytesRead;
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
        return status.isFile() ? await fileSource(beside) : undefined;
      } catch (cause) {
        if (cause instanceof FormatError) throw cause;
        if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(codeOf(cause))) return undefined;
        throw new FormatError(`${beside}: the file cannot be opened (${codeOf(cause)}).`, beside, undefined, {
          cause,
        });
      }
    },
    async close() {
      await handle.close();
    },
  };
}

async function readSome(
  path: string,
  handle: FileHandle,
  bytes: Uint8Array,
  offset: number,
  position: number,
): Promise<number> {
  const length = bytes.length - offset;
  if (handle.fd < 0)
    throw new FormatError(`${path}: the file was closed. Open it again to read more.`, path, position);
  try {
    if (length <= smallBytes) return readSync(handle.fd, bytes, offset, length, position);
    return (await handle.read(bytes, offset, length, position)).bytesRead;
  } catch (cause) {
    throw new FormatError(`${path}: reading at byte ${position} failed (${codeOf(cause)}).`, path, position, {
      cause,
    });
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}

/** Open a recording by its path (WFDB: the .hea file). The file is closed again where opening fails. */
export async function openRecordingFile(path: string, options: ReadOptions = {}): Promise<Recording> {
  const source = await fileSource(path);
  try {
    return await openRecording(source, options);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
