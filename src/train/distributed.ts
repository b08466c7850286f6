/**
 * What ranks agree on and how work is spread over them, on the three calls of `Ranks`. Whatever is spread comes back in
 * the order of one rank, so that results do not depend on how many there are. A process alone (`undefined`) does it all.
 */
import { joinArrays } from '../core/arrays.ts';
import { ConfigError, InterruptedError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Ranks } from './ranks.ts';

/** Whether this process writes results, checkpoints and progress: rank 0, or a process alone. */
export function isWriter(ranks: Ranks | undefined): boolean {
  return (ranks?.rank ?? 0) === 0;
}

/** Whether any rank says so: the same answer on every rank. */
export async function anyRank(ranks: Ranks | undefined, flag: boolean): Promise<boolean> {
  if (!ranks) return flag;
  const flags = Float32Array.of(Number(flag));
  await ranks.sum(flags);
  return flags[0]! > 0;
}

/** Wait until every rank has come here. */
export async function meet(ranks: Ranks | undefined): Promise<void> {
  await anyRank(ranks, false);
}

/** The bytes of rank 0 on every rank; undefined where rank 0 has none. */
export async function shareBytes(
  ranks: Ranks | undefined,
  bytes: Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  if (!ranks) return bytes;
  const length = new Float64Array([bytes?.length ?? -1]);
  await ranks.broadcast(new Uint8Array(length.buffer));
  if (length[0]! < 0) return undefined;
  const shared = isWriter(ranks) ? bytes! : new Uint8Array(length[0]!);
  await ranks.broadcast(shared);
  return shared;
}

/** Figures of rank 0 on every rank, to the bit: NaN and infinity included. */
export async function shareFigures(
  ranks: Ranks | undefined,
  figures: Readonly<Record<string, number>>,
): Promise<Readonly<Record<string, number>>> {
  if (!ranks) return figures;
  const names = await shareBytes(ranks, encodeJson(Object.keys(figures)));
  const values = await shareBytes(ranks, bytesOf(Float64Array.from(Object.values(figures))));
  const numbers = new Float64Array(values!.slice().buffer);
  return Object.fromEntries((decodeJson(names!) as string[]).map((name, i) => [name, numbers[i]!]));
}

/** Whether tensors are the same on every rank, to the bit; the same answer on every rank. */
export async function areEqual(ranks: Ranks, tensors: readonly Tensor<'float32'>[]): Promise<boolean> {
  const own = await digestOf(tensors);
  return (await ranks.gather(own)).every((digest) => digest.every((byte, i) => byte === own[i]));
}

/** The same ranks; `take` hears for how many seconds each sum waited for the slowest rank, and how many it took then. */
export function timeSums(ranks: Ranks, take: (waiting: number, summing: number) => void): Ranks {
  return {
    rank: ranks.rank,
    size: ranks.size,
    async sum(values) {
      const begun = performance.now();
      await meet(ranks); // some microseconds: what follows is the network's time alone
      const met = performance.now();
      await ranks.sum(values);
      take((met - begun) / 1000, (performance.now() - met) / 1000);
    },
    broadcast: (bytes) => ranks.broadcast(bytes),
    gather: (bytes) => ranks.gather(bytes),
  };
}

/** ConfigError where ranks were given different recipes or data: they would train something that nobody asked for. */
export async function assertSameTask(
  ranks: Ranks | undefined,
  identity: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (!ranks) return;
  // Key by key, so that the message can name it.
  const all = (await ranks.gather(encodeJson(identity))).map(
    (bytes) => decodeJson(bytes) as Record<string, unknown>,
  );
  for (const key of Object.keys(all[0]!)) {
    const values = all.map((one) => JSON.stringify(one[key]));
    const other = values.findIndex((value) => value !== values[0]);
    if (other < 0) continue;
    throw new ConfigError(
      `${key}: rank ${other} has ${shorten(values[other])}, rank 0 has ${shorten(values[0])}. Give every rank the same recipe and the same files.`,
      key,
      'the same on every rank',
    );
  }
}

/** A half-open range of rows. */
export interface Rows {
  readonly start: number;
  readonly end: number;
}

/** The rows of each rank: whole blocks, so that a rank computes batches that one rank alone would. */
export function cutRows(count: number, block: number, size: number): Rows[] {
  const blocks = Math.ceil(count / block);
  return Array.from({ length: size }, (_, rank) => ({
    start: Math.min(count, block * Math.floor((blocks * rank) / size)),
    end: Math.min(count, block * Math.floor((blocks * (rank + 1)) / size)),
  }));
}

/** What `compute` gives for all rows, each rank having computed its part, on every rank: [count, …]. */
export async function spreadRows(
  ranks: Ranks | undefined,
  count: number,
  block: number,
  compute: (rows: Rows) => Promise<Float32Array>,
): Promise<Float32Array> {
  if (!ranks) return compute({ start: 0, end: count });
  const { start, end } = cutRows(count, block, ranks.size)[ranks.rank]!;
  const own = start < end ? await compute({ start, end }) : new Float32Array(0);
  const parts = (await ranks.gather(bytesOf(own))).map((part) => new Float32Array(part.slice().buffer));
  return joinArrays(Float32Array, parts);
}

/**
 * Independent jobs dealt to ranks, rank r taking r, r + size, …; `run` gives plain JSON. The results in the order of the
 * jobs, on every rank. InterruptedError on every rank where one was stopped; whatever else a job throws, its own rank
 * throws at once, and the caller ends the other ranks.
 */
export async function dealJobs<Job, Result>(
  ranks: Ranks | undefined,
  jobs: readonly Job[],
  run: (job: Job, index: number) => Promise<Result>,
): Promise<Result[]> {
  const size = ranks?.size ?? 1;
  const own: Result[] = [];
  let stopped: InterruptedError | undefined;
  try {
    for (let i = ranks?.rank ?? 0; i < jobs.length; i += size) own.push(await run(jobs[i]!, i));
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    stopped = error;
  }
  if (await anyRank(ranks, stopped !== undefined))
    throw stopped ?? new InterruptedError('jobs: stopped, as another rank was. Run again to resume.');
  if (!ranks) return own;
  const parts = (await ranks.gather(encodeJson(own))).map((part) => decodeJson(part) as Result[]);
  return jobs.map((_, i) => parts[i % size]![Math.floor(i / size)]!);
}

async function digestOf(tensors: readonly Tensor<'float32'>[]): Promise<Uint8Array> {
  const parts = await Promise.all(
    tensors.map(({ data }) => crypto.subtle.digest('SHA-256', data as Float32Array<ArrayBuffer>)),
  );
  const all = new Uint8Array(parts.flatMap((part) => [...new Uint8Array(part)]));
  return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

function bytesOf(values: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decodeJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function shorten(text = 'nothing'): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
