/**
 * Channels as rows or columns of an array in a file → samples. Float64 that lie together are read straight to where they
 * are wanted; other channels that lie together one after the other; interleaved ones all in one pass.
 */
import type { ByteSource } from '../core/bytes.ts';
import { visitPieces } from './pieces.ts';
import { chunkBytes, RangedBytes } from './ranged-bytes.ts';
import type { ChannelRange, ReadTogether } from './read-channels.ts';
import { decodeNumbers, type NumberType, numberBytes } from './stored-numbers.ts';
import { isLittleEndian } from './strided.ts';

export interface StoredMatrix {
  readonly source: ByteSource;
  /** Byte of the first sample of the first channel. */
  readonly start: number;
  /** Bytes of a number. */
  readonly width: number;
  /** Bytes from a channel to the next, from a sample to the next; the smaller of them is `width`. */
  readonly channelStride: number;
  readonly sampleStride: number;
  /** Float64 in the machine's own order: nothing to decode. */
  readonly isNative: boolean;
  /** Numbers from byte `at` on, one every `stride` bytes → result[from … to). */
  decode(bytes: Uint8Array, at: number, stride: number, result: Float64Array, from: number, to: number): void;
}

/** How samples are taken out of it; `together`: of several channels, see readChannels. */
export interface MatrixReader {
  read(channel: number, start: number, result: Float64Array): Promise<void>;
  readonly together: ReadTogether;
}

/** A matrix of one number type; `isTogether`: samples of a channel are neighbours, else samples of a time are. */
export function storedMatrix(
  source: ByteSource,
  start: number,
  type: NumberType,
  isBigEndian: boolean,
  [count, samples]: readonly [channels: number, samples: number],
  isTogether: boolean,
): StoredMatrix {
  const width = numberBytes[type];
  return {
    ...{ source, start, width },
    channelStride: isTogether ? samples * width : width,
    sampleStride: isTogether ? width : count * width,
    isNative: type === 'float64' && isBigEndian !== isLittleEndian,
    decode: (bytes, at, stride, result, from, to) =>
      decodeNumbers(
        bytes,
        at,
        { type, isBigEndian, strideBytes: stride, gain: 1, offset: 0 },
        result,
        from,
        to,
      ),
  };
}

export function readerOf(matrix: StoredMatrix): MatrixReader {
  const isTogether = matrix.sampleStride === matrix.width;
  const kept = new RangedBytes(matrix.source);
  return isTogether
    ? {
        read: (channel, start, result) => readTogether(matrix, kept, channel, start, result),
        together: (ranges, rooms) => oneByOne(matrix, kept, ranges, rooms),
      }
    : {
        read: (channel, start, result) => readInterleaved(matrix, kept, channel, start, result),
        together: (ranges, rooms) => onePass(matrix, ranges, rooms),
      };
}

/** Samples that lie together. */
async function readTogether(
  { source, start: base, width, channelStride, isNative, decode }: StoredMatrix,
  kept: RangedBytes,
  channel: number,
  start: number,
  result: Float64Array,
): Promise<void> {
  const first = base + channel * channelStride + start * width;
  const last = first + result.length * width;
  if (result.length === 0) return;
  if (isNative && source.isLocal) {
    const room = new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
    const bytes = await source.read(first, last, room);
    if (bytes.buffer !== room.buffer || bytes.byteOffset !== room.byteOffset) room.set(bytes);
    return;
  }
  const perChunk = Math.floor(chunkBytes / width);
  for (let from = 0; from < result.length; from += perChunk) {
    const to = Math.min(result.length, from + perChunk);
    await kept.use(first + from * width, first + to * width, (bytes) =>
      decode(bytes, 0, width, result, from, to),
    );
  }
}

/** Files are read so many channels at a time: one waits for the disk, another for memory. */
const atOnce = 4;

async function oneByOne(
  matrix: StoredMatrix,
  kept: RangedBytes,
  ranges: readonly ChannelRange[],
  rooms: readonly Float64Array[],
): Promise<void> {
  const waiting = [...ranges.entries()].values();
  const work = async () => {
    for (const [i, { channel, start }] of waiting)
      await readTogether(matrix, kept, channel, start, rooms[i]!);
  };
  const results = await Promise.allSettled(Array.from({ length: matrix.isNative ? atOnce : 1 }, work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Samples of one of several channels that lie interleaved: whole frames, so that the next channel finds them. */
async function readInterleaved(
  { start: base, channelStride, sampleStride, decode }: StoredMatrix,
  kept: RangedBytes,
  channel: number,
  start: number,
  result: Float64Array,
): Promise<void> {
  const perChunk = Math.max(1, Math.floor(chunkBytes / sampleStride));
  for (let from = 0; from < result.length; from += perChunk) {
    const to = Math.min(result.length, from + perChunk);
    const first = base + (start + from) * sampleStride;
    await kept.use(first, first + (to - from) * sampleStride, (bytes) =>
      decode(bytes, channel * channelStride, sampleStride, result, from, to),
    );
  }
}

async function onePass(
  { source, start: base, width, channelStride, sampleStride, decode }: StoredMatrix,
  ranges: readonly ChannelRange[],
  rooms: readonly Float64Array[],
): Promise<void> {
  const wanted = [...ranges.entries()].filter(([, { start, end }]) => end > start);
  const first = wanted.reduce((least, [, { start }]) => Math.min(least, start), Number.POSITIVE_INFINITY);
  const last = wanted.reduce((most, [, { end }]) => Math.max(most, end), 0);
  if (last === 0) return;
  const stop = base + last * sampleStride;
  await visitPieces(source, base + first * sampleStride, stop, sampleStride, (piece, place) => {
    const frame = (place - base) / sampleStride;
    const frames = piece.length / sampleStride;
    // Views of memory may begin anywhere: once moved, all channels are views of the copy.
    const bytes = piece.byteOffset % width === 0 ? piece : new Uint8Array(piece);
    for (const [i, { channel, start, end }] of wanted) {
      const from = Math.max(start, frame);
      const to = Math.min(end, frame + frames);
      if (from >= to) continue;
      const at = (from - frame) * sampleStride + channel * channelStride;
      decode(bytes, at, sampleStride, rooms[i]!, from - start, to - start);
    }
  });
}
