/** The two ways in which encoders are asked for labels: frozen under a linear probe, or tuned with the labels. */
import { float32 } from '../core/tensor.ts';
import type { Targets } from '../datasets/targets.ts';
import { decodeSafetensors, encodeSafetensors, hashTensors } from '../model/safetensors.ts';
import type { Modality, SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { TrainingOptions } from '../train/loop.ts';
import type { Progress } from '../train/progress.ts';
import type { FinetuneRecipe } from '../train/recipe.ts';
import { type FinetuneScore, scoreFinetuned } from './finetune-score.ts';
import { identityOf, type KeptFiles } from './kept-files.ts';
import { type ProbeOptions, type ProbeResult, runProbe } from './probe.ts';
import {
  type KeptRows,
  type ProbedEncoder,
  type ProbeFeatureOptions,
  probeFeatures,
} from './probe-features.ts';
import type { WindowFold } from './protocol.ts';

export interface Asked {
  readonly targets: Targets;
  readonly folds: readonly WindowFold[];
  readonly labelShare: number;
  readonly seed: number;
}

interface Common {
  readonly windows: WindowSet;
  readonly modality: Modality;
  /** The channels that are wanted. */
  readonly taken: SignalWindows;
  readonly backend: Backend;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
  /** Resamples of the intervals. */
  readonly samples?: number;
}

export interface ProberOptions
  extends Common,
    Pick<ProbeFeatureOptions, 'pool'>,
    Pick<ProbeOptions, 'strengths'> {
  readonly layers?: readonly number[] | undefined;
  readonly crops?: number;
  /** Embeddings are kept here. */
  readonly kept?: KeptFiles | undefined;
}

/** Embed once, then fit a linear probe to every question. */
export async function prober(
  encoder: ProbedEncoder,
  options: ProberOptions,
): Promise<(asked: Asked) => ProbeResult> {
  const { windows, modality, taken, backend, progress, signal, pool, layers, strengths, samples } = options;
  const { kept, crops = 1 } = options;
  const stage = progress.stage(`embed with ${encoder.name}`, windows.count, 'windows');
  const features = await probeFeatures(
    encoder,
    { signals: { [modality]: taken } },
    {
      ...{ backend, modality, pool, crops },
      ...(signal && { signal }),
      ...(layers !== undefined && { layers }),
      ...(kept && { kept: await keptRows(kept, encoder, options) }),
      onProgress: (done) => stage.update(done),
    },
  );
  stage.end();
  const fitting = { ...(strengths && { strengths }), ...(samples !== undefined && { samples }) };
  return (asked) => runProbe({ ...asked, ...fitting, features, subject: windows.subject });
}

/** Embeddings of these windows by this encoder, as files. */
async function keptRows(
  kept: KeptFiles,
  { name, tensors }: ProbedEncoder,
  { windows, taken, pool, layers, crops = 1 }: ProberOptions,
): Promise<KeptRows> {
  const weights = hashTensors(tensors);
  const identity = await identityOf([windows.hash, taken.channels, pool, layers ?? null, crops, weights]);
  const place = (start: number) => `features/${name}-${identity.slice(0, 16)}-${start}.safetensors`;
  return {
    async load(start) {
      const found = await kept.load(place(start));
      if (!found) return undefined;
      return decodeSafetensors(found, place(start)).tensors.get('features')?.data as Float32Array | undefined;
    },
    save: (start, rows) =>
      kept.save(place(start), encodeSafetensors(new Map([['features', float32([rows.length], rows)]]))),
  };
}

export interface TunerOptions extends Common {
  /** Its seed is that of the question. */
  readonly recipe: FinetuneRecipe;
  /** Where a training of this name keeps its checkpoints and figures. */
  readonly keep?: ((training: string) => Pick<TrainingOptions, 'store' | 'log'>) | undefined;
}

/** Tune for every question; with `keep` a stopped training goes on. Without weights it begins from scratch. */
export function tuner(
  { name, tensors }: { readonly name: string; readonly tensors?: ProbedEncoder['tensors'] | undefined },
  options: TunerOptions,
): (asked: Asked) => Promise<FinetuneScore> {
  const { windows, modality, taken, backend, progress, signal, recipe, keep, samples } = options;
  return ({ targets, folds, labelShare, seed }) => {
    const training = trainingName(name, targets.name, taken, labelShare, seed);
    return scoreFinetuned({
      ...{ backend, folds, labelShare },
      windows: { ...windows, signals: { [modality]: taken } },
      recipe: { ...recipe, seed },
      // One class of several is so many labels of which one is true.
      targets: targets.kind === 'class' ? { ...targets, kind: 'multilabel' } : targets,
      encoders: tensors ? { [modality]: tensors } : {},
      progress: (total) => progress.stage(`tune ${training}`, total),
      ...(signal && { signal }),
      ...(samples !== undefined && { samples }),
      ...(keep && { keep: (fold: string) => keep(`${training}-${fold}`) }),
    });
  };
}

/** The beginning of a training's name. */
export function trainingName(
  encoder: string,
  target: string,
  taken: SignalWindows,
  labelShare: number,
  seed: number,
): string {
  return [encoder, target, taken.channels.length, labelShare, seed].join('-');
}
