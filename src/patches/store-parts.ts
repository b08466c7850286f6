/**
 * What an unfinished store knows of its finished shards: a small JSON file beside each, with the rows of the index that
 * belong to it and where the next shard begins. A run that was killed goes on after the last of them.
 */
import { appendAll } from '../core/arrays.ts';
import { FormatError } from '../core/errors.ts';
import { unfinishedFolder } from './store-format.ts';
import type { StorePlace } from './store-place.ts';
import type { Dropped, Modality } from './windows.ts';

/** A piece of a trial: all of it, or a stretch of a long one. Counted from 0 in the order of the trials. */
export interface Position {
  readonly trial: number;
  readonly piece: number;
  /** Windows of the piece that are stored already. */
  readonly window: number;
}

/** What a piece adds to the index of its trial. */
export interface PieceRecord {
  readonly trial: number;
  /** Windows left out. */
  readonly dropped: number;
  /** Flags: see `qualityFlags`. */
  readonly quality: number;
  /** R peaks in seconds. */
  readonly beats: readonly number[];
  /** Of what its contexts reach back to: see TrialPast. */
  readonly past?: { readonly beats: readonly number[]; readonly seams: readonly number[] };
}

export interface PartRecord {
  readonly windows: {
    readonly trial: readonly number[];
    readonly start: readonly number[];
    readonly history?: readonly number[];
    readonly peak: { readonly [M in Modality]?: readonly number[] };
  };
  readonly pieces: readonly PieceRecord[];
  readonly dropped: readonly Dropped[];
  readonly shards: { readonly [M in Modality]?: { readonly bytes: number; readonly sha256: string } };
  readonly next: Position;
}

function partPath(index: number): string {
  return `${unfinishedFolder}/part-${String(index).padStart(6, '0')}.json`;
}

export async function writePart(place: StorePlace, index: number, part: PartRecord): Promise<void> {
  await place.write(partPath(index), new TextEncoder().encode(JSON.stringify(part)));
}

/** A part, or undefined where there is none. */
export async function readPart(place: StorePlace, index: number): Promise<PartRecord | undefined> {
  const bytes = await place.read(partPath(index));
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    const path = `${place.name}/${partPath(index)}`;
    throw new FormatError(`${path}: no valid JSON. Use --force to begin anew.`, path, undefined, { cause });
  }
}

const maximumExamples = 10;

/** Counts of what was left out, over many pieces. */
export class DroppedCounts {
  readonly #entries = new Map<string, { what: string; reason: string; count: number; examples: string[] }>();

  add(dropped: readonly Dropped[]): void {
    for (const { what, reason, count, examples } of dropped) {
      const key = `${what}: ${reason}`;
      const entry = this.#entries.get(key) ?? { what, reason, count: 0, examples: [] };
      entry.count += count;
      appendAll(entry.examples, examples.slice(0, maximumExamples - entry.examples.length));
      this.#entries.set(key, entry);
    }
  }

  get list(): Dropped[] {
    return [...this.#entries.values()];
  }
}

/** Bits of `trial_quality`, each a fact that preparation found. */
export const qualityFlags = [
  {
    mask: 1,
    meaning: 'flat_channel',
    holds: ({ what, reason }: Dropped) => what === 'channel' && reason === 'flat',
  },
  {
    mask: 2,
    meaning: 'clipped_channel',
    holds: ({ what, reason }: Dropped) => what === 'channel' && reason.startsWith('clipped'),
  },
  {
    mask: 4,
    meaning: 'out_of_range',
    holds: ({ what, reason }: Dropped) => what === 'channel' && reason.startsWith('out of range'),
  },
  { mask: 8, meaning: 'guessed_beats', holds: ({ what }: Dropped) => what === 'beats' },
  { mask: 16, meaning: 'dropped_windows', holds: ({ what }: Dropped) => what === 'window' },
  { mask: 32, meaning: 'noted_recording', holds: ({ what }: Dropped) => what === 'recording' },
] as const;

/** The flags of what was found in a piece. */
export function qualityOf(dropped: readonly Dropped[]): number {
  return qualityFlags.reduce((bits, { mask, holds }) => bits | (dropped.some(holds) ? mask : 0), 0);
}
