/**
 * Which tests are adjusted together (Holm). A family is what one reader compares: the answers to one question, in one
 * score, on one kind of terms. Questions that nobody asks together do not make each other's p larger.
 */
import { holm } from '../metrics/holm.ts';
import { isHybrid, isTransductive, isTrivial } from './model-names.ts';
import type { Comparison } from './result.ts';

/** Every question that heartmind's tables answer, in the words that stand beside an adjusted p. */
export const questions = {
  fusion: 'both signals against one alone',
  chance: 'deep against chance',
  classical: 'deep against classical',
  hybrid: 'embeddings added to classical features, against those alone',
  transductive: 'deep against classical that sees all of a person at once',
  rungs: 'rungs of a ladder against the first',
  pretraining: 'pre-trained against initial values',
  tuning: 'tuned from pre-trained against tuned from initial values',
  encoders: 'encoders against the first',
  masks: 'kinds of mask against dual',
  variants: 'variants of dual masks against dual',
} as const;
export type Question = keyof typeof questions;

/** What tells the question of a comparison of two models. */
export interface Asked {
  readonly kind: 'baseline' | 'transductive baseline' | 'single modality' | 'first rung';
  readonly model: string;
  readonly against: string;
}

/** The question that a comparison of an evaluation or of a benchmark of trials answers. */
export function questionOf({ kind, model, against }: Asked): Question {
  switch (kind) {
    case 'single modality':
      return 'fusion';
    case 'first rung':
      return 'rungs';
    case 'transductive baseline':
      return 'transductive';
    case 'baseline':
      if (isTrivial(against)) return 'chance';
      return isHybrid(model) ? 'hybrid' : 'classical';
  }
}

/** The question that a benchmark of several labels asks of a pair of its rows. */
export function questionOfLabels(model: string, against: string): Question {
  if (against === 'ecg-scratch') return 'tuning';
  return against === 'ecg-untrained' ? 'pretraining' : model.startsWith('ecg') ? 'classical' : 'encoders';
}

/** Part of a family's name: rows standardised within people are compared on terms of their own. */
export function termsOf(model: string): string {
  return isTransductive(model) ? ', standardised within people' : '';
}

/** Adjusted p values and sizes of families, in the order of `tests`; `p` null: no test was made, and it does not count. */
export function adjustFamilies<T>(
  tests: readonly T[],
  { p, familyOf }: { readonly p: (test: T) => number | null; readonly familyOf: (test: T) => string },
): { readonly adjusted: number | null; readonly size: number }[] {
  const families = new Map<string, number[]>();
  for (const [i, test] of tests.entries()) {
    const key = familyOf(test);
    const family = families.get(key);
    if (family) family.push(i);
    else families.set(key, [i]);
  }
  const found: { adjusted: number | null; size: number }[] = Array(tests.length);
  for (const family of families.values()) {
    const adjusted = holm(family.map((i) => p(tests[i]!)));
    const size = adjusted.filter((value) => value !== null).length;
    for (const [k, i] of family.entries()) found[i] = { adjusted: adjusted[k]!, size };
  }
  return found;
}

/**
 * The same comparisons, each p adjusted over those of its score that answer the same question on the same terms; `within`
 * tells tables apart that nobody reads together.
 */
export function adjustComparisons(
  comparisons: readonly Comparison[],
  within: (place: number) => string = () => '',
): Comparison[] {
  const places = [...comparisons.keys()];
  const familyOf = (i: number) => {
    const one = comparisons[i]!;
    return [within(i), one.score, questionOf(one), termsOf(one.model)].join('\n');
  };
  const found = adjustFamilies(places, { p: (i) => comparisons[i]!.test.p, familyOf });
  return comparisons.map((one, i) => {
    const { adjusted, size } = found[i]!;
    return { ...one, test: { ...one.test, adjusted, family: size, question: questionOf(one) } };
  });
}

/**
 * Tables with their tests adjusted over all targets of a protocol that answer the same question in one score and on the
 * same terms: who asks whether fusion helps reads the targets together, and protocols apart.
 */
export function adjustTables<T extends { readonly protocol: string; readonly comparisons: Comparison[] }>(
  tables: readonly T[],
): T[] {
  const all = tables.flatMap(({ comparisons }, t) => comparisons.map((one) => ({ t, one })));
  const adjusted = adjustComparisons(
    all.map(({ one }) => one),
    (i) => tables[all[i]!.t]!.protocol,
  );
  return tables.map((table, t) => ({ ...table, comparisons: adjusted.filter((_, i) => all[i]!.t === t) }));
}
