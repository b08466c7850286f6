/** Where two configurations differ first, for errors that name it. */
import { showValue } from './config.ts';

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
  return JSON.stringify(was) === JSON.stringify(is) ? undefined : { key, was: show(was), is: show(is) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : showValue(value);
}
