/**
 * Ranged reads with a small memory: ByteSource → bytes [start, end). Readers ask for the same stretch once per channel;
 * the last few stretches are kept, so that reading 20 interleaved channels of a window touches the file once. Memory of
 * a stretch that is no longer kept takes the next one: fresh memory costs more than reading (1.7 × on a long file).
 */
import { type ByteSource, checkRange } from '../core/bytes.ts';

/** One request to the source is at most this long; four are kept: 32 MiB. */
export const chunkBytes = 8 * 1024 * 1024;
const keptChunks = 4;
export const keptBytes = keptChunks * chunkBytes;

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly memory: Uint8Array | undefined;
  readonly bytes: Promise<Uint8Array>;
  /** Calls of `use` that still wait for the bytes. */
  users: number;
}

export class RangedBytes {
  #kept: Stretch[] = [];

  constructor(readonly source: ByteSource) {}

  /**
   * What `decode` makes of bytes [start, end), from memory where a kept stretch holds them. The bytes are only valid
   * within `decode`. At most `chunkBytes` are kept per stretch.
   */
  async use<T>(start: number, end: number, decode: (bytes: Uint8Array) => T): Promise<T> {
    checkRange(this.source.name, start, end, this.source.byteLength);
    if (end - start > chunkBytes) return decode(await this.source.read(start, end));
    const stretch = this.#find(start, end) ?? this.#request(start, end);
    stretch.users++;
    try {
      const bytes = await stretch.bytes;
      return decode(bytes.subarray(start - stretch.start, end - stretch.start));
    } finally {
      stretch.users--;
    }
  }

  #find(start: number, end: number): Stretch | undefined {
    return this.#kept.find((stretch) => stretch.start <= start && end <= stretch.end);
  }

  #request(start: number, end: number): Stretch {
    const dropped = this.#kept.length === keptChunks ? this.#kept.pop() : undefined;
    const free = dropped?.users === 0 ? dropped.memory : undefined;
    const isRoomy = free !== undefined && free.length >= end - start;
    const memory = this.source.isLocal ? (isRoomy ? free : new Uint8Array(end - start)) : undefined;
    const bytes = this.source.read(start, end, memory?.subarray(0, end - start));
    const stretch = { start, end, memory, bytes, users: 0 };
    this.#kept.unshift(stretch);
    bytes.catch(() => {
      this.#kept = this.#kept.filter((other) => other !== stretch);
    });
    return stretch;
  }
}
