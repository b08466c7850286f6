/**
 * R peaks: one ECG channel x [T] → times in seconds. Two moving averages of the squared 8–20 Hz band: Elgendi, Jonkman
 * and De Boer, "Frequency bands effects on QRS detection", BIOSIGNALS 2010; search for missed beats by Pan and Tompkins,
 * IEEE Trans. Biomed. Eng. 32(3), 1985. Amplitude, offset and polarity of the channel do not matter.
 */
import { ConfigError } from '../core/errors.ts';
import { conditionEcg } from './beats-condition.ts';
import { guessBeats } from './faint-beats.ts';
import { butterworth, paddingSamples, sosFiltFilt } from './filter.ts';
import { selectKth } from './order-statistic.ts';

/** Band with the best QRS-to-rest contrast, averages over a QRS and over a beat, and offset: Elgendi et al., section 4. */
const featureBand = { lowHz: 8, highHz: 20 };
const qrsSeconds = 0.097;
const beatSeconds = 0.611;
const offsetFraction = 0.08;
/** No two beats are closer: 240 per minute. Pan–Tompkins use 200 ms; T waves come later. */
const refractorySeconds = 0.25;
/**
 * How the peak itself is placed, ours, chosen on MIT-BIH 100 and 208 and LUDB's records 1 to 100. Band without baseline
 * drift and with little tremor in which wide, ectopic peaks stay where they are (above 5 Hz, a fifth of record 208's
 * beats are placed over 50 ms off); how far from the strongest energy a wide QRS may have its peak; and how much deeper
 * than R is high an S or Q must be to be taken instead.
 */
const peakBand = { lowHz: 1, highHz: 40 };
const peakReachSeconds = 0.09;
const deeperThanHigh = 1.7;
/** A gap this much longer than the usual interval hides a beat (Pan–Tompkins: 166 %). */
const missedBeatRatio = 1.66;
/** Candidates on each side that say what is usual: Pan–Tompkins' eight intervals. */
const neighbours = 4;
/** Energy relative to the neighbours' below which a candidate is no beat, or above which a gap holds one: on MIT-BIH 208 normal beats have 6 % of the energy of the ectopic ones between them. */
const weakFraction = 0.05;
const missedFraction = 0.1;
/**
 * Energy of a typical beat over the quietest quarter of the time. Below this there is no ECG: noise and EEG on a lost
 * electrode give 3 to 6 (8 in 5 s), the faintest of 2,400 leads of LUDB with visible beats 10, usual leads 30 to 2,000.
 */
const minContrast = 8;
/** Blocks for a mean that a few artefacts cannot move; each holds a beat down to 30 per minute. */
const blockSeconds = 2;
/** Quieter than the loudest by this: padding, not signal. */
const silentFraction = 1e-6;
/** Rate below which the QRS band does not exist. */
const minRateHz = 50;

interface Candidate {
  /** Sample of the strongest QRS energy. */
  readonly at: number;
  /** Energy there. */
  readonly energy: number;
  readonly start: number;
  readonly end: number;
}

export interface BeatOptions {
  /**
   * What to return where no beat stands out of the noise: nothing, or a guess (faint-beats.ts), which on a lost
   * electrode is a random rhythm. Published baselines guess; an analysis should not.
   */
  readonly whenUnclear?: 'none' | 'guess';
}

/**
 * Times of the R peaks in seconds from the first sample, ascending, to a fraction of a sample. Empty for flat, empty or
 * too short (under about 0.1 s) signals, and where nothing stands out of the noise. Values that are not finite are
 * bridged by the last finite one; constant padding at the ends is left out. ConfigError for rates below 50 Hz.
 */
export function detectBeats(x: Float64Array, rateHz: number, options: BeatOptions = {}): Float64Array {
  return detectBeatsAndContrast(x, rateHz, options).times;
}

/** What `detectBeats` and `measureBeatContrast` give, in one go. */
export function detectBeatsAndContrast(x: Float64Array, givenHz: number, options: BeatOptions = {}) {
  const { signal, startSeconds, qrs, beats, rateHz } = analyse(x, givenHz);
  const contrast = contrastOf(beats, qrs);
  let times: Float64Array = new Float64Array(0);
  if (contrast >= minContrast)
    times = placePeaks(sosFiltFilt(butterworth(2, peakBand, rateHz), signal), beats, rateHz);
  else if (options.whenUnclear === 'guess' && beats.length > 0) times = guessBeats(signal, rateHz);
  return { times: times.map((time) => time + startSeconds), contrast };
}

/**
 * How far beats stand out: energy of a typical one over that of the quietest quarter of the time; 0 without any. Below 8
 * `detectBeats` finds none. For reports that count channels without ECG. ConfigError for rates below 50 Hz.
 */
export function measureBeatContrast(x: Float64Array, rateHz: number): number {
  const { qrs, beats } = analyse(x, rateHz);
  return contrastOf(beats, qrs);
}

interface Analysis {
  /** Finite, without padding. */
  readonly signal: Float64Array;
  readonly startSeconds: number;
  /** Energy averaged over a QRS. */
  readonly qrs: Float64Array;
  readonly beats: readonly Candidate[];
  /** Of all of these: the given one, or a multiple of it. */
  readonly rateHz: number;
}

function analyse(x: Float64Array, givenHz: number): Analysis {
  if (!(givenHz >= minRateHz) || !Number.isFinite(givenHz)) {
    throw new ConfigError(
      `beats: the rate is ${givenHz} Hz. R peaks need ${minRateHz} Hz or more; resample first.`,
      'rateHz',
      `${minRateHz} or more`,
    );
  }
  const { signal, startSeconds, rateHz } = conditionEcg(x, givenHz);
  const feature = butterworth(2, featureBand, rateHz);
  if (signal.length <= paddingSamples(feature))
    return { signal, startSeconds, qrs: new Float64Array(0), beats: [], rateHz };
  const energy = sosFiltFilt(feature, signal);
  for (let i = 0; i < energy.length; i++) energy[i]! *= energy[i]!;
  const qrs = movingAverage(energy, Math.round(qrsSeconds * rateHz));
  const candidates = findCandidates(energy, qrs, rateHz);
  const beats = searchMissed(dropWeak(dropTooClose(candidates, rateHz)), qrs, rateHz);
  return { signal, startSeconds, qrs, beats, rateHz };
}

/** Blocks in which the QRS average exceeds the beat average: each may be a beat. */
function findCandidates(energy: Float64Array, qrs: Float64Array, rateHz: number): Candidate[] {
  const beat = movingAverage(energy, Math.round(beatSeconds * rateHz));
  const offset = offsetFraction * typicalMean(energy, Math.round(blockSeconds * rateHz));
  const minLength = Math.round(qrsSeconds * rateHz);
  const candidates: Candidate[] = [];
  for (let start = 0, end = 0; start < energy.length; start = end + 1) {
    for (end = start; end < energy.length && qrs[end]! > beat[end]! + offset; ) end++;
    if (end - start >= minLength) candidates.push(strongest(qrs, start, end));
  }
  return candidates;
}

function strongest(qrs: Float64Array, start: number, end: number): Candidate {
  let at = start;
  for (let i = start; i < end; i++) if (qrs[i]! > qrs[at]!) at = i;
  return { at, energy: qrs[at]!, start, end };
}

/** Of two candidates within the refractory time, the stronger. */
function dropTooClose(candidates: readonly Candidate[], rateHz: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    const last = kept.at(-1);
    if (!last || candidate.at - last.at >= refractorySeconds * rateHz) kept.push(candidate);
    else if (candidate.energy > last.energy) kept[kept.length - 1] = candidate;
  }
  return kept;
}

/** Leave out what is far weaker than its neighbours: T waves, steps where a recording is padded. */
function dropWeak(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ energy }, i) => energy >= weakFraction * neighbourMedian(candidates, i));
}

/** Pan–Tompkins' search back: in a gap of more than 1.66 usual intervals, the strongest energy may be a beat. */
function searchMissed(beats: readonly Candidate[], qrs: Float64Array, rateHz: number): Candidate[] {
  const found: Candidate[] = [];
  const margin = Math.round(refractorySeconds * rateHz);
  for (const [i, beat] of beats.entries()) {
    found.push(beat);
    const next = beats[i + 1];
    if (!next) break;
    const around = beats.slice(Math.max(0, i - neighbours), i + neighbours + 2);
    const usual = median(around.slice(1).map((other, k) => other.at - around[k]!.at));
    if (next.at - beat.at <= missedBeatRatio * usual || next.at - beat.at <= 2 * margin) continue;
    const missed = strongest(qrs, beat.at + margin, next.at - margin);
    const inside = missed.at > missed.start && missed.at < missed.end - 1;
    if (inside && missed.energy >= missedFraction * neighbourMedian(beats, i)) found.push(missed);
  }
  return found;
}

/** Median energy of a candidate and of up to four on each side. */
function neighbourMedian(candidates: readonly Candidate[], i: number): number {
  return median(
    candidates.slice(Math.max(0, i - neighbours), i + neighbours + 1).map(({ energy }) => energy),
  );
}

/** The extremum of the usual polarity within each candidate, between samples by a parabola; seconds. */
function placePeaks(filtered: Float64Array, beats: readonly Candidate[], rateHz: number): Float64Array {
  const reach = Math.round(peakReachSeconds * rateHz);
  const extremum = (beat: Candidate, sign: number) => {
    let best = beat.at;
    for (let i = Math.max(0, beat.at - reach); i <= Math.min(filtered.length - 1, beat.at + reach); i++) {
      if (sign * filtered[i]! > sign * filtered[best]!) best = i;
    }
    return best;
  };
  const height = (sign: number) => median(beats.map((beat) => sign * filtered[extremum(beat, sign)]!));
  const sign = deeperThanHigh * height(1) >= height(-1) ? 1 : -1;
  return Float64Array.from(beats, (beat) => {
    const at = extremum(beat, sign);
    const [before, here, after] = [filtered[at - 1], filtered[at]!, filtered[at + 1]];
    if (before === undefined || after === undefined) return at / rateHz;
    const bend = before - 2 * here + after;
    const shift = bend === 0 ? 0 : (before - after) / (2 * bend);
    return (at + Math.max(-0.5, Math.min(0.5, shift))) / rateHz;
  });
}

/** Median energy of the beats over the lower quartile of the energy between and in them, padding left out. */
function contrastOf(beats: readonly Candidate[], qrs: Float64Array): number {
  if (beats.length === 0) return 0;
  let loudest = 0;
  for (let i = 0; i < qrs.length; i++) if (qrs[i]! > loudest) loudest = qrs[i]!;
  const kept = new Float64Array(qrs.length);
  let count = 0;
  for (let i = 0; i < qrs.length; i++) if (qrs[i]! > silentFraction * loudest) kept[count++] = qrs[i]!;
  const signal = kept.subarray(0, count);
  return median(beats.map(({ energy }) => energy)) / selectKth(signal, signal.length >> 2);
}

/** Median of the blocks' means, padding left out. */
function typicalMean(energy: Float64Array, block: number): number {
  const means: number[] = [];
  for (let start = 0; start === 0 || start + block <= energy.length; start += block) {
    const part = energy.subarray(start, start + block);
    means.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  const loudest = means.reduce((a, b) => Math.max(a, b), 0);
  return median(means.filter((mean) => mean >= silentFraction * loudest));
}

/** Mean over `length` samples about each sample, over fewer at the ends. */
function movingAverage(x: Float64Array, length: number): Float64Array {
  const sums = new Float64Array(x.length + 1);
  for (let i = 0; i < x.length; i++) sums[i + 1] = sums[i]! + x[i]!;
  const half = length >> 1;
  const averages = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const start = Math.max(0, i - half);
    const end = Math.min(x.length, i + half + 1);
    averages[i] = (sums[end]! - sums[start]!) / (end - start);
  }
  return averages;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
