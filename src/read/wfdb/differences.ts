/**
 * WFDB format 8: a byte a sample, its difference from the sample before (the first one's from the header's initial
 * value). Sums are noted every few thousand frames, so that a window decodes little once the file was passed through.
 * Source: signal(5) of the WFDB Applications Guide, physionet.org.
 */
import type { ByteSource } from '../../core/bytes.ts';
import { chunkBytes, RangedBytes } from '../ranged-bytes.ts';
import { byteShortage, type PlacedSignal, type SignalFile } from './signal-file.ts';

/** Frames from one note to the next: a window decodes at most so many too many. */
const noteFrames = 8192;

export function openDifferences(source: ByteSource, signals: readonly PlacedSignal[]): SignalFile {
  const bytes = new RangedBytes(source);
  const { byteOffset } = signals[0]!;
  const frameBytes = signals.reduce((sum, { samplesPerFrame }) => sum + samplesPerFrame, 0);
  const frames = Math.floor(Math.max(0, source.byteLength - byteOffset) / frameBytes);
  const stepFrames = Math.max(1, Math.min(noteFrames, Math.floor(chunkBytes / frameBytes)));
  /** Of note k: every signal's value before frame k · stepFrames. */
  const notes: Float64Array[] = [Float64Array.from(signals, ({ initialValue }) => initialValue)];
  let noting: Promise<void> = Promise.resolve();

  const at = (frame: number) => byteOffset + frame * frameBytes;
  /** Fetch by whole chunks: several notes' frames in one request. */
  const perChunk = Math.max(1, Math.floor(chunkBytes / (frameBytes * stepFrames))) * stepFrames;
  function useFrames<T>(first: number, last: number, decode: (chunk: Uint8Array) => T): Promise<T> {
    return bytes.use(at(first), at(last), decode);
  }
  async function noteUpTo(note: number): Promise<void> {
    while (notes.length <= note) {
      const first = (notes.length - 1) * stepFrames;
      const last = Math.min(note * stepFrames, first + perChunk);
      await useFrames(first, last, (chunk) => {
        for (let frame = first; frame < last; frame += stepFrames) {
          const sums = notes.at(-1)!.slice();
          for (const [i, { frameOffset, samplesPerFrame }] of signals.entries()) {
            let sum = sums[i]!;
            for (let f = frame - first; f < frame - first + stepFrames; f++) {
              const start = f * frameBytes + frameOffset;
              for (let k = start; k < start + samplesPerFrame; k++) sum += (chunk[k]! << 24) >> 24;
            }
            sums[i] = sum;
          }
          notes.push(sums);
        }
      });
    }
  }

  return {
    frames,
    shortage: (promised) => byteShortage(source, byteOffset + promised * frameBytes),
    async read(signal, start, end, result) {
      const { samplesPerFrame, frameOffset, gain, baseline } = signal;
      const lastFrame = Math.ceil(end / samplesPerFrame);
      const note = Math.floor(Math.floor(start / samplesPerFrame) / stepFrames);
      // One reader notes at a time; after a failed read the next one goes on from what was noted.
      noting = noting.catch(() => undefined).then(() => noteUpTo(note));
      await noting;
      let value = notes[note]![signal.indexInFile]!;
      for (let first = note * stepFrames; first < lastFrame; first += perChunk) {
        const last = Math.min(lastFrame, first + perChunk);
        await useFrames(first, last, (chunk) => {
          for (let frame = first; frame < last; frame++) {
            const place = (frame - first) * frameBytes + frameOffset;
            for (let k = 0; k < samplesPerFrame; k++) {
              value += (chunk[place + k]! << 24) >> 24;
              const sample = frame * samplesPerFrame + k;
              if (sample >= start && sample < end) result[sample - start] = (value - baseline) / gain;
            }
          }
        });
      }
    },
  };
}
