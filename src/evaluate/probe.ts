/**
 * Linear probes of frozen encoders: what their features tell of labels, without the encoders learning anything more.
 * The strength of the penalty is chosen on the validation windows; the test windows are predicted once.
 */
import type { Targets } from '../datasets/targets.ts';
import { type FoldScore, type FoldScoreOptions, FoldScores } from './fold-scores.ts';
import { fitLinearProbes, type LinearProbe, type ProbeFeatures, predictLinearProbe } from './linear-probe.ts';
import { labelScores, numberScores, type Rows } from './target-scores.ts';

/** Inverse, from strong to weak; each fit begins where the one before ended. */
const usualStrengths = [1e-4, 1e-3, 1e-2, 1e-1, 1] as const;

/** Weaker penalties are not tried once so many in a row were no better: they take longest, and learn the noise. */
const patience = 2;

/** Of the fit: further steps move no rank that a score could tell, and cost most of the time. */
const tolerance = 1e-4;

export interface ProbeOptions extends FoldScoreOptions {
  readonly features: ProbeFeatures;
  /** Inverse strengths of the penalty to choose from, ascending. */
  readonly strengths?: readonly number[];
}

export interface ProbeResult extends FoldScore {
  /** Inverse strengths of the penalty, chosen in each fold. */
  readonly strengths: readonly number[];
}

/** Fit and test. DataError where no label is left. */
export function runProbe(options: ProbeOptions): ProbeResult {
  const { features, strengths = usualStrengths } = options;
  const scores = new FoldScores(options);
  const chosen: number[] = [];
  for (const fold of scores.folds) {
    const { probe, C } = chooseProbe(features, scores.targets, fold, strengths);
    chosen.push(C);
    const told = predictLinearProbe(probe, features, fold.test);
    // Log-odds of different folds are put on one scale by what they are: probabilities.
    const isNumber = scores.targets.kind === 'number';
    scores.put(fold, isNumber ? told : told.map((score) => 1 / (1 + Math.exp(-score))));
  }
  return { ...scores.score(), strengths: chosen };
}

/** The probe whose validation windows are ranked best (or predicted best). */
function chooseProbe(
  features: ProbeFeatures,
  { names, values, kind }: Targets,
  { train, validation }: Rows,
  strengths: readonly number[],
): { probe: LinearProbe; C: number } {
  const loss = kind === 'number' ? 'squares' : 'logistic';
  const truth = new Float64Array(validation.length * names.length);
  for (const [i, index] of validation.entries())
    truth.set(values.subarray(index * names.length, (index + 1) * names.length), i * names.length);
  let best: { probe: LinearProbe; C: number; score: number } | undefined;
  let worse = 0;
  const rows = Int32Array.from(validation.keys());
  for (const { C, probe } of fitLinearProbes(features, train, values, names, {
    loss,
    strengths,
    tolerance,
  })) {
    const predicted = predictLinearProbe(probe, features, validation);
    const score =
      kind === 'number'
        ? -numberScores(truth, predicted, 1, rows)[1]!
        : labelScores(truth, predicted, names.length, rows)[0]!;
    // Where validation cannot tell (one class only), the strongest penalty stays.
    if (!best || score > best.score) {
      best = { probe, C, score: Number.isNaN(score) ? -Infinity : score };
      worse = 0;
    } else if (++worse === patience) break;
  }
  return best!;
}
