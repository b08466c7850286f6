/** A file that another program writes, replaces or removes: what became of it since it was last looked at. */
import { stat } from 'node:fs/promises';
import { FormatError } from '../../core/errors.ts';
import type { NoteListener } from './notes.ts';

export type FileChange = 'same' | 'grown' | 'replaced' | 'missing';

export class FileState {
  #size: number;
  #inode: number;

  /** `opened`: the file that is read. */
  constructor(
    readonly path: string,
    opened: { readonly size: number; readonly ino: number },
  ) {
    this.#size = opened.size;
    this.#inode = opened.ino;
  }

  /** `least`: a file with fewer bytes is another one. */
  async look(least = 0): Promise<FileChange> {
    const now = await stat(this.path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
      throw new FormatError(
        `${this.path}: the file cannot be looked at (${cause.code}). Check its folder.`,
        this.path,
        undefined,
        { cause },
      );
    });
    if (!now) return 'missing';
    const isOther = now.ino !== this.#inode || now.size < Math.max(this.#size, least);
    const change = isOther ? 'replaced' : now.size === this.#size ? 'same' : 'grown';
    [this.#size, this.#inode] = [now.size, now.ino];
    return change;
  }
}

/** Waits for what may come back: says so once, and gives up after a stated time. */
export class Patience {
  #since: number | undefined;

  constructor(
    readonly path: string,
    readonly seconds: number,
    readonly now: () => number,
    readonly tell: NoteListener,
  ) {}

  /** Called while it has not come back. FormatError, with `fact`, when the time is over. */
  wait(fact: string): void {
    if (this.#since === undefined) {
      this.#since = this.now();
      this.tell(`${this.path}: ${fact}. Waiting up to ${this.seconds} s for it.`);
    }
    if (this.now() - this.#since >= this.seconds)
      throw new FormatError(
        `${this.path}: ${fact}, and nothing came for ${this.seconds} s. Begin again when it is there.`,
        this.path,
      );
  }

  /** It is back. */
  rest(): void {
    if (this.#since === undefined) return;
    this.tell(`${this.path}: it is there again.`);
    this.#since = undefined;
  }
}
