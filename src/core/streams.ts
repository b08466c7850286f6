/** Bytes that come once and in order (stdin, a response's body) → a ByteSource, within a bound. */
import { type ByteSource, checkRange } from './bytes.ts';
import { FormatError } from './errors.ts';
import { GrowingBytes } from './growing-bytes.ts';

export interface StreamOptions {
  /** More is refused: readers need all of a stream in memory. Default 1 GiB. */
  readonly maxBytes?: number;
}

const defaultMaxBytes = 2 ** 30;

/**
 * Read a stream to its end, into memory. FormatError where it fails or holds more than `maxBytes`; Node's streams come
 * here by `Readable.toWeb`.
 */
export async function streamSource(
  name: string,
  stream: ReadableStream<Uint8Array>,
  { maxBytes = defaultMaxBytes }: StreamOptions = {},
): Promise<ByteSource> {
  const reader = stream.getReader();
  const bytes = new GrowingBytes(name);
  try {
    // A reader, not `for await`: Safari's streams cannot be iterated.
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (bytes.length + value!.byteLength > maxBytes)
        throw new FormatError(
          `${name}: the stream holds more than ${maxBytes} bytes, which would have to lie in memory. Give it as a file.`,
          name,
          maxBytes,
        );
      bytes.push(value!);
    }
  } catch (cause) {
    await reader.cancel(cause).catch(() => undefined);
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      `${name}: the stream ended in an error after ${bytes.length} bytes (${cause instanceof Error ? cause.message : cause}). Send it again.`,
      name,
      bytes.length,
      { cause },
    );
  }
  return collectedSource(name, bytes);
}

/** A ByteSource over bytes that were collected. */
export function collectedSource(name: string, bytes: GrowingBytes): ByteSource {
  const byteLength = bytes.length;
  const readSync = (start: number, end: number, into?: Uint8Array) => {
    checkRange(name, start, end, byteLength);
    return bytes.slice(start, end, into);
  };
  return {
    name,
    byteLength,
    read: async (start, end, into) => readSync(start, end, into),
    readSync: (start, end) => readSync(start, end),
    sibling: async () => undefined,
  };
}
