import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { readHybrid } from '../../src/read/parquet/encodings.ts';
import { readPages } from '../../src/read/parquet/pages.ts';
import { openParquet } from '../../src/read/parquet/parquet.ts';
import { inflateSnappy } from '../../src/read/parquet/snappy.ts';
import { writeParquet } from '../../src/read/parquet/write.ts';
import { readChannels } from '../../src/read/read-channels.ts';
import golden from '../golden/read/tables.json' with { type: 'json' };
import { exampleRecording } from './build-npy.ts';
import { smallParquet } from './build-parquet.ts';

const open = (bytes: Uint8Array, options = {}) => openParquet(bytesSource('a.parquet', bytes), options);

async function written(recording: Recording): Promise<Uint8Array> {
  const parts: number[][] = [];
  for await (const { bytes } of writeParquet(recording, 'a.parquet'))
    for await (const part of bytes) parts.push([...part]);
  return Uint8Array.from(parts.flat());
}

/** The example's first two channels, which share a rate. */
function oneRate(): Recording {
  const example = exampleRecording();
  return { ...example, channels: example.channels.slice(0, 2) };
}

describe('Parquet', () => {
  for (const name of ['snappy.parquet', 'snappy-plain.parquet', 'none.parquet', 'gzip.parquet'])
    it(`${name} is what pyarrow wrote`, async () => {
      const recording = await open(smallParquet(name)[name]!);
      expect(recording.channels.map(({ name, unit, rateHz }) => `${name} ${unit} ${rateHz}`)).toEqual([
        'ECG mV 250',
        'f32  250',
        'i16  250',
        'i64  250',
        'holes  250',
      ]);
      expect(recording.startTime?.getTime()).toBe(1700000000000);
      const values = await readChannels(recording);
      for (const [c, expected] of Object.values(golden.parquet).entries())
        expect([...values[c]!]).toEqual(expected.map((x) => x ?? Number.NaN));
      expect(recording.annotations.map(({ start, label }) => [start, label])).toEqual([
        [0, 'rest'],
        [0.4, 'task'],
      ]);
    });

  it('names a codec that it cannot read', async () => {
    await expect(open(smallParquet('zstd.parquet')['zstd.parquet']!)).rejects.toThrow(
      /compression by ZSTD, which cannot be read. Write it with Snappy or gzip/,
    );
  });

  it('of long flat lines is written so that it can be read again', async () => {
    const samples = new Float64Array(2_000_000).fill(0.25);
    samples[1_500_000] = 1;
    const { channels, ...rest } = oneRate();
    const flat = { ...channels[0]!, lengthSamples: samples.length };
    const recording: Recording = {
      ...rest,
      channels: [flat, { ...flat, name: 'b' }],
      read: async (_, start, end) => samples.slice(start, end),
    };
    const parts: Uint8Array[] = [];
    for await (const { bytes } of writeParquet(recording, 'a.parquet'))
      for await (const part of bytes) parts.push(part);
    const again = await open(new Uint8Array(Buffer.concat(parts)));
    expect(await again.read(1, 1_499_999, 1_500_002)).toEqual(Float64Array.of(0.25, 1, 0.25));
  });

  it('is written and read back as it was', async () => {
    const recording = oneRate();
    const again = await open(await written(recording));
    const facts = ({
      channels,
      spans,
      annotations,
      startTime,
      startNanoseconds,
      metadata,
      duration,
    }: Recording) => ({
      channels,
      spans,
      annotations,
      startTime,
      startNanoseconds,
      metadata,
      duration,
    });
    expect(facts(again)).toEqual(facts(recording));
    expect(await readChannels(again)).toEqual(await readChannels(recording));
  });

  it('is not written where rates differ', async () => {
    await expect(written(exampleRecording())).rejects.toThrow(
      /'Fp1' has 500 samples at 200 Hz, 'resp' 125 at 50 Hz; .*--rate/,
    );
  });

  it('only throws its own errors on damaged bytes, quickly', async () => {
    const files = [
      ...['snappy.parquet', 'none.parquet', 'gzip.parquet'].map((name) => smallParquet(name)[name]!),
      await written(oneRate()),
    ];
    for (const bytes of files) {
      for (let i = 0; i < 100; i++) {
        const broken = bytes.slice();
        // Page headers at the front, the footer at the back.
        const at =
          i % 3
            ? bytes.length - 1 - ((i * 7919) % Math.min(6000, bytes.length))
            : (i * 104729) % bytes.length;
        broken[at] = i % 2 ? broken[at]! ^ (1 << (i % 8)) : (i * 37) % 256;
        const started = process.cpuUsage();
        try {
          const recording = await open(broken, { rateHz: 10 });
          for (const [c, { lengthSamples }] of recording.channels.entries())
            await recording.read(c, 0, lengthSamples);
        } catch (error) {
          if (!(error instanceof HeartmindError)) throw error;
        }
        expect(process.cpuUsage(started).user).toBeLessThan(1e6); // µs
      }
      await expect(open(bytes.slice(0, -5))).rejects.toThrow(/does not end with 'PAR1'/);
    }
  });
});

describe('Snappy', () => {
  it('takes literals and copies, also over themselves', () => {
    const result = new Uint8Array(10);
    // A literal of 2 bytes, then 8 bytes from 2 back.
    expect(inflateSnappy(Uint8Array.of(10, 1 << 2, 7, 8, ((8 - 4) << 2) | 1, 2), result)).toBe(true);
    expect([...result]).toEqual([7, 8, 7, 8, 7, 8, 7, 8, 7, 8]);
  });

  it('ends where lengths or offsets lie', () => {
    // A literal that states 2³² − 1 bytes: read as a signed number, it would go backwards for ever.
    expect(inflateSnappy(Uint8Array.of(10, 63 << 2, 255, 255, 255, 255, 1, 2), new Uint8Array(10))).toBe(
      false,
    );
    expect(inflateSnappy(Uint8Array.of(4, ((4 - 4) << 2) | 1, 1), new Uint8Array(4))).toBe(false);
    expect(inflateSnappy(Uint8Array.of(4, 0, 1), new Uint8Array(4))).toBe(false);
  });
});

describe('Parquet, long', () => {
  it('gives all channels in one pass over several groups as each alone', async () => {
    const rows = 270_001;
    const values = [
      Float64Array.from({ length: rows }, (_, k) => ((k * 7919) % 801) / 10 - 40),
      Float64Array.from({ length: rows }, (_, k) => Math.sin(k) / 3),
    ];
    const { channels, ...rest } = oneRate();
    const recording: Recording = {
      ...rest,
      channels: channels.map((channel) => ({ ...channel, lengthSamples: rows })),
      read: async (channel, start, end) => values[channel]!.slice(start, end),
    };
    const parts: Uint8Array[] = [];
    for await (const { bytes } of writeParquet(recording, 'a.parquet', {}))
      for await (const part of bytes) parts.push(part);
    const bytes = new Uint8Array(Buffer.concat(parts));
    const same = (found: Float64Array, expected: Float64Array) =>
      expect(
        Buffer.compare(
          Buffer.from(found.buffer, found.byteOffset, found.byteLength),
          Buffer.from(expected.slice().buffer),
        ),
      ).toBe(0);
    const [one, other] = [await open(bytes), await open(bytes)];
    for (const [c, found] of (await readChannels(one)).entries()) same(found, values[c]!);
    same(await other.read(1, 99_990, 200_010), values[1]!.subarray(99_990, 200_010));
    const halves = [0, 1].map((channel) => ({ channel, start: 130_000, end: rows }));
    for (const [i, found] of (await readChannels(one, [...halves, ...halves])).entries())
      same(found, values[i % 2]!.subarray(130_000));
    for (const [c, found] of (await readChannels(other)).entries()) same(found, values[c]!);
  });
});

describe('Pages of Parquet', () => {
  const flat = { type: 'DOUBLE', codec: 'UNCOMPRESSED', maxDefinition: 1, isUnsigned: false } as const;
  const read = (level: number) => {
    const levels = Uint8Array.of(2, 0, 0, 0, 2 << 1, level);
    const values = new Uint8Array(Float64Array.of(1.5, -0).buffer);
    const size = levels.length + values.length;
    // Thrift: kind 0, sizes, then two values, plain.
    const header = [0x15, 0, 0x15, 2 * size, 0x15, 2 * size, 0x2c, 0x15, 4, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0];
    const room = new Float64Array(2);
    const bytes = Uint8Array.from([...header, ...levels, ...values]);
    readPages(bytes, flat, 2, { room: () => room, texts: () => undefined });
    return room;
  };

  it('hold values, or none', () => {
    expect(read(1)).toEqual(Float64Array.of(1.5, -0));
    expect(read(0)).toEqual(Float64Array.of(Number.NaN, Number.NaN));
  });

  it('cannot have levels that they have not', () => {
    expect(() => read(2)).toThrow('a page has levels up to 2, 1 is the highest');
  });

  it('hold numbers of any width', () => {
    for (const width of [1, 3, 7, 8, 10, 12, 13, 16, 20, 24, 25, 26, 31, 32]) {
      const count = 40;
      const numbers = Array.from({ length: count }, (_, i) => (i * 0x9e3779b1) % 2 ** width);
      const bytes = new Uint8Array(1 + (count * width) / 8);
      bytes[0] = ((count / 8) << 1) | 1;
      for (const [i, number] of numbers.entries())
        for (let bit = 0; bit < width; bit++) {
          const at = i * width + bit;
          bytes[1 + (at >> 3)]! |= (Math.floor(number / 2 ** bit) % 2) << (at & 7);
        }
      for (const length of [count, count - 3]) {
        const result = new Uint32Array(length);
        expect(readHybrid(bytes, width, result)).toBe(Math.max(...numbers.slice(0, length)));
        expect([...result]).toEqual(numbers.slice(0, length));
      }
      if (width > 16) continue;
      const meaning = Float64Array.from({ length: 2 ** width }, (_, k) => k / 4);
      const values = new Float64Array(count);
      readHybrid(bytes, width, values, meaning);
      expect([...values]).toEqual(numbers.map((number) => number / 4));
    }
  });
});
