import { describe, expect, test } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { fitLinearProbe, fitLinearProbes, predictLinearProbe } from '../../src/evaluate/linear-probe.ts';
import { fitLogistic, predictLogistic } from '../../src/evaluate/logistic.ts';

const count = 120;
const size = 6;
const random = Random.derive(3, 'probe test');
const data = Float32Array.from(
  { length: count * size },
  (_, i) => random.normal() * (1 + (i % size)) + (i % size),
);
const features = { data, size };
const rows = Array.from({ length: count }, (_, i) => i);
const feature = (i: number, j: number) => data[i * size + j]!;

describe('linear probes', () => {
  const truth = new Float64Array(count * 2);
  for (const i of rows) {
    truth[i * 2] = Number(feature(i, 0) + random.normal() > 0);
    truth[i * 2 + 1] = Number(feature(i, 3) - feature(i, 5) + 3 * random.normal() > 0);
  }

  test.each([0.01, 1, 100])(
    'of labels equal logistic regression by Newton, label by label, at C = %d',
    (C) => {
      const probe = fitLinearProbe(features, rows, truth, ['a', 'b'], { loss: 'logistic', C });
      const scores = predictLinearProbe(probe, features, rows);
      const each = rows.map((i) => Float64Array.from(data.subarray(i * size, (i + 1) * size)));
      for (const k of [0, 1]) {
        const labels = rows.map((i) => truth[i * 2 + k]!);
        const probabilities = predictLogistic(fitLogistic(each, labels, 2, { C, classWeight: 'none' }), each);
        for (const i of rows)
          expect(1 / (1 + Math.exp(-scores[i * 2 + k]!))).toBeCloseTo(probabilities[i * 2 + 1]!, 4);
      }
    },
  );

  test('of several strengths are those of each alone', () => {
    const strengths = [0.1, 10];
    const path = [...fitLinearProbes(features, rows, truth, ['a', 'b'], { loss: 'logistic', strengths })];
    expect(path.map(({ C }) => C)).toEqual(strengths);
    for (const { C, probe } of path) {
      const alone = fitLinearProbe(features, rows, truth, ['a', 'b'], { loss: 'logistic', C });
      for (const [i, weight] of probe.weights.entries()) expect(weight).toBeCloseTo(alone.weights[i]!, 3);
    }
  });

  test('of hundreds of features that vary together are exact too', () => {
    const wide = 300;
    const causes = Float64Array.from({ length: count * 20 }, () => random.normal());
    const mixing = Float64Array.from({ length: 20 * wide }, () => random.normal());
    const together = Float32Array.from({ length: count * wide }, (_, at) => {
      const [i, j] = [Math.floor(at / wide), at % wide];
      let value = 0.1 * random.normal();
      for (let k = 0; k < 20; k++) value += (causes[i * 20 + k]! * mixing[k * wide + j]!) / (1 + k);
      return value;
    });
    const all = { data: together, size: wide };
    for (const C of [0.001, 0.1]) {
      const scores = predictLinearProbe(
        fitLinearProbe(all, rows, truth, ['a', 'b'], { loss: 'logistic', C }),
        all,
        rows,
      );
      const each = rows.map((i) => Float64Array.from(together.subarray(i * wide, (i + 1) * wide)));
      for (const k of [0, 1]) {
        const labels = Int32Array.from(rows, (i) => truth[i * 2 + k]!);
        const found = predictLogistic(fitLogistic(each, labels, 2, { C, classWeight: 'none' }), each);
        for (const i of rows)
          expect(1 / (1 + Math.exp(-scores[i * 2 + k]!))).toBeCloseTo(found[i * 2 + 1]!, 4);
      }
    }
  });

  test('of a number solve the normal equations', () => {
    const age = Float64Array.from(rows, (i) => 50 + 4 * feature(i, 1) - feature(i, 4) + random.normal());
    const C = 0.05;
    const probe = fitLinearProbe(features, rows, age, ['age'], { loss: 'squares', C });
    const predicted = predictLinearProbe(probe, features, rows);
    // At the minimum, Xᵀ(Xw − y) + w / C is zero, and so is the mean of the residuals.
    for (let j = 0; j < size; j++) {
      let gradient = probe.weights[j]! / C;
      for (const i of rows)
        gradient += ((predicted[i]! - age[i]!) * (feature(i, j) - probe.mean[j]!)) / probe.scale[j]!;
      expect(Math.abs(gradient)).toBeLessThan(0.05);
    }
    expect(predicted.reduce((sum, one, i) => sum + one - age[i]!, 0) / count).toBeCloseTo(0, 3);
  });

  test('pass over values that are not known', () => {
    const some = truth.map((value, i) => (i % 2 === 1 && i < count ? Number.NaN : value));
    const known = rows.filter((i) => i >= count / 2);
    const probe = fitLinearProbe(features, rows, some, ['a', 'b'], { loss: 'logistic', C: 1 });
    expect(probe.weights.every((weight) => Number.isFinite(weight))).toBe(true);
    const whole = fitLinearProbe(features, rows, truth, ['a', 'b'], { loss: 'logistic', C: 1 });
    const first = (weights: Float64Array) => [...weights.subarray(0, size + 1)];
    for (const [j, weight] of first(probe.weights).entries())
      expect(weight).toBeCloseTo(first(whole.weights)[j]!, 3);
    expect(known.length).toBeGreaterThan(0);
    expect([...probe.weights.subarray(size + 1)]).not.toEqual([...whole.weights.subarray(size + 1)]);
  });

  test('keep a feature that never varies out of the way, and refuse a label that never does', () => {
    const flat = { data: data.map((value, i) => (i % size === 2 ? 7 : value)), size };
    const probe = fitLinearProbe(flat, rows, truth, ['a', 'b'], { loss: 'logistic', C: 1 });
    expect(Math.abs(probe.weights[2]!)).toBe(0);
    expect(() =>
      fitLinearProbe(features, rows, new Float64Array(count), ['rare'], { loss: 'logistic', C: 1 }),
    ).toThrow(
      new DataError(
        "probe: 'rare' has only the value 0 among 120 training windows; true and untrue ones are due. Leave it out.",
      ),
    );
  });
});
