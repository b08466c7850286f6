/**
 * Which channels of an EEG are bad: rows [C][T] → a verdict for each. The criteria of PREP (Bigdely-Shamlo et al., Front.
 * Neuroinform. 9:16, 2015) without RANSAC: deviation, high-frequency noise, low correlation, besides flat and missing
 * ones. Thresholds are PREP's. The median and the interquartile range of the channels say what is usual, so that a few
 * bad ones do not move it; under about 8 channels that is weak.
 */
import { DataError } from '../core/errors.ts';
import { butterworth, paddingSamples, sosFiltFilt } from './filter.ts';
import { bridgeMissing } from './missing.ts';

/** PREP, table 2. */
export const badChannelRules = {
  /** Robust z of the channel's robust SD. */
  deviation: 5,
  /** Robust z of the noisiness: MAD above 50 Hz over MAD below. */
  noise: 5,
  /** A window's largest correlations with others (98th percentile) may not be below this … */
  correlation: 0.4,
  /** … in more than this share of windows of 1 s. */
  windows: 0.01,
} as const;

const splitHz = 50;
/** Of its samples, beyond which a channel with holes is bad. Ours. */
const mostMissing = 0.1;
/** SD over interquartile range of a normal distribution. */
const iqrToDeviation = 0.7413;

export type BadChannelReason = 'flat' | 'missing' | 'deviation' | 'noise' | 'correlation';

export interface ChannelVerdict {
  readonly reasons: readonly BadChannelReason[];
  /** Robust z of the amplitude over all channels: positive for loud ones. */
  readonly deviation: number;
  /** Robust z of the noisiness; NaN for rates up to 100 Hz, which hold nothing above 50 Hz. */
  readonly noise: number;
  /** Share of windows of 1 s without a channel alike. NaN below three channels. */
  readonly uncorrelated: number;
}

/**
 * Judge all channels of a recording. High-pass filter first: PREP does so at 1 Hz, and drifts hide everything else.
 * DataError where rows differ in length.
 */
export function findBadChannels(rows: readonly Float64Array[], rateHz: number): ChannelVerdict[] {
  const length = rows[0]?.length ?? 0;
  if (rows.some((row) => row.length !== length))
    throw new DataError(
      `findBadChannels: rows have ${rows.map((row) => row.length).join(', ')} samples. Give rows of one length.`,
    );
  const missing = rows.map((row) => row.filter((value) => !Number.isFinite(value)).length / length);
  const whole = rows.map((row) => bridgeMissing(row).values);
  const isFlat = whole.map((row) => !(spread(row) > 0) || row.every((value) => value === row[0]));
  const low = butterworth(4, { highHz: splitHz }, Math.max(rateHz, 2 * splitHz + 1));
  const isSplit = rateHz > 2 * splitHz && length > paddingSamples(low);
  const slow = isSplit ? whole.map((row) => sosFiltFilt(low, row)) : whole;
  const noisiness = slow.map((row, c) =>
    isSplit ? mad(whole[c]!.map((value, t) => value - row[t]!)) / mad(row) : Number.NaN,
  );
  const usable = [...rows.keys()].filter((c) => !isFlat[c] && !(missing[c]! > mostMissing));
  const deviations = robustZ(whole.map(spread), usable);
  const noises = robustZ(noisiness, usable);
  const uncorrelated = shareUncorrelated(slow, Math.round(rateHz), usable);
  return rows.map((_, c) => {
    const verdict = { deviation: deviations[c]!, noise: noises[c]!, uncorrelated: uncorrelated[c]! };
    const found: Record<BadChannelReason, boolean> = {
      flat: isFlat[c]!,
      missing: missing[c]! > mostMissing,
      deviation: Math.abs(verdict.deviation) > badChannelRules.deviation,
      noise: verdict.noise > badChannelRules.noise,
      correlation: verdict.uncorrelated > badChannelRules.windows,
    };
    return { reasons: reasons.filter((reason) => found[reason]), ...verdict };
  });
}

const reasons: readonly BadChannelReason[] = ['flat', 'missing', 'deviation', 'noise', 'correlation'];

/** (value − median) / (0.7413 · interquartile range), both over the usable ones; NaN for the others or without a spread. */
function robustZ(values: readonly number[], usable: readonly number[]): number[] {
  const sorted = Float64Array.from(usable, (c) => values[c]!).sort();
  const width = iqrToDeviation * (quantile(sorted, 0.75) - quantile(sorted, 0.25));
  const centre = quantile(sorted, 0.5);
  return values.map((value, c) => (usable.includes(c) && width > 0 ? (value - centre) / width : Number.NaN));
}

/** Share of windows in which the 98th percentile of a channel's absolute correlations with others is low. */
function shareUncorrelated(
  rows: readonly Float64Array[],
  window: number,
  usable: readonly number[],
): number[] {
  const counts = new Float64Array(rows.length);
  const windows = Math.floor((rows[0]?.length ?? 0) / window);
  if (usable.length < 3 || windows === 0) return rows.map(() => Number.NaN);
  for (let w = 0; w < windows; w++) {
    const units = usable.map((c) => unitVector(rows[c]!.subarray(w * window, (w + 1) * window)));
    const matrix = units.map((a, i) =>
      Float64Array.from(units, (b, j) => (j === i ? Number.NaN : Math.abs(dot(a, b)))),
    );
    for (const [i, c] of usable.entries()) {
      const sorted = matrix[i]!.filter((_, j) => j !== i).sort();
      if (!(quantile(sorted, 0.98) >= badChannelRules.correlation)) counts[c]!++;
    }
  }
  return rows.map((_, c) => (usable.includes(c) ? counts[c]! / windows : Number.NaN));
}

/** Mean removed, length 1; zeros where nothing varies. */
function unitVector(x: Float64Array): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const centred = x.map((value) => value - mean);
  const length = Math.sqrt(dot(centred, centred));
  return length > 0 ? centred.map((value) => value / length) : centred;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function spread(x: Float64Array): number {
  const sorted = Float64Array.from(x).sort();
  return iqrToDeviation * (quantile(sorted, 0.75) - quantile(sorted, 0.25));
}

function mad(x: Float64Array): number {
  const centre = quantile(Float64Array.from(x).sort(), 0.5);
  return quantile(x.map((value) => Math.abs(value - centre)).sort(), 0.5);
}

function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}
