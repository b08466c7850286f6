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

/** Windows in order of their confidence, prepared once for many weightings. */
export interface ConfidenceOrder {
  /** Window by falling confidence. */
  readonly order: Int32Array;
  /** Confidence, and share of right decisions among the windows of equal confidence, in that order. */
  readonly confidence: Float64Array;
  readonly accuracy: Float64Array;
}

/** Sort the windows by the probability of the class that is decided for. */
export function orderByConfidence(
  truth: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classCount: number,
): ConfidenceOrder {
  const tops = Int32Array.from({ length: truth.length }, (_, i) => decide(probabilities, i, classCount));
  const of = (i: number) => probabilities[i * classCount + tops[i]!]!;
  const order = Int32Array.from(tops.keys()).sort((a, b) => of(b) - of(a) || a - b);
  const confidence = Float64Array.from(order, of);
  const accuracy = Float64Array.from(order, (i) => Number(tops[i] === truth[i]));
  // Windows of equal confidence have no order: each stands for their mean.
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && confidence[end] === confidence[start]) end++;
    const mean = accuracy.subarray(start, end).reduce((sum, value) => sum + value, 0) / (end - start);
    accuracy.fill(mean, start, end);
    start = end;
  }
  return { order, confidence, accuracy };
}

/**
 * Expected calibration error over bins that hold equally many windows (Nguyen & O'Connor 2015), a window at a bound
 * counting in both by its parts. `weights`: how often each window counts, such as in a resample; once by default.
 */
export function equalMassCalibrationError(
  { order, confidence, accuracy }: ConfidenceOrder,
  binCount = 10,
  weights?: ArrayLike<number>,
): number {
  const weightOf = (rank: number) => (weights ? weights[order[rank]!]! : 1);
  let total = 0;
  for (let rank = 0; rank < order.length; rank++) total += weightOf(rank);
  const capacity = total / binCount;
  let [error, gap, room, bins] = [0, 0, capacity, 1];
  for (let rank = 0; rank < order.length; rank++) {
    let left = weightOf(rank);
    while (left > 0) {
      // The last bin takes what rounding leaves.
      const taken = bins === binCount ? left : Math.min(left, room);
      gap += taken * (confidence[rank]! - accuracy[rank]!);
      left -= taken;
      room -= taken;
      if (room > 0 || bins === binCount) continue;
      error += Math.abs(gap);
      [gap, room, bins] = [0, capacity, bins + 1];
    }
  }
  return (error + Math.abs(gap)) / total;
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
