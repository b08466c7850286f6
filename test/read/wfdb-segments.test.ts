/** Records of several segments: fixed and variable layout, gaps, signals that some segments lack, gains that differ. */
import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openWfdb } from '../../src/read/wfdb/wfdb.ts';
import { ascii, countingSource, int16 } from './build.ts';
import { type Files, segments } from './build-wfdb.ts';

const none = Number.NaN;
const all = async (recording: Recording, channel = 0) => [
  ...(await recording.read(channel, 0, recording.channels[channel]!.lengthSamples)),
];
function open(files: Readonly<Record<string, string | readonly number[]>>, tolerant = false) {
  const bytes = Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      typeof content === 'string' ? ascii(content) : int16(content),
    ]),
  );
  return openWfdb(bytesSource('m.hea', bytes['m.hea']!, bytes), { tolerant });
}

/** The same source, and how many of its siblings are open: files take a while to open. */
function countOpen(source: ByteSource) {
  const opened = { now: 0, most: 0 };
  const counting: ByteSource = {
    ...source,
    async sibling(name) {
      await new Promise((resolve) => setTimeout(resolve, name < 'b' ? 0 : 2));
      const found = await source.sibling!(name);
      if (!found) return undefined;
      opened.now++;
      opened.most = Math.max(opened.most, opened.now);
      return {
        ...found,
        async close() {
          opened.now--;
        },
      };
    },
  };
  return { counting, opened };
}

describe('a fixed layout', () => {
  const files = {
    'm.hea': 'm/3 2 10 7 10:00:00 01/02/2003\na 2\nb 3\na 2\n# Age: 30\n',
    'a.hea': 'a 2 10 2\na.dat 16 2/mV 0 0 0 0 0 I\na.dat 16 1/mV 0 0 0 0 0 II\n',
    'a.dat': [2, 10, 4, 20],
    'b.hea': 'b 2 10 3\nb.dat 16 2/mV 0 0 0 0 0 I\nb.dat 16 1/mV 0 0 0 0 0 II\n',
    'b.dat': [6, 30, 8, 40, 10, 50],
  };

  it('joins its segments, one as often as it is named', async () => {
    const recording = await open(files);
    expect(await all(recording, 0)).toEqual([1, 2, 3, 4, 5, 1, 2]);
    expect([...(await recording.read(1, 1, 6))]).toEqual([20, 30, 40, 50, 10]);
    expect(recording.spans).toEqual([{ start: 0, duration: 0.7 }]);
    expect(recording).toMatchObject({ duration: 0.7, metadata: { age: '30' } });
    expect(recording.channels[0]).toMatchObject({ name: 'I', resolution: 0.5, offset: 0, lengthSamples: 7 });
  });

  it('of segments whose gains differ gives each its own; no offset is common', async () => {
    const recording = await open({ ...files, 'b.hea': files['b.hea'].replace('16 2/', '16 4(2)/') });
    expect(await all(recording, 0)).toEqual([1, 2, 1, 1.5, 2, 1, 2]);
    expect(recording.channels[0]).toMatchObject({ resolution: 0.25 });
    expect(recording.channels[0]).not.toHaveProperty('offset');
    expect(recording.log.join()).toContain("differ in gain or baseline of 'I'");
  });

  it.each([
    ['segments of unlike signals', { 'b.hea': 'b 1 10 3\nb.dat 16x2 2/mV\n' }],
    ['2147 frames a second', { 'b.hea': files['b.hea'].replace('b 2 10', 'b 2 2147') }],
    ['Only one level', { 'b.hea': 'b/1 2 10 3\na 2' }],
    ['promises 3 segments and names 2', { 'm.hea': 'm/3 2 10 7\na 2\nb 3' }],
    ['promises 4 frames', { 'm.hea': 'm/1 2 10 4\na 4' }],
    ["'-1' as its number of samples", { 'm.hea': 'm/1 2 10 4\na -1' }],
    ['repeats a segment 200 times', { 'm.hea': `m/200 2 10 400\n${'a 2\n'.repeat(200)}` }],
  ])('is refused: %s', async (fact, changes) => {
    const error = await open({ ...files, ...changes }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toContain(fact);
  });

  it('with a null record between is a gap', async () => {
    const recording = await open({
      ...files,
      'm.hea': 'm/3 2 10 14\na 2\nnull 10\na 2\n',
      'null.hea': 'null 2 10 10\n~ 0 2/mV 0 0 0 0 0 I\n~ 0 1/mV 0 0 0 0 0 II\n',
    });
    expect(await all(recording, 0)).toEqual([1, 2, 1, 2]);
    expect(recording.spans).toEqual([
      { start: 0, duration: 0.2 },
      { start: 1.2, duration: 0.2 },
    ]);
    expect(recording.duration).toBeCloseTo(1.4, 12);
  });
});

describe('a variable layout', () => {
  it('finds signals by name; what a segment lacks is missing, what none has is a gap', async () => {
    const { 'm.hea': header, ...files } = segments();
    const recording = await openWfdb(bytesSource('m.hea', header!, files));
    expect(recording.channels.map(({ name, unit }) => [name, unit])).toEqual([
      ['I', 'mV'],
      ['ABP', 'mmHg'],
    ]);
    const pressure = await all(recording, 1);
    expect(pressure.slice(0, 10)).toEqual(Array(10).fill(none));
    expect(pressure[11]).toBeCloseTo(Math.round(100 * Math.sin(2 / 3)) / 100, 12);
    const lead = await all(recording, 0);
    expect(lead[3]).toBeCloseTo(Math.round(100 * Math.sin(1)) / 200, 12);
    expect(lead[11]).toBeCloseTo(Math.round(100 * Math.sin(3 / 3)) / 200, 12);
    expect(recording.spans).toEqual([
      { start: 0, duration: 0.1 },
      { start: 0.18, duration: 0.12 },
    ]);
    expect(recording.annotations.map(({ start }) => start)).toEqual([0.02, 0.22]);
  });

  it('that begins with a gap counts time from its first sample, and starts later', async () => {
    const files = {
      'm.hea': 'm/3 1 8 18 10:00:00.5 01/02/2003\nlay 0\n~ 11\na 2\n',
      'lay.hea': 'lay 1 8 0\n~ 0 1/mV 0 0 0 0 0 I\n',
      'a.hea': 'a 1 8 2\na.dat 16 1/mV 0 0 0 0 0 I\n',
      'a.dat': [7, 8],
    };
    const recording = await open(files);
    expect(recording.spans).toEqual([{ start: 0, duration: 0.25 }]);
    expect(recording.startTime).toEqual(new Date(Date.UTC(2003, 1, 1, 10, 0, 1, 875)));
    expect(recording.log.join()).toContain('begins with a gap of 1.375 s');
    expect(recording.log.join()).toContain('promises 18 frames, its segments have 13');
  });

  it('opens its files when they are read, and few at once', async () => {
    const count = 40;
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < count; i++) {
      files[`s${i}.hea`] = ascii(`s${i} 1 10 3\ns${i}.dat 16 1/mV 0 0 0 0 0 I\n`);
      files[`s${i}.dat`] = int16([i, i, i]);
    }
    const names = Array.from({ length: count }, (_, i) => `s${i} 3`).join('\n');
    const header = ascii(`m/${count} 1 10 ${3 * count}\n${names}\n`);
    const { source, requests } = countingSource('m.hea', header, files);
    const { counting, opened } = countOpen(source);
    const recording = await openWfdb(counting);
    expect(requests.asked.some(({ name }) => name.endsWith('.dat'))).toBe(false);
    expect(await all(recording)).toEqual(Array.from({ length: 3 * count }, (_, i) => Math.floor(i / 3)));
    expect(opened.most).toBeLessThanOrEqual(40);
    await recording.close();
    expect(opened.now).toBe(0);
    await expect(recording.read(0, 0, 3)).rejects.toThrow('m.hea was closed. Open it again');
    expect(opened.now).toBe(0);
  });

  it('are closed where one of them is missing, and where the recording is closed meanwhile', async () => {
    const files: Record<string, Uint8Array> = {};
    for (const name of ['a', 'b', 'c', 'd']) {
      files[`${name}.hea`] = ascii(`${name} 1 10 3\n${name}.dat 16 1/mV 0 0 0 0 0 I\n`);
      files[`${name}.dat`] = int16([1, 2, 3]);
    }
    const header = ascii('m/4 1 10 12\na 3\nb 3\nc 3\nd 3\n');
    const { 'a.hea': _, ...others } = files;
    const broken = countOpen(bytesSource('m.hea', header, others));
    await expect(openWfdb(broken.counting)).rejects.toThrow("names the segment 'a'");
    await expect.poll(() => broken.opened.now, { timeout: 20_000 }).toBe(0);
    const whole = countOpen(bytesSource('m.hea', header, files));
    const recording = await openWfdb(whole.counting);
    const reading = recording.read(0, 0, 12).catch((error: unknown) => error);
    await recording.close();
    await reading;
    expect(whole.opened.now).toBe(0);
  });
});

describe('a segment that is missing or cut', () => {
  const files: Record<string, string | readonly number[]> = {
    'm.hea': 'm/3 1 10 9\na 3\nb 3\nc 3\n',
    'a.hea': 'a 1 10 3\na.dat 16 1/mV 0 0 0 0 0 I\n',
    'a.dat': [1, 2, 3],
    'c.hea': 'c 1 10 3\nc.dat 16 1/mV 0 0 0 0 0 I\n',
    'c.dat': [7, 8],
  };

  it('is refused, with the way out', async () => {
    await expect(open(files)).rejects.toThrow(
      "wfdb: m.hea names the segment 'b', whose .hea is not beside it. Fetch it too, or open the record with --tolerant: it is a gap then.",
    );
  });

  it('is a gap where that is tolerated, and the log says so', async () => {
    const recording = await open(files, true);
    expect(await all(recording)).toEqual([1, 2, 3, 7, 8]);
    expect(recording.spans).toEqual([
      { start: 0, duration: 0.3 },
      { start: 0.6, duration: 0.2 },
    ]);
    expect(recording.log.join()).toContain("names the segment 'b'");
    expect(recording.log.join()).toContain('2 of 3 frames are read');
  });

  it('and nothing else there is refused or empty', async () => {
    const bare: Files = {};
    await expect(openWfdb(bytesSource('m.hea', ascii('m/2 1 10 9\nlay 0\na 9\n'), bare))).rejects.toThrow(
      "names the layout 'lay'",
    );
    const empty = await openWfdb(bytesSource('m.hea', ascii('m/1 1 10 9\na 9\n'), bare), { tolerant: true });
    expect(empty).toMatchObject({ channels: [], spans: [], duration: 0 });
  });
});
