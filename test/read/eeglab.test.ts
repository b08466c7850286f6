/** EEGLAB datasets in every form, against MNE (scripts/golden/eeglab.py), and built ones: boundaries, lies, a file apart. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { openEeglab } from '../../src/read/eeglab/eeglab.ts';
import golden from '../golden/read/eeglab.json' with { type: 'json' };
import { eeglabSet, fdt } from './build-eeglab.ts';

const folder = join(import.meta.dirname, '../golden/read/eeglab');
const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
const open = (name: string) => openEeglab(bytesSource(name, files[name]!, files));

interface Expected {
  readonly rateHz: number;
  readonly names: readonly string[];
  readonly samples?: number;
  readonly epochs?: readonly number[];
  readonly sha256: readonly string[];
  readonly head: readonly (readonly number[])[];
  readonly annotations?: readonly (readonly [onset: number, duration: number, label: string])[];
}

describe('as MNE reads it', () => {
  it.each(Object.entries(golden.files as unknown as Record<string, Expected>))(
    '%s',
    async (name, expected) => {
      const recording = await open(name);
      expect(recording.channels.map((channel) => channel.name)).toEqual(expected.names);
      const { epochs } = expected;
      const samples = expected.samples ?? epochs![0]! * epochs![2]!;
      for (const [i, channel] of recording.channels.entries()) {
        expect(channel).toMatchObject({ unit: 'uV', rateHz: expected.rateHz, lengthSamples: samples });
        // MNE gives volts: the same product.
        const volts = (await recording.read(i, 0, samples)).map((x) => x * 1e-6);
        expect([...volts.subarray(0, 3)]).toEqual(expected.head[i]);
        expect(createHash('sha256').update(new Uint8Array(volts.buffer)).digest('hex')).toBe(
          expected.sha256[i],
        );
      }
      if (epochs) expect(recording.spans).toHaveLength(epochs[0]!);
      if (!expected.annotations) return;
      // MNE leaves out the time that was cut out.
      const missing = (start: number) =>
        recording.annotations
          .filter(({ label, start: at }) => label === 'boundary' && at < start)
          .reduce((sum, { duration }) => sum + duration, 0);
      const found = recording.annotations.map(({ start, duration, label }) => [
        start - missing(start),
        duration,
        label,
      ]);
      expect(found.map(([, , label]) => label)).toEqual(
        // A number as EEGLAB shows it.
        expected.annotations.map(([, , label]) => label.replace(/^(\d+)\.0$/, '$1')),
      );
      for (const [i, [onset, duration]] of expected.annotations.entries()) {
        expect(found[i]![0]).toBeCloseTo(onset, 9);
        expect(found[i]![1]).toBeCloseTo(Number.isNaN(duration) ? 0 : duration, 9);
      }
    },
  );
});

describe('openEeglab', () => {
  it('makes gaps of boundaries, as long as what was cut out', async () => {
    const recording = await open('apart.set');
    expect(recording.spans).toEqual([
      { start: 0, duration: 0.4 },
      { start: 0.6, duration: 0.4 },
      { start: 1, duration: 0.6 },
    ]);
    expect(recording.annotations.map(({ label }) => label)).toEqual(['boundary', '7', 'boundary', 'late']);
    expect(recording.annotations[1]!.start).toBeCloseTo((119 + 50) / 250, 12);
    expect(recording.metadata).toEqual({
      patient: 'S01',
      recording: 'made by a test',
      reference: 'common',
      comments: 'two words',
    });
    expect(recording.channels[2]).toMatchObject({ name: 'EOG µ', note: 'type EOG' });
    expect(recording.log[0]).toMatch(/2 boundaries/);
  });

  it('joins epochs as spans, with a boundary before each, and says so', async () => {
    const recording = await open('epochs.set');
    expect(recording.spans).toHaveLength(4);
    expect(
      recording.annotations.filter(({ label }) => label === 'boundary').map(({ start }) => start),
    ).toEqual([0.2, 0.4, 0.6000000000000001].map((x) => expect.closeTo(x, 9)));
    expect(recording.log.join()).toMatch(/4 epochs of 50 samples/);
  });

  it('finds signals that were renamed with their .set, and names those that are missing', async () => {
    const set = eeglabSet({ fileName: 'old name.fdt', channels: 2, samples: 5 });
    const signals = fdt([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const recording = await openEeglab(bytesSource('new.set', set, { 'new.fdt': signals }));
    expect([...(await recording.read(1, 1, 4))]).toEqual([4, 6, 8]);
    expect(recording.log[0]).toMatch(/'new.fdt'; the header says 'old name.fdt'/);
    await expect(openEeglab(bytesSource('new.set', set))).rejects.toThrow(
      /'old name.fdt', which is not beside it/,
    );
  });

  it('reads old .dat files, one channel after the other', async () => {
    const set = eeglabSet({ fileName: 'x.dat', channels: 2, samples: 3 });
    const recording = await openEeglab(bytesSource('x.set', set, { 'x.dat': fdt([1, 2, 3, 4, 5, 6]) }));
    expect([...(await recording.read(1, 0, 3))]).toEqual([4, 5, 6]);
  });

  it('offers the whole samples of truncated signals when asked to', async () => {
    const set = eeglabSet({ fileName: 'x.fdt', channels: 2, samples: 5 });
    const source = bytesSource('x.set', set, { 'x.fdt': fdt([1, 2, 3, 4, 5, 6, 7]) });
    await expect(openEeglab(source)).rejects.toThrow(
      /ends at byte 28, 2 channels × 5 samples end at 40.*--tolerant/,
    );
    const recording = await openEeglab(source, { tolerant: true });
    expect(recording.channels[0]!.lengthSamples).toBe(3);
    expect(recording.spans).toEqual([{ start: 0, duration: 3 / 250 }]);
    expect(recording.log[0]).toMatch(/3 of 5 samples/);
  });

  it.each([
    ['no rate', { rate: Number.NaN }, /has NaN as sampling rate/],
    ['half a channel', { channels: 1.5 }, /has 1.5 as nbchan/],
    ['a trillion channels', { channels: 1e12 }, /channels/],
    ['epochs less than one', { trials: -2 }, /has -2 as trials/],
  ])('refuses %s', async (_, wrong, message) => {
    const set = eeglabSet({ fileName: 'x.fdt', channels: 2, samples: 5, ...wrong });
    await expect(openEeglab(bytesSource('x.set', set, { 'x.fdt': fdt([1]) }))).rejects.toThrow(message);
  });
});
