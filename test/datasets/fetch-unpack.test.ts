/** Archives: what comes out, and what must not. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeartmindError } from '../../src/core/errors.ts';
import type { DownloadFacts } from '../../src/datasets/facts.ts';
import { fetchDownload } from '../../src/datasets/fetch-node.ts';
import { unpackArchive } from '../../src/datasets/fetch-unpack-node.ts';
import { startServer } from './faulty-server.ts';

const text = (value: string) => new TextEncoder().encode(value);
const zeros = new Uint8Array(100_000);

interface TarMember {
  readonly name: string;
  readonly content?: Uint8Array;
  readonly type?: string;
  readonly link?: string;
  readonly prefix?: string;
  /** A size in the header that is not the content's. */
  readonly size?: number;
  readonly base256?: boolean;
}

/** A tar archive, POSIX ustar. */
function makeTar(members: readonly TarMember[]): Uint8Array {
  const blocks = members.flatMap(
    ({ name, content = text(''), type = '0', link = '', prefix = '', size, base256 }) => {
      const header = Buffer.alloc(512);
      header.write(name.slice(0, 100), 0);
      header.write('0000644\0', 100);
      const bytes = size ?? content.length;
      if (base256) {
        header[124] = 0x80;
        header.writeUInt32BE(bytes, 132);
      } else header.write(bytes.toString(8).padStart(11, '0'), 124);
      header.write(type, 156);
      header.write(link, 157);
      header.write('ustar\x0000', 257);
      header.write(prefix, 345);
      header.fill(' ', 148, 156);
      header.write(
        header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0'),
        148,
      );
      header[154] = 0;
      return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
    },
  );
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

interface ZipMember {
  readonly name: string;
  readonly content: Uint8Array;
  readonly mode?: number;
  readonly flags?: number;
  readonly declared?: number;
}

/** A zip64 archive: every size and place in the extra fields, as writers of large archives do. */
function makeZip64(members: readonly ZipMember[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode = 0o100644, flags = 0, declared = content.length } of members) {
    const packed = deflateRawSync(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 8);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(0x0300 + 45, 4);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(8, 10);
    central.writeUInt32LE(crc32(content), 16);
    central.fill(0xff, 20, 28);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(28, 30);
    central.writeUInt32LE((mode << 16) >>> 0, 38);
    central.fill(0xff, 42, 46);
    const extra = Buffer.alloc(28);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    [declared, packed.length, offset].forEach((value, i) => {
      extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
    });
    parts.push(local, Buffer.from(name), packed);
    directory.push(central, Buffer.from(name), extra);
    offset += 30 + name.length + packed.length;
  }
  const listing = Buffer.concat(directory);
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  [members.length, members.length, listing.length, offset].forEach((value, i) => {
    end64.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
  });
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + listing.length), 8);
  const end = Buffer.alloc(22, 0xff);
  end.writeUInt32LE(0x06054b50, 0);
  end.fill(0, 4, 8);
  end.fill(0, 20);
  return Buffer.concat([...parts, listing, end64, locator, end]);
}

let root: string;
let to: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'heartmind-unpack-'));
  to = join(root, 'to');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function unpack(kind: 'zip' | 'tar.gz', bytes: Uint8Array) {
  const path = join(root, `a.${kind}`);
  await writeFile(path, bytes);
  const log: string[] = [];
  const files = await unpackArchive(path, kind, to, { onLog: (line) => log.push(line) });
  return { files: Object.fromEntries(files.map(({ path: name, bytes: size }) => [name, size])), log };
}

/** What lies outside the folder and the archive itself; `.part`s anywhere. */
async function leftovers() {
  const all = await readdir(root, { recursive: true });
  return all.filter((path) => path.endsWith('.part') || !/^(to|a\.)/.test(path));
}

describe('tar.gz', () => {
  const long = `${'d/'.repeat(70)}long-name.dat`;
  it('files in folders, long names of GNU and pax, prefixes, sizes in base 256', async () => {
    const record = `path=pax/ü.dat\n`;
    const length = Buffer.byteLength(record) + 3;
    const { files } = await unpack(
      'tar.gz',
      gzipSync(
        makeTar([
          { name: './', type: '5' },
          { name: 'x/', type: '5' },
          { name: './x/a.dat', content: text('hello') },
          { name: '././@LongLink', type: 'L', content: text(`${long}\0`) },
          { name: 'd', content: text('far') },
          { name: 'p', type: 'x', content: text(`${length} ${record}`) },
          { name: 'short', content: zeros },
          { name: 'b.dat', prefix: 'pre/fix', content: text('!'), base256: true },
        ]),
      ),
    );
    expect(files).toEqual({ 'x/a.dat': 5, [long]: 3, 'pax/ü.dat': 100_000, 'pre/fix/b.dat': 1 });
    expect(await readFile(join(to, 'x/a.dat'), 'utf8')).toBe('hello');
    expect(await readFile(join(to, long), 'utf8')).toBe('far');
  });

  it('links and devices are left out, and said', async () => {
    const { files, log } = await unpack(
      'tar.gz',
      gzipSync(
        makeTar([
          { name: 'link', type: '2', link: '/etc/passwd' },
          { name: 'hard', type: '1', link: '../../x', size: 5 },
          { name: 'tty', type: '3' },
          { name: 'a', content: text('a') },
        ]),
      ),
    );
    expect(files).toEqual({ a: 1 });
    expect(log.join()).toContain('3 links or devices were left out: link, hard, tty.');
  });

  const good = gzipSync(makeTar([{ name: 'a', content: zeros.map((_, i) => (i * i) % 251) }]));
  const tar = makeTar([{ name: 'a', content: text('a') }]);
  const broken = Buffer.from(tar);
  broken[3] = 65;
  it.each<[string, Uint8Array, string]>([
    [
      'a path out of the folder',
      gzipSync(makeTar([{ name: '../evil' }])),
      "path '../evil' leads out of the folder",
    ],
    ['an absolute path', gzipSync(makeTar([{ name: '/evil' }])), "path '/evil' is absolute"],
    [
      'settings of git',
      gzipSync(makeTar([{ name: '.git/hooks/pre-commit' }])),
      'has a part that begins with a dot',
    ],
    [
      'a folder of git',
      gzipSync(makeTar([{ name: 'x/.git/', type: '5' }])),
      'has a part that begins with a dot',
    ],
    ['a link of npm', gzipSync(makeTar([{ name: '.npmrc', type: '2', link: '/x' }])), 'begins with a dot'],
    ['a state of ours', gzipSync(makeTar([{ name: 'a.dat.part' }])), 'is the name of an unfinished download'],
    ['a file where a folder is', gzipSync(makeTar([{ name: 'a/b' }, { name: 'A' }])), 'have the same name'],
    [
      'the same name twice',
      gzipSync(makeTar([{ name: 'A' }, { name: 'a' }])),
      "'a' and 'A' have the same name",
    ],
    ['a cut-off archive', good.subarray(0, good.length / 2), 'it does not inflate (unexpected end of file)'],
    ['no gzip', text('hello, world'), 'it does not inflate (incorrect header check)'],
    ['a damaged header', gzipSync(broken), "a header's checksum is"],
    ['an archive without an end', gzipSync(tar.subarray(0, 700)), 'it ends early'],
    ['a size that lies', gzipSync(makeTar([{ name: 'a', size: 2 ** 32 }])), 'more than the archive may hold'],
    [
      'a bomb',
      gzipSync(makeTar([{ name: 'a', content: new Uint8Array(40e6) }])),
      'more than the archive may hold',
    ],
  ])('%s is refused', async (_, bytes, message) => {
    await expect(unpack('tar.gz', bytes)).rejects.toThrow(message);
    expect(await leftovers()).toEqual([]);
  });
});

describe('zip', () => {
  it('stored and deflated files in folders', async () => {
    const { files } = await unpack(
      'zip',
      zipSync({
        'x/a.dat': zeros,
        'b.txt': [text('stored'), { level: 0 }],
        'x/empty': text(''),
        'ü/': text(''),
      }),
    );
    expect(files).toEqual({ 'x/a.dat': 100_000, 'b.txt': 6, 'x/empty': 0 });
    expect(await readFile(join(to, 'b.txt'), 'utf8')).toBe('stored');
  });

  it('zip64, and links left out', async () => {
    const { files, log } = await unpack(
      'zip',
      makeZip64([
        { name: 'x/a', content: zeros },
        { name: 'link', content: text('/etc/passwd'), mode: 0o120777 },
      ]),
    );
    expect(files).toEqual({ 'x/a': 100_000 });
    expect(log.join()).toContain('1 links or devices were left out: link.');
  });

  const good = Buffer.from(zipSync({ a: text('hello hello hello hello') }));
  const wrong = Buffer.from(zipSync({ a: [text('hello'), { level: 0 }] }));
  wrong[32]! ^= 1;
  it.each<[string, Uint8Array, string]>([
    ['a path out of the folder', zipSync({ 'x/../../evil': text('x') }), 'leads out of the folder'],
    ['an absolute path', zipSync({ '/evil': text('x') }), 'is absolute'],
    ['a drive', zipSync({ 'C:\\evil': text('x') }), 'has a backslash'],
    ['a cut-off archive', good.subarray(0, good.length - 30), 'no end record'],
    ['no zip', text('hello'), 'no end record'],
    ['wrong bytes', wrong, "'a' has a wrong checksum"],
    ['an encrypted file', makeZip64([{ name: 'a', content: text('a'), flags: 1 }]), "'a' is encrypted"],
    [
      'a size too small',
      makeZip64([{ name: 'a', content: zeros, declared: 99 }]),
      "'a' grows beyond its 99 bytes",
    ],
    [
      'a size too large',
      makeZip64([{ name: 'a', content: zeros, declared: 1e6 }]),
      'has 100000 bytes, not 1000000',
    ],
    [
      'a bomb',
      makeZip64([{ name: 'a', content: text('a'), declared: 1e9 }]),
      '1000000000 bytes inside, more than',
    ],
  ])('%s is refused', async (_, bytes, message) => {
    await expect(unpack('zip', bytes)).rejects.toThrow(message);
    expect(existsSync(join(to, 'a'))).toBe(false);
    expect(await leftovers()).toEqual([]);
  });

  it('does not write through a link that lies in the folder', async () => {
    await mkdir(join(root, 'a.outside'));
    await mkdir(to);
    await symlink(join(root, 'a.outside'), join(to, 'x'));
    await expect(unpack('zip', zipSync({ 'x/evil': text('x') }))).rejects.toThrow('which is no folder');
    expect(await readdir(join(root, 'a.outside'))).toEqual([]);
  });

  it('however damaged, ends in an error of ours or in files within the folder', async () => {
    const archives = [
      [
        'zip',
        Buffer.from(
          makeZip64([
            { name: 'x/a', content: zeros },
            { name: 'b', content: text('b') },
          ]),
        ),
      ],
      [
        'tar.gz',
        gzipSync(
          makeTar([
            { name: 'x/a', content: zeros },
            { name: 'b', content: text('b') },
          ]),
          { level: 0 },
        ),
      ],
    ] as const;
    for (const [kind, archive] of archives)
      for (let i = 0; i < 120; i++) {
        const damaged = Buffer.from(archive.subarray(0, 600 + ((i * 997) % archive.length)));
        for (let k = 0; k < 3; k++) damaged[(i * 7919 + k * 131) % damaged.length]! ^= 1 << ((i + k) % 8);
        await unpack(kind, damaged).catch((error: unknown) => expect(error).toBeInstanceOf(HeartmindError));
        await rm(to, { recursive: true, force: true });
      }
    expect(await leftovers()).toEqual([]);
  });
});

describe('what a member is', () => {
  it('its mode is not taken: nothing becomes a program, or its owner', async () => {
    const member = { name: 'run.sh', content: text('#!/bin/sh'), mode: 0o104777 };
    await unpack('zip', makeZip64([member]));
    expect((await stat(join(to, 'run.sh'))).mode & 0o7111).toBe(0);
    await expect(unpack('zip', makeZip64([{ ...member, name: '.git/hooks/x' }]))).rejects.toThrow(
      'begins with a dot',
    );
  });
  it('what systems leave behind is left out, and said', async () => {
    const { files, log } = await unpack(
      'zip',
      zipSync({ 'a.dat': zeros, '__MACOSX/._a.dat': zeros, '.DS_Store': zeros }),
    );
    expect(files).toEqual({ 'a.dat': 100_000 });
    expect(log.join()).toContain('2 hidden files of operating systems and tools were left out');
    expect(existsSync(join(to, '.DS_Store'))).toBe(false);
  });
});

describe('a dataset in an archive', () => {
  it.each([true, false])('is unpacked and known the next time; archive kept: %s', async (keepArchives) => {
    const server = await startServer(
      new Map([['set.zip', zipSync({ 'x/a.dat': zeros, README: text('read me') })]]),
    );
    try {
      const facts: DownloadFacts = {
        baseUrl: server.url,
        files: [{ url: 'set.zip', path: 'set.zip', unpack: 'zip' }],
      };
      expect(await fetchDownload('set', facts, to, { keepArchives })).toMatchObject({
        files: 1,
        unpacked: 2,
      });
      expect(existsSync(join(to, 'set.zip'))).toBe(keepArchives);
      expect(await fetchDownload('set', facts, to, { keepArchives })).toMatchObject({
        present: 1,
        unpacked: 0,
      });
      expect(server.requests.filter(({ method }) => method === 'GET').length).toBe(1);
      await rm(join(to, 'README'));
      expect(await fetchDownload('set', facts, to, { keepArchives })).toMatchObject({ unpacked: 2 });
      expect(await readFile(join(to, 'README'), 'utf8')).toBe('read me');
    } finally {
      await server.close();
    }
  });

  it('that is damaged is fetched anew the next time', async () => {
    const server = await startServer(new Map([['set.zip', text('no zip')]]));
    const facts: DownloadFacts = {
      baseUrl: server.url,
      files: [{ url: 'set.zip', path: 'set.zip', unpack: 'zip' }],
    };
    try {
      for (const gets of [1, 2]) {
        await expect(fetchDownload('set', facts, to)).rejects.toThrow('no end record');
        expect(server.requests.filter(({ method }) => method === 'GET').length).toBe(gets);
      }
    } finally {
      await server.close();
    }
  });
});
