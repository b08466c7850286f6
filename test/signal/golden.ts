/** Reads SciPy's values (scripts/golden/scipy_signal.py) and measures how far ours are from them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../golden/signal');

export type Place = readonly [start: number, length: number];

export interface Golden {
  readonly x: Place;
  readonly butter: readonly {
    readonly order: number;
    readonly band: { readonly lowHz?: number; readonly highHz?: number; readonly stop?: boolean };
    readonly rateHz: number;
    readonly sos: Place;
    readonly steady: Place;
    readonly causal: Place;
    readonly zeroPhase: Place;
  }[];
  readonly notch: readonly {
    readonly frequencyHz: number;
    readonly quality: number;
    readonly rateHz: number;
    readonly sos: Place;
    readonly causal: Place;
    readonly zeroPhase: Place;
  }[];
  readonly polyphase: readonly {
    readonly up: number;
    readonly down: number;
    readonly length: number;
    readonly y: Place;
  }[];
  readonly fourier: readonly { readonly length: number; readonly to: number; readonly y: Place }[];
  readonly fft: readonly { readonly length: number; readonly re: Place; readonly im: Place }[];
  readonly welch: readonly {
    readonly rateHz: number;
    readonly segmentSamples: number;
    readonly overlapSamples?: number;
    readonly frequencyHz: Place;
    readonly density: Place;
  }[];
}

export const golden: Golden = JSON.parse(readFileSync(join(folder, 'values.json'), 'utf8'));
const bytes = readFileSync(join(folder, 'values.f64'));
const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

export function numbersAt([start, length]: Place): Float64Array {
  return values.slice(start, start + length);
}

/** Largest difference, relative to the largest expected value; Infinity for another length or a NaN. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(d)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, d);
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return size === 0 ? difference : difference / size;
}
