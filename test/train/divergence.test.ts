import { expect, test } from 'vitest';
import { describeDivergence, noteDivergence } from '../../src/train/divergence.ts';

const rows = (...loss: number[]) =>
  loss.map((value, i) => ({ epoch: i + 1, step: i + 1, trainLoss: 1, loss: value }));

test('a loss a million times the start is told with both figures', () => {
  expect(describeDivergence(rows(0.5, 2, 5e5))).toBe(
    'loss ends at 500000, 1000000 times the 0.5 after the first epoch. It diverged: lower the learning rate, and do not use the last epoch.',
  );
});

test('one that was far above a guess from the first epoch on is told too', () => {
  expect(noteDivergence([{ name: 'fine-tune eeg', rows: rows(20, 20.5) }], 2)).toEqual([
    'Warning: fine-tune eeg: loss ends at 20.5, 29.6 times the 0.693 of a guess. It diverged: lower the learning rate, and do not use the last epoch.',
  ]);
  expect(noteDivergence([{ name: 'pre-train eeg', rows: rows(20, 20.5) }], 2)).toEqual([]);
});

test('overfitting, gaps and nothing are no divergence', () => {
  expect(describeDivergence(rows(0.6, 0.9, 2.1), Math.log(2))).toBeUndefined();
  expect(describeDivergence([{ epoch: 1, trainLoss: 1, loss: null }])).toBeUndefined();
  expect(describeDivergence([])).toBeUndefined();
});
