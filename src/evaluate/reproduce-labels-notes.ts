/** What a reader of a benchmark of labels must know besides its figures. */
import type { DatasetSpec } from '../datasets/dataset.ts';
import { findSeenPeople, type SeenPeople } from '../datasets/people.ts';
import type { WindowSet } from '../patches/windows.ts';
import type { WindowFold } from './protocol.ts';
import type { ReproduceLabelsOptions } from './reproduce-labels.ts';
import type { LabelUnit } from './reproduce-labels-units.ts';

/** Papers had all recordings. */
export function noteRecordings({ name, facts }: DatasetSpec, count: number): string[] {
  const all = facts?.recordings;
  if (all === undefined || count >= all) return [];
  const thousands = (n: number) => n.toLocaleString('en-US');
  return [
    `${thousands(count)} of ${name}'s ${thousands(all)} recordings are at hand: fewer to learn from, and fewer to test on, than published figures had.`,
  ];
}

/** Which people the encoder has seen without labels: those who train are fair, those who are tested make it transductive. */
export function noteSeen(
  { encoder: { source, origin }, spec }: Pick<ReproduceLabelsOptions, 'encoder' | 'spec'>,
  folds: readonly WindowFold[],
  { subject, trial }: Pick<WindowSet, 'subject' | 'trial'>,
): string[] {
  if (origin.subjects === undefined || origin.dataset === undefined)
    return [`${source} does not say whom it was pre-trained on: tested people may be among them.`];
  const count = (part: 'train' | 'validation' | 'test') => {
    const all = folds.flatMap((fold) => fold[part]);
    return findSeenPeople(origin, {
      ...{ dataset: spec.name, subject: all.map((i) => subject[i]!), trial: all.map((i) => trial[i]!) },
    });
  };
  const [train, validation, test] = [count('train'), count('validation'), count('test')];
  const of = ({ seen, tested }: SeenPeople) => `${seen.length} of the ${tested.length}`;
  const told = `${source} was pre-trained on unlabelled recordings of ${of(train)} training people, ${of(validation)} who choose, and ${of(test)} tested people`;
  const unknown =
    test.unknown.length === 0
      ? ''
      : ` Of ${test.unknown.length} tested people it is not known: names there and here cannot be compared.`;
  return [`${test.seen.length === 0 ? `${told}.` : `${told}: its rows are transductive.`}${unknown}`];
}

/** Macro scores without a label that was too rare are not those of all labels. */
export function noteLeftOut(units: readonly LabelUnit[]): string[] {
  const groups = new Map<string, Set<number>>();
  for (const { labelShare, seed, leftOut } of units)
    for (const name of leftOut) {
      const key = `${Number((100 * labelShare).toPrecision(3))} % of the labels: ${name}`;
      groups.set(key, (groups.get(key) ?? new Set()).add(seed));
    }
  return [...groups].map(
    ([key, seeds]) =>
      `${key} is too rare under seed ${[...seeds].join(', ')} and left out of the mean there.`,
  );
}
