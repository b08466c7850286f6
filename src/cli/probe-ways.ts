/** The two ways in which `heartmind probe` asks an encoder: frozen under a linear probe, or tuned with the labels. */
import type { Targets } from '../datasets/targets.ts';
import { type FinetuneScore, scoreFinetuned } from '../evaluate/finetune-score.ts';
import { type ProbeResult, runProbe } from '../evaluate/probe.ts';
import { type ProbedEncoder, type ProbeFeatureOptions, probeFeatures } from '../evaluate/probe-features.ts';
import type { WindowFold } from '../evaluate/protocol.ts';
import type { Modality, SignalWindows, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import type { Progress } from '../train/progress.ts';
import type { FinetuneRecipe } from '../train/recipe.ts';
import { keepIn } from './run-folder.ts';

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
  readonly signal: AbortSignal;
}

/** Embed once, then fit a linear probe to every question. */
export async function prober(
  encoder: ProbedEncoder,
  options: Common & Pick<ProbeFeatureOptions, 'pool'> & { readonly layers?: readonly number[] | undefined },
): Promise<(asked: Asked) => ProbeResult> {
  const { windows, modality, taken, backend, progress, signal, pool, layers } = options;
  const stage = progress.stage(`embed with ${encoder.name}`, windows.count, 'windows');
  const features = await probeFeatures(
    encoder,
    { signals: { [modality]: taken } },
    {
      ...{ backend, modality, pool, signal },
      ...(layers !== undefined && { layers }),
      onProgress: (done) => stage.update(done),
    },
  );
  stage.end();
  return (asked) => runProbe({ ...asked, features, subject: windows.subject });
}

/** Tune for every question; with `out`, trainings are kept beside it and a stopped one goes on. */
export async function tuner(
  { name, tensors, untrained }: ProbedEncoder & { readonly untrained?: true },
  options: Common & { readonly recipe: FinetuneRecipe; readonly out: string | undefined },
): Promise<(asked: Asked) => Promise<FinetuneScore>> {
  const { windows, modality, taken, backend, progress, signal, recipe, out } = options;
  return ({ targets, folds, labelShare, seed }) => {
    const training = [name, targets.name, taken.channels.length, labelShare, seed].join('-');
    return scoreFinetuned({
      ...{ backend, folds, labelShare, signal },
      windows: { ...windows, signals: { [modality]: taken } },
      recipe: { ...recipe, seed },
      // One class of several is so many labels of which one is true.
      targets: targets.kind === 'class' ? { ...targets, kind: 'multilabel' } : targets,
      encoders: untrained ? {} : { [modality]: tensors },
      progress: (total) => progress.stage(`tune ${name}`, total),
      ...(out !== undefined && {
        keep: (fold: string) => keepIn(out.replace(/\.json$/, '-runs'))(`${training}-${fold}`),
      }),
    });
  };
}
