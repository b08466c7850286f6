/** Several tests at once: p values that hold for the whole table (Holm 1979). */

/**
 * Holm's step-down: the k-th smallest of m values times m − k + 1, never below a smaller one's, at most 1. The chance of
 * any false finding in the table stays below the level, whatever ties the tests together. `null` (no test could be made)
 * stays null and does not count.
 */
export function holm(values: readonly (number | null)[]): (number | null)[] {
  const adjusted: (number | null)[] = values.map(() => null);
  const known = values
    .flatMap((p, i) => (p === null || Number.isNaN(p) ? [] : [{ p, i }]))
    .sort((a, b) => a.p - b.p);
  let least = 0;
  for (const [k, { p, i }] of known.entries()) {
    least = Math.max(least, Math.min(1, p * (known.length - k)));
    adjusted[i] = least;
  }
  return adjusted;
}
