/**
 * Hostile and damaged files: every reader either opens what it is given, or throws a HeartmindError. It never asks for
 * bytes beyond the file's end, and what it returns stays in proportion to the file's size.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { FormatError, HeartmindError } from '../../src/core/errors.ts';
import { gunzipSource } from '../../src/core/gunzip.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openEdf } from '../../src/read/edf/edf.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { openMat4 } from '../../src/read/mat/mat4.ts';
import { openRecording } from '../../src/read/open.ts';
import type { ReadOptions } from '../../src/read/options.ts';
import { readWfdbAnnotations } from '../../src/read/wfdb/annotations.ts';
import { openWfdb } from '../../src/read/wfdb/wfdb.ts';
import { cpuMilliseconds } from '../cpu-time.ts';
import {
  annotationFile,
  annotationSignal,
  ascii,
  concat,
  countingSource,
  edfFile,
  format212,
  int16,
  matrix,
} from './build.ts';

type Files = Readonly<Record<string, Uint8Array>>;
type Open = typeof openRecording;
type Outcome = { readonly opened: true } | { readonly opened: false; readonly error: HeartmindError };

/** Files of a few kilobytes take milliseconds; a reader that needs this long follows a lie in a header. */
const patience = 10_000;

function refusal(error: unknown): Outcome {
  if (!(error instanceof HeartmindError)) throw error;
  expect(error.message.length).toBeGreaterThan(10);
  return { opened: false, error };
}

/** Open the first of `files` with the others beside it, read from all over it, and hold it to the promises above. */
async function probe(open: Open, files: Files, options: ReadOptions = {}): Promise<Outcome> {
  const [[name, bytes], ...others] = Object.entries(files) as [
    [string, Uint8Array],
    ...[string, Uint8Array][],
  ];
  const { source, requests } = countingSource(name, bytes, { ...Object.fromEntries(others), [name]: bytes });
  const size = Object.values(files).reduce((sum, file) => sum + file.length, 0);
  const before = cpuMilliseconds();
  try {
    const recording = await open(source, options);
    // Sniffing, header, samples and annotations: each byte a few times at most.
    expect(requests.total()).toBeLessThanOrEqual(4 * size + 2048);
    await inspect(recording, size);
    await recording.close();
    return { opened: true };
  } catch (error) {
    return refusal(error);
  } finally {
    expect(requests.asked.filter(({ start, end, byteLength }) => start < 0 || end > byteLength)).toEqual([]);
    expect(cpuMilliseconds() - before).toBeLessThan(patience);
  }
}

async function inspect(recording: Recording, size: number): Promise<void> {
  const { channels, annotations, spans, duration } = recording;
  // A sample takes 12 bits or more; an annotation two bytes or more.
  const samples = channels.reduce((sum, channel) => sum + channel.lengthSamples, 0);
  expect(samples * 1.5).toBeLessThanOrEqual(size);
  expect(annotations.length * 2).toBeLessThanOrEqual(size);
  expect(spans.length).toBeLessThanOrEqual(size);
  expect(duration).toBeGreaterThanOrEqual(0);
  expect(Number.isFinite(duration)).toBe(true);
  expect(annotations.every(({ start, duration: d }) => Number.isFinite(start) && d >= 0)).toBe(true);
  for (const [i, { rateHz, lengthSamples, resolution = 1, range = [0, 0] }] of channels.entries()) {
    expect(rateHz).toBeGreaterThan(0);
    expect(Number.isFinite(rateHz)).toBe(true);
    expect(Number.isFinite(resolution) && range.every(Number.isFinite)).toBe(true);
    expect(Number.isSafeInteger(lengthSamples) && lengthSamples >= 0).toBe(true);
    const middle = Math.floor(lengthSamples / 2);
    for (const [start, end] of [
      [0, Math.min(3, lengthSamples)],
      [middle, Math.min(middle + 5, lengthSamples)],
      [0, lengthSamples],
    ] as const)
      expect(await recording.read(i, start, end)).toHaveLength(end - start);
    await expect(recording.read(i, 0, lengthSamples + 1)).rejects.toThrow(FormatError);
    await expect(recording.read(i, -1, 0)).rejects.toThrow(FormatError);
  }
}

// biome-ignore format: one line a case reads best
const hostileNumbers = [
  '', '0', '-1', '-2', '1', '2', '0.5', '3', '7', '99999999', '2147483', '-999999', '1e9', '1e99', '9e307', '-9e307',
  '1e-320', '1e-300', '1e400', 'NaN', 'Infinity', '0x10', '1,5', '٣', 'null', '1 2',
];

/** Some bytes from `start` to `end` replaced. */
const patches = (start: number, end: number) =>
  fc.array(fc.tuple(fc.integer({ min: start, max: end - 1 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
function patched(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) copy[at] = value;
  return copy;
}

/** Whatever stands there, behind something that looks like a beginning. */
const junk = (beginnings: readonly Uint8Array[]) =>
  fc
    .tuple(
      fc.constantFrom(new Uint8Array(0), ...beginnings),
      fc.oneof(
        fc.uint8Array({ maxLength: 1500 }),
        fc.string({ unit: fc.constantFrom(...' 0123456789.+-/()#:x\n\0\x14\x15') }).map(ascii),
        fc
          .array(fc.constantFrom(0, 0xff, 0x20, 0x30, 0x0a), { maxLength: 1500 })
          .map((b) => Uint8Array.from(b)),
      ),
    )
    .map(([beginning, rest]) => concat(beginning, rest));

const edfSignals = [
  { label: 'EEG Fp1', perRecord: 8, values: (r: number) => Array.from({ length: 8 }, (_, i) => r * 8 + i) },
  { label: 'ECG', perRecord: 3, unit: 'mV', values: (r: number) => [r, -r, 100 * r] },
  annotationSignal(['+0', '+1', '+2', '+3'], { 1: '+1.5\x150.5\x14task\x14\0' }),
];
const edf = edfFile({ signals: edfSignals, records: 4 });
const edfHeader = 256 * 4;
const edfRecord = 2 * (8 + 3 + 40);

describe('EDF', () => {
  it('opens the undamaged file, which every case below starts from', async () => {
    expect(await probe(openEdf, { 'x.edf': edf })).toEqual({ opened: true });
  });

  it('refuses the file cut at any length, with a FormatError', async () => {
    for (let length = 0; length < edf.length; length++) {
      const outcome = await probe(openEdf, { 'x.edf': edf.subarray(0, length) });
      expect(outcome.opened || outcome.error, `cut at ${length}`).toBeInstanceOf(FormatError);
    }
  });

  it('opens the file cut anywhere behind its header when tolerant, up to the last whole record', async () => {
    for (let length = 0; length < edf.length; length++) {
      const cut = bytesSource('x.edf', edf.subarray(0, length));
      if (length < edfHeader) {
        await expect(openEdf(cut, { tolerant: true })).rejects.toThrow(FormatError);
        continue;
      }
      expect(await probe(openEdf, { 'x.edf': edf.subarray(0, length) }, { tolerant: true })).toEqual({
        opened: true,
      });
      const { channels } = await openEdf(cut, { tolerant: true });
      const records = Math.floor((length - edfHeader) / edfRecord);
      expect(channels.map((c) => c.lengthSamples)).toEqual([records * 8, records * 3]);
    }
  });

  it('survives random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(junk([ascii('0       '), edf.subarray(0, 256), edf.subarray(0, 700)]), (bytes) =>
        probe(openEdf, { 'x.edf': bytes }).then(() => undefined),
      ),
      { seed: 1, numRuns: 400 },
    );
  });

  it('survives damage to any bytes of the header, tolerant or not', async () => {
    await fc.assert(
      fc.asyncProperty(patches(0, edfHeader), fc.boolean(), async (changes, tolerant) => {
        await probe(openEdf, { 'x.edf': patched(edf, changes) }, { tolerant });
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('survives hostile numbers in any numeric fields of the header', async () => {
    const fields = [184, 236, 244, 252].map((at) => [at, at === 252 ? 4 : 8] as const);
    for (let i = 0; i < 3; i++)
      for (const before of [104, 112, 120, 128, 216]) fields.push([256 + 3 * before + 8 * i, 8]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...fields), fc.constantFrom(...hostileNumbers)), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.boolean(),
        async (changes, tolerant) => {
          const bytes = edf.slice();
          for (const [[at, width], text] of changes) bytes.set(ascii(text.padEnd(width).slice(0, width)), at);
          await probe(openEdf, { 'x.edf': bytes }, { tolerant });
        },
      ),
      { seed: 3, numRuns: 500 },
    );
  });

  it('leaves out annotations at times that are none, and counts them in the log', async () => {
    const lists = { 0: '+9e307\x14far\x14\0-9e307\x14far\x14\0+1\x159e307\x14long\x14\0+1\x14near\x14\0' };
    const signals = [edfSignals[0]!, annotationSignal(['+0'], lists)];
    const recording = await openEdf(bytesSource('x.edf', edfFile({ signals, records: 1 })));
    expect(recording.annotations).toEqual([{ start: 1, duration: 0, label: 'near' }]);
    expect(recording.log.join()).toContain('3 annotation lists could not be read');
  });

  it('survives damaged annotation lists', async () => {
    const bytes = fc.uint8Array({ maxLength: 80, minLength: 80 });
    const text = fc
      .string({ unit: fc.constantFrom(...'+-0123456789.e\x14\x15\0a'), maxLength: 80 })
      .map((t) => concat(ascii(t), new Uint8Array(80 - t.length)));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bytes, text), { minLength: 4, maxLength: 4 }), async (records) => {
        const copy = edf.slice();
        for (const [i, block] of records.entries()) copy.set(block, edfHeader + i * edfRecord + 22);
        // Samples are whole: whatever the annotations say, the file opens.
        expect(await probe(openEdf, { 'x.edf': copy })).toEqual({ opened: true });
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

const header = ascii(
  'x 3 360 6 10:20:30 03/02/2021\n' +
    'x.dat 212 200(10)/mV 12 0 0 0 0 MLII\nx.dat 212x2 100/uV 12 0 0 0 0 V1\n' +
    'y.dat 16:1+4 1000.5(-3)/mV 16 0 0 0 0 ECG\n# Age: 63\n# <sex>: F <diagnoses> none\n',
);
const twelve = format212([1, -2, 3, 4, -5, 6, 7, 8, 9, 10, -2048, 2047, 0, 0, 1, 1, 1, 1]);
const sixteen = concat(ascii('junk'), int16([1, 2, -3, 4, 5, -32768]));
const beats = annotationFile([
  [1, 10],
  [59, 70_000],
  [5, 0, '(AFIB'],
  [28, 20, 'odd'],
]);
const wfdb: Files = { 'x.hea': header, 'x.dat': twelve, 'y.dat': sixteen, 'x.atr': beats };

describe('WFDB', () => {
  it('opens the undamaged record, which every case below starts from', async () => {
    expect(await probe(openWfdb, wfdb)).toEqual({ opened: true });
  });

  it('survives its header cut at any length', async () => {
    const outcomes = [];
    for (let length = 0; length < header.length; length++)
      outcomes.push(await probe(openWfdb, { ...wfdb, 'x.hea': header.subarray(0, length) }));
    // Cut before the last signal's line, signals are missing; cut within the comments, nothing that counts is.
    expect(outcomes.slice(0, header.length - 80).some(({ opened }) => opened)).toBe(false);
    expect(outcomes.at(-1)).toEqual({ opened: true });
  });

  it.each([
    ['x.dat', twelve],
    ['y.dat', sixteen],
  ])('refuses %s cut at any length, and opens it when tolerant', async (name, whole) => {
    for (let length = 0; length < whole.length; length++) {
      const files = { ...wfdb, [name]: whole.subarray(0, length) };
      const outcome = await probe(openWfdb, files);
      expect(outcome.opened || outcome.error, `cut at ${length}`).toBeInstanceOf(FormatError);
      expect(await probe(openWfdb, files, { tolerant: true })).toEqual({ opened: true });
    }
  });

  it('survives damage to any bytes of the header, tolerant or not', async () => {
    await fc.assert(
      fc.asyncProperty(patches(0, header.length), fc.boolean(), async (changes, tolerant) => {
        await probe(openWfdb, { ...wfdb, 'x.hea': patched(header, changes) }, { tolerant });
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  it('survives hostile numbers in place of any number of the header', async () => {
    const text = new TextDecoder().decode(header);
    const pieces = text.split(/(\d+)/);
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.nat((pieces.length - 3) / 2),
            fc.constantFrom(...hostileNumbers, '9007199254740993', '212x0'),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        fc.boolean(),
        async (changes, tolerant) => {
          const copy = [...pieces];
          for (const [i, number] of changes) copy[2 * i + 1] = number;
          await probe(openWfdb, { ...wfdb, 'x.hea': new TextEncoder().encode(copy.join('')) }, { tolerant });
        },
      ),
      { seed: 6, numRuns: 500 },
    );
  });

  it('survives headers made of the words of headers', async () => {
    const words = fc.constantFrom(
      ...[
        'x',
        'x.dat',
        'y.dat',
        'x.hea',
        '..',
        '/etc/hostname',
        '~',
        '0',
        '1',
        '2',
        '360',
        '1e-320',
        '1e300',
        '16',
        '212',
      ],
      ...[
        '16x999999',
        '212x3',
        '16+24',
        '212:5',
        '16:999999999',
        '80',
        '516',
        '200(0)/mV',
        '0',
        '1e-310/mV',
        '(',
        '#',
      ],
      ...[
        'x/3',
        '360/100(5)',
        '10:20:30',
        '99:99:99',
        '31/02/2020',
        '# Age: 3',
        '# <a>: b',
        '\n',
        '\n',
        '\n',
        '\r\n',
      ],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 40 }), fc.boolean(), async (line, tolerant) => {
        await probe(openWfdb, { ...wfdb, 'x.hea': ascii(line.join(' ')) }, { tolerant });
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('survives random bytes as header', async () => {
    await fc.assert(
      fc.asyncProperty(junk([ascii('x 1 360 6\n'), ascii('x 1 360\nx.dat 16')]), async (bytes) => {
        await probe(openWfdb, { ...wfdb, 'x.hea': bytes });
      }),
      { seed: 8, numRuns: 400 },
    );
  });

  it('refuses a record line that promises more signals than the header has lines, without making them', async () => {
    const outcome = await probe(openWfdb, { 'x.hea': ascii('x 999999 360 1000000\nx.dat 16\n') });
    expect(outcome).toMatchObject({ opened: false, error: { name: 'FormatError' } });
  });
});

describe('annotation files', () => {
  /** Annotations that come back, at most one a word; FormatError otherwise. */
  async function probeBeats(bytes: Uint8Array): Promise<'read' | 'refused'> {
    const { source, requests } = countingSource('x.atr', bytes);
    const before = cpuMilliseconds();
    try {
      const found = await readWfdbAnnotations(source, 360);
      expect(found.length).toBeLessThanOrEqual(bytes.length / 2);
      const letters = found.reduce((sum, { label }) => sum + label.length, 0);
      expect(letters).toBeLessThanOrEqual(4 * found.length + bytes.length);
      expect(found.every(({ start }) => Number.isFinite(start))).toBe(true);
      return 'read';
    } catch (error) {
      expect(refusal(error)).toMatchObject({ error: { name: 'FormatError' } });
      return 'refused';
    } finally {
      expect(requests.total()).toBe(bytes.length);
      expect(cpuMilliseconds() - before).toBeLessThan(patience);
    }
  }

  it('are read or refused, cut at any length: refused where the cut is within an annotation', async () => {
    for (let length = 0; length <= beats.length; length++) {
      const outcome = await probeBeats(beats.subarray(0, length));
      // Words are whole at even lengths, outside the 32-bit step (2–8) and the two texts (12–17, 22–25).
      const isWhole = [0, 2, 8, 10, 18, 17, 20, 25, 26, 28].includes(length);
      expect(outcome, `cut at ${length}`).toBe(isWhole ? 'read' : 'refused');
    }
  });

  it('survive random bytes and words', async () => {
    const words = fc
      .array(fc.tuple(fc.constantFrom(0, 1, 22, 41, 49, 59, 60, 61, 62, 63), fc.nat(1023)), {
        maxLength: 200,
      })
      .map((list) =>
        annotationFile(
          list.map(([code, step]) => [code === 59 ? 1 : code, step] as const),
          false,
        ),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 600 }), words), async (bytes) => {
        await probeBeats(bytes);
      }),
      { seed: 9, numRuns: 500 },
    );
  });

  it('survive hostile time resolutions', async () => {
    for (const rate of [
      '0',
      '0.0',
      '1.2.3',
      `0.${'0'.repeat(330)}1`,
      `0.${'0'.repeat(320)}1`,
      '9'.repeat(320),
      '.',
    ])
      expect(
        await probeBeats(
          annotationFile([
            [22, 0, `## time resolution: ${rate}`],
            [1, 5],
          ]),
        ),
      ).toBe('read');
  });
});

describe('MAT-files of level 4', () => {
  const mat = concat(
    matrix('val', 30, 2, 4, int16([1, 2, 3, 4, 5, 6, 7, 8])),
    matrix('fs', 1000, 1, 1, Uint8Array.of(0x40, 0x7f, 0x40, 0, 0, 0, 0, 0)),
    matrix('note', 51, 1, 2, ascii('hi')),
  );

  async function probeMat(bytes: Uint8Array): Promise<'read' | 'refused'> {
    const { source, requests } = countingSource('x.mat', bytes);
    const before = cpuMilliseconds();
    try {
      const { variables, read } = await openMat4(source, false);
      const all = await Promise.all(variables.map((_, i) => read(i)));
      const found = all.filter((value) => value.kind === 'numeric');
      const size = found.reduce((sum, { values }) => sum + values.length, 0);
      expect(size).toBeLessThanOrEqual(bytes.length);
      expect(found.length * 20).toBeLessThanOrEqual(bytes.length);
      for (const { shape, values } of found) expect(values).toHaveLength(shape[0]! * shape[1]!);
      return 'read';
    } catch (error) {
      refusal(error);
      return 'refused';
    } finally {
      for (const { end } of requests.asked) expect(end).toBeLessThanOrEqual(bytes.length);
      expect(requests.total()).toBeLessThanOrEqual(bytes.length);
      expect(cpuMilliseconds() - before).toBeLessThan(patience);
    }
  }

  it('are read whole or up to a matrix, and refused at any other cut', async () => {
    const ends = [0, 40, 71, mat.length];
    for (let length = 0; length <= mat.length; length++)
      expect(await probeMat(mat.subarray(0, length)), `cut at ${length}`).toBe(
        ends.includes(length) ? 'read' : 'refused',
      );
  });

  it('survive random bytes and damaged headers', async () => {
    const word = fc.constantFrom(0, 1, 2, 10, 30, 51, 1000, 1050, 9999, 65535, 2 ** 31, 2 ** 32 - 1);
    const headers = fc.array(word, { minLength: 5, maxLength: 40 }).map((words) => {
      const view = new DataView(new ArrayBuffer(words.length * 4));
      for (const [i, value] of words.entries()) view.setUint32(i * 4, value, true);
      return new Uint8Array(view.buffer);
    });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          headers,
          patches(0, mat.length).map((changes) => patched(mat, changes)),
        ),
        async (bytes) => {
          await probeMat(bytes);
        },
      ),
      { seed: 10, numRuns: 500 },
    );
  });
});

describe('gzip', () => {
  const packed = new Uint8Array(gzipSync(edf));

  it('opens the packed file, and refuses it cut at any length', async () => {
    expect(await probeGzip(packed)).toEqual({ opened: true });
    for (let length = 0; length < packed.length; length++) {
      const outcome = await probeGzip(packed.subarray(0, length));
      expect(outcome.opened || outcome.error, `cut at ${length}`).toBeInstanceOf(FormatError);
    }
  });

  it('survives damage to any of its bytes; its samples are then refused, not changed', async () => {
    const expected = await samplesOf(packed);
    await fc.assert(
      fc.asyncProperty(patches(0, packed.length), async (changes) => {
        const bytes = patched(packed, changes);
        if ((await probeGzip(bytes)).opened) expect(await samplesOf(bytes)).toEqual(expected);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it('survives random bytes behind its signature', async () => {
    await fc.assert(
      fc.asyncProperty(junk([packed.subarray(0, 2), packed.subarray(0, 10)]), async (bytes) => {
        await probeGzip(bytes);
      }),
      { seed: 12, numRuns: 200 },
    );
  });

  it('stops inflating at its limit', async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(8_000_000)));
    const refused = gunzipSource(bytesSource('bomb.gz', bomb), { maxBytes: 100_000 });
    await expect(refused).rejects.toThrow(FormatError);
    const after = await refused.catch((error: Error) => Number(/after (\d+) bytes/.exec(error.message)?.[1]));
    expect(after).toBeLessThan(1_000_000);
  });

  /** As `probe`, with what it inflates to as the size that counts. */
  async function probeGzip(bytes: Uint8Array): Promise<Outcome> {
    try {
      const recording = await openRecording(bytesSource('x.edf.gz', bytes));
      await inspect(recording, edf.length);
      return { opened: true };
    } catch (error) {
      return refusal(error);
    }
  }

  async function samplesOf(bytes: Uint8Array): Promise<number[]> {
    const recording = await openRecording(bytesSource('x.edf.gz', bytes));
    return [...(await recording.read(0, 0, 32))];
  }
});

describe('a file of any kind', () => {
  it('is refused when empty, whatever its name', async () => {
    for (const name of ['x.edf', 'x.hea', 'x.edf.gz', 'x.dat', ''])
      expect(await probe(openRecording, { [name]: new Uint8Array(0) })).toMatchObject({
        opened: false,
        error: { name: 'FormatError', message: expect.stringContaining('empty') },
      });
  });

  it('is recognised or refused when its bytes are random, whatever its name', async () => {
    const beginnings = [
      ascii('0       '),
      Uint8Array.of(0xff),
      ascii('XDF:'),
      header,
      ascii('#\n#\n'),
      ascii('x 1 1'),
    ];
    await fc.assert(
      fc.asyncProperty(
        junk(beginnings),
        fc.constantFrom('x', 'x.edf', 'x.hea', 'x.dat', 'x.edf.gz', 'https://host/x.edf?a=b'),
        async (bytes, name) => {
          if (bytes.length > 0) await probe(openRecording, { [name]: bytes });
        },
      ),
      { seed: 13, numRuns: 500 },
    );
  });

  it.each([
    ['bdf', concat(Uint8Array.of(0xff), ascii('BIOSEMI'), new Uint8Array(600))],
    ['xdf', ascii('XDF:12345678')],
    ['brainvision', ascii('Brain Vision Data Exchange Header File Version 1.0')],
    ['mat', ascii('MATLAB 5.0 MAT-file, Platform: GLNXA64')],
  ])('is refused by its reader where only its beginning is there: %s', async (name, bytes) => {
    const error = await openRecording(bytesSource('x', bytes)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(new RegExp(`^${name}: `));
  });

  it('names the formats that are read', async () => {
    const error = await openRecording(bytesSource('x.bin', ascii('nothing known at all'))).catch(
      (e: unknown) => e,
    );
    expect((error as Error).message).toMatch(/reads bdf, edf, xdf, .*wfdb; see docs\/formats.md/);
  });
});

const shared = process.env.HEARTMIND_SHARED ?? join(import.meta.dirname, '../../../shared');
const malformed = join(shared, 'data/malformed');

describe('real broken files', () => {
  const skipped = '(skipped where HEARTMIND_SHARED has no data/malformed/)';
  it.skipIf(!existsSync(malformed))(
    `a mangled file is refused with a sentence, tolerant or not ${skipped}`,
    async () => {
      const names = readdirSync(malformed).filter((name) => /mangled/.test(name));
      expect(names.length).toBeGreaterThan(0);
      for (const name of names)
        for (const tolerant of [false, true]) {
          const error = await openRecordingFile(join(malformed, name), { tolerant }).catch((e: unknown) => e);
          expect(error, name).toBeInstanceOf(HeartmindError);
          expect((error as Error).message).toMatch(/text-mode transfer/);
        }
    },
  );

  it.skipIf(!existsSync(malformed))(`an open number of records is counted, and said ${skipped}`, async () => {
    const recording = await openRecordingFile(join(malformed, 'eeglab_test_nrecords_minus1.bdf'));
    expect(recording.channels[0]!.lengthSamples).toBeGreaterThan(0);
    expect(recording.log.join()).toMatch(/number of records open \(−1\)/);
    await recording.close();
  });
});
