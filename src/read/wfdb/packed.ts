/** WFDB signal files whose samples have a fixed size, and so a fixed place: a window is one ranged read. */
import type { ByteSource } from '../../core/bytes.ts';
import { chunkBytes, RangedBytes } from '../ranged-bytes.ts';
import { bytesOf, type SampleFormat, samplesIn } from './samples.ts';
import { byteShortage, type PlacedSignal, type SignalFile } from './signal-file.ts';

export function openPacked(
  source: ByteSource,
  signals: readonly PlacedSignal[],
  format: SampleFormat,
): SignalFile {
  const bytes = new RangedBytes(source);
  const { byteOffset } = signals[0]!;
  const frameSamples = signals.reduce((sum, { samplesPerFrame }) => sum + samplesPerFrame, 0);
  const chunkFrames = Math.max(1, Math.floor(chunkBytes / bytesOf(format, frameSamples)));
  return {
    frames: Math.floor(samplesIn(format, source.byteLength - byteOffset) / frameSamples),
    range: format.range,
    shortage: (frames) => byteShortage(source, byteOffset + bytesOf(format, frames * frameSamples)),
    async read(signal, start, end, result) {
      const { samplesPerFrame, frameOffset } = signal;
      const lastFrame = Math.ceil(end / samplesPerFrame);
      for (let frame = Math.floor(start / samplesPerFrame); frame < lastFrame; frame += chunkFrames) {
        const chunkEnd = Math.min(lastFrame, frame + chunkFrames);
        const group = Math.floor((frame * frameSamples) / format.groupSamples);
        const base = byteOffset + group * format.groupBytes;
        const from = Math.max(start, frame * samplesPerFrame);
        const to = Math.min(end, chunkEnd * samplesPerFrame);
        await bytes.use(base, byteOffset + bytesOf(format, chunkEnd * frameSamples), (chunk) => {
          // The k-th samples of all frames are evenly spaced.
          for (let i = from; i < Math.min(to, from + samplesPerFrame); i++) {
            const inFrame = i % samplesPerFrame;
            const stored = ((i - inFrame) / samplesPerFrame) * frameSamples + frameOffset + inFrame;
            const first = stored - group * format.groupSamples;
            const steps = {
              first,
              step: frameSamples,
              from: i - start,
              to: to - start,
              stride: samplesPerFrame,
            };
            format.decode(chunk, steps, signal, result);
          }
        });
      }
    },
  };
}
