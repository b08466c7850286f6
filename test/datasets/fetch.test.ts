/** Downloads from a server that fails as told: the right bytes or a clear error, and never a wrong file in place. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageError } from '../../src/core/errors.ts';
import { lockFolder, lockName } from '../../src/core/folder-lock-node.ts';
import { Random } from '../../src/core/random.ts';
import type { DownloadFacts } from '../../src/datasets/facts.ts';
import { fetchFile } from '../../src/datasets/fetch-file-node.ts';
import { HttpClient } from '../../src/datasets/fetch-http-node.ts';
import { manifestName } from '../../src/datasets/fetch-manifest-node.ts';
import { type FetchOptions, fetchDownload } from '../../src/datasets/fetch-node.ts';
import { publishedWeights, weightsDownload } from '../../src/datasets/published-weights.ts';
import { type Fault, type FaultyServer, makeCertificate, startProxy, startServer } from './faulty-server.ts';

const hashOf = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('hex');
const bytesOf = (length: number, seed: number) => {
  const random = Random.derive(seed, 'fetch');
  return Uint8Array.from({ length }, () => Math.floor(random.uniform() * 256));
};
const contents = new Map([
  ['RECORDS', bytesOf(40, 1)],
  ['data/a b.dat', bytesOf(5000, 2)],
  ['data/c.dat', bytesOf(200_000, 3)],
  ['empty.txt', new Uint8Array(0)],
]);
const list = [...contents].map(([path, bytes]) => `${hashOf('sha256', bytes)}  ${path}\n`).join('');
const files = new Map([...contents, ['SHA256SUMS.txt', new TextEncoder().encode(list)]]);

/** Waits are short here; a stall is noticed at once. */
const quick: FetchOptions = {
  policy: { attempts: 4, firstWaitMs: 1, longestWaitMs: 5, longestRetryAfterMs: 1500 },
  http: { stallMs: 150 },
};

let server: FaultyServer;
let folder: string;
let facts: DownloadFacts;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  server = await startServer(files);
  folder = await mkdtemp(join(tmpdir(), 'heartmind-fetch-test-'));
  facts = { baseUrl: server.url, checksumList: 'SHA256SUMS.txt' };
  cleanups.push(server.close, () => rm(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const run = (options: FetchOptions = {}, to = folder) =>
  fetchDownload('set', facts, to, { ...quick, ...options });
const gets = (path: string) =>
  server.requests.filter((asked) => asked.path === path && asked.method === 'GET');

/** All files under a folder but ours: path → bytes. */
async function tree(root = folder): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(root.length + 1).replaceAll('\\', '/'), new Uint8Array(await readFile(path)));
  }
  return found;
}

async function expectComplete(root = folder): Promise<void> {
  const found = await tree(root);
  for (const [path, bytes] of files) expect(Buffer.compare(found.get(path)!, bytes), path).toBe(0);
  expect([...found.keys()].filter((path) => !files.has(path))).toEqual([manifestName]);
}

/** Whatever is in place is right. */
async function expectNothingWrong(root = folder): Promise<void> {
  for (const [path, bytes] of await tree(root)) {
    const right = files.get(path);
    if (right) expect(Buffer.compare(bytes, right), path).toBe(0);
    else expect(path).toMatch(/\.part(-state)?$|^\.heartmind-fetch\.jsonl$/);
  }
}

describe('a dataset', () => {
  it('comes whole, and a second run fetches nothing but the list', async () => {
    const progress: number[] = [];
    const result = await run({ onProgress: ({ bytes }) => progress.push(bytes) });
    expect(result).toMatchObject({ files: 4, present: 0, bytes: 205_040, dryRun: false });
    expect(result.fetched.map(({ verified }) => verified)).toEqual(Array(4).fill('sha256'));
    expect(Math.max(...progress)).toBe(205_040);
    await expectComplete();
    server.requests.length = 0;
    expect(await run()).toMatchObject({ files: 4, present: 4, fetched: [], bytes: 0 });
    expect(server.requests.map(({ path }) => path)).toEqual(['SHA256SUMS.txt']);
  });

  it('a part of it, by a pattern; a pattern that matches nothing is said', async () => {
    expect((await run({ only: 'data/**' })).files).toBe(2);
    expect([...(await tree()).keys()].sort()).toEqual([
      manifestName,
      'SHA256SUMS.txt',
      'data/a b.dat',
      'data/c.dat',
    ]);
    await expect(run({ only: '*.edf' })).rejects.toThrow("--only: '*.edf' matches none of 4 files");
  });

  it('a dry run writes nothing and says how much it would be', async () => {
    const to = join(folder, 'not-yet');
    const result = await run({ dryRun: true }, to);
    expect(result).toMatchObject({ files: 4, present: 0, bytes: 205_040, dryRun: true });
    expect(existsSync(to)).toBe(false);
  });

  it("a user's own right copy is taken, a changed one replaced, --verify finds what size and time hide", async () => {
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data/c.dat'), contents.get('data/c.dat')!);
    await writeFile(join(folder, 'RECORDS'), 'something else');
    const log: string[] = [];
    expect(await run({ onLog: (text) => log.push(text) })).toMatchObject({ present: 1 });
    expect(log.join()).toContain('1 files in');
    await expectComplete();
    const path = join(folder, 'data/c.dat');
    const { atime, mtime } = await stat(path);
    await writeFile(path, bytesOf(200_000, 99));
    await utimes(path, atime, mtime);
    await run({ verify: true });
    await expectComplete();
  });

  it('without the server, the list of the last time serves', async () => {
    await run();
    server.faults.set('SHA256SUMS.txt', [{ kind: 'status', status: 404 }]);
    const log: string[] = [];
    expect(await run({ onLog: (text) => log.push(text) })).toMatchObject({ present: 4 });
    expect(log.join()).toContain('The list of the last time is used.');
  });

  it('a torn line of the manifest costs one hash, not a download', async () => {
    await run();
    const path = join(folder, manifestName);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.slice(0, -20));
    expect(await run()).toMatchObject({ present: 4 });
    expect(await run()).toMatchObject({ present: 4 });
  });

  it.each([
    ['../evil', 'leads out of the folder'],
    ['/etc/evil', 'is absolute'],
    ['C:/evil', 'has a backslash, a colon'],
    ['.git/hooks/post-checkout', 'has a part that begins with a dot'],
    ['.npmrc', 'has a part that begins with a dot'],
    [manifestName, 'has a part that begins with a dot'],
    [lockName, 'has a part that begins with a dot'],
    ['RECORDS.part', 'is the name of an unfinished download'],
  ])('a list that names %s is refused whole', async (path, message) => {
    server.faults.clear();
    const evil = await startServer(
      new Map([['SHA256SUMS.txt', new TextEncoder().encode(`${'0'.repeat(64)}  ${path}\n`)]]),
    );
    cleanups.push(evil.close);
    facts = { ...facts, baseUrl: evil.url };
    await expect(run()).rejects.toThrow(message);
    expect([...(await tree()).keys()]).toEqual(['SHA256SUMS.txt']);
  });
});

describe('faults that pass', () => {
  const target = 'data/c.dat';
  const passing: [string, Fault[]][] = [
    [
      'drops in the middle',
      [
        { kind: 'drop', after: 70_000 },
        { kind: 'drop', after: 50_000 },
      ],
    ],
    ['a drop before the first byte', [{ kind: 'drop', after: 0 }]],
    ['a stalled body', [{ kind: 'stall', after: 1000 }]],
    ['silence', [{ kind: 'silence' }]],
    ['no HTTP', [{ kind: 'garbage' }]],
    [
      '503 and 500',
      [
        { kind: 'status', status: 503 },
        { kind: 'status', status: 500 },
      ],
    ],
    [
      '429 with a date in the past',
      [{ kind: 'status', status: 429, retryAfter: 'Mon, 23 Nov 2020 10:00:00 GMT' }],
    ],
    ['wrong bytes once', [{ kind: 'corrupt' }]],
    ['wrong bytes in a continuation', [{ kind: 'drop', after: 70_000 }, { kind: 'corrupt' }]],
    ['no range support', [{ kind: 'drop', after: 70_000 }, { kind: 'no range' }]],
    ['another file meanwhile', [{ kind: 'drop', after: 70_000 }, { kind: 'changed' }]],
    [
      'another file meanwhile, continued all the same',
      [{ kind: 'drop', after: 70_000 }, { kind: 'changed, If-Range ignored' }],
    ],
    ['a range that begins elsewhere', [{ kind: 'drop', after: 70_000 }, { kind: 'wrong range' }]],
    ['a range that is refused', [{ kind: 'drop', after: 70_000 }, { kind: 'range not satisfiable' }]],
    ['a length too long', [{ kind: 'lengthen', by: 10 }]],
    ['a length too short', [{ kind: 'shorten', by: 10 }]],
    ['no length', [{ kind: 'chunked' }]],
  ];
  it.each(passing)('%s', async (_, faults) => {
    server.faults.set(target, [...faults]);
    await run();
    await expectComplete();
    expect(server.faults.get(target)).toEqual([]);
  });

  it('a continuation asks for the rest alone, if the file is the same', async () => {
    server.faults.set(target, [{ kind: 'drop', after: 70_000 }]);
    await run();
    const [first, second] = gets(target).map(({ headers }) => headers);
    expect(first!.range).toBeUndefined();
    expect(Number(/^bytes=(\d+)-$/.exec(second!.range!)![1])).toBeGreaterThan(0);
    expect(second!['if-range']).toMatch(/^".*-0"$/);
  });

  it('Retry-After is waited for', async () => {
    server.faults.set(target, [{ kind: 'status', status: 429, retryAfter: '1' }]);
    const begun = performance.now();
    await run({ only: target });
    expect(performance.now() - begun).toBeGreaterThan(950);
    await expectNothingWrong();
  });
});

describe('faults that last', () => {
  const target = 'data/c.dat';
  const always = (fault: Fault) => Array<Fault>(20).fill(fault);
  it.each<[string, Fault, string, number]>([
    ['404', { kind: 'status', status: 404 }, 'data/c.dat: the server answers 404, at http', 1],
    ['403', { kind: 'status', status: 403 }, 'It refuses: apply for access', 1],
    ['401', { kind: 'status', status: 401 }, 'set PHYSIONET_USER', 1],
    ['503', { kind: 'status', status: 503 }, 'the server answers 503 after 4 tries', 4],
    ['a long Retry-After', { kind: 'status', status: 429, retryAfter: '900' }, 'asks to wait 900 s', 1],
    ['drops at once', { kind: 'drop', after: 10 }, 'after 4 tries', 4],
    ['wrong bytes', { kind: 'corrupt' }, `instead of ${hashOf('sha256', contents.get(target)!)}, twice`, 2],
    ['another encoding', { kind: 'gzip' }, 'the server sends it encoded (gzip) unasked', 1],
  ])('%s', async (_, fault, message, tries) => {
    server.faults.set(target, always(fault));
    await expect(run({ only: target })).rejects.toThrow(message);
    expect(gets(target).length).toBe(tries);
    expect(existsSync(join(folder, target))).toBe(false);
    await expectNothingWrong();
  });

  it('wrong bytes name both hashes, and leave no part behind', async () => {
    server.faults.set('RECORDS', always({ kind: 'corrupt' }));
    const wrong = Uint8Array.from(contents.get('RECORDS')!);
    wrong[20]! ^= 1;
    await expect(run({ only: 'RECORDS' })).rejects.toThrow(
      `RECORDS: sha256 ${hashOf('sha256', wrong)} instead of ${hashOf('sha256', contents.get('RECORDS')!)}, twice`,
    );
    expect([...(await tree()).keys()].some((path) => path.includes('.part'))).toBe(false);
  });

  it('the other files come all the same, and the next run brings the rest', async () => {
    server.faults.set(target, [{ kind: 'status', status: 404 }]);
    await expect(run()).rejects.toThrow(
      'set: 1 of 4 files could not be fetched, 3 were. The first: data/c.dat',
    );
    expect(await run()).toMatchObject({ present: 3, fetched: [{ path: target }] });
    await expectComplete();
  });

  it('a server that is not there', async () => {
    await server.close();
    await expect(run()).rejects.toThrow(/ECONNREFUSED.*after 4 tries.*Check the connection/);
  });

  it('a disk without room, before the first byte', async () => {
    await expect(run({ free: async () => 200_000 })).rejects.toThrow(
      `${folder}: set needs 205 kB, 200 kB are free. Make room`,
    );
    expect(gets(target)).toEqual([]);
    // What an earlier run left is not needed again.
    await writeFile(join(folder, 'RECORDS.part'), new Uint8Array(10_000));
    server.faults.set(target, [{ kind: 'status', status: 404 }]);
    await expect(run({ free: async () => 200_000 })).rejects.toThrow('the server answers 404');
    server.requests.length = 0;
    // With the publisher's figure no server is asked.
    facts = { ...facts, bytes: 5e9 };
    await expect(run({ free: async () => 1e9 }, join(folder, 'new'))).rejects.toThrow(
      'set needs 5.0 GB, 1.0 GB are free',
    );
    expect(server.requests.filter(({ method }) => method === 'HEAD').length).toBe(0);
  });
});

describe('bounds', () => {
  it('a list that is no list is not taken in', async () => {
    const list = { url: `${server.url}SHA256SUMS.txt`, path: 'l' };
    const http = new HttpClient(quick.http);
    try {
      for (const [faults, message] of [
        [[], 'the server announces'],
        [[{ kind: 'chunked' }], 'more than 100 bytes come, and no size was announced'],
      ] as const) {
        server.faults.set('SHA256SUMS.txt', [...faults]);
        const { policy } = quick;
        await expect(
          fetchFile(http, list, join(folder, 'l'), { ...(policy && { policy }), mostBytes: 100 }),
        ).rejects.toThrow(message);
      }
    } finally {
      http.close();
    }
    expect(existsSync(join(folder, 'l'))).toBe(false);
  });

  it('small answers that are refused leave their connections for the next', async () => {
    const http = new HttpClient({ ...quick.http, jobs: 1 });
    try {
      for (let i = 0; i < 3; i++) {
        const answer = await http.request(`${server.url}not-there`);
        expect(answer.status).toBe(404);
        // By now its body is there as a whole, unread.
        await new Promise((resolve) => setTimeout(resolve, 50));
        answer.discard();
      }
    } finally {
      http.close();
    }
  });

  it('a body larger than listed is refused before it comes', async () => {
    facts = { baseUrl: server.url, files: [{ url: 'data/c.dat', path: 'c', bytes: 1000 }] };
    await expect(run()).rejects.toThrow('the server announces 200000 bytes, 1000 are listed');
    expect(Number((await stat(join(folder, 'c.part'))).size)).toBe(0);
  });

  it('a body that crawls is given up', async () => {
    const slow = await startServer(contents, { bytesPerSecond: 500 });
    cleanups.push(slow.close);
    facts = { baseUrl: slow.url, files: [{ url: 'data/c.dat', path: 'c' }] };
    const begun = performance.now();
    const http = { stallMs: 1000, leastBytesPerSecond: 2000, rateMs: 200 };
    await expect(run({ http })).rejects.toThrow(/bytes a second came, too few to go on after 4 tries/);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it.each([
    [
      'a folder in the way',
      async () => mkdir(join(folder, 'RECORDS', 'x'), { recursive: true }),
      /there is a folder of that name|something of that name/,
    ],
    [
      'a file in the way',
      async () => writeFile(join(folder, 'data'), 'x'),
      /a file is where a folder is needed|something of that name/,
    ],
  ])('%s is an error of ours that says what to do', async (_, prepare, message) => {
    await prepare();
    const failure = await run().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageError);
    expect(String(failure)).toMatch(message);
    expect(String(failure)).toContain('Move it away');
  });

  it('so is a path that is too long for the file system', async () => {
    facts = { baseUrl: server.url, files: [{ url: 'RECORDS', path: `${`${'d'.repeat(200)}/`.repeat(9)}a` }] };
    // 4,096 bytes are the most in Linux, 1,024 elsewhere.
    const deep = join(folder, ...Array<string>(12).fill('e'.repeat(200)));
    const failure = await run({}, deep).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageError);
    expect(String(failure)).toMatch(
      /too long for this file system.*Choose a folder with a shorter path by --to/,
    );
  });
});

describe('redirects', () => {
  const only = 'RECORDS';
  it('lead on to another server, which gets no password', async () => {
    const other = await startServer(new Map([['x', contents.get('RECORDS')!]]));
    cleanups.push(other.close);
    server.faults.set(only, [{ kind: 'redirect', to: `${other.url}x` }]);
    await run({ only });
    expect(other.requests[0]!.headers.authorization).toBeUndefined();
    await expectNothingWrong();
  });
  it.each([
    ['loops', '/RECORDS', 'a redirect loop'],
    ['lead out of the web', 'file:///etc/passwd', 'which is no http(s) address'],
  ])('that %s are refused', async (_, to, message) => {
    server.faults.set(only, Array(20).fill({ kind: 'redirect', to }));
    await expect(run({ only })).rejects.toThrow(message);
  });
  it('have an end', async () => {
    const endless = await startServer(new Map());
    cleanups.push(endless.close);
    for (let i = 0; i < 20; i++) endless.faults.set(`${i}`, [{ kind: 'redirect', to: `/${i + 1}` }]);
    facts = { baseUrl: endless.url, files: [{ url: '0', path: 'a' }] };
    await expect(run()).rejects.toThrow('more than 10 redirects');
  });
});

describe('proxies and passwords', () => {
  it('http goes through HTTP_PROXY, with its password; NO_PROXY goes past it', async () => {
    const proxy = await startProxy('s e:cret');
    cleanups.push(proxy.close);
    const environment = { http_proxy: proxy.url };
    await run({ http: { ...quick.http!, environment } });
    await expectComplete();
    expect(proxy.requests).toContain(`GET ${server.url}data/c.dat`);
    proxy.requests.length = 0;
    await run({
      verify: true,
      http: { ...quick.http!, environment: { ...environment, NO_PROXY: '127.0.0.1' } },
    });
    expect(proxy.requests).toEqual([]);
    const wrong = { http_proxy: proxy.url.replace('cret', 'x') };
    await expect(run({ http: { ...quick.http!, environment: wrong } }, join(folder, 'new'))).rejects.toThrow(
      'answers 407',
    );
  });

  it('https goes through a tunnel; user and password go to their own host alone', async () => {
    const tls = makeCertificate();
    const secure = await startServer(files, { tls });
    const proxy = await startProxy();
    cleanups.push(secure.close, proxy.close);
    facts = { ...facts, baseUrl: secure.url };
    const http = {
      ca: tls.cert,
      environment: { HTTPS_PROXY: proxy.url },
      credentials: { origin: new URL(secure.url).origin, user: 'me', password: 'pä:ss' },
    };
    secure.faults.set('data/c.dat', [{ kind: 'drop', after: 70_000 }]);
    secure.faults.set('RECORDS', [{ kind: 'redirect', to: `${server.url}RECORDS` }]);
    await expect(run({ http, only: 'RECORDS' })).rejects.toThrow('a redirect from https to plain http');
    await run({ http });
    await expectComplete();
    expect(proxy.requests.every((line) => line === `CONNECT ${new URL(secure.url).host}`)).toBe(true);
    const sent = secure.requests.map(({ headers }) => headers.authorization);
    expect(new Set(sent)).toEqual(new Set([`Basic ${Buffer.from('me:pä:ss').toString('base64')}`]));
    expect(secure.requests.some(({ headers }) => headers['proxy-authorization'] !== undefined)).toBe(false);
  });

  it('a password does not follow a redirect to another host', async () => {
    const tls = makeCertificate();
    const [secure, other] = await Promise.all([startServer(files, { tls }), startServer(files, { tls })]);
    cleanups.push(secure.close, other.close);
    facts = { baseUrl: secure.url, files: [{ url: 'RECORDS', path: 'RECORDS' }] };
    secure.faults.set('RECORDS', [{ kind: 'redirect', to: `${other.url}RECORDS` }]);
    const credentials = { origin: new URL(secure.url).origin, user: 'me', password: 'secret' };
    await run({ http: { ca: tls.cert, credentials } });
    const sent = ({ requests }: FaultyServer) =>
      requests
        .filter(({ method }) => method === 'GET')
        .map(({ headers }) => headers.authorization !== undefined);
    expect([sent(secure), sent(other)]).toEqual([[true], [false]]);
  });

  it('an unknown certificate is refused at once; a password never goes over http', async () => {
    const secure = await startServer(files, { tls: makeCertificate() });
    cleanups.push(secure.close);
    facts = { ...facts, baseUrl: secure.url };
    await expect(run()).rejects.toThrow(/self.signed certificate, at https/);
    const credentials = { origin: 'http://physionet.org', user: 'a', password: 'b' };
    expect(() => new HttpClient({ credentials })).toThrow('are sent over https only');
  });
});

describe('files without a checksum', () => {
  beforeEach(() => {
    facts = { baseUrl: server.url, files: [{ url: 'data/c.dat', path: 'c.dat' }] };
  });
  it('are taken as sent, and it is said', async () => {
    const log: string[] = [];
    const { fetched } = await run({ onLog: (text) => log.push(text) });
    expect(fetched).toMatchObject([
      { verified: 'none', sha256: hashOf('sha256', contents.get('data/c.dat')!) },
    ]);
    expect(log.join()).toContain('1 of 1 files have no published checksum');
    expect(await run()).toMatchObject({ present: 1 });
  });
  it('are continued only where the server vouches that they are the same', async () => {
    const plain = await startServer(contents, { withoutValidators: true });
    cleanups.push(plain.close);
    facts = { baseUrl: plain.url, files: [{ url: 'data/c.dat', path: 'c.dat' }] };
    const stop = new AbortController();
    plain.faults.set('data/c.dat', [{ kind: 'stall', after: 70_000 }]);
    const going = run({ signal: stop.signal, onProgress: ({ bytes }) => bytes > 0 && stop.abort() });
    await expect(going).rejects.toThrow(/stopped with 0 of 1 files .*Run the same command again/);
    await run();
    expect(plain.requests.every(({ headers }) => headers.range === undefined)).toBe(true);
    expect(Buffer.compare((await tree()).get('c.dat')!, contents.get('data/c.dat')!)).toBe(0);
  });
  it.each<Fault['kind'] & ('changed' | 'changed, If-Range ignored')>([
    'changed',
    'changed, If-Range ignored',
  ])('are never two versions in one: %s', async (kind) => {
    const content = bytesOf(190_000, 7);
    server.faults.set('data/c.dat', [
      { kind: 'drop', after: 70_000 },
      { kind, content },
    ]);
    await run();
    expect(gets('data/c.dat')[1]!.headers.range).toMatch(/^bytes=[1-9]/);
    expect(Buffer.compare((await tree()).get('c.dat')!, content)).toBe(0);
  });
  it('are continued exactly where they stand', async () => {
    server.faults.set('data/c.dat', [{ kind: 'drop', after: 70_000 }, { kind: 'wrong range' }]);
    await run();
    expect(Buffer.compare((await tree()).get('c.dat')!, contents.get('data/c.dat')!)).toBe(0);
  });
  it('the announced size counts, and md5 where it is given', async () => {
    facts = { baseUrl: server.url, files: [{ url: 'RECORDS', path: 'r', bytes: 41 }] };
    await expect(run()).rejects.toThrow('40 bytes instead of 41, twice');
    const md5 = hashOf('md5', contents.get('RECORDS')!);
    facts = { baseUrl: server.url, files: [{ url: 'RECORDS', path: 'r', md5 }] };
    expect((await run()).fetched).toMatchObject([{ verified: 'md5' }]);
  });
});

describe('published weights', () => {
  const weights = publishedWeights['cbramod-braindecode']!;
  const path = `${weights.repository}/resolve/main/${weights.file}`;
  const linked = (sha256: string, to: string): Fault => ({
    kind: 'redirect',
    to,
    headers: { 'X-Linked-Etag': `"${sha256}"`, 'X-Linked-Size': '5000' },
  });
  const cdn = contents.get('data/a b.dat')!;

  it("are compared with the hub's own hash where it gives one", async () => {
    facts = weightsDownload(weights, server.url);
    server.faults.set(path, [linked(hashOf('sha256', cdn), '/data/a%20b.dat')]);
    expect((await run()).fetched).toMatchObject([
      { path: 'model.safetensors', verified: 'hub', bytes: 5000 },
    ]);
  });
  it('and refused where they differ', async () => {
    facts = weightsDownload(weights, server.url);
    server.faults.set(path, Array(3).fill(linked('0'.repeat(64), '/data/a%20b.dat')));
    await expect(run()).rejects.toThrow(`instead of the hub's ${'0'.repeat(64)}, twice`);
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(false);
  });
  it("of CBraMod lie where the authors' hub has them", () => {
    expect(weightsDownload(publishedWeights.cbramod!)).toEqual({
      baseUrl: 'https://huggingface.co/weighting666/CBraMod/resolve/main/',
      files: [
        {
          url: 'pretrained_weights.pth',
          path: 'pretrained_weights.pth',
          bytes: 19775842,
          sha256: '0792cb808c14e6b7a2bb2ce1dff379bc47bc54c49a779825bdfeb33bf8157178',
        },
      ],
    });
  });
});

describe('the lock', () => {
  it('keeps a second process out, and goes with the first', async () => {
    const unlock = await lockFolder(folder);
    await expect(run()).rejects.toThrow(`${folder}: in use since `);
    await unlock();
    await run();
    await expectComplete();
  });
  it('of a process that died is taken over', async () => {
    const { hostname } = await import('node:os');
    await writeFile(join(folder, lockName), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), id: 'x' }));
    await run();
    await writeFile(join(folder, lockName), JSON.stringify({ pid: 1, host: 'elsewhere', id: 'x' }));
    await expect(run()).rejects.toThrow('(process 1 on elsewhere)');
    await utimes(join(folder, lockName), new Date(0), new Date(0));
    await run();
    await expectComplete();
  });
  it('is one, however many come at once', async () => {
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => lockFolder(folder)));
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBe(1);
  });
});

describe('whatever happens', () => {
  const fault: fc.Arbitrary<Fault> = fc.oneof(
    fc.record({ kind: fc.constant('drop' as const), after: fc.integer({ min: 0, max: 5000 }) }),
    fc.record({
      kind: fc.constant('status' as const),
      status: fc.constantFrom(404, 403, 429, 500, 503, 416, 206, 204, 304),
    }),
    fc.record({
      kind: fc.constantFrom('lengthen' as const, 'shorten' as const),
      by: fc.integer({ min: 1, max: 99 }),
    }),
    fc.record({
      kind: fc.constantFrom(
        ...([
          'corrupt',
          'no range',
          'changed',
          'changed, If-Range ignored',
          'wrong range',
          'range not satisfiable',
          'garbage',
          'chunked',
          'gzip',
        ] as const),
      ),
    }),
  );
  it('the right bytes or a clear error, and in the end the right bytes', async () => {
    const path = 'data/a b.dat';
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 8 }), async (faults) => {
        const to = join(folder, String(round++));
        server.faults.set(path, [...faults]);
        try {
          await run({ only: path }, to);
          expect(existsSync(join(to, path))).toBe(true);
        } catch (error) {
          expect(['DataError', 'FormatError']).toContain((error as Error).name);
        }
        await expectNothingWrong(to);
        server.faults.delete(path);
        await run({}, to);
        await expectComplete(to);
      }),
      { numRuns: 30 },
    );
  });
});
