/** Intervals that hold for new people: subjects, not windows, are drawn again with replacement. */
import { Random } from '../core/random.ts';

export interface Interval {
  /** The statistic on all windows. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Resamples on which the statistic was not defined (one class only), left out. */
  readonly skipped: number;
}

export interface BootstrapOptions {
  readonly samples?: number;
  readonly level?: number;
  readonly seed?: number;
}

/**
 * Percentile interval of a statistic of window indices, resampling subjects. With few subjects it is narrow at best:
 * four test subjects allow 35 different resamples.
 */
export function subjectBootstrap(
  subjects: readonly string[],
  statistic: (indices: Int32Array) => number,
  options: BootstrapOptions = {},
): Interval {
  return bootstrapAll(subjects, (indices) => [statistic(indices)], options)[0]!;
}

/** The same for several statistics of the same resamples at once. */
export function bootstrapAll(
  subjects: readonly string[],
  statistics: (indices: Int32Array) => readonly number[],
  { samples = 1000, level = 0.95, seed = 0 }: BootstrapOptions = {},
): Interval[] {
  const windows = new Map<string, number[]>();
  for (const [i, subject] of subjects.entries()) {
    const group = windows.get(subject);
    if (group) group.push(i);
    else windows.set(subject, [i]);
  }
  const groups = [...windows.keys()].sort().map((subject) => windows.get(subject)!);
  const whole = statistics(Int32Array.from(subjects.keys()));
  const drawn: number[][] = whole.map(() => []);
  const random = Random.derive(seed, 'bootstrap');
  for (let sample = 0; sample < samples; sample++) {
    const indices = groups.flatMap(() => groups[random.integer(groups.length)]!);
    for (const [k, value] of statistics(Int32Array.from(indices)).entries())
      if (Number.isFinite(value)) drawn[k]!.push(value);
  }
  return whole.map((mean, k) => {
    const sorted = drawn[k]!.sort((a, b) => a - b);
    const [low, high] = [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
    return { mean, low, high, skipped: samples - sorted.length };
  });
}

/** Linear interpolation between order statistics, as NumPy's default. */
export function quantile(sorted: readonly number[], q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  return low + (position - below) * ((sorted[below + 1] ?? low) - low);
}
