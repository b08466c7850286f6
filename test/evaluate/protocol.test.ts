import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import type { Fold } from '../../src/datasets/folds.ts';
import {
  describeProtocol,
  type Protocol,
  planFolds,
  protocolKinds,
  protocolSchema,
  type WindowFold,
} from '../../src/evaluate/protocol.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import type { WindowSet } from '../../src/patches/windows.ts';

const parts = ['train', 'validation', 'test'] as const;

/** A set of which only what folds are made of matters: one window for every entry. */
function windowsOf(subject: readonly string[], stepSeconds = 2): WindowSet {
  return {
    recipe: parseRecipe({
      version: 1,
      signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000 } },
      window: { lengthSeconds: 2, stepSeconds },
    }),
    count: subject.length,
    signals: {},
    classes: ['a', 'b'],
    subject,
    trial: subject.map((_, i) => `trial ${i}`),
    start: new Float64Array(subject.length),
    beats: new Map(),
    dropped: [],
    hash: 'none',
  };
}

function datasetOf(splits: Readonly<Record<string, Fold>> = {}) {
  return { name: 'tiny', splits };
}

function plan(protocol: Protocol, subject: readonly string[], seed = 0) {
  return planFolds(protocol, windowsOf(subject), datasetOf(), seed);
}

/** Windows of several subjects, mixed, in any number each. */
const subjectLists = (minimum: number) =>
  fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: minimum, maxLength: 12 })
    .chain((people) =>
      fc
        .array(fc.constantFrom(...people), { maxLength: 40 })
        .map((more) => ({ people, subject: [...more, ...people] })),
    );

function expectBySubject(
  { train, validation, test: tested, subjects }: WindowFold,
  subject: readonly string[],
) {
  const given = { train, validation, test: tested };
  for (const part of parts) {
    const people = new Set(subjects[part]);
    // The windows of a part are all those of its people.
    expect(given[part]).toEqual([...subject.keys()].filter((i) => people.has(subject[i]!)));
    expect(people.size).toBeGreaterThan(0);
  }
  const everybody = parts.flatMap((part) => subjects[part]);
  expect(new Set(everybody).size).toBe(everybody.length);
}

describe('planFolds', () => {
  test('k-fold: nobody in two parts, everybody tested once, every window placed', () => {
    fc.assert(
      fc.property(subjectLists(4), fc.nat(), fc.nat(), fc.nat(), ({ people, subject }, seed, a, b) => {
        const k = 2 + (a % (people.length - 3));
        const validationSubjects = 1 + (b % (people.length - Math.ceil(people.length / k) - 1));
        const folds = plan({ kind: 'k-fold', k, validationSubjects }, subject, seed);
        expect(folds).toHaveLength(k);
        for (const fold of folds) {
          expectBySubject(fold, subject);
          expect(fold.subjects.validation).toHaveLength(validationSubjects);
          const placed = parts.flatMap((part) => fold[part]);
          expect(placed.sort((x, y) => x - y)).toEqual([...subject.keys()]);
        }
        expect(folds.flatMap(({ subjects }) => subjects.test).sort()).toEqual([...people].sort());
      }),
    );
  });

  test('leave-one-subject-out: one fold a subject, which tests on that subject alone', () => {
    fc.assert(
      fc.property(subjectLists(3), fc.nat(), ({ people, subject }, seed) => {
        const folds = plan({ kind: 'leave-one-subject-out', validationSubjects: 1 }, subject, seed);
        expect(folds.map(({ subjects }) => subjects.test)).toEqual([...people].sort().map((one) => [one]));
        for (const fold of folds) {
          expectBySubject(fold, subject);
          expect(fold.train.length + fold.validation.length + fold.test.length).toBe(subject.length);
        }
      }),
    );
  });

  test('the folds of a seed are the same again, whatever the order of the windows; another seed gives others', () => {
    const subject = Array.from({ length: 20 }, (_, i) => `s${i % 10}`);
    const protocol = { kind: 'k-fold', k: 5, validationSubjects: 2 } as const;
    const people = (list: readonly string[], seed: number) =>
      plan(protocol, list, seed).map(({ subjects }) => subjects);
    expect(people(subject.toReversed(), 3)).toEqual(people(subject, 3));
    expect(people(subject, 4)).not.toEqual(people(subject, 3));
  });

  test('published: the split as it is, without the people who have no windows left', () => {
    const split = { name: 'published', train: ['a', 'gone'], validation: ['b'], test: ['c'] };
    const subject = ['c', 'a', 'b', 'a', 'stranger'];
    const protocol = protocolSchema.parse({ kind: 'published' });
    expect(planFolds(protocol, windowsOf(subject), datasetOf({ published: split }), 0)).toEqual([
      {
        ...{ name: 'published', train: [1, 3], validation: [2], test: [0] },
        subjects: { name: 'published', train: ['a'], validation: ['b'], test: ['c'] },
      },
    ]);
  });

  test('published: a split that puts a subject into two parts is refused', () => {
    const split = { name: 'bad', train: ['a'], validation: ['b'], test: ['b'] };
    const run = () =>
      planFolds({ kind: 'published', split: 'bad' }, windowsOf(['a', 'b']), datasetOf({ bad: split }), 0);
    expect(run).toThrow(DataError);
    expect(run).toThrow('fold bad: subject b is in validation and in test. Split by subject.');
  });

  test('a split that the dataset lacks is a ConfigError with those that it has', () => {
    const split = { name: 'x', train: ['a'], validation: ['b'], test: ['c'] };
    const run = (name: string) => () =>
      planFolds({ kind: 'published', split: name }, windowsOf(['a']), datasetOf({ other: split }), 0);
    expect(run('published')).toThrow(ConfigError);
    expect(run('published')).toThrow('protocol: tiny has no published split (it has: other).');
    expect(run('toString')).toThrow(ConfigError);
  });

  test('segment-random: every window tested once, none in two parts of a fold', () => {
    fc.assert(
      fc.property(subjectLists(10), fc.integer({ min: 2, max: 5 }), fc.nat(), ({ subject }, k, seed) => {
        const folds = plan({ kind: 'segment-random', k }, subject, seed);
        expect(folds.flatMap(({ test: tested }) => tested).sort((a, b) => a - b)).toEqual([
          ...subject.keys(),
        ]);
        for (const fold of folds) {
          const placed = parts.flatMap((part) => fold[part]);
          expect(placed.sort((a, b) => a - b)).toEqual([...subject.keys()]);
          for (const part of parts)
            expect(fold.subjects[part]).toEqual([...new Set(fold[part].map((i) => subject[i]!))].sort());
        }
      }),
    );
  });

  test('segment-random refuses windows that overlap', () => {
    const subject = Array.from({ length: 20 }, (_, i) => `s${i % 4}`);
    const run = (stepSeconds: number) =>
      planFolds({ kind: 'segment-random', k: 2 }, windowsOf(subject, stepSeconds), datasetOf(), 0);
    expect(() => run(1)).toThrow(DataError);
    expect(() => run(1)).toThrow('segment-random: windows of 2 s every 1 s overlap');
    expect(run(2)).toHaveLength(2);
    // A longer context reaches into the windows before.
    const windows = windowsOf(subject, 2);
    const { window } = windows.recipe;
    const signals = { ecg: { channels: ['ECG'], scaleMicrovolts: 1000, contextSeconds: 6 } };
    const across = (contextAcross: string) =>
      parseRecipe({ version: 1, signals, window: { ...window, contextAcross } });
    const longer = { ...windows, recipe: across('condition') };
    expect(() => planFolds({ kind: 'segment-random', k: 2 }, longer, datasetOf(), 0)).toThrow(
      'windows of 6 s every 2 s overlap',
    );
    const session = { ...windows, recipe: across('session') };
    expect(() => planFolds({ kind: 'leave-trials-out', k: 2 }, session, datasetOf(), 0)).toThrow(
      "leave-trials-out: contexts run over a person's session and reach from tested trials into trained ones.",
    );
    const people = { kind: 'k-fold', k: 2, validationSubjects: 1 } as const;
    const several = { ...session, subject: session.subject.map((_, i) => `s${i % 4}`) };
    expect(planFolds(people, several, datasetOf(), 0)).toHaveLength(2);
  });

  test('an empty part is a DataError that names the fold', () => {
    const protocol = { kind: 'published', split: 'p' } as const;
    for (const [missing, message] of [
      ['a', 'fold p: no window to train on.'],
      ['b', 'fold p: no window to validate on.'],
      ['c', 'fold p: no window to test on.'],
    ] as const) {
      const subject = ['a', 'b', 'c'].filter((one) => one !== missing);
      const split = { name: 'p', train: ['a'], validation: ['b'], test: ['c'] };
      const run = () => planFolds(protocol, windowsOf(subject), datasetOf({ p: split }), 0);
      expect(run).toThrow(DataError);
      expect(run).toThrow(message);
    }
    expect(() => plan({ kind: 'k-fold', k: 2, validationSubjects: 2 }, ['a', 'b', 'c', 'd'])).toThrow(
      DataError,
    );
    expect(() => plan({ kind: 'leave-one-subject-out', validationSubjects: 1 }, ['a', 'b'])).toThrow(
      DataError,
    );
    expect(() => plan({ kind: 'segment-random', k: 4 }, ['a', 'b', 'c'])).toThrow(DataError);
  });

  test('more folds than subjects are a ConfigError', () => {
    expect(() => plan({ kind: 'k-fold', k: 4, validationSubjects: 1 }, ['a', 'b', 'c'])).toThrow(ConfigError);
  });
});

describe('describeProtocol', () => {
  const split = { name: 'published', train: ['a', 'b', 'c'], validation: ['d', 'e'], test: ['f'] };
  const describeKind = (kind: (typeof protocolKinds)[number]) =>
    describeProtocol(protocolSchema.parse({ kind }), datasetOf({ published: split }));

  test('says how people are split, and leaky where they are not', () => {
    expect(describeKind('published')).toBe('published split by subject: 3 train, 2 validate, 1 test');
    expect(describeKind('k-fold')).toBe(
      '5-fold by subject, 4 of the training subjects validate; predictions pooled',
    );
    expect(describeKind('leave-one-subject-out')).toContain('leave one subject out');
    expect(protocolKinds.filter((kind) => describeKind(kind).includes('leaky'))).toEqual(['segment-random']);
  });
});
