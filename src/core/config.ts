/** Plain data → validated data: recipes, configurations, flags. One place for the message that a wrong key gets. */
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { showValue } from './plain.ts';

/**
 * Validate `value` (plain JSON) against `schema`. `where` names the whole in messages: `recipe`, `model`.
 * ConfigError names the first wrong key, what stands there, and what is allowed.
 */
export function parseConfig<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { key, fact, allowed } = explain(result.error.issues[0]!, schema, value, where);
  throw new ConfigError(`${key}: ${fact}. ${allowed}`, key, allowed, { cause: result.error });
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown, where: string) {
  const path = issue.path.map(String);
  const key = [where, ...path].join('.');
  const actual = valueAt(value, path);
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys[0]!;
    const known = keysAt(schema, path);
    const [close] = known
      .map((name) => ({ name, steps: distance(name.toLowerCase(), unknown.toLowerCase()) }))
      .filter(({ steps }) => steps <= 2)
      .sort((a, b) => a.steps - b.steps)
      .map(({ name }) => name);
    return {
      key: `${key}.${unknown}`,
      fact: 'this key is unknown',
      allowed: `${close ? `Did you mean '${close}'? ` : ''}${known.length > 0 ? `Known keys: ${known.join(', ')}.` : 'Remove it.'}`,
    };
  }
  if (issue.code === 'invalid_type' && actual === undefined) {
    return { key, fact: 'is missing', allowed: `Give ${article(issue.expected)}.` };
  }
  return {
    key,
    fact: `${showValue(actual)} is not allowed`,
    allowed: `${issue.message.replace(/\.$/, '')}.`,
  };
}

function article(expected: string): string {
  return `${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}`;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

/** The keys that the object at `path` may have, looking through optional, default and transform wrappers; [] where not an object. */
function keysAt(schema: z.ZodType, path: readonly string[]): string[] {
  let current: unknown = unwrap(schema);
  for (const key of path) {
    if (current instanceof z.ZodObject) current = unwrap(current.shape[key]);
    else if (current instanceof z.ZodArray) current = unwrap(current.element);
    else if (current instanceof z.ZodRecord) current = unwrap(current.valueType);
    else return [];
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

function unwrap(schema: unknown): unknown {
  let current = schema;
  for (;;) {
    if (current instanceof z.ZodPipe) current = current.in;
    else if (
      current instanceof z.ZodOptional ||
      current instanceof z.ZodDefault ||
      current instanceof z.ZodNullable ||
      current instanceof z.ZodPrefault
    )
      current = current.unwrap();
    else return current;
  }
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
