/**
 * A benchmark of several labels at once as one recipe: which leads, how embeddings are pooled, which penalties are tried, how
 * few labels, how encoders are tuned. Validated plain data, printed in the result.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { ConfigError } from '../core/errors.ts';
import { recipeSchema } from '../patches/recipe.ts';
import { type FinetuneRecipe, finetuneRecipeSchema, parseFinetuneRecipe } from '../train/recipe.ts';
import { probePools } from './probe-features.ts';

const count = z.number().int().min(1);
const seeds = z.array(z.number().int().min(0).max(0xffffffff)).min(1).max(100);
const shares = z.array(z.number().positive().max(1)).min(1);
const strengths = z.array(z.number().positive()).min(1);
/** Names of channels; `all` for every channel that the preparation gives. */
const leads = z.array(z.union([z.literal('all'), z.array(z.string().min(1)).min(1)])).min(1);

export const labelsRecipeSchema = z.strictObject({
  version: z.literal(1),
  task: z.literal('reproduce'),
  benchmark: z.enum(['ptbxl']),
  /** How recordings become windows; the dataset's own recipe where absent. */
  prepare: recipeSchema.optional(),
  /** Several labels at once, as the dataset names them. */
  target: z.string().min(1),
  /** Of the dataset: who trains, who chooses, who is tested. */
  split: z.string().min(1).default('published'),
  /** A block of the table each. */
  leads,
  /** Released weights, or a file: `--ecg` overrides. */
  encoder: z.string().min(1),
  /** How the frozen encoder is read. */
  probe: z.strictObject({
    /** After how many layers; of several side by side. */
    layers: z.array(count).min(1),
    pool: z.enum(probePools),
    /** Cuts of each window into patches, whose features are averaged. */
    crops: count.max(200).default(1),
    /** Inverse strengths of the penalty that the validation part chooses from, ascending. */
    strengths,
  }),
  /** Of the classical row. */
  classical: z.strictObject({ strengths }),
  /** Of the training people whose labels are used. */
  shares: shares.default([1]),
  /** Each draws the people of a share and the values that untrained encoders have. */
  seeds,
  /** `--tune`: trainings for each of its shares and seeds. */
  tuned: z.strictObject({ recipe: finetuneRecipeSchema, shares: shares.default([1]), seeds }),
  /** Resamples of the intervals. */
  samples: z.number().int().min(100).max(100_000).default(1000),
});
export type LabelsRecipe = z.infer<typeof labelsRecipeSchema>;

/** Validate plain data; ConfigError names the wrong key. */
export function parseLabelsRecipe(value: unknown, where = 'reproduce'): LabelsRecipe {
  const recipe = parseConfig(labelsRecipeSchema, value, where);
  const lists = {
    leads: recipe.leads.map(String),
    shares: recipe.shares,
    seeds: recipe.seeds,
    'tuned.shares': recipe.tuned.shares,
    'tuned.seeds': recipe.tuned.seeds,
    'probe.layers': recipe.probe.layers,
  };
  for (const [key, list] of Object.entries(lists)) {
    const double = (list as readonly unknown[]).find((one, i) => list.indexOf(one as never) !== i);
    if (double !== undefined)
      throw new ConfigError(`${where}.${key}: ${double} stands twice. Remove one.`, `${where}.${key}`);
  }
  parseTunedRecipe(recipe, where);
  return recipe;
}

/** The recipe of fine-tuning, checked; ConfigError where it has another encoder than one of ECG. */
export function parseTunedRecipe({ tuned }: LabelsRecipe, where = 'reproduce'): FinetuneRecipe {
  const recipe = parseFinetuneRecipe(tuned.recipe, `${where}.tuned.recipe`);
  if (recipe.encoders.ecg && !recipe.encoders.eeg && recipe.prepare === undefined) return recipe;
  throw new ConfigError(
    `${where}.tuned.recipe: an ECG encoder alone is tuned, on the windows of the benchmark. Give encoders.ecg only, and no prepare.`,
    `${where}.tuned.recipe.encoders`,
  );
}
