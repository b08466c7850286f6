import { describe, expect, it } from 'vitest';
import {
  RunningStandardiser,
  standardiseByTraining,
  standardiseCausally,
  standardisePerSubject,
} from '../../src/signal/standardise.ts';

const rows = [1, 2, 3, 10, 30, 50].map((value) => Float64Array.of(value, 7));
const subjects = ['a', 'a', 'a', 'b', 'b', 'b'];
const z = Math.sqrt(3 / 2);

describe('standardisation', () => {
  it('per subject looks at all of a person, and says so', () => {
    const result = standardisePerSubject(rows, subjects);
    expect(result).toMatchObject({ method: 'per subject (transductive)', transductive: true });
    for (const [i, expected] of [-z, 0, z, -z, 0, z].entries()) {
      expect(result.rows[i]![0]).toBeCloseTo(expected, 12);
      expect(result.rows[i]![1]).toBe(0);
    }
  });

  it('by training rows does not see the others', () => {
    const train = [0, 1, 2];
    const result = standardiseByTraining(rows, train);
    expect(result).toMatchObject({ method: 'training rows', transductive: false });
    const changed = rows.map((row, i) => (i < 3 ? row : Float64Array.of(1e6, 0)));
    expect(standardiseByTraining(changed, train).rows.slice(0, 3)).toEqual(result.rows.slice(0, 3));
    expect(result.rows[3]![0]).toBeCloseTo(8 * z, 12);
  });

  it('causally never sees what comes later, and ends as the transductive one', () => {
    const result = standardiseCausally(rows, subjects);
    expect(result).toMatchObject({ method: 'per subject (causal)', transductive: false });
    expect(result.rows[0]![0]).toBeNaN();
    expect(result.rows[1]![0]).toBeCloseTo(1, 12);
    const changed = rows.map((row, i) => (i === 2 ? Float64Array.of(99, 99) : row));
    expect(standardiseCausally(changed, subjects).rows.slice(0, 2)).toEqual(result.rows.slice(0, 2));
    const whole = standardisePerSubject(rows, subjects).rows;
    expect(result.rows[2]![0]).toBeCloseTo(whole[2]![0]!, 12);
    expect(result.rows[5]![0]).toBeCloseTo(whole[5]![0]!, 12);
  });

  it('leaves out what is not finite', () => {
    const holed = [1, Number.NaN, 3].map((value) => Float64Array.of(value));
    const { rows: result } = standardisePerSubject(holed, ['a', 'a', 'a']);
    expect(result.map((row) => row[0])).toEqual([-1, Number.NaN, 1]);
    const running = new RunningStandardiser(1);
    for (const [value, expected] of [
      [1, Number.NaN],
      [Number.NaN, Number.NaN],
      [3, 1],
    ] as const)
      expect(running.push(Float64Array.of(value))[0]).toEqual(expected);
    expect(standardisePerSubject([], []).rows).toEqual([]);
  });
});
