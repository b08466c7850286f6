/**
 * Stored WFDB samples: bytes → physical values, by format. One table; a further format is one more row. Differences
 * (8) are in differences.ts, FLAC (508, 516, 524) in flac.ts: their samples do not lie at a fixed place.
 * Source: signal(5) of the WFDB Applications Guide, physionet.org.
 */
import * as loops from './sample-loops.ts';

export interface SampleFormat {
  /** Samples are packed in groups of this many, in this many bytes. */
  readonly groupSamples: number;
  readonly groupBytes: number;
  /** Bytes that the first k samples of a group take, for k below groupSamples. */
  readonly partialBytes: readonly number[];
  /** The range of stored values. The lowest value of the bits lies below it: it means "no sample here". */
  readonly range: readonly [low: number, high: number];
  /** For each place in a group. */
  readonly places: readonly loops.SampleLoop[];
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

function packed(
  bits: number,
  groupBytes: number,
  partialBytes: readonly number[],
  ...places: readonly loops.SampleLoop[]
): SampleFormat {
  // All values of the bits but the lowest.
  const range = [1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1] as const;
  return { groupSamples: places.length, groupBytes, partialBytes, range, places };
}

export const sampleFormats: ReadonlyMap<string, SampleFormat> = new Map<string, SampleFormat>([
  ['16', packed(16, 2, [0], loops.int16)],
  ['24', packed(24, 3, [0], loops.int24)],
  ['32', packed(32, 4, [0], loops.int32)],
  // 16 bits, high byte first.
  ['61', packed(16, 2, [0], loops.int16BigEndian)],
  // Offset binary: 128 and 32768 are zero.
  ['80', packed(8, 1, [0], loops.offset8)],
  ['160', packed(16, 2, [0], loops.offset16)],
  // Two samples in three bytes: low byte, both high nibbles (first sample's in the low half), low byte.
  ['212', packed(12, 3, [0, 2], loops.first212, loops.second212)],
  // Three samples in two 16-bit words: bits 1–10 of either, then bits 11–15 of the first below those of the second.
  ['310', packed(10, 4, [0, 2, 4], loops.word310, loops.word310Second, loops.rest310)],
  // Three samples in a 32-bit word, from its lowest bit on.
  ['311', packed(10, 4, [0, 2, 3], loops.first311, loops.second311, loops.third311)],
]);

/**
 * Evenly spaced samples of a stream that starts, at a group's start, with `bytes` → physical values in `result`; NaN
 * where there is no sample.
 */
export function decodeSteps(
  { groupSamples, groupBytes, range, places }: SampleFormat,
  bytes: Uint8Array,
  { first, step, from, to, stride }: Steps,
  calibration: Calibration,
  result: Float64Array,
): void {
  // After so many steps a sample has the same place in its group.
  const period = groupSamples / commonDivisor(groupSamples, step);
  const stepBytes = ((step * period) / groupSamples) * groupBytes;
  for (let turn = 0; turn < period; turn++) {
    const start = from + turn * stride;
    if (start >= to) break;
    const index = first + turn * step;
    const place = index % groupSamples;
    const decode = places[place]!;
    const at = ((index - place) / groupSamples) * groupBytes;
    const apart = stride * period;
    if (decode(bytes, at, stepBytes, calibration, result, start, to, apart))
      markMissing(decode, range[0] - 1, bytes, at, stepBytes, result, start, to, apart);
  }
}

const markedAtOnce = 4096;

/** The samples once more, as they are stored: NaN for the value that means none. */
function markMissing(
  decode: loops.SampleLoop,
  missing: number,
  bytes: Uint8Array,
  at: number,
  stepBytes: number,
  result: Float64Array,
  from: number,
  to: number,
  stride: number,
): void {
  const stored = new Float64Array(markedAtOnce);
  for (let i = from, k = at; i < to; i += markedAtOnce * stride, k += markedAtOnce * stepBytes) {
    const count = Math.min(markedAtOnce, Math.ceil((to - i) / stride));
    decode(bytes, k, stepBytes, { gain: 1, baseline: 0 }, stored, 0, count, 1);
    for (let n = 0; n < count; n++) if (stored[n] === missing) result[i + n * stride] = Number.NaN;
  }
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

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
