import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { SparseDraws } from '../../src/core/sparse-draws.ts';

/** Where the zeros are. */
const hitsOf = (places: Uint8Array) => [...places.keys()].filter((i) => places[i] === 0);

describe('SparseDraws', () => {
  it.each([0.001, 0.1, 0.5, 0.9])('hits each place with its chance, independently: %d', (probability) => {
    const draws = new SparseDraws(probability);
    expect(Math.abs(draws.probability / probability - 1)).toBeLessThan(0.02);
    const size = 400_000;
    const places = draws.fill(new Uint8Array(size), new Random(1));
    const hits = hitsOf(places);
    const deviation = Math.sqrt(size * draws.probability * (1 - draws.probability));
    expect(Math.abs(hits.length - size * draws.probability)).toBeLessThan(4 * deviation);
    // Neighbours at any distance are hit together as often as chance has it.
    for (const distance of [1, 2, 7]) {
      const pairs = hits.filter((at) => at + distance < size && places[at + distance] === 0).length;
      const expected = (size - distance) * draws.probability ** 2;
      expect(Math.abs(pairs - expected)).toBeLessThan(5 * Math.sqrt(expected) + 3);
    }
  });

  it('does not know where a row begins: every place of short rows is hit equally often', () => {
    const draws = new SparseDraws(0.2);
    const random = new Random(2);
    const counts = new Array<number>(10).fill(0);
    const rows = 40_000;
    for (let i = 0; i < rows; i++)
      for (const at of hitsOf(draws.fill(new Uint8Array(10), random))) counts[at]!++;
    for (const count of counts) expect(Math.abs(count / rows - draws.probability)).toBeLessThan(0.01);
  });

  it('is the same for the same generator, and writes nothing outside', () => {
    const draws = new SparseDraws(0.3);
    const first = draws.fill(new Uint8Array(1001), new Random(3));
    const buffer = new Uint8Array(1101).fill(7);
    draws.fill(buffer.subarray(50, 1051), new Random(3));
    expect(buffer.subarray(50, 1051)).toEqual(first);
    expect([...buffer.subarray(0, 50), ...buffer.subarray(1051)].every((x) => x === 7)).toBe(true);
  });
});
