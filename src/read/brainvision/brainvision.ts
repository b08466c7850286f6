/**
 * BrainVision: a header (.vhdr), samples (.eeg, multiplexed or vectorized, binary or text) and markers (.vmrk) →
 * Recording, lazily. Any of the three may be opened.
 * Source: "BrainVision Core Data Format 1.0", Brain Products.
 */
import { maxOf, minOf } from '../../core/arrays.ts';
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { Channel, Recording } from '../../core/recording.ts';
import { checkSamples, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { visitPieces } from '../pieces.ts';
import { RangedBytes } from '../ranged-bytes.ts';
import { type ChannelRange, type ReadTogether, withPass } from '../read-channels.ts';
import {
  decodeNumbers,
  integerRange,
  numberBytes,
  readInterleaved,
  readSeries,
  type StoredSeries,
} from '../stored-numbers.ts';
import { parseVisionHeader, readVisionText, type VisionChannel, type VisionHeader } from './header.ts';
import { timesOf } from './markers.ts';
import { readVisionNumbers } from './text.ts';

/** Open a recording by its header, samples or markers. FormatError where a file is missing or damaged. */
export async function openBrainVision(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const log: string[] = [];
  const opened: ByteSource[] = [source];
  const stem = bareName(source.name).replace(/\.[^.]*$/, '');
  const beside = async (...names: string[]) => {
    for (const name of new Set(names)) {
      const found = name === '' ? undefined : await source.sibling?.(name);
      if (found) {
        opened.push(found);
        return { found, name };
      }
    }
    return undefined;
  };
  const isHeader = /\.vhdr$/i.test(source.name) || !/\.(eeg|dat|vmrk)$/i.test(source.name);
  const headerSource = isHeader ? source : (await beside(`${stem}.vhdr`, `${stem}.VHDR`))?.found;
  if (!headerSource)
    throw new FormatError(
      `brainvision: ${source.name} has no header beside it (${stem}.vhdr). Put the three files into one folder.`,
      source.name,
    );
  const header = parseVisionHeader(headerSource.name, await readVisionText(headerSource), log);
  budgetOf(source).spend(`brainvision: ${source.name}`, 'channels', heavyElement * header.channels.length);
  /** The file that the header names, or that has the header's own name: files are often renamed. */
  const part = async (key: string, named: string, ...extensions: string[]) => {
    const wanted = bareName(named.replaceAll('$b', stem));
    // biome-ignore lint/plugin: two or three extensions
    const part = await beside(wanted, ...extensions.map((extension) => `${stem}${extension}`));
    if (part && wanted !== '' && part.name !== wanted)
      log.push(
        `brainvision: the header names ${quoted(wanted)} as ${key}, which is not there; ${quoted(part.name)} was read.`,
      );
    if (!part && wanted !== '')
      log.push(`brainvision: ${quoted(wanted)}, the ${key} that the header names, is not there.`);
    return part?.found;
  };
  const data = await part('DataFile', header.dataFile, '.eeg', '.dat');
  if (!data)
    throw new FormatError(
      `brainvision: ${headerSource.name} names ${quoted(header.dataFile)} as DataFile, which is not beside it. Put the three files into one folder.`,
      headerSource.name,
    );
  const markers = await part('MarkerFile', header.markerFile, '.vmrk');
  const samples = header.type
    ? storedSamples(data, header, options.tolerant ?? false, log)
    : await textSamples(data, header);
  const channels = header.channels
    .slice(0, samples.channels)
    .map((channel) => channelOf(channel, header, samples.length));
  const { startTime, startNanoseconds, spans, annotations } = timesOf(
    markers && (await readVisionText(markers)),
    header.rateHz,
    samples.length,
    channels.length,
    log,
    budgetOf(source),
  );
  const read: Recording['read'] = async (channel, start, end, into) => {
    checkSamples(`brainvision: ${source.name}`, source.name, channels, channel, start, end);
    const result = roomFor(end - start, into);
    await samples.read(channel, start, end, result);
    return result;
  };
  return {
    ...{ source: source.name, format: 'brainvision', channels, spans, annotations, log },
    duration: spans.reduce((end, span) => Math.max(end, span.start + span.duration), 0),
    ...(startTime && { startTime, ...(startNanoseconds > 0 && { startNanoseconds }) }),
    metadata: header.comment === '' ? {} : { comments: header.comment },
    read: samples.readTogether ? withPass(read, samples.readTogether) : read,
    async close() {
      for (const file of opened) await file.close?.();
    },
  };
}

interface Samples {
  /** Of each channel. */
  readonly length: number;
  /** Channels that are there. */
  readonly channels: number;
  read(channel: number, start: number, end: number, result: Float64Array): Promise<void> | void;
  readonly readTogether?: ReadTogether;
}

/** Bytes decoded for one channel after the other: they stay in a processor's cache. */
const tileBytes = 128 * 1024;

function storedSamples(data: ByteSource, header: VisionHeader, tolerant: boolean, log: string[]): Samples {
  const { channels, isVectorized, isBigEndian, dataPoints } = header;
  const type = header.type!;
  const width = numberBytes[type];
  const frameBytes = channels.length * width;
  const present = Math.floor(data.byteLength / frameBytes);
  const length = dataPoints ?? present;
  let whole = channels.length;
  if (length * frameBytes > data.byteLength) {
    const fact = `${data.name} has ${data.byteLength} bytes, its header promises ${length} samples of ${channels.length} channels, ${length * frameBytes} bytes`;
    if (!tolerant)
      throw new FormatError(
        `brainvision: ${fact}. The copy is truncated; fetch it again, or open what is there with --tolerant.`,
        data.name,
        data.byteLength,
      );
    whole = isVectorized ? Math.floor(data.byteLength / (length * width)) : whole;
    log.push(
      `brainvision: truncated: ${fact}; ${isVectorized ? `${whole} of ${channels.length} channels` : `${present} of ${length} samples`} are read.`,
    );
  } else if (data.byteLength > length * frameBytes)
    log.push(
      `brainvision: ${data.byteLength - length * frameBytes} bytes after the last whole sample were left out.`,
    );
  const samples = isVectorized ? length : Math.min(present, length);
  const bytes = new RangedBytes(data);
  const all = channels.map(
    ({ resolution: gain }): StoredSeries => ({
      ...{ type, isBigEndian, gain, offset: 0, strideBytes: isVectorized ? width : frameBytes },
    }),
  );
  return {
    ...{ length: whole > 0 ? samples : 0, channels: whole },
    read(channel, start, end, result) {
      const series = all[channel]!;
      return isVectorized
        ? readSeries(bytes, channel * samples * width, series, start, end, result)
        : readInterleaved(bytes, 0, channel * width, series, start, end, result);
    },
    async readTogether(ranges, rooms) {
      if (isVectorized)
        for (const [i, { channel, start, end }] of ranges.entries())
          await readOne(data, channel * samples * width, all[channel]!, start, end, rooms[i]!);
      else await readFrames(data, frameBytes, width, all, ranges, rooms);
    },
  };
}

/** Ranges of channels whose samples lie side by side in frames, in one pass over them. */
async function readFrames(
  data: ByteSource,
  frameBytes: number,
  width: number,
  all: readonly StoredSeries[],
  ranges: readonly ChannelRange[],
  rooms: readonly Float64Array[],
): Promise<void> {
  const parts = ranges.filter(({ start, end }) => start < end);
  const first = parts.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY);
  const last = parts.reduce((most, { end }) => Math.max(most, end), 0);
  const tile = Math.max(1, Math.floor(tileBytes / frameBytes));
  if (first >= last) return;
  await visitPieces(data, first * frameBytes, last * frameBytes, frameBytes, (piece, at) => {
    const begin = at / frameBytes;
    const stop = begin + piece.length / frameBytes;
    for (let frame = begin; frame < stop; frame += tile)
      for (const [i, { channel, start, end }] of ranges.entries()) {
        const from = Math.max(start, frame);
        const to = Math.min(end, stop, frame + tile);
        if (from >= to) continue;
        const place = (from - begin) * frameBytes + channel * width;
        decodeNumbers(piece, place, all[channel]!, rooms[i]!, from - start, to - start);
      }
  });
}

/** A range of a channel whose samples lie one after the other. */
async function readOne(
  data: ByteSource,
  base: number,
  series: StoredSeries,
  start: number,
  end: number,
  room: Float64Array,
): Promise<void> {
  const width = series.strideBytes;
  await visitPieces(data, base + start * width, base + end * width, width, (piece, at) => {
    const from = (at - base) / width - start;
    decodeNumbers(piece, 0, series, room, from, from + piece.length / width);
  });
}

async function textSamples(data: ByteSource, header: VisionHeader): Promise<Samples> {
  const values = await readVisionNumbers(data, header);
  return {
    ...{ length: values[0]?.length ?? 0, channels: values.length },
    read(channel, start, end, result) {
      const { resolution } = header.channels[channel]!;
      for (let i = start; i < end; i++) result[i - start] = values[channel]![i]! * resolution;
    },
  };
}

function channelOf(
  { name, unit, resolution, reference }: VisionChannel,
  { type, rateHz }: VisionHeader,
  lengthSamples: number,
): Channel {
  const ends = type && integerRange(type)?.map((end) => end * resolution);
  return {
    ...{ name, unit, rateHz, lengthSamples },
    ...(ends && {
      range: [minOf(ends), maxOf(ends)] as const,
      ...{ resolution: Math.abs(resolution), offset: 0 },
    }),
    ...(reference !== '' && { note: `reference ${reference}` }),
  };
}

function bareName(name: string): string {
  return name.split(/[?#]/)[0]!.split(/[/\\]/).at(-1) ?? '';
}
