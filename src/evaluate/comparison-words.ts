/** Comparisons in words that one can understand without a textbook, for the report and the terminal. */
import { significanceLevel } from './comparisons.ts';
import { isLowerBetter } from './model-names.ts';
import { type Question, questions } from './question-families.ts';
import type { Comparison, Result } from './result.ts';
import { formatSpread, spreadOf, spreadOfDifference } from './score-spread.ts';

/** Names of the scores, in the order of tables. */
export const scoreTitles: Readonly<Record<string, string>> = {
  balancedAccuracy: 'balanced accuracy',
  auroc: 'AUROC',
  auprc: 'AUC-PR',
  f1Macro: 'F1 macro',
  f1Weighted: 'F1 weighted',
  kappa: "Cohen's κ",
  accuracy: 'accuracy',
  ece: 'ECE',
  brier: 'Brier',
};

/** What the comparison shows. */
export type Verdict = 'better' | 'worse' | 'not shown' | 'too few people';

/** The verdict of a comparison; the test's p adjusted over its family decides, and the people's mean gives the side. */
export function verdictOf({ score, subjects, test }: Comparison): Verdict {
  const { adjusted, smallest, family } = test;
  if (adjusted === null) return 'too few people';
  if (adjusted < significanceLevel)
    return (subjects.mean ?? 0) > 0 === !isLowerBetter(score) ? 'better' : 'worse';
  return smallest * family > significanceLevel ? 'too few people' : 'not shown';
}

/** What follows from it, as a clause: *better within people (p = .012 over 3 comparisons: deep against classical)*. */
export function explainVerdict(comparison: Comparison): string {
  const { subjects, test } = comparison;
  if (subjects.count === 0) return 'not tested: the score is not defined within any one person';
  if (test.adjusted === null) return 'not tested';
  const many = test.family === 1 ? '' : ` over ${describeFamily(test)}`;
  const p = `p ${probability(test.adjusted)}${many}`;
  const verdict = verdictOf(comparison);
  switch (verdict) {
    case 'better':
    case 'worse':
      return `${verdict} within people (${p})`;
    case 'not shown':
      return `no difference within people shown (${p})`;
    case 'too few people':
      return `too few people for ${describeFamily(test)}; with ${subjects.count} the smallest adjusted p is ${fraction(Math.min(1, test.smallest * test.family))}`;
  }
}

/** That there are too few people for any test, and why; nothing where a test was made. */
export function warnOfFewPeople(comparisons: readonly Comparison[]): string | undefined {
  const most = comparisons.toSorted((a, b) => b.subjects.count - a.subjects.count)[0];
  if (!most || most.test.p !== null || most.subjects.count === 0) return undefined;
  const { count } = most.subjects;
  return `${count} test ${count === 1 ? 'person is' : 'people are'} too few to show that a model is better: even one that is better on everyone has a p of ${fraction(most.test.smallest)}. Read the differences as descriptions of these people.`;
}

/** The tests that a p is adjusted over: *3 comparisons (deep against classical)*; of one, only the question. */
export function describeFamily({ family, question }: Comparison['test']): string {
  const asked = question === undefined ? undefined : questions[question as Question];
  const words = asked === undefined ? '' : ` (${asked})`;
  return `${family} comparison${family === 1 ? '' : 's'}${words}`;
}

/**
 * One line: who against whom, by how much over all windows and within a person, for how many of the tested `people`, and,
 * where a test was made, what follows.
 */
export function describeComparison(comparison: Comparison, tested: number): string {
  const { score, model, against, kind, difference, subjects, test } = comparison;
  const spread = formatSpread(spreadOf(spreadOfDifference(comparison), tested), signed);
  const terms = kind === 'transductive baseline' ? ' (which sees all of a person at once)' : '';
  const people =
    subjects.count === 0
      ? ''
      : `; within a person ${signed(subjects.mean)} on average, better on ${subjects.better} and worse on ${subjects.worse} of ${subjects.count} people`;
  const verdict = test.adjusted === null && subjects.count > 0 ? '' : `; ${explainVerdict(comparison)}`;
  const pooled = `${signed(difference.mean)} ${spread}`.trimEnd();
  return `${model} against ${against}${terms}: ${scoreTitles[score] ?? score} ${pooled} over all windows${people}${verdict}`;
}

/**
 * The comparisons that decide what a table says, in one score: each deep model against the best baseline on equal terms,
 * the best of the others, and the single modality.
 */
export function comparisonsThatMatter(
  { comparisons = [], models }: Pick<Result, 'comparisons' | 'models'>,
  score = 'balancedAccuracy',
): Comparison[] {
  const own = comparisons.filter((one) => one.score === score);
  const sign = isLowerBetter(score) ? -1 : 1;
  const skill = (name: string) => sign * (models[name]?.[score]?.mean ?? Number.NEGATIVE_INFINITY);
  return [...new Set(own.map(({ model }) => model))].flatMap((model) =>
    (['baseline', 'transductive baseline', 'single modality', 'first rung'] as const).flatMap((kind) =>
      own
        .filter((one) => one.model === model && one.kind === kind)
        .sort((a, b) => skill(b.against) - skill(a.against))
        .slice(0, 1),
    ),
  );
}

/** `+.031`, `−.002`; – where there is none. */
export function signed(value: number | null): string {
  if (value === null) return '–';
  const text = Math.abs(value).toFixed(3).replace(/^0\./, '.');
  return text === '.000' ? text : `${value < 0 ? '−' : '+'}${text}`;
}

/** `= .012`, `< .001`. */
export function probability(p: number): string {
  return p < 0.001 ? '< .001' : `= ${p.toFixed(3).replace(/^0\./, '.')}`;
}

/** `1/8` where it is one, three digits otherwise. */
function fraction(p: number): string {
  const inverse = 1 / p;
  return Number.isInteger(inverse) && inverse > 1 ? `1/${inverse}` : p.toFixed(3).replace(/^0\./, '.');
}
