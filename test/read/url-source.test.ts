/** Files on servers: the right bytes or a clear error, in bounded time and memory, whatever the server does. */
import { afterEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/core/errors.ts';
import type { HttpLimits } from '../../src/core/http.ts';
import { differenceOf, parseContentRange } from '../../src/core/http-range.ts';
import type { RetryPolicy } from '../../src/core/http-retry.ts';
import { urlSource } from '../../src/read/url-source.ts';
import { startUrlServer, type UrlFault, type UrlServer, type Validator } from '../fuzz/url-server.ts';

const policy: RetryPolicy = { attempts: 4, firstWaitMs: 1, longestWaitMs: 4, longestRetryAfterMs: 2000 };
const limits: HttpLimits = { answerMs: 400, stallMs: 400, leastBytesPerSecond: 1000, rateMs: 200 };
const options = { policy, limits, random: () => 0.5 };
const file = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const other = file.map((byte) => byte ^ 1);

let server: UrlServer;
afterEach(() => server.close());

/** A source whose later requests meet `faults`, one each, and none behind. */
async function open(faults: readonly UrlFault[], validator: Validator = 'etag') {
  const rest: UrlFault[] = [{ kind: 'none' }, ...faults];
  server = await startUrlServer(file, validator, () => rest.shift() ?? { kind: 'none' });
  return urlSource(server.url, options);
}
/** One whose first requests meet them. */
async function openMeeting(faults: readonly UrlFault[], more = {}) {
  const rest = [...faults];
  server = await startUrlServer(file, 'etag', () => rest.shift() ?? { kind: 'none' });
  return urlSource(server.url, { ...options, ...more });
}
const always = (fault: UrlFault) => Array<UrlFault>(20).fill(fault);
const expectRight = (bytes: Uint8Array, start: number, end: number) =>
  expect(Buffer.compare(bytes, file.subarray(start, end))).toBe(0);

describe('what passes is overcome', () => {
  it.each<[string, UrlFault[]]>([
    [
      '503 and 500',
      [
        { kind: 'status', status: 503 },
        { kind: 'status', status: 500 },
      ],
    ],
    ['429 with Retry-After', [{ kind: 'status', status: 429, retryAfter: '1' }]],
    ['a stall', [{ kind: 'stall', after: 1000 }]],
    ['no answer', [{ kind: 'silence' }]],
    ['a crawling body', [{ kind: 'drip' }]],
    ['drops, each with progress', Array<UrlFault>(4).fill({ kind: 'drop', after: 66_000 })],
    ['no HTTP', [{ kind: 'garbage' }]],
    ['a range that begins elsewhere', [{ kind: 'wrong range' }]],
    ['a range without a label', [{ kind: 'no label' }]],
    ['the whole file', [{ kind: 'whole' }]],
    ['a part of the range', [{ kind: 'subset', by: 50_000 }]],
    [
      'a length that lies',
      [
        { kind: 'long length', by: 10 },
        { kind: 'short length', by: 10 },
      ],
    ],
  ])('%s', async (_, faults) => {
    const source = await open(faults);
    expectRight(await source.read(66_000, 300_000), 66_000, 300_000);
    await server.close();
    expectRight(await openMeeting(faults).then((again) => again.read(0, 300_000)), 0, 300_000);
  });

  it('what has come is not asked for again', async () => {
    const source = await open([{ kind: 'drop', after: 70_000 }]);
    expectRight(await source.read(100_000, 250_000), 100_000, 250_000);
    expect(server.requests.length).toBe(3);
    expect(Number(/^bytes=(\d+)-249999$/.exec(server.requests[2]!.range!)![1])).toBeGreaterThan(100_000);
  });
});

describe('another version is never mixed in', () => {
  it.each(['etag', 'weak etag', 'date', 'both'] as const)('told by its %s', async (validator) => {
    for (const kind of ['changed', 'changed, ranges all the same'] as const) {
      const source = await open([{ kind, content: other }], validator);
      await expect(source.read(100_000, 200_000)).rejects.toThrow(
        /a\.bin: the file was changed between two reads \((its ETag was|it was of) .*open it again/,
      );
      await server.close();
    }
  });
  it('told by its length', async () => {
    const source = await open(
      [{ kind: 'changed, ranges all the same', content: other.subarray(0, 200_000) }],
      'date',
    );
    await expect(source.read(100_000, 200_000)).rejects.toThrow('the file was changed between two reads');
  });
  it('a condition goes with every range where the server vouches for one', async () => {
    const source = await open([]);
    await source.read(100_000, 200_000);
    expect(server.requests.map((headers) => headers['if-range'])).toEqual([
      undefined,
      expect.stringMatching(/^".*-1"$/),
    ]);
    expect(server.requests.map((headers) => headers['accept-encoding'])).toEqual(['identity', 'identity']);
  });
});

describe('what lasts is an error', () => {
  it.each<[UrlFault, RegExp]>([
    [{ kind: 'status', status: 503 }, /a\.bin: the server answers 503, 4 times\. Try again later\./],
    [{ kind: 'status', status: 503, retryAfter: '9999' }, /answers 503, and asks to wait 9999 s\. Try/],
    [{ kind: 'stall', after: 0 }, /cannot be fetched \(nothing came for 0\.4 s, 4 times\)/],
    [{ kind: 'silence' }, /cannot be fetched \(no answer for 0\.4 s, \d times\)/],
    [{ kind: 'drip' }, /bytes a second came, too few to go on/],
    [{ kind: 'wrong range' }, /another range than was asked for \(bytes \d+-\d+\/300000\), 4 times/],
    [{ kind: 'absurd label' }, /another range than was asked for \(bytes \d+-\d+\/300000\), 4 times/],
    [{ kind: 'superset', by: 10 }, /another range than was asked for/],
    [{ kind: 'whole' }, /the server sends the whole file where a part is due, 4 times/],
    [{ kind: 'packed' }, /the server sends it encoded \(gzip\) unasked/],
    [{ kind: 'bomb' }, /the server sends it encoded \(gzip\) unasked/],
    [{ kind: 'status', status: 404 }, /answers 404 to bytes 100000–200000, after it gave the beginning/],
  ])('%j', async (fault, message) => {
    const source = await open(always(fault));
    // Slow drops: with every try some bytes come, and it would go on.
    if (fault.kind === 'drip') await expect(source.read(299_900, 300_000)).rejects.toThrow(message);
    else await expect(source.read(100_000, 200_000)).rejects.toThrow(message);
  });

  it('an address that nobody answers is tried twice, and not for a minute', async () => {
    server = await startUrlServer(file, 'etag', () => ({ kind: 'none' }));
    await server.close();
    await expect(urlSource(server.url)).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:\d+\/a\.bin: cannot be fetched \(.*, 2 times\)\. Check the connection\.$/,
    );
  });
});

describe('memory is bounded', () => {
  it.each(['longer body', 'endless body'] as const)('a %s is cut off at what was asked for', async (kind) => {
    const source = await open(always({ kind }));
    expectRight(await source.read(100_000, 200_000), 100_000, 200_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Buffers of the system and of Node hold some.
    expect(server.mostSent()).toBeLessThan(20e6);
  });
  it('a file that comes whole must fit', async () => {
    const whole = await openMeeting(always({ kind: 'whole' }), { maxBytes: 300_000 });
    expectRight(await whole.read(0, 300_000), 0, 300_000);
    await server.close();
    await expect(openMeeting(always({ kind: 'whole' }), { maxBytes: 299_999 })).rejects.toThrow(
      /sends the file whole, and at most 299999 bytes are held in memory; it has 300000\. Use a server that answers ranges/,
    );
  });
  it('a packed body is unpacked within a bound', async () => {
    const packed = await openMeeting(always({ kind: 'packed whole' }));
    expectRight(await packed.read(0, 300_000), 0, 300_000);
    await server.close();
    await expect(openMeeting(always({ kind: 'bomb' }))).rejects.toThrow(
      /whole and packed \(gzip\), and at most 67108864 bytes are held in memory; it has more/,
    );
  });
});

it('a signal stops reads and waits', async () => {
  for (const fault of [{ kind: 'silence' }, { kind: 'status', status: 503, retryAfter: '2' }] as const) {
    const control = new AbortController();
    const slow = { ...limits, answerMs: 60_000 };
    const source = await openMeeting([{ kind: 'none' }, ...always(fault)], {
      signal: control.signal,
      limits: slow,
    });
    setTimeout(() => control.abort(), 50);
    await expect(source.read(100_000, 200_000)).rejects.toThrow(InterruptedError);
    await server.close();
  }
});

describe('headers', () => {
  it.each([
    ['bytes 0-9/100', { start: 0, end: 10, total: 100 }],
    ['bytes 5-9/*', { start: 5, end: 10 }],
    ['bytes 9-5/100', undefined],
    ['bytes 0-100/100', undefined],
    ['bytes 0-99999999999999999999/*', undefined],
    ['bytes */100', undefined],
    ['items 0-9/100', undefined],
    [undefined, undefined],
  ])('Content-Range %j', (text, range) => {
    server ??= { close: async () => undefined } as UrlServer;
    expect(parseContentRange(text)).toEqual(range);
  });
  it('versions differ by their tags, else by their dates', () => {
    const [a, b] = [
      { etag: '"1"', lastModified: 'x' },
      { etag: '"2"', lastModified: 'x' },
    ];
    expect(differenceOf(a, b)).toBe('its ETag was "1", it is "2"');
    expect(differenceOf(a, { etag: 'W/"1"', lastModified: 'y' })).toBeUndefined();
    expect(differenceOf(a, { lastModified: 'y' })).toBe('it was of x, it is of y');
    expect(differenceOf(a, {})).toBeUndefined();
  });
});
