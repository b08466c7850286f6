/** What a result says besides scores: its data and origin, curves, pictures of reconstructions. */
import type { DatasetSpec } from '../datasets/dataset.ts';
import { visible } from '../patches/mask.ts';
import type { WindowIndex } from '../patches/window-reader.ts';
import type { Modality } from '../patches/windows.ts';
import { noteDivergence } from '../train/divergence.ts';
import type { PretrainResult } from '../train/pretrain.ts';
import type { ReconstructionExample } from '../train/reconstruction.ts';
import { type Curve, finite, type Reconstruction, type Result } from './result.ts';

/** The result of pre-training alone, or of training without a test: curves and pictures, no scores. */
export function describeTraining(options: {
  readonly name: string;
  readonly dataset: DatasetSpec;
  readonly windows: WindowIndex;
  readonly target?: string;
  readonly protocol: string;
  readonly seed: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly curves: readonly Curve[];
  readonly reconstructions?: readonly Reconstruction[];
  readonly notes?: readonly string[];
  readonly recipe: unknown;
  readonly seconds: number;
}): Result {
  const { name, dataset, windows, target, protocol, seed, versions, curves, recipe, seconds } = options;
  return {
    ...describeData({ name, dataset, target: target ?? '', windows, versions, protocol, seeds: [seed] }),
    folds: [],
    models: {},
    trials: {},
    details: {},
    curves: [...curves],
    reconstructions: [...(options.reconstructions ?? [])],
    notes: [...noteDivergence(curves, windows.classes.length), ...(options.notes ?? [])],
    recipes: { prepare: windows.recipe, training: recipe },
    seconds: { training: seconds },
  };
}

/** Curve and pictures of a pre-training, for a result. */
export function describePretraining(modality: Modality, result: PretrainResult) {
  return { curves: [curveOf(modality, result)], reconstructions: result.examples.map(thin) };
}

function curveOf(modality: Modality, { curves }: PretrainResult): Curve {
  return { name: `pre-train ${modality}`, rows: [...curves], bestEpoch: null };
}

/** What every result says of its data and origin. */
export function describeData({
  name,
  dataset,
  target,
  windows,
  versions,
  protocol,
  seeds,
}: {
  readonly name: string;
  readonly dataset: DatasetSpec;
  readonly target: string;
  readonly windows: WindowIndex;
  readonly versions: Readonly<Record<string, string>>;
  readonly protocol: string;
  readonly seeds: readonly number[];
}) {
  const counts = windows.classes.map((one, k) => [
    one,
    windows.label?.filter((label) => label === k).length ?? 0,
  ]);
  return {
    version: 1 as const,
    name,
    created: new Date().toISOString(),
    versions: { ...versions },
    dataset: {
      name: dataset.name,
      title: dataset.title,
      licence: dataset.licence,
      citation: dataset.citation,
      target,
      classes: [...windows.classes],
      hash: windows.hash,
    },
    protocol,
    seeds: [...seeds],
    windows: windows.count,
    data: {
      subjects: new Set(windows.subject).size,
      trials: new Set(windows.trial).size,
      classes: Object.fromEntries(counts),
      dropped: [...windows.dropped],
    },
  };
}

/** Every fifth sample, three digits: enough for a picture. */
const thinning = 5;

function thin(example: ReconstructionExample): Reconstruction {
  const { modality, kind, channels, patches, patchSamples, original, mask, reconstruction } = example;
  const length = patches * patchSamples;
  const rows = (values: Float32Array) =>
    channels.map((_, c) =>
      Array.from({ length: Math.floor(length / thinning) }, (_unused, i) =>
        Number(values[c * length + i * thinning]!.toPrecision(3)),
      ).map((x) => finite(x) ?? 0),
    );
  return {
    modality,
    kind,
    channels: [...channels],
    patches,
    patchSamples: patchSamples / thinning,
    original: rows(original),
    reconstruction: rows(reconstruction),
    mask: channels.map((_, c) =>
      Array.from({ length: patches }, (_unused, n) => Number(mask[c * patches + n]! ?? visible)),
    ),
  };
}
