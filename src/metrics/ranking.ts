/**
 * Scores of rankings: true or false [W] and a score each → curves and areas, ties exact. Definitions as scikit-learn's
 * roc_curve, roc_auc_score, precision_recall_curve and average_precision_score.
 */

/** Cumulative counts from the highest score down, one entry for each distinct score. */
interface Thresholds {
  readonly score: number[];
  readonly truePositives: number[];
  readonly falsePositives: number[];
}

function countByThreshold(truth: ArrayLike<number>, scores: ArrayLike<number>): Thresholds {
  // Numbers alone sort several times faster than indices by a comparison, and intervals rank a thousand times.
  const of = (wanted: boolean) => {
    const own: number[] = [];
    for (let i = 0; i < truth.length; i++) if (Boolean(truth[i]) === wanted) own.push(scores[i]!);
    return Float64Array.from(own).sort().reverse();
  };
  const [trues, falses] = [of(true), of(false)];
  const result: Thresholds = { score: [], truePositives: [], falsePositives: [] };
  let [positives, negatives] = [0, 0];
  while (positives < trues.length || negatives < falses.length) {
    const score = Math.max(
      trues[positives] ?? Number.NEGATIVE_INFINITY,
      falses[negatives] ?? Number.NEGATIVE_INFINITY,
    );
    // What is not a number has no rank, nor has anything beside it.
    if (Number.isNaN(score))
      return { score: [score], truePositives: [Number.NaN], falsePositives: [Number.NaN] };
    while (trues[positives] === score) positives++;
    while (falses[negatives] === score) negatives++;
    result.score.push(score);
    result.truePositives.push(positives);
    result.falsePositives.push(negatives);
  }
  return result;
}

export interface RocCurve {
  /** False positive rates, from 0 to 1. */
  readonly falsePositiveRate: number[];
  readonly truePositiveRate: number[];
}

/** The ROC curve, every threshold kept; NaN rates where one class is absent. */
export function rocCurve(truth: ArrayLike<number>, scores: ArrayLike<number>): RocCurve {
  const { truePositives, falsePositives } = countByThreshold(truth, scores);
  const [positives, negatives] = [truePositives.at(-1) ?? 0, falsePositives.at(-1) ?? 0];
  return {
    falsePositiveRate: [0, ...falsePositives].map((n) => n / negatives),
    truePositiveRate: [0, ...truePositives].map((n) => n / positives),
  };
}

/** Area under the ROC curve; NaN where one class is absent. */
export function auroc(truth: ArrayLike<number>, scores: ArrayLike<number>): number {
  const { truePositives, falsePositives } = countByThreshold(truth, scores);
  let area = 0;
  for (let i = 0; i < truePositives.length; i++) {
    const width = falsePositives[i]! - (falsePositives[i - 1] ?? 0);
    area += (width * (truePositives[i]! + (truePositives[i - 1] ?? 0))) / 2;
  }
  return area / ((truePositives.at(-1) ?? 0) * (falsePositives.at(-1) ?? 0));
}

export interface PrecisionRecallCurve {
  /** By falling threshold. */
  readonly precision: number[];
  readonly recall: number[];
}

export function precisionRecallCurve(
  truth: ArrayLike<number>,
  scores: ArrayLike<number>,
): PrecisionRecallCurve {
  const { truePositives, falsePositives } = countByThreshold(truth, scores);
  const positives = truePositives.at(-1) ?? 0;
  return {
    precision: truePositives.map((n, i) => n / (n + falsePositives[i]!)),
    recall: truePositives.map((n) => n / positives),
  };
}

/** AUC-PR as average precision: Σ (Rₙ − Rₙ₋₁) Pₙ; NaN without positives. */
export function averagePrecision(truth: ArrayLike<number>, scores: ArrayLike<number>): number {
  const { precision, recall } = precisionRecallCurve(truth, scores);
  if (precision.length === 0) return Number.NaN;
  return precision.reduce((sum, p, i) => sum + p * (recall[i]! - (recall[i - 1] ?? 0)), 0);
}

/** Mean one-against-rest area over the classes; NaN where a class is absent. `probabilities` is [W, K]. */
export function macroAuroc(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
): number {
  return meanOverClasses(truth, probabilities, classCount, auroc);
}

/** Mean one-against-rest average precision over the classes; NaN where a class is absent. */
export function macroAveragePrecision(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
): number {
  return meanOverClasses(truth, probabilities, classCount, averagePrecision);
}

function meanOverClasses(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
  score: (truth: ArrayLike<number>, scores: ArrayLike<number>) => number,
): number {
  let sum = 0;
  for (let k = 0; k < classCount; k++) {
    const isClass = Uint8Array.from({ length: truth.length }, (_, i) => Number(truth[i] === k));
    const scores = Float64Array.from({ length: truth.length }, (_, i) => probabilities[i * classCount + k]!);
    sum += score(isClass, scores);
  }
  return sum / classCount;
}
