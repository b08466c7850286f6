/**
 * What a model is made of, as validated plain data: the encoder of each modality, the fusion and the head. It travels
 * inside every saved model.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { ConfigError } from '../core/errors.ts';

const count = z.number().int().min(1);
const probability = z.number().min(0).lt(1);

/** CBraMod's sizes (its code, models/cbramod.py); only depth and dropout vary. */
export const encoderConfigSchema = z.strictObject({
  layers: count.max(256).default(12),
  /** 0.1 in the original, in pre-training and fine-tuning alike. */
  dropout: probability.default(0.1),
  dim: z.literal(200).default(200),
  /** Half of them attend across channels, half across patches. */
  heads: z.literal(8).default(8),
  feedForward: z.literal(800).default(800),
  patchSamples: z.literal(200).default(200),
});
export type EncoderConfig = z.infer<typeof encoderConfigSchema>;

export const signalConfigSchema = z.strictObject({
  encoder: encoderConfigSchema,
  /** Names in order: the order reaches the model through the position convolution. */
  channels: z.array(z.string().min(1)).min(1),
  /** N: patches in a window. */
  patches: count,
});
export type SignalConfig = z.infer<typeof signalConfigSchema>;

export const headConfigSchema = z.strictObject({
  /** linear and mlp: mean of the tokens of each modality. all-patches: every token, CBraMod's own head. */
  kind: z.enum(['linear', 'mlp', 'all-patches']),
  /** Width of the hidden layer of mlp and all-patches. */
  hidden: count.default(200),
  dropout: probability.default(0.1),
  /**
   * How linear and mlp get one vector from a modality's tokens. mean: their mean. attention: weights that a learned query
   * gives them; it begins as the mean.
   */
  pool: z.enum(['mean', 'attention']).default('mean'),
  /** Queries of a modality with pool attention, each for its share of the features. */
  poolHeads: z.literal([1, 2, 4, 8]).default(1),
  /** K: classes of which one is true; with `output` labels, or the one number. */
  classes: count,
  /**
   * What the K numbers are. Absent: probabilities of classes, with a sum of 1. labels: the probability of each label by
   * itself. number: a value, in its own unit.
   */
  output: z.enum(['labels', 'number']).optional(),
});
export type HeadConfig = z.infer<typeof headConfigSchema>;

/**
 * How two modalities become one decision. concatenate: their vectors side by side (the paper). gated: each weighted by a
 * gate that sees both. cross-attention: the tokens of each attend to the other's. late: a head each, mean of the logits.
 */
export const fusionSchema = z.enum(['concatenate', 'gated', 'cross-attention', 'late']);
export type Fusion = z.infer<typeof fusionSchema>;

export const modelConfigSchema = z.strictObject({
  signals: z
    .strictObject({ eeg: signalConfigSchema.optional(), ecg: signalConfigSchema.optional() })
    .refine((signals) => signals.eeg !== undefined || signals.ecg !== undefined, 'Give eeg, ecg or both'),
  fusion: fusionSchema.default('concatenate'),
  /** The model knows what to do where a modality is missing: trained with modality dropout. */
  nullEmbeddings: z.boolean().default(false),
  head: headConfigSchema,
});
export type ModelConfig = z.infer<typeof modelConfigSchema>;

/** The modalities of a model in the one order that everything uses: eeg, then ecg. */
export function modalitiesOf(config: Pick<ModelConfig, 'signals'>): readonly ('eeg' | 'ecg')[] {
  return (['eeg', 'ecg'] as const).filter((modality) => config.signals[modality] !== undefined);
}

/** An encoder of CBraMod's sizes; ConfigError for values out of range. */
export function encoderConfig(options: Partial<EncoderConfig> = {}): EncoderConfig {
  return parseConfig(encoderConfigSchema, options, 'encoder');
}

/** Validate a model's configuration; ConfigError names the first wrong key. */
export function parseModelConfig(value: unknown): ModelConfig {
  const config = parseConfig(modelConfigSchema, value, 'model');
  assertKindsFit(config, 'model');
  const { output, classes } = config.head;
  const [fewest, most] = output === 'number' ? [1, 1] : [output ? 1 : 2, Number.POSITIVE_INFINITY];
  if (classes < fewest || classes > most)
    throw new ConfigError(
      `model.head.classes: ${classes} of ${output ?? 'classes'}. Give ${most === 1 ? '1' : `at least ${fewest}`}.`,
      'model.head.classes',
      `≥ ${fewest}`,
    );
  if (modalitiesOf(config).length === 2) return config;
  for (const key of ['fusion', 'nullEmbeddings'] as const) {
    const [given, allowed] = [config[key], key === 'fusion' ? 'concatenate' : false];
    if (given === allowed) continue;
    throw new ConfigError(
      `model.${key}: ${given} of one modality. Give both, or leave it out.`,
      `model.${key}`,
      String(allowed),
    );
  }
  return config;
}

/** ConfigError where the head all-patches, which takes the tokens as they lie, should go with what pools them. */
export function assertKindsFit(
  {
    fusion,
    nullEmbeddings,
    head,
  }: Pick<ModelConfig, 'fusion' | 'nullEmbeddings'> & { head: Omit<HeadConfig, 'classes'> },
  where: string,
): void {
  const other = fusion !== 'concatenate' ? fusion : nullEmbeddings ? 'modality dropout' : undefined;
  const pooling = head.pool === 'mean' ? other : 'attention pooling';
  if (head.kind !== 'all-patches' || pooling === undefined) return;
  throw new ConfigError(
    `${where}.head.kind: all-patches does not go with ${pooling}. Choose linear or mlp.`,
    `${where}.head.kind`,
    'linear, mlp',
  );
}

/** The model of the paper: pooled or flattened tokens, concatenated; it has no parameters between encoders and head. */
export function isPlain({ fusion, nullEmbeddings, head }: ModelConfig): boolean {
  return fusion === 'concatenate' && !nullEmbeddings && head.pool === 'mean';
}

/** Whether every token is wanted; else the mean of a modality's tokens is enough. */
export function takesTokens({ fusion, head }: ModelConfig): boolean {
  return fusion === 'cross-attention' || head.pool === 'attention' || head.kind === 'all-patches';
}
