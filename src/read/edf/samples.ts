/**
 * Stored integers of EDF (2 bytes) and BDF (3 bytes), little-endian two's complement → physical values:
 * (digital − dmin) · gain + pmin, in float64.
 */

import { int16View } from '../int16.ts';
import type { SampleBytes } from './header.ts';

export interface EdfScale {
  /** (pmax − pmin) / (dmax − dmin) */
  readonly gain: number;
  readonly digitalMin: number;
  readonly physicalMin: number;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Integers of `width` bytes from byte `at` on → result[from … to). */
export function decodeSamples(
  bytes: Uint8Array,
  at: number,
  width: SampleBytes,
  scale: EdfScale,
  result: Float64Array,
  from: number,
  to: number,
): void {
  if (width === 3) decode24(bytes, at, scale, result, from, to);
  else decode16(bytes, at, scale, result, from, to);
}

function decode16(
  bytes: Uint8Array,
  at: number,
  { gain, digitalMin, physicalMin }: EdfScale,
  result: Float64Array,
  from: number,
  to: number,
): void {
  const stored = int16View(bytes, at, to - from);
  if (stored) {
    for (let i = 0; i < stored.length; i++) result[from + i] = (stored[i]! - digitalMin) * gain + physicalMin;
    return;
  }
  for (let i = from, k = at; i < to; i++, k += 2) {
    const value = ((bytes[k]! | (bytes[k + 1]! << 8)) << 16) >> 16;
    result[i] = (value - digitalMin) * gain + physicalMin;
  }
}

/** Four samples out of three words at a time, where words lie aligned: fewer loads and shifts than byte by byte. */
function decode24(
  bytes: Uint8Array,
  at: number,
  { gain, digitalMin, physicalMin }: EdfScale,
  result: Float64Array,
  from: number,
  to: number,
): void {
  let [i, k] = [from, at];
  const one = () => {
    const value = ((bytes[k]! | (bytes[k + 1]! << 8) | (bytes[k + 2]! << 16)) << 8) >> 8;
    result[i] = (value - digitalMin) * gain + physicalMin;
    i++;
    k += 3;
  };
  // Three bytes a sample: as many samples as the address is beyond a word reach the next one.
  const before = Math.min(to, from + ((bytes.byteOffset + at) % 4));
  while (i < before) one();
  const groups = isLittleEndian ? (to - i) >> 2 : 0;
  if (groups > 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + k, groups * 3);
    for (let w = 0; w < words.length; w += 3, i += 4) {
      const [a, b, c] = [words[w]!, words[w + 1]!, words[w + 2]!];
      result[i] = (((a << 8) >> 8) - digitalMin) * gain + physicalMin;
      result[i + 1] = (((((a >>> 24) << 8) | (b << 16)) >> 8) - digitalMin) * gain + physicalMin;
      result[i + 2] = (((((b >>> 16) << 8) | (c << 24)) >> 8) - digitalMin) * gain + physicalMin;
      result[i + 3] = ((c >> 8) - digitalMin) * gain + physicalMin;
    }
    k += groups * 12;
  }
  while (i < to) one();
}
