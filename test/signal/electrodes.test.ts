import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { electrodeNames, electrodePosition, electrodes1020 } from '../../src/signal/electrodes.ts';

const { directions } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/signal/interpolation.json'), 'utf8'),
) as { directions: Readonly<Record<string, readonly [number, number, number]>> };

const degrees = (a: readonly number[], b: readonly number[]) =>
  (180 / Math.PI) *
  Math.acos(
    Math.min(
      1,
      a.reduce((sum, value, i) => sum + value * b[i]!, 0),
    ),
  );

describe('electrodePosition', () => {
  it('follows the definition', () => {
    const at = (name: string) => electrodePosition(name)!;
    expect(at('Cz')).toEqual([0, 0, 1]);
    expect(degrees(at('Fpz'), [0, 1, 0])).toBeCloseTo(0, 5);
    expect(degrees(at('T7'), [-1, 0, 0])).toBeCloseTo(0, 5);
    expect(degrees(at('Fp1'), at('Fpz'))).toBeCloseTo(18, 9);
    expect(degrees(at('C3'), at('Cz'))).toBeCloseTo(45, 9);
    expect(degrees(at('C1'), at('Cz'))).toBeCloseTo(22.5, 9);
    expect(degrees(at('F3'), at('Fz'))).toBeCloseTo(degrees(at('F3'), at('F7')), 9);
    expect(degrees(at('P9'), at('P7'))).toBeCloseTo(22.5, 9);
  });

  it('lies on the sphere, mirrored left to right', () => {
    expect(electrodeNames.length).toBeGreaterThan(300);
    for (const name of electrodeNames) expect(Math.hypot(...electrodePosition(name)!)).toBeCloseTo(1, 12);
    const [left, right] = [electrodePosition('CP5')!, electrodePosition('CP6')!];
    expect([-left[0], left[1], left[2]]).toEqual([...right]);
  });

  it('reads names as files write them, and knows no ears', () => {
    expect(electrodePosition('EEG T3-Ref')).toEqual(electrodePosition('T7'));
    expect(electrodePosition('Fp1.')).toEqual(electrodePosition('FP1'));
    for (const name of ['A1', 'M2', 'ECG', 'X', '', 'A2-A1']) expect(electrodePosition(name)).toBeUndefined();
    expect(electrodes1020.every((name) => electrodePosition(name))).toBe(true);
  });

  it("is near a real head's (MNE's standard_1005, from the centre of its sphere)", () => {
    const distances = electrodeNames
      .filter((name) => directions[name])
      .map((name) => degrees(electrodePosition(name)!, directions[name]!))
      .sort((a, b) => a - b);
    expect(distances.length).toBeGreaterThan(300);
    expect(distances[distances.length >> 1]).toBeLessThan(10);
    expect(distances.at(-1)).toBeLessThan(20);
  });
});
