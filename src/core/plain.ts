/** Plain data, as JSON holds it: shown in messages, compared for errors that name what differs. */

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As JSON, cut at 60 characters; a missing value by the words for it. */
export function showValue(value: unknown, missing = 'undefined'): string {
  const text = JSON.stringify(value) ?? missing;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A key (`a.b`) with its values as short texts. */
export interface Difference {
  readonly key: string;
  readonly was: string;
  readonly is: string;
}

/** The first key whose values differ as JSON, depth first; undefined where none does. */
export function findDifference(was: unknown, is: unknown): Difference | undefined {
  // What was saved has been through JSON; so does the other.
  return differ(was, JSON.parse(JSON.stringify(is)), '');
}

function differ(was: unknown, is: unknown, key: string): Difference | undefined {
  if (isObject(was) && isObject(is)) {
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const found = differ(was[name], is[name], key === '' ? name : `${key}.${name}`);
      if (found) return found;
    }
    return undefined;
  }
  return JSON.stringify(was) === JSON.stringify(is)
    ? undefined
    : { key, was: showValue(was, 'nothing'), is: showValue(is, 'nothing') };
}
