/** Predictions of tested windows → scores with intervals, per window and per trial, and the details that a report draws. */

import { bootstrapAll } from '../metrics/bootstrap.ts';
import { reliabilityBins } from '../metrics/calibration.ts';
import { confusionMatrix } from '../metrics/confusion.ts';
import { rocCurve } from '../metrics/ranking.ts';
import { decideAll, type ScoreName, scoreAll, scoreNames } from '../metrics/scores.ts';
import { finite, type ModelDetails, type Result, type ScoreInterval } from './result.ts';

/** What was predicted, window by window or trial by trial. */
export interface Tested {
  readonly truth: Int32Array;
  readonly subject: readonly string[];
  /** Class probabilities [W, K] of each seed. */
  readonly probabilities: readonly Float64Array[];
}

/** Scores of one model: means over the seeds, and intervals for new subjects. */
export function summariseScores(
  { truth, subject, probabilities }: Tested,
  classCount: number,
): Record<ScoreName, ScoreInterval> {
  const statistics = (indices: Int32Array): number[] => {
    const labels = Int32Array.from(indices, (i) => truth[i]!);
    const scores = probabilities.map((one) => scoreAll(labels, rowsOf(one, indices, classCount), classCount));
    return scoreNames.map((name) => scores.reduce((sum, score) => sum + score[name] / scores.length, 0));
  };
  const intervals = bootstrapAll(subject, statistics);
  return Object.fromEntries(
    scoreNames.map((name, k) => {
      const { mean, low, high } = intervals[k]!;
      return [name, { mean: finite(mean), low: finite(low), high: finite(high) }];
    }),
  ) as Record<ScoreName, ScoreInterval>;
}

/** One row a trial: the mean of its windows' probabilities. Trials are named apart by subject and label. */
export function groupByTrial(tested: Tested, trial: readonly string[], classCount: number): Tested {
  const groups = new Map<string, number[]>();
  for (const [i, name] of trial.entries()) {
    const key = `${tested.subject[i]}\n${name}\n${tested.truth[i]}`;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  const rows = [...groups.values()];
  return {
    truth: Int32Array.from(rows, ([first]) => tested.truth[first!]!),
    subject: rows.map(([first]) => tested.subject[first!]!),
    probabilities: tested.probabilities.map((one) =>
      Float64Array.from({ length: rows.length * classCount }, (_, at) => {
        const indices = rows[Math.floor(at / classCount)]!;
        const sum = indices.reduce((total, i) => total + one[i * classCount + (at % classCount)]!, 0);
        // Equal probabilities must stay equal whatever the number of windows: ties count in a ranking.
        return Number((sum / indices.length).toPrecision(12));
      }),
    ),
  };
}

/** Confusion, ROC and reliability of the first seed; scores of each subject (first seed) and of each seed. */
export function describeModel({ truth, subject, probabilities }: Tested, classCount: number): ModelDetails {
  const [first] = probabilities;
  const positive = Float64Array.from(truth, (_, i) => first![i * classCount + 1]!);
  const roc = classCount === 2 ? rocCurve(truth, positive) : null;
  const people = [...new Set(subject)].sort();
  return {
    confusion: confusionMatrix(truth, decideAll(first!, classCount), classCount),
    roc: roc && {
      falsePositiveRate: roc.falsePositiveRate.map(finite),
      truePositiveRate: roc.truePositiveRate.map(finite),
    },
    reliability: reliabilityBins(truth, first!, classCount)
      .filter(({ count }) => count > 0)
      .map(({ confidence, accuracy, count }) => ({ confidence, accuracy, count })),
    perSubject: people.map((person) => {
      const indices = Int32Array.from([...subject.keys()].filter((i) => subject[i] === person));
      const labels = Int32Array.from(indices, (i) => truth[i]!);
      const { accuracy, balancedAccuracy, auroc } = scoreAll(
        labels,
        rowsOf(first!, indices, classCount),
        classCount,
      );
      return {
        subject: person,
        windows: indices.length,
        accuracy: finite(accuracy),
        balancedAccuracy: finite(balancedAccuracy),
        auroc: finite(auroc),
      };
    }),
    perSeed: probabilities.map((one) =>
      Object.fromEntries(
        Object.entries(scoreAll(truth, one, classCount)).map(([name, score]) => [name, finite(score)]),
      ),
    ),
  };
}

/** All of a result that follows from predictions, by model in the given order. */
export function summarisePredictions(
  predictions: ReadonlyMap<string, Tested>,
  trial: readonly string[],
  classCount: number,
): Pick<Result, 'models' | 'trials' | 'details'> {
  const models: Result['models'] = {};
  const trials: Result['trials'] = {};
  const details: Result['details'] = {};
  for (const [name, tested] of predictions) {
    models[name] = summariseScores(tested, classCount);
    trials[name] = summariseScores(groupByTrial(tested, trial, classCount), classCount);
    details[name] = describeModel(tested, classCount);
  }
  return { models, trials, details };
}

function rowsOf(probabilities: Float64Array, indices: Int32Array, classCount: number): Float64Array {
  const rows = new Float64Array(indices.length * classCount);
  for (const [row, index] of indices.entries())
    for (let k = 0; k < classCount; k++) rows[row * classCount + k] = probabilities[index * classCount + k]!;
  return rows;
}
