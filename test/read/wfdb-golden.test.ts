/**
 * Every WFDB file of the conformance set against wfdb-python: stored integers and physical values bit for bit (CRC-32),
 * names, units, rates, starts, annotations. Values: scripts/golden/wfdb_records.py.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import type { Recording } from '../../src/core/recording.ts';
import { fileSource } from '../../src/read/file-node.ts';
import { readWfdbAnnotations, type WfdbAnnotation } from '../../src/read/wfdb/annotations.ts';
import { openWfdb, type WfdbOptions } from '../../src/read/wfdb/wfdb.ts';
import { writeWfdb } from '../../src/read/wfdb/write.ts';
import { concat } from './build.ts';

interface GoldenChannel {
  readonly name: string;
  readonly unit: string;
  readonly rateHz: number;
  readonly gain: number;
  readonly baseline: number;
  readonly length: number;
  readonly missing: number;
  /** CRC-32 of the stored integers as int32, of the physical values as float64. */
  readonly digital: number;
  readonly physical: number;
  readonly slices: readonly (readonly number[])[];
}
interface GoldenRecord {
  readonly start: string | null;
  readonly comments: readonly string[];
  readonly channels: readonly GoldenChannel[];
}
type Row = [sample: number, symbol: string, note: string, subtype: number, channel: number, number: number];
interface GoldenAnnotations {
  readonly count: number;
  readonly crc: number;
  readonly first: readonly Row[];
  readonly last: readonly Row[];
  readonly fs: number | null;
}

const golden = JSON.parse(readFileSync(new URL('../golden/read/wfdb.json', import.meta.url), 'utf8')) as {
  records: Record<string, GoldenRecord>;
  annotations: Record<string, GoldenAnnotations>;
};
const shared = new URL('../../../shared/data/', import.meta.url).pathname;
const unpacked = process.env.HEARTMIND_DATA ?? join(homedir(), '.cache/heartmind/data');

/** A file whose siblings may be in any of these folders. */
async function among(path: string, folders: readonly string[]): Promise<ByteSource> {
  const source = await fileSource(path);
  return {
    ...source,
    async sibling(name) {
      const found = folders.map((folder) => join(folder, name)).find((one) => existsSync(one));
      return found === undefined ? undefined : await fileSource(found);
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array | Float64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

async function compare(recording: Recording, want: GoldenRecord): Promise<void> {
  expect(recording.channels.map(({ name }) => name)).toEqual(want.channels.map(({ name }) => name));
  for (const [i, channel] of want.channels.entries()) {
    const found = recording.channels[i]!;
    expect(found).toMatchObject({ unit: channel.unit, lengthSamples: channel.length });
    expect(found.rateHz).toBeCloseTo(channel.rateHz, 9);
    expect(found.resolution).toBe(Math.abs(1 / channel.gain));
    const x = await recording.read(i, 0, found.lengthSamples);
    const stored = Int32Array.from(x, (v) =>
      Number.isNaN(v) ? -(2 ** 31) : Math.round((v - found.offset!) / found.resolution!),
    );
    const middle = Math.floor(x.length / 2);
    expect([0, middle, Math.max(0, x.length - 4)].map((at) => [...stored.subarray(at, at + 4)])).toEqual(
      channel.slices,
    );
    expect(crc32(bytesOf(stored))).toBe(channel.digital);
    expect(x.reduce((sum, v) => sum + Number(Number.isNaN(v)), 0)).toBe(channel.missing);
    expect(crc32(bytesOf(x.map((v) => (Number.isNaN(v) ? 0 : v))))).toBe(channel.physical);
  }
  const start = recording.startTime?.toISOString().slice(0, 19);
  expect(start).toBe(want.start?.slice(0, 19));
  expect((recording.metadata.comments ?? '').split('\n').map((line) => line.trim())).toEqual(
    want.comments.length === 0 ? [''] : want.comments.map((line) => line.trim()),
  );
}

/** Records of several segments, and their folders. */
const multi: Readonly<Record<string, string>> = {
  '041s': 'multi-segment/041s',
  'p000878-2137-10-26-16-57': 'multi-segment/p000878',
};

function records(names: readonly string[], open: (name: string) => Promise<Recording>): void {
  it.each(names)('%s', async (name) => {
    const recording = await open(name);
    await compare(recording, golden.records[name]!);
    await recording.close();
  });
}

const all = Object.keys(golden.records);
const foreign = all.filter((name) => name.includes('/'));

describe.skipIf(!existsSync(shared))('conformance records (needs ../shared)', () => {
  const conformance = join(shared, 'conformance/wfdb');
  const folders = [conformance, join(shared, 'mitdb')];
  const single = all.filter((name) => !name.includes('/') && !(name in multi));
  records(single, async (name) => {
    const path = folders.map((folder) => join(folder, `${name}.hea`)).find((one) => existsSync(one))!;
    return openWfdb(await among(path, folders));
  });

  it.each(single.filter((name) => !name.startsWith('flac_3')))('%s, written and read again', async (name) => {
    const path = folders.map((folder) => join(folder, `${name}.hea`)).find((one) => existsSync(one))!;
    const before = await openWfdb(await among(path, folders));
    const files: Record<string, Uint8Array> = {};
    for await (const file of writeWfdb(before, 'r.hea')) {
      const parts: Uint8Array[] = [];
      for await (const part of file.bytes) parts.push(part);
      files[file.name] = concat(...parts);
    }
    const after = await openWfdb(bytesSource('r.hea', files['r.hea']!, files));
    for (const [i, { lengthSamples }] of before.channels.entries())
      expect(crc32(bytesOf(await after.read(i, 0, lengthSamples)))).toBe(
        crc32(bytesOf(await before.read(i, 0, lengthSamples))),
      );
    expect(after.annotations).toEqual(before.annotations);
    expect(after.metadata.comments).toBe(before.metadata.comments);
    await before.close();
  });

  it('041s', async () => {
    const folder = join(conformance, multi['041s']!);
    const recording = await openWfdb(await among(join(folder, '041s.hea'), [folder]));
    await compare(recording, golden.records['041s']!);
    expect(recording.spans).toEqual([{ start: 0, duration: 16 }]);
    await recording.close();
  });

  it('p000878: of 36 segments two are there', async () => {
    const name = 'p000878-2137-10-26-16-57';
    const folder = join(conformance, multi[name]!);
    const open = async (options: WfdbOptions) =>
      openWfdb(await among(join(folder, `${name}.hea`), [folder]), options);
    await expect(open({})).rejects.toThrow(/names the segment '3269321_0003', whose .hea is not beside it/);
    const recording = await open({ tolerant: true });
    const want = golden.records[name]!;
    // The record begins with a gap of 30 s.
    await compare(recording, { ...want, start: '2137-10-26T16:57:39' });
    expect(recording.spans).toEqual([{ start: 0, duration: 30 }]);
    expect(recording.log.join(' ')).toContain('30 of 32 segments');
    await recording.close();
  });
});

describe.skipIf(!existsSync(join(unpacked, 'ludb')))('unpacked data (needs ../shared)', () => {
  const open = async (name: string) => openWfdb(await fileSource(join(unpacked, `${name}.hea`)));
  records(
    foreign.filter((name) => !name.startsWith('cinc')),
    open,
  );
  // wfdb-python does not understand dates as the challenge writes them; these are by hand.
  it.each([
    ['cinc2021_12lead/A0689', '2020-05-12T12:33:59'],
    ['cinc2021_12lead/HR08883', '2020-06-04T15:11:55'],
  ])('%s', async (name, start) => {
    const recording = await open(name);
    await compare(recording, { ...golden.records[name]!, start });
    await recording.close();
  });
});

/** As wfdb-python gives them: definitions at time 0 left out, channel and number 0 where none is set. */
function rowsOf(found: readonly WfdbAnnotation[], rate: number): Row[] {
  return found.map(({ start, label, channel = 0, subtype = 0, number = 0 }) => {
    const space = label.indexOf(' ');
    const [symbol, note] = space < 0 ? [label, ''] : [label.slice(0, space), label.slice(space + 1)];
    return [Math.round(start * rate), symbol, note, subtype, channel, number];
  });
}

function annotations(names: readonly string[], pathOf: (name: string) => string): void {
  it.each(names)('%s', async (name) => {
    const want = golden.annotations[name]!;
    const source = await fileSource(pathOf(name));
    const rate = want.fs ?? 250;
    const found = rowsOf(await readWfdbAnnotations(source, rate), rate).filter(
      // wfdb-python leaves out every note at time 0; ours keeps those that define nothing (`gqrs -r 100`).
      ([sample, symbol]) => sample > 0 || symbol !== '"',
    );
    await source.close?.();
    expect(found).toHaveLength(want.count);
    expect(found.slice(0, want.first.length)).toEqual(want.first);
    expect(found.slice(-want.last.length)).toEqual(want.last);
    expect(crc32(found.map((row) => row.join('\t')).join('\n'))).toBe(want.crc);
  });
}

const annotated = Object.keys(golden.annotations);
describe.skipIf(!existsSync(shared))('conformance annotations (needs ../shared)', () => {
  annotations(
    annotated.filter((name) => !name.startsWith('unpacked/')),
    (name) => join(shared, name),
  );
});
describe.skipIf(!existsSync(join(unpacked, 'ludb')))('annotations of LUDB (needs ../shared)', () => {
  annotations(
    annotated.filter((name) => name.startsWith('unpacked/')),
    (name) => join(unpacked, dirname(name).slice('unpacked/'.length), basename(name)),
  );
});
