/**
 * A study as one recipe: pre-train an encoder of each modality or begin with released ones, fine-tune each alone and both
 * together, compare with the baselines → a result. The demo and the full benchmark are such recipes.
 */

import { z } from 'zod';
import { appendAll } from '../core/arrays.ts';
import { parseConfig } from '../core/config.ts';
import { ConfigError } from '../core/errors.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import type { TrainedModel } from '../model/model-file.ts';
import type { FloatTensors } from '../model/parameters.ts';
import { selectWindows } from '../patches/window-set.ts';
import type { Dropped, Modality, WindowSet } from '../patches/windows.ts';
import type { Backend } from '../runtime/backend.ts';
import { noteDivergence } from '../train/divergence.ts';
import type { TrainingOptions } from '../train/loop.ts';
import { type PretrainResult, pretrain } from '../train/pretrain.ts';
import type { Progress } from '../train/progress.ts';
import type { Ranks } from '../train/ranks.ts';
import {
  type FinetuneRecipe,
  finetuneRecipeSchema,
  type PretrainRecipe,
  parseFinetuneRecipe,
  parsePretrainRecipe,
  pretrainRecipeSchema,
} from '../train/recipe.ts';
import { describeData, describePretraining } from './describe.ts';
import { checkDuplicates } from './duplicates.ts';
import { runExperiment } from './experiment.ts';
import { noteMissingClasses } from './fold-classes.ts';
import { type CandidateOptions, candidatesOf, checkRungs, ladderSchema } from './ladder.ts';
import { describeProtocol, type Protocol, planFolds, protocolSchema } from './protocol.ts';
import { noteContexts } from './reach-notes.ts';
import type { Curve, Reconstruction, Result } from './result.ts';
import { describeWeights, noteSeenSubjects, type Origins, type StartingWeights } from './starting-weights.ts';
import { summarisePredictions } from './summary.ts';

export const studyRecipeSchema = z.strictObject({
  version: z.literal(1),
  task: z.literal('study'),
  name: z.string().min(1),
  pretrain: z
    .strictObject({ eeg: pretrainRecipeSchema.optional(), ecg: pretrainRecipeSchema.optional() })
    .default({}),
  /** Released weights by name, that encoders begin from instead of being pre-trained. */
  encoders: z.strictObject({ eeg: z.string().optional(), ecg: z.string().optional() }).default({}),
  /** Of both modalities; each alone is the same without the other encoder. */
  finetune: finetuneRecipeSchema,
  /** Variants of it to compare. */
  ladder: ladderSchema.optional(),
  /** Test models of both modalities also without each. */
  testMissing: z.boolean().default(false),
  protocol: protocolSchema,
  seeds: z.array(z.number().int().min(0).max(0xffffffff)).min(1).max(100),
});
export type StudyRecipe = z.infer<typeof studyRecipeSchema>;

/** Validate plain data as a study; ConfigError names the wrong key. */
export function parseStudyRecipe(value: unknown, where = 'study'): StudyRecipe {
  const recipe = parseConfig(studyRecipeSchema, value, where);
  for (const modality of ['eeg', 'ecg'] as const) {
    const one = recipe.pretrain[modality];
    if (recipe.encoders[modality] !== undefined && (one || !recipe.finetune.encoders[modality]))
      throw new ConfigError(
        `${where}.encoders.${modality}: ${recipe.encoders[modality]} is named, and the encoder is ${one ? 'pre-trained too' : 'not fine-tuned'}. Leave one out.`,
        `${where}.encoders.${modality}`,
      );
    if (!one) continue;
    parsePretrainRecipe(one, `${where}.pretrain.${modality}`);
    const [before, after] = [one.encoder.layers, recipe.finetune.encoders[modality]?.layers];
    if (one.modality === modality && (after === undefined || before === after)) continue;
    throw new ConfigError(
      `${where}.pretrain.${modality}: it trains ${before} layers of ${one.modality}, fine-tuning takes ${after} of ${modality}. Make them agree.`,
      `${where}.pretrain.${modality}`,
    );
  }
  parseFinetuneRecipe(recipe.finetune, `${where}.finetune`);
  if (recipe.ladder) checkRungs(recipe.finetune, recipe.ladder, `${where}.ladder`);
  return recipe;
}

export interface EvaluationOptions {
  readonly backend: Backend;
  readonly dataset: DatasetSpec;
  readonly target: string;
  /** Labelled. */
  readonly windows: WindowSet;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** Pre-training shares every batch; the trainings of an evaluation are dealt. */
  readonly ranks?: Ranks | undefined;
  /** Where a training (by name) keeps its checkpoint and figures. */
  readonly keep?: (training: string) => Pick<TrainingOptions, 'store' | 'log'>;
  /** The finished model of the first fold and seed. */
  readonly onModel?: (name: string, model: TrainedModel) => Promise<void>;
  /** Equal windows under several subjects are a note, not an error. */
  readonly allowDuplicates?: boolean | undefined;
  /** heartmind's version, commit, node, processor: printed. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface StudyOptions extends EvaluationOptions {
  readonly recipe: StudyRecipe;
  /**
   * Windows to pre-train on, by modality. Where they are the evaluated dataset's own (`windows` absent), only the
   * training subjects of the first fold are taken.
   */
  readonly pretraining: {
    readonly [M in Modality]?: { readonly dataset: string; readonly windows?: WindowSet };
  };
  /** The weights that the recipe names, read, and what is known of them. */
  readonly released?: Pick<RunEvaluationOptions, 'encoders' | 'provenance' | 'weights'>;
  readonly onEncoder?: (modality: Modality, result: PretrainResult) => Promise<void>;
}

/** Run a study. Errors of pre-training and fine-tuning. */
export async function runStudy(options: StudyOptions): Promise<Result> {
  const { recipe, windows, dataset } = options;
  const seconds: Record<string, number> = {};
  const encoders: { [M in Modality]?: FloatTensors } = { ...options.released?.encoders };
  const curves: Curve[] = [];
  const reconstructions: Reconstruction[] = [];
  const provenance: { [M in Modality]?: Readonly<Record<string, string>> } = {
    ...options.released?.provenance,
  };
  const dropped: Dropped[] = [];
  const [fold] = planFolds(recipe.protocol, windows, dataset, recipe.seeds[0]!);
  for (const modality of ['ecg', 'eeg'] as const) {
    const pretraining = recipe.pretrain[modality];
    const source = options.pretraining[modality];
    if (!pretraining || !source) continue;
    const begun = performance.now();
    const result = await runPretraining(options, pretraining, {
      dataset: source.dataset,
      windows: source.windows ?? selectWindows(windows, fold!.train),
    });
    seconds[`pre-train ${modality}`] = (performance.now() - begun) / 1000;
    encoders[modality] = result.tensors;
    const described = describePretraining(modality, result);
    appendAll(curves, described.curves);
    appendAll(reconstructions, described.reconstructions);
    if (source.windows)
      appendAll(
        dropped,
        source.windows.dropped.map((entry) => ({
          ...entry,
          what: `${entry.what} (pre-train ${modality})`,
        })),
      );
    provenance[modality] = result.provenance;
    await options.onEncoder?.(modality, result);
  }
  const evaluated = await runEvaluation({
    ...{ ...options, ...recipe, encoders, provenance },
    ...(options.released?.weights && { weights: options.released.weights }),
  });
  return {
    ...evaluated,
    curves: [...curves, ...evaluated.curves],
    notes: [...noteDivergence(curves), ...evaluated.notes],
    reconstructions,
    data: {
      ...evaluated.data,
      dropped: [...evaluated.data.dropped, ...dropped],
    },
    recipes: { ...evaluated.recipes, study: recipe },
    seconds: { ...seconds, ...evaluated.seconds },
  };
}

export interface RunEvaluationOptions extends EvaluationOptions, CandidateOptions {
  readonly name: string;
  readonly finetune: FinetuneRecipe;
  readonly protocol: Protocol;
  readonly seeds: readonly number[];
  /** Test models of both modalities also without each. */
  readonly testMissing?: boolean;
  readonly encoders: { readonly [M in Modality]?: FloatTensors };
  /** What the encoders' files say of their origin. */
  readonly provenance?: Origins;
  /** The files themselves. */
  readonly weights?: { readonly [M in Modality]?: StartingWeights };
}

/** Fine-tune each modality alone and both together, by every rung of a ladder, baselines beside them → a result. */
export async function runEvaluation(options: RunEvaluationOptions): Promise<Result> {
  const { backend, dataset, windows, protocol, finetune, provenance = {} } = options;
  const begun = performance.now();
  const duplicates = checkDuplicates('evaluate', windows, dataset, options.allowDuplicates);
  const experiment = await runExperiment({
    ...options,
    candidates: candidatesOf(finetune, options.encoders, options),
  });
  const trial = Array.from(experiment.tested, (index) => windows.trial[index]!);
  options.progress.log('scores and intervals');
  const summary = summarisePredictions(experiment.predictions, trial, windows.classes.length);
  return {
    ...describeData({
      ...options,
      protocol: describeProtocol(protocol, dataset),
      versions: { ...options.versions, engine: backend.description },
    }),
    folds: experiment.folds.map(({ name, train, validation, test, subjects }) => ({
      name,
      train: [...subjects.train],
      validation: [...subjects.validation],
      test: [...subjects.test],
      windows: { train: train.length, validation: validation.length, test: test.length },
    })),
    ...summary,
    curves: [...experiment.curves],
    reconstructions: [],
    ...describeWeights(options.weights ?? {}, provenance),
    notes: [
      ...noteDivergence(experiment.curves, windows.classes.length),
      ...duplicates,
      ...noteMissingClasses(experiment.folds, windows.label!, windows.classes),
      ...noteSeenSubjects(
        { dataset: dataset.name, windows, folds: experiment.folds },
        provenance,
        options.weights,
      ),
      ...noteContexts(windows.recipe),
    ],
    recipes: {
      ...{ prepare: windows.recipe, finetune },
      ...(options.ladder && { ladder: options.ladder }),
    },
    seconds: { evaluate: (performance.now() - begun) / 1000 },
  };
}

function runPretraining(
  options: StudyOptions,
  recipe: PretrainRecipe,
  source: { readonly dataset: string; readonly windows: WindowSet },
): Promise<PretrainResult> {
  return pretrain({
    ...options.keep?.(`pretrain-${recipe.modality}`),
    ...source,
    backend: options.backend,
    recipe,
    ranks: options.ranks,
    progress: (total) => options.progress.stage(`pre-train ${recipe.modality}`, total),
    ...(options.signal && { signal: options.signal }),
  });
}
