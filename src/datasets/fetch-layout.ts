/** A folder that somebody already has, against what a complete copy holds. */
import type { LayoutFacts } from './facts.ts';
import { compilePattern } from './fetch-list.ts';

/** A file of the folder. */
export interface FoundFile {
  readonly path: string;
  readonly bytes: number;
}

/** One row of the layout, looked up. */
export interface LayoutRow {
  readonly path: string;
  readonly what: string;
  readonly found: number;
  /** How many a complete copy holds, where that is known. */
  readonly expected?: number;
  readonly bytes: number;
  readonly state: 'complete' | 'missing' | 'surplus';
}

export interface LayoutReport {
  readonly rows: readonly LayoutRow[];
  readonly complete: boolean;
  /** Files that no row names. */
  readonly unnamed: readonly string[];
  /** Files of no bytes: copies that were cut off. */
  readonly empty: readonly string[];
  readonly bytes: number;
}

/**
 * Compare a folder with a layout. A row without a count needs one file at least. More than expected is said, but
 * complete: publishers add files. Empty files count as missing.
 */
export function compareLayout(layout: readonly LayoutFacts[], files: readonly FoundFile[]): LayoutReport {
  const empty = files.filter(({ bytes }) => bytes === 0).map(({ path }) => path);
  const named = new Set<string>();
  const rows = layout.map(({ path, what, count }): LayoutRow => {
    const matches = compilePattern(path);
    const matching = files.filter((file) => matches(file.path));
    for (const file of matching) named.add(file.path);
    const present = matching.filter(({ bytes }) => bytes > 0);
    const state =
      present.length < (count ?? 1)
        ? 'missing'
        : present.length > (count ?? Infinity)
          ? 'surplus'
          : 'complete';
    return {
      path,
      what,
      found: present.length,
      ...(count === undefined ? {} : { expected: count }),
      bytes: present.reduce((sum, { bytes }) => sum + bytes, 0),
      state,
    };
  });
  return {
    rows,
    complete: rows.every(({ state }) => state !== 'missing'),
    unnamed: files.map(({ path }) => path).filter((path) => !named.has(path)),
    empty,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
