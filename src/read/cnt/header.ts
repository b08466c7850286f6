/**
 * The header of Neuroscan's CNT files: 900 bytes, then 75 per electrode → typed fields, with what the file's size and
 * the place of the event table say against fields that are known to be wrong.
 * Source: http://paulbourke.net/dataformats/eeg/ (structures SETUP and ELECTLOC).
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { isRate, latin1, quoted } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { guessSampleBytes } from './sample-width.ts';

export interface CntChannel {
  readonly name: string;
  /** Stored integer that is 0 µV. */
  readonly baseline: number;
  /** µV of one stored step. */
  readonly resolution: number;
}

export interface CntHeader {
  readonly rateHz: number;
  readonly channels: readonly CntChannel[];
  readonly sampleBytes: 2 | 4;
  /** Successive samples of one channel; 1 where channels are multiplexed sample by sample. */
  readonly blockSamples: number;
  readonly dataStart: number;
  readonly dataEnd: number;
  /** Where the event table begins; undefined where the file has none. */
  readonly eventTable: number | undefined;
  /** Of each channel. */
  readonly lengthSamples: number;
  readonly startTime?: Date;
  readonly metadata: Readonly<Record<string, string>>;
}

const setupBytes = 900;
const channelBytes = 75;

/** Read and check the header. FormatError names the field and its byte. */
export async function readCntHeader(
  source: ByteSource,
  { tolerant = false, sampleBits }: Pick<ReadOptions, 'tolerant' | 'sampleBits'>,
  log: string[],
): Promise<CntHeader> {
  const fail = (fact: string, at: number): never => {
    throw new FormatError(`cnt: ${source.name} ${fact}`, source.name, at);
  };
  const start = await source.read(0, Math.min(12, source.byteLength));
  if (latin1(start, 0, 4) === 'RIFF')
    throw new UnsupportedError(
      `cnt: ${source.name} is a CNT file of ANT Neuro (eego), which is another format than Neuroscan's. Export it as EDF+ or BrainVision.`,
      'ANT Neuro CNT',
    );
  if (source.byteLength < setupBytes)
    fail(`has ${source.byteLength} bytes, a header has at least ${setupBytes}. Fetch the file again.`, 0);
  const setup = await source.read(0, setupBytes);
  if (!/^Version \d/.test(latin1(setup, 0, 12)))
    fail(`starts with ${quoted(latin1(setup, 0, 12))}, Neuroscan's files start with 'Version 3'.`, 0);
  const view = new DataView(setup.buffer, setup.byteOffset, setupBytes);
  const count = view.getUint16(370, true);
  const rateHz = view.getUint16(376, true);
  const dataStart = setupBytes + channelBytes * count;
  if (count < 1) fail('has no channels.', 370);
  if (!isRate(rateHz)) fail(`has a rate of ${rateHz} Hz.`, 376);
  if (dataStart > source.byteLength)
    fail(
      `ends at byte ${source.byteLength}, its header of ${count} channels has ${dataStart}. The copy is truncated; fetch it again.`,
      source.byteLength,
    );
  const promised = view.getUint32(864, true);
  const { dataEnd, eventTable } = placeOfEvents(
    source,
    view.getUint32(886, true),
    { dataStart, count, promised },
    tolerant,
    log,
  );
  const nextFile = view.getUint32(12, true);
  budgetOf(source).spend(`cnt: ${source.name}`, 'channels', heavyElement * count);
  const channels = channelsOf(await source.read(setupBytes, dataStart), count, fail);
  const said = (await statedBytes(source, nextFile)) ?? bytesByCount(dataEnd - dataStart, count, promised);
  if (sampleBits !== undefined && said !== undefined && sampleBits !== 8 * said)
    log.push(
      `cnt: by its header samples have ${said * 8} bits; they are read as ${sampleBits} bits, as was stated.`,
    );
  const sampleBytes: 2 | 4 =
    sampleBits === undefined
      ? (said ?? (await guessSampleBytes(source, { dataStart, dataEnd, channels }, log)))
      : sampleBits === 16
        ? 2
        : 4;
  const present = Math.floor((dataEnd - dataStart) / (count * sampleBytes));
  const blockBytes = view.getInt32(894, true);
  const blockSamples = blockBytes > 1 ? Math.max(1, Math.floor(blockBytes / sampleBytes)) : 1;
  const lengthSamples = present - (present % blockSamples);
  if (promised !== lengthSamples)
    log.push(
      `cnt: the header gives ${promised} samples; up to its event table the file holds ${lengthSamples}, which are read.`,
    );
  const startTime = startOf(latin1(setup, 225, 235), latin1(setup, 235, 247));
  const [patient, sex, age] = [latin1(setup, 21, 41), latin1(setup, 143, 144), view.getInt16(141, true)];
  return {
    ...{ rateHz, channels, sampleBytes, blockSamples, dataStart, dataEnd, eventTable, lengthSamples },
    ...(startTime && { startTime }),
    metadata: {
      ...(patient && { patient }),
      ...(/^[MF]$/i.test(sex) && { sex: sex.toUpperCase() }),
      ...(age > 0 && age <= 150 && { age: String(age) }),
    },
  };
}

/** The field has 32 bits: beyond 4 GiB its upper bits are lost, and the number of samples must help. */
function placeOfEvents(
  source: ByteSource,
  field: number,
  { dataStart, count, promised }: { dataStart: number; count: number; promised: number },
  tolerant: boolean,
  log: string[],
): { dataEnd: number; eventTable: number | undefined } {
  const size = source.byteLength;
  if (field === 0) {
    log.push('cnt: the file has no event table; samples are read to its end.');
    return { dataEnd: size, eventTable: undefined };
  }
  const places: number[] = [];
  for (let place = field; place <= size; place += 2 ** 32) if (place >= dataStart) places.push(place);
  const byCount = places.find((place) =>
    [2, 4].some((width) => dataStart + promised * count * width === place),
  );
  const place = byCount ?? places.at(-1);
  if (place !== undefined) return { dataEnd: place, eventTable: place };
  const fact = `has ${size} bytes, its event table is said to begin at byte ${field}`;
  if (field < dataStart)
    throw new FormatError(
      `cnt: ${source.name} ${fact}, within the header of ${dataStart} bytes. It is damaged.`,
      source.name,
      886,
    );
  if (!tolerant)
    throw new FormatError(
      `cnt: ${source.name} ${fact}. The copy is truncated; fetch it again, or open what is there with --tolerant.`,
      source.name,
      size,
    );
  log.push(`cnt: truncated: it ${fact}; samples are read to its end, without events.`);
  return { dataEnd: size, eventTable: undefined };
}

/** The second header, where there is one, says whether samples have 32 bits. */
async function statedBytes(source: ByteSource, nextFile: number): Promise<2 | 4 | undefined> {
  if (nextFile === 0 || nextFile + 53 > source.byteLength) return undefined;
  const [kind] = await source.read(nextFile + 52, nextFile + 53);
  return kind === 1 ? 4 : undefined;
}

function bytesByCount(bytes: number, count: number, promised: number): 2 | 4 | undefined {
  const width = bytes / count / promised;
  return width === 2 || width === 4 ? width : undefined;
}

function channelsOf(
  bytes: Uint8Array,
  count: number,
  fail: (fact: string, at: number) => never,
): CntChannel[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => {
    const at = i * channelBytes;
    const nul = bytes.indexOf(0, at);
    const name = latin1(bytes, at, Math.min(at + 10, nul < 0 ? bytes.length : nul));
    // µV = (stored − baseline) · sensitivity · calibration / 204.8
    const resolution = (view.getFloat32(at + 71, true) * view.getFloat32(at + 59, true)) / 204.8;
    if (!Number.isFinite(resolution) || resolution === 0)
      fail(
        `has a scale of ${resolution} µV for channel ${i + 1} (${quoted(name)}). The header is damaged.`,
        setupBytes + at + 59,
      );
    return { name, baseline: view.getInt16(at + 47, true), resolution };
  });
}

/** `mm/dd/yy`, or where that is no date `dd/mm/yy`; and `hh:mm:ss`. Years are 1969–2068. */
function startOf(dateText: string, timeText: string): Date | undefined {
  const date = /^(\d{1,2})\D(\d{1,2})\D(\d{2,4})$/.exec(dateText);
  const time = /^(\d{1,2}):(\d{1,2}):(\d{1,2})/.exec(timeText);
  if (!date || !time) return undefined;
  const [a, b, y] = [Number(date[1]), Number(date[2]), Number(date[3])];
  const [month, day] = a > 12 ? [b, a] : [a, b];
  const year = y < 69 ? 2000 + y : y < 100 ? 1900 + y : y;
  const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3])];
  const start = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isDate = start.getUTCDate() === day && start.getUTCMonth() === month - 1;
  return isDate && hour < 24 && minute < 60 && second < 60 ? start : undefined;
}
