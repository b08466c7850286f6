import { readdirSync, readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/core/bytes.ts';
import { HeartmindError } from '../../src/core/errors.ts';
import type { Recording } from '../../src/core/recording.ts';
import { decodeNpy } from '../../src/read/numpy/array.ts';
import { openNpy, openNpz, openNpzRecording } from '../../src/read/numpy/npy.ts';
import { writeNpz } from '../../src/read/numpy/write.ts';
import { readChannels, wholeChannels } from '../../src/read/read-channels.ts';
import golden from '../golden/read/tables.json' with { type: 'json' };
import { exampleRecording, smallNpy, smallNpz } from './build-npy.ts';

const folder = new URL('../golden/read/tables/', import.meta.url);
const fixture = (name: string) => bytesSource(name, readFileSync(new URL(name, folder)));

async function written(files: AsyncIterable<{ bytes: AsyncIterable<Uint8Array> }>): Promise<Uint8Array> {
  const parts: number[][] = [];
  for await (const { bytes } of files) for await (const part of bytes) parts.push([...part]);
  return Uint8Array.from(parts.flat());
}

describe('npy', () => {
  for (const [name, expected] of Object.entries(golden.npy)) {
    it(`${name} is what NumPy saved`, async () => {
      const { shape, values } = await decodeNpy(fixture(name));
      const flat = [expected].flat(3);
      expect(shape.reduce((a, b) => a * b, 1)).toBe(flat.length);
      expect([...values]).toEqual(flat);
      if (shape.length !== 2 || typeof flat[0] === 'string') return;
      const recording = await openNpy(fixture(name), { rateHz: 100 });
      const rows = expected as number[][];
      expect(recording.channels).toHaveLength(rows.length < rows[0]!.length ? rows.length : rows[0]!.length);
      if (rows.length < rows[0]!.length) {
        expect((await readChannels(recording)).map((row) => [...row])).toEqual(rows);
        expect([...(await recording.read(2, 1, 3))]).toEqual(rows[2]!.slice(1, 3));
      }
    });
  }

  it('refuses pickles, other shapes and cut files by name', async () => {
    await expect(decodeNpy(fixture('objects.npy'))).rejects.toThrow(/pickled objects, which could run code/);
    await expect(openNpy(fixture('text.npy'), { rateHz: 1 })).rejects.toThrow(/of texts; a recording is/);
    await expect(openNpy(fixture('lef8-C.npy'))).rejects.toThrow(
      /states no sampling rate. Give it with --input-rate/,
    );
    const cut = bytesSource('cut.npy', readFileSync(new URL('lef8-F.npy', folder)).subarray(0, 128 + 50));
    await expect(openNpy(cut, { rateHz: 1 })).rejects.toThrow(/ends at byte 178; .* promises 1088/);
    const recording = await openNpy(cut, { rateHz: 1, tolerant: true });
    expect(recording.channels.map(({ lengthSamples }) => lengthSamples)).toEqual([2, 2, 2]);
    expect(recording.log.join()).toMatch(/truncated: 2 of 40/);
  });
});

describe('npz', () => {
  for (const name of ['stored.npz', 'deflated.npz'])
    it(`${name}: names, units and rate beside the samples`, async () => {
      const recording = await openNpzRecording(fixture(name));
      expect(recording.channels.map(({ name, unit, rateHz }) => `${name} ${unit} ${rateHz}`)).toEqual([
        'Fp1 uV 128',
        'Fp2 uV 128',
        'Cz uV 128',
      ]);
      expect((await readChannels(recording)).map((row) => [...row])).toEqual(golden.npz);
    });

  it('is written and read back as it was', async () => {
    const recording = exampleRecording();
    const bytes = await written(writeNpz(recording, 'a.npz'));
    expect(await written(writeNpz(recording, 'a.npz'))).toEqual(bytes);
    expect(Object.keys(unzipSync(bytes))).toContain('samples_1.npy'); // checks the sizes too
    const again = await openNpzRecording(bytesSource('a.npz', bytes));
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
    expect(await readChannels(again, wholeChannels(again))).toEqual(await readChannels(recording));
    expect([...(await again.read(1, 99, 103))]).toEqual([...(await recording.read(1, 99, 103))]);
  });

  it('lists what it has', async () => {
    const npz = await openNpz(bytesSource('a.npz', smallNpz()['small.npz']!));
    expect(npz.names).toEqual(['data', 'names', 'units', 'sfreq']);
    await expect(npz.array('x')).rejects.toThrow(/has no array 'x', only 'data'/);
  });

  it('only throws its own errors on damaged bytes', async () => {
    const files = [smallNpz()['small.npz']!, await written(writeNpz(exampleRecording(), 'a.npz'))];
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.npz')))
      files.push(readFileSync(new URL(name, folder)));
    const cases = files.map((bytes) => [bytes, openNpzRecording] as const);
    for (const [bytes, open] of [...cases, [smallNpy()['small.npy']!, openNpy] as const]) {
      for (let i = 0; i < 150; i++) {
        const broken = bytes.slice(0, i % 5 ? undefined : (i * 7919) % bytes.length);
        broken[(i * 104729 + 13) % bytes.length] = (i * 37) % 256;
        broken[bytes.length - 1 - ((i * 31) % 400)]! ^= 1 << (i % 8);
        try {
          const recording = await open(bytesSource('a', broken), { rateHz: 10, tolerant: i % 2 > 0 });
          for (const [c, { lengthSamples }] of recording.channels.entries())
            await recording.read(c, 0, lengthSamples);
        } catch (error) {
          if (!(error instanceof HeartmindError)) throw error;
        }
      }
    }
  });
});
