/**
 * Whether a channel's samples can be trusted: x [T] in its own unit → plain numbers that reports can count.
 * Nothing is repaired or dropped here; the recipe decides.
 */
import { selectKth } from './order-statistic.ts';

export interface QualityOptions {
  /** What one of x's units is worth in microvolt; absent for channels that are not a voltage. */
  readonly unitMicrovolts?: number;
  /** The values that the file can hold, in x's unit. */
  readonly range?: readonly [low: number, high: number];
  /** Largest plausible distance from the median; the default holds for any surface recording. */
  readonly maxMicrovolts?: number;
}

export interface Quality {
  /** No signal: less than 1 µV from lowest to highest, or standing still for most of the time, or no samples. */
  readonly flat: boolean;
  /** Fraction of the samples that stand still for a second or longer. */
  readonly still: number;
  /** Fraction of the samples that are cut off at the signal's extremes or at the ends of the file's range. */
  readonly clipped: number;
  /** Some sample is outside the file's range or too far from the median to come from a body. */
  readonly outOfRange: boolean;
  /** Samples that are NaN or infinite; left out of everything above. */
  readonly nonFinite: number;
}

/** MNE's usual limit for a flat EEG channel (mne.Epochs, `flat=dict(eeg=1e-6)`), peak to peak. */
const flatMicrovolts = 1;
/** A living signal at microvolt resolution never repeats one value this long. Ours. */
const stillSeconds = 1;
/** Half of the time without signal makes a channel useless. Ours. */
const flatFraction = 0.5;
/** A run of one value at the extremes: an R peak sampled coarsely has up to three equal samples, in under 20 ms. Ours. */
const clippedSamples = 5;
const clippedSeconds = 0.02;
/** At the range's end two equal samples are enough: writers often set the range to the one largest value. */
const clippedSamplesAtRange = 2;
/** Half a step of a 24-bit file, relative to its range: closer than this is at the end. */
const rangeTolerance = 2 ** -25;
/** Twice the ±5 mV that electrocardiographs must accept (ANSI/AAMI EC11); EEG stays far below. */
const defaultMaxMicrovolts = 10_000;
/** Enough for a median that only tells signal from artefact. */
const medianSamples = 8192;

/** Measure x. Never throws: an empty or wholly non-finite signal is flat. */
export function checkQuality(x: Float64Array, rateHz: number, options: QualityOptions = {}): Quality {
  const { lowest, highest, median, nonFinite } = spreadOf(x);
  if (nonFinite === x.length) return { flat: true, still: 0, clipped: 0, outOfRange: false, nonFinite };
  const { still, clipped } = measureRuns(x, rateHz, lowest, highest, options.range);
  const { unitMicrovolts, range, maxMicrovolts = defaultMaxMicrovolts } = options;
  const microvolts = unitMicrovolts ?? 0;
  const quiet = unitMicrovolts !== undefined && (highest - lowest) * microvolts < flatMicrovolts;
  const margin = range ? rangeTolerance * (range[1] - range[0]) : 0;
  return {
    flat: highest === lowest || quiet || still > flatFraction,
    still,
    clipped: highest === lowest ? 0 : clipped,
    outOfRange:
      Math.max(highest - median, median - lowest) * microvolts > maxMicrovolts ||
      (range !== undefined && (lowest < range[0] - margin || highest > range[1] + margin)),
    nonFinite,
  };
}

/** Extremes of the finite samples, and a median: of a long signal, of samples spread evenly over it. */
function spreadOf(x: Float64Array) {
  const stride = Math.ceil(x.length / medianSamples);
  const spread = new Float64Array(medianSamples);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let [count, nonFinite] = [0, 0];
  for (let i = 0, next = 0; i < x.length; i++) {
    const value = x[i]!;
    const isNext = i === next;
    if (isNext) next += stride;
    if (!Number.isFinite(value)) {
      nonFinite++;
      continue;
    }
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
    if (isNext) spread[count++] = value;
  }
  const median = count > 0 ? selectKth(spread.subarray(0, count), count >> 1) : lowest;
  return { lowest, highest, median, nonFinite };
}

/** Fractions of finite samples in long runs of one value, anywhere (still) and at the extremes (clipped). */
function measureRuns(
  x: Float64Array,
  rateHz: number,
  lowest: number,
  highest: number,
  range?: readonly [number, number],
): { still: number; clipped: number } {
  const stillRun = Math.max(2, Math.round(stillSeconds * rateHz));
  const clippedRun = Math.max(clippedSamples, Math.round(clippedSeconds * rateHz));
  const margin = range ? rangeTolerance * (range[1] - range[0]) : 0;
  let still = 0;
  let clipped = 0;
  let finite = 0;
  for (let start = 0, end = 0; start < x.length; start = end) {
    const value = x[start]!;
    for (end = start + 1; end < x.length && x[end] === value; ) end++;
    if (!Number.isFinite(value)) continue;
    const run = end - start;
    finite += run;
    if (run >= stillRun) still += run;
    const atRange = range !== undefined && (value <= range[0] + margin || value >= range[1] - margin);
    const atExtreme = value === lowest || value === highest;
    if (run >= (atRange ? clippedSamplesAtRange : clippedRun) && (atRange || atExtreme)) clipped += run;
  }
  return { still: still / finite, clipped: clipped / finite };
}
