/**
 * Where live predictions go when they go to a file. A full disk does not end a session of hours: lines are held, and
 * written when there is room again. A line is never written in part and then again.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StorageError } from '../core/errors.ts';

/** Writes some of the bytes, and says how many. */
export type AppendBytes = (bytes: Uint8Array) => Promise<number>;

/** Held at most: some hours of predictions. Bytes. */
const mostHeldBytes = 8 * 1024 * 1024;
/** What may pass: no room on the disk, none left of the user's share, a network folder that answers later. */
const passing = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EAGAIN', 'EBUSY', 'ESTALE']);

export class LiveOutput {
  #held: Uint8Array = new Uint8Array(0);
  #isWaiting = false;

  constructor(
    readonly path: string,
    readonly append: AppendBytes,
    readonly tell: (note: string) => void,
  ) {}

  /** Write a line, or hold it. StorageError where the file cannot be written for another reason, or too much is held. */
  async write(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line);
    const all = new Uint8Array(this.#held.length + bytes.length);
    all.set(this.#held);
    all.set(bytes, this.#held.length);
    this.#held = all;
    await this.#flush(false);
    if (this.#held.length > mostHeldBytes)
      throw this.#error(`${this.#held.length} bytes wait to be written`, undefined);
  }

  /** The last try. StorageError where lines are still held. */
  async finish(): Promise<void> {
    await this.#flush(true);
  }

  async #flush(isLast: boolean): Promise<void> {
    try {
      while (this.#held.length > 0) {
        const written = await this.append(this.#held);
        this.#held = this.#held.slice(written);
      }
      if (this.#isWaiting) this.tell(`${this.path}: written again; nothing was lost.`);
      this.#isWaiting = false;
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
      if (isLast || !passing.has(code)) throw this.#error(`cannot be written (${code})`, cause);
      if (!this.#isWaiting)
        this.tell(`${this.path}: cannot be written now (${code}); predictions are held until it can.`);
      this.#isWaiting = true;
    }
  }

  #error(fact: string, cause: unknown): StorageError {
    return new StorageError(
      `${this.path}: ${fact}. Make room or name another --out; what was written before is intact.`,
      this.path,
      { cause },
    );
  }
}

/** Open a file to append predictions to; missing folders are made. StorageError where it cannot be opened. */
export async function openLiveOutput(
  path: string,
  tell: (note: string) => void,
): Promise<{ readonly output: LiveOutput; close(): Promise<void> }> {
  await mkdir(dirname(path), { recursive: true }).catch(() => undefined);
  const handle = await open(path, 'a').catch((cause: NodeJS.ErrnoException) => {
    throw new StorageError(`${path}: cannot be written (${cause.code}). Check the path.`, path, { cause });
  });
  const append: AppendBytes = async (bytes) => (await handle.write(bytes)).bytesWritten;
  return { output: new LiveOutput(path, append, tell), close: () => handle.close() };
}
