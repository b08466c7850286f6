/**
 * What a model is made of, as validated plain data: the encoder of each modality, the fusion and the head. It travels
 * inside every saved model.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';

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
  classes: count.min(2),
});
export type HeadConfig = z.infer<typeof headConfigSchema>;

export const modelConfigSchema = z.strictObject({
  signals: z
    .strictObject({ eeg: signalConfigSchema.optional(), ecg: signalConfigSchema.optional() })
    .refine((signals) => signals.eeg !== undefined || signals.ecg !== undefined, 'Give eeg, ecg or both'),
  fusion: z.literal('concatenate').default('concatenate'),
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
  return parseConfig(modelConfigSchema, value, 'model');
}
