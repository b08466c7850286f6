/** Predictions of tested windows → scores with intervals, comparisons, and the details that a report draws. */
import { intervalOf } from '../metrics/bootstrap.ts';
import { reliabilityBins } from '../metrics/calibration.ts';
import { confusionMatrix } from '../metrics/confusion.ts';
import { rocCurve } from '../metrics/ranking.ts';
import { decideAll, type ScoreName, scoreAll, scoreNames } from '../metrics/scores.ts';
import { intervalOfBoth, standardDeviation, varianceComponents } from '../metrics/variance.ts';
import { bestSingles, type Compared, compareModels, planPairs } from './comparisons.ts';
import { isTrivial } from './model-names.ts';
import { finite, type ModelDetails, type Result, type ScoreInterval, type Spread } from './result.ts';
import { drawScores, type ScoreDraws, type SubjectScores, scoreSubjects } from './score-draws.ts';
import { hasInterval } from './score-spread.ts';
import { groupByTrial, type Tested } from './tested.ts';
import { describeTrust } from './trust.ts';

/** Scores whose spread over seeds and subjects is told apart. */
const spreadScores = ['balancedAccuracy', 'auroc'] as const;

/** Scores of one model: means over the seeds, and intervals for new subjects. */
export function summariseScores(tested: Tested, classCount: number): Record<ScoreName, ScoreInterval> {
  return summariseDraws(drawScores(tested, classCount), scoreSubjects(tested, classCount));
}

function summariseDraws(
  draws: ScoreDraws,
  subjects: readonly SubjectScores[],
): Record<ScoreName, ScoreInterval> {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);
  return Object.fromEntries(
    scoreNames.map((name) => {
      const { whole, draws: resampled } = draws.mean(name);
      const people = subjects.map(({ scores }) => finite(meanOf(scores.map((one) => one[name]))));
      return [
        name,
        { ...plain(intervalOf(whole, resampled)), ...(hasInterval(people.length) ? {} : { people }) },
      ];
    }),
  ) as Record<ScoreName, ScoreInterval>;
}

/** Confusion, ROC and reliability of the first seed; scores of each subject (first seed) and of each seed. */
export function describeModel(
  tested: Tested,
  classCount: number,
  subjects: readonly SubjectScores[] = scoreSubjects(tested, classCount),
): ModelDetails {
  const { truth, probabilities } = tested;
  const [first] = probabilities;
  const positive = Float64Array.from(truth, (_, i) => first![i * classCount + 1]!);
  const roc = classCount === 2 ? rocCurve(truth, positive) : null;
  return {
    confusion: confusionMatrix(truth, decideAll(first!, classCount), classCount),
    roc: roc && {
      falsePositiveRate: roc.falsePositiveRate.map(finite),
      truePositiveRate: roc.truePositiveRate.map(finite),
    },
    reliability: reliabilityBins(truth, first!, classCount)
      .filter(({ count }) => count > 0)
      .map(({ confidence, accuracy, count }) => ({ confidence, accuracy, count })),
    perSubject: subjects.map(({ subject, windows, scores }) => ({
      ...{ subject, windows },
      accuracy: finite(scores[0]!.accuracy),
      balancedAccuracy: finite(scores[0]!.balancedAccuracy),
      auroc: finite(scores[0]!.auroc),
      bySeed: scores.map(({ balancedAccuracy }) => finite(balancedAccuracy)),
    })),
    perSeed: probabilities.map((one) =>
      Object.fromEntries(
        Object.entries(scoreAll(truth, one, classCount)).map(([name, score]) => [name, finite(score)]),
      ),
    ),
  };
}

/** How far a score moves with the seed, and how far with who is tested. */
export function describeSpread(
  { draws, subjects }: { readonly draws: ScoreDraws; readonly subjects: readonly SubjectScores[] },
  score: ScoreName,
): Spread {
  const bySeed = draws.bySeed(score);
  const cells = subjects
    .map(({ scores }) => scores.map((one) => one[score]))
    .filter((row) => row.every(Number.isFinite));
  const { subject, seed, residual } = varianceComponents(cells);
  return {
    seedDeviation: finite(standardDeviation(bySeed.whole)),
    both: plain(intervalOfBoth(bySeed)),
    components: {
      subject: finite(Math.sqrt(subject)),
      seed: finite(Math.sqrt(seed)),
      residual: finite(Math.sqrt(residual)),
    },
  };
}

type Summary = Pick<
  Result,
  'models' | 'trials' | 'details' | 'comparisons' | 'calibration' | 'abstention' | 'spread'
>;

/** All of a result that follows from predictions, by model in the given order. */
export function summarisePredictions(
  predictions: ReadonlyMap<string, Tested>,
  trial: readonly string[],
  classCount: number,
): Summary {
  const models: Result['models'] = {};
  const trials: Result['trials'] = {};
  const details: Result['details'] = {};
  const calibration: NonNullable<Result['calibration']> = {};
  const abstention: NonNullable<Result['abstention']> = {};
  const spread: NonNullable<Result['spread']> = {};
  const compared = new Map<string, Compared>();
  for (const [name, tested] of predictions) {
    const known = { draws: drawScores(tested, classCount), subjects: scoreSubjects(tested, classCount) };
    compared.set(name, known);
    models[name] = summariseDraws(known.draws, known.subjects);
    trials[name] = summariseScores(groupByTrial(tested, trial, classCount), classCount);
    details[name] = describeModel(tested, classCount, known.subjects);
    const trust = isTrivial(name) ? undefined : describeTrust(tested, classCount);
    if (trust) [calibration[name], abstention[name]] = [trust.calibration, trust.abstention];
    if (tested.probabilities.length > 1)
      spread[name] = Object.fromEntries(spreadScores.map((score) => [score, describeSpread(known, score)]));
  }
  const pairs = planPairs([...predictions.keys()], bestSingles(predictions, classCount));
  const comparisons = compareModels(compared, pairs);
  return { models, trials, details, comparisons, calibration, abstention, spread };
}

function plain({ mean, low, high }: { mean: number; low: number; high: number }): ScoreInterval {
  return { mean: finite(mean), low: finite(low), high: finite(high) };
}
