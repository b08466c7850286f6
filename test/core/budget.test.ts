import { expect, test } from 'vitest';
import { Budget, budgetOf, defaultMaxElements } from '../../src/core/budget.ts';
import { bytesSource } from '../../src/core/bytes.ts';
import { InterruptedError, UnsupportedError } from '../../src/core/errors.ts';

test('elements are given up to the limit, then refused with the way to raise it', () => {
  const budget = new Budget({ maxElements: 3 });
  budget.spend('edf: a.edf', 'annotations', 3);
  expect(() => budget.spend('edf: a.edf', 'annotations')).toThrow(UnsupportedError);
  expect(() => budget.spend('edf: a.edf', 'annotations')).toThrow(
    /^edf: a\.edf: holds more than 3 cells, .* met at its annotations\. .* raise the limit with --max-elements\.$/,
  );
  budget.fresh().spend('edf: a.edf', 'annotations', 3);
});

test('a source without a budget has one of its own, always the same', () => {
  const source = bytesSource('a', new Uint8Array(1));
  expect(budgetOf(source)).toBe(budgetOf(source));
  expect(budgetOf(source).maxElements).toBe(defaultMaxElements);
  const given = new Budget({ maxElements: 5 });
  expect(budgetOf({ ...source, budget: given })).toBe(given);
});

test('long work lets timers and signals through, and ends when it is stopped', async () => {
  const stop = new AbortController();
  const budget = new Budget({ signal: stop.signal });
  setTimeout(() => stop.abort(), 0);
  const work = async () => {
    for (;;) if (budget.isLong()) await budget.breathe();
  };
  await expect(work()).rejects.toThrow(InterruptedError);
});
