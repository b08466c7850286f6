/**
 * Inflating by Node's own zlib (Node only). Its DecompressionStream is the same zlib in pieces of 16 KiB, each of which
 * goes through the pool of threads and a stream: with larger ones a float64 recording takes a third of the time.
 */
import { Duplex } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { ByteSource } from '../core/bytes.ts';

const pieceBytes = 2 ** 18;
const makers = { gzip: createGunzip, deflate: createInflate, 'deflate-raw': createInflateRaw } as const;

/** As a DecompressionStream of that format. */
export const inflater: NonNullable<ByteSource['inflater']> = (format) =>
  Duplex.toWeb(makers[format]({ chunkSize: pieceBytes })) as ReturnType<NonNullable<ByteSource['inflater']>>;
