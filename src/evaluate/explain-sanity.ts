/**
 * Sanity check of attributions (Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018): weights are drawn anew from
 * the head down to the patch embedding, and the attributions of each model on the way are compared with those of the trained
 * one. An explanation of what was learned must lose its likeness; one that keeps it shows the input, not the model.
 *
 * Signed attributions of patches are compared, and their magnitudes. Magnitudes of samples, as the paper compares pixels, are
 * given beside them: attributions are products with the input, so some likeness stays there whatever the weights are.
 */
import { joinArrays, maxOf } from '../core/arrays.ts';
import { Random } from '../core/random.ts';
import { type ModelConfig, modalitiesOf } from '../model/config.ts';
import { initialParameters, modelParameters } from '../model/model.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { meanOfKnown, rankCorrelation } from './explain-correlation.ts';
import { type ExplainedModel, entriesOf, type Sample } from './explain-model.ts';
import { integrateGradients, type PathAttribution, type PathOptions } from './explain-path.ts';
import { cellsOf } from './explain-sums.ts';

/** Likeness of the attributions at one level of randomisation: means over windows and draws. */
export interface SanityLevel {
  /** What was drawn anew, e.g. `head and layers from 3`. */
  readonly name: string;
  /** Rank correlation over patches, signed; null where it is not defined. */
  readonly cells: number | null;
  readonly magnitudes: number | null;
  /** Of the magnitudes of single samples. */
  readonly samples: number | null;
}

export interface SanityOptions extends Pick<PathOptions, 'baseline'> {
  /** Randomised models at every level. */
  readonly draws?: number;
  readonly seed?: number;
  /** Attributions done, of levels × draws × windows. */
  readonly onProgress?: (done: number) => void;
}

/** The order of ranks needs no more. */
const tolerance = 0.05;

interface Level {
  readonly name: string;
  readonly isRandom: (parameter: string) => boolean;
}

/** From the head alone to the whole model, at most six levels. */
export function sanityLevels(config: ModelConfig): Level[] {
  const depths = modalitiesOf(config).map((modality) => config.signals[modality]!.encoder.layers);
  const deepest = maxOf(depths);
  const firstLayers = [
    ...new Set([deepest - 1, Math.floor((2 * deepest) / 3), Math.floor(deepest / 3), 0]),
  ].sort((a, b) => b - a);
  // Encoders of other depths take the same share of their layers.
  const isLayerFrom = (name: string, first: number) => {
    const [, modality, layer] = /^(eeg|ecg)\.encoder\.layers\.(\d+)\./.exec(name) ?? [];
    if (modality === undefined) return false;
    return Number(layer) >= Math.round((first * config.signals[modality as 'eeg']!.encoder.layers) / deepest);
  };
  const isEmbedding = (name: string) => /^(eeg|ecg)\.patch_embedding\./.test(name);
  const isHead = (name: string) => !/^(eeg|ecg)\.(patch_embedding|encoder\.layers)\./.test(name);
  return [
    { name: 'head', isRandom: isHead },
    ...firstLayers.map((first) => ({
      name: first === 0 ? 'head and all layers' : `head and layers from ${first + 1} on`,
      isRandom: (name: string) => isHead(name) || isLayerFrom(name, first),
    })),
    {
      name: 'everything',
      isRandom: (name: string) => isHead(name) || isLayerFrom(name, 0) || isEmbedding(name),
    },
  ];
}

/** Compare the attributions of these windows with those of ever more random models. */
export async function checkSanity(
  model: ExplainedModel,
  parameters: FloatTensors,
  windows: readonly { readonly sample: Sample; readonly attribution: PathAttribution }[],
  { draws = 2, seed = 0, onProgress, ...path }: SanityOptions = {},
): Promise<SanityLevel[]> {
  const levels = sanityLevels(model.config);
  let done = 0;
  const result: SanityLevel[] = [];
  const specs = modelParameters(model.config);
  const drawn = Array.from({ length: draws }, (_, draw) =>
    initialParameters(specs, Random.derive(seed, 'explain', draw)),
  );
  for (const { name, isRandom } of levels) {
    const found: { cells: number; magnitudes: number; samples: number }[] = [];
    for (const fresh of drawn) {
      const mixed = new Map(
        [...parameters].map(([key, value]) => [key, isRandom(key) ? fresh.get(key)! : value]),
      );
      for (const { sample, attribution } of windows) {
        const random = await integrateGradients(model, mixed, sample, { ...path, tolerance });
        found.push(compare(attribution, random));
        onProgress?.(++done);
      }
    }
    result.push({
      name,
      cells: known(found.map(({ cells }) => cells)),
      magnitudes: known(found.map(({ magnitudes }) => magnitudes)),
      samples: known(found.map(({ samples }) => samples)),
    });
  }
  return result;
}

function compare(a: PathAttribution, b: PathAttribution) {
  const [x, y] = [allCells(a), allCells(b)];
  return {
    cells: rankCorrelation(x, y),
    magnitudes: rankCorrelation(x.map(Math.abs), y.map(Math.abs)),
    samples: rankCorrelation(magnitudesOf(a), magnitudesOf(b)),
  };
}

function allCells(attribution: PathAttribution): Float64Array {
  return Float64Array.from(entriesOf(cellsOf(attribution)).flatMap(([, cells]) => Array.from(cells)));
}

function magnitudesOf({ difference, gradient }: PathAttribution): Float64Array {
  const parts = entriesOf(gradient).map(([modality, g]) =>
    g.map((value, i) => Math.abs(value * difference[modality]![i]!)),
  );
  return joinArrays(Float64Array, parts);
}

function known(values: readonly number[]): number | null {
  const mean = meanOfKnown(values);
  return Number.isNaN(mean) ? null : mean;
}
