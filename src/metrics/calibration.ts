/** Whether probabilities mean what they say: [W, K] against true classes [W]. */

export interface ReliabilityBin {
  /** Bounds of the confidence. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean confidence and share of right decisions; NaN in an empty bin. */
  readonly confidence: number;
  readonly accuracy: number;
}

/** Top-label confidence in bins of equal width, (low, high]; Guo et al. 2017. */
export function reliabilityBins(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
  binCount = 10,
): ReliabilityBin[] {
  const bins = Array.from({ length: binCount }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (let i = 0; i < truth.length; i++) {
    const top = decide(probabilities, i, classCount);
    const confidence = probabilities[i * classCount + top]!;
    const bin = bins[Math.min(binCount - 1, Math.max(0, Math.ceil(confidence * binCount) - 1))]!;
    bin.count++;
    bin.confidence += confidence;
    bin.right += Number(top === truth[i]);
  }
  return bins.map(({ count, confidence, right }, i) => ({
    low: i / binCount,
    high: (i + 1) / binCount,
    count,
    confidence: confidence / count,
    accuracy: right / count,
  }));
}

/** Expected calibration error: mean distance of confidence and accuracy over the bins, weighted by count. */
export function expectedCalibrationError(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
  binCount = 10,
): number {
  const bins = reliabilityBins(truth, probabilities, classCount, binCount).filter(({ count }) => count > 0);
  return (
    bins.reduce((sum, bin) => sum + bin.count * Math.abs(bin.confidence - bin.accuracy), 0) / truth.length
  );
}

/** Brier score: for two classes the mean of (p₁ − y)², as scikit-learn's; for more the mean of Σ (pₖ − yₖ)². */
export function brier(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
): number {
  let sum = 0;
  for (let i = 0; i < truth.length; i++) {
    for (let k = classCount === 2 ? 1 : 0; k < classCount; k++) {
      sum += (probabilities[i * classCount + k]! - Number(truth[i] === k)) ** 2;
    }
  }
  return sum / truth.length;
}

/** The class of a row with the highest probability; the lowest index among equals. */
export function decide(probabilities: ArrayLike<number>, row: number, classCount: number): number {
  let best = 0;
  for (let k = 1; k < classCount; k++) {
    if (probabilities[row * classCount + k]! > probabilities[row * classCount + best]!) best = k;
  }
  return best;
}
