/** A bomb: a small file that claims very many elements. Its size follows a scale, so that a quick test has small ones. */
import type { ReadOptions } from '../../src/read/options.ts';
import type { Files } from './mutate.ts';

/** How many of something, at the bomb's scale. */
export type Count = (atFullScale: number) => number;

export interface Bomb {
  readonly name: string;
  readonly make: (n: Count) => Files;
  /** What reads it: as a recording (default), every value of a MAT-file, WFDB annotations, a store's column. */
  readonly as: 'recording' | 'values' | 'annotations' | 'column';
  readonly options: ReadOptions;
  /** `refused`: has more elements than the limit. `either`: a format's own bound holds, or it opens. */
  readonly ends: 'refused' | 'either';
}

export function bomb(
  name: string,
  make: (n: Count) => Files,
  { as = 'recording', options = {}, ends = 'refused' }: Partial<Omit<Bomb, 'name' | 'make'>> = {},
): Bomb {
  return { name, make, as, options, ends };
}

/** `bytes` as often as `count` says. */
export function repeat(bytes: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(bytes.length * count);
  if (all.length === 0) return all;
  all.set(bytes);
  for (let filled = bytes.length; filled < all.length; filled *= 2)
    all.copyWithin(filled, 0, Math.min(filled, all.length - filled));
  return all;
}

/** One behind the other, however many. */
export function joinAll(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Text → bytes of UTF-8. */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
