/**
 * The models that a deep one must beat: majority, class prior, and logistic regression on band power, on heart rate and
 * its variability, or on both; each of these also with features standardised within each person (label-free, but
 * transductive: it looks at all of a person's windows). Where ECG has a longer context than its windows, the heart also by
 * the beats in exactly that. Definitions and settings: DESIGN's EEGMAT baselines.
 */
import { maxOf } from '../core/arrays.ts';
import { contextSpan, signalSeconds } from '../patches/context.ts';
import type { WindowSet } from '../patches/windows.ts';
import { beatsBetween, variability } from '../signal/heart.ts';
import { bandPower, welch } from '../signal/spectrum.ts';
import { standardisePerSubject } from '../signal/standardise.ts';
import { fitLogistic, predictLogistic } from './logistic.ts';

/** Half-open bands in hertz: delta, theta, alpha, beta, low gamma. */
const bands = [
  [1, 4],
  [4, 8],
  [8, 13],
  [13, 30],
  [30, 45],
] as const;
const segmentSeconds = 2;
/** Beats from this many seconds before a window to as many after it. */
const heartMarginSeconds = 5;
const logisticOptions = { C: 0.05, classWeight: 'balanced' } as const;

/** Features of every window by the name of the baseline that uses them: rows [W][d]. NaN where undefined. */
export type BaselineFeatures = ReadonlyMap<string, readonly Float64Array[]>;

/** Compute the features of all baselines that the set's modalities allow. */
export function baselineFeatures(set: WindowSet): BaselineFeatures {
  const features = new Map<string, readonly Float64Array[]>();
  const eeg = set.signals.eeg && bandPowerFeatures(set);
  const ecg = set.signals.ecg && heartFeatures(set);
  if (eeg) features.set('classical-eeg', eeg);
  const addHeart = (heart: readonly Float64Array[], suffix: string) => {
    features.set(`classical-ecg${suffix}`, heart);
    if (eeg) features.set(`classical-eeg+ecg${suffix}`, joinRows(eeg, heart));
  };
  if (ecg) addHeart(ecg, '');
  if (ecg && signalSeconds(set.recipe, 'ecg') > set.recipe.window.lengthSeconds)
    addHeart(heartContextFeatures(set), '-context');
  for (const [name, rows] of [...features])
    features.set(`${name}-standardised`, standardisePerSubject(rows, set.subject).rows);
  return features;
}

/** Natural logarithm of the mean power density in each band of each EEG channel, in µV²/Hz: [W][5 C]. */
export function bandPowerFeatures(set: WindowSet): Float64Array[] {
  const { channels, patches, patchSamples, data } = set.signals.eeg!;
  const { scaleMicrovolts, rateHz } = set.recipe.signals.eeg!;
  const length = patches * patchSamples;
  const x = new Float64Array(length);
  const segmentSamples = Math.min(length, segmentSeconds * rateHz);
  return Array.from({ length: set.count }, (_, w) => {
    const row: number[] = [];
    const parts = seamlessParts(set, w, rateHz, length, segmentSamples);
    const segments = parts.map(
      ([from, to]) => Math.floor((to - from - segmentSamples) / (segmentSamples / 2)) + 1,
    );
    for (let c = 0; c < channels.length; c++) {
      const start = (w * channels.length + c) * length;
      for (let t = 0; t < length; t++) x[t] = data[start + t]! * scaleMicrovolts;
      const powers = parts.map(([from, to]) => welch(x.subarray(from, to), rateHz, { segmentSamples }));
      for (const [low, high] of bands) {
        const means = powers.map((power, i) => segments[i]! * bandPower(power, low, high));
        row.push(Math.log(sum(means) / sum(segments)));
      }
    }
    return Float64Array.from(row, (value) => (Number.isFinite(value) ? value : Number.NaN)); // a flat channel has no power
  });
}

/** The ranges of a window's EEG in which no two recordings join, of at least a segment each; all of it without a seam. */
function seamlessParts(set: WindowSet, window: number, rateHz: number, length: number, least: number) {
  const [start] = contextSpan(set, 'eeg', window);
  const seams = seamsOf(set, window).map((time) => Math.round((time - start) * rateHz));
  const cuts = [0, ...seams.filter((at) => at > 0 && at < length), length];
  const parts = cuts.slice(1).map((to, i) => [cuts[i]!, to] as const);
  const long = parts.filter(([from, to]) => to - from >= least);
  return long.length > 0 ? long : [[0, length] as const];
}

/** Where two recordings join before a window's trial. */
function seamsOf({ past, trial }: WindowSet, window: number): readonly number[] {
  return Array.from(past?.get(trial[window]!)?.seams ?? []);
}

/**
 * Median rate (1/min), SD and RMSSD (s) of the beats around each window, as published: [W][3]. They see 5 s of its future.
 */
export function heartFeatures(set: WindowSet): Float64Array[] {
  const { lengthSeconds } = set.recipe.window;
  return heartRows(set, (window) => {
    const start = set.start[window]!;
    return [start - heartMarginSeconds, start + lengthSeconds + heartMarginSeconds];
  });
}

/** The same of the beats in the ECG's context of each window, which is all that a model sees of the heart: [W][3]. */
export function heartContextFeatures(set: WindowSet): Float64Array[] {
  const before = (trial: string) => set.past?.get(trial)?.beats ?? [];
  const beats = new Map(
    [...set.beats].map(([trial, own]) => [trial, Float64Array.from([...before(trial), ...own])]),
  );
  return heartRows({ ...set, beats }, (window) => contextSpan(set, 'ecg', window));
}

function heartRows(set: WindowSet, spanOf: (window: number) => readonly [start: number, end: number]) {
  return Array.from({ length: set.count }, (_, w) => {
    const beats = set.beats.get(set.trial[w]!) ?? new Float64Array(0);
    const [from, to] = spanOf(w);
    const { medianRatePerMinute, sdnn, rmssd } = variability(beatsBetween(beats, from, to), seamsOf(set, w));
    return Float64Array.of(medianRatePerMinute, sdnn, rmssd);
  });
}

function joinRows(left: readonly Float64Array[], right: readonly Float64Array[]): Float64Array[] {
  return left.map((row, i) => Float64Array.from([...row, ...right[i]!]));
}

/** Fit on the training windows, predict the test windows: probabilities [test · K]. Undefined features take the training median. */
export function runClassical(
  rows: readonly Float64Array[],
  labels: Int32Array,
  trainIndices: ArrayLike<number>,
  testIndices: ArrayLike<number>,
  classCount: number,
): Float64Array {
  const filled = fillMissing(rows, trainIndices);
  const pick = (indices: ArrayLike<number>) => Array.from(indices, (i) => filled[i]!);
  const model = fitLogistic(
    pick(trainIndices),
    Int32Array.from(trainIndices, (i) => labels[i]!),
    classCount,
    logisticOptions,
  );
  return predictLogistic(model, pick(testIndices));
}

/** Values that are not finite take their feature's median over the training rows. */
export function fillMissing(
  rows: readonly Float64Array[],
  trainIndices: ArrayLike<number>,
): readonly Float64Array[] {
  const train = Array.from(trainIndices, (i) => rows[i]!);
  const medians = train[0]!.map((_, j) => median(train.map((row) => row[j]!).filter(Number.isFinite)));
  return rows.map((row) => row.map((value, j) => (Number.isFinite(value) ? value : medians[j]!)));
}

/** Probabilities of the trivial baselines: all on the most frequent training class, or the shares of all classes. */
export function runTrivial(
  name: 'majority' | 'prior',
  labels: Int32Array,
  trainIndices: ArrayLike<number>,
  testCount: number,
  classCount: number,
): Float64Array {
  const counts = Array<number>(classCount).fill(0);
  for (const i of Array.from(trainIndices)) counts[labels[i]!]!++;
  const most = counts.indexOf(maxOf(counts));
  const row = counts.map((count, k) => (name === 'prior' ? count / trainIndices.length : Number(k === most)));
  return Float64Array.from({ length: testCount * classCount }, (_, i) => row[i % classCount]!);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length === 0) return 0;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
