/** WFDB signal files whose samples have a fixed size, and so a fixed place: a window is one ranged read. */
import type { ByteSource } from '../../core/bytes.ts';
import { visitPieces } from '../pieces.ts';
import { chunkBytes, RangedBytes } from '../ranged-bytes.ts';
import { bytesOf, decodeSteps, type SampleFormat, samplesIn } from './samples.ts';
import { byteShortage, type PlacedSignal, type SignalFile, type SignalRange } from './signal-file.ts';

/** Bytes decoded for one signal after the other: they stay in a processor's cache. */
const tileBytes = 128 * 1024;

export function openPacked(
  source: ByteSource,
  signals: readonly PlacedSignal[],
  format: SampleFormat,
): SignalFile {
  const bytes = new RangedBytes(source);
  const { byteOffset } = signals[0]!;
  const frameSamples = signals.reduce((sum, { samplesPerFrame }) => sum + samplesPerFrame, 0);
  // So many frames are whole groups, and whole bytes.
  const unitFrames = format.groupSamples;
  const unitBytes = frameSamples * format.groupBytes;
  const chunkFrames = Math.max(1, Math.floor(chunkBytes / bytesOf(format, frameSamples)));

  /** What of a range lies in frames [frame, last), out of bytes that begin with the group of the first one. */
  function decodeFrames(
    { signal, start, end, result }: SignalRange,
    frame: number,
    last: number,
    chunk: Uint8Array,
    group: number,
  ): void {
    const { samplesPerFrame, frameOffset } = signal;
    const from = Math.max(start, frame * samplesPerFrame);
    const to = Math.min(end, last * samplesPerFrame);
    const decode = (sample: number, step: number, to: number, stride: number) => {
      const inFrame = sample % samplesPerFrame;
      const stored = ((sample - inFrame) / samplesPerFrame) * frameSamples + frameOffset + inFrame;
      const first = stored - group * format.groupSamples;
      const steps = { first, step, from: sample - start, to: to - start, stride };
      decodeSteps(format, chunk, steps, signal, result);
    };
    // The k-th samples of all frames are evenly spaced, and so are those of a frame: whichever runs are longer.
    if (samplesPerFrame <= last - frame)
      for (let i = from; i < Math.min(to, from + samplesPerFrame); i++)
        decode(i, frameSamples, to, samplesPerFrame);
    else
      for (let i = from; i < to; ) {
        const end = Math.min(to, (Math.floor(i / samplesPerFrame) + 1) * samplesPerFrame);
        decode(i, 1, end, 1);
        i = end;
      }
  }

  return {
    frames: Math.floor(samplesIn(format, source.byteLength - byteOffset) / frameSamples),
    range: format.range,
    shortage: (frames) => byteShortage(source, byteOffset + bytesOf(format, frames * frameSamples)),
    async read(signal, start, end, result) {
      const { samplesPerFrame } = signal;
      const lastFrame = Math.ceil(end / samplesPerFrame);
      for (let frame = Math.floor(start / samplesPerFrame); frame < lastFrame; frame += chunkFrames) {
        const chunkEnd = Math.min(lastFrame, frame + chunkFrames);
        const group = Math.floor((frame * frameSamples) / format.groupSamples);
        const base = byteOffset + group * format.groupBytes;
        await bytes.use(base, byteOffset + bytesOf(format, chunkEnd * frameSamples), (chunk) =>
          decodeFrames({ signal, start, end, result }, frame, chunkEnd, chunk, group),
        );
      }
    },
    async readTogether(ranges) {
      const [first, last] = framesOf(ranges);
      const start = byteOffset + Math.floor(first / unitFrames) * unitBytes;
      const end = byteOffset + bytesOf(format, last * frameSamples);
      const tileUnits = Math.max(1, Math.floor(tileBytes / unitBytes));
      await visitPieces(source, start, end, unitBytes, (piece, at) => {
        const units = Math.ceil(piece.length / unitBytes);
        for (let unit = 0; unit < units; unit += tileUnits) {
          const before = (at - byteOffset) / unitBytes + unit;
          const frame = before * unitFrames;
          const stop = Math.min(last, frame + Math.min(tileUnits, units - unit) * unitFrames);
          const tile = piece.subarray(unit * unitBytes);
          for (const range of ranges) decodeFrames(range, frame, stop, tile, before * frameSamples);
        }
      });
    },
  };
}

/** Frames [first, last) that ranges reach over. */
function framesOf(ranges: readonly SignalRange[]): [first: number, last: number] {
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const { signal, start, end } of ranges) {
    first = Math.min(first, Math.floor(start / signal.samplesPerFrame));
    last = Math.max(last, Math.ceil(end / signal.samplesPerFrame));
  }
  return [first, last];
}
