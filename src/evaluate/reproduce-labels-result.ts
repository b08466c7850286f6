/** `reproduce-NAME.json` of a benchmark of several labels at once, as documented, stable keys. */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { droppedSchema, factShapes } from './reproduce-result.ts';

const text = z.string();
const number = z.number().nullable();
/** `mean`: over the seeds. `low`, `high`: 95 %, people and seeds drawn again. Null where undefined. */
const interval = z.strictObject({ mean: number, low: number, high: number });

const rowSchema = z.strictObject({
  /** `prior`, `classical`, `ecg`, `ecg-untrained`, `ecg-tuned`, `ecg-scratch`. */
  model: text,
  kind: z.enum(['deep', 'classical', 'trivial']),
  /** Of the training people, and how many that are. */
  labelShare: z.number(),
  people: z.number(),
  seeds: z.array(z.number()),
  /** Macro over the labels. */
  auroc: interval,
  labels: z.array(z.strictObject({ name: text, auroc: interval })),
  /** Inverse strength of the penalty that was chosen under each seed; empty where encoders learn. */
  strengths: z.array(z.number()),
  /** Epoch that was chosen under each seed; empty where nothing is trained by epochs. */
  epochs: z.array(z.number()),
});

const comparisonSchema = z.strictObject({
  ...{ model: text, against: text, labelShare: z.number() },
  /** Macro AUROC of `model` minus that of `against`: people drawn for both, seeds of each. */
  ...{ difference: z.number(), low: z.number(), high: z.number() },
  p: z.number(),
  /** As it holds for all differences of the result at this share of labels (Holm). */
  pHolm: number,
});

const blockSchema = z.strictObject({
  channels: z.array(text),
  rows: z.array(rowSchema),
  comparisons: z.array(comparisonSchema),
});

export const labelReproductionSchema = z.strictObject({
  ...factShapes,
  target: text,
  /** The split in a sentence. */
  protocol: text,
  /** The tested windows and people, and the windows that have each label. */
  tested: z.strictObject({ windows: z.number(), subjects: z.number(), labels: z.record(text, z.number()) }),
  blocks: z.array(blockSchema),
  data: z.strictObject({ windows: z.number(), subjects: z.number(), dropped: droppedSchema }),
});

export type LabelReproduction = z.infer<typeof labelReproductionSchema>;
export type LabelBlock = LabelReproduction['blocks'][number];
export type LabelRow = LabelBlock['rows'][number];

/** Validate a parsed file; ConfigError names the wrong key. */
export function parseLabelReproduction(value: unknown, where = 'reproduce.json'): LabelReproduction {
  return parseConfig(labelReproductionSchema, value, where);
}
