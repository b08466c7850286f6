import { expect, test } from 'vitest';
import { bridgeMissing } from '../../src/signal/missing.ts';

const gap = Number.NaN;

test('holes are bridged by straight lines, and their places kept', () => {
  const { values, holes } = bridgeMissing(Float64Array.of(1, gap, gap, 4, Number.POSITIVE_INFINITY, 6));
  expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(holes).toEqual([
    [1, 3],
    [4, 5],
  ]);
});

test('at the ends the nearest sample holds; where all is missing, zero', () => {
  expect([...bridgeMissing(Float64Array.of(gap, 2, 3, gap, gap)).values]).toEqual([2, 2, 3, 3, 3]);
  expect(bridgeMissing(Float64Array.of(gap, gap))).toEqual({
    values: Float64Array.of(0, 0),
    holes: [[0, 2]],
  });
});

test('a whole signal is returned as it is', () => {
  const x = Float64Array.of(1, 2);
  expect(bridgeMissing(x)).toEqual({ values: x, holes: [] });
  expect(bridgeMissing(x).values).toBe(x);
});
