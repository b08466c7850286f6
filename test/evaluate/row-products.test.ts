import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { Rows } from '../../src/evaluate/row-products.ts';

/** Sizes about the kernels' blocks: 4 rows and columns at once, 16 rows and 8 vectors in the cache. */
const shapes = [
  [1, 1, 1],
  [3, 5, 2],
  [4, 4, 1],
  [16, 8, 8],
  [17, 9, 9],
  [50, 300, 20],
] as const;

describe('products of rows', () => {
  it.each(shapes)(
    '%d rows of %d features with %d vectors are those of plain loops',
    (count, size, outputs) => {
      const random = Random.derive(5, 'rows');
      const x = new Rows(count, size);
      const at = (i: number, j: number) => x.values[i * x.stride + j]!;
      for (let i = 0; i < count; i++)
        for (let j = 0; j < size; j++) x.values[i * x.stride + j] = random.normal();
      const weights = Float64Array.from({ length: outputs * (size + 1) }, () => random.normal());
      const factors = Float64Array.from({ length: count * outputs }, () => random.normal());

      const scores = x.scores(weights, outputs);
      const products = x.products(factors, outputs);
      expect(scores).toHaveLength(count * outputs);
      expect(products).toHaveLength(outputs * (size + 1));
      for (let k = 0; k < outputs; k++) {
        for (let i = 0; i < count; i++) {
          let sum = weights[k * (size + 1) + size]!;
          for (let j = 0; j < size; j++) sum += at(i, j) * weights[k * (size + 1) + j]!;
          expect(scores[i * outputs + k]).toBeCloseTo(sum, 10);
        }
        for (let j = 0; j <= size; j++) {
          let sum = 0;
          for (let i = 0; i < count; i++) sum += factors[i * outputs + k]! * (j < size ? at(i, j) : 1);
          expect(products[k * (size + 1) + j]).toBeCloseTo(sum, 10);
        }
      }
      // Nothing is left over from one call to the next.
      expect(x.scores(weights, outputs)).toEqual(scores);
      expect(x.products(factors, outputs)).toEqual(products);
    },
  );

  it('of more rows than there is memory for are refused', () => {
    expect(() => new Rows(1_000_000, 5_000)).toThrow(DataError);
    expect(() => new Rows(1_000_000, 5_000)).toThrow('1000000 rows of 5000 features need');
  });
});
