/**
 * What libhdf5 does not survive: it goes for ever through a global heap (where texts of any length lie) whose free space
 * has no size. Bytes are looked at on their way into the library.
 * Source: HDF5 File Format Specification 3.0, "Disk Format: Level 1E - Global Heap".
 */
import { characters } from '../header-text.ts';

/** Signature, version, size; then objects of a header each. */
const headerBytes = 16;

/** What is wrong with a global heap that begins at the start of `bytes`, which may be its first part; else undefined. */
export function globalHeapFault(bytes: Uint8Array): string | undefined {
  if (bytes.length < headerBytes || characters(bytes.subarray(0, 4)) !== 'GCOL') return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = Number(view.getBigUint64(8, true));
  const end = Math.min(size, bytes.length);
  for (let at = headerBytes; at + headerBytes <= end; ) {
    const index = view.getUint16(at, true);
    const stored = Number(view.getBigUint64(at + 8, true));
    // Free space counts its header, an object does not and is filled up to 8 bytes.
    const step = index === 0 ? stored : headerBytes + Math.ceil(stored / 8) * 8;
    if (step < headerBytes || at + step > size)
      return `a global heap has an object of ${stored} bytes with ${size - at} left`;
    at += step;
  }
  return undefined;
}

/** Bytes that a length takes, where `bytes` begin with a superblock (its format, section II.A). */
export function lengthBytesOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < 16 || characters(bytes.subarray(0, 4)) !== '\u0089HDF') return undefined;
  return bytes[8]! < 2 ? bytes[14] : bytes[10];
}
