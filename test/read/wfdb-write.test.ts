/** WFDB written and read again: stored integers exactly, formats by need, rates, gaps, annotations, headers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { Annotation, Channel, Recording } from '../../src/core/recording.ts';
import { openEdf } from '../../src/read/edf/edf.ts';
import { readWfdbAnnotations } from '../../src/read/wfdb/annotations.ts';
import { openWfdb } from '../../src/read/wfdb/wfdb.ts';
import { writeWfdb } from '../../src/read/wfdb/write.ts';
import { concat, edfFile } from './build.ts';
import { ahaFile, type Files, wfdbCorpus } from './build-wfdb.ts';

interface Parts extends Partial<Omit<Recording, 'channels'>> {
  readonly channels: readonly (Partial<Channel> & { readonly samples: ArrayLike<number> })[];
}

function recordingOf({ channels, ...parts }: Parts): Recording {
  const described = channels.map(
    ({ samples, ...one }, i): Channel => ({
      name: `c${i}`,
      unit: 'mV',
      rateHz: 100,
      lengthSamples: samples.length,
      ...one,
    }),
  );
  const duration = described[0] ? described[0].lengthSamples / described[0].rateHz : 0;
  return {
    source: 'made',
    format: 'made',
    channels: described,
    duration,
    spans: duration > 0 ? [{ start: 0, duration }] : [],
    annotations: [],
    metadata: {},
    log: [],
    read: async (c, start, end) => Float64Array.from(channels[c]!.samples).slice(start, end),
    close: async () => undefined,
    ...parts,
  };
}

async function filesOf(recording: Recording, name = 'r.hea'): Promise<Files> {
  const files: Record<string, Uint8Array> = {};
  for await (const { name: file, bytes } of writeWfdb(recording, name)) {
    const parts: Uint8Array[] = [];
    for await (const part of bytes) parts.push(part);
    files[file] = concat(...parts);
  }
  return files;
}

const textOf = (files: Files) => new TextDecoder().decode(files['r.hea']);
async function again(recording: Recording): Promise<Recording> {
  const files = await filesOf(recording);
  return openWfdb(bytesSource('r.hea', files['r.hea']!, files));
}
const all = async (recording: Recording, channel = 0) =>
  recording.read(channel, 0, recording.channels[channel]!.lengthSamples);

describe('stored integers', () => {
  it('of any resolution, offset and range stay what they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0.005, 1 / 200, 0.1, 10 / 4095, 1 / 3, 1e-3, 0.03125, 3276.7 / 32767),
        fc.constantFrom(0, 1, -7, 0.5, 1 / 3, 100.25, 1 / 7, 0.123456),
        fc.constantFrom(8, 12, 16, 20, 24),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        async (resolution, stepsOff, bits, stream) => {
          const half = 2 ** (bits - 1);
          const integers = [...stream.take(30)].map((u) => Math.round(u * (2 * half - 2)) + 1 - half);
          const offset = stepsOff * resolution;
          const range = [(1 - half) * resolution + offset, (half - 1) * resolution + offset] as const;
          const samples = integers.map((v) => v * resolution + offset);
          const before = recordingOf({ channels: [{ samples, resolution, offset, range }] });
          const after = await again(before);
          const x = await all(after);
          expect(Array.from(x, (v) => Math.round((v - offset) / resolution) + 0)).toEqual(
            integers.map((v) => v + 0),
          );
          const isWhole = [1, -7, 0.5, 0, 1 / 3, 100.25, 1 / 7].includes(stepsOff);
          for (const [i, v] of samples.entries())
            expect(Math.abs(x[i]! - v)).toBeLessThanOrEqual(
              isWhole ? 1e-12 * (range[1] - range[0]) : resolution / 8,
            );
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });

  it.each(Object.entries(wfdbCorpus()))('of the record of %s survive a second time', async (_, files) => {
    const [[name, header]] = Object.entries(files) as [[string, Uint8Array]];
    const before = await openWfdb(bytesSource(name, header, files));
    const after = await again(before);
    const filled = before.spans.length > 1;
    for (const [i, channel] of before.channels.entries()) {
      const now = after.channels[i]!;
      expect(now).toMatchObject({ name: channel.name, unit: channel.unit, rateHz: channel.rateHz });
      if (filled) continue;
      expect(now.resolution).toBe(channel.resolution);
      expect(await all(after, i)).toEqual(await all(before, i));
    }
    expect(after.annotations).toEqual(before.annotations);
    expect(after.startTime).toEqual(before.startTime);
    expect(after.metadata.comments).toBe(before.metadata.comments);
  });

  it('of an EDF file whose physical zero lies between two of them are exact in half steps', async () => {
    const bytes = edfFile({
      signals: [
        {
          label: 'ECG',
          perRecord: 6,
          unit: 'mV',
          physical: ['-5', '5'],
          digital: ['-2048', '2047'],
          values: () => [-2048, -1, 0, 1, 2, 2047],
        },
      ],
      records: 1,
    });
    const before = await openEdf(bytesSource('x.edf', bytes));
    const after = await again(before);
    const [x, y] = [await all(before), await all(after)];
    for (const [i, v] of x.entries()) expect(y[i]).toBeCloseTo(v, 12);
    expect(after.channels[0]!.resolution).toBeCloseTo(5 / 4095, 15);
  });
});

describe('the format', () => {
  const formatOf = async (parts: Parts['channels'][number]) =>
    /r\.dat (\d+) /.exec(textOf(await filesOf(recordingOf({ channels: [parts] }))))?.[1];

  it('is 16 where that holds the integers, 24 or 32 where not', async () => {
    const step = { resolution: 1, offset: 0 };
    expect(await formatOf({ ...step, samples: [1, 2], range: [-32767, 32767] })).toBe('16');
    // The range has a value more than format 16, the samples do not.
    expect(await formatOf({ ...step, samples: [1, 2], range: [-32768, 32767] })).toBe('16');
    expect(await formatOf({ ...step, samples: [-32768, 32767], range: [-32768, 32767] })).toBe('24');
    expect(await formatOf({ ...step, samples: [0, 65534], range: [0, 65534] })).toBe('16');
    expect(await formatOf({ ...step, samples: [-8388607, 8388607] })).toBe('24');
    expect(await formatOf({ ...step, samples: [-8388608, 8388607] })).toBe('32');
  });

  it('of values without steps keeps their decimals, or takes 65,000 steps', async () => {
    const exact = [0.125, -1.5, 3.75, 0];
    const after = await again(recordingOf({ channels: [{ samples: exact }] }));
    expect([...(await all(after))]).toEqual(exact);
    const odd = [Math.PI, -Math.E, Math.SQRT2, 1e-7];
    const rounded = await again(recordingOf({ channels: [{ samples: odd }] }));
    for (const [i, v] of (await all(rounded)).entries())
      expect(Math.abs(v - odd[i]!)).toBeLessThan(6 / 65_000);
    const flat = await again(
      recordingOf({ channels: [{ samples: [Math.PI, Math.PI] }, { samples: [0, 0] }] }),
    );
    expect((await all(flat))[1]).toBeCloseTo(Math.PI, 4);
    expect([...(await all(flat, 1))]).toEqual([0, 0]);
  });
});

describe('what is missing', () => {
  it('is the missing code, also where nothing else is', async () => {
    const samples = [1, Number.NaN, 3];
    const none = [Number.NaN, Number.NaN, Number.NaN];
    const after = await again(recordingOf({ channels: [{ samples }, { samples: none }] }));
    expect([...(await all(after))]).toEqual(samples);
    expect([...(await all(after, 1))]).toEqual(none);
  });

  it('in gaps is filled, and what follows keeps its time', async () => {
    const recording = recordingOf({
      channels: [
        { samples: [1, 2, 3, 4, 5], resolution: 1, rateHz: 10 },
        { samples: [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], resolution: 1, rateHz: 20 },
      ],
      spans: [
        { start: 0, duration: 0.2 },
        { start: 0.5, duration: 0.3 },
      ],
      annotations: [{ start: 0.5, duration: 0, label: 'N' }],
    });
    const after = await again(recording);
    const gap = [Number.NaN, Number.NaN, Number.NaN];
    expect([...(await all(after))]).toEqual([1, 2, ...gap, 3, 4, 5]);
    expect([...(await all(after, 1))].slice(8, 12)).toEqual([Number.NaN, Number.NaN, 3, 3]);
    expect(after.duration).toBeCloseTo(0.8, 12);
    expect(after.annotations).toEqual(recording.annotations);
  });
});

describe('rates', () => {
  it('that are whole multiples of one are samples a frame', async () => {
    const channels = [250, 100, 50].map((rateHz) => ({ rateHz, samples: Array(rateHz).fill(0.5) }));
    const files = await filesOf(recordingOf({ channels }));
    expect(textOf(files)).toMatch(/^r 3 50 50\nr\.dat 16x5 .*\nr\.dat 16x2 .*\nr\.dat 16 /);
    expect((await again(recordingOf({ channels }))).channels.map(({ rateHz }) => rateHz)).toEqual([
      250, 100, 50,
    ]);
  });

  it('that meet only after seconds make frames of seconds; annotations stay exact', async () => {
    const channels = [1000, 800, 975, 999].map((rateHz) => ({
      rateHz,
      samples: Array.from({ length: 2 * rateHz }, (_, i) => Math.round(100 * Math.sin(i / 9)) / 100),
    }));
    const before = recordingOf({ channels, annotations: [{ start: 0.3337, duration: 0, label: 'N' }] });
    const after = await again(before);
    expect(after.channels.map(({ rateHz }) => rateHz)).toEqual([1000, 800, 975, 999]);
    for (const [i, { samples }] of channels.entries()) {
      const found = await after.read(i, 0, samples.length);
      for (const [k, want] of samples.entries()) expect(found[k]).toBeCloseTo(want, 9);
    }
    expect(after.annotations[0]!.start).toBeCloseTo(0.3337, 3);
  });

  it('that are none are refused with a way out, before the first byte', async () => {
    const channels = [256, 80 * Math.PI].map((rateHz) => ({ rateHz, samples: [1, 2] }));
    await expect(filesOf(recordingOf({ channels }))).rejects.toThrow(ConfigError);
    await expect(filesOf(recordingOf({ channels }))).rejects.toThrow(/one rate with --rate/);
  });
});

describe('the header', () => {
  it('holds the checksum and the first value of each signal, and what is known', async () => {
    const files = await filesOf(
      recordingOf({
        channels: [
          {
            name: 'ECG  lead II',
            unit: 'µV',
            samples: [5, 30_000, 30_000, 7],
            resolution: 1,
            offset: 0,
            range: [-2048, 2047],
          },
        ],
        startTime: new Date(Date.UTC(2001, 1, 3, 4, 5, 6, 78)),
        startNanoseconds: 9000,
        metadata: { age: '63', sex: 'F', record: 'old', comments: 'Aldomet, Inderal\nsex: F' },
      }),
    );
    expect(textOf(files)).toBe(
      'r 1 100 4 04:05:06.078009 03/02/2001\nr.dat 16 1(0)/uV 12 0 5 -5524 0 ECG lead II\n# Aldomet, Inderal\n# sex: F\n# age: 63\n',
    );
    const after = await openWfdb(bytesSource('r.hea', files['r.hea']!, files));
    expect(after).toMatchObject({
      startTime: new Date(Date.UTC(2001, 1, 3, 4, 5, 6, 78)),
      startNanoseconds: 9000,
    });
    expect(after.metadata).toMatchObject({ age: '63', sex: 'F' });
  });

  it.each([
    [Date.UTC(2020, 0, 24, 4, 5, 56, 394), 531_200, '04:05:56.394531 24/01/2020'],
    [Date.UTC(2020, 11, 31, 23, 59, 59, 999), 999_600, '00:00:00 01/01/2021'],
    [Date.UTC(1969, 6, 20, 20, 17, 39, 250), 0, '20:17:39.250 20/07/1969'],
  ])(
    'says the start to the microsecond, which is all that other tools read: %d',
    async (ms, nanoseconds, text) => {
      const start = { startTime: new Date(ms), startNanoseconds: nanoseconds };
      const files = await filesOf(recordingOf({ channels: [{ samples: [1, 2] }], ...start }));
      expect(textOf(files).split('\n')[0]).toBe(`r 1 100 2 ${text}`);
    },
  );

  it.each(['a b.hea', '../r.hea', 'a.b.hea', '.hea'])('is not written as %j', async (name) => {
    await expect(filesOf(recordingOf({ channels: [{ samples: [1] }] }), name)).rejects.toThrow(ConfigError);
  });
});

describe('annotations', () => {
  const write = async (annotations: readonly Annotation[]) =>
    (await again(recordingOf({ channels: [{ samples: Array(300).fill(0) }], annotations }))).annotations;

  it('that are mnemonics become codes, others notes; durations of notes are kept', async () => {
    const found = await write([
      { start: 0, duration: 0, label: 'first' },
      { start: 0.5, duration: 0, label: 'N' },
      { start: 1, duration: 0, label: '+ (AFIB' },
      { start: 1.5, duration: 2.25, label: 'task – größer' },
      { start: 2, duration: 0, label: 'A patient moved' },
      { start: 2.5, duration: 1, label: 'V' },
    ]);
    expect(found.map(({ start, duration, label }) => [start, duration, label])).toEqual([
      [0, 0, '" first'],
      [0.5, 0, 'N'],
      [1, 0, '+ (AFIB'],
      [1.5, 2.25, '" task – größer'],
      [2, 0, '" A patient moved'],
      [2.5, 1, '" V'],
    ]);
  });

  it('of any time, channel, subtype and number come back', async () => {
    const one = fc.record(
      {
        start: fc.oneof(
          fc.nat(100_000).map((n) => n / 100),
          fc.nat(10 ** 10).map((n) => n / 1e6),
        ),
        duration: fc.constant(0),
        label: fc.constantFrom('N', 'V', '~', '+ (N', '(', ')', 'p', '[42]', '" x', '*'),
        channel: fc.nat(1),
        subtype: fc.integer({ min: -128, max: 127 }).filter((v) => v !== 0),
        number: fc.integer({ min: -128, max: 127 }).filter((v) => v !== 0),
      },
      { requiredKeys: ['start', 'duration', 'label'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 20 }), async (list) => {
        const sorted = list.toSorted((a, b) => a.start - b.start);
        const channels = [{ samples: [0] }, { samples: [0] }];
        const recording = recordingOf({ channels, annotations: list, format: 'wfdb' });
        const found = (await again(recording)).annotations;
        expect(found.map(({ start: _, ...rest }) => rest)).toEqual(
          sorted.map(({ start: _, ...rest }) => rest),
        );
        for (const [i, { start }] of found.entries()) expect(start).toBeCloseTo(sorted[i]!.start, 5);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('longer than a text may be are cut', async () => {
    const [found] = await write([{ start: 1, duration: 3, label: 'ä'.repeat(400) }]);
    expect(found).toMatchObject({ duration: 3, start: 1 });
    expect(found!.label.length).toBeGreaterThan(100);
  });
});

describe('annotation files of the AHA', () => {
  it('are told from those of MIT, and give its mnemonics', async () => {
    const bytes = ahaFile([
      ['N', 100],
      ['V', 70_000, 'odd'],
      ['U', 70_100],
      ['[', 70_200],
      [']', 70_450],
    ]);
    const found = await readWfdbAnnotations(bytesSource('x.ann', bytes), 250);
    expect(found).toEqual([
      { start: 0.4, duration: 0, label: 'N' },
      { start: 280, duration: 0, label: 'V odd' },
      { start: 280.4, duration: 0, label: '~', subtype: -1 },
      { start: 280.8, duration: 1, label: '[' },
      { start: 281.8, duration: 0, label: ']' },
    ]);
    await expect(readWfdbAnnotations(bytesSource('x', bytes.subarray(0, 40)), 250)).rejects.toThrow(
      /within an annotation that ends at 48/,
    );
    const log: string[] = [];
    expect(await readWfdbAnnotations(bytesSource('x', bytes.subarray(0, 40)), 250, log, true)).toHaveLength(
      2,
    );
    expect(log.join()).toContain('2 whole annotations are read');
  });
});
