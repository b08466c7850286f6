/** EDF and BDF files of others, sample by sample: scripts/golden/edf.py made the values. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { readChannels, wholeChannels } from '../../src/read/read-channels.ts';

interface Golden {
  /** Nanoseconds since 1970. */
  readonly startNanoseconds: string;
  readonly channels: readonly {
    readonly name: string;
    readonly unit: string;
    readonly rateHz: number;
    readonly length: number;
    readonly digital: readonly [sum: number, weighted: number];
    readonly sha256: string;
    readonly first: readonly number[];
    readonly physical:
      | readonly [first: number, middle: number, last: number, least: number, most: number]
      | null;
    readonly range?: readonly number[];
    readonly note?: string;
  }[];
  readonly annotations: readonly (readonly [start: number, duration: number, label: string])[];
  /** Sample, value. */
  readonly triggers?: readonly (readonly [number, number])[];
}

const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL('../golden/read/edf.json', import.meta.url), 'utf8'),
);
const shared = new URL('../../../shared/data/', import.meta.url).pathname;

describe.skipIf(!existsSync(shared))('EDF and BDF files of others (needs ../shared)', () => {
  it.each(Object.keys(golden))(
    '%s: digitals, physical values, annotations, triggers, start',
    async (name) => {
      const want = golden[name]!;
      const recording = await openRecordingFile(join(shared, name));
      const start =
        BigInt(recording.startTime!.getTime()) * 1_000_000n + BigInt(recording.startNanoseconds ?? 0);
      expect(start).toBe(BigInt(want.startNanoseconds));
      expect(
        recording.channels.map(({ name, unit, rateHz, lengthSamples }) => [
          name,
          unit,
          rateHz,
          lengthSamples,
        ]),
      ).toEqual(
        want.channels.map(({ name, unit, rateHz, length }) => [
          name,
          unit,
          expect.closeTo(rateHz, 9),
          length,
        ]),
      );
      const signals = await readChannels(recording, wholeChannels(recording));
      for (const [i, channel] of want.channels.entries()) {
        const { offset, resolution, range, note } = recording.channels[i]!;
        const x = signals[i]!;
        // A falling scale gives the stored integers negated.
        const sign = falling.has(`${name} ${channel.name}`) ? -1 : 1;
        const digital = Int32Array.from(x, (value) => sign * Math.round((value - offset!) / resolution!));
        expect([...digital.subarray(0, 4)]).toEqual(channel.first);
        expect(digital.reduce((sum, d) => sum + d, 0)).toBe(channel.digital[0]);
        expect(digital.reduce((sum, d, k) => sum + d * (k % 1009), 0)).toBe(channel.digital[1]);
        expect(createHash('sha256').update(digital).digest('hex').slice(0, 16)).toBe(channel.sha256);
        if (channel.range) expect(range).toEqual(channel.range);
        if (channel.note) expect(note).toBe(channel.note);
        if (!channel.physical) continue;
        const found = [x[0]!, x[x.length >> 1]!, x.at(-1)!, Math.min(...x), Math.max(...x)];
        const scale = Math.max(...range!.map(Math.abs)) * 1e-14;
        for (const [k, value] of channel.physical.entries())
          expect(Math.abs(found[k]! - value)).toBeLessThanOrEqual(scale);
      }
      const isTrigger = ({ label }: { label: string }) => label.startsWith('trigger ');
      const statusHz = recording.channels.find((channel) => channel.name === 'Status')?.rateHz ?? 0;
      expect(
        recording.annotations
          .filter(isTrigger)
          .map(({ start, label }) => [Math.round(start * statusHz), label]),
      ).toEqual((want.triggers ?? []).map(([sample, value]) => [sample, `trigger ${value}`]));
      const others = recording.annotations.filter((one) => !isTrigger(one));
      // pyEDFlib counts in steps of 100 ns.
      expect(others).toEqual(
        want.annotations.map(([start, duration, label]) => ({
          start: expect.closeTo(start, 6),
          duration: expect.closeTo(duration, 6),
          label,
        })),
      );
      expect(recording.log).toHaveLength(/minus1/.test(name) ? 1 : 0);
      await recording.close();
    },
  );

  it('says that the number of records was open', async () => {
    const recording = await openRecordingFile(join(shared, 'malformed/eeglab_test_nrecords_minus1.bdf'));
    expect(recording.log).toEqual([
      "bdf: the header leaves the number of records open (−1); the file's size makes 60.",
    ]);
    await recording.close();
  });
});

/** Channels whose physical maximum is the lower end. */
const falling = new Set([
  'conformance/edf/pyedflib_test_subsecond.edf Fp1',
  'conformance/edf/pyedflib_test_utf8.edf Fp1',
]);
