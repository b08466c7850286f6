/** Every sample format, built bit by bit: all values, any window, missing codes, several signals in a file, cuts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openWfdb } from '../../src/read/wfdb/wfdb.ts';
import { ascii, countingSource } from './build.ts';
import { flacFile } from './build-flac.ts';
import { allFormats, bitsOfFormat, encoders, type Files, flacRecord } from './build-wfdb.ts';

const open = (header: string, files: Files, tolerant = false) =>
  openWfdb(bytesSource('x.hea', ascii(header), files), { tolerant });
const all = async (recording: Recording, channel = 0) => [
  ...(await recording.read(channel, 0, recording.channels[channel]!.lengthSamples)),
];

describe.each(Object.keys(encoders))('format %s', (format) => {
  const top = 2 ** (bitsOfFormat[format]! - 1);
  const encode = encoders[format]!;

  it('gives its ends as they are and its lowest value as missing', async () => {
    const values = [top - 1, 1 - top, -top, 0, -1, 1, 2];
    const recording = await open(`x 1 100 7\nx.dat ${format} 1`, { 'x.dat': encode(values) });
    expect(await all(recording)).toEqual([top - 1, 1 - top, Number.NaN, 0, -1, 1, 2]);
    expect(recording.channels[0]).toMatchObject({ range: [1 - top, top - 1], resolution: 1, offset: 0 });
  });

  it('holds any values, signals, samples a frame, windows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 13 }),
        fc.infiniteStream(fc.integer({ min: 1 - top, max: top - 1 })),
        fc.nat({ max: 5 }),
        async (perFrame, frames, stream, from) => {
          const width = perFrame.reduce((a, b) => a + b, 0);
          const values = [...stream.take(width * frames)];
          const lines = perFrame.map((n, i) => `x.dat ${format}x${n} 1 0 0 0 0 0 s${i}`);
          const data = encode(values);
          const header = `x ${perFrame.length} 100 ${frames}\n${lines.join('\n')}`;
          const recording = await open(header, { 'x.dat': data });
          let before = 0;
          for (const [i, n] of perFrame.entries()) {
            const offset = before;
            const want = values.filter((_, at) => at % width >= offset && at % width < offset + n);
            const start = Math.min(from, want.length);
            expect([...(await recording.read(i, start, want.length))]).toEqual(want.slice(start));
            before += n;
          }
          // One byte less, and the last frame is cut.
          await expect(open(header, { 'x.dat': data.subarray(0, -1) })).rejects.toThrow(FormatError);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });
});

describe('format 8', () => {
  it('adds differences to the initial value; two signals, samples a frame', async () => {
    // a: 10 + 1, + 2 | − 3, + 0; b: −5 − 1 | + 7
    const data = Int8Array.of(1, 2, -1, -3, 0, 7);
    const header = 'x 2 100 2\nx.dat 8x2 1 8 0 10 0 0 a\nx.dat 8 2(-5) 8 0 -5 0 0 b\n';
    const recording = await open(header, { 'x.dat': new Uint8Array(data.buffer) });
    expect(await all(recording, 0)).toEqual([11, 13, 10, 10]);
    expect(await all(recording, 1)).toEqual([-0.5, 3]);
    expect([...(await recording.read(0, 3, 4))]).toEqual([10]);
  });

  it('notes sums, so that a late window is decoded from near it; windows in any order agree', async () => {
    const frames = 100_000;
    const steps = Int8Array.from({ length: frames }, (_, i) => ((i * 7919) % 255) - 127);
    let sum = 0;
    const want = Float64Array.from(steps, (step) => (sum += step));
    const { source, requests } = countingSource('x.hea', ascii(`x 1 100 ${frames}\nx.dat 8 1 8 0 0\n`), {
      'x.dat': new Uint8Array(steps.buffer),
    });
    const recording = await openWfdb(source);
    requests.reset();
    for (const [start, end] of [
      [90_000, 90_010],
      [5, 20],
      [frames - 1, frames],
      [8190, 8195],
      [0, frames],
    ] as const)
      expect(await recording.read(0, start, end)).toEqual(want.slice(start, end));
    const together = await Promise.all([
      recording.read(0, 70_000, 70_001),
      recording.read(0, 99_000, 99_001),
    ]);
    expect(together.map(([x]) => x)).toEqual([want[70_000], want[99_000]]);
  });
});

describe('format 0', () => {
  it('stores nothing: a signal beside others is missing', async () => {
    const header = 'x 2 100 3\n~ 0 200/mV 0 0 0 0 0 none\nx.dat 16 1 0 0 0 0 0 one\n';
    const recording = await open(header, { 'x.dat': encoders['16']!([1, 2, 3]) });
    expect(await all(recording, 0)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(await all(recording, 1)).toEqual([1, 2, 3]);
    expect(recording.channels[0]).not.toHaveProperty('range');
  });

  it('does not make samples out of a claim', async () => {
    const alone = await open('x 1 100 1000000000000\n~ 0 200/mV', {});
    expect(alone).toMatchObject({ duration: 0, channels: [{ lengthSamples: 0 }] });
    expect(alone.log.join()).toContain('stores no signal');
    const header = 'x 2 100 2\n~ 0x999999 200/mV\nx.dat 16 1\n';
    const beside = await open(header, { 'x.dat': encoders['16']!([1, 2]) });
    expect(beside.channels.map(({ lengthSamples }) => lengthSamples)).toEqual([2, 2]);
  });
});

describe('FLAC formats', () => {
  const x = Array.from({ length: 500 }, (_, i) => ((i * 37) % 201) - 100);
  const y = x.map((v) => -v + 3);

  it.each([
    ['508', 8],
    ['516', 16],
    ['524', 24],
  ])('%s: channels of a file, samples a frame, an offset in samples', async (format, bits) => {
    const data = flacFile([x, y], { bits, blockSamples: 100, rice: () => 7 });
    const lines = ['a', 'b'].map((name) => `x.dat ${format}x2+10 2(1)/mV 0 0 0 0 0 ${name}`);
    const recording = await open(`x 2 100 245\n${lines.join('\n')}`, { 'x.dat': data });
    expect(recording.channels[0]).toMatchObject({ rateHz: 200, lengthSamples: 490 });
    expect(await all(recording, 0)).toEqual(x.slice(10).map((v) => (v - 1) / 2));
    expect([...(await recording.read(1, 301, 333))]).toEqual(y.slice(311, 343).map((v) => (v - 1) / 2));
  });

  it('the lowest value is missing', async () => {
    const data = flacFile([[-128, 5, -127]], {
      bits: 8,
      blockSamples: 3,
      subframe: () => ({ type: 'verbatim' }),
    });
    expect(await all(await open('x 1 100 3\nx.dat 508 1', { 'x.dat': data }))).toEqual([Number.NaN, 5, -127]);
  });

  it('of other channels, bits or rates than the header says are refused', async () => {
    const data = flacFile([x, y], { bits: 16, blockSamples: 100, rice: () => 7 });
    const lines = (...formats: string[]) =>
      `x ${formats.length} 100\n${formats.map((format) => `x.dat ${format} 1`).join('\n')}`;
    await expect(open(lines('516'), { 'x.dat': data })).rejects.toThrow('2 channels, the header describes 1');
    await expect(open(lines('508', '508'), { 'x.dat': data })).rejects.toThrow('16 bits a sample');
    await expect(open(lines('516', '516x2'), { 'x.dat': data })).rejects.toThrow('different rates');
  });

  it('cut short are refused; tolerant reads whole frames', async () => {
    const { 'f.hea': header, 'f.dat': data } = flacRecord();
    const files = { 'f.dat': data!.subarray(0, data!.length - 3) };
    const source = () => bytesSource('f.hea', header!, files);
    await expect(openWfdb(source())).rejects.toThrow(
      'f.dat ends at sample 288 of 300 that f.hea promises. The copy is truncated; fetch it again, or open it with --tolerant.',
    );
    const recording = await openWfdb(source(), { tolerant: true });
    expect(recording.channels[0]!.lengthSamples).toBe(288);
    expect(recording.log.join()).toContain('288 of 300 frames are read');
  });
});

it('all formats in one record', async () => {
  const { 'x.hea': header, ...files } = allFormats();
  const recording = await openWfdb(bytesSource('x.hea', header!, files));
  const first = await all(recording, 0);
  for (let i = 1; i < 9; i++) expect(await all(recording, i)).toEqual(first);
  expect(first[5]).toBeCloseTo((Math.round(100 * Math.sin(5 / 3)) - 3) / 100, 12);
});
