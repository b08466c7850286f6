/**
 * WFDB formats 508, 516 and 524: signals as the channels of a FLAC file, in 8, 16 or 24 bits. Their byte offset counts
 * samples; all signals of a file have as many samples a frame.
 * Source: signal(5) of the WFDB Applications Guide, physionet.org.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { FormatError } from '../../core/errors.ts';
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
      await stream.read(indexInFile, skipped + start, skipped + end, (stored, from, to, offset) => {
        let found = 0;
        for (let i = from, at = offset; i < to; i++, at++) {
          const value = stored[i]!;
          found |= Number(value === missing);
          result[at] = (value - baseline) / gain;
        }
        if (found === 0) return;
        for (let i = from, at = offset; i < to; i++, at++) if (stored[i] === missing) result[at] = Number.NaN;
      });
    },
  };
}
