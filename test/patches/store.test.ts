import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import * as zarr from 'zarrita';
import { ConfigError, DataError, FormatError, StorageError } from '../../src/core/errors.ts';
import { type Column, decodeColumn, encodeColumn } from '../../src/patches/store-arrays.ts';
import { crc32c } from '../../src/patches/store-crc32c.ts';
import { folderFiles, folderPlace } from '../../src/patches/store-node.ts';
import { StoreReader } from '../../src/patches/store-reader.ts';
import { decodeSamples, encodeSamples } from '../../src/patches/store-samples.ts';
import { urlFiles } from '../../src/patches/store-url.ts';
import { openStoreWindows, StoreWindows } from '../../src/patches/store-windows.ts';
import { StoreWriter } from '../../src/patches/store-writer.ts';
import { allPieces, planOf, sizes } from './store-fixture.ts';
import { type MemoryPlace, memoryPlace } from './store-place.ts';

async function writeStore(place = memoryPlace(), plan = planOf(), pieces = allPieces()) {
  const writer = await StoreWriter.open(place, plan);
  for (const piece of pieces) await writer.add(piece);
  return { place, info: await writer.finish() };
}

/** All windows in order, as they should be stored. */
function expected(modality: 'eeg' | 'ecg') {
  return allPieces().flatMap(({ signals, start, trial }) =>
    Array.from(start, (seconds, i) => {
      const { bits } = signals[modality]!;
      return { trial, seconds, bits: bits.slice(i * sizes[modality], (i + 1) * sizes[modality]) };
    }),
  );
}
const modelValues = (bits: Uint16Array) => decodeSamples(bits, 'int16');

describe('CRC-32C', () => {
  it('is that of RFC 3720 B.4, wherever the bytes lie', () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
    const cases: [Uint8Array, number][] = [
      [new TextEncoder().encode('123456789'), 0xe3069283],
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(255), 0x62a8ab43],
      [ascending, 0x46dd794e],
      [ascending.slice().reverse(), 0x113fdb5c],
    ];
    for (const [bytes, due] of cases) {
      expect(crc32c(bytes)).toBe(due);
      const shifted = new Uint8Array(bytes.length + 3);
      shifted.set(bytes, 3);
      expect(crc32c(shifted.subarray(3))).toBe(due);
    }
  });
});

describe('samples', () => {
  it('int16 is the nearest thousandth of a unit', () => {
    const { bits, peak } = encodeSamples(Float32Array.of(0.0004, -1.2346, 32.767), 'int16')!;
    expect([...new Int16Array(bits.buffer)]).toEqual([0, -1235, 32767]);
    expect(peak).toBeCloseTo(32.767, 5);
    expect(encodeSamples(Float32Array.of(32.768), 'int16')).toBeUndefined();
    expect(encodeSamples(Float32Array.of(Number.NaN), 'int16')).toBeUndefined();
  });

  it('float16 is the nearest half, ties to even, subnormals included', () => {
    // Bits by IEEE 754: 1, −2, the largest, the smallest subnormal, half of it (ties to 0), 1 + 2⁻¹¹ (ties to 1).
    const values = Float32Array.of(
      1,
      -2,
      65504,
      2 ** -24,
      2 ** -25,
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      2 ** -14,
      0.1,
    );
    const { bits } = encodeSamples(values, 'float16')!;
    expect([...bits]).toEqual([0x3c00, 0xc000, 0x7bff, 1, 0, 0x3c00, 0x3c02, 0x0400, 0x2e66]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7bff }), (half) => {
        const [value] = decodeSamples(Uint16Array.of(half), 'float16');
        expect(encodeSamples(Float32Array.of(value!), 'float16')!.bits[0]).toBe(half);
      }),
    );
  });
});

describe('columns', () => {
  it.each<[string, Column]>([
    ['int32', Int32Array.of(1, -2, 3)],
    ['uint16', Uint16Array.of(1, 65535)],
    ['float64', Float64Array.of(0.1, Number.NaN)],
    ['texts', ['', 'Ångström', '心電図']],
    ['nothing', new Float64Array(0)],
  ])('%s come back', async (_, column) => {
    const { metadata, files } = encodeColumn('some_name', column);
    const found = await decodeColumn(
      'some_name',
      JSON.parse(JSON.stringify(metadata)),
      async (path) => files.get(path)!,
    );
    expect(found).toEqual(column);
  });

  it('are told apart where they are damaged', async () => {
    const { metadata, files } = encodeColumn('x', Int32Array.of(1, 2, 3));
    const cut = async (path: string) => files.get(path)!.slice(0, -5);
    await expect(decodeColumn('x', metadata, cut)).rejects.toThrow(FormatError);
    await expect(decodeColumn('x', { ...metadata, data_type: 'int64' }, cut)).rejects.toThrow(
      /x\/zarr\.json\.data_type/,
    );
  });
});

describe('a store', () => {
  let place: MemoryPlace;
  beforeAll(async () => {
    ({ place } = await writeStore());
  });

  it('gives back every window, in any order, in model units', async () => {
    const windows = await openStoreWindows(place);
    const due = { eeg: expected('eeg'), ecg: expected('ecg') };
    expect(windows.count).toBe(due.eeg.length);
    const indices = [windows.count - 1, 0, 17, 8, 7, 17];
    const batch = await windows.read(indices, ['eeg', 'ecg']);
    for (const modality of ['eeg', 'ecg'] as const) {
      const rows = indices.map((i) => modelValues(due[modality][i]!.bits));
      expect(batch[modality]).toEqual(Float32Array.from(rows.flatMap((row) => [...row])));
    }
  });

  it('knows whose the windows are, their times, labels and beats, and what was left out', async () => {
    const windows = await openStoreWindows(place, { target: 'mood' });
    const due = expected('eeg').filter(({ trial }) => trial % 5 !== 4);
    expect(windows.trial).toEqual(due.map(({ trial }) => `trial ${trial}`));
    expect(windows.subject).toEqual(due.map(({ trial }) => `person ${trial % 7}`));
    expect([...windows.start]).toEqual(due.map(({ seconds }) => seconds));
    expect([...windows.label!]).toEqual(due.map(({ trial }) => trial % 2));
    expect(windows.classes).toEqual(['calm', 'tense']);
    expect(windows.dropped).toEqual([
      {
        what: 'window',
        reason: 'flat Cz',
        count: 8,
        examples: [1, 7, 13, 19].map((i) => `trial ${i} at 2 s`),
      },
      { what: 'recording', reason: "no 'mood'", count: 4, examples: [4, 9, 14, 19].map((i) => `trial ${i}`) },
    ]);
    expect([...(await windows.beats()).get('trial 4')!]).toEqual([0.1, 0.2, 2.1, 2.2]);
    const quality = await windows.reader.numbers('trial_quality');
    expect(Array.from(quality, (flags, i) => (flags & 16 ? i : -1)).filter((i) => i >= 0)).toEqual([
      1, 7, 13, 19,
    ]);
    const set = await windows.load();
    expect(set.signals.ecg!.data.length).toBe(due.length * sizes.ecg);
    expect(set.hash).not.toBe((await openStoreWindows(place)).hash);
    await expect(openStoreWindows(place, { target: 'age' })).rejects.toThrow(
      /no target 'age' with classes. It has: mood/,
    );
  });

  it('reads neighbours together and nothing else', async () => {
    const windows = await openStoreWindows(place);
    place.reads.length = 0;
    await windows.read([8, 9, 10, 11], ['eeg']);
    const stride = 2 * sizes.eeg + 4;
    // The index of the shard, then its first four windows.
    expect(place.reads.map(({ path, start, end }) => [path, start, end])).toEqual([
      ['eeg/c.1.0.0', 8 * stride, 8 * stride + 8 * 16 + 4],
      ['eeg/c.1.0.0', 0, 4 * stride],
    ]);
  });

  it('has a hash of its content', async () => {
    const again = await writeStore();
    expect(again.info.hash).toBe((await StoreReader.open(place)).info.hash);
    const other = allPieces();
    other[7]!.signals.eeg!.bits[100]! ^= 1;
    expect((await writeStore(memoryPlace(), planOf(), other)).info.hash).not.toBe(again.info.hash);
  });

  it('float16 is stored as well', async () => {
    const pieces = allPieces().map((piece) => ({
      ...piece,
      signals: {
        eeg: { ...piece.signals.eeg!, bits: piece.signals.eeg!.bits.map((x) => x & 0x3fff) },
        ecg: { ...piece.signals.ecg!, bits: piece.signals.ecg!.bits.map((x) => x & 0x3fff) },
      },
    }));
    const { place: halves } = await writeStore(memoryPlace(), planOf(20, 'float16'), pieces);
    const windows = await openStoreWindows(halves);
    const { ecg } = await windows.read([0], ['ecg']);
    expect(ecg).toEqual(decodeSamples(pieces[1]!.signals.ecg.bits, 'float16'));
  });
});

describe('writing', () => {
  it('goes on after a failure at any write, to the same bytes', async () => {
    const whole = (await writeStore()).place.contents;
    for (let writes = 0; ; writes++) {
      const place = memoryPlace();
      place.writesLeft = writes;
      const failed = await writeStore(place).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!failed) break;
      expect(failed).toBeInstanceOf(StorageError);
      // Until the last write there is no store.
      if (writes > 0) await expect(StoreReader.open(place)).rejects.toThrow(DataError);
      else await expect(StoreReader.open(place)).rejects.toThrow(FormatError);
      place.writesLeft = Number.POSITIVE_INFINITY;
      const writer = await StoreWriter.open(place, planOf());
      const { trial, piece } = writer.next;
      for (const one of allPieces())
        if (one.trial > trial || (one.trial === trial && one.piece >= piece)) await writer.add(one);
      await writer.finish();
      expect([...place.contents.keys()].sort()).toEqual([...whole.keys()].sort());
      for (const [path, bytes] of whole)
        expect(Buffer.compare(place.contents.get(path)!, bytes), path).toBe(0);
    }
  });

  it('refuses another plan, finished or not, unless it may replace it', async () => {
    const { place } = await writeStore();
    const other = { ...planOf(), type: 'float16' as const };
    await expect(StoreWriter.open(place, other)).rejects.toThrow(
      'memory: it was begun with other settings: type is "int16" there and "float16" now. Use --force to replace it, or another --out.',
    );
    const half = memoryPlace();
    await StoreWriter.open(half, planOf());
    await expect(StoreWriter.open(half, planOf(19))).rejects.toThrow(ConfigError);
    const { finished } = await StoreWriter.open(place, other, { force: true });
    expect(finished).toBeUndefined();
    expect([...place.contents.keys()]).toEqual(['.unfinished/plan.json']);
  });

  it('a finished store is done at once', async () => {
    const { place, info } = await writeStore();
    place.writesLeft = 0;
    expect((await StoreWriter.open(place, planOf())).finished).toEqual(info);
  });

  it('says why no window is left', async () => {
    const none = allPieces().filter(({ start }) => start.length === 0);
    await expect(writeStore(memoryPlace(), planOf(), none)).rejects.toThrow(/none is left/);
  });
});

describe('damage', () => {
  it.each<[string, (place: MemoryPlace) => void, RegExp]>([
    [
      'a truncated shard',
      ({ contents }) => contents.set('eeg/c.1.0.0', contents.get('eeg/c.1.0.0')!.slice(0, 5000)),
      /eeg\/c\.1\.0\.0: 5000 bytes, \d+ are due\. The copy is truncated/,
    ],
    [
      'a missing shard',
      ({ contents }) => contents.delete('eeg/c.1.0.0'),
      /eeg\/c\.1\.0\.0: there is no such file/,
    ],
    [
      'a changed sample',
      ({ contents }) => {
        contents.get('eeg/c.1.0.0')![20]! ^= 1;
      },
      /eeg\/c\.1\.0\.0: the window at byte 0 has the checksum \w{8}, \w{8} is due/,
    ],
    [
      'a changed index',
      ({ contents }) => {
        const bytes = contents.get('eeg/c.1.0.0')!;
        bytes[bytes.length - 20]! ^= 1;
      },
      /eeg\/c\.1\.0\.0: the index of its 8 windows has the checksum/,
    ],
  ])('%s is a FormatError that names the file', async (_, damage, message) => {
    const { place } = await writeStore();
    damage(place);
    const windows = await openStoreWindows(place);
    await windows.read([0], ['eeg']);
    await expect(windows.read([8], ['eeg'])).rejects.toThrow(FormatError);
    await expect(windows.read([8], ['eeg'])).rejects.toThrow(message);
  });

  it('of the root, or no store at all, is said', async () => {
    const { place } = await writeStore();
    place.contents.set('zarr.json', new TextEncoder().encode('{"zarr_format":3'));
    await expect(StoreReader.open(place)).rejects.toThrow(/zarr\.json: no valid JSON/);
    place.contents.set('zarr.json', new TextEncoder().encode('{"zarr_format":3,"attributes":{}}'));
    await expect(StoreReader.open(place)).rejects.toThrow(/no store of heartmind/);
    await expect(StoreReader.open(memoryPlace())).rejects.toThrow(/there is no store \(no zarr\.json\)/);
  });
});

describe('other readers', () => {
  let folder: string;
  const due = { eeg: expected('eeg'), ecg: expected('ecg') };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartmind-store-'));
    const writer = await StoreWriter.open(folderPlace(folder), planOf());
    for (const piece of allPieces()) await writer.add(piece);
    await writer.finish();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('zarrita, from disk', async () => {
    const read = (key: string) => readFile(join(folder, key)).catch(() => undefined);
    const store: zarr.AsyncReadable = {
      get: read,
      async getRange(key, range) {
        const bytes = await read(key);
        if ('suffixLength' in range) return bytes?.subarray(bytes.length - range.suffixLength);
        return bytes?.subarray(range.offset, range.offset + range.length);
      },
    };
    const group = await zarr.open.v3(store, { kind: 'group' });
    for (const modality of ['eeg', 'ecg'] as const) {
      const array = await zarr.open.v3(group.resolve(modality), { kind: 'array' });
      expect(array.attrs.scale_factor).toBe({ eeg: 0.1, ecg: 1 }[modality]);
      for (const window of [0, 8, due.eeg.length - 1]) {
        const { data } = await zarr.get(array, [window, null, null]);
        expect(data).toEqual(new Int16Array(due[modality][window]!.bits.buffer));
      }
    }
    const names = await zarr.open.v3(group.resolve('trial_name'), { kind: 'array' });
    expect(Array.from((await zarr.get(names)).data as Iterable<string>)[19]).toBe('trial 19');
  });

  const python = [process.env.HEARTMIND_PYTHON, 'python3'].find((one) => {
    if (!one) return false;
    try {
      execFileSync(one, ['-c', 'import zarr; assert int(zarr.__version__.split(".")[0]) >= 3'], {
        stdio: 'ignore',
      });
      return true;
    } catch {
      return false;
    }
  });
  test.skipIf(!python)("Python's zarr (skipped where no Python has zarr 3)", () => {
    const script = join(import.meta.dirname, '../../scripts/check-zarr.py');
    const found = JSON.parse(execFileSync(python!, [script, folder, '0', '20'], { encoding: 'utf8' }));
    for (const [modality, scale] of [
      ['eeg', 0.1],
      ['ecg', 1],
    ] as const) {
      const { windows, sum, shape, dtype, chunks, shards } = found.signals[modality];
      const channels = modality === 'eeg' ? 2 : 1;
      expect({ shape, dtype, chunks, shards }).toEqual({
        shape: [due.eeg.length, channels, 400],
        dtype: 'int16',
        chunks: [1, channels, 400],
        shards: [8, channels, 400],
      });
      const steps = due[modality].map(({ bits }) => new Int16Array(bits.buffer));
      const total = (values: Int16Array) => values.reduce((all, x) => all + x, 0);
      expect(sum).toBe(steps.reduce((all, values) => all + total(values), 0));
      for (const window of [0, 20]) {
        expect(windows[window][0]).toBeCloseTo(scale * total(steps[window]!), 6);
        expect(windows[window][2]).toBeCloseTo(scale * steps[window]!.at(-1)!, 9);
      }
    }
    expect(found.start).toEqual(due.eeg.map(({ seconds }) => seconds));
    expect(found.subject).toEqual(due.eeg.map(({ trial }) => `person ${trial % 7}`));
    expect(found.targets.mood.slice(0, 5)).toEqual([0, 1, 0, 1, -1]);
    expect(found.targets.age[3]).toBe(23);
    expect(found.targets.note[3]).toBe('№ 3');
  });

  test('ours, over HTTP by ranges', async () => {
    const files = folderFiles(folder);
    const asked: string[] = [];
    const server = createServer(async (request, response) => {
      const path = request.url!.replace(/^\/data\/store\//, '');
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      asked.push(`${path} ${request.headers.range}`);
      try {
        const source = await files.open(path);
        const bytes = await source.read(0, source.byteLength);
        await source.close?.();
        const end = Math.min(Number(to) + 1, bytes.length);
        response.writeHead(206, { 'Content-Range': `bytes ${from}-${end - 1}/${bytes.length}` });
        response.end(bytes.subarray(Number(from), end));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data/store`;
      const reader = await StoreReader.open(urlFiles(base));
      const windows = await StoreWindows.load(reader);
      const { eeg } = await windows.read([12, 13], ['eeg']);
      expect(eeg!.subarray(0, sizes.eeg)).toEqual(modelValues(due.eeg[12]!.bits));
      expect(eeg!.subarray(sizes.eeg)).toEqual(modelValues(due.eeg[13]!.bits));
      // Of the samples, one shard alone was touched.
      expect(
        asked.filter((one) => one.startsWith('e')).every((one) => one.startsWith('eeg/c.1.0.0 bytes=')),
      ).toBe(true);
      await expect(StoreReader.open(urlFiles(`${base}/nowhere`))).rejects.toThrow(/there is no store/);
      const unreachable = StoreReader.open(urlFiles('http://127.0.0.1:1/store'));
      await expect(unreachable).rejects.toThrow(/zarr\.json: cannot be fetched/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
