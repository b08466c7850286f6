/**
 * How the spread of a score over people is shown: a 95 % interval where enough people were tested, else the score of
 * each person. Every table, page and chart asks here, so that no interval of few people is called 95 %.
 */
import rule from './interval-rule.json' with { type: 'json' };
import type { Comparison, Result, ScoreInterval } from './result.ts';

/** Fewest tested people, or stimuli where those are drawn, whose interval is shown; the file says why. */
export const fewestForInterval: number = rule.fewestPeople;

/** May an interval over so many people be called 95 %? */
export function hasInterval(people: number): boolean {
  return people >= fewestForInterval;
}

export type ShownSpread =
  | { readonly kind: 'interval'; readonly low: number; readonly high: number }
  /** Ascending scores of the people in whom the score is defined. */
  | { readonly kind: 'people'; readonly points: readonly number[] }
  /** The lowest and the highest person, where the others were not kept. */
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'none' };

/** A score, or a difference of scores, with what was kept of single people. */
export type SpreadScore = ScoreInterval & { readonly range?: readonly [number, number] | undefined };

/** What is shown beside a score of so many tested people. */
export function spreadOf({ low, high, people = [], range }: SpreadScore, count: number): ShownSpread {
  if (hasInterval(count)) return low === null || high === null ? none : { kind: 'interval', low, high };
  const points = people.filter((value) => value !== null).sort((a, b) => a - b);
  if (points.length > 0) return { kind: 'people', points };
  return range ? { kind: 'range', low: range[0], high: range[1] } : none;
}

const none: ShownSpread = { kind: 'none' };

/** So many single points are written one by one; more are written as their range. */
const maximumPoints = 5;

/** `[.405, .771]`, `(.42 .55 .70 .77)`, `(.42 to .77)`, or nothing; `digits` writes one number, up to `most` points singly. */
export function formatSpread(
  shown: ShownSpread,
  digits: (value: number) => string,
  most = maximumPoints,
): string {
  switch (shown.kind) {
    case 'interval':
      return `[${digits(shown.low)}, ${digits(shown.high)}]`;
    case 'people': {
      const { points } = shown;
      return points.length > most
        ? `(${digits(points[0]!)} to ${digits(points.at(-1)!)})`
        : `(${points.map((value) => digits(value)).join(' ')})`;
    }
    case 'range':
      return `(${digits(shown.low)} to ${digits(shown.high)})`;
    case 'none':
      return '';
  }
}

/** `.608 [.405, .771]`, `.608 (.42 .55 .70 .77)`; – where there is no score. */
export function formatScore(score: SpreadScore, count: number, digits: (value: number) => string): string {
  if (score.mean === null) return '–';
  return `${digits(score.mean)} ${formatSpread(spreadOf(score, count), digits)}`.trimEnd();
}

/** What stands in brackets: *95 % intervals, people drawn again*, or whose scores they are. */
export function explainSpread(count: number, { drawn = 'people', also = '' } = {}): string {
  if (hasInterval(count)) return `in [ ]: 95 % interval, ${drawn}${also} drawn again`;
  const one = drawn === 'stimuli' ? 'stimulus' : 'person';
  return `in ( ): each tested ${one}'s own score, lowest to highest; ${count} tested ${drawn} are too few for a 95 % interval (fewest: ${fewestForInterval})`;
}

/** Why few people get no interval, in a sentence or two, for pages; nothing where there are enough. */
export function warnOfNoInterval(count: number): string | undefined {
  if (hasInterval(count)) return undefined;
  return `${count} tested ${count === 1 ? 'person is' : 'people are'} too few for a 95 % interval: drawn again, so few people cover the true score far less often than that (docs/statistics.md). Each person's own score is shown instead. The score over all windows also compares windows of different people, so it may lie outside these.`;
}

/** Of the differences of two models: of older files the lowest and highest person, which few people's typical range is. */
export function spreadOfDifference({
  difference,
  subjects,
}: Pick<Comparison, 'difference' | 'subjects'>): SpreadScore {
  const { count, typical } = subjects;
  // Of up to five people, no Hodges–Lehmann interval is narrower than all of them (signed ranks: 2/2⁵ > .05).
  const isWhole = count > 0 && count <= 5 && typical.low !== null && typical.high !== null;
  return isWhole ? { ...difference, range: [typical.low!, typical.high!] } : difference;
}

/** How many people a result has tested. */
export function countTested({ details, folds }: Pick<Result, 'details' | 'folds'>): number {
  const known = Object.values(details)[0]?.perSubject.length;
  return known ?? new Set(folds.flatMap(({ test }) => test)).size;
}

/** A model's score with what is kept of single people; results of before that was kept have some of it in their details. */
export function scoreOf(
  { models, details }: Pick<Result, 'models' | 'details'>,
  model: string,
  score: string,
): SpreadScore | undefined {
  const own = models[model]?.[score];
  const of = details[model];
  if (!own || own.people || !of) return own;
  const isOneSeed = of.perSeed.length === 1;
  const people = of.perSubject.map(({ balancedAccuracy, bySeed, auroc, accuracy }) => {
    if (score === 'balancedAccuracy' && bySeed) return meanOf(bySeed);
    if (!isOneSeed) return null;
    return { balancedAccuracy, auroc, accuracy }[score] ?? null;
  });
  return { ...own, people };
}

function meanOf(values: readonly (number | null)[]): number | null {
  return values.includes(null)
    ? null
    : values.reduce<number>((sum, value) => sum + value! / values.length, 0);
}
