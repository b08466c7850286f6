/**
 * One tiny boundary type for local files, Blobs, buffers and URLs: anything that gives slices of its bytes.
 * Readers take a ByteSource; formats of several files (WFDB) take its siblings through `sibling`.
 */
import { FormatError } from './errors.ts';

export interface ByteSource {
  /** What to call it in messages: a path or URL. */
  readonly name: string;
  readonly byteLength: number;
  /** A file on disk: small reads cost little, and reads go where `into` says. */
  readonly isLocal?: boolean;
  /**
   * Bytes [start, end). Both are inside [0, byteLength], else FormatError. The result may be a view. `into`, as long as
   * the range, is memory that may be used for it.
   */
  read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array>;
  /** The same at once, where the bytes can be had without waiting: memory, local files, Blobs in a worker. */
  readSync?(start: number, end: number): Uint8Array;
  /** What inflates its bytes faster than a DecompressionStream of that format, where there is such. */
  inflater?(format: CompressionFormat): ReadableWritablePair<Uint8Array, BufferSource>;
  /** Another file beside this one, by bare file name; undefined where it does not exist. */
  sibling?(fileName: string): Promise<ByteSource | undefined>;
  close?(): Promise<void>;
}

/** A ByteSource over bytes in memory; `siblings` by bare file name. */
export function bytesSource(
  name: string,
  bytes: Uint8Array,
  siblings: Readonly<Record<string, Uint8Array>> = {},
): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    async read(start, end) {
      checkRange(name, start, end, bytes.byteLength);
      return bytes.subarray(start, end);
    },
    readSync(start, end) {
      checkRange(name, start, end, bytes.byteLength);
      return bytes.subarray(start, end);
    },
    async sibling(fileName) {
      const found = Object.hasOwn(siblings, fileName) ? siblings[fileName] : undefined;
      return found && bytesSource(fileName, found, siblings);
    },
  };
}

/** A ByteSource over a Blob or File of a page; `siblings` are the other files that the user chose. */
export function blobSource(
  name: string,
  blob: Blob,
  siblings: ReadonlyMap<string, Blob> = new Map(),
): ByteSource {
  return {
    name,
    byteLength: blob.size,
    async read(start, end) {
      checkRange(name, start, end, blob.size);
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    },
    async sibling(fileName) {
      const found = siblings.get(fileName);
      return found && blobSource(fileName, found, siblings);
    },
  };
}

/** Throw a FormatError where [start, end) is not inside a source of `byteLength` bytes. */
export function checkRange(name: string, start: number, end: number, byteLength: number): void {
  const isInside = 0 <= start && start <= end && end <= byteLength;
  if (isInside && Number.isSafeInteger(start) && Number.isSafeInteger(end)) return;
  throw new FormatError(
    `${name}: bytes ${start}–${end} were asked for, the file has ${byteLength}. The copy is truncated or its header lies; fetch it again.`,
    name,
    start,
  );
}

/** `gz` magic number? */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Inflate a whole gzip source into memory. `maxBytes` bounds what a hostile file can make us allocate
 * (default: 1,032 × its size, deflate's own limit, and at most 2 GiB). `onCut` is told
 * where data end in an error, and what came before is taken.
 */
export async function gunzipSource(
  source: ByteSource,
  maxBytes?: number,
  onCut?: (fact: string) => void,
): Promise<ByteSource> {
  const limit = maxBytes ?? Math.min(2 ** 31, source.byteLength * 1032 + 1024);
  const compressed = await source.read(0, source.byteLength);
  const stream = new Blob([compressed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    // A reader, not `for await`: Safari's streams cannot be iterated.
    const reader = stream.getReader();
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      total += value!.byteLength;
      if (total > limit) {
        await reader.cancel();
        throw new RangeError(`more than ${limit} bytes`);
      }
      chunks.push(value!);
    }
  } catch (cause) {
    const fact = `gzip data ends in an error after ${total} bytes (${cause instanceof Error ? cause.message : cause})`;
    if (!onCut || total === 0 || total > limit)
      throw new FormatError(`${source.name}: ${fact}. Fetch the file again.`, source.name, undefined, {
        cause,
      });
    onCut(fact);
  }
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  const inner = bytesSource(source.name.replace(/\.gz$/i, ''), bytes);
  return source.sibling ? { ...inner, sibling: source.sibling.bind(source) } : inner;
}
