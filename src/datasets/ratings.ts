/** Ratings on a scale (self-assessment manikins) → the classes low and high, and the numbers themselves. */
import type { Label } from './dataset.ts';

export interface RatingOptions {
  /** Ratings above this are high. */
  readonly threshold?: number;
}

/** Each rating as a target of two classes. */
export function ratingTargets(names: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(names.map((name) => [name, ['low', 'high']]));
}

/** Each rating as a number, `valence_rating`. */
export function ratingLabels(names: readonly string[]): Record<string, Label> {
  return Object.fromEntries(names.map((name) => [`${name}_rating`, { kind: 'number' as const }]));
}

/** What a person rated → class and number; ratings outside the scale, and those not given, are left out. */
export function ratingValues(
  names: readonly string[],
  values: ArrayLike<number | undefined>,
  { threshold, low, high }: { readonly threshold: number; readonly low: number; readonly high: number },
): Record<string, string | number> {
  const found: Record<string, string | number> = {};
  for (const [i, name] of names.entries()) {
    const value = values[i];
    if (value === undefined || !(value >= low && value <= high)) continue;
    found[name] = value > threshold ? 'high' : 'low';
    found[`${name}_rating`] = value;
  }
  return found;
}

/** What facts say of them. */
export function ratingFacts(
  names: readonly string[],
  scale: string,
  threshold: number,
): Record<string, string> {
  return Object.fromEntries(
    names.map((name, i) => [
      name,
      i === 0 ? `low or high: the person’s rating of ${scale} is above ${threshold}` : 'in the same way',
    ]),
  );
}
