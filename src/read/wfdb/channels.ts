/** A signal of a WFDB header → a Channel. Physical value = (stored − baseline) / gain. */
import { maxOf, minOf } from '../../core/arrays.ts';
import type { Channel } from '../../core/recording.ts';
import type { WfdbSignal } from './header.ts';

/** `frames` of a record at `frameRateHz`; `range`: what the format can store, where it says. */
export function wfdbChannel(
  signal: WfdbSignal,
  index: number,
  frameRateHz: number,
  frames: number,
  range: readonly [low: number, high: number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): Channel {
  const { resolutionBits: bits, adcZero, baseline, gain } = signal;
  // The converter's ends where the header gives its bits (12 bits in format 16), else the format's.
  const half = bits > 1 && bits < 32 ? 2 ** (bits - 1) : Number.POSITIVE_INFINITY;
  const low = Math.max(range[0], adcZero - half);
  const high = Math.min(range[1], adcZero + half - 1);
  const ends = [(low - baseline) / gain, (high - baseline) / gain] as const;
  return {
    name: signal.description || `signal ${index}`,
    unit: signal.unit,
    rateHz: frameRateHz * signal.samplesPerFrame,
    lengthSamples: frames * signal.samplesPerFrame,
    ...(low < high &&
      Number.isFinite(low) &&
      Number.isFinite(high) && { range: [minOf(ends), maxOf(ends)] as const }),
    resolution: Math.abs(1 / gain),
    offset: (0 - baseline) / gain,
  };
}
