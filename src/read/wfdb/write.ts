/**
 * Recordings → WFDB records: `.dat` in format 16, or 24 or 32 where the stored integers of a channel need it, `.atr`
 * with the annotations, `.hea`. Integers stay what they were; gaps are filled with the code for missing samples.
 * Source: header(5), signal(5) of the WFDB Applications Guide, physionet.org.
 */
import { bytesSource } from '../../core/bytes.ts';
import { ConfigError, FormatError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { NoiseMeter } from '../noise.ts';
import type { OutputFile, WriteOptions, WriteRecording } from '../output.ts';
import { checkWritable, refuseInfinite } from '../writable.ts';
import { readWfdbHeader } from './read-header.ts';
import { encodeWfdbAnnotations } from './write-annotations.ts';
import { wfdbHeaderText } from './write-header.ts';
import {
  bitsOf,
  checkScale,
  type Extremes,
  frameOf,
  isFaithful,
  scaleOfChannel,
  scaleOfValues,
  type WriteBits,
  type WriteScale,
} from './write-scale.ts';

/** Samples held at once, of all channels. */
const blockSamples = 2 ** 19;

/** Stored samples [from, to) of a channel are written from sample `at` on; what is between stretches is missing. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/**
 * Write a record under the name of its header. Samples come back within a step of the stored integers, times to the
 * microsecond. ConfigError for a name, rates, values or times that WFDB does not allow, before the first byte.
 */
export const writeWfdb: WriteRecording = async function* (
  recording: Recording,
  fileName: string,
  options: WriteOptions = {},
): AsyncIterable<OutputFile> {
  const record = fileName.replace(/\.hea$/i, '');
  if (!/^[\w-]+$/.test(record))
    throw new ConfigError(
      `wfdb: '${record}' cannot be the name of a record. Use letters, digits, _ and - only.`,
      'out',
      'letters, digits, _, -',
    );
  const { channels } = recording;
  checkWritable(recording, 'wfdb', true);
  const { frameRateHz, perFrame } = frameOf(channels);
  const { stretches, frames } = layOut(recording, frameRateHz, perFrame);
  refuseLongGaps(recording, frames, perFrame);
  const annotations = encodeWfdbAnnotations(recording, frameRateHz);
  const scales = await chooseScales(recording);
  const bits = scales.reduce<WriteBits>((most, { low, high }) => {
    const needed = bitsOf(low, high) ?? 32;
    return needed > most ? needed : most;
  }, 16);
  const written = channels.map(() => ({ initialValue: 0, checksum: 0 }));
  const headerText = () => {
    const signals = channels.map(({ name, unit }, i) => ({
      name,
      unit,
      samplesPerFrame: perFrame[i]!,
      scale: scales[i]!,
      ...written[i]!,
    }));
    return wfdbHeaderText(record, recording, frameRateHz, frames, bits, signals);
  };
  await checkHeader(headerText());
  if (channels.length > 0)
    yield {
      name: `${record}.dat`,
      bytes: encodeSamples(
        recording,
        { frameRateHz, perFrame, stretches, frames, scales, bits },
        written,
        options,
      ),
    };
  if (recording.annotations.length > 0) yield { name: `${record}.atr`, bytes: once(annotations) };
  yield { name: `${record}.hea`, bytes: once(new TextEncoder().encode(headerText())) };
};

/** ConfigError where our own reader would refuse a header, asked before the signals are written. */
async function checkHeader(text: string): Promise<void> {
  try {
    await readWfdbHeader(bytesSource('the header', new TextEncoder().encode(text)), []);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ConfigError(
      `${cause.message} Such a recording cannot be written as WFDB; write .npz or .parquet.`,
      'out',
      '',
      { cause },
    );
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Where the samples of every span go; a span begins at a frame, and behind the end of the one before. */
function layOut(
  { channels, spans }: Recording,
  frameRateHz: number,
  perFrame: readonly number[],
): { stretches: Stretch[][]; frames: number } {
  const stretches: Stretch[][] = channels.map(() => []);
  let [frames, seconds] = [0, 0];
  for (const [s, { start, duration }] of spans.entries()) {
    seconds += duration;
    const first = Math.max(frames, Math.round(start * frameRateHz));
    for (const [c, { rateHz, lengthSamples }] of channels.entries()) {
      const from = stretches[c]!.at(-1)?.to ?? 0;
      const isLast = s === spans.length - 1;
      const to = isLast
        ? lengthSamples
        : Math.max(from, Math.min(lengthSamples, Math.round(seconds * rateHz)));
      stretches[c]!.push({ from, to, at: first * perFrame[c]! });
      frames = Math.max(frames, first + Math.ceil((to - from) / perFrame[c]!));
    }
  }
  return { stretches, frames };
}

/** Frames without a sample that gaps may be filled with: 8 GiB of one channel. */
const mostFilledSamples = 2 ** 32;

/** ConfigError where gaps would be filled with more than a disk should hold: a clock that was wrong, mostly. */
function refuseLongGaps({ channels, spans }: Recording, frames: number, perFrame: readonly number[]): void {
  const stored = channels.reduce((sum, { lengthSamples }) => sum + lengthSamples, 0);
  const filled = frames * perFrame.reduce((sum, n) => sum + n, 0) - stored;
  if (filled <= Math.max(mostFilledSamples, stored)) return;
  throw new ConfigError(
    `wfdb: the gaps between ${spans.length} stretches would be filled with ${filled} samples, beside ${stored} that there are. Cut the recording with --start and --end, or write .edf, .npz or .parquet.`,
    'spans',
  );
}

/**
 * By the channels' own steps where they state them and the samples keep to their range; what was found in the samples
 * decides where not. ConfigError where no scale brings a channel's values back.
 */
async function chooseScales(recording: Recording): Promise<WriteScale[]> {
  const { channels } = recording;
  const found = await findExtremes(
    recording,
    channels.map((_, i) => i),
  );
  return channels.map((channel, i) => {
    const extremes = found.get(i)!;
    const { lowest, highest } = extremes;
    const ends = lowest > highest ? [] : [lowest, highest];
    const fits = (scale: WriteScale | undefined) =>
      scale !== undefined && bitsOf(scale.low, scale.high) !== undefined && isFaithful(scale, ends);
    const keepsRange = channel.range && ends.every((x) => x >= channel.range![0] && x <= channel.range![1]);
    const stated = keepsRange ? scaleOfChannel(channel) : undefined;
    if (stated && bitsOf(stated.low, stated.high) === 16 && fits(stated)) return stated;
    const own = scaleOfChannel(channel, extremes);
    const scale = own && fits(own) ? own : scaleOfValues(extremes);
    checkScale(scale, extremes, channel);
    return scale;
  });
}

async function findExtremes(
  recording: Recording,
  indices: readonly number[],
): Promise<Map<number, Extremes>> {
  const found = new Map(
    indices.map((i) => [
      i,
      {
        lowest: Number.POSITIVE_INFINITY,
        highest: Number.NEGATIVE_INFINITY,
        decimals: (recording.channels[i]!.resolution === undefined ? 0 : undefined) as number | undefined,
        meter: new NoiseMeter(),
        noise: undefined as number | undefined,
      },
    ]),
  );
  const total = indices.reduce((sum, i) => sum + recording.channels[i]!.lengthSamples, 0);
  const blocks = Math.ceil(total / blockSamples);
  for (let block = 0; block < blocks; block++)
    for (const i of indices) {
      const { lengthSamples } = recording.channels[i]!;
      const [from, to] = [block, block + 1].map((k) => Math.floor((lengthSamples * k) / blocks));
      const state = found.get(i)!;
      const samples = await recording.read(i, from!, to!);
      refuseInfinite(samples, from!, recording.channels[i]!.name, 'wfdb');
      state.meter.add(samples);
      for (const x of samples) {
        if (Number.isNaN(x)) continue;
        if (x < state.lowest) state.lowest = x;
        if (x > state.highest) state.highest = x;
        while (state.decimals !== undefined && !isWhole(x * 10 ** state.decimals))
          state.decimals = state.decimals < 9 ? state.decimals + 1 : undefined;
      }
    }
  for (const state of found.values()) state.noise = state.meter.noise;
  return found;
}

/** Is it an integer, but for the rounding of a product? */
function isWhole(x: number): boolean {
  return Math.abs(x - Math.round(x)) <= 4 * Number.EPSILON * Math.abs(x);
}

interface Plan {
  readonly frameRateHz: number;
  readonly perFrame: readonly number[];
  readonly stretches: readonly (readonly Stretch[])[];
  readonly frames: number;
  readonly scales: readonly WriteScale[];
  readonly bits: WriteBits;
}

/** Frames as bytes, block by block; first values and sums go to `written`. */
async function* encodeSamples(
  recording: Recording,
  { frameRateHz, perFrame, stretches, frames, scales, bits }: Plan,
  written: { initialValue: number; checksum: number }[],
  { onProgress }: WriteOptions,
): AsyncIterable<Uint8Array> {
  const width = bits / 8;
  const missing = -(2 ** (bits - 1));
  const frameSamples = perFrame.reduce((sum, n) => sum + n, 0);
  const perBlock = Math.max(1, Math.floor(blockSamples / frameSamples));
  for (let first = 0; first < frames; first += perBlock) {
    const count = Math.min(perBlock, frames - first);
    const bytes = new Uint8Array(count * frameSamples * width);
    let before = 0;
    for (const [c, n] of perFrame.entries()) {
      const stored = new Int32Array(count * n).fill(missing);
      for (const { from, to, at } of stretches[c]!) {
        const [low, high] = [Math.max(at, first * n), Math.min(at + to - from, (first + count) * n)];
        if (low >= high) continue;
        const samples = await recording.read(c, from + low - at, from + high - at);
        quantise(samples, scales[c]!, missing, stored.subarray(low - first * n, high - first * n));
      }
      const state = written[c]!;
      if (first === 0) state.initialValue = stored[0]!;
      let sum = state.checksum;
      for (let i = 0; i < stored.length; i++) sum = (sum + stored[i]!) | 0;
      state.checksum = sum;
      interleave(stored, n, bytes, before * width, frameSamples * width, width);
      before += n;
    }
    yield bytes;
    onProgress?.((first + count) / frameRateHz);
  }
}

/** x → stored integers: the lowest one for missing samples, and for no other. */
function quantise(samples: Float64Array, scale: WriteScale, missing: number, stored: Int32Array): void {
  const { resolution, offset, steps, shift } = scale;
  const [low, high] = [missing + 1, -missing - 1];
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round((samples[i]! - offset) / resolution) * steps - shift;
    stored[i] = Number.isNaN(value) ? missing : value < low ? low : value > high ? high : value;
  }
}

/** Little-endian integers of `width` bytes: `n` a frame, frames `step` bytes apart, the first at `start`. */
function interleave(
  stored: Int32Array,
  n: number,
  bytes: Uint8Array,
  start: number,
  step: number,
  width: number,
): void {
  for (let i = 0, frame = start; i < stored.length; frame += step)
    for (let k = 0, at = frame; k < n; k++, i++) {
      const value = stored[i]!;
      bytes[at++] = value;
      bytes[at++] = value >> 8;
      if (width > 2) bytes[at++] = value >> 16;
      if (width > 3) bytes[at++] = value >> 24;
    }
}
