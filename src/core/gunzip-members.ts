/**
 * A gzip file member by member (RFC 1952, 2.2): all of them joined, as zlib and gzip do, each checked by its CRC-32 and
 * length, up to the first error; and how much lies behind the last member that is none. Slower than the platform's
 * inflater, which does not tell where a member ends.
 */
import { Gunzip } from 'fflate';
import type { ByteSource } from './bytes.ts';
import { crc32 } from './crc32.ts';
import { FormatError } from './errors.ts';
import { GrowingBytes } from './growing-bytes.ts';

export interface InflatedMembers {
  readonly bytes: GrowingBytes;
  /** Why the data end before the file does. */
  readonly error?: string;
  /** Bytes behind the last member, zeros (the padding of tapes) aside. */
  readonly trailing: number;
}

/** fflate calls itself once a member: with short pieces, which hold few, its stack is never deep. */
const pieceBytes = 2 ** 14;
/** CRC-32 and length, four bytes each. */
const trailerBytes = 8;
/** A header that begins in the piece before is noticed late by at most so much. */
const lookBack = trailerBytes + 16;

/** `check` gets the number of bytes so far before they are kept, and may throw. */
export async function inflateMembers(
  source: ByteSource,
  check: (length: number) => void,
): Promise<InflatedMembers> {
  const bytes = new GrowingBytes(source.name);
  const gunzip = new Gunzip();
  let member = { crc: 0, length: 0 };
  /** Members that ended in this piece, with the place where the next one begins. */
  const ended: { readonly next: number; readonly trailer: Uint8Array }[] = [];
  gunzip.ondata = (data) => {
    check(bytes.length + data.length);
    bytes.push(data);
    member = { crc: crc32(data, member.crc), length: member.length + data.length };
  };
  gunzip.onmember = (next) => {
    ended.push({ next, trailer: trailerOf(member) });
    member = { crc: 0, length: 0 };
  };
  for (let at = 0; at < source.byteLength; at += pieceBytes) {
    const end = Math.min(source.byteLength, at + pieceBytes);
    const piece = await source.read(at, end);
    let error: string | undefined;
    try {
      gunzip.push(piece.slice(), end === source.byteLength);
    } catch (cause) {
      if (cause instanceof FormatError) throw cause;
      error = cause instanceof Error ? cause.message : String(cause);
    }
    for (const { next, trailer } of ended.splice(0)) {
      const stored = await source.read(Math.max(0, next - trailerBytes), next);
      if (indexOf(stored, trailer) !== 0) return { bytes, error: 'a checksum is wrong', trailing: 0 };
    }
    if (error === undefined && end < source.byteLength) continue;
    // The last member, or what is none behind it: a whole member ends with its checksum.
    const from = Math.max(0, at - lookBack);
    const place = indexOf(await source.read(from, end), trailerOf(member));
    if (place >= 0) return { bytes, trailing: await countTrailing(source, from + place + trailerBytes) };
    return { bytes, error: error ?? 'its end is missing, or its checksum wrong', trailing: 0 };
  }
  return { bytes, error: 'it is empty', trailing: 0 };
}

function trailerOf({ crc, length }: { readonly crc: number; readonly length: number }): Uint8Array {
  const trailer = new DataView(new ArrayBuffer(trailerBytes));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, length % 2 ** 32, true);
  return new Uint8Array(trailer.buffer);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let i = 0; i + wanted.length <= bytes.length; i++)
    if (wanted.every((byte, k) => bytes[i + k] === byte)) return i;
  return -1;
}

async function countTrailing(source: ByteSource, from: number): Promise<number> {
  const start = await source.read(from, Math.min(source.byteLength, from + 2 ** 16));
  return start.every((byte) => byte === 0) ? 0 : source.byteLength - from;
}
