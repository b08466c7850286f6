/** Long arrays in NumPy, MAT, EEGLAB and HDF5 files: in one pass, in place, or inflated on the way, bit for bit what is stored. */
import { zipSync, zlibSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { openEeglab } from '../../src/read/eeglab/eeglab.ts';
import { openHdf5 } from '../../src/read/hdf5/hdf5.ts';
import { openHdf5Recording } from '../../src/read/hdf5/recording.ts';
import { inflater } from '../../src/read/inflate-node.ts';
import { openMatRecording } from '../../src/read/mat/recording.ts';
import { openNpy, openNpzRecording } from '../../src/read/numpy/npy.ts';
import { readChannels, wholeChannels } from '../../src/read/read-channels.ts';
import { ascii, concat, countingSource } from './build.ts';
import { mat5 } from './build-mat.ts';

const [count, samples] = [3, 180_001];

/** Sample `t` of a channel: whole numbers of 8 bits, minus zero among them where numbers have one; some of no pattern. */
const sampleOf = (channel: number, t: number) => {
  const drawn = t % 5 === 0 ? Math.imul(t + channel, 0x9e3779b1) >>> 13 : t * 31 + channel * 57 + (t >> 9);
  return (drawn % 201) - 100 || -0;
};

type Put = (view: DataView, at: number, value: number, isLittle: boolean) => void;
const puts = {
  f8: [8, (view, at, x, little) => view.setFloat64(at, x / 3, little)],
  f4: [4, (view, at, x, little) => view.setFloat32(at, x / 3, little)],
  i8: [8, (view, at, x, little) => view.setBigInt64(at, BigInt(x) * 2n ** 40n, little)],
  i4: [4, (view, at, x, little) => view.setInt32(at, x * 65_537, little)],
  i2: [2, (view, at, x, little) => view.setInt16(at, x * 3, little)],
  u2: [2, (view, at, x, little) => view.setUint16(at, x, little)],
  i1: [1, (view, at, x) => view.setInt8(at, x)],
  b1: [1, (view, at, x) => view.setUint8(at, x > 0 ? 1 : 0)],
} satisfies Record<string, readonly [number, Put]>;
type Kind = keyof typeof puts;

const expectedOf: Readonly<Record<Kind, (x: number) => number>> = {
  f8: (x) => x / 3,
  f4: (x) => Math.fround(x / 3),
  i8: (x) => x * 2 ** 40 + 0,
  i4: (x) => x * 65_537 + 0,
  i2: (x) => x * 3 + 0,
  u2: (x) => x & 0xffff,
  i1: (x) => x + 0,
  b1: (x) => (x > 0 ? 1 : 0),
};

/** The array's bytes; `isTogether`: channel after channel. */
function stored(kind: Kind, isLittle: boolean, isTogether: boolean): Uint8Array {
  const [width, put] = puts[kind];
  const bytes = new Uint8Array(width * count * samples);
  const view = new DataView(bytes.buffer);
  for (let c = 0; c < count; c++)
    for (let t = 0; t < samples; t++)
      put(view, width * (isTogether ? c * samples + t : t * count + c), sampleOf(c, t), isLittle);
  return bytes;
}

/** In memory, at an odd place there, and as a disk gives it. */
function sourcesOf(name: string, bytes: Uint8Array, siblings: Record<string, Uint8Array> = {}): ByteSource[] {
  const odd = new Uint8Array(bytes.length + 3).subarray(3);
  odd.set(bytes);
  return [bytesSource(name, bytes, siblings), bytesSource(name, odd, siblings), local(name, bytes, siblings)];
}

function local(name: string, bytes: Uint8Array, siblings: Record<string, Uint8Array> = {}): ByteSource {
  const inner = bytesSource(name, bytes, siblings);
  return {
    ...inner,
    isLocal: true,
    inflater,
    async read(start, end, into) {
      const found = await inner.read(start, end);
      if (!into) return found.slice();
      into.set(found);
      return into;
    },
    sibling: async (other) => (siblings[other] ? local(other, siblings[other], siblings) : undefined),
  };
}

const bits = (x: Float64Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

/** What is stored, made once for all tests. */
const made = new Map<(x: number) => number, Float64Array[]>();
function rowsOf(valueAt: (x: number) => number): Float64Array[] {
  const rows = made.get(valueAt) ?? Array.from({ length: count }, () => new Float64Array(samples));
  if (!made.has(valueAt))
    for (const [c, row] of rows.entries()) for (let t = 0; t < samples; t++) row[t] = valueAt(sampleOf(c, t));
  made.set(valueAt, rows);
  return rows;
}

/** All channels in one pass, parts of them in another, a channel alone, a stretch over the end of a chunk. */
async function expectStored(recording: Recording, valueAt: (x: number) => number): Promise<void> {
  const { channels } = recording;
  expect(channels.map(({ lengthSamples }) => lengthSamples)).toEqual(new Array(count).fill(samples));
  const parts = channels.map((_, channel) => ({ channel, start: 7 * channel, end: samples - 3 * channel }));
  const ranges = [...wholeChannels(recording), ...parts, { channel: 1, start: 131_000, end: 131_200 }];
  const found = [
    ...(await readChannels(recording)),
    ...(await readChannels(recording, parts)),
    await recording.read(1, 131_000, 131_200),
  ];
  for (const [i, { channel, start, end }] of ranges.entries()) {
    const expected = rowsOf(valueAt)[channel]!.subarray(start, end);
    expect(bits(found[i]!).equals(bits(expected)), `range ${i}`).toBe(true);
  }
}

function npy(kind: Kind, isLittle: boolean, isTogether: boolean): Uint8Array {
  const header = `{'descr': '${isLittle ? '<' : '>'}${kind}', 'fortran_order': ${isTogether ? 'False' : 'True'}, 'shape': (${count}, ${samples}), }\n`;
  const start = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8];
  return concat(Uint8Array.from(start), ascii(header), stored(kind, isLittle, isTogether));
}

describe('NumPy', () => {
  for (const kind of Object.keys(puts) as Kind[])
    it(`${kind}, both orders of bytes and of storage`, async () => {
      for (const isTogether of [true, false])
        for (const isLittle of kind === 'f8' || kind === 'i2' ? [true, false] : [true]) {
          const bytes = npy(kind, isLittle, isTogether);
          for (const source of sourcesOf('a.npy', bytes))
            await expectStored(await openNpy(source, { rateHz: 250 }), expectedOf[kind]);
        }
    });
});

describe('NumPy archives', () => {
  const zip = (level: 0 | 6) => zipSync({ 'x.npy': [npy('f8', true, false), { level }] });

  it('stored and deflated', async () => {
    for (const level of [0, 6] as const)
      for (const source of sourcesOf('a.npz', zip(level)))
        await expectStored(await openNpzRecording(source, { rateHz: 250 }), expectedOf.f8);
  });

  it('say where they are damaged', async () => {
    const good = zip(6);
    expect(good.length).toBeGreaterThan(2 ** 17);
    const bytes = good.slice();
    bytes.fill(0x55, good.length >> 1, (good.length >> 1) + 100);
    // The directory promises fewer bytes than there are.
    const short = good.slice();
    const directory = Buffer.from(short.buffer).lastIndexOf('PK\x01\x02', undefined, 'latin1');
    new DataView(short.buffer).setUint32(directory + 24, 500_000, true);
    for (const inflate of [undefined, inflater])
      for (const [damaged, words] of [
        [bytes, /x\.npy (cannot be inflated|inflates to)/],
        [short, /more than the 500000 bytes it promises/],
      ] as const) {
        const source = { ...bytesSource('a.npz', damaged), ...(inflate && { inflater: inflate }) };
        await expect(openNpzRecording(source, { rateHz: 250 })).rejects.toThrow(words);
      }
  });
});

describe("Node's inflater", () => {
  const plain = stored('f4', true, true);
  const packed = zlibSync(plain);
  /** Pieces of 5,000 bytes; `failAt`: the source fails there. */
  const readerOf = (failAt = Number.POSITIVE_INFINITY, bytes = packed) => {
    let at = 0;
    const pieces = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (at >= failAt) throw new Error('the source is gone');
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, at + 5000) as Uint8Array<ArrayBuffer>);
        at += 5000;
      },
    });
    return pieces.pipeThrough(inflater('deflate')).getReader();
  };
  const drain = async (reader: ReturnType<typeof readerOf>) => {
    const parts: Uint8Array[] = [];
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read())
      parts.push(value!);
    return Buffer.concat(parts);
  };

  it('inflates, fails as its source does, can be left at any time', async () => {
    expect((await drain(readerOf())).equals(plain)).toBe(true);
    await expect(drain(readerOf(60_000))).rejects.toThrow('the source is gone');
    await expect(drain(readerOf(undefined, packed.subarray(0, packed.length >> 1)))).rejects.toThrow(/end/);
    for (const count of [0, 1, 2]) {
      const reader = readerOf();
      for (let i = 0; i < count; i++) await reader.read();
      await reader.cancel();
      expect(await reader.read()).toEqual({ done: true, value: undefined });
    }
  });
});

/** Kinds by the mi… number and by the mx… number of their own class. */
const mi = { f8: 9, f4: 7, i8: 12, i4: 5, i2: 3, u2: 4, i1: 1, b1: 2 } as const;
const mx = { f8: 6, f4: 7, i8: 14, i4: 12, i2: 10, u2: 11, i1: 8, b1: 9 } as const;

function mat(kind: Kind, mxClass: number, isLittle: boolean, isTogether: boolean, isCompressed: boolean) {
  const { element, matrix5, doubles, file, compressed } = mat5(isLittle);
  const dims = isTogether ? [samples, count] : [count, samples];
  const data = element(mi[kind], stored(kind, isLittle, isTogether));
  const variables = [
    matrix5({ mx: mxClass, dims, name: 'data', data: [data] }),
    doubles([1, 1], [250], 'fs'),
  ];
  return file(...variables.map((variable) => (isCompressed ? compressed(variable) : variable)));
}

describe('MAT', () => {
  for (const kind of ['f8', 'f4', 'i2', 'i8'] as const)
    for (const isCompressed of [false, true])
      it(`${kind}${isCompressed ? ', compressed' : ''}, both orders of bytes, either side time`, async () => {
        for (const isTogether of [true, false]) {
          const isLittle = isTogether || kind !== 'f8';
          const bytes = mat(kind, mx[kind], isLittle, isTogether, isCompressed);
          for (const source of sourcesOf('a.mat', bytes))
            await expectStored(await openMatRecording(source), expectedOf[kind]);
        }
      });

  it('numbers in a smaller type than their class', async () => {
    for (const [kind, mxClass] of [
      ['i2', mx.f8],
      ['i1', mx.f4],
    ] as const)
      await expectStored(
        await openMatRecording(bytesSource('a.mat', mat(kind, mxClass, true, true, false))),
        expectedOf[kind],
      );
    // A single that is stored as a double is rounded: it is not read in place.
    const rounded = await openMatRecording(bytesSource('a.mat', mat('f8', mx.f4, true, false, true)));
    await expectStored(rounded, (x) => Math.fround(x / 3));
  });

  it('is opened by its headers alone where it is not compressed', async () => {
    const { source, requests } = countingSource('a.mat', mat('f8', mx.f8, true, true, false));
    const recording = await openMatRecording(source);
    expect(requests.total()).toBeLessThan(50_000);
    requests.reset();
    await recording.read(2, 1000, 2000);
    expect(requests.total()).toBe(8000);
  });

  it('says where compressed signals are damaged, in one pass and alone', async () => {
    const good = mat('f8', mx.f8, true, true, true);
    for (const inflate of [undefined, inflater]) {
      const bytes = good.slice();
      bytes.fill(0x55, good.length >> 1, (good.length >> 1) + 100);
      const source = { ...bytesSource('a.mat', bytes), ...(inflate && { inflater: inflate }) };
      const recording = await openMatRecording(source);
      const words = /compressed variable at byte 136 that cannot be inflated/;
      await expect(readChannels(recording)).rejects.toThrow(words);
      await expect(recording.read(2, samples - 5, samples)).rejects.toThrow(FormatError);
    }
  });
});

describe('EEGLAB', () => {
  const { struct, text, doubles, file, compressed, element, matrix5 } = mat5();
  const set = (data: Uint8Array) => {
    const number = (value: number) => doubles([1, 1], [value]);
    const fields = {
      srate: number(250),
      nbchan: number(count),
      pnts: number(samples),
      trials: number(1),
      data,
    };
    return struct([1, 1], Object.keys(fields), Object.values(fields), 'EEG');
  };
  const signals = stored('f4', true, false);

  it('signals in an .fdt', async () => {
    const files = { 'x.fdt': signals };
    for (const source of sourcesOf('x.set', file(set(text('x.fdt'))), files))
      await expectStored(await openEeglab(source), expectedOf.f4);
  });

  it('signals in a .dat, channel after channel', async () => {
    const files = { 'x.dat': stored('f4', true, true) };
    for (const source of sourcesOf('x.set', file(set(text('x.dat'))), files))
      await expectStored(await openEeglab(source), expectedOf.f4);
  });

  it('signals in the .set, compressed or not', async () => {
    const whole = set(matrix5({ mx: mx.f4, dims: [count, samples], data: [element(mi.f4, signals)] }));
    for (const variable of [whole, compressed(whole)])
      for (const source of sourcesOf('x.set', file(variable)))
        await expectStored(await openEeglab(source), expectedOf.f4);
  });
});

describe('HDF5', () => {
  async function hdf5(shape: number[], data: Float32Array | Float64Array | Int16Array, chunks?: number[]) {
    const { default: h5wasm } = await import('h5wasm');
    const { FS } = await h5wasm.ready;
    const file = new h5wasm.File('pass.h5', 'w');
    file.create_dataset({ name: 'data', data, shape, ...(chunks && { chunks, compression: 1 }) });
    file.close();
    const bytes = FS.readFile('pass.h5').slice();
    FS.unlink('pass.h5');
    return bytes;
  }
  const arrays = {
    f8: (isTogether: boolean) => new Float64Array(stored('f8', true, isTogether).buffer),
    f4: (isTogether: boolean) => new Float32Array(stored('f4', true, isTogether).buffer),
    i2: (isTogether: boolean) => new Int16Array(stored('i2', true, isTogether).buffer),
  };

  for (const kind of ['f8', 'f4', 'i2'] as const)
    it(`${kind}, either side time, in one piece and in chunks`, async () => {
      for (const isTogether of [true, false])
        for (const isChunked of [false, true]) {
          const shape = isTogether ? [count, samples] : [samples, count];
          const chunks = isTogether ? [2, 50_000] : [7_001, 2];
          const bytes = await hdf5(shape, arrays[kind](isTogether), isChunked ? chunks : undefined);
          const file = await openHdf5(bytesSource('a.h5', bytes));
          expect((await file.place('/data'))?.type).toBe(
            isChunked ? undefined : { f8: 'float64', f4: 'float32', i2: 'int16' }[kind],
          );
          await file.close();
          for (const source of sourcesOf('a.h5', bytes)) {
            const recording = await openHdf5Recording(source, { rateHz: 250 });
            await expectStored(recording, expectedOf[kind]);
            await recording.close();
          }
        }
    });

  it('a row of three dimensions', async () => {
    const one = arrays.f4(false);
    const both = new Float32Array(2 * one.length);
    both.set(one, one.length);
    const bytes = await hdf5([2, samples, count], both);
    const recording = await openHdf5Recording(bytesSource('a.h5', bytes), { rateHz: 250, part: '1' });
    await expectStored(recording, expectedOf.f4);
  });

  it('chunks of few channels', async () => {
    const [rows, columns] = [70_001, 9];
    const data = Float32Array.from({ length: rows * columns }, (_, i) => (i % 4099) / 4);
    const bytes = await hdf5([rows, columns], data, [5000, 2]);
    const recording = await openHdf5Recording(bytesSource('a.h5', bytes), { rateHz: 250 });
    const expected = Array.from({ length: columns }, (_, c) =>
      Float64Array.from({ length: rows }, (_, t) => data[t * columns + c]!),
    );
    const window = await recording.read(8, 64_000, 70_001);
    expect(bits(window).equals(bits(expected[8]!.subarray(64_000)))).toBe(true);
    for (const [c, found] of (await readChannels(recording)).entries())
      expect(bits(found).equals(bits(expected[c]!)), `channel ${c}`).toBe(true);
    await recording.close();
  });
});
