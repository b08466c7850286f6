/**
 * The members of a `.tar.gz`, streamed. Format: POSIX.1-2001 ustar and pax, with GNU's long names ('L') and base-256
 * sizes; blocks of 512 bytes, numbers in octal.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FormatError } from '../core/errors.ts';
import { type ArchiveMember, mostContent, type UnpackOptions } from './fetch-archive.ts';

const block = 512;
/** Names and pax records are small; a larger one is a lie. */
const mostExtra = 2 ** 20;

/** Members in order. FormatError where the archive is damaged, cut off, or larger than it may be. */
export async function* readTarGz(path: string, options: UnpackOptions = {}): AsyncGenerator<ArchiveMember> {
  const limit = mostContent((await stat(path)).size);
  const inflated = pipeline(createReadStream(path), createGunzip(), () => undefined);
  const reader = new BlockReader(inflated, path, limit);
  let next: { path?: string; size?: number } = {};
  try {
    for (;;) {
      const header = await reader.take(block);
      if (header.every((byte) => byte === 0)) return; // the first of two zero blocks
      checkSum(header, path, reader.offset - block);
      const type = String.fromCharCode(header[156]!);
      const size = next.size ?? number(header, 124, 12, path);
      if (size > limit - reader.offset)
        fail(path, `a member of ${size} bytes, more than the archive may hold`, reader.offset);
      if (type === 'L' || type === 'x' || type === 'g' || type === 'K') {
        if (size > mostExtra) fail(path, `a name of ${size} bytes`, reader.offset);
        const text = new TextDecoder().decode(await reader.take(size));
        await reader.skip(padding(size));
        if (type === 'L') next = { ...next, path: text.replace(/\0.*$/s, '') };
        if (type === 'x') next = { ...next, ...paxRecords(text, path) };
        continue;
      }
      const prefix = isUstar(header) ? string(header, 345, 155) : '';
      const name =
        next.path ?? (prefix === '' ? string(header, 0, 100) : `${prefix}/${string(header, 0, 100)}`);
      next = {};
      const isFile = type === '0' || type === '\0' || type === '7';
      const kind = type === '5' || (isFile && name.endsWith('/')) ? 'folder' : isFile ? 'file' : 'other';
      // Links have a size of what they point to, but no content.
      const bytes = type === '1' || type === '2' ? 0 : size;
      const end = reader.offset + bytes;
      await options.checkSpace?.(bytes);
      yield { path: name, kind, bytes, content: reader.content(bytes) };
      await reader.skip(end - reader.offset + padding(bytes));
    }
  } finally {
    inflated.destroy();
  }
}

class BlockReader {
  /** Bytes of the inflated archive that are behind. */
  offset = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #name: string;
  readonly #limit: number;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>, name: string, limit: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#name = name;
    this.#limit = limit;
  }

  /** Exactly so many bytes, in memory: for small things. */
  async take(bytes: number): Promise<Uint8Array> {
    const taken = new Uint8Array(bytes);
    let at = 0;
    for await (const chunk of this.content(bytes)) {
      taken.set(chunk, at);
      at += chunk.length;
    }
    return taken;
  }

  async skip(bytes: number): Promise<void> {
    for await (const _ of this.content(bytes));
  }

  async *content(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      if (this.#rest.length === 0) this.#rest = await this.#pull();
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      this.offset += chunk.length;
      if (this.offset > this.#limit) fail(this.#name, `more than ${this.#limit} bytes inside`, this.offset);
      yield chunk;
    }
  }

  async #pull(): Promise<Uint8Array> {
    try {
      const { done, value } = await this.#source.next();
      if (!done) return value;
    } catch (cause) {
      fail(this.#name, `it does not inflate (${(cause as Error).message})`, this.offset, cause);
    }
    return fail(this.#name, 'it ends early', this.offset);
  }
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}

function isUstar(header: Uint8Array): boolean {
  return string(header, 257, 5) === 'ustar' && header[262] === 0;
}

function string(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Octal text, or base 256 where the first bit is set (GNU, for sizes of 8 GiB and more). */
function number(header: Uint8Array, start: number, length: number, path: string): number {
  const field = header.subarray(start, start + length);
  if (field[0]! & 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
    return Number.isSafeInteger(value) ? value : fail(path, 'a size beyond all numbers', start);
  }
  const text = string(header, start, length).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : fail(path, `a size of '${text}'`, start);
}

function checkSum(header: Uint8Array, path: string, offset: number): void {
  const stored = number(header, 148, 8, path);
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (sum !== stored) fail(path, `a header's checksum is ${sum}, it says ${stored}`, offset);
}

/** `LENGTH KEY=VALUE\n`, LENGTH in bytes and counting itself. */
function paxRecords(text: string, path: string): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (const line of text.split('\n')) {
    const [, key, value] = /^\d+ ([^=]+)=(.*)$/s.exec(line) ?? [];
    if (key === 'path') found.path = value!;
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value!)) fail(path, `a size of '${value}'`, 0);
      found.size = Number(value);
    }
  }
  return found;
}

function fail(path: string, fact: string, offset: number, cause?: unknown): never {
  throw new FormatError(
    `${path}: tar archive: ${fact} (byte ${offset} of its content). The copy is damaged or truncated; fetch it again.`,
    path,
    offset,
    { cause },
  );
}
