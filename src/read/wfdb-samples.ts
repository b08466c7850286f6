/**
 * Stored WFDB samples: bytes → integers, by format. One table; a further format is one more row.
 * Source: signal(5) of the WFDB Applications Guide, physionet.org.
 */
import { int16View } from './int16.ts';

export interface SampleFormat {
  /** Samples are packed in groups of this many, in this many bytes. */
  readonly groupSamples: number;
  readonly groupBytes: number;
  /** The range of stored values. */
  readonly range: readonly [low: number, high: number];
  /**
   * Evenly spaced samples of a stream that starts, at a group's start, with `bytes` → physical values in `result`.
   * The lowest value of the bits means "no sample here" and becomes NaN.
   */
  decode(bytes: Uint8Array, steps: Steps, calibration: Calibration, result: Float64Array): void;
}

/** Which samples of a stream, and where they go: result[from + k·stride] (below `to`) is sample first + k·step. */
export interface Steps {
  readonly first: number;
  readonly step: number;
  readonly from: number;
  readonly to: number;
  readonly stride: number;
}

/** Physical value = (stored − baseline) / gain. */
export interface Calibration {
  readonly gain: number;
  readonly baseline: number;
}

export const sampleFormats: ReadonlyMap<string, SampleFormat> = new Map([
  [
    '16',
    {
      groupSamples: 1,
      groupBytes: 2,
      range: [-32767, 32767],
      decode(bytes, { first, step, from, to, stride }, { gain, baseline }, result) {
        const stored = int16View(bytes, 0, bytes.length >> 1);
        for (let i = from, at = first; i < to; i += stride, at += step) {
          const value = stored ? stored[at]! : ((bytes[2 * at]! | (bytes[2 * at + 1]! << 8)) << 16) >> 16;
          result[i] = value === -32768 ? Number.NaN : (value - baseline) / gain;
        }
      },
    },
  ],
  [
    // Two samples in three bytes: low byte, both high nibbles (first sample's in the low half), low byte.
    '212',
    {
      groupSamples: 2,
      groupBytes: 3,
      range: [-2047, 2047],
      decode(bytes, { first, step, from, to, stride }, { gain, baseline }, result) {
        for (let i = from, index = first; i < to; i += stride, index += step) {
          const at = (index >> 1) * 3;
          const nibbles = bytes[at + 1]!;
          const bits =
            index & 1 ? bytes[at + 2]! | ((nibbles & 0xf0) << 4) : bytes[at]! | ((nibbles & 0x0f) << 8);
          const value = (bits << 20) >> 20;
          result[i] = value === -2048 ? Number.NaN : (value - baseline) / gain;
        }
      },
    },
  ],
]);

/** Bytes that hold `count` samples; the last group may be cut after the byte that ends its last sample. */
export function bytesOf(format: SampleFormat, count: number): number {
  const { groupSamples, groupBytes } = format;
  const partial = count % groupSamples;
  return (
    Math.floor(count / groupSamples) * groupBytes +
    (partial === 0 ? 0 : Math.ceil((partial * groupBytes) / groupSamples))
  );
}

/** Whole samples that `byteLength` bytes hold. */
export function samplesIn(format: SampleFormat, byteLength: number): number {
  return Math.floor((Math.max(0, byteLength) * format.groupSamples) / format.groupBytes);
}
