/**
 * Reading a file's bytes (Node only), in system calls of a bounded size: one of 2^31 bytes or more ends the process
 * (Node's own check aborts), and Node's readFile refuses such files.
 */
import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { allocateBytes } from './bytes.ts';

/** One system call asks for at most so many bytes. */
export const mostBytesPerCall = 2 ** 30;

/** Shorter reads wait for the disk: going through the pool of threads takes ten times as long as the read itself. */
const smallBytes = 16 * 1024;

/** Fill `bytes` from `position` on; how many bytes there were. */
export async function readInto(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
  mostPerCall = mostBytesPerCall,
): Promise<number> {
  if (bytes.length <= smallBytes) return readIntoSync(handle.fd, bytes, position, mostPerCall);
  for (let done = 0; ; ) {
    const length = Math.min(mostPerCall, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    done += bytesRead;
    if (bytesRead === 0 || done === bytes.length) return done;
  }
}

/** The same at once. */
export function readIntoSync(
  descriptor: number,
  bytes: Uint8Array,
  position: number,
  mostPerCall = mostBytesPerCall,
): number {
  for (let done = 0; ; ) {
    const length = Math.min(mostPerCall, bytes.length - done);
    const bytesRead = readSync(descriptor, bytes, done, length, position + done);
    done += bytesRead;
    if (bytesRead === 0 || done === bytes.length) return done;
  }
}

/** A whole file, in memory. Errors are the system's, and a FormatError for one that no array holds. */
export async function readWholeFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await open(path, 'r');
  try {
    const status = await handle.stat();
    // A pipe says no size.
    if (!status.isFile()) return new Uint8Array(await handle.readFile());
    const bytes = allocateBytes(path, 0, status.size);
    return bytes.subarray(0, await readInto(handle, bytes, 0));
  } finally {
    await handle.close();
  }
}
