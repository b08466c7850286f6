/**
 * One tiny boundary type for local files, Blobs, buffers and URLs: anything that gives slices of its bytes.
 * Readers take a ByteSource; formats of several files (WFDB) take its siblings through `sibling`.
 */
import type { Budget } from './budget.ts';
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
  /** What may be made of its bytes; that of the recording to which it belongs. Absent: the default limits. */
  readonly budget?: Budget;
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
      checkLength(name, start, end);
      try {
        return new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (cause) {
        throw unreadableBlob(name, start, cause);
      }
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

/** JavaScript engines of this decade hold at least so many bytes in one array. */
export const mostBytesAtOnce = 2 ** 32;

/** Memory for bytes [start, end) of a source. FormatError where they are too many for one array or for this machine. */
export function allocateBytes(name: string, start: number, end: number): Uint8Array<ArrayBuffer> {
  checkLength(name, start, end);
  try {
    return new Uint8Array(end - start);
  } catch (cause) {
    throw tooLong(name, start, end, 'more than this machine has memory for', cause);
  }
}

function checkLength(name: string, start: number, end: number): void {
  if (end - start > mostBytesAtOnce)
    throw tooLong(name, start, end, `at most ${mostBytesAtOnce} fit into one array`);
}

function tooLong(name: string, start: number, end: number, fact: string, cause?: unknown): FormatError {
  return new FormatError(
    `${name}: ${end - start} bytes from byte ${start} on were asked for in one piece, ${fact}. Split the recording, or convert it to a format that is read in pieces (EDF, Parquet).`,
    name,
    start,
    { cause },
  );
}

/** A page keeps no hold on the files that its user chose: they may change or vanish. */
function unreadableBlob(name: string, start: number, cause: unknown): FormatError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new FormatError(
    `${name}: bytes from ${start} on cannot be read (${reason}). The file was changed or removed since it was chosen; choose it again.`,
    name,
    start,
    { cause },
  );
}

/** `gz` magic number? */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
