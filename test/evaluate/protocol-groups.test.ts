import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, DataError } from '../../src/core/errors.ts';
import { type FoldedWindows, type Protocol, planFolds, protocolSchema } from '../../src/evaluate/protocol.ts';
import { assertApart } from '../../src/evaluate/protocol-groups.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';

const recipe = parseRecipe({
  version: 1,
  signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000 } },
  // They overlap: only whole trials keep them apart.
  window: { lengthSeconds: 4, stepSeconds: 1 },
});

/** People who saw all films, so many windows of each; the label of person and film. */
function watched(
  people: number,
  films: number,
  perFilm: number,
  labelOf: (person: number, film: number) => number = (p, f) => (p + f) % 2,
): FoldedWindows & { readonly label: Int32Array; readonly stimulus: readonly string[] } {
  const rows = Array.from({ length: people * films * perFilm }, (_, i) => ({
    person: i % people,
    film: Math.floor(i / people) % films,
  }));
  return {
    ...{ recipe, count: rows.length },
    subject: rows.map(({ person }) => `s${person}`),
    trial: rows.map(({ film }) => `film ${film}`),
    stimulus: rows.map(({ film }) => `film ${film}`),
    label: Int32Array.from(rows, ({ person, film }) => labelOf(person, film)),
  };
}

const dataset = { name: 'films', splits: {} };
const plan = (kind: Protocol['kind'], windows: FoldedWindows, more: object = {}, seed = 0) =>
  planFolds(protocolSchema.parse({ kind, ...more }), windows, dataset, seed);
const parts = ['train', 'validation', 'test'] as const;

/** What windows of a part are, named by `keyOf`, is in no other part; everything is tested once. */
function expectApart(
  folds: ReturnType<typeof planFolds>,
  windows: FoldedWindows,
  keyOf: (i: number) => string,
) {
  for (const fold of folds) {
    const keys = parts.map((part) => new Set(fold[part].map(keyOf)));
    const union = new Set(keys.flatMap((set) => [...set]));
    expect(union.size).toBe(keys.reduce((sum, { size }) => sum + size, 0));
    for (const part of parts) expect(fold[part].length).toBeGreaterThan(0);
  }
  const tested = folds.flatMap(({ test: own }) => own).sort((a, b) => a - b);
  expect(tested).toEqual([...windows.subject.keys()]);
}

const sizes = fc.record({
  people: fc.integer({ min: 2, max: 5 }),
  films: fc.integer({ min: 6, max: 12 }),
  perFilm: fc.integer({ min: 1, max: 3 }),
  k: fc.integer({ min: 2, max: 3 }),
  seed: fc.nat(),
});

describe('folds of what must stay together', () => {
  test('subject-dependent: one person a fold, trials apart', () => {
    fc.assert(
      fc.property(sizes, ({ people, films, perFilm, k, seed }) => {
        const windows = watched(people, films, perFilm);
        const folds = plan('subject-dependent', windows, { k, validationTrials: 1 }, seed);
        expect(folds).toHaveLength(people * k);
        expectApart(folds, windows, (i) => `${windows.subject[i]} ${windows.trial[i]}`);
        for (const { subjects } of folds)
          expect(new Set(parts.flatMap((part) => subjects[part])).size).toBe(1);
      }),
    );
  });

  test('leave-trials-out: trials apart, and equal names of two people are two trials', () => {
    fc.assert(
      fc.property(sizes, ({ people, films, perFilm, k, seed }) => {
        const windows = watched(people, films, perFilm);
        const folds = plan('leave-trials-out', windows, { k }, seed);
        expect(folds).toHaveLength(k);
        expectApart(folds, windows, (i) => `${windows.subject[i]} ${windows.trial[i]}`);
        const trials = folds.map(
          (fold) => new Set(fold.test.map((i) => `${windows.subject[i]} ${windows.trial[i]}`)),
        );
        const counts = trials.map(({ size }) => size);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('leave-stimulus-out: films apart over all people, one at a time or in folds', () => {
    fc.assert(
      fc.property(sizes, ({ people, films, perFilm, k, seed }) => {
        const windows = watched(people, films, perFilm);
        const filmOf = (i: number) => windows.stimulus[i]!;
        const alone = plan('leave-stimulus-out', windows, { validationStimuli: 2 }, seed);
        expect(alone).toHaveLength(films);
        expectApart(alone, windows, filmOf);
        for (const fold of alone) {
          expect(new Set(fold.test.map(filmOf)).size).toBe(1);
          expect(new Set(fold.validation.map(filmOf)).size).toBe(2);
        }
        const folded = plan('leave-stimulus-out', windows, { k, validationStimuli: 1 }, seed);
        expect(folded).toHaveLength(k);
        expectApart(folded, windows, filmOf);
      }),
    );
  });

  test('classes are spread over folds and over what validates', () => {
    // 9 of 18 films high for everybody.
    const windows = watched(4, 18, 1, (_, film) => Number(film < 9));
    for (const { test: own, train, validation } of plan('subject-dependent', windows, { k: 9 })) {
      expect(own.map((i) => windows.label[i]).sort()).toEqual([0, 1]);
      const high = (indices: readonly number[]) => indices.filter((i) => windows.label[i] === 1).length;
      expect([1, 2]).toContain(high(validation));
      expect(Math.abs(high(train) - train.length / 2)).toBeLessThanOrEqual(1);
    }
  });

  test('the order of windows decides nothing; another seed gives other folds', () => {
    const windows = watched(3, 8, 2);
    const back = [...windows.subject.keys()].reverse();
    const turned = {
      ...windows,
      subject: back.map((i) => windows.subject[i]!),
      trial: back.map((i) => windows.trial[i]!),
      label: Int32Array.from(back, (i) => windows.label[i]!),
    };
    const tested = (set: FoldedWindows, seed: number) =>
      plan('leave-trials-out', set, { k: 4 }, seed).map((fold) =>
        [...new Set(fold.test.map((i) => `${set.subject[i]} ${set.trial[i]}`))].sort(),
      );
    expect(tested(turned, 5)).toEqual(tested(windows, 5));
    expect(tested(windows, 6)).not.toEqual(tested(windows, 5));
  });

  test('what cannot be folded is said', () => {
    const windows = watched(2, 6, 1);
    expect(() => plan('subject-dependent', windows, { k: 7 })).toThrow(ConfigError);
    expect(() => plan('subject-dependent', windows, { k: 7 })).toThrow(
      'folds: k is 7 for 6 trials of s0. Use 2 to 6.',
    );
    expect(() => plan('leave-trials-out', windows, { k: 13 })).toThrow('k is 13 for 12 trials');
    const { stimulus: _, ...unknown } = windows;
    expect(() => plan('leave-stimulus-out', unknown)).toThrow(DataError);
    expect(() => plan('leave-stimulus-out', unknown)).toThrow('not known what was shown');
    expect(() =>
      assertApart('x', { train: [0], validation: [1], test: [2] }, (i) => ['a', 'b', 'a'][i]!, 'stimulus'),
    ).toThrow('fold x: stimulus a is in train and in test. Keep its windows together.');
  });
});
