/**
 * WFDB formats 508, 516 and 524: signals as the channels of a FLAC file, in 8, 16 or 24 bits. Their byte offset counts
 * samples; all signals of a file have as many samples a frame.
 * Source: signal(5) of the WFDB Applications Guide, physionet.org.
 */
import { maxOf, minOf } from '../../core/arrays.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
import type { FlacSamples } from '../flac/bits.ts';
import { FlacStream } from '../flac/stream.ts';
import type { PlacedSignal, SignalFile } from './signal-file.ts';

/** Format → bits a sample. */
export const flacFormats: ReadonlyMap<string, number> = new Map([
  ['508', 8],
  ['516', 16],
  ['524', 24],
]);

/** Open a FLAC signal file. FormatError where it is none, or holds other channels than the header describes. */
export async function openFlacSignals(
  source: ByteSource,
  signals: readonly PlacedSignal[],
  log: string[],
): Promise<SignalFile> {
  const { format, samplesPerFrame, byteOffset: skipped } = signals[0]!;
  const bits = flacFormats.get(format)!;
  const stream = await FlacStream.open(source);
  const { info } = stream;
  const fail = (fact: string): never => {
    throw new FormatError(
      `wfdb: ${source.name} ${fact}. Header and file do not belong together.`,
      source.name,
    );
  };
  if (info.channels !== signals.length)
    fail(`holds ${info.channels} channels, the header describes ${signals.length}`);
  if (info.bits > bits) fail(`holds ${info.bits} bits a sample, format ${format} has ${bits}`);
  if (signals.some((signal) => signal.samplesPerFrame !== samplesPerFrame))
    fail('should hold signals of different rates, which FLAC cannot');
  // What the stream promises is checked against its last whole frame.
  const present = await stream.lastSample();
  const samples = Math.min(present, info.totalSamples || present);
  if (info.totalSamples === 0)
    log.push(`wfdb: ${source.name} does not say its length; it holds ${present} samples a channel.`);
  const missing = -(2 ** (bits - 1));
  return {
    frames: Math.floor(Math.max(0, samples - skipped) / samplesPerFrame),
    range: [missing + 1, -missing - 1],
    shortage: (frames) => ({
      fact: `ends at sample ${samples} of ${skipped + frames * samplesPerFrame}`,
      byteOffset: source.byteLength,
    }),
    async read({ indexInFile, gain, baseline }, start, end, result) {
      await stream.read(indexInFile, skipped + start, skipped + end, (stored, from, to, offset) =>
        scale(stored, from, to, missing, gain, baseline, result, offset),
      );
    },
    async readTogether(ranges) {
      const first = minOf(ranges.map(({ start }) => start));
      const last = maxOf(ranges.map(({ end }) => end));
      await stream.readAll(skipped + first, skipped + last, (channels, from, to, offset) => {
        const [begin, stop] = [first + offset, first + offset + to - from];
        for (const { signal, start, end, result } of ranges) {
          const [low, high] = [Math.max(start, begin), Math.min(end, stop)];
          if (low >= high) continue;
          const { indexInFile, gain, baseline } = signal;
          const at = from - begin;
          scale(channels[indexInFile]!, low + at, high + at, missing, gain, baseline, result, low - start);
        }
      });
    },
  };
}

/** stored[from … to) → physical values in result[at …), NaN for the value that means none. */
function scale(
  stored: FlacSamples,
  from: number,
  to: number,
  missing: number,
  gain: number,
  baseline: number,
  result: Float64Array,
  at: number,
): void {
  // One type of array only: a loop that has seen two is compiled for neither.
  const values = stored instanceof Int32Array ? stored : Int32Array.from(stored);
  let isMissing = false;
  let i = from;
  let k = at;
  for (; i + 3 < to; i += 4, k += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    if (a === missing || b === missing || c === missing || d === missing) isMissing = true;
    result[k] = (a - baseline) / gain;
    result[k + 1] = (b - baseline) / gain;
    result[k + 2] = (c - baseline) / gain;
    result[k + 3] = (d - baseline) / gain;
  }
  for (; i < to; i++, k++) {
    const value = values[i]!;
    if (value === missing) isMissing = true;
    result[k] = (value - baseline) / gain;
  }
  if (!isMissing) return;
  for (i = from, k = at; i < to; i++, k++) if (values[i] === missing) result[k] = Number.NaN;
}
