/**
 * Frequency bands of explanations: which there are, attributions by them, and signals without one.
 *
 * Integrated gradients along a straight path can be told in any orthonormal basis, as only inner products of the difference
 * d = x − x⁰ and the mean gradient g enter: by Parseval, Σ_t d_t g_t = 1/T Σ_k Re(D_k* G_k). So a band's attribution is the
 * sum over its bins, all bands add up to the whole, and nothing is filtered. Occlusion does filter.
 */
import { modelRateHz } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import { eegBands } from '../signal/band-powers.ts';
import { rfft } from '../signal/fft.ts';
import { butterworth, sosFiltFilt } from '../signal/filter.ts';

/** Half-open, hertz. */
export interface NamedBand {
  readonly name: string;
  readonly lowHz: number;
  readonly highHz: number;
}

const nyquistHz = modelRateHz / 2;
const named = ([name, [lowHz, highHz]]: readonly [string, readonly [number, number]]): NamedBand => ({
  ...{ name, lowHz, highHz },
});

/**
 * Bands without gap from 0 to 100 Hz. EEG: the rhythms of the classical baselines. ECG: most of a QRS complex lies from 5 to
 * 15 Hz (Pan & Tompkins, IEEE Trans. Biomed. Eng. 32, 1985), P and T waves below, the wander of the baseline under 0.5 Hz,
 * the edges of the QRS up to about 40 Hz (Thakor, Webster & Tompkins, IEEE Trans. Biomed. Eng. 31, 1984), muscle above.
 */
export const explainedBands: { readonly [M in Modality]: readonly NamedBand[] } = {
  eeg: [
    named(['below delta', [0, eegBands.delta[0]]]),
    ...Object.entries(eegBands).map(named),
    named(['above gamma', [eegBands.gamma[1], nyquistHz]]),
  ],
  ecg: [
    named(['wander', [0, 0.5]]),
    named(['P and T waves', [0.5, 5]]),
    named(['QRS', [5, 15]]),
    named(['QRS edges', [15, 40]]),
    named(['muscle', [40, nyquistHz]]),
  ],
};

/** Attribution of each band: difference and mean gradient of one channel, both [T] → [bands], which sum to Σ d g. */
export function attributeBands(
  difference: Float64Array,
  gradient: Float64Array,
  bands: readonly NamedBand[],
): Float64Array {
  const count = difference.length;
  const [d, g] = [rfft(difference), rfft(gradient)];
  const result = new Float64Array(bands.length);
  for (let k = 0; k < d.re.length; k++) {
    const hertz = (k * modelRateHz) / count;
    const band = bands.findIndex(({ highHz }, i) => hertz < highHz || i === bands.length - 1);
    // All bins but the first and, of an even length, the last stand for two.
    const twice = k === 0 || 2 * k === count ? 1 : 2;
    result[band]! += (twice * (d.re[k]! * g.re[k]! + d.im[k]! * g.im[k]!)) / count;
  }
  return result;
}

const filterOrder = 4;

/** x [T] without a band: what a zero-phase Butterworth filter keeps of it, taken away. */
export function removeBand(x: Float32Array, { lowHz, highHz }: NamedBand): Float32Array {
  const edges = {
    ...(lowHz > 0 && { lowHz }),
    ...(highHz < nyquistHz && { highHz }),
  };
  const kept = sosFiltFilt(butterworth(filterOrder, edges, modelRateHz), Float64Array.from(x));
  return x.map((value, i) => value - kept[i]!);
}
