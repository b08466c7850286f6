/** Attributions of samples [C, N, P] → sums over what people name: patches, channels, seconds, bands, short stretches. */
import { modelRateHz, patchSamples } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import { attributeBands, explainedBands } from './explain-bands.ts';
import { mapSample } from './explain-model.ts';
import type { PathAttribution } from './explain-path.ts';

/** Length of the stretches that are drawn over traces: 0.1 s, the width of a QRS complex. */
export const stretchSeconds = 0.1;
const stretchSamples = Math.round(stretchSeconds * modelRateHz);

/** Sums of one window's attributions of one modality. Each of the first four adds up to the same. */
export interface AttributionSums {
  /** [C, N]. */
  readonly cells: Float64Array;
  /** [C]. */
  readonly channels: Float64Array;
  /** [N]. */
  readonly seconds: Float64Array;
  /** [bands]. */
  readonly bands: Float64Array;
  /** [C, bands]. */
  readonly channelBands: Float64Array;
  /** [C, 10 N]: every 0.1 s. */
  readonly stretches: Float64Array;
}

/** Sums over patches, [C, N] of each modality. */
export function cellsOf({ difference, gradient }: PathAttribution): { [M in Modality]?: Float64Array } {
  return mapSample(gradient, (g, modality) => sumBlocks(difference[modality]!, g, patchSamples));
}

/** All sums of one modality with C channels. */
export function sumAttribution(
  { difference, gradient }: PathAttribution,
  modality: Modality,
  channels: number,
): AttributionSums {
  const [d, g] = [difference[modality]!, gradient[modality]!];
  const cells = sumBlocks(d, g, patchSamples);
  const patches = cells.length / channels;
  const bands = explainedBands[modality];
  const result = {
    cells,
    channels: new Float64Array(channels),
    seconds: new Float64Array(patches),
    bands: new Float64Array(bands.length),
    channelBands: new Float64Array(channels * bands.length),
    stretches: sumBlocks(d, g, stretchSamples),
  };
  for (const [cell, value] of cells.entries()) {
    result.channels[Math.floor(cell / patches)]! += value;
    result.seconds[cell % patches]! += value;
  }
  const length = patches * patchSamples;
  for (let c = 0; c < channels; c++) {
    const row = [d, g].map((x) => Float64Array.from(x.subarray(c * length, (c + 1) * length)));
    const values = attributeBands(row[0]!, row[1]!, bands);
    result.channelBands.set(values, c * bands.length);
    for (const [band, value] of values.entries()) result.bands[band]! += value;
  }
  return result;
}

function sumBlocks(d: Float32Array, g: Float64Array, size: number): Float64Array {
  const sums = new Float64Array(d.length / size);
  for (let i = 0; i < d.length; i++) sums[Math.floor(i / size)]! += d[i]! * g[i]!;
  return sums;
}
