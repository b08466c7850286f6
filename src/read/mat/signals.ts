/**
 * An array of signals in a MAT-file → samples. Where it is stored as it is, samples are read in place; where it is
 * compressed, the first who wants most of it gets it as it is inflated, for others it is inflated once and kept.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import { quoted } from '../header-text.ts';
import type { ChannelRange } from '../read-channels.ts';
import { type MatrixReader, readerOf, type StoredMatrix, storedMatrix } from '../stored-matrix.ts';
import { takeStrided } from '../strided.ts';
import type { ForwardBytes } from './bytes.ts';
import type { MatFile, MatPart, MatPlace, TakeNumbers } from './file.ts';
import { placing } from './select.ts';
import type { MatNumeric, NumericArray } from './values.ts';

export interface SignalShape {
  readonly channelCount: number;
  readonly samples: number;
  /** Samples of a channel are neighbours (time is the first side); else those of a time are. */
  readonly isTogether: boolean;
}

/** What lies at a path, its numbers left where they are if they can be taken from there. FormatError where nothing does. */
export async function placeOf(file: MatFile, variable: string, path: string): Promise<MatPart> {
  for await (const part of file.parts(variable, placing(path))) return part;
  return gone(file, path);
}

/** Readers of a real array that `placeOf` found. `source`: of the file. */
export function matSignals(
  source: ByteSource,
  file: MatFile,
  variable: string,
  { path, value, place }: MatPart,
  shape: SignalShape,
): MatrixReader {
  if (value.kind === 'numeric') return inMemory(value.values, shape);
  if (!place) return gone(file, path);
  if (place.start !== undefined) return readerOf(matrixAt(source, place, place.start, shape));
  return inflated(source, file, variable, path, shape);
}

function gone(file: MatFile, path: string): never {
  throw new FormatError(
    `mat: ${file.source} has no numbers at ${quoted(path)}. Check the path.`,
    file.source,
  );
}

function matrixAt(
  source: ByteSource,
  { type, isBigEndian }: MatPlace,
  start: number,
  { channelCount, samples, isTogether }: SignalShape,
): StoredMatrix {
  return storedMatrix(source, start, type, isBigEndian, [channelCount, samples], isTogether);
}

function inMemory(values: NumericArray, { channelCount, samples, isTogether }: SignalShape): MatrixReader {
  const take = (channel: number, start: number, result: Float64Array) =>
    isTogether
      ? takeStrided(values, channel * samples + start, 1, result)
      : takeStrided(values, start * channelCount + channel, channelCount, result);
  return {
    read: async (channel, start, result) => take(channel, start, result),
    together: async (ranges, rooms) => {
      for (const [i, { channel, start }] of ranges.entries()) take(channel, start, rooms[i]!);
    },
  };
}

function inflated(
  source: ByteSource,
  file: MatFile,
  variable: string,
  path: string,
  shape: SignalShape,
): MatrixReader {
  let kept: Promise<MatrixReader> | undefined;
  let wasPassed = false;
  const load = async (): Promise<MatrixReader> => {
    for await (const { value } of file.parts(variable, [path]))
      return inMemory((value as MatNumeric).values, shape);
    return gone(file, path);
  };
  return {
    async read(channel, start, result) {
      kept ??= load();
      await (await kept).read(channel, start, result);
    },
    async together(ranges, rooms) {
      const wanted = rooms.reduce((sum, { length }) => sum + length, 0);
      const isMost = wanted * 2 > shape.channelCount * shape.samples;
      if (kept || wasPassed || !isMost || overlap(ranges)) {
        kept ??= load();
        await (await kept).together(ranges, rooms);
        return;
      }
      wasPassed = true;
      await file.through(variable, placing(path), (bytes, place) =>
        shape.isTogether
          ? takeChannels(bytes, matrixAt(source, place, bytes.position, shape), ranges, rooms)
          : takeFrames(bytes, matrixAt(source, place, bytes.position, shape), ranges, rooms),
      );
    },
  };
}

/** Is a sample wanted twice? What was passed over does not come again. */
function overlap(ranges: readonly ChannelRange[]): boolean {
  const inOrder = [...ranges].sort((a, b) => a.channel - b.channel || a.start - b.start);
  return inOrder.some(({ channel, start }, i) => {
    const before = inOrder[i - 1];
    return before !== undefined && before.channel === channel && before.end > start;
  });
}

type Take = (
  bytes: Parameters<TakeNumbers>[0],
  matrix: StoredMatrix,
  ranges: readonly ChannelRange[],
  rooms: readonly Float64Array[],
) => Promise<void>;

/** Bytes that are decoded in a go: they stay in a processor's cache. */
const blockBytes = 2 ** 18;

const takeChannels: Take = async (
  bytes,
  { start: base, width, channelStride, isNative, decode },
  ranges,
  rooms,
) => {
  const scratch = isNative ? undefined : new Uint8Array(blockBytes);
  const inOrder = [...ranges.entries()].sort(([, a], [, b]) => a.channel - b.channel || a.start - b.start);
  for (const [i, { channel, start, end }] of inOrder) {
    const room = rooms[i]!;
    if (start === end) continue;
    await skipTo(bytes, base + channel * channelStride + start * width);
    if (!scratch) {
      await bytes.into(new Uint8Array(room.buffer, room.byteOffset, room.byteLength));
      continue;
    }
    const perBlock = blockBytes / width;
    for (let from = 0; from < room.length; from += perBlock) {
      const to = Math.min(room.length, from + perBlock);
      const block = scratch.subarray(0, (to - from) * width);
      await bytes.into(block);
      decode(block, 0, width, room, from, to);
    }
  }
};

const takeFrames: Take = async (bytes, { start: base, width, sampleStride, decode }, ranges, rooms) => {
  const first = ranges.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY);
  const last = ranges.reduce((most, { end }) => Math.max(most, end), 0);
  const perBlock = Math.max(1, Math.floor(blockBytes / sampleStride));
  await skipTo(bytes, base + first * sampleStride);
  const scratch = new Uint8Array(Math.min(perBlock, last - first) * sampleStride);
  for (let frame = first; frame < last; frame += perBlock) {
    const stop = Math.min(last, frame + perBlock);
    const block = scratch.subarray(0, (stop - frame) * sampleStride);
    await bytes.into(block);
    for (const [i, { channel, start, end }] of ranges.entries()) {
      const [from, to] = [Math.max(start, frame), Math.min(end, stop)];
      if (from < to)
        decode(
          block,
          (from - frame) * sampleStride + channel * width,
          sampleStride,
          rooms[i]!,
          from - start,
          to - start,
        );
    }
  }
};

const skipTo = (bytes: ForwardBytes, position: number) => bytes.skip(position - bytes.position);
