/**
 * Case by number: a file on a server that fails → what readers of URLs make of it. Every read gives bytes of one and the same
 * version of the file, or an error of ours, in time; what is downloaded is whole, or is not in its place.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeartmindError } from '../../src/core/errors.ts';
import type { HttpLimits } from '../../src/core/http.ts';
import type { RetryPolicy } from '../../src/core/http-retry.ts';
import { Random } from '../../src/core/random.ts';
import { fetchFile } from '../../src/datasets/fetch-file-node.ts';
import { HttpClient } from '../../src/datasets/fetch-http-node.ts';
import { urlFiles } from '../../src/patches/store-url.ts';
import { urlSource } from '../../src/read/url-source.ts';
import { Violation } from './probe.ts';
import { startUrlServer, type UrlFault, type UrlServer, type Validator } from './url-server.ts';

export type UrlWay = 'recording' | 'store' | 'download';
export interface UrlReport {
  readonly way: UrlWay;
  readonly outcome: 'opened' | 'refused';
  readonly milliseconds: number;
}

/** Waits are short, so that a case is. */
export const quickPolicy: RetryPolicy = {
  attempts: 4,
  firstWaitMs: 1,
  longestWaitMs: 4,
  longestRetryAfterMs: 1000,
};
export const quickLimits: HttpLimits = {
  answerMs: 250,
  stallMs: 250,
  leastBytesPerSecond: 1000,
  rateMs: 300,
};
/** Of tries that each wait for the limits. */
const maxMilliseconds = 20_000;
/** What an endless body may bring before it is cut off: kernels and streams keep some megabytes. */
const mostUnasked = 24 * 2 ** 20;

function drawFault(random: Random, file: Uint8Array, trouble: number): UrlFault {
  if (random.uniform() >= trouble) return { kind: 'none' };
  const by = 1 + random.integer(5000);
  const statuses = [503, 500, 429, 408, 502, 404, 403, 204, 304, 206, 416, 412, 301];
  const other = Uint8Array.from(
    { length: Math.max(1, file.length - (random.uniform() < 0.5 ? 0 : random.integer(50))) },
    () => random.integer(256),
  );
  const faults: readonly UrlFault[] = [
    { kind: 'status', status: statuses[random.integer(statuses.length)]! },
    { kind: 'status', status: 503, retryAfter: random.uniform() < 0.5 ? '0' : '4000' },
    { kind: 'wrong range' },
    { kind: 'no label' },
    { kind: 'absurd label' },
    { kind: 'subset', by },
    { kind: 'superset', by },
    { kind: 'longer body' },
    { kind: 'endless body' },
    { kind: 'drop', after: random.integer(file.length + 1) },
    { kind: 'stall', after: random.integer(file.length + 1) },
    { kind: 'long length', by },
    { kind: 'short length', by },
    { kind: 'silence' },
    { kind: 'garbage' },
    { kind: 'drip' },
    { kind: 'whole' },
    { kind: 'packed' },
    { kind: 'packed whole' },
    { kind: 'bomb' },
    { kind: 'changed', content: other },
    { kind: 'changed, ranges all the same', content: other },
  ];
  return faults[random.integer(faults.length)]!;
}

/** Violation where a promise is broken. */
export async function runUrlCase(seed: number, number: number): Promise<UrlReport> {
  const random = Random.derive(seed, 'fuzz-url', number);
  const way = (['recording', 'store', 'download'] as const)[number % 3]!;
  const length = 1 + random.integer(random.uniform() < 0.3 ? 2000 : 300_000);
  const file = Uint8Array.from({ length }, () => random.integer(256));
  const validators: readonly Validator[] = ['etag', 'weak etag', 'date', 'both'];
  const trouble = [0.1, 0.3, 0.7][random.integer(3)]!;
  const hash = random.uniform() < 0.5 ? createHash('sha256').update(file).digest('hex') : undefined;
  const server = await startUrlServer(
    file,
    validators[random.integer(4)]!,
    () => drawFault(random, file, trouble),
    { isLiar: way === 'download' && hash !== undefined },
  );
  const before = performance.now();
  try {
    const outcome = await outcomeOf(
      way === 'download' ? download(server, hash) : readAll(way, server, random),
    );
    const milliseconds = performance.now() - before;
    if (milliseconds > maxMilliseconds) throw new Violation(`took ${Math.round(milliseconds)} ms`);
    if (server.mostSent() > length + mostUnasked)
      throw new Violation(`${server.mostSent()} bytes were taken`);
    return { way, outcome, milliseconds };
  } finally {
    await server.close();
  }
}

async function outcomeOf(work: Promise<void>): Promise<UrlReport['outcome']> {
  try {
    await work;
    return 'opened';
  } catch (error) {
    if (error instanceof Violation) throw error;
    if (!(error instanceof HeartmindError))
      throw new Violation(`escaped: ${error instanceof Error ? error.stack : error}`);
    if (!error.message.includes(':') || error.message.length < 30)
      throw new Violation(`says nothing: '${error.message}'`);
    return 'refused';
  }
}

async function readAll(way: UrlWay, server: UrlServer, random: Random): Promise<void> {
  const options = { policy: quickPolicy, limits: quickLimits, random: () => 0.5, maxBytes: 2 ** 21 };
  const source =
    way === 'recording'
      ? await urlSource(server.url, options)
      : await urlFiles(server.url.replace(/a\.bin$/, ''), options).open('a.bin');
  let possible = server.versions.filter(({ length }) => length === source.byteLength);
  if (possible.length === 0) throw new Violation(`${source.byteLength} bytes, no version has so many`);
  const { byteLength } = source;
  for (let i = 0; i < 6; i++) {
    const start = i === 0 ? 0 : random.integer(byteLength);
    const end = i < 2 ? byteLength : start + random.integer(byteLength - start + 1);
    const bytes = await source.read(start, end);
    possible = possible.filter((version) => Buffer.compare(version.subarray(start, end), bytes) === 0);
    if (possible.length === 0)
      throw new Violation(`bytes ${start}–${end} are of no version, or of another one`);
  }
}

async function download(server: UrlServer, sha256: string | undefined): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heartmind-fuzz-'));
  const http = new HttpClient({ ...quickLimits });
  const target = join(folder, 'a.bin');
  const isRight = async () => {
    const bytes = await readFile(target);
    return server.versions.some((version) => Buffer.compare(version, bytes) === 0);
  };
  try {
    await fetchFile(http, { url: server.url, path: 'a.bin', ...(sha256 && { sha256 }) }, target, {
      policy: quickPolicy,
      mostBytes: 2 ** 22,
    });
    if (!(await isRight())) throw new Violation('what was put in place is of no version');
  } catch (error) {
    if (existsSync(target) && !(await isRight())) throw new Violation('a wrong file is in place');
    throw error;
  } finally {
    http.close();
    await rm(folder, { recursive: true, force: true });
  }
}
