/** `reproduce-NAME.json` of a benchmark of several labels at once, as documented, stable keys. */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { adjustFamilies, questionOfLabels } from './question-families.ts';
import { droppedSchema, factShapes } from './reproduce-result.ts';
import { intervalSchema } from './result.ts';

const text = z.string();
const number = z.number().nullable();
/** Of scores: people and seeds drawn again. */
const interval = intervalSchema;

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
  /** Of the same macro AUROC, from the same draws. */
  p: z.number(),
  /** Adjusted over the `family` comparisons that answer the same `question` at this share of labels, all blocks (Holm). */
  pHolm: number,
  ...{ question: text.optional(), family: z.number().optional() },
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

/** Validate a parsed file; ConfigError names the wrong key. p values are adjusted over the families of today. */
export function parseLabelReproduction(value: unknown, where = 'reproduce.json'): LabelReproduction {
  const result = parseConfig(labelReproductionSchema, value, where);
  return { ...result, blocks: adjustBlocks(result.blocks) };
}

/**
 * Blocks with their p values adjusted over all choices of leads that answer one question at one share of the labels: who
 * asks whether pre-training helps with so many labels reads the blocks together.
 */
export function adjustBlocks(blocks: readonly LabelBlock[]): LabelBlock[] {
  const all = blocks.flatMap(({ comparisons }, b) => comparisons.map((one) => ({ b, one })));
  const found = adjustFamilies(all, {
    p: ({ one }) => one.p,
    familyOf: ({ one }) => `${one.labelShare}\n${questionOfLabels(one.model, one.against)}`,
  });
  const adjusted = all.map(({ b, one }, i) => ({
    b,
    one: {
      ...one,
      ...{ pHolm: found[i]!.adjusted, family: found[i]!.size },
      question: questionOfLabels(one.model, one.against),
    },
  }));
  return blocks.map((block, b) => ({
    ...block,
    comparisons: adjusted.filter((one) => one.b === b).map(({ one }) => one),
  }));
}
