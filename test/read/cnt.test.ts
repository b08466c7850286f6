/** Neuroscan CNT files: fixtures of scripts/golden/cnt.py against MNE, and wrong headers built in place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { openCnt } from '../../src/read/cnt/cnt.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { openRecording } from '../../src/read/open.ts';
import { ascii, concat } from './build.ts';
import { cntFile, sampleCnt } from './build-cnt.ts';

interface Golden {
  readonly start: string;
  readonly rateHz: number;
  readonly channels: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly annotations: readonly (readonly [number, number, string])[];
}
const folder = new URL('../golden/read/', import.meta.url).pathname;
const golden: Record<string, Golden> = JSON.parse(readFileSync(join(folder, 'cnt.json'), 'utf8'));
const open = (bytes: Uint8Array, tolerant = false) => openCnt(bytesSource('x.cnt', bytes), { tolerant });

describe('against MNE', () => {
  it.each(Object.entries(golden))('%s', async (name, want) => {
    const recording = await openRecordingFile(join(folder, `${name}.cnt`));
    expect(recording.startTime!.toISOString()).toBe(want.start);
    expect(recording).toMatchObject({
      format: 'cnt',
      log: [],
      metadata: { patient: '1234', sex: 'F', age: '29' },
    });
    for (const [i, { name: label, values }] of want.channels.entries()) {
      const { lengthSamples, rateHz, range, resolution, offset } = recording.channels[i]!;
      expect([recording.channels[i]!.name, rateHz, lengthSamples]).toEqual([
        label,
        want.rateHz,
        values.length,
      ]);
      const x = await recording.read(i, 0, lengthSamples);
      const scale = Math.max(...range!.map(Math.abs));
      for (const [k, value] of values.entries()) {
        expect(Math.abs(x[k]! - value)).toBeLessThanOrEqual(scale * 1e-14);
        const stored = (x[k]! - offset!) / resolution!;
        expect(Math.abs(stored - Math.round(stored))).toBeLessThan(1e-6);
      }
      expect(await recording.read(i, 35, 90)).toEqual(x.slice(35, 90));
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

describe('a header', () => {
  it('with a wrong number of samples: the event table says how many there are', async () => {
    const recording = await open(cntFile({ channels: 2, samples: 50, promised: 7 }));
    expect(recording.channels[0]!.lengthSamples).toBe(50);
    expect(recording.log.join('\n')).toMatch(
      /look like 16 bits and were read so\. .*\n.*gives 7 samples;.*holds 50/,
    );
    const x = await recording.read(1, 0, 50);
    // 204.8 is no float32: values are near, integers exact.
    expect([...x].map((v) => Math.round(v * 2))).toEqual(Array.from({ length: 50 }, (_, s) => s * 10 + 1));
    const wide = await open(
      cntFile({ channels: 2, samples: 50, promised: 0, sampleBytes: 4, value: (c, s) => c * 99_999 - s }),
    );
    expect(wide.log.join()).toContain('look like 32 bits');
    expect([...(await wide.read(1, 0, 2))].map((v) => Math.round(v * 2))).toEqual([99_999, 99_998]);
  });

  it('is recognised by its first bytes; the day comes first where the month cannot', async () => {
    const [bytes] = Object.values(sampleCnt());
    const recording = await openRecording(bytesSource('night.bin', bytes!));
    expect(recording.annotations).toEqual([
      { start: 0.1, duration: 0, label: '5' },
      { start: 0.3, duration: 0, label: '7' },
    ]);
    const european = await open(cntFile({ channels: 1, samples: 4, date: '26/05/99' }));
    expect(european.startTime).toEqual(new Date(Date.UTC(1999, 4, 26, 10, 20, 30)));
    expect(await open(cntFile({ channels: 1, samples: 4, date: '99/99/99' }))).not.toHaveProperty(
      'startTime',
    );
  });

  it('of ANT Neuro is named', async () => {
    await expect(open(concat(ascii('RIFF'), new Uint8Array(2000)))).rejects.toMatchObject({
      name: 'UnsupportedError',
      feature: 'ANT Neuro CNT',
    });
  });

  const change = (at: number, ...values: number[]) => {
    const bytes = cntFile({ channels: 2, samples: 20 });
    bytes.set(values, at);
    return bytes;
  };
  it.each([
    ['no channels', change(370, 0, 0), /has no channels/],
    ['more channels than bytes', change(370, 255, 255), /its header of 65535 channels/],
    ['no rate', change(376, 0, 0), /a rate of 0 Hz/],
    ['a scale of 0', change(900 + 59, 0, 0, 0, 0), /a scale of 0 µV for channel 1 \('E0'\)/],
    ['a table within the header', change(886, 1, 0, 0, 0), /event table is said to begin at byte 1, within/],
    ['another start', change(0, 80), /Neuroscan's files start with 'Version 3'/],
    ['too few bytes', new Uint8Array(100), /has at least 900/],
  ])('with %s is refused', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(message);
  });
});

describe('a truncated file', () => {
  it('is refused, or read up to its last whole sample where that is tolerated', async () => {
    const cut = cntFile({ channels: 2, samples: 50, events: [[1, 2]] }).slice(0, 900 + 150 + 4 * 30 + 1);
    await expect(open(cut)).rejects.toThrow(
      /event table is said to begin at byte 1250. The copy is truncated;.*--tolerant/,
    );
    const recording = await open(cut, true);
    expect(recording.channels[0]!.lengthSamples).toBe(30);
    expect(recording.annotations).toEqual([]);
    expect(recording.log.join()).toMatch(/truncated.*samples are read to its end, without events/);
  });

  it('within its event table gives the events that are there, and says so', async () => {
    const bytes = cntFile({
      channels: 2,
      samples: 50,
      events: [
        [1, 2],
        [3, 4],
      ],
    });
    const recording = await open(bytes.slice(0, -3));
    expect(recording.annotations).toHaveLength(1);
    expect(recording.log).toEqual(['cnt: 2 events are announced, 1 are there and were read.']);
  });
});
