/**
 * Windows that must stay together → parts: the trials of one person, the trials of everybody, or stimuli. Each group is
 * tested once; some groups of each fold's training part validate. Classes are spread evenly over folds as far as groups
 * allow: else the share of classes in training would tell what was left out.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { Random } from '../core/random.ts';

/** Window indices of the parts of a fold. */
export interface GroupFold {
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
}

interface Group {
  readonly windows: readonly number[];
  /** Its most frequent class, −1 where nothing is labelled. */
  readonly label: number;
}

export interface GroupOptions {
  /** Folds; null for a fold a group. */
  readonly k: number | null;
  /** Groups of each training part that validate. */
  readonly validationOf: (trainingGroups: number) => number;
  readonly seed: number;
  /** What a group is, in the plural, for messages: `trials of s01`. */
  readonly what: string;
}

/** Folds of the windows `indices` by their keys. ConfigError for more folds than groups. */
export function foldGroups(
  indices: readonly number[],
  keyOf: (window: number) => string,
  label: ArrayLike<number> | undefined,
  { k: given, validationOf, seed, what }: GroupOptions,
): GroupFold[] {
  const groups = gather(indices, keyOf, label);
  const k = given ?? groups.length;
  if (k < 2 || k > groups.length)
    throw new ConfigError(
      `folds: k is ${k} for ${groups.length} ${what}. Use 2 to ${groups.length}.`,
      'protocol.k',
      `2–${groups.length}`,
    );
  const order = byClass(Random.derive(seed, 'folds', what).shuffle(groups));
  return Array.from({ length: k }, (_, fold) => {
    const rest = order.filter((_group, i) => i % k !== fold);
    const shuffled = byClass(Random.derive(seed, 'validation', what, fold).shuffle(rest));
    const validation = new Set(spread(shuffled, validationOf(rest.length)));
    const part = (wanted: readonly Group[]) => wanted.flatMap(({ windows }) => windows).sort((a, b) => a - b);
    return {
      train: part(rest.filter((group) => !validation.has(group))),
      validation: part([...validation]),
      test: part(order.filter((_group, i) => i % k === fold)),
    };
  });
}

/** DataError where windows of one key are in two parts. */
export function assertApart(
  name: string,
  fold: GroupFold,
  keyOf: (window: number) => string,
  what: string,
): void {
  const seen = new Map<string, string>();
  for (const part of ['train', 'validation', 'test'] as const)
    for (const window of fold[part]) {
      const key = keyOf(window);
      const other = seen.get(key) ?? part;
      if (other !== part)
        throw new DataError(
          `fold ${name}: ${what} ${key.replaceAll('\n', ' ')} is in ${other} and in ${part}. Keep its windows together.`,
        );
      seen.set(key, part);
    }
}

/** Groups sorted by key, so that the order of windows decides nothing. */
function gather(
  indices: readonly number[],
  keyOf: (window: number) => string,
  label: ArrayLike<number> | undefined,
): Group[] {
  const members = new Map<string, number[]>();
  for (const index of indices) {
    const key = keyOf(index);
    const found = members.get(key);
    if (found) found.push(index);
    else members.set(key, [index]);
  }
  return [...members.keys()].sort().map((key) => {
    const windows = members.get(key)!;
    return { windows, label: label ? mostFrequent(windows.map((i) => label[i]!)) : -1 };
  });
}

function mostFrequent(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || a - b)[0]![0];
}

/** Stable: within a class the shuffled order stays. */
function byClass(groups: readonly Group[]): Group[] {
  return groups.toSorted((a, b) => a.label - b.label);
}

/** So many of a list, evenly spread over it. */
function spread<T>(list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]!);
}
