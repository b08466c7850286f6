/**
 * Where live predictions go when they go to a file. A full disk does not end a session of hours: lines are held, and
 * written when there is room again. A line is never written in part and then again.
 */
import { joinArrays } from '../core/arrays.ts';
import { HeartmindError, StorageError } from '../core/errors.ts';
import { explainSystemError } from '../core/output-errors-node.ts';
import type { Appending } from '../core/output-node.ts';

/** Held at most: some hours of predictions. Bytes. */
const mostHeldBytes = 8 * 1024 * 1024;
/** What may pass: no room on the disk, none left of the user's share, a network folder that answers later. */
const passing = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EAGAIN', 'EBUSY', 'ESTALE']);

export class LiveOutput {
  #held: Uint8Array = new Uint8Array(0);
  #isWaiting = false;

  constructor(
    readonly path: string,
    readonly output: Appending,
    readonly tell: (note: string) => void,
  ) {}

  /** Write a line, or hold it. StorageError where the file cannot be written for another reason, or too much is held. */
  async write(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line);
    this.#held = joinArrays(Uint8Array, [this.#held, bytes]);
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
        const written = await this.output.append(this.#held);
        this.#held = this.#held.slice(written);
      }
      if (this.#isWaiting) this.tell(`${this.path}: written again; nothing was lost.`);
      this.#isWaiting = false;
    } catch (cause) {
      // Where the output is a pipe, it has said so itself.
      if (cause instanceof HeartmindError) throw cause;
      const { fact } = explainSystemError(cause);
      const isPassing = passing.has((cause as NodeJS.ErrnoException).code ?? '');
      if (isLast || !isPassing) throw this.#error(`cannot be written (${fact})`, cause);
      if (!this.#isWaiting)
        this.tell(`${this.path}: cannot be written now (${fact}); predictions are held until it can.`);
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
