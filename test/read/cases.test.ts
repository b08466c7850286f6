/** Files after faults that people report of other tools (test/read/cases): the right values follow from how they were made. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { openRecording } from '../../src/read/open.ts';
import { parseWfdbStart } from '../../src/read/wfdb/start.ts';
import { ascii, int16 } from './build.ts';

const folder = join(import.meta.dirname, 'cases');
const open = (name: string) => openRecordingFile(join(folder, name));

/** µV, as the file was made. */
const first = [-30.0, -20.5, -18.5, -26.0];
const last = [37.0, 36.5, 31.5, 31.5];

it('takes -99 for a boundary where all types of EEGLAB events are numbers', async () => {
  const recording = await open('boundary99.set');
  expect(recording.spans).toEqual([
    { start: 0, duration: 4 },
    { start: 14, duration: 4 },
  ]);
  const events = recording.annotations.filter(({ label }) => label !== 'boundary');
  expect(events.map(({ label, start }) => [label, Math.round(start * 1e6) / 1e6])).toEqual([
    ['7', 1],
    ['7', 16],
  ]);
});

it('sees that samples of a CNT file have 16 bits where its header is wrong', async () => {
  const recording = await open('bits16-count-wrong.cnt');
  expect(recording.channels).toHaveLength(16);
  expect(recording.channels[0]!.lengthSamples).toBe(1000);
  for (const [channel, want] of [
    [0, first],
    [15, last],
  ] as const)
    for (const [i, value] of (await recording.read(channel, 0, 4)).entries())
      expect(value).toBeCloseTo(want[i]!, 3);
  expect(recording.log.join()).toMatch(/look like 16 bits .*--input-bits/);
});

describe('WFDB', () => {
  it('falls back to the bare name where a header names a folder', async () => {
    const recording = await open('c07_medians.hea');
    expect(recording.channels.map(({ name }) => name).slice(0, 2)).toEqual(['I', 'II']);
    expect(recording).toMatchObject({ duration: 1.2 });
    expect(recording.log.join()).toContain("'median_wfdb/c07_medians.dat' was read from 'c07_medians.dat'");
  });

  it('tells a folder before a number from a number of segments', async () => {
    const files = { 'mitdb.dat': int16([1, 2, 3]) };
    const header = ascii('mitdb/100 1 250 3\nmitdb.dat 16 200/mV 16 0 0 0 0 II\n');
    const recording = await openRecording(bytesSource('100.hea', header, files));
    expect(recording.channels[0]).toMatchObject({ name: 'II', lengthSamples: 3 });
  });

  it('opens a record of one segment less than it promises, where their lengths add up', async () => {
    const recording = await open('c09.hea');
    expect(recording).toMatchObject({ duration: 36, spans: [{ start: 0, duration: 36 }] });
    expect(recording.log.join()).toContain('promises 4 segments and lists 3');
  });

  it.each([
    ['2014-05-08 05:05:15', '2014-05-08T05:05:15.000Z'],
    ['2014-05-08T05:05:15', '2014-05-08T05:05:15.000Z'],
    ['05:05:15 2014-05-08', '2014-05-08T05:05:15.000Z'],
    ['05:05:15 08/05/2014', '2014-05-08T05:05:15.000Z'],
    ['05:05:15 08.05.2014', '2014-05-08T05:05:15.000Z'],
  ])('reads the start %s', (text, want) => {
    const log: string[] = [];
    expect(parseWfdbStart(text.split(' '), log).startTime?.toISOString()).toBe(want);
    expect(log).toEqual([]);
  });
});
