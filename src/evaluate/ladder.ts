/**
 * A ladder: variants of one fine-tuning recipe, compared on equal terms: the same folds, seeds and budget. Kinds of fusion
 * and depths of adaptation have names; anything else is said by what it changes.
 */

import { z } from 'zod';
import { minOf } from '../core/arrays.ts';
import { parseConfig } from '../core/config.ts';
import { ConfigError } from '../core/errors.ts';
import { fusionSchema, headConfigSchema } from '../model/config.ts';
import type { FloatTensors } from '../model/parameters.ts';
import type { Modality } from '../patches/windows.ts';
import { type FinetuneRecipe, finetuneRecipeSchema, parseFinetuneRecipe } from '../train/recipe.ts';
import type { Candidate } from './experiment.ts';

const { tune, learningRates } = finetuneRecipeSchema.shape;
const rates = learningRates.unwrap().shape;

/** What a rung changes of the recipe. */
const changesSchema = z.strictObject({
  fusion: fusionSchema.optional(),
  modalityDropout: z.number().min(0).max(1).optional(),
  head: headConfigSchema
    .omit({ classes: true, output: true })
    .extend({
      kind: headConfigSchema.shape.kind.optional(),
      hidden: headConfigSchema.shape.hidden.unwrap().optional(),
      dropout: headConfigSchema.shape.dropout.unwrap().optional(),
      pool: headConfigSchema.shape.pool.unwrap().optional(),
      poolHeads: headConfigSchema.shape.poolHeads.unwrap().optional(),
    })
    .optional(),
  tune: tune.unwrap().optional(),
  learningRates: z
    .strictObject({ backbone: rates.backbone.unwrap().optional(), head: rates.head.unwrap().optional() })
    .optional(),
});
type Changes = z.infer<typeof changesSchema>;

const adaptations = ['linear-probe', 'attentive-pooling', 'lora', 'partial', 'full'] as const;

const rungSchema = z.union([
  fusionSchema,
  z.enum(adaptations),
  changesSchema.extend({
    /** In tables and file names: `eeg+ecg-NAME`. */
    name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  }),
]);
export type Rung = z.infer<typeof rungSchema>;

export const ladderSchema = z.array(rungSchema).min(1).max(32);

const modelNames = ['eeg', 'ecg', 'eeg+ecg'] as const;

export const ladderRecipeSchema = z.strictObject({
  version: z.literal(1),
  task: z.literal('ladder'),
  finetune: finetuneRecipeSchema,
  ladder: ladderSchema,
  /** Which signals every rung is trained on; where a rung changes nothing of a signal alone, that is trained once. */
  models: z
    .array(z.enum(modelNames))
    .min(1)
    .default([...modelNames]),
  /** Test models of both signals also without each. */
  testMissing: z.boolean().default(false),
});
export type LadderRecipe = z.infer<typeof ladderRecipeSchema>;

/** Validate plain data as a ladder; ConfigError names the wrong key. */
export function parseLadderRecipe(value: unknown, where = 'ladder'): LadderRecipe {
  const recipe = parseConfig(ladderRecipeSchema, value, where);
  parseFinetuneRecipe(recipe.finetune, `${where}.finetune`);
  checkRungs(recipe.finetune, recipe.ladder, `${where}.ladder`);
  return recipe;
}

/** ConfigError where two rungs have one name, or where a rung does not fit the recipe. */
export function checkRungs(recipe: FinetuneRecipe, ladder: readonly Rung[], where: string): void {
  const names = ladder.map(nameOf);
  const double = names.find((name, i) => names.indexOf(name) !== i);
  if (double !== undefined)
    throw new ConfigError(`${where}: '${double}' stands twice. Remove one.`, where, 'distinct names');
  for (const [i, rung] of ladder.entries()) parseFinetuneRecipe(applyRung(recipe, rung), `${where}.${i}`);
}

/** What the adaptations with names change. LoRA learns at ten times the backbone's default rate, as its factors are small. */
function changesOf(rung: Rung, { encoders }: FinetuneRecipe): Changes {
  if (typeof rung === 'object') {
    const { name: _, ...changes } = rung;
    return changes;
  }
  const depth = minOf(Object.values(encoders).map((encoder) => encoder?.layers ?? Number.POSITIVE_INFINITY));
  switch (rung) {
    case 'linear-probe':
      return { tune: 'frozen', head: { kind: 'linear', pool: 'mean' } };
    case 'attentive-pooling':
      return { tune: 'frozen', head: { kind: 'linear', pool: 'attention' } };
    case 'lora':
      return {
        tune: { lora: { rank: 8, alpha: 16, on: ['attention', 'feedForward'] } },
        learningRates: { backbone: 1e-3 },
      };
    case 'partial':
      return { tune: { lastLayers: Math.max(1, Math.round(depth / 4)) } };
    case 'full':
      return { tune: 'all' };
    default:
      return { fusion: rung };
  }
}

function nameOf(rung: Rung): string {
  return typeof rung === 'object' ? rung.name : rung;
}

/** The recipe of a rung. */
export function applyRung(recipe: FinetuneRecipe, rung: Rung): FinetuneRecipe {
  const { head, learningRates: changed, ...rest } = changesOf(rung, recipe);
  const plain = JSON.parse(JSON.stringify({ ...rest, head, learningRates: changed })) as Changes;
  return {
    ...recipe,
    ...(plain as Partial<FinetuneRecipe>),
    head: { ...recipe.head, ...plain.head } as FinetuneRecipe['head'],
    learningRates: { ...recipe.learningRates, ...plain.learningRates } as FinetuneRecipe['learningRates'],
  };
}

export interface CandidateOptions {
  readonly ladder?: readonly Rung[] | undefined;
  readonly models?: readonly (typeof modelNames)[number][] | undefined;
}

type Encoders = { readonly [M in Modality]?: FloatTensors };

/** The deep models of a table: each modality alone, then both; with a ladder, each of its rungs. */
export function candidatesOf(
  recipe: FinetuneRecipe,
  encoders: Encoders,
  { ladder, models = modelNames }: CandidateOptions = {},
): Candidate[] {
  const rungs = ladder?.map((rung) => ({ name: nameOf(rung), recipe: applyRung(recipe, rung) }));
  const { eeg, ecg } = recipe.encoders;
  return models.flatMap((model): Candidate[] => {
    if (model === 'eeg+ecg') {
      if (!eeg || !ecg) return [];
      if (!rungs) return [{ name: model, recipe, encoders }];
      return rungs.map((rung) => ({ name: `${model}-${rung.name}`, recipe: rung.recipe, encoders }));
    }
    if (!recipe.encoders[model]) return [];
    const own = encoders[model] ? { [model]: encoders[model] } : {};
    const alone = new Map<string, Candidate>();
    for (const { name, recipe: one } of rungs ?? [{ name: model, recipe }]) {
      const reduced = aloneOf(one, model);
      const key = JSON.stringify(reduced);
      if (!alone.has(key)) alone.set(key, { name: `${model}-${name}`, recipe: reduced, encoders: own });
    }
    const candidates = [...alone.values()];
    return candidates.length === 1 ? [{ ...candidates[0]!, name: model }] : candidates;
  });
}

/** The recipe of one modality: there is nothing to fuse. */
function aloneOf(recipe: FinetuneRecipe, modality: Modality): FinetuneRecipe {
  return {
    ...recipe,
    ...{ fusion: 'concatenate', modalityDropout: 0 },
    encoders: { [modality]: recipe.encoders[modality] },
  };
}
