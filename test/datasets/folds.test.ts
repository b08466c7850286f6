import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import { assertDisjoint, type Fold, kFoldBySubject, leaveOneSubjectOut } from '../../src/datasets/folds.ts';

/** Subjects of windows: repeated, in any order. */
const windows = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 4, maxLength: 20 })
  .chain((people) => fc.shuffledSubarray([...people, ...people], { minLength: people.length * 2 }));
const seed = fc.nat();

function checkParts(fold: Fold, people: ReadonlySet<string>, validationCount: number): void {
  const all = [...fold.train, ...fold.validation, ...fold.test];
  expect(new Set(all).size).toBe(all.length);
  expect(new Set(all)).toEqual(people);
  expect(fold.validation).toHaveLength(validationCount);
  expect(fold.train.length).toBeGreaterThan(0);
}

describe('kFoldBySubject', () => {
  it('makes disjoint parts of all subjects and tests each subject once', () => {
    fc.assert(
      fc.property(windows, seed, fc.integer({ min: 2, max: 4 }), (subjects, s, k) => {
        const people = new Set(subjects);
        const folds = kFoldBySubject(subjects, k, s, 1);
        expect(folds).toHaveLength(k);
        for (const fold of folds) checkParts(fold, people, 1);
        expect(folds.flatMap(({ test }) => test).sort()).toEqual([...people].sort());
        const sizes = folds.map(({ test }) => test.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('depends on the seed, not on the order or number of the windows', () => {
    const people = Array.from({ length: 30 }, (_, i) => `s${i}`);
    const folds = kFoldBySubject(people, 5, 7, 3);
    expect(kFoldBySubject([...people.toReversed(), ...people], 5, 7, 3)).toEqual(folds);
    expect(kFoldBySubject(people, 5, 8, 3)).not.toEqual(folds);
    expect(folds.map(({ name }) => name)).toEqual([1, 2, 3, 4, 5].map((i) => `fold ${i} of 5`));
  });

  it.each([1, 2.5, 4, Number.NaN])('refuses k = %d for three subjects', (k) => {
    expect(() => kFoldBySubject(['a', 'b', 'c', 'a'], k, 0)).toThrow(
      new ConfigError(`folds: k is ${k} for 3 subjects. Use 2 to 3.`, 'k', '2–3'),
    );
  });

  it('refuses to leave nobody to train on', () => {
    expect(() => kFoldBySubject(['a', 'b', 'c', 'd'], 2, 0, 2)).toThrow(
      'fold fold 1 of 2: 0 subjects to train on, 2 to test on. Both need some.',
    );
  });
});

describe('leaveOneSubjectOut', () => {
  it('tests each subject alone, once, with all others in the other parts', () => {
    fc.assert(
      fc.property(windows, seed, fc.integer({ min: 0, max: 2 }), (subjects, s, validationCount) => {
        const people = new Set(subjects);
        const folds = leaveOneSubjectOut(subjects, validationCount, s);
        expect(folds.map(({ test }) => test)).toEqual([...people].sort().map((person) => [person]));
        for (const fold of folds) checkParts(fold, people, validationCount);
      }),
    );
  });

  it('draws other validation subjects in each fold', () => {
    const people = Array.from({ length: 30 }, (_, i) => `s${i}`);
    const drawn = leaveOneSubjectOut(people, 3, 0).map(({ validation }) => validation.join());
    expect(new Set(drawn).size).toBeGreaterThan(25);
  });
});

describe('assertDisjoint', () => {
  const fold: Fold = { name: 'x', train: ['a', 'b'], validation: ['c'], test: ['d'] };

  it('gives a proper fold back', () => {
    expect(assertDisjoint(fold)).toBe(fold);
  });

  it.each([
    [{ test: ['d', 'a'] }, 'fold x: subject a is in train and in test. Split by subject.'],
    [{ validation: ['b'] }, 'fold x: subject b is in train and in validation. Split by subject.'],
    [{ test: ['c'] }, 'fold x: subject c is in validation and in test. Split by subject.'],
    [{ train: ['a', 'a'] }, 'fold x: subject a is in train and in train. Split by subject.'],
    [{ train: [] }, 'fold x: 0 subjects to train on, 1 to test on. Both need some.'],
    [{ test: [] }, 'fold x: 2 subjects to train on, 0 to test on. Both need some.'],
  ])('refuses %j', (change, message) => {
    expect(() => assertDisjoint({ ...fold, ...change })).toThrow(new DataError(message));
  });

  it('finds any subject that stands in two parts', () => {
    const part = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(part, part, part, (train, validation, test) => {
        const all = [...train, ...validation, ...test];
        const check = () => assertDisjoint({ name: 'x', train, validation, test });
        if (new Set(all).size === all.length) check();
        else expect(check).toThrow(DataError);
      }),
    );
  });
});

describe('classes of folds', () => {
  const people = Array.from({ length: 12 }, (_, i) => `p${i}`);
  /** Three people of class 1, the others of class 0. */
  const label = people.map((_, i) => Number(i < 3));
  const of = (part: readonly string[]) => new Set(part.map((one) => label[people.indexOf(one)]!));

  it('brings every class into every part where people allow it', () => {
    for (const s of [0, 1, 2, 3, 4]) {
      for (const fold of leaveOneSubjectOut(people, 2, s, label)) {
        expect([fold.name, of(fold.train).size]).toEqual([fold.name, 2]);
        expect([fold.name, of(fold.validation).size]).toEqual([fold.name, 2]);
      }
      for (const fold of kFoldBySubject(people, 3, s, 2, label)) {
        expect([fold.name, of(fold.test).size]).toEqual([fold.name, 2]);
        expect([fold.name, of(fold.train).size]).toEqual([fold.name, 2]);
      }
    }
    // Chance alone would not have done so.
    const drawn = [0, 1, 2, 3, 4].flatMap((s) => leaveOneSubjectOut(people, 2, s));
    expect(drawn.some((fold) => of(fold.validation).size < 2)).toBe(true);
  });

  it('keeps the folds as drawn where every part has every class, and where nothing can be done', () => {
    const twice = [...people, ...people];
    const both = twice.map((_, i) => Number(i < people.length));
    expect(leaveOneSubjectOut(twice, 4, 7, both)).toEqual(leaveOneSubjectOut(people, 4, 7));
    expect(kFoldBySubject(twice, 4, 7, 2, both)).toEqual(kFoldBySubject(people, 4, 7, 2));
    const one = people.map(() => 0);
    expect(leaveOneSubjectOut(people, 4, 7, one)).toEqual(leaveOneSubjectOut(people, 4, 7));
  });

  it('folds of EEGMAT, of which figures are published, are as they were', () => {
    const eegmat = Array.from({ length: 36 }, (_, i) => `Subject${String(i).padStart(2, '0')}`);
    const subject = [...eegmat, ...eegmat];
    const task = subject.map((_, i) => Number(i >= 36));
    for (const s of [0, 1, 2, 3, 4]) {
      expect(leaveOneSubjectOut(subject, 4, s, task)).toEqual(leaveOneSubjectOut(eegmat, 4, s));
      expect(kFoldBySubject(subject, 5, s, 4, task)).toEqual(kFoldBySubject(eegmat, 5, s, 4));
    }
  });
});
