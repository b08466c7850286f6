import { expect, test } from 'vitest';
import { fillMissing, leadFeatures } from '../../src/evaluate/lead-features.ts';
import type { SignalWindows } from '../../src/patches/windows.ts';

const rateHz = 200;
const bump = (t: number, at: number, width: number) => Math.exp(-(((t - at) / width) ** 2));

/** A beat every 0.8 s: R of 1, ST of 0.1, T of 0.3 on lead II; half of it, upside down, on I; nothing on V1. */
function windows(): SignalWindows {
  const length = 10 * rateHz;
  const data = new Float32Array(3 * length);
  for (let s = 0; s < length; s++) {
    const t = ((s / rateHz + 0.4) % 0.8) - 0.4;
    const value = bump(t, 0, 0.02) + 0.1 * Number(t > 0.07 && t < 0.13) + 0.3 * bump(t, 0.25, 0.03);
    data[s] = -value / 2;
    data[length + s] = value;
  }
  return { channels: ['I', 'II', 'V1'], patches: 10, patchSamples: rateHz, data };
}

/** Of a lead: P, R, S, width, ST, T up, T down, five bands, deviation. */
const perLead = 13;

test('heart rate, and what a ruler measures on the typical beat of each lead', () => {
  const { data, size } = leadFeatures(windows(), rateHz);
  expect([size, data.length]).toEqual([3 + 3 * perLead, 3 + 3 * perLead]);
  expect(data[0]).toBeCloseTo(75, 0);
  expect(data[1]).toBeLessThan(0.01);
  const lead = (c: number) => [...data.subarray(3 + perLead * c, 3 + perLead * (c + 1))];
  const [, r, s, width, st, t] = lead(1) as number[];
  expect(r).toBeCloseTo(1, 1);
  expect(s).toBeCloseTo(0, 1);
  expect(width).toBeGreaterThan(0.03);
  expect(width).toBeLessThan(0.06);
  expect(st).toBeCloseTo(0.1, 1);
  expect(t).toBeCloseTo(0.3, 1);
  const upsideDown = lead(0);
  expect(upsideDown[2]).toBeCloseTo(-0.5, 1);
  expect(upsideDown[6]).toBeCloseTo(-0.15, 1);
  // A flat lead has no bands, but is measured at the beats of II.
  expect(lead(2).slice(0, 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(lead(2).slice(7).every(Number.isNaN)).toBe(true);
});

test('without a beat nothing is measured; what is missing becomes the median of the training windows', () => {
  const flat = { ...windows(), data: new Float32Array(6000) };
  expect([...leadFeatures(flat, rateHz).data].every(Number.isNaN)).toBe(true);
  const features = { size: 2, data: Float32Array.of(1, NaN, 5, NaN, 3, NaN, NaN, 9) };
  expect([...fillMissing(features, [0, 1, 2]).data]).toEqual([1, 0, 5, 0, 3, 0, 3, 9]);
});
