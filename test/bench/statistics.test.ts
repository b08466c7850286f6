import { expect, test } from 'vitest';
import { rateOf, speedup, spreadOf } from '../../bench/statistics.ts';

test('median, quartiles and ends', () => {
  expect(spreadOf([4, 1, 3, 2, 5])).toEqual({ median: 3, min: 1, q1: 2, q3: 4, max: 5, repeats: 5 });
  expect(spreadOf([2, 1])).toEqual({ median: 1.5, min: 1, q1: 1.25, q3: 1.75, max: 2, repeats: 2 });
  expect(() => spreadOf([])).toThrow('spreadOf: no values. Measure at least once.');
});

test('the least time is the greatest rate', () => {
  expect(rateOf(12, spreadOf([1, 2, 3]))).toEqual({ median: 6, min: 4, q1: 4.8, q3: 8, max: 12, repeats: 3 });
});

test('a machine that slows down for both does not change their ratio', () => {
  expect(speedup([1, 5, 1], [2, 10, 2])).toMatchObject({ median: 2, min: 2, max: 2 });
});
