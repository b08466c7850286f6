/**
 * Which of two models is better for people, and how sure that is: differences over the same subjects, with intervals,
 * effect sizes and a permutation test, adjusted over the comparisons that answer the same question (Holm).
 */
import { maxOf } from '../core/arrays.ts';
import { intervalOf } from '../metrics/bootstrap.ts';
import { cohenDz, hodgesLehmann, rankBiserial } from '../metrics/effect-size.ts';
import { signFlipTest, smallestPermutationP } from '../metrics/permutation.ts';
import { type ScoreName, type Scores, scoreAll } from '../metrics/scores.ts';
import {
  isBaseline,
  isLowerBetter,
  isRung,
  isSingleModality,
  isTestedWithout,
  isTransductive,
} from './model-names.ts';
import { adjustComparisons, questionOf } from './question-families.ts';
import { type Comparison, finite } from './result.ts';
import type { ScoreDraws } from './score-draws.ts';
import { hasInterval } from './score-spread.ts';
import type { Tested } from './tested.ts';

/** The scores that are compared. */
export const comparedScores = ['balancedAccuracy', 'auroc', 'auprc', 'brier'] as const;

/** A test that could not come below this whatever happened is not made. */
export const significanceLevel = 0.05;

export type Pair = Pick<Comparison, 'model' | 'against' | 'kind'>;

/** What is known of a model; of scores, those that are compared. */
export interface Compared {
  readonly draws: Pick<ScoreDraws, 'mean'>;
  /** In the same order for every model; by seed, NaN where a score is not defined within the subject. */
  readonly subjects: readonly { readonly scores: readonly Partial<Scores>[] }[];
}

/**
 * Each deep model against each baseline, each of both modalities against the single ones given, and each rung of a ladder
 * against its first. The majority is left out beside the class prior: both decide and rank alike; so are models tested
 * without a modality, of which nobody asks whether they are the better ones.
 */
export function planPairs(models: readonly string[], singles: readonly string[]): Pair[] {
  const baselines = models.filter(
    (name) => isBaseline(name) && !(name === 'majority' && models.includes('prior')),
  );
  const first = models.find(isRung);
  return models
    .filter((name) => !isBaseline(name) && !isTestedWithout(name))
    .flatMap((model): Pair[] => [
      ...(first !== undefined && isRung(model) && model !== first
        ? [{ model, against: first, kind: 'first rung' as const }]
        : []),
      ...(isSingleModality(model)
        ? []
        : singles.map((against) => ({ model, against, kind: 'single modality' as const }))),
      ...baselines.map((against) => ({
        ...{ model, against },
        kind: isTransductive(against) ? ('transductive baseline' as const) : ('baseline' as const),
      })),
    ]);
}

/**
 * The single modality to beat: the better one by the area under the ROC curve on the validation windows, so that the test
 * does not choose. All of them where there is no validation.
 */
export function bestSingles(predictions: ReadonlyMap<string, Tested>, classCount: number): string[] {
  const singles = [...predictions.keys()].filter(isSingleModality);
  const skill = singles.map((name) => {
    const parts = predictions.get(name)!.validation ?? [];
    const areas = parts
      .map(({ truth, probabilities }) => scoreAll(truth, probabilities, classCount).auroc)
      .filter(Number.isFinite);
    return areas.reduce((sum, value) => sum + value, 0) / areas.length;
  });
  if (!skill.every(Number.isFinite)) return singles;
  return singles.slice(skill.indexOf(maxOf(skill))).slice(0, 1);
}

/** Compare pairs of models in every score, in the order of the scores. */
export function compareModels(
  models: ReadonlyMap<string, Compared>,
  pairs: readonly Pair[],
  scores: readonly ScoreName[] = comparedScores,
): Comparison[] {
  return adjustComparisons(scores.flatMap((score) => pairs.map((pair) => comparePair(models, pair, score))));
}

/** One pair in one score, its test not adjusted. */
export function comparePair(models: ReadonlyMap<string, Compared>, pair: Pair, score: ScoreName): Comparison {
  const [a, b] = [models.get(pair.model)!, models.get(pair.against)!];
  const [first, second] = [a.draws.mean(score), b.draws.mean(score)];
  const whole = intervalOf(
    first.whole - second.whole,
    first.draws.map((value, sample) => value - second.draws[sample]!),
  );
  const differences = a.subjects
    .map((person, i) => meanOf(person, score) - meanOf(b.subjects[i]!, score))
    .filter(Number.isFinite)
    .map((value) => (Math.abs(value) < 1e-12 ? 0 : value)); // means over seeds differ in their last digits
  const favour = isLowerBetter(score) ? differences.map((value) => 0 - value) : differences;
  const { estimate, low, high, level } = hodgesLehmann(differences);
  const smallest = smallestPermutationP(differences.length);
  return {
    ...{ score, ...pair },
    difference: {
      ...{ mean: finite(whole.mean), low: finite(whole.low), high: finite(whole.high) },
      ...(hasInterval(a.subjects.length) ? {} : { people: differences.map(finite) }),
    },
    subjects: {
      count: differences.length,
      better: favour.filter((value) => value > 0).length,
      worse: favour.filter((value) => value < 0).length,
      mean: finite(differences.reduce((sum, value) => sum + value / differences.length, 0)),
      typical: {
        ...{ estimate: finite(estimate), low: finite(low), high: finite(high), level: finite(level) },
      },
      rankBiserial: differences.length === 0 ? null : finite(rankBiserial(favour)),
      dz: finite(cohenDz(favour)),
    },
    test: {
      p: smallest > significanceLevel ? null : signFlipTest(differences).p,
      ...{ adjusted: null, smallest, family: 0, question: questionOf(pair) },
    },
  };
}

/** A subject's score, mean over the seeds. */
function meanOf({ scores }: Compared['subjects'][number], score: ScoreName): number {
  return scores.reduce((sum, one) => sum + one[score]! / scores.length, 0);
}
