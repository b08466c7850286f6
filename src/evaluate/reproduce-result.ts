/** `reproduce-NAME.json`: everything that a benchmark's table is drawn from, as documented, stable keys. */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { adjustTables } from './question-families.ts';
import { comparisonSchema, intervalSchema as interval } from './result.ts';

const text = z.string();
const number = z.number().nullable();
const scores = z.strictObject({
  balancedAccuracy: interval,
  f1: interval,
  f1Macro: interval,
  auroc: interval,
  auprc: interval,
});

const rowSchema = z.strictObject({
  /** `eeg`, `ecg`, `eeg+ecg`, `…+classical`, `classical-…`, `majority`, `prior`, `subject-prior`, `stimulus-prior`; `…-standardised`. */
  model: text,
  kind: z.enum(['deep', 'hybrid', 'classical', 'trivial']),
  /** Looked at all of a person's windows without their labels: not comparable with rows that did not. */
  transductive: z.boolean(),
  seeds: z.number(),
  /** Per window; and per trial, by the mean of its windows' probabilities. */
  windows: scores,
  trials: scores,
  /**
   * Per window, without those in whose context two recordings of a session join: only one class may have such windows, which
   * a model can tell by the seam. Absent where no context holds one.
   */
  seamless: scores.optional(),
  /** AUROC within each person, mean over people who have both classes. */
  aurocWithinSubjects: number,
});

const tableSchema = z.strictObject({
  target: text,
  classes: z.array(text),
  /** The kind in evaluate/protocol.ts, and the protocol in a sentence. */
  protocol: text,
  description: text,
  /** Windows of one trial stand on both sides. */
  leaky: z.boolean(),
  folds: z.number(),
  /** What is drawn again for the intervals. */
  drawn: z.enum(['subjects', 'stimuli']),
  tested: z.strictObject({
    ...{ windows: z.number(), trials: z.number(), subjects: z.number() },
    /** Windows without a seam, where some have one. */
    seamless: z.number().optional(),
  }),
  rows: z.array(rowSchema),
  /**
   * Pairs of rows on equal terms, over the units that are drawn again; tests adjusted over the pairs of a score that answer
   * one question under this protocol, all targets together (Holm). Results from before they were made have none.
   */
  comparisons: z.array(comparisonSchema).default([]),
});

/** What every benchmark's result says besides its tables. */
export const factShapes = {
  version: z.literal(1),
  benchmark: text,
  created: text,
  command: text,
  versions: z.record(text, text),
  dataset: z.strictObject({ name: text, title: text, licence: text, citation: text, hash: text }),
  /** By modality; `eeg 1`, `eeg 2` … where folds choose among several, with the names of the folds that each served. */
  encoders: z.record(
    text,
    z.strictObject({
      ...{ source: text, layers: z.number(), sha256: text },
      folds: z.record(text, z.array(text)).optional(),
    }),
  ),
  /** Encoders learnt too. */
  tuned: z.boolean(),
  published: z.array(
    z.strictObject({
      ...{ benchmark: text, target: text, model: text, protocol: text.nullable(), source: text },
      scores: z.record(text, z.number()),
    }),
  ),
  notes: z.array(text),
  recipe: z.unknown(),
  seconds: z.record(text, z.number()),
} as const;

export const droppedSchema = z.array(
  z.strictObject({ what: text, reason: text, count: z.number(), examples: z.array(text).readonly() }),
);

export const reproductionSchema = z.strictObject({
  ...factShapes,
  tables: z.array(tableSchema),
  data: z.strictObject({
    windows: z.number(),
    trials: z.number(),
    subjects: z.number(),
    /** Windows of each class by target. */
    classes: z.record(text, z.record(text, z.number())),
    dropped: droppedSchema,
  }),
});

export type Reproduction = z.infer<typeof reproductionSchema>;
export type ReproductionTable = Reproduction['tables'][number];
export type ReproductionRow = ReproductionTable['rows'][number];

/** Validate a parsed file; ConfigError names the wrong key. p values are adjusted over the families of today. */
export function parseReproduction(value: unknown, where = 'reproduce.json'): Reproduction {
  const result = parseConfig(reproductionSchema, value, where);
  return { ...result, tables: adjustTables(result.tables) };
}
