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

/** Labels [W, K], NaN where unknown, against probabilities: mean binary cross-entropy, macro AUROC over labels of both kinds. */
export function scoreLabels(
  truth: Float64Array,
  probabilities: Float32Array,
  width: number,
): { readonly loss: number; readonly auroc: number } {
  let [loss, count] = [0, 0];
  for (const [i, value] of truth.entries()) {
    if (Number.isNaN(value)) continue;
    const p = Math.min(1 - 1e-7, Math.max(1e-7, probabilities[i]!));
    loss -= value > 0 ? Math.log(p) : Math.log(1 - p);
    count++;
  }
  const areas: number[] = [];
  for (let k = 0; k < width; k++) {
    const own = Array.from({ length: truth.length / width }, (_, i) => i * width + k);
    const known = own.filter((i) => !Number.isNaN(truth[i]!));
    const area = auroc(
      known.map((i) => truth[i]!),
      known.map((i) => probabilities[i]!),
    );
    if (Number.isFinite(area)) areas.push(area);
  }
  return { loss: loss / count, auroc: areas.reduce((sum, area) => sum + area, 0) / areas.length };
}

/** Numbers [W], NaN where unknown, against what is told: mean squared error, R² against their mean, mean absolute error. */
export function scoreNumbers(
  truth: Float64Array,
  told: Float32Array,
): { readonly loss: number; readonly r2: number; readonly mae: number } {
  const known = Array.from(truth.keys()).filter((i) => !Number.isNaN(truth[i]!));
  const mean = known.reduce((sum, i) => sum + truth[i]!, 0) / known.length;
  let [squares, absolute, spread] = [0, 0, 0];
  for (const i of known) {
    squares += (truth[i]! - told[i]!) ** 2;
    absolute += Math.abs(truth[i]! - told[i]!);
    spread += (truth[i]! - mean) ** 2;
  }
  return { loss: squares / known.length, r2: 1 - squares / spread, mae: absolute / known.length };
}
