import { expect, test } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { assertSeveralClasses, noteMissingClasses } from '../../src/evaluate/fold-classes.ts';

const classes = ['calm', 'stress', 'joy'];
const label = [0, 0, 1, 1, 2, 2];
const fold = (name: string, train: number[], validation: number[], test: number[]) => ({
  ...{ name, train, validation, test },
});

test('each part of a fold that lacks a class is told once, by the first fold and what it lacks', () => {
  const folds = [
    fold('fold 1', [0, 2, 4], [1, 3, 5], [1]),
    fold('fold 2', [0, 2, 4], [1, 3], [5]),
    fold('fold 3', [0, 1], [2], [4]),
  ];
  expect(noteMissingClasses(folds, label, classes)).toEqual([
    'In 1 of 3 folds the part that trains lacks a class (fold 3: stress, joy): the people at hand do not allow more.',
    'In 2 of 3 folds the part that validates lacks a class (fold 2: joy, …): more validation subjects may hold it.',
  ]);
  expect(noteMissingClasses(folds.slice(0, 1), label, classes)).toEqual([]);
});

test('nobody validates: nothing is said of it', () => {
  expect(noteMissingClasses([fold('all', [0, 2, 4], [], [])], label, classes)).toEqual([]);
});

test('windows of one class are a DataError that names it', () => {
  const one = { label: Int32Array.of(1, 1), classes };
  expect(() => assertSeveralClasses('evaluate', one)).toThrow(DataError);
  expect(() => assertSeveralClasses('evaluate', one)).toThrow(
    'evaluate: all 2 windows are of class stress (classes of the target: calm, stress, joy). Two classes are needed',
  );
});
