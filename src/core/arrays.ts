/**
 * Lists and arrays joined and searched without the stack. A call with a spread argument, `list.push(...more)` or
 * `Math.max(...list)`, puts every element on the stack, which ends near 120,000 of them. How many a file holds is the file's
 * choice, so that the lint rule `scripts/lint/no-spread-argument.grit` refuses such calls; these functions stand in their
 * place.
 */

/** Puts every element of `more` at the end of `list`. `more` may be `list` itself: it is then doubled. */
export function appendAll<T>(list: T[], more: Iterable<T>): void {
  for (const element of more === list ? [...more] : more) list.push(element);
}

/** The largest of `values` and of `least`: as `Math.max`, -∞ of none, NaN where one is NaN. */
export function maxOf(values: Iterable<number>, least = Number.NEGATIVE_INFINITY): number {
  let largest = least;
  for (const value of values) largest = Math.max(largest, value);
  return largest;
}

/** The smallest of `values` and of `most`: as `Math.min`, ∞ of none, NaN where one is NaN. */
export function minOf(values: Iterable<number>, most = Number.POSITIVE_INFINITY): number {
  let smallest = most;
  for (const value of values) smallest = Math.min(smallest, value);
  return smallest;
}

/** One array of all parts, one behind the other: `joinArrays(Float64Array, parts)`. */
export function joinArrays<T extends Float32Array | Float64Array | Uint8Array>(
  Type: new (length: number) => T,
  parts: readonly ArrayLike<number>[],
): T {
  const all = new Type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
