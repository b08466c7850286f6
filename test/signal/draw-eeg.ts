/** Drawn EEG for tests: pink-like activity with an alpha rhythm, and the artefacts that are put on it. Microvolt. */
import type { Random } from '../../src/core/random.ts';

export const rateHz = 200;

/** A slow random walk that is pulled back, an alpha rhythm that comes and goes, and noise: about 10 µV. */
export function drawEeg(random: Random, seconds: number): Float64Array {
  let slow = 0;
  const phase = 6 * random.uniform();
  return Float64Array.from({ length: seconds * rateHz }, (_, i) => {
    const t = i / rateHz;
    slow = 0.93 * slow + 2.2 * random.normal();
    return (
      slow + 6 * Math.sin(0.4 * t + phase) * Math.sin(2 * Math.PI * 10 * t + phase) + 1.5 * random.normal()
    );
  });
}

/** Waves of 300 ms at some times. */
export function drawBlinks(times: readonly number[], seconds: number, height = 150): Float64Array {
  return Float64Array.from({ length: seconds * rateHz }, (_, i) =>
    times.reduce((sum, time) => sum + height * Math.exp(-0.5 * ((i / rateHz - time) / 0.075) ** 2), 0),
  );
}

/** QRS and T wave of about 1 at each beat. */
export function drawHeart(beats: readonly number[], seconds: number): Float64Array {
  return Float64Array.from({ length: seconds * rateHz }, (_, i) =>
    beats.reduce((sum, beat) => {
      const t = i / rateHz - beat;
      if (Math.abs(t) > 0.6) return sum;
      return sum + Math.exp(-0.5 * (t / 0.012) ** 2) + 0.3 * Math.exp(-0.5 * ((t - 0.25) / 0.045) ** 2);
    }, 0),
  );
}

export function power(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value * value, 0) / x.length;
}
