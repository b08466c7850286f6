/** BrainVision files: of others and of MNE's fixtures against scripts/golden/brainvision.py, and built in place. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { FormatError, UnsupportedError } from '../../src/core/errors.ts';
import { openBrainVision } from '../../src/read/brainvision/brainvision.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { openRecording } from '../../src/read/open.ts';
import { ascii, int16 } from './build.ts';
import { sampleBrainVision, type VisionParts, visionFiles } from './build-brainvision.ts';

interface Golden {
  readonly rateHz: number;
  readonly startMicroseconds: string | null;
  readonly channels: readonly {
    readonly name: string;
    readonly unit: string;
    readonly length: number;
    readonly first: readonly number[];
    readonly last: readonly number[];
    readonly sum: number;
    readonly weighted: number;
    readonly scale: number;
  }[];
  readonly annotations: readonly (readonly [number, number, string])[];
}

const folder = new URL('../golden/read/', import.meta.url).pathname;
const shared = new URL('../../../shared/data/', import.meta.url).pathname;
const golden: Record<string, Golden> = JSON.parse(readFileSync(join(folder, 'brainvision.json'), 'utf8'));

async function compare(path: string, want: Golden): Promise<void> {
  const recording = await openRecordingFile(path);
  const start = recording.startTime!.getTime() * 1000 + (recording.startNanoseconds ?? 0) / 1000;
  expect(String(start)).toBe(want.startMicroseconds);
  expect(
    recording.channels.map(({ name, unit, rateHz, lengthSamples }) => [name, unit, rateHz, lengthSamples]),
  ).toEqual(
    want.channels.map(({ name, unit, length }) => [
      name,
      // MNE keeps the units of voltages only.
      unit === 'n/a' ? expect.any(String) : unit,
      want.rateHz,
      length,
    ]),
  );
  for (const [i, channel] of want.channels.entries()) {
    const x = await recording.read(i, 0, channel.length);
    const near = (a: number, b: number, size: number) =>
      expect(Math.abs(a - b)).toBeLessThanOrEqual(size * 1e-14);
    for (const [k, value] of channel.first.entries()) near(x[k]!, value, channel.scale * 8);
    for (const [k, value] of channel.last.entries())
      near(x[channel.length - 4 + k]!, value, channel.scale * 8);
    const { resolution } = recording.channels[i]!;
    const digital = resolution ? x.map((v) => Math.round(v / resolution)) : x;
    // A sum of integers is exact; MNE's, of products, to its rounding.
    near(digital.reduce((s, v) => s + v, 0) * (resolution ?? 1), channel.sum, channel.scale * channel.length);
    near(
      digital.reduce((s, v, k) => s + v * (k % 1009), 0) * (resolution ?? 1),
      channel.weighted,
      channel.scale * channel.length * 1009,
    );
    expect(await recording.read(i, 60, 100)).toEqual(x.slice(60, 100));
  }
  expect(recording.annotations.map(({ start, duration, label }) => [start, duration, label])).toEqual(
    want.annotations.map(([start, duration, label]) => [
      expect.closeTo(start, 9),
      expect.closeTo(duration, 9),
      label,
    ]),
  );
  expect(recording.log).toEqual([]);
  await recording.close();
}

describe('against MNE', () => {
  const own = Object.entries(golden).filter(([name]) => !name.includes('/'));
  it.each(own)('%s', async (name, want) => compare(join(folder, name), want));

  it.skipIf(!existsSync(shared))(
    'the conformance file, opened by any of its three (needs ../shared)',
    async () => {
      const name = 'conformance/brainvision/test.vhdr';
      for (const extension of ['vhdr', 'eeg', 'vmrk'])
        await compare(join(shared, name.replace('vhdr', extension)), golden[name]!);
    },
  );
});

const open = (files: Record<string, Uint8Array>, name = Object.keys(files)[0]!, tolerant = false) =>
  openRecording(bytesSource(`folder/${name}`, files[name]!, files), { tolerant });
const build = (parts: Partial<VisionParts> & { samples: Uint8Array }) => visionFiles('x', parts);
const all = async (files: Record<string, Uint8Array>) => {
  const recording = await open(files);
  return Promise.all(
    recording.channels.map(async (c, i) => [...(await recording.read(i, 0, c.lengthSamples))]),
  );
};

describe('a recording', () => {
  it('has gaps where segments are dated apart, and annotations in their time', async () => {
    const recording = await open(sampleBrainVision());
    expect(recording.spans).toEqual([
      { start: 0, duration: 0.5 },
      { start: expect.closeTo(2.876544, 9), duration: 0.5 },
    ]);
    expect(recording.duration).toBeCloseTo(3.376544, 9);
    expect(recording.annotations).toEqual([
      { start: 0.1, duration: 0.01, label: 'Stimulus/S  1' },
      { start: expect.closeTo(2.876544, 9), duration: 0.01, label: 'New Segment' },
      { start: expect.closeTo(2.976544, 9), duration: 0.05, label: 'Comment/a, b', channel: 1 },
    ]);
    expect(recording.startTime).toEqual(new Date(Date.UTC(2024, 1, 29, 23, 59, 59, 123)));
    expect(recording.startNanoseconds).toBe(456_000);
    expect(recording.metadata.comments).toBe('A note');
  });

  it('of further segments without a date is read as continuous, and the log says so', async () => {
    const markers = ['New Segment,,1,1,0,00000000000000000000', 'New Segment,,3,1,0'];
    const recording = await open(build({ samples: int16([1, 2, 3, 4, 5, 6, 7, 8]), markers }));
    expect(recording.spans).toEqual([{ start: 0, duration: 0.04 }]);
    expect(recording).not.toHaveProperty('startTime');
    expect(recording.log.join()).toContain('1 further segments have no date');
  });

  it('whose files were renamed is found, and the log says so', async () => {
    const files = build({
      samples: int16([1, 2]),
      dataFile: 'old.eeg',
      markerFile: 'old.vmrk',
      markers: ['Stimulus,S1,1,1,0'],
    });
    const recording = await open(files);
    expect(recording.annotations).toHaveLength(1);
    expect(recording.log).toEqual([
      "brainvision: the header names 'old.eeg' as DataFile, which is not there; 'x.eeg' was read.",
      "brainvision: the header names 'old.vmrk' as MarkerFile, which is not there; 'x.vmrk' was read.",
    ]);
    const { 'x.vmrk': _, ...without } = files;
    expect((await open(without)).log.join()).toContain(
      "'old.vmrk', the MarkerFile that the header names, is not there",
    );
  });

  it('without header or samples is refused with the way out', async () => {
    const files = build({ samples: int16([1, 2]) });
    await expect(open({ 'x.eeg': files['x.eeg']! })).rejects.toThrow(/no header beside it \(x.vhdr\)/);
    await expect(open({ 'x.vhdr': files['x.vhdr']! })).rejects.toThrow(/Put the three files into one folder/);
  });
});

describe('samples', () => {
  it('are read in every binary format and either byte order', async () => {
    const view = (bytes: number, write: (view: DataView) => void) => {
      const data = new DataView(new ArrayBuffer(bytes));
      write(data);
      return new Uint8Array(data.buffer);
    };
    const infos = (format: string, more = '') => `[Binary Infos]\nBinaryFormat=${format}\n${more}`;
    const channels = ['a,,2,mV'];
    const unsigned = view(4, (v) => [v.setUint16(0, 65_535, true), v.setUint16(2, 1, true)]);
    expect(await all(build({ samples: unsigned, channels, infos: infos('UINT_16') }))).toEqual([
      [131_070, 2],
    ]);
    const big = view(4, (v) => [v.setInt16(0, -2), v.setInt16(2, 258)]);
    expect(
      await all(build({ samples: big, channels, infos: infos('INT_16', 'UseBigEndianOrder=YES') })),
    ).toEqual([[-4, 516]]);
    const wide = view(8, (v) => [v.setInt32(0, -100_000, true), v.setInt32(4, 7, true)]);
    expect(await all(build({ samples: wide, channels, infos: infos('INT_32') }))).toEqual([[-200_000, 14]]);
    const real = view(8, (v) => [v.setFloat32(0, 0.25, true), v.setFloat32(4, Number.NaN, true)]);
    const recording = await open(build({ samples: real, channels, infos: infos('IEEE_FLOAT_32') }));
    expect([...(await recording.read(0, 0, 2))]).toEqual([0.5, Number.NaN]);
    expect(recording.channels[0]).toEqual({ name: 'a', unit: 'mV', rateHz: 100, lengthSamples: 2 });
  });

  it('as text are read by line or by channel, with a decimal comma', async () => {
    const infos = '[ASCII Infos]\nDecimalSymbol=,\nSkipLines=0\nSkipColumns=1';
    const common = 'DataFormat=ASCII\nDataOrientation=VECTORIZED\nDataPoints=3';
    const samples = ascii('Fz 1,5 -2 3e2\r\nCz 4 5 6\r\n');
    expect(await all(build({ samples, infos, common }))).toEqual([
      [0.75, -1, 150],
      [2, 2.5, 3],
    ]);
    const lines = ascii('1.5 4\n-2 5\n');
    const multiplexed = {
      samples: lines,
      infos: '[ASCII Infos]\nDecimalSymbol=.',
      common: 'DataFormat=ASCII',
    };
    expect(await all(build(multiplexed))).toEqual([
      [0.75, -1],
      [2, 2.5],
    ]);
    await expect(open(build({ ...multiplexed, samples: ascii('1 2\n3 x\n') }))).rejects.toThrow(/no number/);
    await expect(open(build({ ...multiplexed, samples: ascii('1 2\n3\n') }))).rejects.toThrow(
      /1 numbers for 2 channels in line 2/,
    );
  });

  it('missing at the end are an error, or told in the log where that is tolerated', async () => {
    const samples = int16(Array.from({ length: 15 }, (_, i) => i));
    const cut = build({ samples, common: 'DataPoints=10' });
    await expect(open(cut)).rejects.toThrow(/promises 10 samples of 2 channels.*--tolerant/);
    const recording = await open(cut, undefined, true);
    expect(recording.channels[0]!.lengthSamples).toBe(7);
    expect(recording.log.join()).toContain('7 of 10 samples are read');
    const vectorized = await open(
      build({ samples, common: 'DataPoints=10\nDataOrientation=VECTORIZED' }),
      undefined,
      true,
    );
    expect(vectorized.channels.map(({ name, lengthSamples }) => [name, lengthSamples])).toEqual([['Fz', 10]]);
    const odd = await open(build({ samples }));
    expect(odd.log.join()).toContain('2 bytes after the last whole sample');
  });
});

describe('the header', () => {
  it('in Latin-1 has its µ, escapes and defaults', async () => {
    const channels = ['a\\1b,REF,0.5,µV', 'Cz,,,', 'T,,-0.25,C'];
    const files = build({ samples: int16([2, 2, 2]), channels, codepage: '' });
    const recording = await open(files);
    expect(recording.channels).toEqual([
      {
        ...{ name: 'a,b', unit: 'µV', rateHz: 100, lengthSamples: 1, resolution: 0.5, offset: 0 },
        ...{ range: [-16384, 16383.5], note: 'reference REF' },
      },
      {
        name: 'Cz',
        unit: 'µV',
        rateHz: 100,
        lengthSamples: 1,
        resolution: 1,
        offset: 0,
        range: [-32768, 32767],
      },
      {
        name: 'T',
        unit: 'C',
        rateHz: 100,
        lengthSamples: 1,
        resolution: 0.25,
        offset: 0,
        range: [-8191.75, 8192],
      },
    ]);
    expect(await all(files)).toEqual([[1], [2], [-0.5]]);
  });

  it.each([
    ['more channels than it describes', { common: 'NumberOfChannels=9' }, FormatError, /NumberOfChannels/],
    ['no rate', { intervalMicroseconds: 0 }, FormatError, /no rate/],
    [
      'a resolution that is no number',
      { channels: ['a,,x,µV'] },
      FormatError,
      /'x' as resolution of channel 1/,
    ],
    ['frequencies', { common: 'DataType=FREQUENCYDOMAIN' }, UnsupportedError, /FREQUENCYDOMAIN/],
    [
      'an unknown number format',
      { infos: '[Binary Infos]\nBinaryFormat=INT_12' },
      UnsupportedError,
      /INT_12/,
    ],
  ] as const)('with %s is refused', async (_, parts, kind, message) => {
    const files = build({ samples: int16([1, 2]), ...parts });
    if ('common' in parts && parts.common.startsWith('Number'))
      files['x.vhdr'] = ascii(new TextDecoder().decode(files['x.vhdr']).replace('\nNumberOfChannels=2', ''));
    const opened = openBrainVision(bytesSource('x.vhdr', files['x.vhdr']!, files));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toThrow(kind);
  });
});
