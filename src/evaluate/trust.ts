/**
 * Whether a model knows what it does not know: its calibration before and after a temperature, and what it gains by
 * staying silent. Temperatures and thresholds are chosen on the validation windows of each fold and seed.
 */
import { bootstrapDraws, intervalOf } from '../metrics/bootstrap.ts';
import {
  brier,
  decide,
  equalMassCalibrationError,
  orderByConfidence,
  reliabilityBins,
} from '../metrics/calibration.ts';
import { balancedAccuracy, confusionMatrix } from '../metrics/confusion.ts';
import { type AbstentionGoal, answeredAt, chooseThreshold, riskCoverage } from '../metrics/risk-coverage.ts';
import { applyTemperature, fitTemperature, negativeLogLikelihood } from '../metrics/temperature.ts';
import { type Abstention, type Calibration, finite } from './result.ts';
import { rowsOf, type Tested, type Validated } from './tested.ts';

const goals: readonly AbstentionGoal[] = [
  ...[{ coverage: 0.9 }, { coverage: 0.75 }, { coverage: 0.5 }],
  ...[{ risk: 0.2 }, { risk: 0.1 }],
];
/** Points of the drawn curve. */
const curvePoints = 100;

/** Calibration and abstention of a model; nothing without validation windows. */
export function describeTrust(
  tested: Tested,
  classCount: number,
): { calibration: Calibration; abstention: Abstention } | undefined {
  const { validation = [], probabilities } = tested;
  if (validation.length === 0 || validation.some(({ truth }) => truth.length === 0)) return undefined;
  const scaled = probabilities.map((one) => one.slice());
  const scaledValidation: Validated[] = [];
  const temperatures = validation.map((part) => {
    const fit = fitTemperature(part.truth, part.probabilities, classCount);
    const own = applyTemperature(rowsOf(probabilities[part.seed]!, part.rows, classCount), classCount, fit);
    for (const [i, row] of part.rows.entries())
      scaled[part.seed]!.set(own.subarray(i * classCount, (i + 1) * classCount), row * classCount);
    scaledValidation.push({
      ...part,
      probabilities: applyTemperature(part.probabilities, classCount, fit),
    });
    return Number(fit.temperature.toPrecision(6));
  });
  const after: Tested = { ...tested, probabilities: scaled, validation: scaledValidation };
  return {
    calibration: {
      temperatures,
      before: describeCalibration(tested, classCount),
      after: describeCalibration(after, classCount),
    },
    abstention: describeAbstention(after, classCount),
  };
}

/** Means over the seeds; the bins hold the windows of all of them. */
export function describeCalibration(
  { truth, subject, probabilities }: Tested,
  classCount: number,
): Calibration['before'] {
  const orders = probabilities.map((one) => orderByConfidence(truth, one, classCount));
  const { whole, draws } = bootstrapDraws(subject, (indices) => {
    const weights = new Int32Array(truth.length);
    for (const i of indices) weights[i]!++;
    return [mean(orders.map((order) => equalMassCalibrationError(order, 10, weights)))];
  });
  const error = whole[0]!;
  // Drawing windows again adds chance to every bin and so raises the error: the draws are moved back by that much.
  const raised = mean([...draws[0]!]) - error;
  const moved = draws[0]!.map((value) => Math.max(0, value - raised));
  const { low, high } = intervalOf(error, moved);
  const every = {
    truth: probabilities.flatMap(() => [...truth]),
    probabilities: probabilities.flatMap((one) => [...one]),
  };
  return {
    nll: finite(mean(probabilities.map((one) => negativeLogLikelihood(truth, one, classCount)))),
    brier: finite(mean(probabilities.map((one) => brier(truth, one, classCount)))),
    ece: { mean: finite(error), low: finite(low), high: finite(high) },
    reliability: reliabilityBins(every.truth, every.probabilities, classCount)
      .filter(({ count }) => count > 0)
      .map(({ confidence, accuracy, count }) => ({ confidence, accuracy, count })),
  };
}

function describeAbstention(tested: Tested, classCount: number): Abstention {
  const { truth, probabilities } = tested;
  const curves = probabilities.map((one) => riskCoverage(truth, one, classCount));
  const points = Math.min(curvePoints, truth.length);
  const places = Array.from({ length: points }, (_, i) => Math.ceil(((i + 1) / points) * truth.length) - 1);
  const digits = (value: number) => Number(value.toPrecision(6));
  return {
    coverage: places.map((place) => digits((place + 1) / truth.length)),
    risk: places.map((place) => finite(digits(mean(curves.map(({ risk }) => risk[place]!))))),
    aurc: finite(mean(curves.map(({ aurc }) => aurc))),
    leastAurc: finite(mean(curves.map(({ leastAurc }) => leastAurc))),
    choices: goals.map((goal) => abstain(tested, goal, classCount)),
  };
}

/** What a threshold that validation has chosen gives on the tested windows: all seeds' answers together. */
function abstain(
  { truth, probabilities, validation = [] }: Tested,
  goal: AbstentionGoal,
  classCount: number,
): Abstention['choices'][number] {
  const thresholds: number[] = [];
  const [right, decided]: [number[], number[]] = [[], []];
  let count = 0;
  for (const part of validation) {
    const threshold = chooseThreshold(part.truth, part.probabilities, classCount, goal);
    thresholds.push(threshold);
    count += part.rows.length;
    const own = rowsOf(probabilities[part.seed]!, part.rows, classCount);
    for (const i of answeredAt(own, classCount, threshold)) {
      right.push(truth[part.rows[i]!]!);
      decided.push(decide(own, i, classCount));
    }
  }
  const wrong = decided.filter((answer, i) => answer !== right[i]).length;
  return {
    ...('coverage' in goal
      ? { goal: 'coverage' as const, value: goal.coverage }
      : { goal: 'risk' as const, value: goal.risk }),
    threshold: finite(mean(thresholds)),
    coverage: decided.length / count,
    risk: finite(wrong / decided.length),
    balancedAccuracy: finite(balancedAccuracy(confusionMatrix(right, decided, classCount))),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
