/**
 * Stored WFDB samples: bytes → physical values, by format. One table; a further format is one more row. Differences
 * (8) are in differences.ts, FLAC (508, 516, 524) in flac.ts: their samples do not lie at a fixed place.
 * Source: signal(5) of the WFDB Applications Guide, physionet.org.
 */
import { int16View } from '../int16.ts';

export interface SampleFormat {
  /** Samples are packed in groups of this many, in this many bytes. */
  readonly groupSamples: number;
  readonly groupBytes: number;
  /** Bytes that the first k samples of a group take, for k below groupSamples. */
  readonly partialBytes: readonly number[];
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

/** A format of whole bytes a sample, by what reads one; each has a loop of its own, that engines specialise. */
function plain(
  bits: number,
  groupBytes: number,
  value: (bytes: Uint8Array, index: number) => number,
): SampleFormat {
  return {
    groupSamples: 1,
    groupBytes,
    partialBytes: [0],
    range: rangeOf(bits),
    decode: decoder(bits, value),
  };
}

function packed(
  bits: number,
  partialBytes: readonly number[],
  groupBytes: number,
  value: (bytes: Uint8Array, index: number) => number,
): SampleFormat {
  return {
    groupSamples: partialBytes.length,
    groupBytes,
    partialBytes,
    range: rangeOf(bits),
    decode: decoder(bits, value),
  };
}

/** All values of the bits but the lowest. */
function rangeOf(bits: number): readonly [low: number, high: number] {
  return [1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1];
}

/**
 * All values are converted first, and the missing ones marked in a second pass where there are any: a choice in the loop
 * makes it take 2.2 × the time.
 */
function decoder(bits: number, value: (bytes: Uint8Array, index: number) => number): SampleFormat['decode'] {
  const missing = -(2 ** (bits - 1));
  return (bytes, { first, step, from, to, stride }, { gain, baseline }, result) => {
    let found = 0;
    for (let i = from, index = first; i < to; i += stride, index += step) {
      const stored = value(bytes, index);
      found |= Number(stored === missing);
      result[i] = (stored - baseline) / gain;
    }
    if (found === 0) return;
    for (let i = from, index = first; i < to; i += stride, index += step)
      if (value(bytes, index) === missing) result[i] = Number.NaN;
  };
}

const sixteen = plain(
  16,
  2,
  (bytes, index) => ((bytes[2 * index]! | (bytes[2 * index + 1]! << 8)) << 16) >> 16,
);

const twelve = packed(12, [0, 2], 3, (bytes, index) => {
  const at = (index >> 1) * 3;
  const nibbles = bytes[at + 1]!;
  const bits = index & 1 ? bytes[at + 2]! | ((nibbles & 0xf0) << 4) : bytes[at]! | ((nibbles & 0x0f) << 8);
  return (bits << 20) >> 20;
});

export const sampleFormats: ReadonlyMap<string, SampleFormat> = new Map<string, SampleFormat>([
  // Little-endian, as a view of the bytes where memory allows.
  [
    '16',
    {
      ...sixteen,
      decode(bytes, steps, calibration, result) {
        const stored = int16View(bytes, 0, bytes.length >> 1);
        if (!stored) return sixteen.decode(bytes, steps, calibration, result);
        const { first, step, from, to, stride } = steps;
        const { gain, baseline } = calibration;
        let found = 0;
        for (let i = from, index = first; i < to; i += stride, index += step) {
          const value = stored[index]!;
          found |= Number(value === -32768);
          result[i] = (value - baseline) / gain;
        }
        if (found === 0) return;
        for (let i = from, index = first; i < to; i += stride, index += step)
          if (stored[index] === -32768) result[i] = Number.NaN;
      },
    },
  ],
  [
    '24',
    plain(
      24,
      3,
      (bytes, index) =>
        ((bytes[3 * index]! | (bytes[3 * index + 1]! << 8) | (bytes[3 * index + 2]! << 16)) << 8) >> 8,
    ),
  ],
  [
    '32',
    plain(
      32,
      4,
      (bytes, index) =>
        bytes[4 * index]! |
        (bytes[4 * index + 1]! << 8) |
        (bytes[4 * index + 2]! << 16) |
        (bytes[4 * index + 3]! << 24),
    ),
  ],
  // 16 bits, high byte first.
  ['61', plain(16, 2, (bytes, index) => (((bytes[2 * index]! << 8) | bytes[2 * index + 1]!) << 16) >> 16)],
  // Offset binary: 128 and 32768 are zero.
  ['80', plain(8, 1, (bytes, index) => bytes[index]! - 128)],
  ['160', plain(16, 2, (bytes, index) => (bytes[2 * index]! | (bytes[2 * index + 1]! << 8)) - 32768)],
  // Two samples in three bytes: low byte, both high nibbles (first sample's in the low half), low byte.
  ['212', twelve],
  // Three samples in two 16-bit words: bits 1–10 of either, then bits 11–15 of the first below those of the second.
  [
    '310',
    packed(10, [0, 2, 4], 4, (bytes, index) => {
      const group = Math.floor(index / 3);
      const at = 4 * group;
      const place = index - 3 * group;
      if (place === 2) return (((bytes[at + 1]! >> 3) | ((bytes[at + 3]! >> 3) << 5)) << 22) >> 22;
      return (((bytes[at + 2 * place]! >> 1) | ((bytes[at + 2 * place + 1]! & 7) << 7)) << 22) >> 22;
    }),
  ],
  // Three samples in a 32-bit word, from its lowest bit on.
  [
    '311',
    packed(10, [0, 2, 3], 4, (bytes, index) => {
      const group = Math.floor(index / 3);
      const at = 4 * group;
      const place = index - 3 * group;
      // A sample is within two neighbouring bytes, shifted by 0, 2 or 4 bits.
      return ((((bytes[at + place]! | (bytes[at + place + 1]! << 8)) >> (2 * place)) & 0x3ff) << 22) >> 22;
    }),
  ],
]);

/** Bytes that hold `count` samples; the last group may be cut after the byte that ends its last sample. */
export function bytesOf({ groupSamples, groupBytes, partialBytes }: SampleFormat, count: number): number {
  return Math.floor(count / groupSamples) * groupBytes + partialBytes[count % groupSamples]!;
}

/** Whole samples that `byteLength` bytes hold. */
export function samplesIn(
  { groupSamples, groupBytes, partialBytes }: SampleFormat,
  byteLength: number,
): number {
  const bytes = Math.max(0, byteLength);
  const groups = Math.floor(bytes / groupBytes);
  const left = bytes - groups * groupBytes;
  return groups * groupSamples + partialBytes.findLastIndex((needed) => needed <= left);
}
