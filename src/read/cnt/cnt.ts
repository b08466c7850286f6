/**
 * Neuroscan CNT, in which SEED-V among others is published: bytes → Recording, lazily. 16 or 32 bits a sample, channels
 * multiplexed or in blocks; µV = (stored − baseline) · sensitivity · calibration / 204.8.
 * Source: http://paulbourke.net/dataformats/eeg/
 */
import { maxOf, minOf } from '../../core/arrays.ts';
import type { ByteSource } from '../../core/bytes.ts';
import type { Recording } from '../../core/recording.ts';
import { readSamples } from '../edf/records.ts';
import { checkSamples, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { RangedBytes } from '../ranged-bytes.ts';
import { decodeNumbers, readInterleaved, type StoredSeries } from '../stored-numbers.ts';
import { readCntEvents } from './events.ts';
import { type CntChannel, readCntHeader } from './header.ts';

/** Open a CNT file of Neuroscan. FormatError where the header is damaged or the file truncated. */
export async function openCnt(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const log: string[] = [];
  const header = await readCntHeader(source, options, log);
  const { rateHz, lengthSamples, sampleBytes, blockSamples, dataStart, metadata, startTime } = header;
  const annotations = await readCntEvents(source, header, log);
  const type = sampleBytes === 2 ? 'int16' : 'int32';
  const end = 2 ** (8 * sampleBytes - 1);
  const channels = header.channels.map(({ name, resolution, baseline }) => {
    const ends = [(-end - baseline) * resolution, (end - 1 - baseline) * resolution];
    return {
      ...{ name, unit: 'uV', rateHz, lengthSamples },
      range: [minOf(ends), maxOf(ends)] as const,
      ...{ resolution: Math.abs(resolution), offset: -baseline * resolution },
    };
  });
  const frameBytes = header.channels.length * sampleBytes;
  const series = ({ resolution, baseline }: CntChannel, strideBytes: number): StoredSeries => ({
    ...{ type, isBigEndian: false, strideBytes, gain: resolution, offset: -baseline * resolution },
  });
  const bytes = new RangedBytes(source);
  const duration = lengthSamples / rateHz;
  return {
    ...{ source: source.name, format: 'cnt', channels, duration, annotations, metadata, log },
    spans: lengthSamples > 0 ? [{ start: 0, duration }] : [],
    ...(startTime && { startTime }),
    async read(channel, start, end, into) {
      checkSamples(`cnt: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      const stored = header.channels[channel]!;
      if (blockSamples === 1) {
        const place = channel * sampleBytes;
        await readInterleaved(bytes, dataStart, place, series(stored, frameBytes), start, end, result);
        return result;
      }
      const blocks = {
        ...{ headerBytes: dataStart, recordBytes: blockSamples * frameBytes, samplesPerRecord: blockSamples },
        ...{ recordOffset: channel * blockSamples * sampleBytes, sampleBytes },
      };
      const inBlock = series(stored, sampleBytes);
      await readSamples(
        bytes,
        blocks,
        (part, at, room, from, to) => decodeNumbers(part, at, inBlock, room, from, to),
        start,
        end,
        result,
      );
      return result;
    },
    async close() {
      await source.close?.();
    },
  };
}
