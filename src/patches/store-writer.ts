/**
 * Windows in the order of their trials → a store. Every shard is written whole, then what it adds to the index; the
 * root's metadata come last: until then there is no store to read, and a killed run loses only the shard it was filling.
 */
import { DataError, FormatError } from '../core/errors.ts';
import { sha256 } from '../core/sha256.ts';
import { encodeColumn } from './store-arrays.ts';
import {
  groupMetadata,
  parseStoreInfo,
  type StoreInfo,
  shardPath,
  storeVersion,
  unfinishedFolder,
  windowSize,
  windowsMetadata,
} from './store-format.ts';
import { indexColumns, StoreIndexBuilder } from './store-index.ts';
import {
  DroppedCounts,
  type PartRecord,
  type PieceRecord,
  type Position,
  qualityOf,
  readPart,
  writePart,
} from './store-parts.ts';
import type { StorePlace } from './store-place.ts';
import {
  assertSamePlan,
  type PlanIdentity,
  planIdentity,
  type StorePlan,
  storedSignals,
  storedTargets,
} from './store-plan.ts';
import { encodeShard } from './store-shard.ts';
import type { Dropped, Modality, TrialPast } from './windows.ts';

/** The windows of a trial, or of a stretch of a long one. */
export interface TrialPiece {
  /** Index of the trial, and of the piece in it. */
  readonly trial: number;
  readonly piece: number;
  /** Stored bits of each window [n, C, T], and its largest |value| in microvolt. */
  readonly signals: {
    readonly [M in Modality]?: { readonly bits: Uint16Array; readonly peak: Float32Array };
  };
  /** Seconds of each window. */
  readonly start: Float64Array;
  /** What contexts have before each window, in seconds: see WindowSet. */
  readonly history?: Float64Array;
  /** R peaks in seconds. */
  readonly beats: Float64Array;
  /** Of its contexts: with its first piece. */
  readonly past?: TrialPast;
  readonly dropped: readonly Dropped[];
}

const planPath = `${unfinishedFolder}/plan.json`;
export const rootPath = 'zarr.json';

export interface WriterOptions {
  /** Replace whatever store is there. */
  readonly force?: boolean;
}

export class StoreWriter {
  readonly #modalities: readonly Modality[];
  readonly #sizes: { readonly [M in Modality]?: number };
  readonly #buffers: { [M in Modality]?: Uint16Array<ArrayBuffer> } = {};
  /** Windows in the buffers. */
  #filled = 0;
  #part = emptyPart();
  #parts = 0;
  #next: Position = { trial: 0, piece: 0, window: 0 };

  private constructor(
    readonly place: StorePlace,
    readonly plan: StorePlan,
    readonly identity: PlanIdentity,
  ) {
    const signals = storedSignals(plan);
    this.#modalities = (['eeg', 'ecg'] as const).filter((modality) => signals[modality]);
    this.#sizes = Object.fromEntries(
      this.#modalities.map((modality) => [modality, windowSize(signals[modality]!)]),
    );
    for (const modality of this.#modalities)
      this.#buffers[modality] = new Uint16Array(plan.windowsPerShard * this.#sizes[modality]!);
  }

  /**
   * Begin a store, or go on with one that was begun by the same plan. ConfigError where another plan's store is there,
   * finished or not.
   */
  static async open(
    place: StorePlace,
    plan: StorePlan,
    { force = false }: WriterOptions = {},
  ): Promise<StoreWriter> {
    const identity = planIdentity(plan, await hashTrials(plan));
    const writer = new StoreWriter(place, plan, identity);
    if (force) await writer.#clear();
    const finished = await readFinished(place);
    if (finished) {
      assertSamePlan(finished.identity, identity, place.name);
      writer.#finished = finished.info;
      return writer;
    }
    const begun = await place.read(planPath);
    if (begun) assertSamePlan(parseJson(begun, `${place.name}/${planPath}`), identity, place.name);
    else await place.write(planPath, encodeJson(identity));
    await writer.#resume();
    return writer;
  }

  #finished: StoreInfo | undefined;

  /** The store, where it was finished before. */
  get finished(): StoreInfo | undefined {
    return this.#finished;
  }

  /** Where to go on: pieces before this one are stored already. */
  get next(): Position {
    return this.#next;
  }

  /** Finished shards of each modality. */
  get shards(): number {
    return this.#parts;
  }

  /** Store a piece. They come in order, beginning with the one at `next`; a piece that was begun is given whole again. */
  async add(piece: TrialPiece): Promise<void> {
    const { trial, piece: index, window } = this.#next;
    if (piece.trial < trial || (piece.trial === trial && piece.piece < index))
      throw new RangeError(`store: piece ${piece.trial}.${piece.piece} after ${trial}.${index}`);
    const begun = piece.trial === trial && piece.piece === index ? window : 0;
    // A piece that was begun has been counted with its first window.
    if (begun === 0) this.#count(piece);
    for (let i = begun; i < piece.start.length; i++) {
      this.#append(piece, i);
      this.#next = { trial: piece.trial, piece: piece.piece, window: i + 1 };
      if (this.#filled === this.plan.windowsPerShard) await this.#flush();
    }
    // After its last window a piece is over, also where it holds none.
    this.#next = { trial: piece.trial, piece: piece.piece + 1, window: 0 };
  }

  /** Write the rest and the index: from now on there is a store. DataError where it would hold no window. */
  async finish(): Promise<StoreInfo> {
    if (this.#finished) return this.#finished;
    if (this.#filled > 0) await this.#flush();
    const info = await this.#describe();
    this.#finished = info;
    await this.place.remove(unfinishedFolder);
    return info;
  }

  #count({ trial, start, beats, past, dropped }: TrialPiece): void {
    const left = dropped.reduce((sum, { what, count }) => sum + (what === 'window' ? count : 0), 0);
    const quality = qualityOf(dropped);
    if (start.length > 0 || left > 0 || quality > 0 || beats.length > 0 || past)
      this.#part.pieces.push({
        ...{ trial, dropped: left, quality, beats: Array.from(beats) },
        ...(past && { past: { beats: Array.from(past.beats), seams: Array.from(past.seams) } }),
      });
    this.#part.dropped.add(dropped);
  }

  #append({ trial, signals, start, history }: TrialPiece, i: number): void {
    for (const modality of this.#modalities) {
      const size = this.#sizes[modality]!;
      const { bits, peak } = signals[modality]!;
      this.#buffers[modality]!.set(bits.subarray(i * size, (i + 1) * size), this.#filled * size);
      this.#part.peak[modality] ??= [];
      this.#part.peak[modality].push(peak[i]!);
    }
    this.#part.trial.push(trial);
    this.#part.start.push(start[i]!);
    if (history) this.#part.history.push(history[i]!);
    this.#filled++;
  }

  async #flush(): Promise<void> {
    const shards: { [M in Modality]?: { bytes: number; sha256: string } } = {};
    for (const modality of this.#modalities) {
      const size = this.#sizes[modality]!;
      const { buffer } = this.#buffers[modality]!;
      const shard = encodeShard(
        new Uint8Array(buffer, 0, 2 * this.#filled * size),
        2 * size,
        this.plan.windowsPerShard,
      );
      await this.place.write(shardPath(modality, this.#parts), shard);
      shards[modality] = { bytes: shard.length, sha256: await sha256(shard) };
    }
    const { trial, start, history, peak, pieces, dropped } = this.#part;
    const part: PartRecord = {
      windows: { trial, start, peak, ...(history.length > 0 && { history }) },
      pieces,
      dropped: dropped.list,
      shards,
      next: this.#next,
    };
    await writePart(this.place, this.#parts, part);
    this.#parts++;
    this.#filled = 0;
    this.#part = emptyPart();
  }

  /** Go on after the last shard whose part is there. */
  async #resume(): Promise<void> {
    for (
      let part = await readPart(this.place, this.#parts);
      part;
      part = await readPart(this.place, this.#parts)
    ) {
      this.#next = part.next;
      this.#parts++;
      // The last shard is the only one that may have room: it is filled again.
      if (part.windows.trial.length === this.plan.windowsPerShard) continue;
      this.#parts--;
      this.#next =
        this.#parts === 0
          ? { trial: 0, piece: 0, window: 0 }
          : (await readPart(this.place, this.#parts - 1))!.next;
      break;
    }
  }

  async #describe(): Promise<StoreInfo> {
    const { plan, place } = this;
    const index = new StoreIndexBuilder(plan.trials);
    const shards: { [M in Modality]?: { bytes: number; sha256: string }[] } = {};
    for (const modality of this.#modalities) shards[modality] = [];
    for (let i = 0; i < this.#parts; i++) {
      const part = await readPart(place, i);
      if (!part)
        throw new FormatError(`${place.name}: part ${i} is gone. Use --force to begin anew.`, place.name);
      index.add(part);
      for (const modality of this.#modalities) shards[modality]!.push(part.shards[modality]!);
    }
    // What came after the last window.
    index.addRest(this.#part.pieces, this.#part.dropped.list);
    if (index.count === 0) throw new DataError(noWindows(index.dropped));
    const targets = storedTargets(plan);
    const columns = indexColumns(index, plan, targets);
    const metadata: Record<string, unknown> = {};
    const hashes: string[] = [];
    for (const { name, column, attributes } of columns) {
      const { metadata: meta, files } = encodeColumn(name, column, attributes);
      for (const [path, bytes] of files) {
        await place.write(path, bytes);
        hashes.push(`${path} ${await sha256(bytes)}`);
      }
      metadata[name] = meta;
    }
    const signals = storedSignals(plan);
    const hash = await hashText(
      JSON.stringify([
        this.identity,
        Object.entries(shards).map(([m, list]) => [m, list.map((one) => one.sha256)]),
        hashes,
      ]),
    );
    const info: StoreInfo = {
      version: storeVersion,
      recipe: plan.recipe,
      dataset: plan.dataset,
      type: plan.type,
      count: index.count,
      trials: plan.trials.length,
      subjects: index.subjects.length,
      windowsPerShard: plan.windowsPerShard,
      signals,
      shards,
      targets,
      dropped: index.dropped.map((entry) => ({ ...entry, examples: [...entry.examples] })),
      hash,
    };
    for (const modality of this.#modalities) metadata[modality] = windowsMetadata(info, modality);
    for (const [name, meta] of Object.entries(metadata))
      await place.write(`${name}/zarr.json`, encodeJson(meta));
    const root = groupMetadata(info, metadata);
    await place.write(
      rootPath,
      encodeJson({ ...root, attributes: { ...root.attributes, heartmind_plan: this.identity } }),
    );
    return info;
  }

  /** Remove what is there, the root first: a half-removed store is none. */
  async #clear(): Promise<void> {
    const root = await this.place.read(rootPath);
    await this.place.remove(rootPath);
    await this.place.remove(unfinishedFolder);
    if (!root) return;
    const { consolidated_metadata: found } = parseJson(root, rootPath) as ReturnType<typeof groupMetadata>;
    for (const name of Object.keys(found?.metadata ?? {}))
      if (/^[\w-]+$/.test(name)) await this.place.remove(name);
  }
}

function emptyPart() {
  return {
    trial: [] as number[],
    start: [] as number[],
    history: [] as number[],
    peak: {} as { [M in Modality]?: number[] },
    pieces: [] as PieceRecord[],
    dropped: new DroppedCounts(),
  };
}

async function readFinished(place: StorePlace): Promise<{ info: StoreInfo; identity: unknown } | undefined> {
  const bytes = await place.read(rootPath);
  if (!bytes) return undefined;
  const where = `${place.name}/${rootPath}`;
  const { attributes } = parseJson(bytes, where) as { attributes?: Record<string, unknown> };
  if (attributes?.heartmind === undefined)
    throw new FormatError(`${where}: a Zarr group of another kind is there. Choose another --out.`, where);
  return { info: parseStoreInfo(attributes.heartmind, where), identity: attributes.heartmind_plan };
}

/** The sentence where every window was left out. */
function noWindows(dropped: readonly Dropped[]): string {
  const reasons = dropped.map(({ count, what, reason }) => `${count} × ${what}: ${reason}`).join('; ');
  return `windows: none is left (${reasons || 'no recordings were given'}). Check the recipe's window.`;
}

/** Some at a time: the text of a million trials is large. */
async function hashTrials({ trials }: StorePlan): Promise<string> {
  const some = 10_000;
  let hash = '';
  for (let i = 0; i < trials.length; i += some)
    hash = await hashText(
      JSON.stringify([
        hash,
        trials
          .slice(i, i + some)
          .map(({ id, subject, targets, session }) => [id, subject, targets, ...(session ? [session] : [])]),
      ]),
    );
  return hash;
}

function hashText(text: string): Promise<string> {
  return sha256(new TextEncoder().encode(text));
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FormatError(`${path}: no valid JSON. Use --force to begin anew.`, path, undefined, { cause });
  }
}
