/** Against MNE's interpolate_bads at the same positions (scripts/golden/interpolation.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { electrodePosition, electrodes1020, type Position } from '../../src/signal/electrodes.ts';
import { interpolateChannels, splineWeights } from '../../src/signal/interpolate.ts';
import { relativeError } from './golden.ts';

interface Case {
  readonly names: readonly string[];
  readonly bad: readonly number[];
  readonly positions: readonly Position[];
  readonly data: readonly (readonly number[])[];
  readonly fixed: readonly (readonly number[])[];
}
const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/signal/interpolation.json'), 'utf8'),
) as { cases: readonly Case[] };

describe('interpolateChannels', () => {
  it.each(cases)('equals MNE: $bad of $names.length channels', ({ bad, positions, data, fixed }) => {
    const rows = data.map((row) => Float64Array.from(row));
    const result = interpolateChannels(rows, positions, bad);
    for (const [k, channel] of bad.entries())
      expect(relativeError(result[channel]!, fixed[k]!)).toBeLessThan(1e-6);
    for (const i of rows.keys()) if (!bad.includes(i)) expect(result[i]).toBe(rows[i]);
  });

  it('brings back a smooth field', () => {
    const positions = electrodes1020.map((name) => electrodePosition(name)!);
    const rows = positions.map(([x, y, z]) => Float64Array.of(x + 2 * y, z, 5, x * y));
    const result = interpolateChannels(rows, positions, [8]);
    expect(relativeError(result[8]!, rows[8]!)).toBeLessThan(0.05);
    expect(result[8]![2]).toBeCloseTo(5, 9); // weights sum to 1
  });

  it('says what cannot be interpolated', () => {
    const rows = [Float64Array.of(1), Float64Array.of(2)];
    const here: Position[] = [
      [0, 0, 1],
      [1, 0, 0],
    ];
    expect(() => interpolateChannels(rows, here, [0, 1])).toThrow('splineWeights: no channel is good.');
    expect(() => interpolateChannels(rows, here.slice(1), [0])).toThrow('2 channels have 1 positions');
    expect(() => splineWeights([[0, 0, 0]], here)).toThrow('the position 0, 0, 0 has no direction');
    expect(splineWeights([[0, 0, 1]], [[1, 0, 0]])[0]![0]).toBeCloseTo(1, 9);
    const twice = splineWeights([...here, here[0]!], [[0, 1, 0]])[0]!;
    expect(twice.every(Number.isFinite)).toBe(true);
  });
});
