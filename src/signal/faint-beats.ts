/**
 * A guess at R peaks where no beat stands out of the noise: x [T] → times in seconds. The energy of Pan and Tompkins,
 * IEEE Trans. Biomed. Eng. 32(3), 1985 (5–15 Hz, derivative, square, average over a QRS), and its highest maxima at a
 * resting heart's distance. Whether there is a heart at all, it cannot say.
 */
import { butterworth, sosFiltFilt } from './filter.ts';

/** Pan–Tompkins' band. */
const band = { lowHz: 5, highHz: 15 };
/** A wide QRS; Pan–Tompkins average 150 ms. */
const qrsSeconds = 0.12;
/** 171 per minute: without a clear signal, a resting rate is the better guess. Ours. */
const minDistanceSeconds = 0.35;
/** Of the energy's usual maximum, taken as the median of its largest twentieth. Ours. */
const thresholdFraction = 0.3;

/** Times of the guessed beats, ascending, to a sample. x must be finite and longer than 15 samples. */
export function guessBeats(x: Float64Array, rateHz: number): Float64Array {
  const filtered = sosFiltFilt(butterworth(2, band, rateHz), x);
  const energy = averageSlopes(filtered, Math.round(qrsSeconds * rateHz));
  const sorted = Float64Array.from(energy).sort();
  const threshold = thresholdFraction * sorted[Math.floor(0.975 * sorted.length)]!;
  const maxima: number[] = [];
  for (let i = 1; i < energy.length - 1; i++) {
    if (energy[i]! > energy[i - 1]! && energy[i]! >= energy[i + 1]! && energy[i]! > threshold) maxima.push(i);
  }
  maxima.sort((a, b) => energy[b]! - energy[a]!);
  const taken = new Uint8Array(energy.length);
  const distance = Math.round(minDistanceSeconds * rateHz);
  const beats: number[] = [];
  for (const at of maxima) {
    if (taken[at]) continue;
    beats.push(at / rateHz);
    taken.fill(1, Math.max(0, at - distance + 1), at + distance);
  }
  return Float64Array.from(beats).sort();
}

/** Squared slope (half the difference of both neighbours), averaged over `length` samples. */
function averageSlopes(x: Float64Array, length: number): Float64Array {
  const half = length >> 1;
  const sums = new Float64Array(x.length + 1);
  for (let i = 0; i < x.length; i++) {
    const slope = ((x[i + 1] ?? x[i]!) - (x[i - 1] ?? x[i]!)) / 2;
    sums[i + 1] = sums[i]! + slope * slope;
  }
  return x.map(
    (_, i) => (sums[Math.min(x.length, i + length - half)]! - sums[Math.max(0, i - half)]!) / length,
  );
}
