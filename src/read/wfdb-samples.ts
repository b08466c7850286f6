/**
 * Stored WFDB samples: bytes → integers, by format. One table; a further format is one more row.
 * Source: signal(5) of the WFDB Applications Guide, physionet.org.
 */

export interface SampleFormat {
  /** Samples are packed in groups of this many, in this many bytes. */
  readonly groupSamples: number;
  readonly groupBytes: number;
  /** The stored value that means "no sample here". */
  readonly invalid: number;
  /** The range of stored values. */
  readonly range: readonly [low: number, high: number];
  /** Sample `index` of a stream that starts, at a group's start, at byte `base`. */
  sampleAt(bytes: Uint8Array, base: number, index: number): number;
}

export const sampleFormats: ReadonlyMap<string, SampleFormat> = new Map([
  [
    '16',
    {
      groupSamples: 1,
      groupBytes: 2,
      invalid: -32768,
      range: [-32767, 32767],
      sampleAt(bytes, base, index) {
        const at = base + index * 2;
        return ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
      },
    },
  ],
  [
    // Two samples in three bytes: low byte, both high nibbles (first sample's in the low half), low byte.
    '212',
    {
      groupSamples: 2,
      groupBytes: 3,
      invalid: -2048,
      range: [-2047, 2047],
      sampleAt(bytes, base, index) {
        const at = base + (index >> 1) * 3;
        const nibbles = bytes[at + 1]!;
        const bits =
          index & 1 ? bytes[at + 2]! | ((nibbles & 0xf0) << 4) : bytes[at]! | ((nibbles & 0x0f) << 8);
        return (bits << 20) >> 20;
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
