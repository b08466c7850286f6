/**
 * A benchmark as one recipe: which part of which trials, what is predicted, from what, under which protocols, by how many
 * seeds. Validated plain data, printed in the result.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { ConfigError } from '../core/errors.ts';
import { encoderConfigSchema } from '../model/config.ts';
import { recipeSchema } from '../patches/recipe.ts';
import { finetuneRecipeSchema, optimizationSchema } from '../train/recipe.ts';
import { probePools } from './probe-features.ts';
import { protocolSchema } from './protocol.ts';

const count = z.number().int().min(1);

/** A head on the embeddings of frozen encoders, which are computed once. */
export const headRecipeSchema = z.strictObject({
  /**
   * linear finds what each feature tells by itself; mlp also what features tell together. logistic: linear too, fitted to
   * the end under a penalty on the weights that the validation windows choose; for more features than windows.
   */
  kind: z.enum(['linear', 'mlp', 'logistic']).default('mlp'),
  /** Of logistic: inverse strengths of the penalty to choose from, ascending. */
  strengths: z.array(z.number().positive()).min(1).default([1e-4, 1e-3, 1e-2]),
  hidden: count.max(4096).default(64),
  dropout: z.number().min(0).lt(1).default(0.1),
  learningRate: z.number().positive().max(1).default(1e-3),
  /** What the best epoch is chosen by, on the validation windows. */
  score: z.enum(['balancedAccuracy', 'auroc', 'loss']).default('auroc'),
  optimization: optimizationSchema,
});
export type HeadRecipe = z.infer<typeof headRecipeSchema>;

/**
 * eeg×ecg: a linear head on products of both modalities' embeddings (reproduce-products.ts). eeg+ecg-late: a head of each,
 * the mean of their logits. …ecg-rate: of ECG only the heart rate that its embedding tells (reproduce-rate.ts). …+classical: a
 * head of each embedding and of each kind of classical features (band powers, heart rate and variability): hybrid. Heads of
 * these two are joined at equal spread: what each sees differs in size by thousands.
 */
const modelNames = [
  ...['eeg', 'ecg', 'eeg+ecg', 'eeg+ecg-late', 'eeg×ecg'],
  ...['ecg-rate', 'eeg+ecg-rate'],
  ...['eeg+classical', 'ecg+classical', 'eeg+ecg+classical'],
] as const;

export const reproduceRecipeSchema = z.strictObject({
  version: z.literal(1),
  task: z.literal('reproduce'),
  benchmark: z.enum(['dreamer', 'amigos', 'eegmat']),
  /** How recordings become windows; the dataset's own recipe where absent. */
  prepare: recipeSchema.optional(),
  targets: z.array(z.string().min(1)).min(1),
  /** Ratings above this are high; the dataset's own threshold where absent. */
  threshold: z.number().optional(),
  /** Only the last seconds of every trial; null for all of it. */
  lastSeconds: z.number().positive().nullable().default(null),
  /**
   * What the neutral stretch before a trial is used for. features: the mean of its windows' features is subtracted from
   * each of the trial's (of embeddings, band powers and heart rates). scale: signals are divided by its standard
   * deviation, channel by channel. none: nothing.
   */
  baseline: z.enum(['none', 'features', 'scale']).default('none'),
  protocols: z.array(protocolSchema).min(1),
  models: z.array(z.enum(modelNames)).min(1).default(['eeg', 'ecg', 'eeg+ecg', 'eeg×ecg']),
  /** Of embeddings: the mean of all tokens [D], or of each channel's, side by side [C·D]. */
  pool: z
    .strictObject({ eeg: z.enum(probePools).default('mean'), ecg: z.enum(probePools).default('mean') })
    .prefault({}),
  /** per-subject: every row again with features standardised within each person, label-free but transductive. */
  standardise: z
    .array(z.enum(['none', 'per-subject']))
    .min(1)
    .default(['none']),
  /** Of the table: the first is what the terminal sorts nothing by. */
  scores: z
    .array(z.enum(['balancedAccuracy', 'f1', 'f1Macro', 'auroc', 'auprc']))
    .min(1)
    .default(['balancedAccuracy', 'f1Macro', 'auroc']),
  seeds: z.array(z.number().int().min(0).max(0xffffffff)).min(1).max(100),
  /** Of encoders that no weights are given for: they start from scratch, which is said. */
  encoders: z
    .strictObject({ eeg: encoderConfigSchema.optional(), ecg: encoderConfigSchema.optional() })
    .prefault({ eeg: { layers: 2 }, ecg: { layers: 2 } }),
  /**
   * Released weights, where no flag names others; heartmind's own encoder of the modality where absent. Of several each fold
   * is given one that has not seen the people it tests.
   */
  weights: z
    .strictObject({ eeg: z.array(z.string()).min(1).optional(), ecg: z.array(z.string()).min(1).optional() })
    .default({}),
  head: headRecipeSchema,
  /** `--tune`: encoders learn too, by a recipe of fine-tuning whose encoders and preparation are this one's. */
  tuned: finetuneRecipeSchema.omit({ encoders: true, prepare: true }),
});
export type ReproduceRecipe = z.infer<typeof reproduceRecipeSchema>;

/** Validate plain data as a benchmark's recipe; ConfigError names the wrong key. */
export function parseReproduceRecipe(value: unknown, where = 'reproduce'): ReproduceRecipe {
  const recipe = parseConfig(reproduceRecipeSchema, value, where);
  for (const key of ['targets', 'seeds', 'scores', 'models'] as const) {
    const double = recipe[key].find((one, i) => recipe[key].indexOf(one as never) !== i);
    if (double !== undefined)
      throw new ConfigError(`${where}.${key}: ${double} stands twice. Remove one.`, `${where}.${key}`);
  }
  const kinds = recipe.protocols.map(({ kind }) => kind);
  const twice = kinds.find((kind, i) => kinds.indexOf(kind) !== i);
  if (twice)
    throw new ConfigError(`${where}.protocols: ${twice} stands twice. Remove one.`, `${where}.protocols`);
  return recipe;
}
