/**
 * `result.json`: everything that an evaluation found, as documented, stable keys. The report is drawn from it alone.
 * Numbers that are not defined (an area with one class only) are null.
 */
import { z } from 'zod';
import { parseConfig } from '../core/config.ts';
import { adjustComparisons } from './question-families.ts';

const number = z.number().nullable();
/**
 * `mean`: over the seeds, on all tested windows. `low`, `high`: 95 % interval, subjects drawn again. `people`: where fewer
 * than ten were tested (score-spread.ts), the score within each of them, in order of their names, mean over the seeds;
 * null in whom it is not defined.
 */
export const intervalSchema = z.strictObject({
  ...{ mean: number, low: number, high: number },
  people: z.array(number).optional(),
});
const interval = intervalSchema;
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
      /** Balanced accuracy of every seed. */
      bySeed: z.array(number).optional(),
    }),
  ),
  /** Scores of each seed on all tested windows; one entry for what has no seed. */
  perSeed: z.array(z.record(text, number)),
});

export const comparisonSchema = z.strictObject({
  score: text,
  model: text,
  against: text,
  /**
   * `transductive baseline`: it sees all of a person's windows at once, which the model does not. `first rung`: of the
   * ladder that the model is in.
   */
  kind: z.enum(['baseline', 'transductive baseline', 'single modality', 'first rung']),
  /**
   * Of the pooled score: `model` minus `against` on all tested windows, mean over the seeds; interval: the same subjects
   * drawn for both; `people`: the differences within those in whom the score is defined.
   */
  difference: interval,
  /** The differences of the score within each subject, for those in whom it is defined; what is tested. */
  subjects: z.strictObject({
    count: z.number(),
    /** Subjects in whom the model is the better and the worse one. */
    better: z.number(),
    worse: z.number(),
    mean: number,
    /** Hodges–Lehmann: the typical difference, its interval, and the level that so few subjects let it reach. */
    typical: z.strictObject({ estimate: number, low: number, high: number, level: number }),
    /** Positive: in favour of the model, also where a lower score is better. */
    rankBiserial: number,
    dz: number,
  }),
  /**
   * Sign-flip permutation of the differences within subjects, two-sided; `adjusted`: Holm's over the `family` tests of this
   * score that answer the same `question` (question-families.ts) on the same terms. Null where even the clearest outcome,
   * `smallest`, would not be below .05.
   */
  test: z.strictObject({
    ...{ p: number, adjusted: number, smallest: z.number(), family: z.number() },
    question: text.optional(),
  }),
});

const bins = z.array(z.strictObject({ confidence: number, accuracy: number, count: z.number() }));
/** `nll` in nats; `ece` over bins of equal mass, with its interval. Means over the seeds. */
const calibrated = z.strictObject({ nll: number, brier: number, ece: interval, reliability: bins });
const calibrationSchema = z.strictObject({
  /** One of each seed and fold, fitted on that fold's validation windows. */
  temperatures: z.array(z.number()),
  before: calibrated,
  after: calibrated,
});

const abstentionSchema = z.strictObject({
  /** Share of wrong answers among the surest windows, by the share that is answered; mean over the seeds. */
  coverage: z.array(z.number()),
  risk: z.array(number),
  /** Area under it, and the least that as many errors allow. */
  aurc: number,
  leastAurc: number,
  /** Thresholds chosen on validation windows to reach `value`, and what they gave on the tested ones. */
  choices: z.array(
    z.strictObject({
      goal: z.enum(['coverage', 'risk']),
      value: z.number(),
      /** Mean over seeds and folds; null where one of them found none and stays silent. */
      threshold: number,
      coverage: z.number(),
      risk: number,
      balancedAccuracy: number,
    }),
  ),
});

const spreadSchema = z.strictObject({
  /** Standard deviation of the score on all tested windows over the seeds. */
  seedDeviation: number,
  /** 95 % interval where subjects and seeds are both drawn again. */
  both: interval,
  /** Standard deviations of one subject's score under one seed: between subjects, between seeds, what is left. */
  components: z.strictObject({ subject: number, seed: number, residual: number }),
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
  /** What was run, where a result is kept among others. */
  command: text.optional(),
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
  /** Pre-trained weights that encoders began from, by modality, and whom those saw without labels; where files were loaded. */
  weights: z
    .record(
      text,
      z.strictObject({
        ...{ name: text, sha256: text, layers: z.number() },
        ...{ dataset: text.nullable(), people: z.number().nullable() },
      }),
    )
    .optional(),
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
  /** Each deep model against the baselines and the best single modality. Absent in results before 0.2, as the next three. */
  comparisons: z.array(comparisonSchema).optional(),
  /** By model, of those with validation windows. */
  calibration: z.record(text, calibrationSchema).optional(),
  abstention: z.record(text, abstentionSchema).optional(),
  /** By model and score, of those with several seeds. */
  spread: z.record(text, z.record(text, spreadSchema)).optional(),
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
export type Comparison = z.infer<typeof comparisonSchema>;
export type Calibration = z.infer<typeof calibrationSchema>;
export type Abstention = z.infer<typeof abstentionSchema>;
export type Spread = z.infer<typeof spreadSchema>;
export type Curve = z.infer<typeof curveSchema>;
export type Reconstruction = z.infer<typeof reconstructionSchema>;
export type ScoreInterval = z.infer<typeof interval>;

/**
 * Validate a parsed `result.json`; ConfigError names the wrong key. p values of older files, which hold each test's own,
 * are adjusted over the families of today.
 */
export function parseResult(value: unknown, where = 'result.json'): Result {
  const result = parseConfig(resultSchema, value, where);
  return result.comparisons ? { ...result, comparisons: adjustComparisons(result.comparisons) } : result;
}

/** A number for JSON: null where it is not finite. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
