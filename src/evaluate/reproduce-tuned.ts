/** The deep rows of a benchmark with encoders that learn too: one fine-tuning for every fold, resumable each. */
import { DataError } from '../core/errors.ts';
import type { Modality } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { finetune } from '../train/finetune.ts';
import type { TrainingOptions } from '../train/loop.ts';
import type { Progress } from '../train/progress.ts';
import { parseFinetuneRecipe } from '../train/recipe.ts';
import type { BenchmarkData, ChosenEncoders } from './reproduce-data.ts';
import { encodersOf, pickEncoder } from './reproduce-encoders.ts';
import type { BenchmarkModel } from './reproduce-models.ts';
import type { ReproduceRecipe } from './reproduce-recipe.ts';

/** Checkpoints of trainings by name; those whose names begin so are forgotten when their unit is done. */
export interface KeptTrainings {
  keep(training: string): Pick<TrainingOptions, 'store' | 'log'>;
  forget(beginning: string): Promise<void>;
}

export interface TunedOptions {
  readonly backend: Backend;
  readonly data: BenchmarkData;
  readonly recipe: ReproduceRecipe;
  readonly encoders: ChosenEncoders;
  readonly trainings?: KeptTrainings | undefined;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** One a modality and one of both, as the recipe names them. DataError where the data were read without their signals. */
export function tunedModels({
  backend,
  data,
  recipe,
  encoders,
  trainings,
  progress,
  signal,
}: TunedOptions): BenchmarkModel[] {
  const { windows } = data;
  if (!windows) throw new DataError('reproduce: signals are not in memory. Read them with keepSignals.');
  return recipe.models.flatMap((name): BenchmarkModel[] => {
    if (name === 'eeg×ecg') return []; // of frozen embeddings alone
    const modalities = name.split('+') as Modality[];
    if (modalities.some((modality) => !encoders[modality] || !windows.signals[modality])) return [];
    return [
      {
        ...{ name, kind: 'deep', seeded: true },
        async run({ labels, fold, seed, name: training }) {
          const tested = new Set(fold.test.map((i) => data.subject[i]!));
          const own = modalities.map((modality) => {
            const all = encodersOf(encoders, modality);
            return [modality, all[pickEncoder(all, tested)]!] as const;
          });
          const configs = Object.fromEntries(own.map(([modality, { config }]) => [modality, config]));
          const tensors = Object.fromEntries(own.map(([modality, one]) => [modality, one.tensors]));
          const tuned = parseFinetuneRecipe({ ...recipe.tuned, encoders: configs }, 'reproduce.tuned');
          const { testProbabilities } = await finetune({
            ...trainings?.keep(training),
            ...{ backend, encoders: tensors },
            // The labels are part of the data's name.
            windows: { ...windows, label: labels, classes: ['0', '1'], hash: data.hash },
            recipe: { ...tuned, seed },
            training: fold.train,
            validation: fold.validation,
            test: fold.test,
            progress: (total) => progress.stage(`fine-tune ${training}`, total),
            ...(signal && { signal }),
          });
          return Float64Array.from(fold.test, (_, i) => testProbabilities[2 * i + 1]!);
        },
      },
    ];
  });
}
