/** BDF and BDF+ files built in place: 24 bits at any address, triggers, time stamps; what differs from EDF. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { openBdf } from '../../src/read/edf/edf.ts';
import { openRecording } from '../../src/read/open.ts';
import { annotationSignal, countingSource, edfFile } from './build.ts';
import { bdfFile, sampleBdf } from './build-bdf.ts';

const open = (bytes: Uint8Array, tolerant = false) => openBdf(bytesSource('x.bdf', bytes), { tolerant });
const stored = (label: string, perRecord: number, values: (record: number) => ArrayLike<number>) => ({
  ...{ label, perRecord, values },
});

describe('samples of 24 bits', () => {
  it('are exact at any address and of any length, over the whole range', async () => {
    const value = fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(3),
        async (digital, before, address) => {
          const signals = [
            stored('pad', before, () => new Int32Array(before)),
            stored('x', digital.length, (r) => (r === 0 ? digital : digital.toReversed())),
          ];
          const bytes = bdfFile({ signals, records: 2 });
          // The same file anywhere in memory.
          const moved = new Uint8Array(bytes.length + address).subarray(address);
          moved.set(bytes);
          const recording = await open(moved);
          const { resolution, offset } = recording.channels[1]!;
          const x = await recording.read(1, 0, 2 * digital.length);
          const found = [...x].map((v) => Math.round((v - offset!) / resolution!) + 0);
          expect(found).toEqual([...digital, ...digital.toReversed()]);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });

  it('have physical values by their header', async () => {
    const recording = await open(
      bdfFile({ signals: [stored('x', 3, () => [-(2 ** 23), 0, 2 ** 23 - 1])], records: 1 }),
    );
    const x = await recording.read(0, 0, 3);
    for (const [i, want] of [-8388608, 0, 8388607].entries()) expect(x[i]).toBeCloseTo(want, 8);
    expect(recording).toMatchObject({ format: 'bdf', log: [], metadata: { variant: 'BDF+C' } });
  });
});

describe('triggers', () => {
  const status = (values: readonly number[], perRecord = values.length) =>
    stored('Status', perRecord, (r) => values.slice(r * perRecord, (r + 1) * perRecord));

  it('are annotations where the lower 16 bits change to another value than 0; the first value is none', async () => {
    const high = 0x180000;
    const values = [9, 9, 9, 9, 5, 5, 5, 5, 0, 0, 0, 0, 5, 5, 7, 7, 7, 7, 7, 0xff03].map((v) => v | high);
    const recording = await open(
      bdfFile({ signals: [status(values, 10)], records: 2, recordSeconds: '5', reserved: '24BIT' }),
    );
    const trigger = (sample: number, value: number) => ({
      ...{ start: sample / 2, duration: 0, label: `trigger ${value}` },
    });
    expect(recording.annotations).toEqual([
      trigger(4, 5),
      trigger(12, 5),
      trigger(14, 7),
      trigger(19, 0xff03),
    ]);
    expect([...(await recording.read(0, 0, 20))]).toEqual(values);
    expect(recording.channels[0]).toMatchObject({ unit: 'Boolean', resolution: 1, offset: 0 });
  });

  it('are not doubled by equal annotations, and keep their time over gaps', async () => {
    const values = [0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 4];
    const signals = [
      status(values, 4),
      annotationSignal(['+0', '+10', '+20'], { 1: '+10.25\x14trigger 3\x14\0' }),
    ];
    const recording = await open(bdfFile({ signals, records: 3, reserved: 'BDF+D' }));
    expect(recording.annotations).toEqual([
      { start: 10.25, duration: 0, label: 'trigger 3' },
      { start: 20.75, duration: 0, label: 'trigger 4' },
    ]);
    expect(recording.spans).toHaveLength(3);
  });

  it('of inputs that change all the time are none, and the log says so', async () => {
    const noise = Array.from({ length: 40 }, (_, i) => (i * 7919) & 0xffff);
    const recording = await open(bdfFile({ signals: [status(noise)], records: 1 }));
    expect(recording.annotations).toEqual([]);
    expect(recording.log.join()).toContain('change 39 times in 40 samples');
  });

  it('of large records are found without reading the other signals', async () => {
    const signals = [
      stored('x', 30_000, () => new Int32Array(30_000)),
      stored('Status', 10, (r) => Array.from({ length: 10 }, (_, i) => (i === r ? 1 : 0))),
    ];
    const { source, requests } = countingSource('x.bdf', bdfFile({ signals, records: 20 }));
    const recording = await openBdf(source);
    expect(recording.annotations).toHaveLength(9);
    expect(requests.total()).toBe(256 * 3 + 20 * 30);
  });
});

describe('the header', () => {
  it('is recognised by its first bytes, whatever the name', async () => {
    const [bytes] = Object.values(sampleBdf());
    const recording = await openRecording(bytesSource('night.edf', bytes!));
    expect(recording.format).toBe('bdf');
    expect(recording.annotations.map(({ label }) => label)).toEqual([
      'schön 0',
      'schön 1',
      'trigger 1',
      'schön 2',
      'trigger 2',
      'schön 3',
      'trigger 3',
    ]);
  });

  it('of an EDF file is refused by name', async () => {
    const bytes = edfFile({ signals: [stored('x', 2, () => [1, 2])], records: 1 });
    await expect(open(bytes)).rejects.toThrow(/^bdf: x.bdf starts with '0', BDF starts with/);
  });

  it('may leave the number of records open; a cut file opens when tolerant', async () => {
    const signals = [stored('x', 5, (r) => [r, 1, 2, 3, 4])];
    const open_ = await open(bdfFile({ signals, records: 4, promised: '-1' }));
    expect(open_.log).toEqual([
      "bdf: the header leaves the number of records open (−1); the file's size makes 4.",
    ]);
    const cut = bdfFile({ signals, records: 4 }).slice(0, -1);
    await expect(open(cut)).rejects.toThrow(/open the 3 whole records that are there with --tolerant/);
    const tolerant = await open(cut, true);
    expect(tolerant.channels[0]!.lengthSamples).toBe(15);
    expect(tolerant.log.join()).toContain('3 of 4 records are read');
  });
});
