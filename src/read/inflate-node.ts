/**
 * Inflating by Node's own zlib (Node only). Its DecompressionStream is the same zlib in pieces of 16 KiB, each of which
 * goes through the pool of threads and a stream, and is copied: a float64 recording takes three times as long.
 */
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { ByteSource } from '../core/bytes.ts';

const pieceBytes = 2 ** 20;
const makers = { gzip: createGunzip, deflate: createInflate, 'deflate-raw': createInflateRaw } as const;

/** As a DecompressionStream of that format. */
export const inflater: NonNullable<ByteSource['inflater']> = (format) => {
  const zlib = makers[format]({ chunkSize: pieceBytes });
  let isCancelled = false;
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        zlib.on('data', (piece: Uint8Array) => {
          if (isCancelled) return;
          controller.enqueue(piece);
          if (controller.desiredSize! <= 0) zlib.pause();
        });
        zlib.on('end', () => {
          if (!isCancelled) controller.close();
        });
        zlib.on('error', (error) => controller.error(error));
        zlib.pause();
      },
      pull() {
        zlib.resume();
      },
      cancel() {
        isCancelled = true;
        zlib.destroy();
      },
    },
    { highWaterMark: 2 },
  );
  const writable = new WritableStream<BufferSource>({
    write(chunk) {
      return new Promise((done, fail) => {
        zlib.write(chunk, (error) => (error ? fail(error) : done()));
      });
    },
    close() {
      zlib.end();
    },
    abort(reason: unknown) {
      // With an error, which the readable side waits for.
      zlib.destroy(reason instanceof Error ? reason : new Error(String(reason)));
    },
  });
  return { readable, writable };
};
