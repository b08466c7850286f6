import { describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { compareProbes } from '../../src/evaluate/probe-comparison.ts';

const random = Random.derive(7, 'draws');
/** What the drawn people share, and what is the encoder's own. */
const people = Array.from({ length: 2000 }, () => 0.05 * random.normal());
const probe = (name: string, score: number, spread = 0.001) => ({
  ...{ name, score },
  draws: people.map((shared) => score + shared + spread * random.normal()),
});

describe('encoders under one probe', () => {
  test('pairs take away what the drawn people share', () => {
    const [found] = compareProbes([probe('dual', 0.8), probe('random', 0.77)]);
    expect(found).toMatchObject({ name: 'random', against: 'dual', encoders: [1, 1] });
    expect(found!.difference).toBeCloseTo(-0.03, 10);
    expect(found!.high).toBeLessThan(-0.026);
    expect(found!.low).toBeGreaterThan(-0.034);
    expect(found!.p).toBeCloseTo(2 / 2001, 10);
  });

  test('trainings of one name are drawn again: seeds that differ widen the interval', () => {
    const alike = compareProbes([...[0.8, 0.8, 0.8].map((x) => probe('a', x)), probe('b', 0.79)])[0]!;
    const apart = compareProbes([...[0.7, 0.8, 0.9].map((x) => probe('a', x)), probe('b', 0.79)])[0]!;
    expect(apart.difference).toBeCloseTo(alike.difference, 10);
    expect(apart.encoders).toEqual([1, 3]);
    expect(alike.p).toBeLessThan(0.01);
    expect(apart.p).toBeGreaterThan(0.5);
    expect(apart.high - apart.low).toBeGreaterThan(10 * (alike.high - alike.low));
  });

  test('p values hold for the whole list, and nothing is compared with itself', () => {
    const found = compareProbes([probe('a', 0.8), probe('b', 0.7), probe('c', 0.8), probe('d', 0.8)]);
    expect(found.map(({ name }) => name)).toEqual(['b', 'c', 'd']);
    expect(found[0]!.pHolm).toBeCloseTo(3 * found[0]!.p, 10);
    expect(compareProbes([probe('a', 0.8), probe('a', 0.7)])).toEqual([]);
    expect(compareProbes([])).toEqual([]);
  });
});
