/**
 * The same recording under two subjects' names: split by subject, it would train and be tested on. Every window's values are
 * hashed once; equal windows of two subjects are an error, or a note where they are allowed or known of the dataset.
 */
import { DataError, InterruptedError } from '../core/errors.ts';
import { createSha256 } from '../core/sha256.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import { readSignals, type WindowReader } from '../patches/window-reader.ts';
import type { Modality, SignalWindows, WindowSet } from '../patches/windows.ts';

/** Windows that are equal in two subjects. */
export interface Duplicate {
  readonly subjects: readonly [string, string];
  readonly windows: number;
  /** `trial at 10 s` of each, of the first such window. */
  readonly example: readonly [string, string];
}

type HashedWindows = Pick<WindowSet, 'signals' | 'count' | 'subject' | 'trial' | 'start'>;

/** Gathers hashes of windows, part by part: samples need not stay. */
export class DuplicateFinder {
  /** By hash: where it was met first in each subject. */
  readonly #met = new Map<string, Map<string, string>>();
  readonly #subjects = new Set<string>();
  readonly #found = new Map<string, { -readonly [K in keyof Duplicate]: Duplicate[K] }>();

  /** Hash these windows. Those without a channel that moves (flat, zero, missing) are no recording's mark. */
  add({ signals, count, subject, trial, start }: HashedWindows): void {
    const parts = Object.values(signals);
    for (let i = 0; i < count; i++) {
      const own = subject[i]!;
      this.#subjects.add(own);
      const key = hashWindow(parts, i, count);
      if (key === undefined) continue;
      const where = `${trial[i]} at ${Number(start[i]!.toFixed(3))} s`;
      const met = this.#met.get(key) ?? new Map<string, string>();
      this.#met.set(key, met);
      if (met.has(own)) continue;
      for (const [other, there] of met) this.#count(other, own, there, where);
      met.set(own, where);
    }
  }

  #count(other: string, own: string, there: string, where: string): void {
    const isFirst = other < own;
    const subjects = isFirst ? ([other, own] as const) : ([own, other] as const);
    const key = subjects.join('\n');
    const found = this.#found.get(key);
    if (found) found.windows++;
    else
      this.#found.set(key, {
        ...{ subjects, windows: 1 },
        example: isFirst ? [there, where] : [where, there],
      });
  }

  get duplicates(): readonly Duplicate[] {
    return [...this.#found.values()];
  }

  /**
   * Notes on equal windows and on names that are nearly equal. DataError where two subjects have equal windows, unless
   * `allow` says so or the dataset is known for it.
   */
  check(where: string, { facts }: Pick<DatasetSpec, 'facts'>, allow = false): string[] {
    const { duplicates } = this;
    const notes = noteNearNames([...this.#subjects]);
    if (duplicates.length === 0) return notes;
    const [first] = duplicates;
    const [a, b] = first!.subjects;
    const more = duplicates.length > 1 ? `, and ${duplicates.length - 1} more pairs of subjects` : '';
    const told = `subjects ${a} and ${b} have ${first!.windows} equal window${first!.windows === 1 ? '' : 's'} (${first!.example.join(' = ')})${more}`;
    if (!allow && !facts?.duplicates)
      throw new DataError(
        `${where}: ${told}. One recording under two names would train and be tested on: correct the subjects, or add --allow-duplicates.`,
      );
    const reason = facts?.duplicates ?? 'Allowed by --allow-duplicates.';
    return [`Equal recordings under several names: ${told}. ${reason}`, ...notes];
  }
}

/** Hash all and check: notes, or DataError as above. */
export function checkDuplicates(
  where: string,
  windows: HashedWindows,
  spec: Pick<DatasetSpec, 'facts'>,
  allow = false,
): string[] {
  const finder = new DuplicateFinder();
  finder.add(windows);
  return finder.check(where, spec, allow);
}

export interface CheckReaderOptions {
  readonly allow?: boolean;
  /** A store of more windows is not compared: its hashes would take gigabytes, its samples hours. Default a million. */
  readonly mostWindows?: number;
  readonly signal?: AbortSignal;
  /** Windows so far. */
  readonly onProgress?: (done: number) => void;
}

/** The same of windows wherever they lie: a store is read once. One that is too large is not compared, which is said. */
export async function checkReader(
  where: string,
  windows: WindowReader,
  spec: Pick<DatasetSpec, 'facts'>,
  { allow = false, mostWindows = 1_000_000, signal, onProgress }: CheckReaderOptions = {},
): Promise<string[]> {
  if (windows.far && windows.count > mostWindows)
    return [
      `${windows.count} windows of a store were not compared (up to ${mostWindows} are): equal recordings under several names would go unnoticed.`,
      ...noteNearNames(windows.subject),
    ];
  const finder = new DuplicateFinder();
  const modalities = Object.keys(windows.signals) as Modality[];
  // In blocks: reading copies.
  for (let from = 0; from < windows.count; from += blockWindows) {
    if (signal?.aborted) throw new InterruptedError(`${where}: stopped while recordings were compared.`);
    const rows = Array.from({ length: Math.min(blockWindows, windows.count - from) }, (_, i) => from + i);
    finder.add({
      signals: await readSignals(windows, rows, modalities),
      count: rows.length,
      subject: rows.map((i) => windows.subject[i]!),
      trial: rows.map((i) => windows.trial[i]!),
      start: Float64Array.from(rows, (i) => windows.start[i]!),
    });
    onProgress?.(from + rows.length);
  }
  return finder.check(where, spec, allow);
}

const blockWindows = 256;

/** `S01` and `s01`, `1` and `001`: names that differ in case or leading zeros alone. */
export function noteNearNames(subjects: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const name of [...new Set(subjects)].sort()) {
    const key = name
      .toLowerCase()
      .replace(/\s+/g, ' ')
      .replace(/(?<!\d)0+(?=\d)/g, '');
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()]
    .filter((names) => names.length > 1)
    .map(
      (names) =>
        `Subjects ${names.map((name) => `'${name}'`).join(' and ')} count as ${names.length} people, and their names differ in case or zeros alone. Where they are one person, give one name.`,
    );
}

/** 128 bits of the sha256 over a window's signals; undefined where no channel of it moves. Flat signals do not count. */
function hashWindow(signals: readonly SignalWindows[], window: number, count: number): string | undefined {
  const hash = createSha256();
  let moves = false;
  for (const [place, { data, channels }] of signals.entries()) {
    const size = data.length / count;
    const own = data.subarray(window * size, (window + 1) * size);
    if (!hasMovement(own, channels.length)) continue;
    moves = true;
    hash.update(Uint8Array.of(place));
    hash.update(new Uint8Array(own.buffer, own.byteOffset, own.byteLength));
  }
  return moves ? hash.hex().slice(0, 32) : undefined;
}

/** Does any channel of these rows change? What is missing throughout does not. */
function hasMovement(rows: Float32Array, channels: number): boolean {
  const bits = new Int32Array(rows.buffer, rows.byteOffset, rows.length);
  const length = rows.length / channels;
  for (let first = 0; first < bits.length; first += length)
    for (let i = first + 1; i < first + length; i++) if (bits[i] !== bits[first]) return true;
  return false;
}
