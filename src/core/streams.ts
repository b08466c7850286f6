/** Bytes that come once and in order (stdin, a response's body) → a ByteSource, within a bound. */
import { type ByteSource, bytesSource } from './bytes.ts';
import { FormatError } from './errors.ts';

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
  let bytes = new Uint8Array(0);
  let length = 0;
  try {
    // A reader, not `for await`: Safari's streams cannot be iterated.
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      const end = length + value!.byteLength;
      if (end > maxBytes)
        throw new FormatError(
          `${name}: the stream holds more than ${maxBytes} bytes, which would have to lie in memory. Give it as a file.`,
          name,
          maxBytes,
        );
      if (end > bytes.length) {
        const larger = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * bytes.length, 65536)));
        larger.set(bytes.subarray(0, length));
        bytes = larger;
      }
      bytes.set(value!, length);
      length = end;
    }
  } catch (cause) {
    await reader.cancel(cause).catch(() => undefined);
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      `${name}: the stream ended in an error after ${length} bytes (${cause instanceof Error ? cause.message : cause}). Send it again.`,
      name,
      length,
      { cause },
    );
  }
  return bytesSource(name, bytes.subarray(0, length));
}
