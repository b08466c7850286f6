/** gzip files of every shape: members, padding, damage, bombs; read in pieces, and by the platform and by fflate alike. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import { crc32 } from '../../src/core/crc32.ts';
import { FormatError } from '../../src/core/errors.ts';
import { GrowingBytes } from '../../src/core/growing-bytes.ts';
import { gunzipSource } from '../../src/core/gunzip.ts';
import { inflateMembers } from '../../src/core/gunzip-members.ts';
import { readWholeFile } from '../../src/core/read-file-node.ts';
import { fileSource } from '../../src/read/file-node.ts';
import { inflater } from '../../src/read/inflate-node.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
const noise = new Uint8Array(randomBytes(300_000));
const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** A source as on disk: Node's inflater, and the longest read is noted. */
function asFile(content: Uint8Array): { source: ByteSource; longest: () => number } {
  const inner = bytesSource('a.edf.gz', content);
  let longest = 0;
  const read: ByteSource['read'] = (start, end) => {
    longest = Math.max(longest, end - start);
    return inner.read(start, end);
  };
  return { source: { ...inner, read, inflater }, longest: () => longest };
}

async function inflate(content: Uint8Array, how: 'platform' | 'file') {
  const notes: string[] = [];
  const source = how === 'file' ? asFile(content).source : bytesSource('a.edf.gz', content);
  const plain = await gunzipSource(source, { onNote: (note) => notes.push(note) });
  return { name: plain.name, bytes: await plain.read(0, plain.byteLength), notes };
}

describe.each(['platform', 'file'] as const)('by the inflater of the %s', (how) => {
  it('one member, many members, empty ones', async () => {
    for (const [parts, content] of [
      [[bytes], bytes],
      [[bytes, noise, bytes], joined(bytes, noise, bytes)],
      [[bytes, new Uint8Array(0), bytes], joined(bytes, bytes)],
      [[new Uint8Array(0)], new Uint8Array(0)],
    ] as const) {
      const found = await inflate(joined(...parts.map((part) => gzipSync(part))), how);
      expect(found.name).toBe('a.edf');
      expect(Buffer.compare(found.bytes, content)).toBe(0);
      expect(found.notes).toEqual([]);
    }
  });

  it('zeros behind the last member are padding, other bytes are noted', async () => {
    const whole = joined(gzipSync(noise), gzipSync(bytes));
    for (const [behind, note] of [
      [new Uint8Array(512), undefined],
      [new TextEncoder().encode('hello garbage'), '13 bytes behind the gzip data are no gzip data'],
      [Uint8Array.of(7), '1 bytes behind the gzip data'],
      [new Uint8Array(randomBytes(40_000)), '40000 bytes behind the gzip data'],
    ] as const) {
      const found = await inflate(joined(whole, behind), how);
      expect(Buffer.compare(found.bytes, joined(noise, bytes))).toBe(0);
      if (note === undefined) expect(found.notes).toEqual([]);
      else expect(found.notes.join()).toContain(note);
    }
  });

  it('refuses what is cut off, damaged, no gzip, or a bomb', async () => {
    const whole = gzipSync(noise);
    const flipped = whole.slice();
    flipped[whole.length - 6]! ^= 1;
    for (const content of [
      whole.subarray(0, 150_000),
      whole.subarray(0, whole.length - 3),
      flipped,
      joined(gzipSync(bytes), whole.subarray(0, 1000)),
    ])
      await expect(inflate(content, how)).rejects.toThrow(/^a\.edf\.gz: gzip data ends in an error after/);
    await expect(inflate(bytes, how)).rejects.toThrow('this is no gzip file');
    const bomb = asFile(gzipSync(new Uint8Array(50_000_000))).source;
    await expect(gunzipSource(bomb, { maxBytes: 1_000_000 })).rejects.toThrow(
      /at most 1000000 bytes of inflated data are held in memory; this file has more \(stopped after \d+ bytes\)\. Unpack it first \(gunzip --keep\)/,
    );
    await expect(gunzipSource(bomb, { maxBytes: 1000 })).rejects.toThrow(
      /the compressed file alone has 48\d+\./,
    );
  });
});

describe('reading', () => {
  it('never asks for more than a mebibyte at once', async () => {
    const content = new Uint8Array(randomBytes(5_000_000));
    const { source, longest } = asFile(gzipSync(content));
    const plain = await gunzipSource(source);
    expect(Buffer.compare(await plain.read(0, plain.byteLength), content)).toBe(0);
    expect(longest()).toBeLessThanOrEqual(2 ** 20);
  });

  it('a file that cannot be read is told by its own error', async () => {
    const broken = { ...bytesSource('a.gz', gzipSync(noise)) };
    const { read } = broken;
    broken.read = async (start, end) => {
      if (start === 0 && end < 100) return read(start, end);
      throw new FormatError('a.gz: the cable is out.', 'a.gz');
    };
    await expect(gunzipSource(broken, { onCut: () => undefined })).rejects.toThrow('the cable is out');
  });
});

it('thousands of members in one piece do not exhaust the stack', async () => {
  const member = gzipSync(new Uint8Array(0));
  const many = joined(
    ...Array.from({ length: 20_000 }, () => member),
    gzipSync(bytes),
    Uint8Array.of(1, 2, 3),
  );
  const found = await inflateMembers(bytesSource('a', many), () => undefined);
  expect(found).toMatchObject({ trailing: 3 });
  expect(found.error).toBeUndefined();
  expect(found.bytes.length).toBe(1000);
});

it('collected bytes are the pushed ones, across blocks', () => {
  const growing = new GrowingBytes('a');
  const all = new Uint8Array(randomBytes(700_000));
  for (let at = 0; at < all.length; at += 33_333) growing.push(all.subarray(at, at + 33_333));
  expect(growing.length).toBe(all.length);
  for (const [start, end] of [
    [0, 700_000],
    [65_530, 65_545],
    [131_071, 131_072],
    [699_999, 700_000],
    [5, 5],
  ] as const)
    expect(Buffer.compare(growing.slice(start, end), all.subarray(start, end))).toBe(0);
});

const isLargeTest = Boolean(process.env.HEARTMIND_LARGE_FILES);
const large =
  'a file of more than 2 GiB (on demand: HEARTMIND_LARGE_FILES=1; 2.4 GB of disk, 3 GB of memory)';
it.skipIf(!isLargeTest)(
  large,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heartmind-large-'));
    try {
      const path = join(folder, 'a.edf.gz');
      const part = new Uint8Array(randomBytes(2 ** 26));
      const member = gzipSync(part, { level: 1 });
      const file = await open(path, 'w');
      for (let i = 0; i < 35; i++) await file.writeFile(member);
      await file.close();
      const source = await fileSource(path);
      expect(source.byteLength).toBeGreaterThan(2 ** 31);
      await expect(gunzipSource(source)).rejects.toThrow(/at most 2147483648 bytes of inflated data/);
      const plain = await gunzipSource(source, { maxBytes: 2 ** 32 });
      expect(plain.byteLength).toBe(35 * part.length);
      for (const i of [0, 17, 34])
        expect(Buffer.compare(await plain.read(i * part.length, (i + 1) * part.length), part)).toBe(0);
      await source.close!();
      // One read of a whole file of that size.
      const whole = await readWholeFile(path);
      expect(crc32(whole.subarray(-member.length))).toBe(crc32(member));
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  600_000,
);
