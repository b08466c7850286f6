/**
 * Scores that choose the best epoch: class probabilities [W, K] and labels → loss, balanced accuracy, AUROC. For choosing
 * only; what is reported comes from metrics/.
 */

export interface ValidationScores {
  /** Mean cross-entropy, without smoothing and class weights. */
  readonly loss: number;
  /** Mean recall over the classes present. */
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
  const right = new Float64Array(classes);
  const total = new Float64Array(classes);
  let loss = 0;
  for (const [i, label] of labels.entries()) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    let best = 0;
    for (let k = 1; k < classes; k++) if (row[k]! > row[best]!) best = k;
    total[label]!++;
    if (best === label) right[label]!++;
    loss -= Math.log(Math.max(row[label]!, 1e-12)) / labels.length; // 1e-12: a float32 probability may be 0
  }
  const recalls = [...right].flatMap((n, k) => (total[k]! > 0 ? [n / total[k]!] : []));
  const one = (k: number) => areaUnderRoc(labels, probabilities, classes, k);
  const areas = classes === 2 ? [one(1)] : Array.from({ length: classes }, (_, k) => one(k));
  return { loss, balancedAccuracy: mean(recalls), auroc: mean(areas) };
}

/** Mann–Whitney's U over the product of the class sizes; ties count half. */
function areaUnderRoc(labels: Int32Array, probabilities: Float32Array, classes: number, k: number): number {
  const rows = Array.from(labels, (label, i) => ({
    positive: label === k,
    score: probabilities[i * classes + k]!,
  })).sort((a, b) => a.score - b.score);
  const positives = rows.filter(({ positive }) => positive).length;
  const negatives = rows.length - positives;
  let ranks = 0;
  for (let start = 0; start < rows.length; ) {
    let end = start;
    while (end < rows.length && rows[end]!.score === rows[start]!.score) end++;
    const rank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) if (rows[i]!.positive) ranks += rank;
    start = end;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
