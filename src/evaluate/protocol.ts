/**
 * Who is trained on and who is tested: a protocol and labelled windows → folds of window indices, disjoint in subjects
 * (asserted), or openly leaky.
 */
import { z } from 'zod';
import { ConfigError, DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { assertDisjoint, type Fold, kFoldBySubject, leaveOneSubjectOut } from '../datasets/folds.ts';
import type { WindowSet } from '../patches/windows.ts';

const validationSubjects = z.number().int().min(1).default(4);

export const protocolSchema = z.discriminatedUnion('kind', [
  /** A split that the dataset's literature uses. */
  z.strictObject({ kind: z.literal('published'), split: z.string().default('published') }),
  z.strictObject({ kind: z.literal('k-fold'), k: z.number().int().min(2).default(5), validationSubjects }),
  z.strictObject({ kind: z.literal('leave-one-subject-out'), validationSubjects }),
  /** Windows of one person on both sides: only to compare with numbers that were made so. */
  z.strictObject({ kind: z.literal('segment-random'), k: z.number().int().min(2).default(5) }),
]);
export type Protocol = z.infer<typeof protocolSchema>;
export const protocolKinds = ['published', 'k-fold', 'leave-one-subject-out', 'segment-random'] as const;

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
    case 'segment-random':
      return `segment-random, ${protocol.k} folds (leaky, for comparison with published numbers)`;
  }
}

/** Folds of a protocol. DataError where subjects would be in two parts or a part is empty; ConfigError for a split that the dataset lacks. */
export function planFolds(
  protocol: Protocol,
  windows: WindowSet,
  dataset: Pick<DatasetSpec, 'name' | 'splits'>,
  seed: number,
): WindowFold[] {
  const { subject } = windows;
  switch (protocol.kind) {
    case 'published':
      return [bySubject(splitOf(protocol.split, dataset), subject)];
    case 'k-fold':
      return kFoldBySubject(subject, protocol.k, seed, protocol.validationSubjects).map((fold) =>
        bySubject(fold, subject),
      );
    case 'leave-one-subject-out':
      return leaveOneSubjectOut(subject, protocol.validationSubjects, seed).map((fold) =>
        bySubject(fold, subject),
      );
    case 'segment-random':
      return segmentFolds(protocol.k, windows, seed);
  }
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
function segmentFolds(k: number, { subject, recipe, count }: WindowSet, seed: number): WindowFold[] {
  const { stepSeconds, lengthSeconds } = recipe.window;
  if (stepSeconds < lengthSeconds)
    throw new DataError(
      `segment-random: windows of ${lengthSeconds} s every ${stepSeconds} s overlap and would stand on both sides. Use a step of at least ${lengthSeconds} s.`,
    );
  const order = Random.derive(seed, 'segments').shuffle(Array.from({ length: count }, (_, i) => i));
  const people = (indices: readonly number[]) => [...new Set(indices.map((i) => subject[i]!))].sort();
  return Array.from({ length: k }, (_, fold) => {
    const name = `segments ${fold + 1} of ${k}`;
    const test = order.filter((_w, i) => i % k === fold);
    const rest = order.filter((_w, i) => i % k !== fold);
    const train = rest.filter((_w, i) => i % 10 !== 0);
    const validation = rest.filter((_w, i) => i % 10 === 0);
    return assertNotEmpty({
      name,
      train,
      validation,
      test,
      subjects: { name, train: people(train), validation: people(validation), test: people(test) },
    });
  });
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
