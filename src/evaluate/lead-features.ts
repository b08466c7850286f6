/**
 * Classical features of ECG windows [W, C, N, P] → [W, F]: heart rate and variability, and of each lead what a ruler would
 * measure on its typical beat, and its band powers. No parameter is learned.
 */

import { maxOf, minOf } from '../core/arrays.ts';
import type { SignalWindows } from '../patches/windows.ts';
import { detectBeats } from '../signal/beats.ts';
import { variability } from '../signal/heart.ts';
import { bandPower, welch } from '../signal/spectrum.ts';
import type { ProbeFeatures } from './linear-probe.ts';

/** Seconds around the R peak, half-open; the stretch before QRS is the zero line. */
const parts = {
  zero: [-0.1, -0.06],
  p: [-0.24, -0.1],
  qrs: [-0.06, 0.06],
  st: [0.08, 0.12],
  t: [0.14, 0.36],
} as const;
const [beatStart, beatEnd] = [-0.24, 0.36];
/** Half-open, in hertz. */
const bands = [
  [0.5, 4],
  [4, 8],
  [8, 13],
  [13, 30],
  [30, 45],
] as const;
const segmentSeconds = 2;
/** QRS is as wide as it is above this share of its largest deflection. */
const widthShare = 0.3;
const widthReach = [-0.12, 0.12] as const;

/** Of the whole window: median rate (1/min), SD and RMSSD of the intervals (s). */
const heartCount = 3;
/** Of each lead: P, R, Q or S, QRS width, ST level, T upwards and downwards, logarithms of bands and of the deviation. */
const leadCount = 7 + bands.length + 1;

/**
 * Beats are found on lead II where it is there, else on the first lead: nothing is taken from leads that are not given.
 * NaN where no beat is found, or a lead is flat.
 */
export function leadFeatures(
  { channels, patches, patchSamples, data }: SignalWindows,
  rateHz: number,
  onWindow?: (done: number) => void,
): ProbeFeatures {
  const length = patches * patchSamples;
  const count = data.length / (channels.length * length);
  const size = heartCount + channels.length * leadCount;
  const beatsOn = Math.max(0, channels.indexOf('II'));
  const features = new Float32Array(count * size);
  for (let w = 0; w < count; w++) {
    const lead = (c: number) =>
      Float64Array.from(
        data.subarray((w * channels.length + c) * length, (w * channels.length + c + 1) * length),
      );
    const beats = detectBeats(lead(beatsOn), rateHz);
    const { medianRatePerMinute, sdnn, rmssd } = variability(beats);
    const rows = channels.flatMap((_, c) => measureLead(lead(c), beats, rateHz));
    features.set([medianRatePerMinute, sdnn, rmssd, ...rows].map(finite), w * size);
    onWindow?.(w + 1);
  }
  return { data: features, size };
}

/** Missing values become the medians of the rows `training`, zero where these have none. */
export function fillMissing({ data, size }: ProbeFeatures, training: readonly number[]): ProbeFeatures {
  const filled = data.slice();
  for (let j = 0; j < size; j++) {
    const known = Float64Array.from(training, (i) => data[i * size + j]!)
      .filter(Number.isFinite)
      .sort();
    const median = known[known.length >> 1] ?? 0;
    for (let at = j; at < filled.length; at += size) if (Number.isNaN(filled[at]!)) filled[at] = median;
  }
  return { data: filled, size };
}

function measureLead(x: Float64Array, beats: Float64Array, rateHz: number): number[] {
  const beat = typicalBeat(x, beats, rateHz);
  const power = welch(x, rateHz, { segmentSamples: Math.min(x.length, segmentSeconds * rateHz) });
  const spectrum = bands.map(([low, high]) => Math.log(bandPower(power, low, high)));
  return [
    ...(beat ? measureBeat(beat, rateHz) : Array(7).fill(Number.NaN)),
    ...spectrum,
    Math.log(deviation(x)),
  ];
}

/** The median of the beats that lie whole within the window, from `beatStart` to `beatEnd` around the R peak. */
function typicalBeat(x: Float64Array, beats: Float64Array, rateHz: number): Float64Array | undefined {
  const [from, to] = [Math.round(beatStart * rateHz), Math.round(beatEnd * rateHz)];
  const peaks = Array.from(beats, (time) => Math.round(time * rateHz)).filter(
    (at) => at + from >= 0 && at + to <= x.length,
  );
  if (peaks.length === 0) return undefined;
  return Float64Array.from({ length: to - from }, (_, i) => {
    const values = Float64Array.from(peaks, (at) => x[at + from + i]!).sort();
    return (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2;
  });
}

function measureBeat(beat: Float64Array, rateHz: number): number[] {
  const cut = ([start, end]: readonly [number, number]) =>
    beat.subarray(Math.round((start - beatStart) * rateHz), Math.round((end - beatStart) * rateHz));
  const zero = mean(cut(parts.zero));
  const [p, qrs, st, t] = [cut(parts.p), cut(parts.qrs), cut(parts.st), cut(parts.t)];
  const [high, low] = [maxOf(qrs) - zero, minOf(qrs) - zero];
  const largest = Math.max(high, -low);
  const wide =
    cut(widthReach).filter((value) => Math.abs(value - zero) > widthShare * largest).length / rateHz;
  return [maxOf(p) - zero, high, low, wide, mean(st) - zero, maxOf(t) - zero, minOf(t) - zero];
}

function deviation(x: Float64Array): number {
  const centre = mean(x);
  return Math.sqrt(mean(x.map((value) => (value - centre) ** 2)));
}

function mean(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value, 0) / x.length;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}
