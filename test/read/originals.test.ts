/**
 * Extra: EEGMAT as published (500 Hz, EDF+C) against its copies: at 250 Hz in steps of 0.1 µV and 1 µV (ECG), and the
 * sample data, made from those at 200 Hz in steps of 0.2 µV and 2 µV. Files, readers, resampling and writer must agree.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Recording } from '../../src/core/recording.ts';
import { unitFactor } from '../../src/core/units.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { resample } from '../../src/signal/resample.ts';

const data = process.env.HEARTMIND_DATA ?? join(homedir(), '.cache/heartmind/data');
const [originals, halved] = [join(data, 'eegmat_original'), join(data, 'eegmat')];
const samples = join(import.meta.dirname, '../../sample-data/eegmat');
/** The people whose recordings are there as published: at rest (1) and calculating (2). */
const recordings = ['00', '20', '33'].flatMap((who) => [1, 2].map((part) => `Subject${who}_${part}.edf`));
const isHere = existsSync(originals) && existsSync(halved);

const [step250, step200] = [0.1, 0.2];
/** In the copy's unit; ECG is in mV, in steps a hundredth as large in number. */
const stepScale = (unit: string) => (unit === 'mV' ? 0.01 : 1);
const shortName = (name: string) => name.replace(/^(EEG|ECG) /, '').trim();

/** Every channel of the original, resampled by `through`, minus the copy's, over what both have. */
async function compare(
  original: Recording,
  copy: Recording,
  through: readonly number[],
): Promise<{ name: string; largest: number; rms: number; scale: number }[]> {
  expect(copy.channels.map(({ name }) => shortName(name))).toEqual(
    original.channels.map(({ name }) => shortName(name)),
  );
  const differences = [];
  for (const [i, channel] of original.channels.entries()) {
    const { unit, lengthSamples } = copy.channels[i]!;
    const factor = unitFactor(channel.unit, unit);
    let x: Float64Array = (await original.read(i, 0, channel.lengthSamples)).map((value) => value * factor);
    for (const [j, rate] of through.entries()) x = resample(x, through[j - 1] ?? channel.rateHz, rate);
    const y = await copy.read(i, 0, lengthSamples);
    // Copies are cut to whole seconds.
    expect(x.length - y.length).toBeGreaterThanOrEqual(0);
    expect(x.length - y.length).toBeLessThan(copy.channels[i]!.rateHz);
    const difference = y.map((value, k) => value - x[k]!);
    differences.push({
      name: channel.name,
      largest: difference.reduce((most, d) => Math.max(most, Math.abs(d)), 0),
      rms: Math.sqrt(difference.reduce((sum, d) => sum + d * d, 0) / y.length),
      scale: stepScale(unit),
    });
  }
  return differences;
}

describe.skipIf(!isHere)(
  'EEGMAT as published (skipped where HEARTMIND_DATA lacks eegmat_original/ and eegmat/)',
  () => {
    it.each(recordings)('%s at 250 Hz is the copy to half of its step', async (name) => {
      const [original, copy] = await Promise.all([
        openRecordingFile(join(originals, name)),
        openRecordingFile(join(halved, name)),
      ]);
      for (const { name: channel, largest, scale } of await compare(original, copy, [250]))
        expect(largest / scale, channel).toBeLessThanOrEqual((step250 / 2) * 1.001);
      await Promise.all([original.close(), copy.close()]);
    });

    it.each(recordings)('%s at 200 Hz is the sample data to what rounding twice leaves', async (name) => {
      const [original, copy] = await Promise.all([
        openRecordingFile(join(originals, name)),
        openRecordingFile(join(samples, `${name}.gz`)),
      ]);
      // Rounding to a step is an error of step/√12; both are independent, and the low-pass between only lessens the first.
      const rounding = Math.hypot(step250, step200) / Math.sqrt(12);
      for (const { name: channel, largest, rms, scale } of await compare(original, copy, [250, 200])) {
        expect(rms / scale, channel).toBeLessThanOrEqual(rounding * 1.05);
        // At worst half of each step, the first times the filter's sum of absolute taps (below 3).
        expect(largest / scale, channel).toBeLessThanOrEqual(step200 / 2 + 3 * (step250 / 2));
      }
      await Promise.all([original.close(), copy.close()]);
    });
  },
);
