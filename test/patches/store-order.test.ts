import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochOrder } from '../../src/patches/store-order.ts';

const all = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
const isPermutation = (order: Int32Array) => [...order].sort((a, b) => a - b).every((x, i) => x === i);

/** Spearman's correlation of a window's number and its place in the order. */
function rankCorrelation(order: Int32Array): number {
  const n = order.length;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (order[i]! - i) ** 2;
  return 1 - (6 * squares) / (n * (n * n - 1));
}

/** Mean number of different people in a batch of 64, where a person has `each` windows one after another. */
function peoplePerBatch(order: Int32Array, each: number): number {
  let sum = 0;
  let batches = 0;
  for (let i = 0; i + 64 <= order.length; i += 64, batches++)
    sum += new Set(order.slice(i, i + 64).map((window) => Math.floor(window / each))).size;
  return sum / batches;
}

describe('the order of an epoch', () => {
  it('has every position once, for any windows, blocks and pools', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 5 }),
        (windows, blockWindows, poolWindows, epoch) => {
          const sorted = Int32Array.from(windows).sort();
          expect(isPermutation(epochOrder(sorted, { blockWindows, poolWindows, seed: 1, epoch }))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is the same for a seed and an epoch, and another for every other', () => {
    const order = (seed: number, epoch: number) =>
      epochOrder(all(1000), { blockWindows: 10, poolWindows: 100, seed, epoch }).join();
    expect(order(3, 4)).toBe(order(3, 4));
    expect(new Set([order(3, 4), order(3, 5), order(4, 4), order(4, 5)]).size).toBe(4);
  });

  it('touches few blocks more than a pool holds, one pool after another', () => {
    const [blockWindows, poolWindows] = [20, 400];
    const order = epochOrder(all(10_000), { blockWindows, poolWindows, seed: 0, epoch: 0 });
    for (let from = 0; from < order.length; from += poolWindows) {
      const pool = order.slice(from, from + poolWindows);
      // 20 blocks, one of which the pool before began; blocks are shifted against multiples of 20.
      expect(new Set(pool.map((window) => Math.floor(window / blockWindows))).size).toBeLessThanOrEqual(
        2 * 21 + 1,
      );
    }
  });

  it('mixes nearly as well as a full shuffle', () => {
    // 100,000 windows of which 180 at a time are one person's, blocks of 1 MiB, a pool of a quarter of 512 MB.
    const order = epochOrder(all(100_000), { blockWindows: 13, poolWindows: 3500, seed: 0, epoch: 0 });
    const shuffled = epochOrder(all(100_000), { blockWindows: 1, poolWindows: 100_000, seed: 0, epoch: 0 });
    expect(Math.abs(rankCorrelation(order))).toBeLessThan(0.05);
    const [ours, best] = [peoplePerBatch(order, 180), peoplePerBatch(shuffled, 180)];
    expect(best).toBeGreaterThan(60);
    expect(ours / best).toBeGreaterThan(0.85);
    // Without the pool a batch would be of five people.
    expect(
      peoplePerBatch(epochOrder(all(100_000), { blockWindows: 13, poolWindows: 1, seed: 0, epoch: 0 }), 180),
    ).toBeLessThan(7);
  });
});
