/**
 * Bytes of a MAT element from front to back, stored or inflated on the way: what is behind is dropped, what is passed
 * over costs nothing where it is stored, inflating where it is compressed. Memory: a chunk.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';

/** A request grows from the first to the second: headers are small, data are long. */
const [firstChunk, largestChunk] = [4096, 1 << 18];

/** Of fewer compressed bytes the large pieces of a source's own inflater are not worth their memory. */
const longBytes = 2 ** 16;

/** Deflate cannot make more of a byte (zlib.net, "Maximum Compression Factor"); a checksum and a header around it. */
export const inflateFactor = 1032;

export abstract class ForwardBytes {
  /** Bytes at hand; those before `at` have been taken. */
  protected buffer: Uint8Array = new Uint8Array(0);
  protected at = 0;
  protected view = new DataView(this.buffer.buffer);
  /** Of the next byte to be taken: in the file, or in the inflated data. */
  position = 0;

  constructor(
    readonly name: string,
    /** Where `position` cannot go beyond. */
    public end: number,
    /** Of the element, for messages about compressed ones. */
    readonly byteOffset: number,
  ) {}

  /** Further bytes, undefined at the end. */
  protected abstract next(): Promise<Uint8Array | undefined>;
  abstract close(): Promise<void>;

  get available(): number {
    return this.buffer.length - this.at;
  }

  /** `n` bytes at hand, to be taken at once: see `take`. */
  async ensure(n: number): Promise<void> {
    if (this.available >= n) return;
    if (this.position + n > this.end) this.fail(n);
    const parts = [this.buffer.subarray(this.at)];
    let length = parts[0]!.length;
    while (length < n) {
      const part = await this.next();
      if (!part) this.fail(n);
      parts.push(part!);
      length += part!.length;
    }
    this.#hold(parts, length);
  }

  #hold(parts: readonly Uint8Array[], length: number): void {
    if (parts[0]!.length === 0 && parts.length === 2) {
      this.buffer = parts[1]!;
    } else {
      this.buffer = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        this.buffer.set(part, at);
        at += part.length;
      }
    }
    this.at = 0;
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
  }

  /** Take `n` bytes that are at hand: a view of them, valid until the next `ensure`. */
  take(n: number): DataView {
    const view = new DataView(this.buffer.buffer, this.buffer.byteOffset + this.at, n);
    this.at += n;
    this.position += n;
    return view;
  }

  /** Two 32-bit numbers that are at hand, without an object for them. */
  takePair(isLittle: boolean): readonly [number, number] {
    const first = this.view.getUint32(this.at, isLittle);
    const second = this.view.getUint32(this.at + 4, isLittle);
    this.at += 8;
    this.position += 8;
    return [first, second];
  }

  /** The 32-bit number that comes next and is at hand, not taken. */
  peek(isLittle: boolean): number {
    return this.view.getUint32(this.at, isLittle);
  }

  /** Fill `target` with the bytes that follow. */
  async into(target: Uint8Array): Promise<void> {
    if (this.position + target.length > this.end) this.fail(target.length);
    let done = Math.min(this.available, target.length);
    target.set(this.buffer.subarray(this.at, this.at + done));
    this.at += done;
    this.position += done;
    while (done < target.length) {
      const direct = await this.direct(target.subarray(done));
      if (direct > 0) {
        done += direct;
        this.position += direct;
        continue;
      }
      const part = await this.next();
      if (!part) this.fail(target.length - done);
      const used = Math.min(part!.length, target.length - done);
      target.set(part!.subarray(0, used), done);
      done += used;
      this.position += used;
      if (used < part!.length) this.#hold([new Uint8Array(0), part!.subarray(used)], part!.length - used);
    }
  }

  /** Bytes that the source wrote to `target` itself. */
  protected async direct(_target: Uint8Array): Promise<number> {
    return 0;
  }

  async skip(n: number): Promise<void> {
    if (this.position + n > this.end) this.fail(n);
    while (n > 0) {
      const used = Math.min(this.available, n);
      this.at += used;
      this.position += used;
      n -= used;
      if (n === 0) return;
      const jumped = this.jump(n);
      if (jumped) {
        this.position += n;
        return;
      }
      const part = await this.next();
      if (!part) this.fail(n);
      this.#hold([new Uint8Array(0), part!], part!.length);
    }
  }

  /** Go on `n` bytes further without reading them, with nothing at hand. */
  protected jump(_n: number): boolean {
    return false;
  }

  protected fail(n: number): never {
    throw new FormatError(
      `mat: ${this.name} ends within a variable at byte ${this.byteOffset}: ${n} more bytes are wanted at ${this.position}, they end at ${this.end}. The copy is truncated or damaged; fetch it again.`,
      this.name,
      this.byteOffset,
    );
  }
}

/** Bytes [start, end) of a source. */
export class StoredBytes extends ForwardBytes {
  #chunk = firstChunk;
  /** Of the next byte to be read from the source. */
  #ahead: number;
  readonly #source: ByteSource;

  constructor(source: ByteSource, start: number, end: number) {
    super(source.name, end, start);
    this.#source = source;
    this.position = start;
    this.#ahead = start;
  }

  protected async next(): Promise<Uint8Array | undefined> {
    const start = this.#ahead;
    if (start >= this.end) return undefined;
    const bytes = await this.#source.read(start, Math.min(this.end, start + this.#chunk));
    this.#ahead += bytes.length;
    this.#chunk = Math.min(largestChunk, this.#chunk * 4);
    return bytes;
  }

  protected override async direct(target: Uint8Array): Promise<number> {
    if (target.length < firstChunk) return 0;
    const start = this.#ahead;
    const bytes = await this.#source.read(start, start + target.length, target);
    this.#ahead += target.length;
    // Behind a long array stands the header of the next.
    this.#chunk = firstChunk;
    if (bytes !== target && (bytes.buffer !== target.buffer || bytes.byteOffset !== target.byteOffset))
      target.set(bytes);
    return target.length;
  }

  protected override jump(n: number): boolean {
    this.#ahead += n;
    this.#chunk = firstChunk;
    return true;
  }

  async close(): Promise<void> {}
}

/** Bytes [start, end) of a source, inflated (zlib). Nothing is inflated ahead of what is asked for but a chunk. */
export class InflatedBytes extends ForwardBytes {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #failure: unknown;

  constructor(source: ByteSource, start: number, end: number) {
    super(source.name, (end - start) * inflateFactor, start);
    let at = start;
    let chunk = firstChunk;
    const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          try {
            if (at >= end) return controller.close();
            const next = Math.min(end, at + chunk);
            chunk = Math.min(largestChunk, chunk * 4);
            const bytes = (await source.read(at, next)) as Uint8Array<ArrayBuffer>;
            at = next;
            controller.enqueue(bytes);
          } catch (error) {
            this.#failure = error;
            controller.error(error);
          }
        },
      },
      { highWaterMark: 0 },
    );
    const inflate = end - start > longBytes ? source.inflater?.('deflate') : undefined;
    this.#reader = compressed.pipeThrough(inflate ?? new DecompressionStream('deflate')).getReader();
  }

  protected async next(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await this.#reader.read();
      return done ? undefined : value;
    } catch (cause) {
      if (this.#failure) throw this.#failure;
      throw new FormatError(
        `mat: ${this.name} has a compressed variable at byte ${this.byteOffset} that cannot be inflated beyond byte ${this.position} of it (${cause instanceof Error ? cause.message : cause}). The copy is damaged; fetch it again.`,
        this.name,
        this.byteOffset,
        { cause },
      );
    }
  }

  /** Go on to the end of the compressed data, so that their checksum is looked at. FormatError where more comes. */
  async finish(): Promise<void> {
    let extra = this.available;
    for (let part = await this.next(); part && extra === 0; part = await this.next()) extra += part.length;
    if (extra > 0)
      throw new FormatError(
        `mat: ${this.name} has a compressed variable at byte ${this.byteOffset} that is longer than its ${this.position} bytes. The file is damaged; fetch it again.`,
        this.name,
        this.byteOffset,
      );
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}
