/**
 * The members of a zip archive of any size, read from the disk: directory first, then one content after the other.
 *
 * Format: PKWARE APPNOTE 6.3: end record 4.3.16, zip64 end record 4.3.14 and locator 4.3.15, central directory 4.3.12,
 * local header 4.3.7, zip64 extra field 4.5.3. Methods 0 (stored) and 8 (deflated).
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { FormatError, UnsupportedError } from '../core/errors.ts';
import { type ArchiveMember, mostContent, type UnpackOptions } from './fetch-archive.ts';

interface Entry {
  readonly path: string;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly localOffset: number;
  /** Unix's file type, 0 where made elsewhere. */
  readonly unixType: number;
}

const [isLink, isFolder, isRegular] = [0o120000, 0o040000, 0o100000];
/** A directory is read into memory: 100 bytes an entry are usual. */
const mostDirectory = 2 ** 28;

/** Members in the directory's order. FormatError where the archive is damaged or larger than it may be. */
export async function* readZip(path: string, options: UnpackOptions = {}): AsyncGenerator<ArchiveMember> {
  const file = await open(path, 'r');
  try {
    const archive = new Archive(file, path, (await file.stat()).size);
    const entries = await archive.readDirectory();
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const compressed = entries.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0);
    if (total > mostContent(archive.size))
      archive.fail(`${total} bytes inside, more than ${archive.size} bytes may grow to`, 0);
    // Members that overlap are the trick of small archives with huge contents.
    if (compressed > archive.size) archive.fail(`members of ${compressed} bytes in ${archive.size}`, 0);
    await options.checkSpace?.(total);
    for (const entry of entries) {
      const { path: name, bytes, unixType } = entry;
      const kind =
        name.endsWith('/') || unixType === isFolder
          ? 'folder'
          : unixType === isLink || (unixType !== 0 && unixType !== isRegular)
            ? 'other'
            : 'file';
      yield { path: name, kind, bytes, content: archive.content(entry) };
    }
  } finally {
    await file.close();
  }
}

class Archive {
  readonly size: number;
  readonly #file: FileHandle;
  readonly #name: string;

  constructor(file: FileHandle, name: string, size: number) {
    this.#file = file;
    this.#name = name;
    this.size = size;
  }

  async readDirectory(): Promise<Entry[]> {
    const { count, bytes, offset } = await this.#findDirectory();
    if (bytes > mostDirectory || count > bytes / 46)
      this.fail(`a directory of ${count} entries in ${bytes} bytes`, offset);
    const directory = await this.#read(offset, bytes, 'its directory');
    const entries: Entry[] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + 46 > bytes || directory.readUInt32LE(at) !== 0x02014b50)
        this.fail(`its directory holds ${i} of ${count} entries`, offset + at);
      const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((k) =>
        directory.readUInt16LE(at + k),
      ) as [number, number, number];
      const end = at + 46 + nameBytes + extraBytes + commentBytes;
      if (end > bytes) this.fail(`entry ${i} of its directory is cut off`, offset + at);
      const extra = directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes);
      const isUnix = directory[at + 5] === 3;
      entries.push({
        path: decodeName(directory.subarray(at + 46, at + 46 + nameBytes)),
        flags: directory.readUInt16LE(at + 8),
        method: directory.readUInt16LE(at + 10),
        crc32: directory.readUInt32LE(at + 16),
        unixType: isUnix ? (directory.readUInt32LE(at + 38) >>> 16) & 0o170000 : 0,
        ...this.#sizes(directory, at, extra, offset + at),
      });
      at = end;
    }
    return entries;
  }

  /** The content of a member, its length and checksum verified at the end. */
  async *content(entry: Entry): AsyncGenerator<Uint8Array> {
    const { path, flags, method, bytes, compressedBytes, localOffset } = entry;
    if (flags & 1)
      throw new UnsupportedError(
        `${this.#name}: '${path}' is encrypted. Unpack it by hand with the password.`,
        'encrypted zip',
      );
    if (method !== 0 && method !== 8)
      throw new UnsupportedError(
        `${this.#name}: '${path}' is compressed by method ${method}; 0 and 8 are read. Unpack it by hand.`,
        `zip method ${method}`,
      );
    const header = await this.#read(localOffset, 30, `the header of '${path}'`);
    if (header.readUInt32LE(0) !== 0x04034b50) this.fail(`'${path}' has no header`, localOffset);
    const start = localOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (start + compressedBytes > this.size) this.fail(`'${path}' ends behind the archive`, start);
    let [length, checksum] = [0, 0];
    for await (const chunk of this.#inflated(start, compressedBytes, method, path)) {
      length += chunk.length;
      if (length > bytes) this.fail(`'${path}' grows beyond its ${bytes} bytes`, start);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
    if (length !== bytes) this.fail(`'${path}' has ${length} bytes, not ${bytes}`, start);
    if (checksum !== entry.crc32) this.fail(`'${path}' has a wrong checksum`, start);
  }

  fail(fact: string, offset: number, cause?: unknown): never {
    throw new FormatError(
      `${this.#name}: zip archive: ${fact} (byte ${offset}). The copy is damaged or truncated; fetch it again.`,
      this.#name,
      offset,
      { cause },
    );
  }

  async *#inflated(start: number, bytes: number, method: number, path: string): AsyncGenerator<Uint8Array> {
    if (bytes === 0) return;
    const stored = createReadStream(this.#name, { start, end: start + bytes - 1 });
    const stream = method === 0 ? stored : pipeline(stored, createInflateRaw(), () => undefined);
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
    } catch (cause) {
      this.fail(`'${path}' does not inflate (${(cause as Error).message})`, start, cause);
    } finally {
      stored.destroy();
      stream.destroy();
    }
  }

  /** Sizes and place of an entry; those that do not fit 32 bits stand in the zip64 extra field, in this order. */
  #sizes(directory: Buffer, at: number, extra: Buffer, offset: number) {
    let zip64 = Buffer.alloc(0);
    for (let k = 0; k + 4 <= extra.length; k += 4 + extra.readUInt16LE(k + 2))
      if (extra.readUInt16LE(k) === 1)
        zip64 = Buffer.from(extra.subarray(k + 4, k + 4 + extra.readUInt16LE(k + 2)));
    let used = 0;
    const [bytes, compressedBytes, localOffset] = [24, 20, 42].map((k) => {
      const value = directory.readUInt32LE(at + k);
      if (value !== 0xffffffff) return value;
      if (used + 8 > zip64.length) this.fail('an entry without its zip64 sizes', offset);
      used += 8;
      return this.#long(zip64, used - 8);
    }) as [number, number, number];
    return { bytes, compressedBytes, localOffset };
  }

  /** The end record is the last thing but for a comment of at most 65,535 bytes. */
  async #findDirectory(): Promise<{ count: number; bytes: number; offset: number }> {
    const tailBytes = Math.min(this.size, 22 + 0xffff);
    const tail = await this.#read(this.size - tailBytes, tailBytes, 'its end');
    for (let at = tailBytes - 22; at >= 0; at--) {
      if (tail.readUInt32LE(at) !== 0x06054b50) continue;
      const [count, bytes, offset] = [
        tail.readUInt16LE(at + 10),
        tail.readUInt32LE(at + 12),
        tail.readUInt32LE(at + 16),
      ];
      if (count !== 0xffff && bytes !== 0xffffffff && offset !== 0xffffffff) return { count, bytes, offset };
      const locatorAt = this.size - tailBytes + at - 20;
      const locator = await this.#read(locatorAt, 20, 'its zip64 locator');
      if (locator.readUInt32LE(0) !== 0x07064b50) return { count, bytes, offset };
      const record = await this.#read(this.#long(locator, 8), 56, 'its zip64 end record');
      if (record.readUInt32LE(0) !== 0x06064b50) this.fail('no zip64 end record', locatorAt);
      const [count64, bytes64, offset64] = [32, 40, 48].map((k) => this.#long(record, k)) as [
        number,
        number,
        number,
      ];
      return { count: count64, bytes: bytes64, offset: offset64 };
    }
    return this.fail('no end record', this.size);
  }

  #long(buffer: Buffer, at: number): number {
    const value = buffer.readBigUInt64LE(at);
    return value <= BigInt(this.size) * 2000n + 2n ** 32n
      ? Number(value)
      : this.fail(`a size of ${value}`, at);
  }

  async #read(offset: number, bytes: number, what: string): Promise<Buffer> {
    if (offset < 0 || offset + bytes > this.size) this.fail(`${what} lies outside (${bytes} bytes)`, offset);
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await this.#file.read(buffer, 0, bytes, offset);
    return bytesRead === bytes ? buffer : this.fail(`${what} ends early`, offset + bytesRead);
  }
}

/** Names are UTF-8 by flag or by custom; others are taken byte by byte. */
function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}
