import { expect, test } from 'vitest';
import { type Comparison, renderComparisons } from '../../src/cli/probe-tables.ts';
import { scoreTargets } from '../../src/evaluate/target-scores.ts';

const comparison = (people: number): Comparison => ({
  ...{ target: 'rhythm', score: 'auroc', labelShare: 1, people },
  ...{ name: 'random', against: 'dual', encoders: [1, 1], question: 'encoders', family: 2 },
  ...{ difference: 0.031, low: 0.01, high: 0.05, p: 0.02, pHolm: 0.04 },
});

test('differences of few tested people have no interval and no p; of enough both, with their family', () => {
  const few = renderComparisons([comparison(9)]);
  expect(few).toContain('no interval and no p where too few people are tested');
  expect(few).not.toMatch(/\[|\.020|\.040/);
  expect(few).toContain('+.031');
  const enough = renderComparisons([comparison(10)]);
  expect(enough).toContain('+.031 [+.010, +.050]');
  expect(enough).toContain('.040');
  expect(enough).toContain('2: encoders against the first');
  expect(enough).not.toContain('too few');
});

test('a probe keeps the score within each of few people, in order of their names, null where it is not defined', () => {
  const targets = {
    ...{ name: 'state', kind: 'class' as const, names: ['calm'] },
    values: Float64Array.of(1, 0, 1, 0, 1, 1),
  };
  const told = Float64Array.of(0.9, 0.1, 0.2, 0.8, 0.5, 0.6);
  const { scores } = scoreTargets(
    targets as unknown as Parameters<typeof scoreTargets>[0],
    [0, 1, 2, 3, 4, 5],
    told,
    ['b', 'b', 'a', 'a', 'c', 'c'],
    50,
  );
  expect(scores.auroc!.people).toEqual([0, 1, null]);
});
