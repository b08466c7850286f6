import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
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
