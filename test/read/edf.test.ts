/** EDF, EDF+C and EDF+D files built in place: times, scales, laziness, repairs, and the writer's round trip. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { ConfigError, FormatError } from '../../src/core/errors.ts';
import type { Annotation } from '../../src/core/recording.ts';
import { openEdf } from '../../src/read/edf/edf.ts';
import { type EdfContent, encodeEdf } from '../../src/read/edf/write.ts';
import { openRecording } from '../../src/read/open.ts';
import { annotationSignal, ascii, concat, countingSource, type EdfSignalParts, edfFile } from './build.ts';

const open = (bytes: Uint8Array, tolerant = false) => openEdf(bytesSource('x.edf', bytes), { tolerant });
const ramp = (perRecord: number, label = 'EEG Cz'): EdfSignalParts => ({
  label,
  perRecord,
  values: (record) => Array.from({ length: perRecord }, (_, i) => record * perRecord + i),
});
const numbers = (count: number, step = 1) => Array.from({ length: count }, (_, i) => i * step);

describe('the header', () => {
  it('gives names, units, rates, ranges, notes and the start as the file has them', async () => {
    const recording = await open(
      edfFile({
        signals: [
          {
            ...ramp(4),
            prefilter: 'HP:0.1Hz',
            transducer: 'AgCl',
            physical: ['-200', '200'],
            digital: ['-2000', '2000'],
          },
          { ...ramp(2, 'ECG II'), unit: 'mV', physical: ['5', '-5'], digital: ['-2048', '2047'] },
        ],
        records: 3,
        recordSeconds: '0.5',
        reserved: '',
        patient: 'P1 F 02-MAY-1951 Jos\u00e9',
        recording: 'night 1',
        start: '31.12.8423.59.58',
      }),
    );
    expect(recording.channels).toEqual([
      {
        ...{ name: 'EEG Cz', unit: 'uV', rateHz: 8, lengthSamples: 12, range: [-200, 200], resolution: 0.1 },
        offset: 0,
        note: 'HP:0.1Hz; AgCl',
      },
      {
        ...{ name: 'ECG II', unit: 'mV', rateHz: 4, lengthSamples: 6, range: [-5, 5] },
        resolution: expect.closeTo(10 / 4095, 12),
        offset: expect.closeTo(-5 / 4095, 12),
      },
    ]);
    expect(recording).toMatchObject({
      ...{
        source: 'x.edf',
        format: 'edf',
        duration: 1.5,
        spans: [{ start: 0, duration: 1.5 }],
        annotations: [],
      },
      ...{ metadata: { patient: 'P1 F 02-MAY-1951 Jos\u00e9', recording: 'night 1' }, log: [] },
    });
    // Two-digit years are 1985–2084.
    expect(recording.startTime).toEqual(new Date(Date.UTC(2084, 11, 31, 23, 59, 58)));
    const oldest = await open(
      edfFile({ signals: [ramp(1)], records: 1, start: '01.01.8500.00.00', recording: '' }),
    );
    expect(oldest.startTime).toEqual(new Date(Date.UTC(1985, 0, 1)));
  });

  it('gives what the patient and recording fields of EDF+ say; an unknown start is none', async () => {
    const known = await open(
      edfFile({
        ...{ signals: [ramp(1)], records: 1, patient: 'MCH-02 F 05-FEB-1951 Haagse_Harry' },
        recording: 'Startdate 04-FEB-2021 PSG-1 NN Telemetry_03',
      }),
    );
    expect(known.metadata).toMatchObject({
      sex: 'F',
      birthdate: '1951-02-05',
      age: '69',
      device: 'Telemetry 03',
    });
    const unknown = await open(
      edfFile({ signals: [ramp(1)], records: 1, start: '01.01.8500.00.00', recording: 'Startdate X X X X' }),
    );
    expect(unknown).not.toHaveProperty('startTime');
    expect(unknown.log).toEqual([]);
  });

  it('takes the four-digit year of EDF+ where it is given', async () => {
    const parts = { signals: [ramp(1)], records: 1, start: '03.02.2110.20.30' };
    const plus = await open(edfFile({ ...parts, recording: 'Startdate 03-FEB-1921 X X X' }));
    expect(plus.startTime).toEqual(new Date(Date.UTC(1921, 1, 3, 10, 20, 30)));
    const plain = await open(edfFile({ ...parts, recording: 'Startdate X X X X' }));
    expect(plain.startTime).toEqual(new Date(Date.UTC(2021, 1, 3, 10, 20, 30)));
  });

  it.each(['31.02.2110.20.30', '03.02.2124.00.00', '        10.20.30', '03.02.21        '])(
    'leaves out the start %j, which is none, and says so',
    async (start) => {
      const recording = await open(edfFile({ signals: [ramp(1)], records: 1, start }));
      expect(recording).not.toHaveProperty('startTime');
      expect(recording.log.join()).toContain('is not a date and time');
    },
  );

  it('reads numbers with a decimal comma, signs and padding', async () => {
    const signal = { ...ramp(2), physical: ['-0,5', '+0.5'], digital: [' -5', '5'] } as const;
    const { channels } = await open(edfFile({ signals: [signal], records: 1, recordSeconds: '0,25' }));
    expect(channels[0]).toMatchObject({ rateHz: 8, range: [-0.5, 0.5], resolution: 0.1 });
  });

  it('names field, content and place of what is no number', async () => {
    const bytes = edfFile({ signals: [{ ...ramp(2), physical: ['low', '5'] }], records: 1 });
    await expect(open(bytes)).rejects.toMatchObject({
      name: 'FormatError',
      message:
        "edf: x.edf has 'low' as physical minimum of signal 1 ('EEG Cz'), a number is needed. The header is damaged.",
      byteOffset: 256 + 104,
    });
  });

  it('trusts the number of signals over a wrong header size, and says so', async () => {
    const recording = await open(edfFile({ signals: [ramp(3)], records: 1, headerBytes: '768' }));
    expect([...(await recording.read(0, 0, 3))].map(Math.round)).toEqual([0, 0, 0]);
    expect(recording.log.join()).toContain('given as 768; 1 signals make 512');
  });

  it('leaves out a signal without samples, and says so', async () => {
    const recording = await open(edfFile({ signals: [ramp(0, 'empty'), ramp(2)], records: 2 }));
    expect(recording.channels.map(({ name }) => name)).toEqual(['EEG Cz']);
    expect(recording.log.join()).toContain('1 signals without samples');
  });

  it.each([
    ['0', 'records of 0 seconds'],
    ['-1', 'records of -1 seconds'],
    ['1e-300', 'which is no rate'],
    ['9e307', 'records of 9e+307 seconds'],
  ])('refuses signals in records of %s seconds', async (recordSeconds, fact) => {
    await expect(open(edfFile({ signals: [ramp(2)], records: 1, recordSeconds }))).rejects.toThrow(fact);
  });
});

describe('samples', () => {
  it('are scaled from the digital to the physical range, at both of its ends too', async () => {
    const values = () => [-2000, -1, 0, 1, 2000];
    const signal = {
      label: 'x',
      perRecord: 5,
      values,
      physical: ['-50', '150'],
      digital: ['-2000', '2000'],
    } as const;
    const recording = await open(edfFile({ signals: [signal], records: 1 }));
    const x = await recording.read(0, 0, 5);
    for (const [i, want] of [-50, 49.95, 50, 50.05, 150].entries()) expect(x[i]).toBeCloseTo(want, 10);
  });

  it('are turned over where the physical range is', async () => {
    const signal = {
      label: 'x',
      perRecord: 2,
      values: () => [-100, 100],
      physical: ['1', '-1'],
      digital: ['-100', '100'],
    } as const;
    const recording = await open(edfFile({ signals: [signal], records: 1 }));
    expect([...(await recording.read(0, 0, 2))]).toEqual([1, -1]);
    expect(recording.channels[0]!.range).toEqual([-1, 1]);
  });

  it.each([
    ['physical', { physical: ['5', '5'] }],
    ['digital', { digital: ['0', '0'] }],
  ] as const)(
    'are the stored integers without unit where the %s range is empty, and the log says so',
    async (_, range) => {
      const recording = await open(edfFile({ signals: [{ ...ramp(4), ...range }], records: 2 }));
      expect([...(await recording.read(0, 0, 8))]).toEqual(numbers(8));
      expect(recording.channels[0]).toEqual({
        ...{ name: 'EEG Cz', unit: '', rateHz: 4, lengthSamples: 8, resolution: 1, offset: 0 },
      });
      expect(recording.log.join()).toContain("'EEG Cz' has an empty physical or digital range");
    },
  );

  it('of channels with different rates come from the same records, each at its own', async () => {
    const signals = [ramp(200, 'EEG'), ramp(1, 'SpO2'), ramp(50, 'resp')];
    const recording = await open(edfFile({ signals, records: 5, recordSeconds: '2' }));
    expect(recording.channels.map((c) => [c.rateHz, c.lengthSamples])).toEqual([
      [100, 1000],
      [0.5, 5],
      [25, 250],
    ]);
    for (const [i, { lengthSamples }] of recording.channels.entries()) {
      const x = await recording.read(i, 0, lengthSamples);
      expect([...x].map((v) => Math.round(v * 10))).toEqual(numbers(lengthSamples));
    }
  });

  it('of any window are those of the whole', async () => {
    const recording = await open(edfFile({ signals: [ramp(7), ramp(3)], records: 9 }));
    const whole = await recording.read(0, 0, 63);
    await fc.assert(
      fc.asyncProperty(fc.nat(63), fc.nat(63), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect(await recording.read(0, start, end)).toEqual(whole.slice(start, end));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('beyond the end, before the start or of a channel that is not there are a FormatError', async () => {
    const recording = await open(edfFile({ signals: [ramp(2)], records: 2 }));
    for (const [channel, start, end] of [
      [0, 0, 5],
      [0, -1, 1],
      [0, 3, 2],
      [0, 0.5, 1],
      [1, 0, 1],
      [-1, 0, 1],
    ] as const)
      await expect(recording.read(channel, start, end)).rejects.toThrow(FormatError);
    expect(await recording.read(0, 4, 4)).toHaveLength(0);
  });
});

describe('laziness', () => {
  // 600 records of 20 kB: 12 MB, more than one chunk of the reader.
  const perRecord = 5_000;
  const signals = [
    ramp(perRecord, 'a'),
    { ...ramp(perRecord, 'b'), values: () => new Int16Array(perRecord) },
  ];
  const bytes = edfFile({ signals, records: 600 });
  const recordBytes = 4 * perRecord;

  it('opening reads the header only', async () => {
    const { source, requests } = countingSource('big.edf', bytes);
    await openEdf(source);
    expect(requests.total()).toBe(256 * 3);
  });

  it('a window of a large file reads the records that hold it, once for all channels', async () => {
    const { source, requests } = countingSource('big.edf', bytes);
    const recording = await openEdf(source);
    requests.reset();
    await recording.read(0, 100 * perRecord - 10, 101 * perRecord + 10);
    expect(requests.asked.map(({ start, end }) => [start, end])).toEqual([
      [768 + 99 * recordBytes, 768 + 102 * recordBytes],
    ]);
    await recording.read(1, 100 * perRecord, 101 * perRecord);
    expect(requests.asked).toHaveLength(1);
  });

  it('the whole of a large file is read in pieces of at most 8 MiB, each byte once', async () => {
    const { source, requests } = countingSource('big.edf', bytes);
    const recording = await openEdf(source);
    requests.reset();
    const x = await recording.read(0, 0, 600 * perRecord);
    expect(requests.total()).toBe(600 * recordBytes);
    expect(Math.max(...requests.asked.map(({ start, end }) => end - start))).toBeLessThanOrEqual(8 * 2 ** 20);
    // A sample behind the seam between the pieces: 419 records are the first 8 MiB. Values wrap at 16 bits.
    expect(Math.round(x[419 * perRecord + 3]! * 10)).toBe(new Int16Array([419 * perRecord + 3])[0]);
  });

  it('of records above 64 KiB, opening reads the annotations only', async () => {
    const large = [
      ramp(40_000),
      annotationSignal(
        numbers(20).map((r) => `+${r}`),
        { 7: '+7.5\x14late\x14\0' },
      ),
    ];
    const { source, requests } = countingSource('big.edf', edfFile({ signals: large, records: 20 }));
    const recording = await openEdf(source);
    expect(recording.annotations).toEqual([{ start: 7.5, duration: 0, label: 'late' }]);
    expect(requests.total()).toBe(256 * 3 + 20 * 80);
  });
});

describe('annotations', () => {
  it('have onset, duration and text in UTF-8, sorted by time, several texts each their own', async () => {
    const lists = {
      0: '+2.25\x150.5\x14eyes closed\x14\0+0.5\x14Kl\u00f6tze\x14cough\x14\0',
      1: '-0.25\x15-3\x14early\x14\0',
    };
    const recording = await open(
      edfFile({ signals: [ramp(2), annotationSignal(['+0', '+1'], lists)], records: 2 }),
    );
    expect(recording.channels).toHaveLength(1);
    expect(recording.annotations).toEqual([
      { start: -0.25, duration: 0, label: 'early' },
      { start: 0.5, duration: 0, label: 'Kl\u00f6tze' },
      { start: 0.5, duration: 0, label: 'cough' },
      { start: 2.25, duration: 0.5, label: 'eyes closed' },
    ]);
    expect(recording.log).toEqual([]);
  });

  it('and the start move with a first record that starts at a fraction of a second', async () => {
    const lists = { 0: '+1.5\x14beep\x14\0' };
    const recording = await open(
      edfFile({ signals: [ramp(2), annotationSignal(['+0.25', '+1.25'], lists)], records: 2 }),
    );
    expect(recording.annotations).toEqual([{ start: 1.25, duration: 0, label: 'beep' }]);
    expect(recording.startTime).toEqual(new Date(Date.UTC(2021, 1, 3, 10, 20, 30, 250)));
    expect(recording.spans).toEqual([{ start: 0, duration: 2 }]);
  });

  it('start to the nanosecond', async () => {
    const recording = await open(
      edfFile({
        signals: [ramp(2), annotationSignal(['+0.0394531'], { 0: '+1.5907031\x14x\x14\0' })],
        records: 1,
      }),
    );
    expect(recording.startTime).toEqual(new Date(Date.UTC(2021, 1, 3, 10, 20, 30, 39)));
    expect(recording.startNanoseconds).toBe(453_100);
    expect(recording.annotations).toEqual([{ start: 1.55125, duration: 0, label: 'x' }]);
  });

  it('concern a channel where they name it behind @@', async () => {
    const lists = { 0: '+0\x14spike@@EEG Cz\x14mail a@@b\x14\0' };
    const { annotations } = await open(
      edfFile({ signals: [annotationSignal(['+0'], lists), ramp(2)], records: 1 }),
    );
    expect(annotations).toEqual([
      { start: 0, duration: 0, label: 'spike', channel: 0 },
      { start: 0, duration: 0, label: 'mail a@@b' },
    ]);
  });

  it('of several annotation signals are all found', async () => {
    const second: EdfSignalParts = {
      ...annotationSignal(['']),
      values: (r) => `+${r}.5\x14second ${r}\x14\0`,
    };
    const signals = [annotationSignal(['+0', '+1'], { 1: '+1.25\x14first\x14\0' }), ramp(2), second];
    const { annotations } = await open(edfFile({ signals, records: 2 }));
    expect(annotations.map(({ start, label }) => [start, label])).toEqual([
      [0.5, 'second 0'],
      [1.25, 'first'],
      [1.5, 'second 1'],
    ]);
  });

  it('that cannot be read are left out and counted, the rest stay', async () => {
    const lists = { 0: 'soon\x14lost\x14\0+0.5\x15long\x14lost\x14\0+0.75\x14kept\x14\0+0.9\0' };
    const recording = await open(
      edfFile({ signals: [ramp(2), annotationSignal(['+0'], lists)], records: 1 }),
    );
    expect(recording.annotations).toEqual([{ start: 0.75, duration: 0, label: 'kept' }]);
    expect(recording.log).toEqual(['edf: 3 annotation lists could not be read and were left out.']);
  });

  it('alone make a recording that lasts as long as they do', async () => {
    const signal = annotationSignal(['+0'], { 0: '+5\x152\x14N2\x14\0+3\x14N1\x14\0' });
    const recording = await open(edfFile({ signals: [signal], records: 1, recordSeconds: '0' }));
    expect(recording).toMatchObject({ channels: [], duration: 7, spans: [{ start: 0, duration: 7 }] });
    expect(recording.annotations.map(({ label }) => label)).toEqual(['N1', 'N2']);
    const endless = edfFile({ signals: [signal], records: 1, recordSeconds: '9e307' });
    await expect(open(endless)).rejects.toThrow('has records of 9e+307 seconds.');
  });
});

describe('gaps', () => {
  const onsets = ['+0', '+1', '+5.5', '+6.5', '+7.5', '+100'];
  const signals = [ramp(4), annotationSignal(onsets, { 3: '+6.75\x14task\x14\0', 5: '+100.5\x14end\x14\0' })];

  it('of an EDF+D file make spans; annotations keep their time, samples follow one another', async () => {
    const recording = await open(edfFile({ signals, records: 6, reserved: 'EDF+D' }));
    expect(recording.spans).toEqual([
      { start: 0, duration: 2 },
      { start: 5.5, duration: 3 },
      { start: 100, duration: 1 },
    ]);
    expect(recording.duration).toBe(101);
    expect(recording.annotations).toEqual([
      { start: 6.75, duration: 0, label: 'task' },
      { start: 100.5, duration: 0, label: 'end' },
    ]);
    expect(recording.channels[0]!.lengthSamples).toBe(24);
    expect([...(await recording.read(0, 6, 10))].map((v) => Math.round(v * 10))).toEqual([6, 7, 8, 9]);
    expect(recording.log).toEqual([]);
  });

  it('of a file marked as continuous are not believed, and the log says so', async () => {
    const recording = await open(edfFile({ signals, records: 6, reserved: 'EDF+C' }));
    expect(recording.spans).toEqual([{ start: 0, duration: 6 }]);
    expect(recording.log.join()).toContain('its records state 2 gaps; read as continuous');
  });

  it('below half a sample are none', async () => {
    const near = [ramp(4), annotationSignal(['+0', '+1.1', '+1.9', '+3.12'])];
    const { spans } = await open(edfFile({ signals: near, records: 4, reserved: 'EDF+D' }));
    expect(spans).toEqual([{ start: 0, duration: 4 }]);
    const far = [ramp(4), annotationSignal(['+0', '+1.13', '+2.13', '+3.13'])];
    const split = await open(edfFile({ signals: far, records: 4, reserved: 'EDF+D' }));
    expect(split.spans).toEqual([
      { start: 0, duration: 1 },
      { start: 1.13, duration: 3 },
    ]);
  });

  it('to the past, and records that do not state their time, are told in the log', async () => {
    const back = [ramp(4), annotationSignal(['+0', '+10', '+5'])];
    const overlapping = await open(edfFile({ signals: back, records: 3, reserved: 'EDF+D' }));
    expect(overlapping.log.join()).toContain('some records start before the one stored before them ends');
    expect(overlapping.duration).toBe(11);
    const silent = [
      ramp(4),
      { ...annotationSignal([]), values: (r: number) => (r === 1 ? '' : `+${r}\x14\x14\0`) },
    ];
    const untimed = await open(edfFile({ signals: silent, records: 3, reserved: 'EDF+D' }));
    expect(untimed.spans).toEqual([{ start: 0, duration: 3 }]);
    expect(untimed.log.join()).toContain('1 of 3 records do not state their time');
  });
});

describe('a wrong number of records', () => {
  const signals = [
    ramp(4),
    annotationSignal(
      numbers(9).map((r) => `+${r}`),
      { 4: '+4.5\x14late\x14\0' },
    ),
  ];

  it('too many: the file is taken as truncated; tolerant reads what is there and says so', async () => {
    const bytes = edfFile({ signals, records: 5, promised: '9' });
    const promised = 768 + 9 * 88;
    await expect(open(bytes)).rejects.toMatchObject({
      name: 'FormatError',
      message: `edf: x.edf ends at byte ${bytes.length}, header promises ${promised}. The copy is truncated; fetch it again, or open the 5 whole records that are there with --tolerant.`,
      source: 'x.edf',
      byteOffset: bytes.length,
    });
    const recording = await open(bytes, true);
    expect(recording).toMatchObject({ duration: 5, annotations: [{ start: 4.5, label: 'late' }] });
    expect([...(await recording.read(0, 0, 20))].map((v) => Math.round(v * 10))).toEqual(numbers(20));
    expect(recording.log.join()).toContain('5 of 9 records are read');
  });

  it('a record cut in its middle is left out when tolerant', async () => {
    const bytes = edfFile({ signals, records: 5 });
    const recording = await open(bytes.subarray(0, bytes.length - 1), true);
    expect(recording.channels[0]!.lengthSamples).toBe(16);
    expect(recording.annotations).toEqual([]);
  });

  it('too few: what follows is left out, and the log says how much', async () => {
    const recording = await open(edfFile({ signals, records: 5, promised: '3' }));
    expect(recording.duration).toBe(3);
    expect(recording.log.join()).toContain(`${2 * 88} bytes after the last record were left out`);
  });

  it('unknown (−1): the size of the file tells', async () => {
    const recording = await open(concat(edfFile({ signals, records: 5, promised: '-1' }), ascii('rest')));
    expect(recording.duration).toBe(5);
    expect(recording.log.join()).toContain("the file's size makes 5");
  });

  it('of 10⁹ records in a small file costs nothing', async () => {
    const { source, requests } = countingSource(
      'x.edf',
      edfFile({ signals, records: 2, promised: '99999999' }),
    );
    await expect(openEdf(source)).rejects.toThrow(FormatError);
    expect(requests.total()).toBeLessThanOrEqual(source.byteLength);
  });
});

describe('line endings changed on the way', () => {
  const noise = () => Array.from({ length: 2000 }, (_, i) => (i * 7919) % 4096);
  const bytes = edfFile({ signals: [{ ...ramp(2000), values: noise }], records: 4 });

  it('carriage returns put in are recognised, tolerant or not', async () => {
    const longer = [...bytes].flatMap((b, i) => (i >= 512 && b === 10 ? [13, 10] : [b]));
    expect(longer.length).toBeGreaterThan(bytes.length);
    for (const tolerant of [false, true])
      await expect(open(Uint8Array.from(longer), tolerant)).rejects.toThrow(
        /put carriage returns into the samples/,
      );
  });

  it('a longer file with both kinds of line ends has something behind its records, no more', async () => {
    const pairs = { ...ramp(2000), values: () => noise().map((v, i) => (i % 100 ? v : 0x0a0d)) };
    const longer = concat(edfFile({ signals: [pairs], records: 4 }), new Uint8Array(80));
    expect((await open(longer)).log).toEqual(['edf: 80 bytes after the last record were left out.']);
  });

  it('bytes taken out are recognised', async () => {
    const feeds = { ...ramp(600), values: () => new Int16Array(600).fill(0x0d0a) };
    const whole = edfFile({ signals: [feeds], records: 2 });
    await expect(open(whole.filter((b) => b !== 13))).rejects.toThrow(/removed bytes from the samples/);
  });

  it('a file that is merely cut is called truncated', async () => {
    await expect(open(bytes.subarray(0, bytes.length - 100))).rejects.toThrow(/truncated/);
  });
});

describe('a packed file', () => {
  it('opens as the plain one under its own name', async () => {
    const bytes = edfFile({ signals: [ramp(50)], records: 20 });
    const plain = await openRecording(bytesSource('a/x.edf', bytes));
    const packed = await openRecording(bytesSource('a/x.edf.gz', new Uint8Array(gzipSync(bytes))));
    expect(packed.source).toBe('a/x.edf.gz');
    expect(packed.channels).toEqual(plain.channels);
    expect(await packed.read(0, 100, 900)).toEqual(await plain.read(0, 100, 900));
  });

  it('is recognised by its bytes, not by its name', async () => {
    const packed = new Uint8Array(gzipSync(edfFile({ signals: [ramp(5)], records: 2 })));
    expect((await openRecording(bytesSource('download', packed))).format).toBe('edf');
  });
});

describe('encodeEdf', () => {
  const reopen = (content: EdfContent) => open(encodeEdf(content));

  it('writes what openEdf reads: names, units, notes, start, metadata, annotations', async () => {
    const annotations: Annotation[] = [
      { start: 0, duration: 0, label: 'start' },
      { start: 0.125, duration: 1.5, label: 'Aufgabe \u2192 \u00fcben' },
      { start: 3.999999, duration: 0, label: 'end' },
    ];
    const recording = await reopen({
      channels: [
        { name: 'Fp1', unit: 'uV', rateHz: 8, samples: numbers(32), prefilter: 'HP:1Hz', transducer: 'cap' },
        { name: 'ECG', unit: 'mV', rateHz: 2, samples: numbers(8, 0.25), resolution: 0.001 },
      ],
      recordSeconds: 2,
      startTime: new Date(Date.UTC(2031, 4, 6, 7, 8, 9)),
      patient: 'S01 F X X',
      recording: 'X lab amp',
      annotations,
    });
    expect(recording.channels).toMatchObject([
      { name: 'Fp1', unit: 'uV', rateHz: 8, lengthSamples: 32, note: 'HP:1Hz; cap' },
      { name: 'ECG', unit: 'mV', rateHz: 2, lengthSamples: 8 },
    ]);
    expect(recording.channels[1]!.resolution).toBeCloseTo(0.001, 12);
    expect(recording.startTime).toEqual(new Date(Date.UTC(2031, 4, 6, 7, 8, 9)));
    expect(recording.metadata).toEqual({
      patient: 'S01 F X X',
      sex: 'F',
      device: 'amp',
      recording: 'Startdate 06-MAY-2031 X lab amp',
      variant: 'EDF+C',
    });
    expect(recording.annotations).toEqual(annotations);
    expect(recording).toMatchObject({ duration: 4, spans: [{ start: 0, duration: 4 }], log: [] });
  });

  it('keeps every value within half a step of what was given, at any scale', async () => {
    const value = fc.double({ min: -1, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(1e-3, 0.07, 1, 300, 32_768, 5e5),
        fc.double({ min: -1, max: 1, noNaN: true }),
        async (shape, scale, shift) => {
          const samples = shape.map((v) => (v + shift) * scale);
          // What 8 characters cannot say is refused (below).
          const [low, high] = [Math.min(...samples), Math.max(...samples)];
          fc.pre(low === high || high - low > 1e-3 * Math.max(1, Math.abs(low), Math.abs(high)));
          fc.pre(low !== high || low === 0 || Math.abs(low) > 1e-3);
          const recording = await reopen({ channels: [{ name: 'x', unit: 'uV', rateHz: 1, samples }] });
          const { resolution, range, lengthSamples } = recording.channels[0]!;
          const found = await recording.read(0, 0, lengthSamples);
          for (const [i, want] of samples.entries())
            expect(Math.abs(found[i]! - want)).toBeLessThanOrEqual(resolution! * 0.501);
          expect(range![0]).toBeLessThanOrEqual(Math.min(...samples));
          expect(range![1]).toBeGreaterThanOrEqual(Math.max(...samples));
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });

  it('is exact for whole steps of a stated resolution', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -32_767, max: 32_767 }), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.1, 0.2, 1, 0.002, 0.005),
        async (steps, resolution) => {
          const samples = steps.map((step) => step * resolution);
          const channels = [{ name: 'x', unit: 'mV', rateHz: 10, samples, resolution }];
          const recording = await reopen({ channels, recordSeconds: 0.1 });
          const found = await recording.read(0, 0, samples.length);
          expect([...found].map((v) => Math.round(v / resolution))).toEqual(steps.map((step) => step + 0));
          for (const [i, want] of samples.entries()) expect(found[i]).toBeCloseTo(want, 9);
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it('keeps annotations of any text and time, to the microsecond', async () => {
    const note = fc.record({
      start: fc.integer({ min: -2_000_000, max: 9_000_000 }).map((us) => us / 1e6),
      duration: fc.integer({ min: 0, max: 5_000_000 }).map((us) => us / 1e6),
      label: fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
        .filter((text) => !/\p{Cc}|\p{Surrogate}/u.test(text)),
    });
    const order = (a: Annotation, b: Annotation) => a.start - b.start || (a.label < b.label ? -1 : 1);
    await fc.assert(
      fc.asyncProperty(fc.array(note, { maxLength: 12 }), async (annotations) => {
        const channels = [{ name: 'x', unit: 'uV', rateHz: 4, samples: numbers(20) }];
        const recording = await reopen({ channels, annotations });
        const rounded = (list: readonly Annotation[]) =>
          list.map((a) => ({ ...a, start: a.start + 0, duration: a.duration })).sort(order);
        expect(rounded(recording.annotations)).toEqual(rounded(annotations));
        expect(recording.channels[0]!.lengthSamples).toBe(20);
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it('makes control characters in an annotation spaces, so that they end nothing', async () => {
    const annotations = [{ start: 1, duration: 0, label: 'a\x14b\0c\x15d' }];
    const channels = [{ name: 'x', unit: 'uV', rateHz: 1, samples: [1, 2, 3] }];
    const recording = await reopen({ channels, annotations });
    expect(recording.annotations).toEqual([{ start: 1, duration: 0, label: 'a b c d' }]);
  });

  it('fills the last record with the last value, and a shorter channel too', async () => {
    const recording = await reopen({
      channels: [
        { name: 'a', unit: 'uV', rateHz: 4, samples: [1, 2, 3, 4, 5], resolution: 1 },
        { name: 'b', unit: 'uV', rateHz: 4, samples: [7, 9], resolution: 1 },
      ],
    });
    expect([...(await recording.read(0, 0, 8))]).toEqual([1, 2, 3, 4, 5, 5, 5, 5]);
    expect([...(await recording.read(1, 0, 8))]).toEqual([7, 9, 9, 9, 9, 9, 9, 9]);
  });

  it('keeps a constant, an all-zero and an empty channel', async () => {
    for (const value of [0, 5, -0.25, 20_000]) {
      const recording = await reopen({
        channels: [{ name: 'x', unit: 'uV', rateHz: 2, samples: [value, value] }],
      });
      const [first] = await recording.read(0, 0, 2);
      expect(Math.abs(first! - value)).toBeLessThanOrEqual(recording.channels[0]!.resolution!);
      expect(recording.log).toEqual([]);
    }
    const empty = await reopen({ channels: [{ name: 'x', unit: 'uV', rateHz: 2, samples: [] }] });
    expect(empty).toMatchObject({ duration: 0, spans: [], channels: [{ lengthSamples: 0 }] });
  });

  it.each([
    ['a value that is no number', { samples: [1, Number.NaN] }, /sample 1 of 'x' is NaN/],
    ['a value that is infinite', { samples: [Number.POSITIVE_INFINITY] }, /Infinity/],
    ['a record with part of a sample', { rateHz: 2.5 }, /has 2.5 samples in a record of 1 s/],
    ['a rate of zero', { rateHz: 0 }, /has 0 samples/],
    [
      'bits beyond 16, which cannot be rounded',
      { samples: [40_000, -40_000], resolution: 1, unit: 'Boolean' },
      /more than 16 of them/,
    ],
    ['values that 8 characters cannot hold', { samples: [1e9] }, /8 characters/],
  ])('refuses %s', (_, change, message) => {
    const channel = { name: 'x', unit: 'uV', rateHz: 2, samples: [1, 2], ...change };
    expect(() => encodeEdf({ channels: [channel] })).toThrow(message);
    expect(() => encodeEdf({ channels: [channel] })).toThrow(ConfigError);
  });
});
