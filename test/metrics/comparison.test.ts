/** What paired tests and effect sizes must hold whatever the numbers, and that they find nothing where nothing is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import {
  bootstrapDifference,
  bootstrapDraws,
  intervalOf,
  subjectBootstrap,
} from '../../src/metrics/bootstrap.ts';
import { cohenDz, hodgesLehmann, rankBiserial } from '../../src/metrics/effect-size.ts';
import { holm } from '../../src/metrics/holm.ts';
import { signFlipTest, smallestPermutationP } from '../../src/metrics/permutation.ts';
import { intervalOfBoth, standardDeviation, varianceComponents } from '../../src/metrics/variance.ts';
import { wilcoxon } from '../../src/metrics/wilcoxon.ts';

/** Few sizes, so that ties and zeros occur; eighths add without rounding. */
const differences = fc.array(
  fc.integer({ min: -9, max: 9 }).map((n) => n / 8),
  { minLength: 1, maxLength: 14 },
);
const negated = (values: readonly number[]) => values.map((value) => -value);

describe('paired tests', () => {
  it('do not depend on who is compared with whom, on the order of people, or on units', () => {
    fc.assert(
      fc.property(differences, (d) => {
        for (const p of [
          (x: readonly number[]) => signFlipTest(x).p,
          (x: readonly number[]) => wilcoxon(x).p,
        ]) {
          expect(p(negated(d))).toBe(p(d));
          expect(p(d.toReversed())).toBe(p(d));
          expect(p(d.map((value) => 4 * value))).toBe(p(d));
          expect(p([...d, 0])).toBe(p(d));
          expect(p(d)).toBeGreaterThan(0);
          expect(p(d)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('never go below the smallest p that so few people allow', () => {
    fc.assert(
      fc.property(differences, (d) => {
        const { p, smallest, count } = signFlipTest(d);
        expect(p).toBeGreaterThanOrEqual(smallest);
        expect(smallest).toBe(smallestPermutationP(count));
      }),
    );
    expect([1, 2, 4, 5, 6].map((n) => smallestPermutationP(n))).toEqual([1, 1 / 2, 1 / 8, 1 / 16, 1 / 32]);
    expect(smallestPermutationP(17, 9999)).toBe(1 / 10_000);
    expect(signFlipTest([0.1, 0.2, 0.3, 0.4]).p).toBe(1 / 8);
  });

  it('give 1 where every difference is zero, and no difference at all', () => {
    expect(signFlipTest([0, 0, 0])).toEqual({ p: 1, smallest: 1, method: 'exact', count: 0 });
    expect(wilcoxon([0, 0]).p).toBe(1);
    expect(signFlipTest([]).p).toBe(1);
  });

  it('agree, random signs with all signs', () => {
    const random = new Random(5);
    const d = Array.from({ length: 17 }, () => random.normal() + 0.4);
    // 17 are drawn at random; 16 of them and a negligible one are counted.
    const counted = signFlipTest(d.slice(1)).p;
    const drawn = signFlipTest([1e-9, ...d.slice(1)]);
    expect(drawn.method).toBe('monte carlo');
    expect(Math.abs(drawn.p - counted)).toBeLessThan(4 * Math.sqrt((counted * (1 - counted)) / 20_000));
    expect(signFlipTest(d, { seed: 1 })).toEqual(signFlipTest(d, { seed: 1 }));
  });

  it('have a p that is uniform where two models are equally good: below .05 in 5 of 100 tables', () => {
    const random = new Random(20261124);
    const tables = 2000;
    for (const [n, step, p] of [
      [12, 0.001, (d: readonly number[]) => signFlipTest(d).p],
      [30, 0.001, (d: readonly number[]) => signFlipTest(d, { samples: 199 }).p],
      [12, 0.065, (d: readonly number[]) => wilcoxon(d).p],
      [60, 0.01, (d: readonly number[]) => wilcoxon(d).p],
    ] as const) {
      const values = Array.from({ length: tables }, () => {
        // Of very different spread: only the sign is exchangeable.
        return p(Array.from({ length: n }, (_, i) => random.normal() * (1 + i)));
      });
      for (const level of [0.05, 0.25, 0.5, 0.9]) {
        const share = values.filter((value) => value <= level).length / tables;
        const deviation = Math.sqrt((level * (1 - level)) / tables);
        // Never above the level; below it by no more than the steps of a discrete p, widest in the middle.
        expect(share).toBeLessThan(level + 3.5 * deviation);
        expect(share).toBeGreaterThan(level - 3.5 * deviation - step);
      }
    }
  });

  it('find a difference that is there', () => {
    const random = new Random(7);
    const d = Array.from({ length: 30 }, () => 1 + random.normal());
    expect(signFlipTest(d).p).toBeLessThan(0.001);
    expect(wilcoxon(d).p).toBeLessThan(0.001);
  });
});

describe('holm', () => {
  it('keeps the order, is never below the value, at most 1, and lets what was not tested pass', () => {
    const values = fc.array(fc.option(fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 12 });
    fc.assert(
      fc.property(values, (p) => {
        const adjusted = holm(p);
        const count = p.filter((value) => value !== null).length;
        for (const [i, value] of p.entries()) {
          if (value === null) {
            expect(adjusted[i]).toBeNull();
            continue;
          }
          expect(adjusted[i]).toBeGreaterThanOrEqual(value);
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, count * value));
          for (const [j, other] of p.entries())
            if (other !== null && other >= value) expect(adjusted[j]).toBeGreaterThanOrEqual(adjusted[i]!);
        }
      }),
    );
  });
});

describe('effect sizes', () => {
  it('change sign with the models and move with the differences', () => {
    fc.assert(
      fc.property(differences, (d) => {
        expect(rankBiserial(negated(d))).toBeCloseTo(-rankBiserial(d), 12);
        expect(Math.abs(rankBiserial(d))).toBeLessThanOrEqual(1);
        const [plain, turned, moved] = [d, negated(d), d.map((value) => value + 2)].map((x) =>
          hodgesLehmann(x),
        );
        expect(turned!.estimate + plain!.estimate).toBe(0);
        expect([turned!.low + plain!.high, turned!.high + plain!.low]).toEqual([0, 0]);
        expect(moved!.estimate).toBe(plain!.estimate + 2);
        expect(plain!.low).toBeLessThanOrEqual(plain!.estimate);
        expect(plain!.high).toBeGreaterThanOrEqual(plain!.estimate);
        expect(cohenDz(d.map((value) => 4 * value))).toEqual(cohenDz(d));
      }),
    );
  });

  it('say how far few people reach', () => {
    // The widest interval of four people holds with 1 − 2/16.
    expect(hodgesLehmann([1, 2, 3, 4])).toEqual({ estimate: 2.5, low: 1, high: 4, level: 0.875 });
    expect(cohenDz([0.1])).toBeNaN();
    expect(cohenDz([0.1, 0.1, 0.1])).toBeNaN();
    expect(rankBiserial([0, 0])).toBe(0);
    expect(rankBiserial([0.1, 0.2])).toBe(1);
    expect(hodgesLehmann([]).estimate).toBeNaN();
  });

  it('cover the true shift as often as they say', () => {
    const random = new Random(11);
    const covered = Array.from({ length: 1000 }, () => {
      const { low, high } = hodgesLehmann(Array.from({ length: 10 }, () => 0.3 + random.normal()));
      return Number(low <= 0.3 && 0.3 <= high);
    });
    const share = covered.reduce((sum, value) => sum + value, 0) / 1000;
    // Of ten pairs the level reached is .951.
    expect(Math.abs(share - 0.951)).toBeLessThan(0.025);
  });
});

describe('bootstrapDifference', () => {
  const subjects = Array.from({ length: 10 }, (_, s) => Array<string>(4).fill(`person ${s}`)).flat();
  const random = new Random(3);
  // What is hard about a person is hard for both models.
  const hardness = Array.from({ length: 10 }, () => 5 * random.normal());
  const b = subjects.map((_, i) => hardness[Math.floor(i / 4)]! + 0.1 * random.normal());
  const a = b.map((value) => value + 0.5 + 0.1 * random.normal());
  const mean = (values: readonly number[]) => (indices: Int32Array) =>
    indices.reduce((sum, i) => sum + values[i]!, 0) / indices.length;

  it('is narrow where two models find the same people hard', () => {
    const { mean: middle, low, high } = bootstrapDifference(subjects, mean(a), mean(b));
    expect(low).toBeGreaterThan(0.4);
    expect(high).toBeLessThan(0.6);
    expect(middle).toBeCloseTo(0.5, 1);
    const alone = subjectBootstrap(subjects, mean(a));
    expect(alone.high - alone.low).toBeGreaterThan(10 * (high - low));
  });

  it('is the same from draws of two calls: equal seeds draw equal people', () => {
    const [first, second] = [a, b].map((values) => bootstrapDraws(subjects, (i) => [mean(values)(i)]));
    const pairs = first!.draws[0]!.map((value, k) => value - second!.draws[0]![k]!);
    expect(intervalOf(first!.whole[0]! - second!.whole[0]!, pairs)).toEqual(
      bootstrapDifference(subjects, mean(a), mean(b)),
    );
    const none = bootstrapDifference(subjects, mean(a), mean(a));
    expect([none.mean, none.low, none.high]).toEqual([0, 0, 0]);
  });
});

describe('the spread of seeds and of people', () => {
  it('is told apart', () => {
    const random = new Random(9);
    const scores = (people: number, seeds: number) => {
      const [a, b] = [people, seeds].map((size) => Array.from({ length: 300 }, () => size * random.normal()));
      return Array.from({ length: 300 }, (_, i) =>
        Array.from({ length: 300 }, (_unused, k) => 0.7 + a![i]! + b![k]! + 0.01 * random.normal()),
      );
    };
    const { subject, seed, residual } = varianceComponents(scores(0.1, 0.05));
    expect(Math.sqrt(subject)).toBeCloseTo(0.1, 1);
    expect(Math.sqrt(seed)).toBeCloseTo(0.05, 1);
    expect(Math.sqrt(residual)).toBeCloseTo(0.01, 3);
    expect(varianceComponents([[1, 2, 3]]).seed).toBeNaN();
    expect(varianceComponents([[1], [2]]).subject).toBeNaN();
    expect(standardDeviation([1, 2, 3])).toBe(1);
    expect(standardDeviation([1])).toBeNaN();
  });

  it('widens the interval by what new seeds add, and not where all seeds agree', () => {
    const subjects = Array.from({ length: 20 }, (_, i) => `person ${i}`);
    const statistics = (shift: number) => (indices: Int32Array) => {
      const mean = indices.reduce((sum, i) => sum + Math.sin(i), 0) / indices.length;
      return [-1, 0, 1].map((k) => mean + k * shift);
    };
    const width = (shift: number) => {
      const both = intervalOfBoth(bootstrapDraws(subjects, statistics(shift)));
      return both.high - both.low;
    };
    const people = subjectBootstrap(subjects, (indices) => statistics(0)(indices)[0]!);
    expect(width(0)).toBeCloseTo(people.high - people.low, 12);
    expect(width(1)).toBeGreaterThan(width(0) + 0.5);
  });
});
