/** Recordings → EDF+ and BDF+ → recordings: stored integers, times, gaps, missing samples, rates, memory. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { Annotation, Channel, Recording } from '../../src/core/recording.ts';
import { writeBdf, writeEdf } from '../../src/read/edf/write.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { openRecording } from '../../src/read/open.ts';
import type { WriteRecording } from '../../src/read/output.ts';
import { concat } from './build.ts';
import { sampleBdf } from './build-bdf.ts';
import { sampleEdf } from './build-edf.ts';

type Signal = Partial<Channel> & { samples: ArrayLike<number> };

/** A recording in memory. */
function inMemory(signals: readonly Signal[], more: Partial<Recording> = {}): Recording {
  const channels = signals.map(({ samples, ...channel }, i) => ({
    ...{ name: `c${i}`, unit: 'uV', rateHz: 10, lengthSamples: samples.length, ...channel },
  }));
  const duration = channels.reduce((most, c) => Math.max(most, c.lengthSamples / c.rateHz), 0);
  return {
    ...{ source: 'memory', format: 'test', channels, duration, spans: [{ start: 0, duration }] },
    ...{ annotations: [], metadata: {}, log: [] },
    async read(channel, start, end, into) {
      const result = into ?? new Float64Array(end - start);
      for (let i = start; i < end; i++) result[i - start] = signals[channel]!.samples[i]!;
      return result;
    },
    async close() {},
    ...more,
  };
}

async function bytesOf(write: WriteRecording, recording: Recording, name = 'x.edf'): Promise<Uint8Array> {
  const files = [];
  for await (const file of write(recording, name)) {
    const parts = [];
    for await (const part of file.bytes) parts.push(part);
    files.push({ name: file.name, bytes: concat(...parts) });
  }
  expect(files.map((file) => file.name)).toEqual([name]);
  return files[0]!.bytes;
}

const roundTrip = async (write: WriteRecording, recording: Recording) =>
  openRecording(bytesSource('x.edf', await bytesOf(write, recording)));

async function integersOf(recording: Recording, channel: number): Promise<number[]> {
  const { resolution, offset, lengthSamples } = recording.channels[channel]!;
  const x = await recording.read(channel, 0, lengthSamples);
  return Array.from(x, (value) => Math.round((value - offset!) / resolution!) + 0);
}

const steps = (count: number, step = 1) =>
  Array.from({ length: count }, (_, i) => ((i * 7919) % 1000) - 500).map((v) => v * step);

describe('a round trip', () => {
  it.each([
    ['EDF+D', writeEdf, sampleEdf],
    ['BDF+C', writeBdf, sampleBdf],
    ['EDF+D in BDF+', writeBdf, sampleEdf],
  ] as const)('of %s keeps stored integers, channels, gaps, annotations, start', async (_, write, sample) => {
    const [[name, bytes]] = Object.entries(sample()) as [[string, Uint8Array]];
    const before = await openRecording(bytesSource(name, bytes));
    const after = await roundTrip(write, before);
    expect(after.channels).toEqual(before.channels);
    expect(after).toMatchObject({ spans: before.spans, annotations: before.annotations, log: [] });
    expect([after.startTime, after.startNanoseconds]).toEqual([before.startTime, before.startNanoseconds]);
    for (const i of before.channels.keys()) {
      expect(await integersOf(after, i)).toEqual(await integersOf(before, i));
      const { lengthSamples } = before.channels[i]!;
      expect(await after.read(i, 0, lengthSamples)).toEqual(await before.read(i, 0, lengthSamples));
    }
  });

  it('keeps stored integers of any resolution and offset, in 16 and 24 bits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1, maxLength: 50 }),
        fc.constantFrom(0.001, 0.2, 1 / 200.5, 1 / 3, 0.00488, 2.44e-4, 1 / 1000.17),
        fc.integer({ min: -4000, max: 4000 }),
        fc.boolean(),
        async (digital, resolution, baseline, isWide) => {
          const offset = -baseline * resolution;
          const samples = digital.map((d) => d * resolution + offset);
          const before = inMemory([{ samples, resolution, offset, unit: 'mV' }]);
          const after = await roundTrip(isWide ? writeBdf : writeEdf, before);
          const [channel] = after.channels;
          const x = await after.read(0, 0, digital.length);
          expect((await integersOf(after, 0)).slice(0, digital.length)).toEqual(digital.map((d) => d + 0));
          // What 8 characters say of the scale is right to a tenth of a step.
          for (const [i, want] of samples.entries())
            expect(Math.abs(x[i]! - want)).toBeLessThan(resolution / 9);
          expect(channel!.resolution! / resolution).toBeCloseTo(1, 4);
        },
      ),
      { seed: 6, numRuns: 150 },
    );
  });

  it('keeps 24 bits, and moves integers that reach beyond 16 where they span no more', async () => {
    const wide = inMemory([{ samples: [-8_388_608, 0, 8_388_607], resolution: 1, offset: 0 }]);
    expect((await integersOf(await roundTrip(writeBdf, wide), 0)).slice(0, 3)).toEqual([
      -8_388_608, 0, 8_388_607,
    ]);
    const high = inMemory([{ samples: [100_000, 130_000, 110_000], resolution: 0.5, offset: 0 }]);
    const after = await roundTrip(writeEdf, high);
    expect([...(await after.read(0, 0, 3))]).toEqual([100_000, 130_000, 110_000]);
  });

  it('of values without a resolution is exact to half a step of the finest; volts become microvolts', async () => {
    const samples = steps(40, 1.2345e-7);
    const after = await roundTrip(writeEdf, inMemory([{ samples, unit: 'V' }]));
    expect(after.channels[0]!.unit).toBe('uV');
    const x = await after.read(0, 0, 40);
    expect(after.channels[0]!.resolution!).toBeLessThan((1000 * 0.12345) / 65_000);
    for (const [i, want] of samples.entries())
      expect(Math.abs(x[i]! - want * 1e6)).toBeLessThanOrEqual(after.channels[0]!.resolution! * 0.501);
  });
});

describe('records', () => {
  it('hold whole samples of all rates, and a length that divides the recording where one does', async () => {
    for (const [rates, seconds] of [
      [[250, 1, 62.5], 20],
      [[128, 0.2], 110],
      [[1000 / 3], 6],
      [[100 / 0.333333], 3 * 0.333333],
      [[500, 0.03125], 96],
      [[250], 10_007 / 250],
    ] as const) {
      const signals = rates.map((rateHz) => ({
        rateHz,
        samples: steps(Math.round(rateHz * seconds)),
        resolution: 1,
      }));
      const after = await roundTrip(writeEdf, inMemory(signals));
      expect(after.channels.map((c) => [c.rateHz, c.lengthSamples])).toEqual(
        signals.map(({ rateHz, samples }) => [expect.closeTo(rateHz, 6), samples.length]),
      );
      expect(after.annotations).toEqual([]);
    }
  });

  it('that must be filled up repeat the last value; an annotation says where the recording ends', async () => {
    // 650 samples at 360 Hz: no decimal length divides them.
    const after = await roundTrip(writeEdf, inMemory([{ rateHz: 360, samples: steps(653), resolution: 1 }]));
    const found = await integersOf(after, 0);
    expect(found.length).toBeGreaterThan(653);
    expect(found.slice(0, 653)).toEqual(steps(653));
    expect(new Set(found.slice(652)).size).toBe(1);
    expect(after.annotations).toEqual([
      { start: expect.closeTo(653 / 360, 8), duration: 0, label: 'Recording ends' },
    ]);
  });

  it('of rates that never meet are refused with the way out', async () => {
    const signals = [
      { rateHz: 511.998_73, samples: steps(100) },
      { rateHz: 100, samples: steps(100) },
    ];
    await expect(bytesOf(writeEdf, inMemory(signals))).rejects.toThrow(
      /511.99873, 100 Hz. Choose one rate with --rate/,
    );
    await expect(bytesOf(writeEdf, inMemory(signals))).rejects.toThrow(ConfigError);
  });

  it('are written and read a stretch at a time', async () => {
    const lengthSamples = 3_000_000;
    let [largest, most] = [0, 0];
    const recording = inMemory([{ rateHz: 1000, lengthSamples, samples: [], resolution: 1, offset: 0 }], {
      spans: [{ start: 0, duration: 3000 }],
      async read(_, start, end, into) {
        largest = Math.max(largest, end - start);
        for (let i = 0; i < into!.length; i++) into![i] = (start + i) % 30_011;
        return into!;
      },
    });
    const seconds: number[] = [];
    let bytes = 0;
    for await (const file of writeEdf(recording, 'x.edf', { onProgress: (s) => seconds.push(s) }))
      for await (const part of file.bytes) {
        most = Math.max(most, part.length);
        bytes += part.length;
      }
    expect(largest).toBeLessThanOrEqual(2 ** 18);
    expect(most).toBeLessThan(2 ** 20);
    expect(bytes).toBeGreaterThan(2 * lengthSamples);
    expect(seconds.at(-1)).toBe(3000);
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
  });
});

describe('what EDF has no place for', () => {
  it('missing samples are the lowest integer, below all values, and an annotation says where', async () => {
    const samples = steps(60);
    samples.fill(Number.NaN, 20, 35);
    samples[50] = Number.NaN;
    const signals = [
      { samples: steps(60), resolution: 1 },
      { samples, resolution: 1, offset: 0 },
    ];
    const after = await roundTrip(writeEdf, inMemory(signals));
    expect(after.annotations).toEqual([
      { start: 2, duration: 1.5, label: 'missing', channel: 1 },
      { start: 5, duration: 0.1, label: 'missing', channel: 1 },
    ]);
    const found = await integersOf(after, 1);
    const low = (after.channels[1]!.range![0] - after.channels[1]!.offset!) / after.channels[1]!.resolution!;
    for (const [i, want] of samples.entries())
      expect(found[i]).toBe(Number.isNaN(want) ? Math.round(low) : want);
    expect(low).toBeLessThan(-500);
    const floats = await roundTrip(writeEdf, inMemory([{ samples: [1, Number.NaN, 2] }]));
    const x = await floats.read(0, 0, 3);
    expect(x[1]).toBeLessThan(1 - 5e-5);
    const none = await roundTrip(writeEdf, inMemory([{ samples: [Number.NaN, Number.NaN] }]));
    expect(none.annotations).toHaveLength(1);
  });

  it('infinite samples are refused', async () => {
    const infinite = inMemory([{ samples: [1, Number.POSITIVE_INFINITY] }]);
    await expect(bytesOf(writeEdf, infinite)).rejects.toThrow("sample 1 of 'c0' is Infinity");
  });
});

describe('values that take more steps than there are', () => {
  it.each([
    ['16 bits', writeEdf, [0, 70_000, -3], 1, 70_003 / 65_535],
    ['24 bits', writeBdf, [0, 2 ** 25, -3], 1, 2 ** 25 / (2 ** 24 - 1)],
    [
      '16 bits, of a BDF at its offset',
      writeEdf,
      [-14_890.33, -14_000.5, -9000.25],
      0.03125,
      5890.08 / 65_535,
    ],
  ] as const)('are rounded to as many as there are: %s', async (_, write, samples, resolution, step) => {
    const after = await roundTrip(write, inMemory([{ samples, resolution, offset: 0 }]));
    expect(after.channels[0]!.resolution! / step).toBeCloseTo(1, 2);
    const x = await after.read(0, 0, samples.length);
    for (const [i, want] of samples.entries()) expect(Math.abs(x[i]! - want)).toBeLessThan(0.51 * step);
  });

  it('are refused where they are bits, with the way out', async () => {
    const status = { samples: [0, 70_000], resolution: 1, offset: 0, unit: 'Boolean' };
    await expect(bytesOf(writeEdf, inMemory([status]))).rejects.toThrow(
      /'c0' reaches from 0 to 70000 Boolean: bits, .* --channels '!c0', or write .bdf/,
    );
  });
});

describe('ranges that 8 characters of the header', () => {
  it('say where not at the ends of all bits, keep their integers', async () => {
    const digital = [-29_012, 0, 29_877];
    const samples = digital.map((d) => d * 2.5);
    const after = await roundTrip(writeBdf, inMemory([{ samples, resolution: 2.5, offset: 0, unit: 'nV' }]));
    expect([...(await after.read(0, 0, 3))]).toEqual(samples);
    expect((await integersOf(after, 0)).slice(0, 3)).toEqual(digital);
  });

  it('say only coarsely are rounded; those that they cannot say are refused, tiny and huge', async () => {
    const samples = [-41_943.025, 0, 41_628.055];
    const after = await roundTrip(
      writeBdf,
      inMemory([{ samples, resolution: 0.005, offset: 0, unit: 'mV' }]),
    );
    const x = await after.read(0, 0, 3);
    for (const [i, want] of samples.entries()) expect(Math.abs(x[i]! - want)).toBeLessThan(0.0026);
    for (const scale of [1e-9, 1e9])
      for (const resolution of [undefined, scale / 100])
        await expect(
          bytesOf(
            writeEdf,
            inMemory([{ samples: [0, scale, 3 * scale], unit: 'T', ...(resolution && { resolution }) }]),
          ),
        ).rejects.toThrow(/fields of 8 characters cannot say. Use another unit, or write .npz/);
    const volts = await roundTrip(writeEdf, inMemory([{ samples: [0, 1.2e-6, 3.4e-6], unit: 'V' }]));
    expect(volts.channels[0]!.unit).toBe('uV');
    expect((await volts.read(0, 0, 3))[2]).toBeCloseTo(3.4, 3);
  });
});

describe('annotations', () => {
  const note = (start: number, label: string, duration = 0): Annotation => ({ start, duration, label });

  it('and headers are in ASCII, which other tools insist on; annotations keep their letters and their channel', async () => {
    const signals = [
      { samples: steps(20), name: 'EOG µ Jürgen’s long name', unit: 'kΩ' },
      { samples: steps(20) },
    ];
    const annotations = [{ ...note(1, 'größer'), channel: 0 }];
    const more = { annotations, metadata: { patient: 'Ångström' } };
    const bytes = await bytesOf(writeEdf, inMemory(signals, more));
    for (const byte of bytes.subarray(0, 1024)) expect(byte >= 0x20 && byte < 0x7f).toBe(true);
    const after = await roundTrip(writeEdf, inMemory(signals, more));
    expect(after.channels[0]).toMatchObject({ name: 'EOG u Jurgen?s l', unit: 'kOhm' });
    expect(after.metadata.patient).toContain('Angstrom');
    expect(after.annotations).toEqual(annotations);
  });

  it('before, beyond and within the samples, many at once, keep time, order and text', async () => {
    const annotations = [
      note(-0.5, 'before'),
      ...Array.from({ length: 100 }, (_, i) => note(0.123456789 + i / 360, `beat ${i}`)),
      note(2.5, 'größer\nzweite Zeile', 0.25),
      note(1000, 'beyond', 3),
    ].map((a) => ({ ...a, start: Number(a.start.toFixed(9)) }));
    const startTime = new Date(Date.UTC(2137, 9, 26, 16, 57, 1, 234));
    const more = { annotations, startTime, startNanoseconds: 567_891 };
    const after = await roundTrip(writeEdf, inMemory([{ samples: steps(40) }], more));
    expect(after.annotations).toEqual(annotations.toSorted((a, b) => a.start - b.start));
    expect([after.startTime, after.startNanoseconds]).toEqual([startTime, 567_891]);
    // The texts of a crowded second do not make every record as long as that second's.
    const bytes = await bytesOf(writeEdf, inMemory([{ samples: steps(10_000) }], more));
    expect(bytes.length).toBeLessThan(1024 + 20_000 + 1000 * 100);
  });

  it('are kept without samples and without channels; no start stays none', async () => {
    const annotations = [note(0, 'W', 30), note(30, 'N1', 60)];
    for (const signals of [[], [{ samples: [] }]]) {
      const after = await roundTrip(writeEdf, inMemory(signals, { annotations }));
      expect(after).toMatchObject({ annotations, channels: [], duration: 90 });
      expect(after).not.toHaveProperty('startTime');
    }
    const empty = await roundTrip(writeEdf, inMemory([{ samples: [] }]));
    expect(empty).toMatchObject({ channels: [{ lengthSamples: 0 }], duration: 0 });
  });
});

describe('gaps', () => {
  it('make EDF+D, each stretch whole records', async () => {
    const spans = [
      { start: 0, duration: 1.2 },
      { start: 5.5, duration: 0.9 },
      { start: 60, duration: 3 },
    ];
    const after = await roundTrip(writeEdf, inMemory([{ samples: steps(51), resolution: 1 }], { spans }));
    expect(after.spans.map(({ start, duration }) => [start, Number(duration.toFixed(9))])).toEqual(
      spans.map(({ start, duration }) => [start, duration]),
    );
    expect(after.metadata.variant).toBe('EDF+D');
    expect(await integersOf(after, 0)).toEqual(steps(51));
  });
});

describe('the header', () => {
  it('is printable to its last byte, as strict readers want it', async () => {
    const bytes = await bytesOf(writeEdf, inMemory([{ samples: steps(20), unit: 'µV', name: 'a\nb' }]));
    expect([...bytes.subarray(0, 768)].filter((b) => b < 0x20 || b > 0x7e)).toEqual([]);
  });
});

describe('metadata', () => {
  it('go into the patient and recording fields and come back', async () => {
    const metadata = { patient: 'S 07', sex: 'Female', age: '63', device: 'Holter X3' };
    const after = await roundTrip(
      writeEdf,
      inMemory([{ samples: [1], note: 'HP:0.1Hz; AgCl' }], { metadata }),
    );
    expect(after.metadata).toMatchObject({
      patient: 'S_07 F X X Age_63',
      sex: 'F',
      age: '63',
      device: 'Holter X3',
    });
    expect(after.channels[0]!.note).toBe('HP:0.1Hz; AgCl');
    const born = { ...metadata, birthdate: '1951-02-05' };
    const again = await roundTrip(writeEdf, inMemory([{ samples: [1] }], { metadata: born }));
    expect(again.metadata.birthdate).toBe('1951-02-05');
  });
});

const shared = new URL('../../../shared/data/', import.meta.url).pathname;
const files = [
  'conformance/edf/edfio_short_psg.edf',
  'conformance/edf/edfio_short_psg.bdf',
  'conformance/edf/edfio_SC4001EC-Hypnogram.edf',
  'conformance/edf/mne_duplicate_channel_labels.edf',
  'conformance/edf/mne_test.bdf',
  'conformance/edf/mne_test_bdf_stim_channel.bdf',
  'conformance/edf/mne_test_edf_stim_channel.edf',
  'conformance/edf/mne_test_uneven_samp.edf',
  'conformance/edf/pyedflib_test_generator_datarec_generator_0_5.bdf',
  'conformance/edf/pyedflib_test_subsecond.edf',
  'conformance/edf/pyedflib_test_utf8.edf',
  'conformance/wfdb/test01_00s.hea',
  'conformance/wfdb/a103l.hea',
  'mitdb/100.hea',
];
describe.skipIf(!existsSync(shared))('files of others (needs ../shared)', () => {
  it.each(files)('%s written again: the same stored integers, annotations, start', async (name) => {
    const before = await openRecordingFile(join(shared, name));
    const after = await roundTrip(name.endsWith('.bdf') ? writeBdf : writeEdf, before);
    expect(after.channels.map(({ name, rateHz }) => [name, rateHz])).toEqual(
      before.channels.map(({ name, rateHz }) => [name, expect.closeTo(rateHz, 6)]),
    );
    expect([after.startTime, after.startNanoseconds]).toEqual([before.startTime, before.startNanoseconds]);
    for (const [i, { lengthSamples }] of before.channels.entries()) {
      const want = before.channels[i]!.offset === undefined ? undefined : await integersOf(before, i);
      const found = (await integersOf(after, i)).slice(0, lengthSamples);
      if (want) {
        // Where a falling scale's integers reach +32768, all move by the same.
        const shift = found[0]! - want[0]!;
        expect(Math.abs(shift)).toBeLessThanOrEqual(/subsecond|utf8/.test(name) ? 1 : 0);
        expect(found).toEqual(want.map((d) => d + shift));
      }
    }
    const ends = after.annotations.filter(({ label }) => label === 'Recording ends');
    expect(after.annotations.length - ends.length).toBe(before.annotations.length);
    if (ends.length === 0)
      expect(after.annotations).toEqual(
        before.annotations.map((a) => ({ ...a, start: expect.closeTo(a.start, 8) })),
      );
    await before.close();
  });
});
