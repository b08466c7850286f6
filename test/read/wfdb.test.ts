/** WFDB records built in place: formats 16 and 212, calibration, several files, MAT v4 signals, annotations, laziness. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { FormatError, UnsupportedError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { readWfdbAnnotations } from '../../src/read/wfdb/annotations.ts';
import { openWfdb, openWfdbPart, type WfdbOptions } from '../../src/read/wfdb/wfdb.ts';
import { annotationFile, ascii, concat, countingSource, format212, int16, matrix } from './build.ts';

type Files = Readonly<Record<string, Uint8Array>>;

const open = (header: string, files: Files = {}, options: WfdbOptions = {}) =>
  openWfdb(bytesSource('x.hea', ascii(header), files), options);
const all = async (recording: Recording, channel = 0) => [
  ...(await recording.read(channel, 0, recording.channels[channel]!.lengthSamples)),
];

describe('format 16', () => {
  it('is little-endian, its channels interleaved; the lowest value is no sample', async () => {
    const files = { 'x.dat': int16([1, -1, 256, -256, 32767, -32767, -32768, 5]) };
    const recording = await open('x 2 100 4\nx.dat 16 1 16 0 0 0 0 a\nx.dat 16 1 16 0 0 0 0 b\n', files);
    expect(await all(recording, 0)).toEqual([1, 256, 32767, Number.NaN]);
    expect(await all(recording, 1)).toEqual([-1, -256, -32767, 5]);
  });
});

describe('format 212', () => {
  it('packs two 12-bit samples in three bytes; the lowest value is no sample', async () => {
    // 0x001 and 0xfff: low byte 01, nibbles f0, low byte ff.
    const files = { 'x.dat': Uint8Array.of(0x01, 0xf0, 0xff, 0x00, 0x78, 0xff) };
    const recording = await open('x 1 100 4\nx.dat 212 1 12 0 0 0 0 a\n', files);
    expect(await all(recording)).toEqual([1, -1, Number.NaN, 2047]);
  });

  it('holds any values, any number of signals, samples a frame and windows', async () => {
    const stored = fc.integer({ min: -2047, max: 2047 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 12 }),
        fc.infiniteStream(stored),
        fc.constantFrom('212', '16'),
        fc.nat({ max: 5 }),
        async (perFrame, frames, stream, format, from) => {
          const width = perFrame.reduce((a, b) => a + b, 0);
          const values = [...stream.take(width * frames)];
          const lines = perFrame.map((n, i) => `x.dat ${format}x${n}+3 1 12 0 0 0 0 s${i}`);
          const data = format === '212' ? format212(values) : int16(values);
          const recording = await open(`x ${perFrame.length} 100 ${frames}\n${lines.join('\n')}`, {
            'x.dat': concat(ascii('pad'), data),
          });
          let before = 0;
          for (const [i, n] of perFrame.entries()) {
            const offset = before;
            const want = values.filter((_, at) => at % width >= offset && at % width < offset + n);
            expect(recording.channels[i]).toMatchObject({ rateHz: 100 * n, lengthSamples: frames * n });
            const start = Math.min(from, want.length);
            expect([...(await recording.read(i, start, want.length))]).toEqual(want.slice(start));
            before += n;
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe('calibration', () => {
  const values = [-100, 0, 12, 100];
  const read = async (calibration: string) => {
    const recording = await open(`x 1 500 4\nx.dat 16 ${calibration} 0 0 0 0 V1\n`, {
      'x.dat': int16(values),
    });
    return { recording, channel: recording.channels[0]!, samples: await all(recording) };
  };

  it.each([
    ['200(12)/uV 16', 200, 12, 'uV'],
    ['1000.5/mmHg 16', 1000.5, 0, 'mmHg'],
    ['-50(-3) 16', -50, -3, 'mV'],
    ['2e2(0)/mV 16', 200, 0, 'mV'],
  ])('%s: (stored − baseline) / gain in its unit', async (text, gain, baseline, unit) => {
    const { channel, samples } = await read(text);
    for (const [i, value] of values.entries()) expect(samples[i]).toBeCloseTo((value - baseline) / gain, 12);
    expect(channel.unit).toBe(unit);
    expect(channel.resolution).toBeCloseTo(1 / Math.abs(gain), 15);
    expect(channel.range![0]).toBeLessThan(channel.range![1]);
  });

  it('takes the converter zero as baseline where none is given', async () => {
    const recording = await open('x 1 500 4\nx.dat 16 10/mV 12 12 0 0 0 V1\n', { 'x.dat': int16(values) });
    expect(await all(recording)).toEqual([-11.2, -1.2, 0, 8.8]);
    // A converter of 12 bits around 12: −2036 to 2059.
    expect(recording.channels[0]!.range).toEqual([-204.8, 204.7]);
  });

  it('of gain 0 or none is 200 per mV; the log tells where it is assumed', async () => {
    const zero = await read('0 16');
    expect(zero.samples[3]).toBe(0.5);
    expect(zero.recording.log.join()).toContain('not calibrated (gain 0); 200 per mV is assumed');
    const none = await open('x 1\nx.dat 16\n', { 'x.dat': int16(values) });
    expect(await all(none)).toEqual([-0.5, 0, 0.06, 0.5]);
    expect(none.channels[0]).toMatchObject({ name: 'signal 0', unit: 'mV', rateHz: 250, lengthSamples: 4 });
  });

  it.each(['abc 16', '200(x) 16', '1e-320 16', '0.01(9e307) 16', '200( 16'])(
    '%s is refused',
    async (text) => {
      const error = await read(text).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(FormatError);
    },
  );
});

describe('the header', () => {
  it('gives start, comments as metadata, and the record', async () => {
    const recording = await open(
      '# a comment before\nrec 1 360/1000(5) 2 10:11:12.250 03/02/2001\nx.dat 16 1 16 0 0 0 0 MLII  lead\n' +
        '#Age: 63\n#<sex>: F  <diagnoses>: none given\n#Sex: ignored, the first counts\n',
      { 'x.dat': int16([1, 2]) },
    );
    expect(recording.startTime).toEqual(new Date(Date.UTC(2001, 1, 3, 10, 11, 12, 250)));
    expect(recording.channels[0]).toMatchObject({ name: 'MLII lead', rateHz: 360 });
    expect(recording.metadata).toMatchObject({ record: 'rec', age: '63', sex: 'F', diagnoses: 'none given' });
    expect(recording.metadata.comments).toContain('a comment before\nAge: 63');
    expect(recording.duration).toBeCloseTo(2 / 360, 12);
    expect(recording.spans).toEqual([{ start: 0, duration: recording.duration }]);
  });

  it.each([
    ['03/02/2001 10:11:12', Date.UTC(2001, 1, 3, 10, 11, 12)],
    ['10:11 03-Feb-2001', Date.UTC(2001, 1, 3, 10, 11)],
  ])('reads the start %j', async (text, time) => {
    const recording = await open(`x 1 360 1 ${text}\nx.dat 16`, { 'x.dat': int16([1]) });
    expect(recording.startTime).toEqual(new Date(time));
  });

  it('leaves out a start that is none, and says so', async () => {
    const recording = await open('x 1 360 1 10:11:12 31/02/2001\nx.dat 16', { 'x.dat': int16([1]) });
    expect(recording).not.toHaveProperty('startTime');
    expect(recording.log.join()).toContain('is not a start time with its date');
  });

  it('takes the length from the files where it is left open', async () => {
    for (const length of ['', ' 0']) {
      const files = { 'x.dat': int16([1, 2, 3, 4, 5]) };
      const recording = await open(`x 2 100${length}\nx.dat 16\nx.dat 16\n`, files);
      expect(recording.channels.map((c) => c.lengthSamples)).toEqual([2, 2]);
      expect(recording.log.join()).toContain('the signal files hold 2 frames');
    }
  });

  it('with carriage returns, or with lines after the last signal, reads as without', async () => {
    const recording = await open('x 1 100 2\r\nx.dat 16 1 16 0 0 0 0 I\r\nx.dat 16\r\n', {
      'x.dat': int16([1, 2]),
    });
    expect(recording.channels.map(({ name }) => name)).toEqual(['I']);
    expect(recording.log.join()).toContain('1 lines after the last signal');
  });

  it.each([
    ['', 'as its record line'],
    ['# only a comment', 'as its record line'],
    ['x one 360', 'as its record line'],
    ['x 1 fast 5', "'fast' as its sampling frequency"],
    ['x 1 0 5', "'0' as its sampling frequency"],
    ['x 1 360 -5', "'-5' as its number of samples"],
    ['x 2 360 5\nx.dat 16', 'promises 2 signals and describes 1'],
    ['x 1 360 5\nx.dat', "'x.dat' as a signal line"],
    ['x 1 360 5\nx.dat 16x0', 'at least 1 sample a frame'],
  ])('%j is refused: it has %s', async (text, fact) => {
    await expect(open(text, { 'x.dat': int16([1]) })).rejects.toThrow(fact);
    await expect(open(text, { 'x.dat': int16([1]) })).rejects.toThrow(FormatError);
  });

  it('of a format that there is not, or of several in one file, names it', async () => {
    await expect(open('x 1 360 5\nx.dat 99', { 'x.dat': int16([1]) })).rejects.toMatchObject({
      name: 'UnsupportedError',
      feature: 'wfdb format 99',
    });
    await expect(open('x 2 360 5\nx.dat 16\nx.dat 212', { 'x.dat': int16([1]) })).rejects.toThrow(
      UnsupportedError,
    );
  });

  it('of more than 4 MiB is refused before it is read', async () => {
    const { source, requests } = countingSource('x.hea', new Uint8Array(4 * 2 ** 20 + 1));
    await expect(openWfdb(source)).rejects.toThrow(/too many for a header/);
    expect(requests.total()).toBe(0);
  });
});

describe('signal files', () => {
  const header = 'x 3 100 4\na.dat 16 1 16 0 0 0 0 a0\nb.dat 212 1 12 0 0 0 0 b0\na.dat 16 1 16 0 0 0 0 a1\n';
  const files = { 'a.dat': int16([1, 10, 2, 20, 3, 30, 4, 40]), 'b.dat': format212([5, 6, 7, 8]) };

  it('may be several, in any order of signals', async () => {
    const recording = await open(header, files);
    expect(await all(recording, 0)).toEqual([1, 2, 3, 4]);
    expect(await all(recording, 1)).toEqual([5, 6, 7, 8]);
    expect(await all(recording, 2)).toEqual([10, 20, 30, 40]);
  });

  it('that is missing is named', async () => {
    await expect(open(header, { 'a.dat': files['a.dat'] })).rejects.toMatchObject({
      name: 'FormatError',
      message: "wfdb: x.hea names the signal file 'b.dat', which is not beside it. Fetch it too.",
    });
    const alone = { name: 'x.hea', byteLength: header.length, read: async () => ascii(header) };
    await expect(openWfdb(alone)).rejects.toThrow("'a.dat', which is not beside it");
  });

  it.each(['../a.dat', '/etc/passwd', 'sub/a.dat', 'sub\\a.dat'])(
    'outside the folder (%s) are not opened',
    async (name) => {
      await expect(open(`x 1 100 1\n${name} 16`, { [name]: int16([1]) })).rejects.toThrow('not beside it');
    },
  );

  it('shorter than promised are refused; tolerant reads the frames that all of them hold', async () => {
    const short = { ...files, 'a.dat': files['a.dat'].subarray(0, 13) };
    await expect(open(header, short)).rejects.toMatchObject({
      name: 'FormatError',
      message:
        'wfdb: a.dat ends at byte 13 of 16 that x.hea promises. The copy is truncated; fetch it again, or open it with --tolerant.',
      source: 'a.dat',
      byteOffset: 13,
    });
    const recording = await open(header, short, { tolerant: true });
    expect(await all(recording, 0)).toEqual([1, 2, 3]);
    expect(await all(recording, 1)).toEqual([5, 6, 7]);
    expect(recording.duration).toBe(0.03);
    expect(recording.log.join()).toContain('3 of 4 frames are read');
  });

  it('longer than promised are read as far as promised', async () => {
    const recording = await open('x 1 100 2\nx.dat 16 1', { 'x.dat': int16([1, 2, 3]) });
    expect(await all(recording)).toEqual([1, 2]);
    await expect(recording.read(0, 0, 3)).rejects.toThrow(FormatError);
  });

  it('whose signals are skewed are read that many frames later; what lies behind the end is NaN', async () => {
    const header = ascii('x 2 100 4\nx.dat 16:2 1\nx.dat 16 1');
    const { source, requests } = countingSource('x.hea', header, {
      'x.dat': int16([1, 10, 2, 20, 3, 30, 4, 40]),
    });
    const recording = await openWfdb(source);
    expect([...(await recording.read(0, 1, 3))]).toEqual([4, Number.NaN]);
    expect(requests.asked.at(-1)).toMatchObject({ name: 'x.dat', start: 12, end: 16 });
    expect(await all(recording, 0)).toEqual([3, 4, Number.NaN, Number.NaN]);
    expect(await all(recording, 1)).toEqual([10, 20, 30, 40]);
  });
});

describe('MAT v4 signals, as in the 2021 challenge', () => {
  it('are format 16 behind the matrix header', async () => {
    const data = matrix('val', 30, 2, 3, int16([1000, -500, 2000, 0, -32768, 5]));
    expect(data.length).toBe(24 + 12);
    const header =
      'A0001 2 500 3 05-May-2020 14:50:55\n' +
      'A0001.mat 16+24 1000/mV 16 0 28 -1716 0 I\nA0001.mat 16+24 1000/mV 16 0 7 2029 0 II\n' +
      '#Age: 74\n#Sex: Male\n#Dx: 59118001\n';
    const recording = await openWfdb(bytesSource('A0001.hea', ascii(header), { 'A0001.mat': data }));
    expect(await all(recording, 0)).toEqual([1, 2, Number.NaN]);
    expect(await all(recording, 1)).toEqual([-0.5, 0, 0.005]);
    expect(recording.metadata).toMatchObject({ age: '74', sex: 'Male', dx: '59118001' });
    expect(recording.startTime).toEqual(new Date(Date.UTC(2020, 4, 5, 14, 50, 55)));
  });

  it('are opened by their own name; a MAT-file that the header does not name is no part of the record', async () => {
    const data = matrix('val', 30, 1, 2, int16([1000, 2000]));
    const header = (file: string) => ascii(`A0001 1 500 2\n${file} 16+24 1000/mV 16 0 0 0 0 I\n`);
    const opened = await openWfdbPart(
      bytesSource('A0001.mat', data, { 'A0001.hea': header('A0001.mat'), 'A0001.mat': data }),
    );
    expect(await all(opened!, 0)).toEqual([1, 2]);
    const beside = { 'A0001.hea': header('other.dat'), 'other.dat': data };
    expect(await openWfdbPart(bytesSource('A0001.mat', data, beside))).toBeUndefined();
  });

  it('shorter than their own header are refused, and empty when tolerant', async () => {
    const header = 'x 1 500 3\nx.mat 16+24 1000/mV';
    const files = { 'x.mat': new Uint8Array(20) };
    await expect(open(header, files)).rejects.toThrow('ends at byte 20, its samples start at 24');
    const recording = await open(header, files, { tolerant: true });
    expect(recording).toMatchObject({ duration: 0, spans: [], channels: [{ lengthSamples: 0 }] });
  });
});

describe('annotations', () => {
  const beats = annotationFile([
    [28, 18, '(AFIB'],
    [1, 162],
    [59, 100_000],
    [5, 100],
  ]);
  const header = 'x 1 360 2\nx.dat 16 1';
  const files = { 'x.dat': int16([1, 2]), 'x.atr': beats, 'x.qrs': annotationFile([[1, 36]]) };

  it('of the .atr file beside the header are attached in seconds', async () => {
    expect((await open(header, files)).annotations).toEqual([
      { start: 0.05, duration: 0, label: '+ (AFIB' },
      { start: 0.5, duration: 0, label: 'N' },
      { start: 100_280 / 360, duration: 0, label: 'V' },
    ]);
  });

  it('of another extension are attached on request, and missed when it is not there', async () => {
    const { annotations } = await open(header, files, { annotations: 'qrs' });
    expect(annotations).toEqual([{ start: 0.1, duration: 0, label: 'N' }]);
    await expect(open(header, files, { annotations: 'ecg' })).rejects.toThrow("has no 'x.ecg' beside it");
    const { 'x.atr': _, ...bare } = files;
    expect((await open(header, bare)).annotations).toEqual([]);
  });

  it('count frames, not samples, where a signal has several a frame', async () => {
    const data = { ...files, 'x.dat': int16([1, 2, 3, 4]) };
    const recording = await open('x 1 360 2\nx.dat 16x2 1', data);
    expect(recording.channels[0]!.rateHz).toBe(720);
    expect(recording.annotations[1]).toMatchObject({ start: 0.5 });
  });

  it('keep channels, steps back and forth, and custom symbols', async () => {
    const bytes = annotationFile([
      [22, 0, '## time resolution: 1000'],
      [22, 0, '## annotation type definitions'],
      [22, 0, '42 aVF custom beat'],
      [22, 0, '## end of definitions'],
      [22, 0, 'a true note'],
      [42, 500],
      [62, 1],
      [59, -250],
      [1, 0],
      [47, 1],
    ]);
    const found = await readWfdbAnnotations(bytesSource('x.atr', bytes), 360);
    expect(found).toEqual([
      { start: 0, duration: 0, label: '" a true note' },
      { start: 0.5, duration: 0, label: 'aVF', channel: 1 },
      { start: 0.25, duration: 0, label: 'N', channel: 1 },
      { start: 0.251, duration: 0, label: '[47]', channel: 1 },
    ]);
  });

  it('without their end mark are read, and the log says so; cut within one they are refused', async () => {
    const log: string[] = [];
    const whole = annotationFile([[1, 10]], false);
    expect(await readWfdbAnnotations(bytesSource('x.atr', whole), 10, log)).toHaveLength(1);
    expect(log).toEqual(['wfdb: x.atr lacks its end mark; it may be truncated.']);
    await expect(readWfdbAnnotations(bytesSource('x.atr', beats.subarray(0, 7)), 10)).rejects.toMatchObject({
      name: 'FormatError',
      byteOffset: 7,
    });
  });

  it('cut within one are kept up to there when tolerant; the record does not fail with them', async () => {
    const cut = { ...files, 'x.atr': beats.subarray(0, beats.length - 5) };
    await expect(open(header, cut)).rejects.toThrow(/x\.atr ends at byte 17, within an annotation/);
    const recording = await open(header, cut, { tolerant: true });
    expect(recording.annotations.map(({ label }) => label)).toEqual(['+ (AFIB', 'N']);
    expect(recording.log.join()).toContain('x.atr lacks its end mark');
  });

  it('of any times and codes come back in order', async () => {
    const note = fc.tuple(fc.integer({ min: 1, max: 41 }), fc.integer({ min: 1, max: 1023 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(note, { maxLength: 50 }),
        fc.constantFrom(128, 360, 500),
        async (notes, rate) => {
          const found = await readWfdbAnnotations(bytesSource('x.atr', annotationFile(notes)), rate);
          let sample = 0;
          const times = notes.map(([, step]) => {
            sample += step;
            return sample / rate;
          });
          expect(found.map(({ start }) => start)).toEqual(times);
          expect(new Set(found.map(({ label }) => label)).size).toBe(
            new Set(notes.map(([code]) => code)).size,
          );
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });
});

describe('laziness', () => {
  // 2 million frames of two signals in format 212: 6 MB.
  const frames = 2_000_000;
  const data = format212(
    Int16Array.from({ length: 2 * frames }, (_, i) => (i % 2 ? -((i >> 1) % 1999) : (i >> 1) % 2000)),
  );
  const header = ascii(`big 2 360 ${frames}\nbig.dat 212 1 12\nbig.dat 212 1 12\n`);

  it('opening reads the header only', async () => {
    const { source, requests } = countingSource('big.hea', header, { 'big.dat': data });
    await openWfdb(source);
    expect(requests.asked.map(({ name }) => name)).toEqual(['big.hea']);
  });

  it('a window reads the frames that hold it, once for all channels', async () => {
    const { source, requests } = countingSource('big.hea', header, { 'big.dat': data });
    const recording = await openWfdb(source);
    requests.reset();
    const x = await recording.read(0, 1_000_001, 1_000_011);
    expect(requests.asked).toEqual([
      { name: 'big.dat', start: 3_000_003, end: 3_000_033, byteLength: data.length },
    ]);
    expect([...x]).toEqual(Array.from({ length: 10 }, (_, i) => (1_000_001 + i) % 2000));
    const y = await recording.read(1, 1_000_001, 1_000_011);
    expect(requests.asked).toHaveLength(1);
    expect([...y]).toEqual(Array.from({ length: 10 }, (_, i) => -((1_000_001 + i) % 1999)));
  });

  it('a long window of three signals in one file is read in pieces of at most 8 MiB, without a seam', async () => {
    // An odd number of samples a frame: frames start within groups of two.
    const count = 3_000_000;
    const values = Int16Array.from({ length: count * 3 }, (_, i) => (i % 4001) - 2000);
    const source = countingSource('x.hea', ascii(`x 3 360 ${count}\nx.dat 212 1\nx.dat 212 1\nx.dat 212 1`), {
      'x.dat': format212(values),
    });
    const recording = await openWfdb(source.source);
    source.requests.reset();
    const x = await recording.read(1, 1, count);
    expect(source.requests.asked.length).toBeGreaterThan(1);
    for (const { start, end } of source.requests.asked) expect(end - start).toBeLessThanOrEqual(8 * 2 ** 20);
    const wrong = x.findIndex((value, i) => value !== values[(i + 1) * 3 + 1]);
    expect(wrong).toBe(-1);
  });
});

describe('files on disk', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heartmind-wfdb-'));
    writeFileSync(join(folder, 'x.hea'), 'x 1 360 2\nx.dat 16 1\n');
    writeFileSync(join(folder, 'x.dat'), int16([7, 8]));
    writeFileSync(join(folder, 'x.atr'), annotationFile([[1, 36]]));
    writeFileSync(join(folder, 'lost.hea'), 'lost 1 360 2\nlost.dat 16 1\n');
    writeFileSync(join(folder, 'up.hea'), 'up 1 360 2\n.. 16 1\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('find their siblings in the folder', async () => {
    const recording = await openRecordingFile(join(folder, 'x.hea'));
    expect(await all(recording)).toEqual([7, 8]);
    expect(recording.annotations).toEqual([{ start: 0.1, duration: 0, label: 'N' }]);
    await recording.close();
  });

  it.each(['lost.hea', 'up.hea'])('are refused where one is missing: %s', async (name) => {
    await expect(openRecordingFile(join(folder, name))).rejects.toThrow('is not beside it');
  });

  it.each([
    ['x.dat', ['N']],
    ['x.atr', ['N']],
  ])('open by the name of a file of theirs (%s); the log says so', async (name, labels) => {
    const recording = await openRecordingFile(join(folder, name));
    expect(recording).toMatchObject({ format: 'wfdb', source: join(folder, 'x.hea') });
    expect(recording.annotations.map(({ label }) => label)).toEqual(labels);
    expect(recording.log[0]).toBe(`wfdb: '${name}' is part of the record of 'x.hea', which was opened.`);
    await recording.close();
  });

  it('that are signal files without a header say what is missing', async () => {
    writeFileSync(join(folder, 'y.dat'), int16([1, 2]));
    await expect(openRecordingFile(join(folder, 'y.dat'))).rejects.toThrow(
      /its \.hea file must be beside it/,
    );
  });

  it('that do not exist, or are folders, are a FormatError with the path', async () => {
    await expect(openRecordingFile(join(folder, 'no.hea'))).rejects.toThrow(/no\.hea: there is no such file/);
    await expect(openRecordingFile(folder)).rejects.toThrow(FormatError);
  });
});
