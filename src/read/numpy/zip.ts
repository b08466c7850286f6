/**
 * Zip archives as .npz are: a directory of entries, each a ByteSource of its own; stored ones are read in place, deflated
 * ones inflated within what the directory says and deflate can. Source: PKWARE APPNOTE 6.3.10, zip64 included.
 */

import { Inflate } from 'fflate';
import { budgetOf, heavyElement } from '../../core/budget.ts';
import { type ByteSource, bytesSource, checkRange } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly compressedBytes: number;
  readonly plainBytes: number;
  readonly headerStart: number;
}

/** Deflate makes at most this many bytes of one. */
const deflateRatio = 1032;

/** The directory at the archive's end. FormatError where there is none. */
export async function readZip(source: ByteSource): Promise<ZipEntry[]> {
  const fail = (fact: string, at: number): never => {
    throw new FormatError(
      `npz: ${source.name} ${fact}. The copy is truncated; fetch it again.`,
      source.name,
      at,
    );
  };
  const { byteLength } = source;
  const tailStart = Math.max(0, byteLength - 65557);
  const tail = await source.read(tailStart, byteLength);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) fail('has no directory at its end', byteLength);
  let size = view.getUint32(end + 12, true);
  let start = view.getUint32(end + 16, true);
  if (
    (start === 0xffffffff || size === 0xffffffff) &&
    end >= 20 &&
    view.getUint32(end - 20, true) === 0x07064b50
  ) {
    const at = Number(view.getBigUint64(end - 12, true));
    if (!(at >= 0 && at + 56 <= byteLength)) fail(`places its directory at byte ${at}`, tailStart + end);
    const record = await source.read(at, at + 56);
    const wide = new DataView(record.buffer, record.byteOffset, record.byteLength);
    size = Number(wide.getBigUint64(40, true));
    start = Number(wide.getBigUint64(48, true));
  }
  if (!(start + size <= byteLength))
    fail(`places its directory at bytes ${start}–${start + size}`, tailStart + end);
  return entriesOf(await source.read(start, start + size), () =>
    budgetOf(source).spend(`npz: ${source.name}`, 'files', heavyElement),
  );
}

function entriesOf(bytes: Uint8Array, onEntry: () => void): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= bytes.length && view.getUint32(at, true) === 0x02014b50; ) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((k) => view.getUint16(at + k, true));
    const extraStart = at + 46 + nameLength!;
    const next = extraStart + extraLength! + commentLength!;
    if (next > bytes.length) break;
    const wide = wideNumbers(view, extraStart, extraStart + extraLength!);
    const number = (k: number) => {
      const value = view.getUint32(at + k, true);
      return value === 0xffffffff ? (wide.shift() ?? value) : value;
    };
    const plainBytes = number(24);
    const compressedBytes = number(20);
    onEntry();
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, extraStart)),
      method: view.getUint16(at + 10, true),
      plainBytes,
      compressedBytes,
      headerStart: number(42),
    });
    at = next;
  }
  return entries;
}

/** The 8-byte numbers of a zip64 field. */
function wideNumbers(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const last = Math.min(end, at + 4 + view.getUint16(at + 2, true));
    const numbers: number[] = [];
    for (let k = at + 4; k + 8 <= last; k += 8) numbers.push(Number(view.getBigUint64(k, true)));
    return numbers;
  }
  return [];
}

/** An entry's bytes. */
export async function zipEntrySource(source: ByteSource, entry: ZipEntry): Promise<ByteSource> {
  const name = `${source.name}:${entry.name}`;
  const { headerStart, compressedBytes, plainBytes, method } = entry;
  checkRange(source.name, headerStart, headerStart + 30, source.byteLength);
  const header = await source.read(headerStart, headerStart + 30);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const start = headerStart + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (view.getUint32(0, true) !== 0x04034b50)
    throw new FormatError(`npz: ${name} does not start where the directory says.`, source.name, headerStart);
  checkRange(source.name, start, start + compressedBytes, source.byteLength);
  if (view.getUint16(6, true) & 1)
    throw new UnsupportedError(`npz: ${name} is encrypted. Save it without a password.`, 'zip encryption');
  if (method === 0) {
    return {
      name,
      byteLength: compressedBytes,
      ...(source.isLocal && { isLocal: true }),
      budget: budgetOf(source),
      async read(from, to, into) {
        checkRange(name, from, to, compressedBytes);
        return source.read(start + from, start + to, into);
      },
    };
  }
  if (method !== 8)
    throw new UnsupportedError(
      `npz: ${name} is compressed by method ${method}. Save it with numpy.savez or numpy.savez_compressed.`,
      `zip method ${method}`,
    );
  if (plainBytes > compressedBytes * deflateRatio + 64)
    throw new FormatError(
      `npz: ${name} promises ${plainBytes} bytes out of ${compressedBytes}, more than deflate can. Fetch it again.`,
      source.name,
      start,
    );
  const compressed = await source.read(start, start + compressedBytes);
  const inner = bytesSource(name, await inflateBounded(compressed, plainBytes, name, source));
  return { ...inner, budget: budgetOf(source) };
}

/** Up to here a stream takes longer to set up than to inflate. Bytes. */
const shortBytes = 2 ** 16;

/** Deflated bytes → as many as the directory promises. FormatError where they are fewer or more. */
async function inflateBounded(
  bytes: Uint8Array,
  limit: number,
  name: string,
  source: ByteSource,
): Promise<Uint8Array> {
  const result = new Uint8Array(limit);
  let length = 0;
  const take = (part: Uint8Array) => {
    if (length + part.length > limit) throw new RangeError(`more than the ${limit} bytes it promises`);
    result.set(part, length);
    length += part.length;
  };
  try {
    if (bytes.length <= shortBytes) new Inflate(take).push(bytes, true);
    else await inflateStream(bytes, source, take);
  } catch (cause) {
    throw new FormatError(
      `npz: ${name} cannot be inflated (${cause instanceof Error ? cause.message : cause}). Fetch it again.`,
      source.name,
      undefined,
      { cause },
    );
  }
  if (length !== limit)
    throw new FormatError(
      `npz: ${name} inflates to ${length} bytes instead of ${limit}. Fetch it again.`,
      source.name,
    );
  return result;
}

/** In pieces, given up at the first that `take` refuses. */
async function inflateStream(
  bytes: Uint8Array,
  source: ByteSource,
  take: (part: Uint8Array) => void,
): Promise<void> {
  let at = 0;
  const pieces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + shortBytes) as Uint8Array<ArrayBuffer>);
      at += shortBytes;
    },
  });
  const inflate = source.inflater?.('deflate-raw') ?? new DecompressionStream('deflate-raw');
  const reader = pieces.pipeThrough(inflate).getReader();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read())
      take(value!);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
