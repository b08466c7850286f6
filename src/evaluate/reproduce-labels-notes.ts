/** What a reader of a benchmark of labels must know besides its figures. */
import type { DatasetSpec, Trial } from '../datasets/dataset.ts';
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
  { encoder, alias }: Pick<ReproduceLabelsOptions, 'encoder' | 'alias'>,
  trials: readonly Trial[],
  folds: readonly WindowFold[],
  { subject, trial }: Pick<WindowSet, 'subject' | 'trial'>,
): string[] {
  const { source, subjects } = encoder;
  if (!subjects)
    return [`${source} does not say whom it was pre-trained on: tested people may be among them.`];
  const known = new Set(subjects);
  const byId = new Map(trials.map((one) => [one.id, one]));
  const isSeen = (i: number) =>
    known.has(subject[i]!) || (alias !== undefined && known.has(alias(byId.get(trial[i]!)!)));
  const count = (part: 'train' | 'validation' | 'test') => {
    const all = folds.flatMap((fold) => fold[part]);
    const people = (indices: readonly number[]) => new Set(indices.map((i) => subject[i]!)).size;
    return { seen: people(all.filter(isSeen)), all: people(all) };
  };
  const [train, validation, test] = [count('train'), count('validation'), count('test')];
  const told = `${source} was pre-trained on unlabelled recordings of ${train.seen} of the ${train.all} training people, ${validation.seen} of the ${validation.all} who choose, and ${test.seen} of the ${test.all} tested people`;
  return [test.seen === 0 ? `${told}.` : `${told}: its rows are transductive.`];
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
