/** All scores of a set of predictions at once. */
import { DataError } from '../core/errors.ts';
import { brier, decide, expectedCalibrationError } from './calibration.ts';
import { accuracy, balancedAccuracy, cohenKappa, confusionMatrix, f1 } from './confusion.ts';
import { auroc, averagePrecision, macroAuroc, macroAveragePrecision } from './ranking.ts';

export const scoreNames = [
  ...([
    'balancedAccuracy',
    'auroc',
    'auprc',
    'f1Macro',
    'f1Weighted',
    'kappa',
    'accuracy',
    'ece',
    'brier',
  ] as const),
] as const;
export type ScoreName = (typeof scoreNames)[number];
/** NaN where a score is not defined, such as an area with one class only. */
export type Scores = Readonly<Record<ScoreName, number>>;

/** Predicted classes [W] of probabilities [W, K]. */
export function decideAll(probabilities: ArrayLike<number>, classCount: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classCount }, (_, i) =>
    decide(probabilities, i, classCount),
  );
}

/** Scores of probabilities [W, K] against true classes [W]. Areas of two classes are class 1's, of more the mean over all. */
export function scoreAll(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
): Scores {
  if (probabilities.length !== truth.length * classCount) {
    throw new DataError(
      `scores: ${probabilities.length} probabilities for ${truth.length} windows of ${classCount} classes. Give ${truth.length * classCount}.`,
    );
  }
  const matrix = confusionMatrix(truth, decideAll(probabilities, classCount), classCount);
  const positive = Float64Array.from({ length: truth.length }, (_, i) => probabilities[i * classCount + 1]!);
  return {
    balancedAccuracy: balancedAccuracy(matrix),
    auroc: classCount === 2 ? auroc(truth, positive) : macroAuroc(truth, probabilities, classCount),
    auprc:
      classCount === 2
        ? averagePrecision(truth, positive)
        : macroAveragePrecision(truth, probabilities, classCount),
    f1Macro: f1(matrix, 'macro'),
    f1Weighted: f1(matrix, 'weighted'),
    kappa: cohenKappa(matrix),
    accuracy: accuracy(matrix),
    ece: expectedCalibrationError(truth, probabilities, classCount),
    brier: brier(truth, probabilities, classCount),
  };
}
