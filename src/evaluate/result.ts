/**
 * `result.json`: everything that an evaluation found, as documented, stable keys. The report is drawn from it alone.
 * Numbers that are not defined (an area with one class only) are null.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';

const number = z.number().nullable();
/** `mean`: over the seeds, on all tested windows. `low`, `high`: 95 % interval, subjects drawn again. */
const interval = z.strictObject({ mean: number, low: number, high: number });
/** By score: `balancedAccuracy`, `auroc`, `auprc`, `f1Macro`, `f1Weighted`, `kappa`, `accuracy`, `ece`, `brier`. */
const scores = z.record(z.string(), interval);
const text = z.string();

const detailsSchema = z.strictObject({
  /** Of the first seed: rows are true classes. */
  confusion: z.array(z.array(z.number())),
  /** Of class 1 where there are two; null otherwise. */
  roc: z.strictObject({ falsePositiveRate: z.array(number), truePositiveRate: z.array(number) }).nullable(),
  reliability: z.array(z.strictObject({ confidence: number, accuracy: number, count: z.number() })),
  perSubject: z.array(
    z.strictObject({
      subject: text,
      windows: z.number(),
      accuracy: number,
      balancedAccuracy: number,
      auroc: number,
    }),
  ),
  /** Scores of each seed on all tested windows; one entry for what has no seed. */
  perSeed: z.array(z.record(text, number)),
});

const curveSchema = z.strictObject({
  name: text,
  /** A row for every epoch: `epoch`, `step`, `trainLoss`, and the validation's scores. */
  rows: z.array(z.record(text, number)),
  bestEpoch: z.number().nullable(),
});

const reconstructionSchema = z.strictObject({
  modality: z.enum(['eeg', 'ecg']),
  kind: text,
  channels: z.array(text),
  patches: z.number(),
  patchSamples: z.number(),
  /** Rows of samples, thinned, in model units; codes of the mask: 0 visible, 1 hidden patch, 2 hidden lead. */
  original: z.array(z.array(z.number())),
  reconstruction: z.array(z.array(z.number())),
  mask: z.array(z.array(z.number())),
});

export const resultSchema = z.strictObject({
  version: z.literal(1),
  name: text,
  created: text,
  /** heartmind's version, the commit where known, node, engine, processor. */
  versions: z.record(text, text),
  dataset: z.strictObject({
    name: text,
    title: text,
    licence: text,
    citation: text,
    target: text,
    classes: z.array(text),
    hash: text,
  }),
  /** In words; says `leaky` where subjects are on both sides. */
  protocol: text,
  seeds: z.array(z.number()),
  /** Windows in the data set, over all parts. */
  windows: z.number(),
  folds: z.array(
    z.strictObject({
      name: text,
      train: z.array(text),
      validation: z.array(text),
      test: z.array(text),
      windows: z.strictObject({ train: z.number(), validation: z.number(), test: z.number() }),
    }),
  ),
  /** Scores per window by model: `eeg`, `ecg`, `eeg+ecg`, `majority`, `prior`, `classical-…`, `classical-…-standardised`. */
  models: z.record(text, scores),
  /** The same per trial: the mean of its windows' probabilities. */
  trials: z.record(text, scores),
  details: z.record(text, detailsSchema),
  curves: z.array(curveSchema),
  reconstructions: z.array(reconstructionSchema),
  data: z.strictObject({
    subjects: z.number(),
    trials: z.number(),
    /** Windows of each class. */
    classes: z.record(text, z.number()),
    dropped: z.array(
      z.strictObject({ what: text, reason: text, count: z.number(), examples: z.array(text).readonly() }),
    ),
  }),
  /** Whatever a reader must know: encoders that saw test subjects, recordings without ECG. */
  notes: z.array(text),
  /** By name: how windows were prepared, what was trained. */
  recipes: z.record(text, z.unknown()),
  /** Seconds by stage. */
  seconds: z.record(text, z.number()),
});

export type Result = z.infer<typeof resultSchema>;
export type ModelDetails = z.infer<typeof detailsSchema>;
export type Curve = z.infer<typeof curveSchema>;
export type Reconstruction = z.infer<typeof reconstructionSchema>;
export type ScoreInterval = z.infer<typeof interval>;

/** Validate a parsed `result.json`; ConfigError names the wrong key. */
export function parseResult(value: unknown, where = 'result.json'): Result {
  return parseConfig(resultSchema, value, where);
}

/** A number for JSON: null where it is not finite. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
