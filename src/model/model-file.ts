/**
 * A trained model as one file: safetensors whose metadata holds, as JSON under `heartmind`, everything that prediction
 * needs: configuration, recipe, classes, and where it comes from.
 */
import { z } from 'zod';
import { ConfigError, FormatError } from '../core/errors.ts';
import type { Tensors } from '../core/tensor.ts';
import { signalSeconds } from '../patches/context.ts';
import { parseStoredRecipe, type Recipe } from '../patches/recipe.ts';
import { type ModelConfig, modalitiesOf, parseModelConfig } from './config.ts';
import { modelParameters } from './model.ts';
import { type FloatTensors, fitParameters } from './parameters.ts';
import { decodeSafetensors, type EncodeSafetensorsOptions, encodeSafetensors } from './safetensors.ts';

export interface TrainedModel {
  readonly config: ModelConfig;
  /** Preprocessing travels with the model: prediction can never differ from training. */
  readonly recipe: Recipe;
  /** Names in the order of the probabilities. */
  readonly classes: readonly string[];
  /** Every parameter, `eeg.…`, `ecg.…`, `head.…`. */
  readonly tensors: Tensors;
  /** Seed, data hash, versions …: printed. Whom the model and its encoders have seen decides what an evaluation says. */
  readonly provenance?: Readonly<Record<string, string>>;
}

const version = 1;
const headerSchema = z.strictObject({
  version: z.literal(version),
  config: z.unknown(),
  recipe: z.unknown(),
  classes: z.array(z.string()).min(1),
  provenance: z.record(z.string(), z.string()).default({}),
});

/** Encode a model; FormatError where tensors, classes or recipe do not fit its configuration. */
export function encodeModel(
  { config, recipe, classes, tensors, provenance = {} }: TrainedModel,
  options: EncodeSafetensorsOptions = {},
): Uint8Array {
  const header = { version, config, recipe, classes, provenance };
  checkAgreement(config, recipe, classes, 'model');
  const fitted = fitParameters(tensors, modelParameters(config), 'model');
  return encodeSafetensors(fitted, { format: 'heartmind', heartmind: JSON.stringify(header) }, options);
}

/** Decode a model file. FormatError for damage, foreign safetensors and keys that do not fit its own configuration. */
export function decodeModel(
  bytes: Uint8Array,
  name: string,
): TrainedModel & { readonly tensors: FloatTensors } {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const { header, config, recipe } = readHeader(metadata.heartmind, name);
  checkAgreement(config, recipe, header.classes, name);
  const fitted = fitParameters(tensors, modelParameters(config), name);
  return { config, recipe, classes: header.classes, tensors: fitted, provenance: header.provenance };
}

/** The recipe must prepare what the model takes, and every class needs its name. */
function checkAgreement(config: ModelConfig, recipe: Recipe, classes: readonly string[], name: string): void {
  const facts = modalitiesOf(config).flatMap((modality) => {
    const { channels, patches } = config.signals[modality]!;
    const prepared = recipe.signals[modality];
    if (prepared === undefined) return [`the recipe prepares no ${modality}`];
    const takes = `${channels.join(' ')} in ${patches} patches`;
    // One patch is one second.
    const gives = `${prepared.channels.join(' ')} in ${signalSeconds(recipe, modality)} patches`;
    return takes === gives ? [] : [`its ${modality} is ${takes}, the recipe gives ${gives}`];
  });
  if (classes.length !== config.head.classes) {
    facts.push(`${classes.length} names for ${config.head.classes} classes`);
  }
  if (facts.length > 0) {
    throw new FormatError(`${name}: no consistent model: ${facts.join('; ')}. Train it again.`, name);
  }
}

function readHeader(text: string | undefined, name: string) {
  if (text === undefined) {
    throw new FormatError(
      `${name}: safetensors without heartmind's metadata: weights alone are no model. Choose a file written by finetune.`,
      name,
    );
  }
  try {
    const header = headerSchema.parse(JSON.parse(text));
    return { header, config: parseModelConfig(header.config), recipe: parseStoredRecipe(header.recipe) };
  } catch (cause) {
    const reason =
      cause instanceof ConfigError || cause instanceof SyntaxError ? cause.message : 'wrong keys';
    throw new FormatError(
      `${name}: heartmind's metadata of version ${version} is not valid (${reason}). Write the file again.`,
      name,
      8,
      { cause },
    );
  }
}
