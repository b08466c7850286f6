import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../src/core/config.ts';
import { ConfigError } from '../../src/core/errors.ts';

const schema = z.strictObject({
  window: z.strictObject({ lengthSeconds: z.number().positive() }).default({ lengthSeconds: 5 }),
  kind: z.enum(['intra', 'inter']).optional(),
  arms: z.array(z.strictObject({ ratio: z.number().min(0).max(1) })).default([]),
});

function messageOf(value: unknown): string {
  try {
    parseConfig(schema, value, 'recipe');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseConfig', () => {
  it('fills defaults', () => {
    expect(parseConfig(schema, {}, 'recipe')).toEqual({ window: { lengthSeconds: 5 }, arms: [] });
  });

  it.each([
    [
      { window: { lenghtSeconds: 5, lengthSeconds: 5 } },
      "recipe.window.lenghtSeconds: this key is unknown. Did you mean 'lengthSeconds'? Known keys: lengthSeconds.",
    ],
    [
      { windw: {} },
      "recipe.windw: this key is unknown. Did you mean 'window'? Known keys: window, kind, arms.",
    ],
    [{ window: {} }, 'recipe.window.lengthSeconds: is missing. Give a number.'],
    [
      { window: { lengthSeconds: -1 } },
      'recipe.window.lengthSeconds: -1 is not allowed. Too small: expected number to be >0.',
    ],
    [
      { kind: 'both' },
      'recipe.kind: "both" is not allowed. Invalid option: expected one of "intra"|"inter".',
    ],
    [
      { arms: [{ ratio: 0.5 }, { ratio: 2 }] },
      'recipe.arms.1.ratio: 2 is not allowed. Too big: expected number to be <=1.',
    ],
    [
      { arms: [{ rato: 0.5, ratio: 1 }] },
      "recipe.arms.0.rato: this key is unknown. Did you mean 'ratio'? Known keys: ratio.",
    ],
    [null, 'recipe: null is not allowed. Invalid input: expected object, received null.'],
  ])('%j', (value, message) => {
    expect(messageOf(value)).toBe(message);
  });

  it('is not fooled by names of Object.prototype', () => {
    expect(messageOf(JSON.parse('{"__proto__": {"kind": "intra"}, "constructor": 1}'))).toContain('unknown');
  });
});
