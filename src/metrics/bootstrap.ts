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
 * Percentile interval of a statistic of window indices, resampling subjects. With few subjects it is too narrow:
 * four allow 35 different resamples (docs/statistics.md says how often such intervals cover).
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
  options: BootstrapOptions = {},
): Interval[] {
  const { whole, draws } = bootstrapDraws(subjects, statistics, options);
  return whole.map((mean, k) => intervalOf(mean, draws[k]!, options.level));
}

/**
 * Interval of the difference of two statistics, `a` minus `b`, such as one score of two models: both are computed on the
 * same resamples, so that what is hard about a person counts against both.
 */
export function bootstrapDifference(
  subjects: readonly string[],
  a: (indices: Int32Array) => number,
  b: (indices: Int32Array) => number,
  options: BootstrapOptions = {},
): Interval {
  return subjectBootstrap(subjects, (indices) => a(indices) - b(indices), options);
}

/** Statistics on all windows, and each on every resample, NaN where it was not defined. */
export interface BootstrapDraws {
  readonly whole: readonly number[];
  /** [statistic][sample]. The same subjects and seed give the same resamples, so draws of two calls are pairs. */
  readonly draws: readonly Float64Array[];
}

/** What intervals are made of. */
export function bootstrapDraws(
  subjects: readonly string[],
  statistics: (indices: Int32Array) => readonly number[],
  { samples = 1000, seed = 0 }: BootstrapOptions = {},
): BootstrapDraws {
  const windows = new Map<string, number[]>();
  for (const [i, subject] of subjects.entries()) {
    const group = windows.get(subject);
    if (group) group.push(i);
    else windows.set(subject, [i]);
  }
  const groups = [...windows.keys()].sort().map((subject) => Int32Array.from(windows.get(subject)!));
  const whole = statistics(Int32Array.from(subjects.keys()));
  const draws = whole.map(() => new Float64Array(samples));
  const random = Random.derive(seed, 'bootstrap');
  for (let sample = 0; sample < samples; sample++) {
    const drawn = groups.map(() => groups[random.integer(groups.length)]!);
    const indices = new Int32Array(drawn.reduce((sum, group) => sum + group.length, 0));
    let at = 0;
    for (const group of drawn) {
      indices.set(group, at);
      at += group.length;
    }
    for (const [k, value] of statistics(indices).entries()) draws[k]![sample] = value;
  }
  return { whole, draws };
}

/** Percentile interval of the draws that are defined. */
export function intervalOf(mean: number, draws: ArrayLike<number>, level = 0.95): Interval {
  const sorted = Array.from(draws)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const [low, high] = [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
  return { mean, low, high, skipped: draws.length - sorted.length };
}

/** Linear interpolation between order statistics, as NumPy's default. */
export function quantile(sorted: readonly number[], q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  return low + (position - below) * ((sorted[below + 1] ?? low) - low);
}
