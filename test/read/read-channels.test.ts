/** Channels in one pass, into given memory, from files long enough that only one channel's bytes are read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { ShapeError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openEdf } from '../../src/read/edf/edf.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { readChannels } from '../../src/read/read-channels.ts';
import { annotationSignal, countingSource, edfFile } from './build.ts';

// Ten channels of different rates, 1500 records: 34 MB, more than the reader keeps.
const records = 1500;
const perRecord = [1200, 1200, 1200, 1200, 1200, 1200, 1200, 1200, 1199, 700];
const storedAt = (channel: number, i: number) => ((i * 31 + channel * 977) % 60_001) - 30_000;
const bytes = edfFile({
  signals: [
    ...perRecord.map((count, channel) => ({
      label: `c${channel}`,
      perRecord: count,
      physical: ['-32768', '32767'] as const,
      digital: ['-32768', '32767'] as const,
      values: (r: number) => Int16Array.from({ length: count }, (_, i) => storedAt(channel, r * count + i)),
    })),
    annotationSignal(
      Array.from({ length: records }, (_, r) => `+${r}`),
      { 300: '+300.5\x14late\x14\0' },
    ),
  ],
  records,
});
let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartmind-'));
  path = join(folder, 'x.edf');
  writeFileSync(path, bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** First sample that is not as written, or −1. */
const wrong = (x: Float64Array, channel: number, start = 0) =>
  x.findIndex((value, i) => value !== storedAt(channel, start + i));

async function withRecording(check: (recording: Recording) => Promise<void>) {
  const recording = await openRecordingFile(path);
  try {
    await check(recording);
  } finally {
    await recording.close();
  }
}

describe('readChannels', () => {
  it('gives every channel whole, reading each byte of the records once', async () => {
    const { source, requests } = countingSource('x.edf', bytes);
    const recording = await openEdf(source);
    requests.reset();
    const all = await readChannels(recording);
    expect(all.map((x) => x.length)).toEqual(perRecord.map((count) => count * records));
    expect(all.map((x, channel) => wrong(x, channel))).toEqual(perRecord.map(() => -1));
    // Records at the seams of the passes are read twice.
    expect(requests.total()).toBeLessThan(1.05 * bytes.length);
  });

  it('gives ranges, into memory that it is given', async () => {
    const recording = await openEdf(bytesSource('x.edf', bytes));
    const room = [new Float64Array(1000), new Float64Array(900_000 - 7)];
    const ranges = [
      { channel: 3, start: 5, end: 1005 },
      { channel: 8, start: 0, end: 0 },
      { channel: 9, start: 7, end: 280_000 },
    ];
    await expect(readChannels(recording, ranges, [room[0]!, room[1]!])).rejects.toThrow(ShapeError);
    const [a, b, c] = await readChannels(recording, ranges, [room[0]!]);
    expect(a).toBe(room[0]);
    expect([wrong(a!, 3, 5), b!.length, wrong(c!, 9, 7)]).toEqual([-1, 0, -1]);
  });
});

describe('a long file on disk', () => {
  it('gives one channel and the annotations by their bytes alone', () =>
    withRecording(async (recording) => {
      expect(recording.annotations).toEqual([{ start: 300.5, duration: 0, label: 'late' }]);
      const room = new Float64Array(1199 * records - 1300);
      const x = await recording.read(8, 1250, 1199 * records - 50, room);
      expect(x).toBe(room);
      expect(wrong(x, 8, 1250)).toBe(-1);
    }));

  it('gives the same to many who ask at once, though memory is used again', () =>
    withRecording(async (recording) => {
      const asks = Array.from({ length: 60 }, (_, k) => ({
        channel: k % 10,
        start: ((k * 37) % 300) * 700,
        length: 5 + k * 800,
      }));
      const found = await Promise.all(
        asks.map(async ({ channel, start, length }) =>
          wrong(await recording.read(channel, start, start + length), channel, start),
        ),
      );
      expect(found).toEqual(asks.map(() => -1));
    }));

  it('refuses room of another length', () =>
    withRecording(async (recording) => {
      await expect(recording.read(0, 0, 10, new Float64Array(11))).rejects.toThrow(
        'read: 10 samples were asked for, there is room for 11. Give an array of that length.',
      );
    }));
});
