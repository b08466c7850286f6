/**
 * The entries of a zip archive in memory: bytes → entry name → bytes. Sizes come from the central directory and are
 * checked against the bytes present; what deflated entries may grow to is bounded, so no zip bomb goes off.
 *
 * Format: PKWARE APPNOTE 6.3: end record 4.3.16, central directory 4.3.12, local header 4.3.7. Methods 0 (stored, as
 * PyTorch writes) and 8 (deflated).
 */
import { inflateSync } from 'fflate';
import { crc32 } from '../core/crc32.ts';
import { FormatError, UnsupportedError } from '../core/errors.ts';

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly localOffset: number;
}

/** Begins like a zip archive? */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/** An archive whose entries are read on demand. FormatError where the archive breaks the format. */
export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  /** Bytes that all entries together may still have: bounds overlapping and deflated ones alike. */
  #allowance: number;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // Weights hardly compress: 16 times the archive is far more than an honest one needs.
    this.#allowance = 16 * bytes.byteLength + 2 ** 20;
    this.entries = this.#readDirectory();
  }

  /** The bytes of one entry, checksum verified; a view where it is stored. */
  read(entry: ZipEntry): Uint8Array {
    const { localOffset } = entry;
    if (localOffset + 30 > this.#bytes.length || this.#view.getUint32(localOffset, true) !== localSignature) {
      return this.#fail(`entry '${entry.name}' has no header`, localOffset);
    }
    const nameBytes = this.#view.getUint16(localOffset + 26, true);
    const start = localOffset + 30 + nameBytes + this.#view.getUint16(localOffset + 28, true);
    const end = start + entry.compressedBytes;
    if (end > this.#bytes.length) {
      return this.#fail(`entry '${entry.name}' ends at byte ${end} of ${this.#bytes.length}`, start);
    }
    const content = this.#expand(entry, this.#bytes.subarray(start, end), start);
    if (crc32(content) !== entry.crc32) this.#fail(`entry '${entry.name}' has a wrong checksum`, start);
    return content;
  }

  #expand(entry: ZipEntry, stored: Uint8Array, offset: number): Uint8Array {
    if (entry.bytes > this.#allowance) {
      this.#fail(
        `entry '${entry.name}' declares ${entry.bytes} bytes, the archive has ${this.#bytes.length}`,
        offset,
      );
    }
    this.#allowance -= entry.bytes;
    if (entry.method === 0) {
      if (entry.bytes !== stored.length) {
        this.#fail(`stored entry '${entry.name}' of ${stored.length} bytes declares ${entry.bytes}`, offset);
      }
      return stored;
    }
    if (entry.method !== 8) {
      throw new UnsupportedError(
        `${this.#name}: entry '${entry.name}' is compressed by method ${entry.method}; 0 and 8 are read. Save it uncompressed.`,
        `zip method ${entry.method}`,
      );
    }
    try {
      const content = inflateSync(stored, { out: new Uint8Array(entry.bytes) });
      if (content.length === entry.bytes) return content;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return this.#fail(`entry '${entry.name}' does not inflate (${reason})`, offset);
    }
    return this.#fail(`entry '${entry.name}' does not inflate to ${entry.bytes} bytes`, offset);
  }

  #readDirectory(): Map<string, ZipEntry> {
    const end = this.#findEndRecord();
    const count = this.#view.getUint16(end + 10, true);
    const directoryBytes = this.#view.getUint32(end + 12, true);
    let offset = this.#view.getUint32(end + 16, true);
    if (count === 0xffff || directoryBytes === 0xffffffff || offset === 0xffffffff) {
      throw new UnsupportedError(
        `${this.#name}: a zip64 archive (over 4 GiB or 65,534 entries). Save the weights alone.`,
        'zip64',
      );
    }
    const limit = offset + directoryBytes;
    if (limit > end) this.#fail(`the directory ends at byte ${limit} of ${end}`, offset);
    const entries = new Map<string, ZipEntry>();
    for (let i = 0; i < count; i++) {
      if (offset + 46 > limit || this.#view.getUint32(offset, true) !== centralSignature) {
        this.#fail(`the directory holds ${i} of ${count} entries`, offset);
      }
      const sizes = [28, 30, 32].map((at) => this.#view.getUint16(offset + at, true));
      const [nameBytes, extraBytes, commentBytes] = sizes as [number, number, number];
      const next = offset + 46 + nameBytes + extraBytes + commentBytes;
      if (next > limit) this.#fail(`entry ${i} of the directory ends at byte ${next} of ${limit}`, offset);
      const name = new TextDecoder().decode(this.#bytes.subarray(offset + 46, offset + 46 + nameBytes));
      if (entries.has(name)) this.#fail(`entry '${name}' occurs twice`, offset);
      entries.set(name, {
        name,
        method: this.#view.getUint16(offset + 10, true),
        crc32: this.#view.getUint32(offset + 16, true),
        compressedBytes: this.#view.getUint32(offset + 20, true),
        bytes: this.#view.getUint32(offset + 24, true),
        localOffset: this.#view.getUint32(offset + 42, true),
      });
      offset = next;
    }
    return entries;
  }

  /** The end record is the last thing in the file but for a comment of at most 65,535 bytes. */
  #findEndRecord(): number {
    const last = this.#bytes.length - 22;
    for (let offset = last; offset >= Math.max(0, last - 0xffff); offset--) {
      if (this.#view.getUint32(offset, true) === endSignature) return offset;
    }
    return this.#fail('no end record', Math.max(0, last));
  }

  #fail(fact: string, offset: number): never {
    throw new FormatError(
      `${this.#name}: zip archive: ${fact}. The copy is damaged or truncated; fetch it again.`,
      this.#name,
      offset,
    );
  }
}
