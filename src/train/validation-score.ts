/** Scores that choose the best epoch: class probabilities [W, K] and labels → loss, balanced accuracy, AUROC. */
import { balancedAccuracy, confusionMatrix } from '../metrics/confusion.ts';
import { auroc, macroAuroc } from '../metrics/ranking.ts';
import { decideAll } from '../metrics/scores.ts';

export interface ValidationScores {
  /** Mean cross-entropy, without smoothing and class weights. */
  readonly loss: number;
  readonly balancedAccuracy: number;
  /** Of class 1 where there are two, else the mean of every class against the rest. NaN where a class is absent. */
  readonly auroc: number;
}

/** Score probabilities [W, K], row by row, against labels [W]. */
export function scoreValidation(
  labels: Int32Array,
  probabilities: Float32Array,
  classes: number,
): ValidationScores {
  let loss = 0;
  for (const [i, label] of labels.entries())
    loss -= Math.log(Math.max(probabilities[i * classes + label]!, 1e-12)) / labels.length; // a float32 probability may be 0
  const positive = Float64Array.from(labels, (_, i) => probabilities[i * classes + 1]!);
  return {
    loss,
    balancedAccuracy: balancedAccuracy(confusionMatrix(labels, decideAll(probabilities, classes), classes)),
    auroc: classes === 2 ? auroc(labels, positive) : macroAuroc(labels, probabilities, classes),
  };
}
