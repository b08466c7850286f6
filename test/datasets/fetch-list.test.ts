import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/core/errors.ts';
import {
  defaultRetryPolicy,
  HttpFailure,
  isPassing,
  parseRetryAfter,
  waitBeforeRetry,
} from '../../src/core/http-retry.ts';
import { compareLayout } from '../../src/datasets/fetch-layout.ts';
import {
  addressBelow,
  baseAddress,
  filesToFetch,
  parseChecksumList,
  pathMatcher,
} from '../../src/datasets/fetch-list.ts';
import { SafePaths, safePath } from '../../src/datasets/fetch-path.ts';
import { proxyFor } from '../../src/datasets/fetch-proxy-node.ts';
import { cpuMilliseconds } from '../cpu-time.ts';

const sha256 = 'ab'.repeat(32);
const md5 = 'cd'.repeat(16);

describe('checksum lists', () => {
  it.each([
    [`${sha256} RECORDS\n`, { path: 'RECORDS', sha256 }],
    [`${sha256}  data/a b.dat\r\n`, { path: 'data/a b.dat', sha256 }],
    [`${sha256} *data/a.dat`, { path: 'data/a.dat', sha256 }],
    [`${sha256.toUpperCase()}  ./a.dat`, { path: 'a.dat', sha256 }],
    [`\uFEFF# made by hand\n\n${md5}  a.zip\n`, { path: 'a.zip', md5 }],
    [`SHA256 (data/a (1).dat) = ${sha256}`, { path: 'data/a (1).dat', sha256 }],
    [`MD5 (a) = ${md5}`, { path: 'a', md5 }],
  ])('%j', (text, file) => expect(parseChecksumList(text, 'list')).toEqual([file]));

  it('joins both hashes of a file', () => {
    expect(parseChecksumList(`${md5}  a\n${sha256}  a\n`, 'list')).toEqual([{ path: 'a', md5, sha256 }]);
  });

  it.each([
    ['<!doctype html>\n', "list: line 1 '<!doctype html>' is no hash and path."],
    [`${sha256.slice(1)}  a\n`, 'is no hash and path'],
    [`SHA256 (a) = ${md5}`, 'is no hash and path'],
    ['\n', 'list: a checksum list without a file'],
    [`${sha256}  a\n${'00'.repeat(32)}  a\n`, "line 2 gives 'a' a second hash"],
    [`${sha256}  ../a\n`, "list: path '../a' leads out of the folder."],
  ])('refuses %j', (text, message) => expect(() => parseChecksumList(text, 'list')).toThrow(message));
});

describe('paths', () => {
  it.each([
    '../a',
    'a/../../b',
    '/etc/passwd',
    'C:/a',
    'C:a',
    'a\\b',
    'a//b',
    '',
    '.',
    'a/\0',
    'nul',
    'x/COM1.txt',
    'a.',
    'a ',
    '.git/hooks/post-checkout',
    'a/.git/config',
    '.npmrc',
    '.heartmind-fetch.jsonl',
    '.heartmind-fetch.lock',
    'x/.hidden/a.dat',
    'a.dat.part',
    'a.dat.PART-state',
    'a\u202egnp.exe',
    'a\u0085b',
    'a\x7fb',
    'a?b',
    'a*b',
    'nul .txt',
    'lpt¹',
    'CONOUT$',
    `${'x'.repeat(241)}`,
    `${'long-name/'.repeat(201)}a`,
    '\ud800',
  ])('refuses %j', (path) => expect(() => safePath(path, 'list')).toThrow(/^list: path/));

  it('of one list are files of their own on every system', () => {
    const add = (...paths: string[]) => {
      const all = new SafePaths('list');
      for (const path of paths) all.addFile(path);
    };
    for (const [one, other] of [
      ['a/B.dat', 'A/c.dat'],
      ['README', 'readme'],
      ['a', 'a/b'],
      ['a/b/c', 'a/b'],
      ['a/b/c', 'A'],
      ['caf\u00e9', 'cafe\u0301'],
    ] as const) {
      expect(() => add(one, other)).toThrow(/^list: '.*' and '.*' have the same name/);
      expect(() => add(other, one)).toThrow(/^list: '.*' and '.*' have the same name/);
    }
    add('a', 'a', 'b/a', 'b/c', 'c');
    const once = new SafePaths('list');
    once.addFile('a', true);
    expect(() => once.addFile('a', true)).toThrow("'a' and 'a' have the same name");
  });

  it('that systems leave behind are left out, and said; hostile ones are not taken for them', () => {
    const notes: string[] = [];
    const text = ['a.dat', 'x/.DS_Store', '._a.dat', '.bidsignore']
      .map((name) => `${sha256}  ${name}\n`)
      .join('');
    expect(parseChecksumList(text, 'list', (note) => notes.push(note))).toEqual([{ path: 'a.dat', sha256 }]);
    expect(notes).toEqual([
      'list: 3 hidden files of operating systems and tools were left out: x/.DS_Store, ._a.dat, .bidsignore.',
    ]);
    for (const name of ['../.DS_Store', '.git/._x', '/.bidsignore', '._a\\b'])
      expect(() => parseChecksumList(`${sha256}  ${name}\n`, 'list')).toThrow(FormatError);
  });

  it('keeps whatever stays inside, and only that', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.constantFrom('..', '.', 'a', 'b c', '', 'ü')), (text, parts) => {
        for (const path of [text, parts.join('/')]) {
          let safe: string;
          try {
            safe = safePath(path, 'list');
          } catch {
            continue;
          }
          expect(safe.split('/').some((part) => ['', '.', '..'].includes(part))).toBe(false);
          expect(new URL(addressBelow(new URL('http://h/base/'), safe)).pathname.startsWith('/base/')).toBe(
            true,
          );
        }
      }),
    );
  });

  it('are escaped in addresses', () => {
    expect(addressBelow(new URL('https://h/x/?token=1'), 'a b/50%#?.dat')).toBe(
      'https://h/x/a%20b/50%25%23%3F.dat?token=1',
    );
  });
});

describe('what to fetch', () => {
  const facts = {
    baseUrl: 'https://p.org/files/x/1.0.0',
    files: [
      { url: 'https://p.org/files/x/1.0.0/extra.txt', path: 'extra.txt' },
      { url: 'https://elsewhere.org/b.zip', path: 'b.zip', unpack: 'zip' as const },
    ],
  };
  const urls = (mirror?: string) =>
    filesToFetch(facts, [{ path: 'a', sha256 }], baseAddress(facts, mirror), mirror !== undefined).map(
      ({ url }) => url,
    );

  it('lies below the base, or where it says', () => {
    expect(urls()).toEqual([
      'https://p.org/files/x/1.0.0/a',
      'https://p.org/files/x/1.0.0/extra.txt',
      'https://elsewhere.org/b.zip',
    ]);
  });

  it('a mirror takes the place of the base', () => {
    expect(urls('http://m/y')).toEqual([
      'http://m/y/a',
      'http://m/y/extra.txt',
      'https://elsewhere.org/b.zip',
    ]);
    expect(() => urls('ftp://m')).toThrow("--mirror: 'ftp://m' is no http(s) address");
  });

  it.each([
    ['*.dat', ['a.dat', 'x/b.dat'], ['a.hea']],
    ['records100/**', ['records100/1/2.dat', 'records100/a'], ['records500/a']],
    ['**/*_hr.hea', ['a_hr.hea', 'x/y/a_hr.hea'], ['a.hea']],
    ['a?.edf, RECORDS', ['ab.edf', 'RECORDS'], ['a.edf', 'RECORDS2']],
    ['(x).[y]', ['(x).[y]'], ['x.y']],
  ])('pattern %j', (pattern, yes, no) => {
    const matches = pathMatcher(pattern);
    expect([...yes, ...no].filter(matches)).toEqual(yes);
  });

  it('no pattern crawls', () => {
    const begun = cpuMilliseconds();
    pathMatcher('**/**/**/**/**/**/*a*a*a*a/b')(`${'a/'.repeat(200)}c`);
    expect(cpuMilliseconds() - begun).toBeLessThan(500);
  });
});

describe('layout', () => {
  const layout = [
    { path: 'data_preprocessed/s*.mat', what: 'subjects', count: 2 },
    { path: 'README', what: 'text' },
  ];
  const file = (path: string, bytes = 5) => ({ path, bytes });

  it('is complete, with what is beside it named', () => {
    const files = ['data_preprocessed/s01.mat', 'data_preprocessed/s02.mat', 'README', 'mine.txt'].map((p) =>
      file(p),
    );
    const report = compareLayout(layout, files);
    expect(report).toMatchObject({ complete: true, unnamed: ['mine.txt'], empty: [], bytes: 20 });
  });

  it('counts empty files as missing, more as surplus', () => {
    const report = compareLayout(layout, [
      file('data_preprocessed/s01.mat', 0),
      file('data_preprocessed/s02.mat'),
    ]);
    expect(report.rows.map(({ state, found, expected }) => [state, found, expected])).toEqual([
      ['missing', 1, 2],
      ['missing', 0, undefined],
    ]);
    expect(report).toMatchObject({ complete: false, empty: ['data_preprocessed/s01.mat'] });
    const three = ['1', '2', '3'].map((n) => file(`data_preprocessed/s${n}.mat`));
    expect(compareLayout(layout, [...three, file('README')])).toMatchObject({
      complete: true,
      rows: [{ state: 'surplus' }, { state: 'complete' }],
    });
  });
});

describe('retries', () => {
  it.each([
    [429, true],
    [503, true],
    [500, true],
    [408, true],
    [404, false],
    [403, false],
    [501, false],
  ])('%i passes: %s', (status, passes) => expect(isPassing(status)).toBe(passes));

  it('Retry-After in seconds and as a date', () => {
    const now = Date.parse('2026-11-23T10:00:00Z');
    expect(parseRetryAfter('7', now)).toBe(7);
    expect(parseRetryAfter('Mon, 23 Nov 2026 10:00:30 GMT', now)).toBe(30);
    expect(parseRetryAfter('Mon, 23 Nov 2026 09:00:30 GMT', now)).toBe(0);
    expect(parseRetryAfter('soon', now)).toBeUndefined();
  });

  it('waits longer every time, within bounds, and no less than asked', () => {
    const failure = new HttpFailure('x', true);
    const waits = [1, 2, 3, 7].map((n) => waitBeforeRetry(failure, n, defaultRetryPolicy, () => 1));
    expect(waits).toEqual([500, 1000, 2000, 30_000]);
    expect(waitBeforeRetry(failure, 1, defaultRetryPolicy, () => 0)).toBe(250);
    expect(waitBeforeRetry(failure, 8, defaultRetryPolicy, () => 0)).toBeUndefined();
    const asked = (s: number) =>
      waitBeforeRetry(new HttpFailure('x', true, 429, s), 1, defaultRetryPolicy, () => 0);
    expect(asked(20)).toBe(20_000);
    expect(asked(3600)).toBeUndefined();
    expect(waitBeforeRetry(new HttpFailure('x', false), 1, defaultRetryPolicy, () => 0)).toBeUndefined();
  });
});

describe('proxies', () => {
  const both = {
    HTTPS_PROXY: 'http://s:1',
    http_proxy: 'p:2',
    NO_PROXY: 'a.org,.b.org 10.0.0.0/8,c.org:8080,::1',
  };
  it.each([
    ['https://x.org/', 'http://s:1/'],
    ['http://x.org/', 'http://p:2/'],
    ['http://a.org/', undefined],
    ['http://sub.a.org/', undefined],
    ['http://nota.org/', 'http://p:2/'],
    ['https://sub.b.org/', undefined],
    ['http://10.1.2.3/', undefined],
    ['http://11.1.2.3/', 'http://p:2/'],
    ['http://c.org:8080/', undefined],
    ['http://c.org/', 'http://p:2/'],
    ['http://[::1]:5/', undefined],
  ])('%s by %s', (url, proxy) => expect(proxyFor(new URL(url), both)?.href).toBe(proxy));

  it('ALL_PROXY serves both; `*` excepts all; SOCKS is said to be unsupported', () => {
    const url = new URL('https://x.org/');
    expect(proxyFor(url, { all_proxy: 'http://q:3' })?.href).toBe('http://q:3/');
    expect(proxyFor(url, { ALL_PROXY: 'http://q:3', no_proxy: '*' })).toBeUndefined();
    expect(proxyFor(url, {})).toBeUndefined();
    expect(() => proxyFor(url, { ALL_PROXY: 'socks5://q:3' })).toThrow('ALL_PROXY: a socks5 proxy');
    expect(() => proxyFor(url, { HTTPS_PROXY: 'http://' })).toThrow('HTTPS_PROXY: the value is no address');
  });
});
