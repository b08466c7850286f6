/**
 * Stored windows by their number: their shards are opened when needed, neighbours are read together, every window is
 * checked by its CRC-32C. Works over any files that give ranges of their bytes: a folder, a server.
 */
import { maxOf, minOf } from '../core/arrays.ts';
import type { ByteSource } from '../core/bytes.ts';
import { DataError, FormatError } from '../core/errors.ts';
import { asTexts, type Column, decodeColumn } from './store-arrays.ts';
import { parseStoreInfo, type StoreInfo, shardPath, unfinishedFolder, windowSize } from './store-format.ts';
import { readWhole, type StoreFiles } from './store-place.ts';
import { checkChunk, chunkBytes, decodeShardIndex, indexBytes } from './store-shard.ts';
import type { Modality } from './windows.ts';

/** Shards that are open at once. */
const openShards = 64;
/** One read is at most so long, and bridges at most such a gap. */
const runBytes = 2 ** 20;
const gapBytes = 64 * 1024;
/** Reads under way at once: enough to keep a disk busy while windows are checked. */
const parallelReads = 16;

interface Shard {
  readonly source: ByteSource;
  readonly offsets: Float64Array;
}

/** Neighbouring windows of a shard, and what they are in the caller's list. */
export interface Run {
  readonly shard: number;
  /** Places in the caller's list, by offset in the shard. */
  readonly places: readonly number[];
}

export class StoreReader {
  readonly #shards = new Map<string, Promise<Shard>>();
  readonly #columns = new Map<string, Promise<Column>>();
  /** Buffers of reads that are over: as many as ran at once. */
  readonly #memory: Uint8Array[] = [];

  private constructor(
    readonly files: StoreFiles,
    readonly info: StoreInfo,
    readonly metadata: Readonly<Record<string, unknown>>,
  ) {}

  /** Open a store. FormatError where there is none, DataError where it is not finished. */
  static async open(files: StoreFiles): Promise<StoreReader> {
    let bytes: Uint8Array;
    try {
      bytes = await readWhole(files, 'zarr.json');
    } catch (cause) {
      // A server that cannot be reached, or a file that may not be read, speaks for itself.
      if (!(cause instanceof FormatError) || !isAbsent(cause)) throw cause;
      if (await isUnfinished(files))
        throw new DataError(
          `${files.name}: this store is not finished. Run the same 'heartmind prepare' again: it goes on where it stopped.`,
          { cause },
        );
      throw new FormatError(
        `${files.name}: there is no store (no zarr.json). Check the path.`,
        files.name,
        undefined,
        {
          cause,
        },
      );
    }
    const where = `${files.name}/zarr.json`;
    let root: {
      attributes?: Record<string, unknown>;
      consolidated_metadata?: { metadata?: Record<string, unknown> };
    };
    try {
      root = JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw new FormatError(`${where}: no valid JSON. Copy or prepare the store again.`, where, undefined, {
        cause,
      });
    }
    if (root.attributes?.heartmind === undefined)
      throw new FormatError(`${where}: a Zarr group, but no store of heartmind. Check the path.`, where);
    return new StoreReader(
      files,
      parseStoreInfo(root.attributes.heartmind, where),
      root.consolidated_metadata?.metadata ?? {},
    );
  }

  /** A column of the index; kept once read. */
  column(name: string): Promise<Column> {
    let column = this.#columns.get(name);
    if (!column) {
      column = decodeColumn(name, this.metadata[name], (path) => readWhole(this.files, path));
      this.#columns.set(name, column);
    }
    return column;
  }

  async numbers(name: string): Promise<Exclude<Column, readonly string[]>> {
    const column = await this.column(name);
    if (ArrayBuffer.isView(column)) return column;
    throw new FormatError(`${this.files.name}/${name}: texts, numbers are due.`, name);
  }

  async texts(name: string): Promise<readonly string[]> {
    return asTexts(await this.column(name));
  }

  /** Group windows by what one read of each modality brings. */
  runs(modalities: readonly Modality[], windows: ArrayLike<number>): Run[] {
    const { windowsPerShard } = this.info;
    const stride = maxOf(modalities.map((modality) => chunkBytes(this.#windowBytes(modality))));
    const places = Int32Array.from({ length: windows.length }, (_, i) => i).sort(
      (a, b) => windows[a]! - windows[b]!,
    );
    const runs: { shard: number; places: number[] }[] = [];
    let [first, last] = [Number.NaN, Number.NaN];
    for (const place of places) {
      const window = windows[place]!;
      const shard = Math.floor(window / windowsPerShard);
      const run = runs.at(-1);
      const joins =
        run?.shard === shard &&
        (window - last - 1) * stride <= gapBytes &&
        (window - first + 1) * stride <= runBytes;
      if (joins) run.places.push(place);
      else {
        runs.push({ shard, places: [place] });
        first = window;
      }
      last = window;
    }
    return runs;
  }

  /** Read a run: `take` gets each window's stored bits, valid only during the call. */
  async readRun(
    modality: Modality,
    windows: ArrayLike<number>,
    { shard: number, places }: Run,
    take: (place: number, bits: Uint16Array) => void,
  ): Promise<void> {
    const windowBytes = this.#windowBytes(modality);
    const stride = chunkBytes(windowBytes);
    const { source, offsets } = await this.#shard(modality, number);
    const offsetOf = (place: number) => {
      const offset = offsets[windows[place]! - number * this.info.windowsPerShard]!;
      if (offset >= 0) return offset;
      throw new FormatError(
        `${source.name}: window ${windows[place]} is not in it. Copy or prepare the store again.`,
        source.name,
      );
    };
    // Windows of a shard of ours lie in order; another writer's may not.
    const all = places.map(offsetOf);
    const [from, to] = [minOf(all), maxOf(all) + stride];
    if (to - from > 2 * runBytes) {
      for (const [i, place] of places.entries())
        take(place, asWords(checkChunk(await source.read(all[i]!, all[i]! + stride), source.name, all[i]!)));
      return;
    }
    // Fresh memory costs more than reading into it.
    const memory = this.#memory.pop() ?? new Uint8Array(2 * runBytes);
    try {
      const bytes = await source.read(from, to, memory.subarray(0, to - from));
      for (const [i, place] of places.entries()) {
        const chunk = bytes.subarray(all[i]! - from, all[i]! - from + stride);
        take(place, asWords(checkChunk(chunk, source.name, all[i]!)));
      }
    } finally {
      this.#memory.push(memory);
    }
  }

  /** Read windows; `take` gets each one's place in the list and its stored bits, valid only during the call. */
  async read(
    modality: Modality,
    windows: ArrayLike<number>,
    take: (place: number, bits: Uint16Array) => void,
  ): Promise<void> {
    await inParallel(this.runs([modality], windows), parallelReads, (run) =>
      this.readRun(modality, windows, run, take),
    );
  }

  /** Close all shards. */
  async close(): Promise<void> {
    const shards = [...this.#shards.values()];
    this.#shards.clear();
    for (const shard of shards) await shard.then(({ source }) => source.close?.()).catch(() => undefined);
  }

  #windowBytes(modality: Modality): number {
    return 2 * windowSize(this.info.signals[modality]!);
  }

  #shard(modality: Modality, number: number): Promise<Shard> {
    const path = shardPath(modality, number);
    const known = this.#shards.get(path);
    // The one used last stands last.
    this.#shards.delete(path);
    const shard = known ?? this.#openShard(modality, number, path);
    this.#shards.set(path, shard);
    if (this.#shards.size > openShards) {
      const [oldest, closing] = this.#shards.entries().next().value!;
      this.#shards.delete(oldest);
      // Reads that are under way end first: a file is closed only after them.
      closing.then(({ source }) => source.close?.()).catch(() => undefined);
    }
    return shard;
  }

  async #openShard(modality: Modality, number: number, path: string): Promise<Shard> {
    try {
      const { windowsPerShard: places, shards } = this.info;
      const source = await this.files.open(path);
      const due = shards[modality]?.[number]?.bytes;
      if (source.byteLength !== due) {
        await source.close?.();
        throw new FormatError(
          `${source.name}: ${source.byteLength} bytes, ${due ?? 'none'} are due. The copy is ${source.byteLength < (due ?? 0) ? 'truncated' : 'of another store'}; copy or prepare it again.`,
          source.name,
          source.byteLength,
        );
      }
      const dataBytes = due - indexBytes(places);
      const index = await source.read(dataBytes, due);
      const shape = { name: source.name, windowBytes: this.#windowBytes(modality), places, dataBytes };
      return { source, offsets: decodeShardIndex(index, shape) };
    } catch (error) {
      // It may be repaired meanwhile: the next read tries anew.
      this.#shards.delete(path);
      throw error;
    }
  }
}

function isAbsent({ message }: FormatError): boolean {
  return /there is no such file|the server answers (403|404|410)\b/.test(message);
}

async function isUnfinished(files: StoreFiles): Promise<boolean> {
  try {
    await (await files.open(`${unfinishedFolder}/plan.json`)).close?.();
    return true;
  } catch {
    return false;
  }
}

/** 16-bit words of bytes; they are copied where they are not aligned. */
function asWords(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

/** Some at a time, in order; the first error ends it. */
async function inParallel<T>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
