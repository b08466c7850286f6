/**
 * Who is trained on and who is tested: a protocol and labelled windows → folds of window indices, disjoint (asserted) in
 * what the protocol promises: subjects, trials or stimuli. One is openly leaky.
 */
import { z } from 'zod';
import { ConfigError, DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { assertDisjoint, type Fold, kFoldBySubject, leaveOneSubjectOut } from '../datasets/folds.ts';
import { historySeconds, runsOverSession } from '../patches/context.ts';
import type { Recipe } from '../patches/recipe.ts';
import type { WindowIndex } from '../patches/window-reader.ts';
import { assertApart, foldGroups, type GroupFold } from './protocol-groups.ts';

const validationSubjects = z.number().int().min(1).default(4);

export const protocolSchema = z.discriminatedUnion('kind', [
  /** A split that the dataset's literature uses. */
  z.strictObject({ kind: z.literal('published'), split: z.string().default('published') }),
  z.strictObject({ kind: z.literal('k-fold'), k: z.number().int().min(2).default(5), validationSubjects }),
  z.strictObject({ kind: z.literal('leave-one-subject-out'), validationSubjects }),
  /** A model for every person, trained on some of their trials and tested on others. */
  z.strictObject({
    kind: z.literal('subject-dependent'),
    k: z.number().int().min(2).default(6),
    validationTrials: z.number().int().min(1).default(3),
  }),
  /** Trials of everybody together: people and stimuli are known from training, the tested trials are not. */
  z.strictObject({ kind: z.literal('leave-trials-out'), k: z.number().int().min(2).default(6) }),
  /** Nobody's trial of a tested stimulus trains; people are known. `k` null: one stimulus at a time. */
  z.strictObject({
    kind: z.literal('leave-stimulus-out'),
    k: z.number().int().min(2).nullable().default(null),
    validationStimuli: z.number().int().min(1).default(3),
  }),
  /** Windows of one person on both sides: only to compare with numbers that were made so. */
  z.strictObject({ kind: z.literal('segment-random'), k: z.number().int().min(2).default(5) }),
]);
export type Protocol = z.infer<typeof protocolSchema>;
export const protocolKinds = [
  'published',
  'k-fold',
  'leave-one-subject-out',
  'subject-dependent',
  'leave-trials-out',
  'leave-stimulus-out',
  'segment-random',
] as const;

/** What folds are made of. */
export type FoldedWindows = Pick<
  WindowIndex,
  'recipe' | 'count' | 'subject' | 'trial' | 'label' | 'stimulus'
>;

/** One in so many training trials validates in leave-trials-out. */
const validationShare = 10;

/** Window indices of each part. */
export interface WindowFold {
  readonly name: string;
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
  /** The people of each part. */
  readonly subjects: Fold;
}

/** The protocol in a sentence, as results and reports name it. */
export function describeProtocol(protocol: Protocol, dataset: Pick<DatasetSpec, 'name' | 'splits'>): string {
  switch (protocol.kind) {
    case 'published': {
      const { train, validation, test } = splitOf(protocol.split, dataset);
      return `${protocol.split} split by subject: ${train.length} train, ${validation.length} validate, ${test.length} test`;
    }
    case 'k-fold':
      return `${protocol.k}-fold by subject, ${protocol.validationSubjects} of the training subjects validate; predictions pooled`;
    case 'leave-one-subject-out':
      return `leave one subject out, ${protocol.validationSubjects} of the others validate; predictions pooled`;
    case 'subject-dependent':
      return `subject-dependent: a model a person, ${protocol.k} folds of their trials, ${protocol.validationTrials} of the training trials validate; predictions pooled`;
    case 'leave-trials-out':
      return `leave trials out, ${protocol.k} folds of everybody's trials (people and stimuli are known from training); predictions pooled`;
    case 'leave-stimulus-out':
      return `leave stimuli out, ${protocol.k === null ? 'one at a time' : `${protocol.k} folds`} (people are known from training), ${protocol.validationStimuli} of the others validate; predictions pooled`;
    case 'segment-random':
      return `segment-random, ${protocol.k} folds (leaky, for comparison with published numbers)`;
  }
}

/**
 * Folds of a protocol. DataError where a subject, trial or stimulus would be in two parts, a part is empty, or no stimuli
 * are known; ConfigError for a split that the dataset lacks and for more folds than there is to fold.
 */
export function planFolds(
  protocol: Protocol,
  windows: FoldedWindows,
  dataset: Pick<DatasetSpec, 'name' | 'splits'>,
  seed: number,
): WindowFold[] {
  const { subject, label } = windows;
  assertContextsApart(protocol, windows.recipe);
  switch (protocol.kind) {
    case 'published':
      return [bySubject(splitOf(protocol.split, dataset), subject)];
    case 'k-fold':
      return kFoldBySubject(subject, protocol.k, seed, protocol.validationSubjects, label).map((fold) =>
        bySubject(fold, subject),
      );
    case 'leave-one-subject-out':
      return leaveOneSubjectOut(subject, protocol.validationSubjects, seed, label).map((fold) =>
        bySubject(fold, subject),
      );
    case 'subject-dependent':
      return personalFolds(protocol, windows, seed);
    case 'leave-trials-out':
      return trialFolds(protocol, windows, seed);
    case 'leave-stimulus-out':
      return stimulusFolds(protocol, windows, seed);
    case 'segment-random':
      return segmentFolds(protocol.k, windows, seed);
  }
}

/** Contexts over a session reach into other trials of the person: folds may part people, never their trials. */
function assertContextsApart({ kind }: Protocol, recipe: Recipe): void {
  const byPerson = kind === 'published' || kind === 'k-fold' || kind === 'leave-one-subject-out';
  if (byPerson || !runsOverSession(recipe)) return;
  throw new DataError(
    `${kind}: contexts run over a person's session and reach from tested trials into trained ones. Use "contextAcross": "condition", or leave people out.`,
  );
}

function splitOf(name: string, { name: dataset, splits }: Pick<DatasetSpec, 'name' | 'splits'>): Fold {
  if (Object.hasOwn(splits, name)) return splits[name]!;
  const known = Object.keys(splits).join(', ') || 'none';
  throw new ConfigError(
    `protocol: ${dataset} has no ${name} split (it has: ${known}). Use k-fold or leave-one-subject-out.`,
    'protocol.split',
    known,
  );
}

function bySubject(fold: Fold, subjects: readonly string[]): WindowFold {
  assertDisjoint(fold);
  const present = new Set(subjects);
  const part = (wanted: readonly string[]) => {
    const chosen = new Set(wanted);
    return Array.from(subjects.keys()).filter((i) => chosen.has(subjects[i]!));
  };
  const kept = (wanted: readonly string[]) => wanted.filter((subject) => present.has(subject));
  const result: WindowFold = {
    name: fold.name,
    train: part(fold.train),
    validation: part(fold.validation),
    test: part(fold.test),
    subjects: {
      name: fold.name,
      train: kept(fold.train),
      validation: kept(fold.validation),
      test: kept(fold.test),
    },
  };
  return assertNotEmpty(result);
}

/** Windows shuffled into k parts; of the rest every tenth validates. Overlapping windows would be the same data twice. */
function segmentFolds(k: number, { subject, recipe, count }: FoldedWindows, seed: number): WindowFold[] {
  const { stepSeconds } = recipe.window;
  const seconds = recipe.window.lengthSeconds + historySeconds(recipe);
  if (stepSeconds < seconds)
    throw new DataError(
      `segment-random: windows of ${seconds} s every ${stepSeconds} s overlap and would stand on both sides. Use a step of at least ${seconds} s.`,
    );
  const order = Random.derive(seed, 'segments').shuffle(Array.from({ length: count }, (_, i) => i));
  return Array.from({ length: k }, (_, fold) => {
    const name = `segments ${fold + 1} of ${k}`;
    const test = order.filter((_w, i) => i % k === fold);
    const rest = order.filter((_w, i) => i % k !== fold);
    const train = rest.filter((_w, i) => i % 10 !== 0);
    const validation = rest.filter((_w, i) => i % 10 === 0);
    return named(name, { train, validation, test }, subject);
  });
}

type Of<K extends Protocol['kind']> = Extract<Protocol, { kind: K }>;

/** Trials are named apart by subject. */
function trialKey({ subject, trial }: FoldedWindows): (window: number) => string {
  return (window) => `${subject[window]}\n${trial[window]}`;
}

function personalFolds(
  { k, validationTrials }: Of<'subject-dependent'>,
  windows: FoldedWindows,
  seed: number,
): WindowFold[] {
  const { subject, label } = windows;
  const keyOf = trialKey(windows);
  const people = [...new Set(subject)].sort();
  return people.flatMap((person) => {
    const own = [...subject.keys()].filter((i) => subject[i] === person);
    const what = `trials of ${person}`;
    const folds = foldGroups(own, keyOf, label, { k, validationOf: () => validationTrials, seed, what });
    return folds.map((fold, i) => apart(`${person}, fold ${i + 1} of ${k}`, fold, windows, keyOf, 'trial'));
  });
}

function trialFolds({ k }: Of<'leave-trials-out'>, windows: FoldedWindows, seed: number): WindowFold[] {
  const keyOf = trialKey(windows);
  const validationOf = (trials: number) => Math.max(1, Math.round(trials / validationShare));
  const options = { k, validationOf, seed, what: 'trials' };
  return foldGroups([...windows.subject.keys()], keyOf, windows.label, options).map((fold, i) =>
    apart(`trials ${i + 1} of ${k}`, fold, windows, keyOf, 'trial'),
  );
}

function stimulusFolds(
  { k, validationStimuli }: Of<'leave-stimulus-out'>,
  windows: FoldedWindows,
  seed: number,
): WindowFold[] {
  const { stimulus, label } = windows;
  if (!stimulus || stimulus.includes(''))
    throw new DataError(
      'leave-stimulus-out: it is not known what was shown in every window. Use leave-trials-out or leave-one-subject-out.',
    );
  const keyOf = (window: number) => stimulus[window]!;
  const options = { k, validationOf: () => validationStimuli, seed, what: 'stimuli' };
  return foldGroups([...stimulus.keys()], keyOf, label, options).map((fold) => {
    const left = [...new Set(fold.test.map(keyOf))].sort();
    return apart(`without ${left.join(', ')}`, fold, windows, keyOf, 'stimulus');
  });
}

function apart(
  name: string,
  fold: GroupFold,
  { subject }: FoldedWindows,
  keyOf: (window: number) => string,
  what: string,
): WindowFold {
  assertApart(name, fold, keyOf, what);
  return named(name, fold, subject);
}

function named(name: string, { train, validation, test }: GroupFold, subject: readonly string[]): WindowFold {
  const people = (indices: readonly number[]) => [...new Set(indices.map((i) => subject[i]!))].sort();
  const subjects = { name, train: people(train), validation: people(validation), test: people(test) };
  return assertNotEmpty({ name, train, validation, test, subjects });
}

function assertNotEmpty(fold: WindowFold): WindowFold {
  const purposes = { train: 'train', validation: 'validate', test: 'test' } as const;
  for (const part of ['train', 'validation', 'test'] as const) {
    if (fold[part].length > 0) continue;
    throw new DataError(
      `fold ${fold.name}: no window to ${purposes[part]} on. Check subjects and dropped windows.`,
    );
  }
  return fold;
}
