/**
 * What silence buys: a model that answers only where it is sure enough. Coverage: share of windows that are answered;
 * risk: share of wrong answers among them (El-Yaniv & Wiener 2010).
 */
import { DataError } from '../core/errors.ts';
import { decide, orderByConfidence } from './calibration.ts';

export interface RiskCoverage {
  /** After every window by falling confidence: coverage (k / W) and the expected risk where equals come in any order. */
  readonly coverage: Float64Array;
  readonly risk: Float64Array;
  /** Area under the curve: mean risk over all coverages. NaN without windows. */
  readonly aurc: number;
  /** The least area that a model with as many errors can have: the right answers first. */
  readonly leastAurc: number;
}

/** The curve of probabilities [W, K] and true classes [W]; confidence: the highest probability. */
export function riskCoverage(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
): RiskCoverage {
  const { accuracy } = orderByConfidence(truth, probabilities, classCount);
  const count = accuracy.length;
  const curveOf = (wrong: ArrayLike<number>) => {
    let errors = 0;
    return Float64Array.from(wrong, (value, i) => {
      errors += value;
      return errors / (i + 1);
    });
  };
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const wrong = accuracy.map((value) => 1 - value);
  const risk = curveOf(wrong);
  const errors = Math.round(wrong.reduce((sum, value) => sum + value, 0));
  const best = Uint8Array.from({ length: count }, (_, i) => Number(i >= count - errors));
  return {
    coverage: Float64Array.from({ length: count }, (_, i) => (i + 1) / count),
    risk,
    aurc: mean(risk),
    leastAurc: mean(curveOf(best)),
  };
}

/** What is to be reached on the validation windows: this share answered, or at most this share of answers wrong. */
export type AbstentionGoal = { readonly coverage: number } | { readonly risk: number };

/**
 * The lowest confidence that is answered, chosen on validation windows; the most windows that reach the goal. Infinity
 * where no threshold does: the model has to stay silent. DataError without windows.
 */
export function chooseThreshold(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
  goal: AbstentionGoal,
): number {
  const { confidence, accuracy } = orderByConfidence(truth, probabilities, classCount);
  const count = confidence.length;
  if (count === 0)
    throw new DataError('abstention: no validation window to choose a threshold on. Give some.');
  let [threshold, errors] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < count; i++) {
    errors += 1 - accuracy[i]!;
    // A threshold takes all windows of one confidence or none.
    if (i + 1 < count && confidence[i + 1] === confidence[i]) continue;
    if ('coverage' in goal) {
      threshold = confidence[i]!;
      if ((i + 1) / count >= goal.coverage - 1e-12) break;
    } else if (errors / (i + 1) <= goal.risk + 1e-12) threshold = confidence[i]!;
  }
  return threshold;
}

/** Which windows are answered at a threshold: indices into probabilities [W, K], ascending. */
export function answeredAt(
  probabilities: ArrayLike<number>,
  classCount: number,
  threshold: number,
): Int32Array {
  const rows = Array.from({ length: probabilities.length / classCount }, (_, i) => i);
  return Int32Array.from(
    rows.filter((i) => probabilities[i * classCount + decide(probabilities, i, classCount)]! >= threshold),
  );
}
