import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { selectKth } from '../../src/signal/order-statistic.ts';

it('gives what stands there after sorting, equal values and infinities too', () => {
  const value = fc.oneof(
    fc.double({ noNaN: true }).map((x) => x + 0),
    fc.constantFrom(0, 1, 1, Number.POSITIVE_INFINITY),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), fc.nat(), (values, n) => {
      const k = n % values.length;
      expect(selectKth(Float64Array.from(values), k) === Float64Array.from(values).sort()[k]).toBe(true);
    }),
    { numRuns: 500 },
  );
});
