/** Training recipes as validated plain data: what every run has, and what pre-training and fine-tuning add. */

import { z } from 'zod';
import { minOf } from '../core/arrays.ts';
import { parseConfig } from '../core/config.ts';
import { ConfigError } from '../core/errors.ts';
import { assertKindsFit, encoderConfigSchema, fusionSchema, headConfigSchema } from '../model/config.ts';
import { loraParts } from '../model/lora.ts';
import { type MaskRecipe, maskRecipeSchema } from '../patches/mask.ts';
import { parseRecipe, recipeSchema } from '../patches/recipe.ts';

const count = z.number().int().min(1);
const rate = z.number().positive().max(1);

/** Settings of the one loop. */
export const optimizationSchema = z.strictObject({
  epochs: count.max(100_000),
  /** Windows in an update, over all accumulated parts. */
  batch: count.max(65_536),
  /** Parts that a batch is computed in; auto: as many as the engine's caches ask for. The result is the same. */
  accumulate: z.union([count.max(1024), z.literal('auto')]).default('auto'),
  /** Where the cosine ends. */
  minimumLearningRate: z.number().min(0).max(1),
  /** Updates of linear rise. */
  warmupSteps: z.number().int().min(0).default(0),
  weightDecay: z.number().min(0).max(1).default(0.05),
  /** CBraMod decays every parameter; `matrices` spares biases and norms. */
  decayOn: z.enum(['all', 'matrices']).default('all'),
  clipNorm: z.number().positive().default(1),
  /**
   * What products of matrices are computed in; parameters and moments are float32 in any case. float16 is for GPUs
   * (docs/gpu.md): an update whose gradients overflow is computed again by a smaller scale of the loss.
   */
  precision: z.enum(['float32', 'float16']).default('float32'),
  /** Validate after every so many epochs, and after the last. */
  validateEvery: count.default(1),
  /** Validations without a better score before the run stops; null for never. */
  patience: count.nullable().default(null),
  /** Seconds between checkpoints within an epoch. */
  checkpointSeconds: z.number().min(0).default(60),
});
export type Optimization = z.infer<typeof optimizationSchema>;

const common = {
  version: z.literal(1),
  seed: z.number().int().min(0).max(0xffffffff).default(0),
  /** How recordings become windows; the dataset's own recipe where absent. */
  prepare: recipeSchema.optional(),
  optimization: optimizationSchema,
};

const pretrainKeys = z.strictObject({
  ...common,
  task: z.literal('pretrain'),
  modality: z.enum(['eeg', 'ecg']),
  encoder: encoderConfigSchema,
  /** dual for ECG and random for EEG where no mixture is given. */
  mask: maskRecipeSchema.extend({ mixture: maskRecipeSchema.shape.mixture.unwrap().optional() }).prefault({}),
  /** Numbers of channels to train on, one drawn for every batch; empty for all channels always. */
  leadSubsets: z.array(count).default([]),
  /**
   * Lengths in patches to train on, one drawn for every batch; a shorter one begins at any sample of its window, so that
   * patches never fall the same way twice. Empty for whole windows always.
   */
  cropPatches: z.array(count).default([]),
  learningRate: rate.default(5e-4),
  /**
   * How the reconstruction layer begins. `zeros`: it predicts nothing, which is where learning starts anyway. `official`:
   * as CBraMod's code draws it, which short runs never make up (docs/results.md).
   */
  outputInitial: z.enum(['zeros', 'official']).default('zeros'),
  /** Share of the subjects that validate. */
  validationShare: z.number().gt(0).lt(1).default(0.1),
  /** At most so many windows validate, spread over those subjects. */
  validationWindows: count.default(256),
});
const defaultMixtures = { ecg: { dual: 1 }, eeg: { random: 1 } } as const;

export const pretrainRecipeSchema = pretrainKeys.transform(({ mask, ...recipe }) => ({
  ...recipe,
  mask: { ...mask, mixture: mask.mixture ?? defaultMixtures[recipe.modality] } as MaskRecipe,
}));
export type PretrainRecipe = z.infer<typeof pretrainRecipeSchema>;

const loraSchema = z.strictObject({
  rank: count.max(100),
  /** The product of the factors is scaled by alpha / rank. */
  alpha: z.number().positive().max(1024),
  /** Which matrices of every layer. */
  on: z
    .array(z.enum(loraParts))
    .min(1)
    .default([...loraParts]),
});

export const finetuneRecipeSchema = z.strictObject({
  ...common,
  task: z.literal('finetune'),
  encoders: z.strictObject({ eeg: encoderConfigSchema.optional(), ecg: encoderConfigSchema.optional() }),
  head: headConfigSchema.omit({ classes: true, output: true }),
  /** How two modalities become one decision; without meaning for one. */
  fusion: fusionSchema.default('concatenate'),
  /**
   * Chance that one of the two modalities of a training window is replaced by its learned null, never both: the model then
   * serves each alone as well. 0: it needs both.
   */
  modalityDropout: z.number().min(0).max(1).default(0),
  /**
   * frozen: only the head (and the fusion) learns, on embeddings computed once. lastLayers: the head and that many layers.
   * lora: the head and low-rank additions to the layers' matrices, merged at the end.
   */
  tune: z
    .union([
      z.enum(['frozen', 'all']),
      z.strictObject({ lastLayers: count }),
      z.strictObject({ lora: loraSchema }),
    ])
    .default('all'),
  learningRates: z.strictObject({ backbone: rate.default(1e-4), head: rate.default(5e-4) }).prefault({}),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  /** balanced: every class weighs the same, whatever its share of the windows. */
  classWeights: z.enum(['none', 'balanced']).default('none'),
  /**
   * What the best epoch is chosen by, on the validation windows. Of several labels auroc is the mean of theirs; of a number
   * it is always the loss.
   */
  score: z.enum(['balancedAccuracy', 'auroc', 'loss']).default('auroc'),
});
export type FinetuneRecipe = z.infer<typeof finetuneRecipeSchema>;

/** Validate plain data as a recipe of pre-training; ConfigError names the wrong key. */
export function parsePretrainRecipe(value: unknown, where = 'pretrain'): PretrainRecipe {
  const recipe = parseConfig(pretrainRecipeSchema, value, where);
  checkPreparation(recipe.prepare, [recipe.modality], where);
  checkOptimization(recipe.optimization, where);
  const weights = Object.values(recipe.mask.mixture);
  if (!weights.some((weight) => weight > 0))
    throw new ConfigError(`${where}.mask.mixture: no kind has a weight. Give one.`, `${where}.mask.mixture`);
  return recipe;
}

/** Validate plain data as a recipe of fine-tuning; ConfigError names the wrong key. */
export function parseFinetuneRecipe(value: unknown, where = 'finetune'): FinetuneRecipe {
  const recipe = parseConfig(finetuneRecipeSchema, value, where);
  const modalities = (['eeg', 'ecg'] as const).filter((modality) => recipe.encoders[modality]);
  if (modalities.length === 0)
    throw new ConfigError(
      `${where}.encoders: neither eeg nor ecg is there. Give one or both.`,
      `${where}.encoders`,
    );
  checkPreparation(recipe.prepare, modalities, where);
  checkOptimization(recipe.optimization, where);
  const { tune } = recipe;
  const depth = minOf(modalities.map((modality) => recipe.encoders[modality]!.layers));
  const { head, fusion, modalityDropout } = recipe;
  if (modalities.length === 2) assertKindsFit({ head, fusion, nullEmbeddings: modalityDropout > 0 }, where);
  else assertKindsFit({ head, fusion: 'concatenate', nullEmbeddings: false }, where);
  if (typeof tune === 'object' && 'lastLayers' in tune && tune.lastLayers > depth) {
    throw new ConfigError(
      `${where}.tune.lastLayers: ${tune.lastLayers} of ${depth} layers. Give at most ${depth}.`,
      `${where}.tune.lastLayers`,
      `1 … ${depth}`,
    );
  }
  return recipe;
}

function checkPreparation(prepare: unknown, modalities: readonly ('eeg' | 'ecg')[], where: string): void {
  if (prepare === undefined) return;
  const recipe = parseRecipe(prepare, `${where}.prepare`);
  const absent = modalities.find((modality) => !recipe.signals[modality]);
  if (absent) {
    throw new ConfigError(
      `${where}.prepare.signals: ${absent} is to be trained and not prepared. Add it.`,
      `${where}.prepare.signals`,
      absent,
    );
  }
}

function checkOptimization({ batch, accumulate }: Optimization, where: string): void {
  if (accumulate === 'auto' || batch % accumulate === 0) return;
  throw new ConfigError(
    `${where}.optimization.accumulate: ${accumulate} does not divide the batch of ${batch}.`,
    `${where}.optimization.accumulate`,
    `a divisor of ${batch}`,
  );
}
