/**
 * Bytes collected before one knows how many there are. They lie in blocks, so that growing copies nothing and takes no
 * more memory than there are bytes (but for the last block, at most `largestBlock`).
 */
import { allocateBytes } from './bytes.ts';

const firstBlock = 2 ** 16;
/** Larger blocks save no time; a block that is not full is wasted memory. */
const largestBlock = 2 ** 24;

export class GrowingBytes {
  #length = 0;
  readonly #blocks: { readonly start: number; readonly bytes: Uint8Array }[] = [];

  /** `name`: what to call the bytes in messages. */
  constructor(readonly name: string) {}

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Append a copy of `bytes`. */
  push(bytes: Uint8Array): void {
    for (let taken = 0; taken < bytes.length; ) {
      let last = this.#blocks.at(-1);
      if (!last || last.start + last.bytes.length === this.#length) {
        const size = Math.min(largestBlock, Math.max(firstBlock, this.#length, bytes.length - taken));
        last = { start: this.#length, bytes: allocateBytes(this.name, this.#length, this.#length + size) };
        this.#blocks.push(last);
      }
      const at = this.#length - last.start;
      const part = bytes.subarray(taken, taken + last.bytes.length - at);
      last.bytes.set(part, at);
      this.#length += part.length;
      taken += part.length;
    }
  }

  /** Bytes [start, end), inside [0, length]: a view where they lie in one block. */
  slice(start: number, end: number, into?: Uint8Array): Uint8Array {
    let i = this.#find(start);
    const first = this.#blocks[i];
    if (start === end || !first) return new Uint8Array(0);
    if (end <= first.start + first.bytes.length)
      return first.bytes.subarray(start - first.start, end - first.start);
    const result = into?.length === end - start ? into : allocateBytes(this.name, start, end);
    for (let at = start; at < end; i++) {
      const { start: from, bytes } = this.#blocks[i]!;
      const part = bytes.subarray(at - from, Math.min(bytes.length, end - from));
      result.set(part, at - start);
      at += part.length;
    }
    return result;
  }

  /** The block that holds byte `at`, by bisection. */
  #find(at: number): number {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle]!.start <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
