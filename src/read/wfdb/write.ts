/**
 * Recordings → WFDB records: `.dat` in format 16, or 24 or 32 where the stored integers of a channel need it, `.atr`
 * with the annotations, `.hea`. Integers stay what they were; gaps are filled with the code for missing samples.
 * Source: header(5), signal(5) of the WFDB Applications Guide, physionet.org.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { NoiseMeter } from '../noise.ts';
import type { OutputFile, WriteOptions, WriteRecording } from '../output.ts';
import { encodeWfdbAnnotations } from './write-annotations.ts';
import { wfdbHeaderText } from './write-header.ts';
import {
  bitsOf,
  type Extremes,
  frameOf,
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

/** Write a record under the name of its header. ConfigError for a name or rates that WFDB does not allow. */
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
  const { frameRateHz, perFrame } = frameOf(channels);
  const { stretches, frames } = layOut(recording, frameRateHz, perFrame);
  const scales = await chooseScales(recording);
  const bits = scales.reduce<WriteBits>((most, { low, high }) => {
    const needed = bitsOf(low, high) ?? 32;
    return needed > most ? needed : most;
  }, 16);
  const written = channels.map(() => ({ initialValue: 0, checksum: 0 }));
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
  if (recording.annotations.length > 0)
    yield { name: `${record}.atr`, bytes: once(encodeWfdbAnnotations(recording, frameRateHz)) };
  const signals = channels.map(({ name, unit }, i) => ({
    name,
    unit,
    samplesPerFrame: perFrame[i]!,
    scale: scales[i]!,
    ...written[i]!,
  }));
  const text = wfdbHeaderText(record, recording, frameRateHz, frames, bits, signals);
  yield { name: `${record}.hea`, bytes: once(new TextEncoder().encode(text)) };
};

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

/** By the channels' own steps where they state them; what was found in the samples decides where they do not. */
async function chooseScales(recording: Recording): Promise<WriteScale[]> {
  const stated = recording.channels.map((channel) => {
    const scale = channel.range && scaleOfChannel(channel);
    return scale && bitsOf(scale.low, scale.high) === 16 ? scale : undefined;
  });
  const open = stated.flatMap((scale, i) => (scale ? [] : [i]));
  const found = await findExtremes(recording, open);
  return recording.channels.map((channel, i) => {
    if (stated[i]) return stated[i];
    const extremes = found.get(i)!;
    const scale = scaleOfChannel(channel, extremes);
    return scale && bitsOf(scale.low, scale.high) ? scale : scaleOfValues(extremes);
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
      state.meter.add(samples);
      for (const x of samples) {
        if (!Number.isFinite(x)) continue;
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
