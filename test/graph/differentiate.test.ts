import { expect, test } from 'vitest';
import { UnsupportedError } from '../../src/core/errors.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { Graph } from '../../src/graph/ir.ts';
import { reduceSum, split } from '../../src/graph/operators.ts';

test("a gradient of a later output alone is not taken for the first's", () => {
  const graph = new Graph('two');
  const x = graph.input('x', 'float32', [2, 3]);
  const result = { dtype: 'float32' as const, shape: [2, 3] };
  // An operator with a second output, whose rule is for the first.
  const [first, second] = graph.append('Exp', [x], {}, [result, result]);
  expect(() => differentiate(reduceSum(second!), [x])).toThrow(UnsupportedError);
  expect(() => differentiate(reduceSum(second!), [x])).toThrow(
    'differentiate: of Exp only output 2 of 2 has a gradient, and its rule is for the first.',
  );
  expect(differentiate(reduceSum(first!), [x])).toHaveLength(1);
});

test('a rule for every output does without the first', () => {
  const graph = new Graph('split');
  const x = graph.input('x', 'float32', [4, 3]);
  const [, second] = split(x, 0, [2, 2]);
  expect(differentiate(reduceSum(second!), [x])[0]!.shape).toEqual([4, 3]);
});
