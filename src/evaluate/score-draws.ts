/** Scores of a model on all tested windows, on every resample of subjects, and within each subject: once, for all uses. */
import { type BootstrapDraws, bootstrapDraws } from '../metrics/bootstrap.ts';
import { type ScoreName, type Scores, scoreAll, scoreNames } from '../metrics/scores.ts';
import { rowsBySubject, rowsOf, type Tested } from './tested.ts';

export interface ScoreDraws {
  /** Of one score: [seed] on all windows, [seed][sample] on the resamples, which are the same for every model. */
  readonly bySeed: (score: ScoreName) => BootstrapDraws;
  /** The mean over the seeds: on all windows, and [sample]. */
  readonly mean: (score: ScoreName) => { readonly whole: number; readonly draws: Float64Array };
}

/** Score a model everywhere. */
export function drawScores({ truth, subject, probabilities }: Tested, classCount: number): ScoreDraws {
  const { whole, draws } = bootstrapDraws(subject, (indices) => {
    const labels = Int32Array.from(indices, (i) => truth[i]!);
    return probabilities.flatMap((one) => {
      const scores = scoreAll(labels, rowsOf(one, indices, classCount), classCount);
      return scoreNames.map((name) => scores[name]);
    });
  });
  const bySeed = (score: ScoreName): BootstrapDraws => {
    const places = probabilities.map((_, seed) => seed * scoreNames.length + scoreNames.indexOf(score));
    return { whole: places.map((at) => whole[at]!), draws: places.map((at) => draws[at]!) };
  };
  const mean = (score: ScoreName) => {
    const seeds = bySeed(score);
    const over = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);
    return {
      whole: over(seeds.whole),
      draws: Float64Array.from(draws[0]!, (_, sample) => over(seeds.draws.map((one) => one[sample]!))),
    };
  };
  return { bySeed, mean };
}

export interface SubjectScores {
  readonly subject: string;
  readonly windows: number;
  /** By seed; NaN where a score is not defined within the subject. */
  readonly scores: readonly Scores[];
}

/** Scores within each subject, in order of their names. */
export function scoreSubjects(
  { truth, subject, probabilities }: Tested,
  classCount: number,
): SubjectScores[] {
  return Array.from(rowsBySubject(subject), ([person, rows]) => {
    const labels = rows.map((i) => truth[i]!);
    return {
      subject: person,
      windows: rows.length,
      scores: probabilities.map((one) => scoreAll(labels, rowsOf(one, rows, classCount), classCount)),
    };
  });
}
