/**
 * Reading ahead: the next windows of a known sequence lie in memory before they are asked for. Two pools take turns, one
 * in use and one being filled, each read in runs of neighbours; the memory is allocated once.
 */
import type { StoreReader } from './store-reader.ts';
import type { Modality } from './windows.ts';

/** Reads under way at once, of a megabyte or so each. */
const parallelReads = 6;

/** Memory for a pool, by modality. */
export type Buffers = { readonly [M in Modality]?: Uint16Array<ArrayBuffer> };

/** Windows [from, to) of the sequence, in memory or on their way. */
interface Pool {
  readonly from: number;
  readonly to: number;
  readonly buffers: Buffers;
  /** For each window the read that brings it, and the reads. */
  readonly readOf: Int32Array;
  readonly reads: readonly Promise<void>[];
  /** All reads have ended, well or not. */
  readonly settled: Promise<void>;
  isSettled: boolean;
  users: number;
}

export interface PoolOptions {
  /** Windows of the store in the order in which they will be asked for. */
  readonly sequence: Int32Array;
  readonly modalities: readonly Modality[];
  /** Values in a window. */
  readonly sizes: { readonly [M in Modality]?: number };
  /** Windows in a pool. */
  readonly poolWindows: number;
  /** Memory of earlier streams; what is free again is put back. */
  readonly spare?: Buffers[];
}

export class WindowPools {
  readonly #pools = new Map<number, Pool>();
  readonly #free: Buffers[];
  /** Where in the sequence the next call is expected. */
  #next = 0;
  #isClosed = false;

  constructor(
    readonly reader: Pick<StoreReader, 'runs' | 'readRun' | 'read'>,
    readonly options: PoolOptions,
  ) {
    this.#free = options.spare ?? [];
  }

  /**
   * Give the stored bits of these windows to `take`. Those that go on in the sequence come from memory, all others are
   * read at once.
   */
  async read(
    windows: ArrayLike<number>,
    take: (modality: Modality, place: number, bits: Uint16Array) => void,
  ): Promise<void> {
    const at = this.#seek(windows);
    this.#next = Math.max(this.#next, at);
    this.#prepare();
    const { sequence, modalities, poolWindows } = this.options;
    const others: number[] = [];
    const jobs: Promise<void>[] = [];
    for (let place = 0; place < windows.length; ) {
      const position = at + place;
      if (sequence[position] !== windows[place]) {
        others.push(place++);
        continue;
      }
      const pool = this.#pool(Math.floor(position / poolWindows), position);
      if (position < pool.from) {
        others.push(place++);
        continue;
      }
      const begin = place;
      while (place < windows.length && at + place < pool.to && sequence[at + place] === windows[place])
        place++;
      jobs.push(this.#take(pool, at, begin, place, take));
    }
    if (others.length > 0) {
      const wanted = others.map((place) => windows[place]!);
      for (const modality of modalities)
        jobs.push(this.reader.read(modality, wanted, (i, bits) => take(modality, others[i]!, bits)));
    }
    this.#next = Math.max(this.#next, Math.min(sequence.length, at + windows.length));
    this.#prepare();
    await Promise.all(jobs);
  }

  /** Give the memory back as soon as nobody reads from it. */
  close(): void {
    this.#isClosed = true;
    this.#prepare();
  }

  #forget(number: number, pool: Pool): void {
    this.#pools.delete(number);
    if (pool.isSettled) this.#free.push(pool.buffers);
    else void pool.settled.then(() => this.#free.push(pool.buffers));
  }

  /** Where the windows stand in the sequence: where they are expected, or further on (a resumed run). */
  #seek(windows: ArrayLike<number>): number {
    const { sequence } = this.options;
    if (windows.length === 0 || sequence[this.#next] === windows[0]) return this.#next;
    const found = sequence.indexOf(windows[0]!, this.#next);
    return found < 0 ? this.#next : found;
  }

  async #take(
    pool: Pool,
    at: number,
    begin: number,
    end: number,
    take: (modality: Modality, place: number, bits: Uint16Array) => void,
  ): Promise<void> {
    const { modalities, sizes } = this.options;
    pool.users++;
    try {
      const reads = new Set<number>();
      for (let place = begin; place < end; place++) reads.add(pool.readOf[at + place - pool.from]!);
      await Promise.all(Array.from(reads, (read) => pool.reads[read]));
      for (const modality of modalities) {
        const size = sizes[modality]!;
        for (let place = begin; place < end; place++) {
          const slot = at + place - pool.from;
          take(modality, place, pool.buffers[modality]!.subarray(slot * size, (slot + 1) * size));
        }
      }
    } finally {
      pool.users--;
      this.#prepare();
    }
  }

  /** Fill the pool after the one in use, once that is filled; forget those that are behind. */
  #prepare(): void {
    const { sequence, poolWindows } = this.options;
    const current = Math.floor(this.#next / poolWindows);
    for (const [number, pool] of this.#pools) {
      if ((number >= current && !this.#isClosed) || pool.users > 0) continue;
      this.#forget(number, pool);
    }
    // Two pools at most: the next one waits until nobody reads from the last.
    const isReady = this.#pools.size === 1 && this.#pools.get(current)?.isSettled;
    const next = (current + 1) * poolWindows;
    if (isReady && !this.#isClosed && next < sequence.length) this.#pool(current + 1, next);
  }

  /** A pool; where it is new, it begins at `position`: what lies before has been used. */
  #pool(number: number, position: number): Pool {
    const { sequence, modalities, sizes, poolWindows } = this.options;
    const known = this.#pools.get(number);
    if (known) return known;
    const room = Math.min(poolWindows, sequence.length);
    const fits = (one: Buffers) =>
      modalities.every((modality) => (one[modality]?.length ?? 0) >= room * sizes[modality]!);
    const spare = this.#free.findIndex(fits);
    const buffers =
      spare >= 0
        ? this.#free.splice(spare, 1)[0]!
        : Object.fromEntries(
            modalities.map((modality) => [modality, new Uint16Array(room * sizes[modality]!)]),
          );
    const pool = this.#fill(position, Math.min(sequence.length, (number + 1) * poolWindows), buffers);
    this.#pools.set(number, pool);
    return pool;
  }

  #fill(from: number, to: number, buffers: Buffers): Pool {
    const { sequence, modalities, sizes } = this.options;
    const windows = sequence.subarray(from, to);
    // The arrays of all modalities are cut alike: runs of one are neighbours in the others too.
    const runs = this.reader.runs(modalities, windows);
    const readOf = new Int32Array(windows.length);
    for (const [r, { places }] of runs.entries()) for (const place of places) readOf[place] = r;
    // What is needed first is read first.
    const needed = runs.map(({ places }) => places.reduce((a, b) => Math.min(a, b)));
    const order = Array.from(runs.keys()).sort((a, b) => needed[a]! - needed[b]!);
    const limit = createLimit(parallelReads);
    const reads: Promise<void>[] = [];
    for (const r of order) {
      reads[r] = limit(async () => {
        for (const modality of modalities) {
          const size = sizes[modality]!;
          const keep = (place: number, bits: Uint16Array) => buffers[modality]!.set(bits, place * size);
          await this.reader.readRun(modality, windows, runs[r]!, keep);
        }
      });
    }
    // A failed read is told to whoever asks for its windows.
    const settled = Promise.allSettled(reads).then(() => {
      pool.isSettled = true;
      this.#prepare();
    });
    const pool: Pool = { from, to, buffers, readOf, reads, settled, isSettled: false, users: 0 };
    return pool;
  }
}

/** Runs work, at most so much of it at a time, in the order in which it is given. */
function createLimit(limit: number): (work: () => Promise<void>) => Promise<void> {
  let active = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (active >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    active++;
    try {
      await work();
    } finally {
      active--;
      waiting.shift()?.();
    }
  };
}
