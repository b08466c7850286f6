import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';

describe('Random', () => {
  it('is xoshiro128**: the first numbers from the state 1, 2, 3, 4 (reference implementation, by hand)', () => {
    // rotl(2·5, 7)·9 = 1280·9 = 11520; then the state is 7, 0, 1026, 12288 and rotl(0, 7)·9 = 0.
    const random = new Random([1, 2, 3, 4]);
    expect(random.uint32()).toBe(11520);
    expect(random.state).toEqual([7, 0, 1026, 12288]);
    expect(random.uint32()).toBe(0);
  });

  it('goes on from a saved state', () => {
    const random = new Random(7);
    for (let i = 0; i < 100; i++) random.uint32();
    const resumed = new Random(JSON.parse(JSON.stringify(random.state)));
    expect(Array.from({ length: 50 }, () => resumed.uint32())).toEqual(
      Array.from({ length: 50 }, () => random.uint32()),
    );
  });

  it('draws uniform and normal numbers with the right moments', () => {
    const random = new Random(1);
    const n = 200_000;
    let inRange = true;
    let [sum, squares, normalSum, normalSquares] = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const u = random.uniform();
      inRange &&= u >= 0 && u < 1;
      sum += u;
      squares += u * u;
      const z = random.normal();
      normalSum += z;
      normalSquares += z * z;
    }
    expect(inRange).toBe(true);
    expect(sum / n).toBeCloseTo(1 / 2, 2);
    expect(squares / n).toBeCloseTo(1 / 3, 2);
    expect(normalSum / n).toBeCloseTo(0, 1);
    expect(normalSquares / n).toBeCloseTo(1, 1);
  });

  it('derives generators that differ by purpose and agree for the same', () => {
    const draw = (...purpose: string[]) => Random.derive(3, ...purpose).uint32();
    expect(draw('masks')).toBe(draw('masks'));
    expect(new Set([draw('masks'), draw('shuffle'), draw('dropout'), draw('a', 'b'), draw('ab')]).size).toBe(
      5,
    );
  });

  it('shuffles without losing anything', () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const shuffled = new Random(5).shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
  });
});
