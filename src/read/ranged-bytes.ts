/**
 * Ranged reads with a small memory: ByteSource → bytes [start, end). Readers ask for the same stretch once per channel;
 * the last few stretches are kept, so that reading 20 interleaved channels of a window touches the file once.
 */
import { type ByteSource, checkRange } from '../core/bytes.ts';

/** One request to the source is at most this long; four are kept: 32 MiB. */
export const chunkBytes = 8 * 1024 * 1024;
const keptChunks = 4;

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

export class RangedBytes {
  #kept: Stretch[] = [];

  constructor(readonly source: ByteSource) {}

  /** Bytes [start, end), from memory where a kept stretch holds them. At most `chunkBytes` are kept per stretch. */
  async read(start: number, end: number): Promise<Uint8Array> {
    checkRange(this.source.name, start, end, this.source.byteLength);
    const known = this.#kept.find((stretch) => stretch.start <= start && end <= stretch.end);
    if (known) return (await known.bytes).subarray(start - known.start, end - known.start);
    const bytes = this.source.read(start, end);
    if (end - start > chunkBytes) return bytes;
    const stretch = { start, end, bytes };
    this.#kept = [stretch, ...this.#kept].slice(0, keptChunks);
    try {
      return await bytes;
    } catch (error) {
      this.#kept = this.#kept.filter((other) => other !== stretch);
      throw error;
    }
  }
}
