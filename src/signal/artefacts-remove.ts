/**
 * Artefacts taken out without ICA: rows [C][T] → rows [C][T], all in microvolt; what is clean stays the same arrays.
 * Blinks by regression on a frontal signal (Gratton, Coles and Donchin, Electroencephalogr. Clin. Neurophysiol. 55, 1983),
 * only where a blink is; the heart's field by the average around R peaks (Nakamura and Shibasaki,
 * Electroencephalogr. Clin. Neurophysiol. 66, 1987; Allen et al., NeuroImage 8, 1998).
 */
import { ShapeError } from '../core/errors.ts';
import { artefactRules, findWaves } from './artefacts.ts';
import { butterworth, paddingSamples, sosFiltFilt } from './filter.ts';

export interface BlinkRemoval {
  readonly rows: Float64Array[];
  /** Half-open ranges of samples that were changed; none: rows are the same arrays. */
  readonly blinks: readonly (readonly [start: number, end: number])[];
  /** Microvolt in a row for each microvolt of the frontal signal: [C]. */
  readonly propagation: Float64Array;
}

/** A blink's own frequencies: above, the frontal signal is brain and muscle that other rows must not get. Ours. */
const blinkHighHz = 8;
/** Around a blink, so that regression sees its feet. Ours. */
const marginSeconds = 0.1;

/**
 * Take blinks out of all rows. `frontal`: the signal that shows them best, [T]: a vertical EOG, or the mean of Fp1 and
 * Fp2, with slow drifts filtered out as in the rows. Brain activity that frontal and other channels share during a blink
 * below 8 Hz goes with it: regression cannot tell. ShapeError where lengths differ; values must be finite.
 */
export function removeBlinks(
  rows: readonly Float64Array[],
  frontal: Float64Array,
  rateHz: number,
  thresholdMicrovolts: number = artefactRules.blink.threshold,
): BlinkRemoval {
  for (const row of rows) checkLength('removeBlinks', row, frontal.length);
  const unchanged = { rows: [...rows], blinks: [], propagation: new Float64Array(rows.length) };
  const margin = Math.round(marginSeconds * rateHz);
  const low = butterworth(2, { highHz: Math.min(blinkHighHz, 0.4 * rateHz) }, rateHz);
  if (frontal.length <= paddingSamples(low)) return unchanged;
  const found = findWaves(frontal, rateHz, thresholdMicrovolts).ranges;
  if (found.length === 0) return unchanged;
  const blinks: [number, number][] = [];
  for (const [start, end] of found) {
    const [from, to] = [Math.max(0, start - margin), Math.min(frontal.length, end + margin)];
    const last = blinks.at(-1);
    if (last && from <= last[1]) last[1] = to;
    else blinks.push([from, to]);
  }
  const slow = sosFiltFilt(low, frontal);
  const waves = blinks.map(([start, end]) => withoutLine(slow.subarray(start, end)));
  const power = waves.reduce((sum, wave) => sum + dot(wave, wave), 0);
  const propagation = Float64Array.from(rows, (row) => {
    const shared = blinks.reduce(
      (sum, [start, end], k) => sum + dot(waves[k]!, withoutLine(row.subarray(start, end))),
      0,
    );
    return power > 0 ? shared / power : 0;
  });
  const cleaned = rows.map((row, c) => {
    const result = Float64Array.from(row);
    for (const [k, [start]] of blinks.entries())
      for (const [t, value] of waves[k]!.entries()) result[start + t]! -= propagation[c]! * value;
    return result;
  });
  return { rows: cleaned, blinks, propagation };
}

export interface HeartRemoval {
  readonly rows: Float64Array[];
  /** What was subtracted around each R peak, by row [C][S]; empty for rows without an artefact, which are the same arrays. */
  readonly templates: readonly Float64Array[];
  /** Energy of each row's average over what the same number of beats would leave of unrelated activity: 1 is none. */
  readonly evidence: Float64Array;
}

/** From each R peak: QRS and T wave. Shorter where beats are close. */
const beforeSeconds = 0.2;
const afterSeconds = 0.45;
/** An average of few beats is mostly brain. Ours. */
const minBeats = 20;
/** Evidence below which an average is what unrelated activity leaves. Ours: white noise gives 1, alpha rhythm up to 3. */
const minEvidence = 4;

/**
 * Take the heart's field out of all rows: the average around R peaks (`beats`, seconds) is subtracted at every beat, where
 * it is more than chance. Rows below the evidence, or all with under 20 beats, stay the same arrays. Values must be
 * finite. ShapeError where rows differ in length.
 */
export function removeHeart(
  rows: readonly Float64Array[],
  beats: ArrayLike<number>,
  rateHz: number,
): HeartRemoval {
  const length = rows[0]?.length ?? 0;
  for (const row of rows) checkLength('removeHeart', row, length);
  const peaks = Array.from(beats, (beat) => Math.round(beat * rateHz)).sort((a, b) => a - b);
  const shortest = peaks.slice(1).reduce((min, peak, i) => Math.min(min, peak - peaks[i]!), length);
  const before = Math.min(Math.round(beforeSeconds * rateHz), Math.floor(shortest / 3));
  const after = Math.min(Math.round(afterSeconds * rateHz), shortest - before);
  const whole = peaks.filter((peak) => peak - before >= 0 && peak + after <= length);
  const evidence = new Float64Array(rows.length);
  if (whole.length < minBeats || before + after < 4)
    return { rows: [...rows], templates: rows.map(() => new Float64Array(0)), evidence };
  const templates = rows.map((row, c) => {
    const sum = new Float64Array(before + after);
    let energy = 0;
    for (const peak of whole) {
      const part = withoutLine(row.subarray(peak - before, peak + after));
      for (const [t, value] of part.entries()) sum[t]! += value;
      energy += dot(part, part);
    }
    const template = sum.map((value) => value / whole.length);
    // Of activity that knows nothing of the heart, an average of n keeps 1/n of the energy.
    const explained = whole.length * dot(template, template);
    evidence[c] = (explained * (whole.length - 1)) / Math.max(energy - explained, Number.MIN_VALUE);
    return evidence[c]! >= minEvidence ? template : new Float64Array(0);
  });
  const cleaned = rows.map((row, c) => {
    const template = templates[c]!;
    if (template.length === 0) return row;
    const result = Float64Array.from(row);
    for (const peak of peaks)
      for (let t = 0; t < template.length; t++) {
        const at = peak - before + t;
        if (at >= 0 && at < length) result[at]! -= template[t]!;
      }
    return result;
  });
  return { rows: cleaned, templates, evidence };
}

/** Less the straight line between both ends, so that what is subtracted begins and ends at 0. */
function withoutLine(x: Float64Array): Float64Array {
  const [first, last] = [x[0] ?? 0, x.at(-1) ?? 0];
  const slope = x.length > 1 ? (last - first) / (x.length - 1) : 0;
  return x.map((value, t) => value - first - slope * t);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function checkLength(where: string, row: Float64Array, length: number): void {
  if (row.length === length) return;
  throw new ShapeError(
    `${where}: a row has ${row.length} samples, others ${length}. Give signals of one length.`,
    where,
    `[${length}]`,
    `[${row.length}]`,
  );
}
