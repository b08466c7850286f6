/** Parts → a zip archive as a stream: stored, checksums after the data, zip64 where needed. Source: PKWARE APPNOTE 6.3.10. */
import { crc32 } from '../../core/crc32.ts';

export interface ZipPart {
  readonly name: string;
  /** Of `bytes`, all together. */
  readonly byteLength: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

const most = 0xffffffff;
/** 1980-01-01: equal parts give equal bytes. */
const date = 0x0021;

export async function* zipStream(parts: AsyncIterable<ZipPart>): AsyncIterable<Uint8Array> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for await (const { name, byteLength, bytes } of parts) {
    const isWide = byteLength >= most;
    const nameBytes = new TextEncoder().encode(name);
    const start = at;
    const local = record(30 + nameBytes.length + (isWide ? 20 : 0), (view) => {
      view.setUint32(0, 0x04034b50, true);
      view.setUint16(4, isWide ? 45 : 20, true);
      view.setUint16(6, 0x0808, true); // checksum after the data, name in UTF-8
      view.setUint16(12, date, true);
      view.setUint32(18, isWide ? most : 0, true);
      view.setUint32(22, isWide ? most : 0, true);
      view.setUint16(26, nameBytes.length, true);
      view.setUint16(28, isWide ? 20 : 0, true);
      if (isWide) view.setUint32(30 + nameBytes.length, 0x00100001, true);
    });
    local.set(nameBytes, 30);
    yield local;
    at += local.length;
    let crc = 0;
    for await (const chunk of bytes) {
      crc = crc32(chunk, crc);
      at += chunk.length;
      yield chunk;
    }
    const tail = record(isWide ? 24 : 16, (view) => {
      view.setUint32(0, 0x08074b50, true);
      view.setUint32(4, crc, true);
      for (const k of [0, 1]) {
        if (isWide) view.setBigUint64(8 + 8 * k, BigInt(byteLength), true);
        else view.setUint32(8 + 4 * k, byteLength, true);
      }
    });
    yield tail;
    at += tail.length;
    directory.push(directoryEntry(nameBytes, crc, byteLength, start));
  }
  const directoryStart = at;
  for (const entry of directory) {
    yield entry;
    at += entry.length;
  }
  yield* directoryEnd(directory.length, directoryStart, at - directoryStart);
}

function directoryEntry(name: Uint8Array, crc: number, byteLength: number, start: number): Uint8Array {
  const wide = [...(byteLength >= most ? [byteLength, byteLength] : []), ...(start >= most ? [start] : [])];
  const extra = wide.length > 0 ? 4 + 8 * wide.length : 0;
  const entry = record(46 + name.length + extra, (view) => {
    view.setUint32(0, 0x02014b50, true);
    view.setUint16(4, wide.length > 0 ? 45 : 20, true);
    view.setUint16(6, wide.length > 0 ? 45 : 20, true);
    view.setUint16(8, 0x0808, true);
    view.setUint16(14, date, true);
    view.setUint32(16, crc, true);
    view.setUint32(20, Math.min(most, byteLength), true);
    view.setUint32(24, Math.min(most, byteLength), true);
    view.setUint16(28, name.length, true);
    view.setUint16(30, extra, true);
    view.setUint32(42, Math.min(most, start), true);
    if (extra > 0) {
      view.setUint16(46 + name.length, 1, true);
      view.setUint16(48 + name.length, extra - 4, true);
      for (const [i, value] of wide.entries())
        view.setBigUint64(50 + name.length + 8 * i, BigInt(value), true);
    }
  });
  entry.set(name, 46);
  return entry;
}

function* directoryEnd(count: number, start: number, size: number): Iterable<Uint8Array> {
  const isWide = start >= most || size >= most || count >= 0xffff;
  if (isWide) {
    yield record(76, (view) => {
      view.setUint32(0, 0x06064b50, true);
      view.setBigUint64(4, 44n, true);
      view.setUint16(12, 45, true);
      view.setUint16(14, 45, true);
      for (const [k, value] of [count, count, size, start].entries())
        view.setBigUint64(24 + 8 * k, BigInt(value), true);
      view.setUint32(56, 0x07064b50, true);
      view.setBigUint64(64, BigInt(start + size), true);
      view.setUint32(72, 1, true);
    });
  }
  yield record(22, (view) => {
    view.setUint32(0, 0x06054b50, true);
    view.setUint16(8, Math.min(0xffff, count), true);
    view.setUint16(10, Math.min(0xffff, count), true);
    view.setUint32(12, Math.min(most, size), true);
    view.setUint32(16, Math.min(most, start), true);
  });
}

function record(length: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  fill(new DataView(bytes.buffer));
  return bytes;
}
