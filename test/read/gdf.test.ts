/** GDF files: fixtures of scripts/golden/gdf.py against MNE, and files built in place for all types and rates. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { openGdf } from '../../src/read/gdf/gdf.ts';
import { openRecording } from '../../src/read/open.ts';
import { concat } from './build.ts';
import { int24 } from './build-bdf.ts';
import {
  eventTable,
  float32s,
  float64s,
  gdfFile,
  int64s,
  sampleGdf,
  stored,
  uint16s,
  uint32s,
} from './build-gdf.ts';

interface Golden {
  readonly startMicroseconds: number;
  readonly rateHz: number;
  readonly channels: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly annotations: readonly (readonly [number, number, string])[];
}
const folder = new URL('../golden/read/', import.meta.url).pathname;
const golden: Record<string, Golden> = JSON.parse(readFileSync(join(folder, 'gdf.json'), 'utf8'));

describe('against MNE', () => {
  it.each(Object.entries(golden))('%s', async (name, want) => {
    const recording = await openRecordingFile(join(folder, `${name}.gdf`));
    const start = recording.startTime!.getTime() * 1000 + (recording.startNanoseconds ?? 0) / 1000;
    // Version 2 counts in steps of 20 µs.
    expect(Math.abs(start - want.startMicroseconds)).toBeLessThanOrEqual(name.startsWith('gdf-1') ? 0 : 21);
    expect(recording.startTime!.toISOString()).toBe('2024-02-29T23:59:58.250Z');
    expect(recording.channels.map((c) => c.unit)).toEqual(['uV', 'uV', 'mV']);
    for (const [i, { name: label, values }] of want.channels.entries()) {
      const { lengthSamples, rateHz, range } = recording.channels[i]!;
      expect([recording.channels[i]!.name, rateHz, lengthSamples]).toEqual([
        label,
        want.rateHz,
        values.length,
      ]);
      const x = await recording.read(i, 0, lengthSamples);
      const scale = Math.max(...range!.map(Math.abs));
      for (const [k, value] of values.entries())
        expect(Math.abs(x[k]! - value)).toBeLessThanOrEqual(scale * 1e-14);
    }
    expect(recording.annotations.map(({ start, duration, label }) => [start, duration, label])).toEqual(
      want.annotations.map(([start, duration, label]) => [
        expect.closeTo(start, 9),
        expect.closeTo(duration, 9),
        label,
      ]),
    );
    await recording.close();
  });
});

const open = (bytes: Uint8Array, tolerant = false) => openGdf(bytesSource('x.gdf', bytes), { tolerant });
const sixteen = (perRecord: number, label = 'x') => ({
  ...{ label, perRecord, type: 3 },
  bytes: (r: number) => uint16s(Array.from({ length: perRecord }, (_, i) => r * perRecord + i)),
});

describe('number types', () => {
  const integers = [-3, 0, 100];
  const put = (size: number, write: (view: DataView, at: number, value: number) => void) =>
    stored(integers, write, size);
  it.each([
    ['int8', 1, put(1, (v, at, x) => v.setInt8(at, x)), integers],
    ['uint8', 2, Uint8Array.of(3, 200, 255), [3, 200, 255]],
    ['int16', 3, put(2, (v, at, x) => v.setInt16(at, x, true)), integers],
    ['uint16', 4, uint16s([3, 65_535, 9]), [3, 65_535, 9]],
    ['int32', 5, put(4, (v, at, x) => v.setInt32(at, x, true)), integers],
    ['uint32', 6, uint32s([3, 2 ** 32 - 1, 9]), [3, 2 ** 32 - 1, 9]],
    ['int64', 7, int64s(integers), integers],
    ['uint64', 8, int64s([5, 2 ** 50, 0]), [5, 2 ** 50, 0]],
    ['float32', 16, float32s([0.5, -1.25, Number.NaN]), [0.5, -1.25, Number.NaN]],
    ['float64', 17, float64s([0.1, -1e100, 7]), [0.1, -1e100, 7]],
    ['int24', 279, int24([-8_388_608, 1, 77]), [-8_388_608, 1, 77]],
    ['uint24', 535, int24([16_777_215, 1, 77]), [16_777_215, 1, 77]],
  ] as const)('%s', async (name, type, bytes, want) => {
    const signals = [sixteen(1), { label: 'y', perRecord: 3, type, bytes: () => bytes }];
    const recording = await open(gdfFile({ signals, records: 2 }));
    expect([...(await recording.read(1, 0, 6))]).toEqual([...want, ...want]);
    expect('resolution' in recording.channels[1]!).toBe(!name.startsWith('float'));
  });

  it('that is not known is named', async () => {
    const signals = [{ label: 'q', perRecord: 1, type: 18, bytes: () => new Uint8Array(16) }];
    await expect(open(gdfFile({ signals, records: 1 }))).rejects.toMatchObject({
      name: 'UnsupportedError',
      feature: 'gdf type 18',
    });
  });
});

describe('a recording', () => {
  it('has channels of several rates, units, filters, events with channel and duration', async () => {
    const [[name, bytes]] = Object.entries(sampleGdf()) as [[string, Uint8Array]];
    const recording = await openRecording(bytesSource(name, bytes));
    expect(recording).toMatchObject({
      format: 'gdf',
      duration: 4,
      spans: [{ start: 0, duration: 4 }],
      log: [],
    });
    expect(recording.channels).toMatchObject([
      { name: 'Fz', unit: 'uV', rateHz: 16, lengthSamples: 64, resolution: 1, offset: 0, note: 'LP:40Hz' },
      { name: 'T', unit: 'degC', rateHz: 2, lengthSamples: 8 },
    ]);
    expect([...(await recording.read(1, 0, 8))]).toEqual([0, 0, 1, 0.25, 2, 0.5, 3, 0.75]);
    expect(recording.annotations).toEqual([
      { start: 0, duration: 0, label: '768' },
      { start: 0.4, duration: 1, label: '769', channel: 0 },
    ]);
    expect(recording.metadata).toEqual({
      patient: 'P1 name',
      recording: 'rec',
      sex: 'M',
      variant: 'GDF 2.2',
    });
  });

  it('is scaled, has records of fractions of a second, a longer header, and the old version', async () => {
    const scaled = { ...sixteen(5), scale: [-1, 1, -1000, 1000] as const };
    for (const version of ['1.25', '2.20'] as const) {
      const recording = await open(
        gdfFile({ signals: [scaled], records: 3, duration: [1, 3], version, extraBlocks: 2 }),
      );
      expect(recording.channels[0]).toMatchObject({
        rateHz: expect.closeTo(15, 9),
        unit: 'uV',
        range: [-1, 1],
      });
      expect(recording.channels[0]!.resolution).toBeCloseTo(0.001, 15);
      const x = await recording.read(0, 0, 15);
      for (let i = 0; i < 15; i++) expect(x[i]).toBeCloseTo(i / 1000, 12);
    }
  });

  it('of an unknown number of records has as many as the file holds', async () => {
    const recording = await open(gdfFile({ signals: [sixteen(4)], records: 3, promised: -1 }));
    expect(recording.channels[0]!.lengthSamples).toBe(12);
    expect(recording.log).toEqual([
      "gdf: the header leaves the number of records open (−1); the file's size makes 3.",
    ]);
  });

  it('leaves out channels without samples in the records, and says so', async () => {
    const recording = await open(gdfFile({ signals: [sixteen(0, 'events'), sixteen(4)], records: 1 }));
    expect(recording.channels.map(({ name }) => name)).toEqual(['x']);
    expect(recording.log.join()).toContain('1 channels without samples');
  });
});

describe('damage', () => {
  const table = eventTable([[1, 1, 0, 0]]);
  it('at the end is refused, or read up to the last whole record where that is tolerated', async () => {
    const bytes = gdfFile({ signals: [sixteen(4)], records: 3, table });
    const cut = bytes.slice(0, bytes.length - table.length - 1);
    await expect(open(cut)).rejects.toThrow(
      /truncated.*open the 2 whole records that are there with --tolerant/,
    );
    const recording = await open(cut, true);
    expect(recording.channels[0]!.lengthSamples).toBe(8);
    expect(recording.log.join()).toContain('2 of 3 records are read');
    const half = bytes.slice(0, -2);
    await expect(open(half)).rejects.toThrow(/1 events needs 12 bytes, 10 are there/);
    expect((await open(half, true)).annotations).toEqual([]);
  });

  it.each([
    ['a wrong start', [0, 'NOT GDF '], /starts with 'NOT GDF'/],
    ['another header size', [184, '\x01\x00'], /gives its header 256 bytes; 1 channels need 512/],
    ['no channels', [252, '\0\0'], /has no channels/],
    ['channels beyond its end', [252, '\xff\xff'], /its header of 65535 channels/],
    ['a record of no time', [244, '\0\0\0\0'], /no rate/],
  ] as const)('of the header: %s', async (_, [at, text], message) => {
    const bytes = gdfFile({ signals: [sixteen(4)], records: 1 });
    bytes.set(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      at,
    );
    await expect(open(bytes)).rejects.toThrow(message);
    await expect(open(concat(bytes).subarray(0, 100))).rejects.toThrow(/a header has at least 256/);
  });
});
