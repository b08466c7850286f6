import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/core/config.ts';
import { Random } from '../../src/core/random.ts';
import { drawLeadSubset } from '../../src/patches/lead-subset.ts';
import {
  drawMask,
  drawMaskKind,
  hiddenLead,
  hiddenPatch,
  type MaskRecipe,
  maskKinds,
  maskRecipeSchema,
  visible,
} from '../../src/patches/mask.ts';
import { twelveLeads } from '../../src/patches/recipe.ts';

const recipeOf = (value: object = {}): MaskRecipe => parseConfig(maskRecipeSchema, value, 'mask');

/** Channels, patches, shares and seed of any mask. */
interface Setting {
  readonly channels: readonly string[];
  readonly patches: number;
  readonly ratio: number;
  readonly leadProbability: number;
  readonly limbGroupProbability: number;
  readonly seed: number;
}

const setting: fc.Arbitrary<Setting> = fc.record({
  channels: fc.oneof<fc.Arbitrary<string[]>[]>(
    fc.shuffledSubarray([...twelveLeads], { minLength: 1 }),
    fc.integer({ min: 1, max: 20 }).map((n) => Array.from({ length: n }, (_, i) => `E${i}`)),
  ),
  patches: fc.integer({ min: 1, max: 12 }),
  ratio: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  leadProbability: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  limbGroupProbability: fc.constantFrom(0, 0.5, 1),
  seed: fc.nat(),
});

function draw(kind: (typeof maskKinds)[number], { channels, patches, seed, ...shares }: Setting): number[][] {
  const mask = drawMask(kind, channels, patches, recipeOf(shares), new Random(seed));
  expect(mask).toHaveLength(channels.length * patches);
  return channels.map((_, c) => [...mask.subarray(c * patches, (c + 1) * patches)]);
}

const hiddenIn = (row: readonly number[]) => row.filter((code) => code !== visible).length;
const isWhole = (row: readonly number[]) => row.every((code) => code === hiddenLead);
/** With one patch a lead, hiding within leads would leave nothing: one patch is made visible again. */
const longer = setting.filter(({ patches }) => patches > 1);
const severalLeads = longer.filter(({ channels }) => channels.length > 1);

describe('drawMask', () => {
  it.each(maskKinds)('%s hides at least one patch and leaves one, with known codes', (kind) => {
    fc.assert(
      fc.property(setting, (s) => {
        const codes = draw(kind, s).flat();
        expect(codes.every((code) => [visible, hiddenPatch, hiddenLead].includes(code))).toBe(true);
        expect(hiddenIn(codes)).toBeGreaterThan(0);
        if (codes.length > 1) expect(hiddenIn(codes)).toBeLessThan(codes.length);
      }),
    );
  });

  it.each(maskKinds)('%s is the same for the same seed and differs between seeds', (kind) => {
    const s = { channels: [...twelveLeads], patches: 10, ratio: 0.5, leadProbability: 0.5 };
    const of = (seed: number) => draw(kind, { ...s, limbGroupProbability: 0.5, seed });
    expect(of(4)).toEqual(of(4));
    const masks = Array.from({ length: 20 }, (_, seed) => JSON.stringify(of(seed)));
    expect(new Set(masks).size).toBeGreaterThan(kind === 'span' ? 3 : 15);
  });

  it('intra hides the same number of patches in every lead: the ratio, rounded up or down', () => {
    fc.assert(
      fc.property(longer, (s) => {
        const counts = draw('intra', s).map(hiddenIn);
        expect(new Set(counts).size).toBe(1);
        const wanted = s.ratio * s.patches;
        expect(counts[0]).toBeGreaterThanOrEqual(Math.max(1, Math.min(Math.floor(wanted), s.patches - 1)));
        expect(counts[0]).toBeLessThanOrEqual(Math.max(1, Math.min(Math.ceil(wanted), s.patches - 1)));
      }),
    );
  });

  it('intra hides the ratio on average, in places that differ between leads', () => {
    const random = new Random(1);
    let [hidden, different] = [0, 0];
    for (let i = 0; i < 500; i++) {
      const mask = drawMask('intra', ['A', 'B'], 10, recipeOf({ ratio: 0.35 }), random);
      hidden += hiddenIn([...mask]);
      different += Number(mask.subarray(0, 10).join() !== mask.subarray(10).join());
    }
    expect(Math.abs(hidden / (500 * 20) - 0.35)).toBeLessThan(0.01);
    expect(different).toBeGreaterThan(450);
  });

  it('inter hides whole leads, at least one, and keeps at least one whole', () => {
    fc.assert(
      fc.property(severalLeads, (s) => {
        const rows = draw('inter', s);
        const whole = rows.filter(isWhole).length;
        expect(rows.filter((row) => hiddenIn(row) === 0)).toHaveLength(rows.length - whole);
        expect(whole).toBeGreaterThan(0);
        expect(whole).toBeLessThan(rows.length);
      }),
    );
  });

  it('dual hides whole leads as inter, and patches as intra in all leads that it keeps', () => {
    fc.assert(
      fc.property(severalLeads, (s) => {
        const rows = draw('dual', s);
        const kept = rows.filter((row) => !isWhole(row));
        expect(kept.length).toBeGreaterThan(0);
        expect(kept.length).toBeLessThan(rows.length);
        const counts = kept.map((row) => row.filter((code) => code === hiddenPatch).length);
        expect(kept.flat()).not.toContain(hiddenLead);
        expect(new Set(counts).size).toBe(1);
        expect(counts[0]).toBeGreaterThan(0);
        expect(counts[0]).toBeLessThan(s.patches);
        expect(Math.abs(counts[0]! - s.ratio * s.patches)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('inter and dual of one lead hide patches in it', () => {
    for (const kind of ['inter', 'dual'] as const)
      for (let seed = 0; seed < 20; seed++) {
        const mask = drawMask(kind, ['II'], 10, recipeOf({ ratio: 0.3 }), new Random(seed));
        expect([...mask].sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
      }
  });

  it('span hides the same stretch of seconds in all leads', () => {
    fc.assert(
      fc.property(longer, (s) => {
        const rows = draw('span', s);
        for (const row of rows) expect(row).toEqual(rows[0]);
        const codes = rows[0]!.join('');
        expect(codes).toMatch(/^0*1+0*$/);
        expect(Math.abs(hiddenIn(rows[0]!) - s.ratio * s.patches)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('span begins everywhere where it fits', () => {
    const starts = new Set<number>();
    for (let seed = 0; seed < 200; seed++)
      starts.add(
        drawMask('span', ['A'], 10, recipeOf({ ratio: 0.3 }), new Random(seed)).indexOf(hiddenPatch),
      );
    expect([...starts].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('random hides each patch with the chance of the ratio, apart from its neighbours', () => {
    const random = new Random(2);
    let [hidden, pairs] = [0, 0];
    for (let i = 0; i < 400; i++) {
      const mask = drawMask('random', ['A', 'B', 'C'], 20, recipeOf({ ratio: 0.3 }), random);
      hidden += hiddenIn([...mask]);
      for (let j = 0; j < 60; j += 2) pairs += Number(mask[j] !== visible && mask[j + 1] !== visible);
    }
    // 24,000 patches and 12,000 pairs: five standard deviations are 0.015 and 0.013.
    expect(Math.abs(hidden / 24_000 - 0.3)).toBeLessThan(0.015);
    expect(Math.abs(pairs / 12_000 - 0.09)).toBeLessThan(0.013);
  });

  it.each([
    ['as recipes write them', [...twelveLeads]],
    ['in capitals', twelveLeads.map((name) => name.toUpperCase())],
  ])('hides the limb leads as a group as often as the recipe says, %s', (_, channels) => {
    const recipe = (limbGroupProbability: number) => recipeOf({ limbGroupProbability });
    const countAlike = (probability: number) => {
      const random = new Random(3);
      let alike = 0;
      for (let i = 0; i < 400; i++) {
        const mask = drawMask('inter', channels, 10, recipe(probability), random);
        const limbs = [0, 1, 2, 3, 4, 5].map((c) => mask[c * 10]);
        alike += Number(new Set(limbs).size === 1);
      }
      return alike;
    };
    expect(countAlike(1)).toBe(400);
    // By chance all six stand or fall together in 1 of 32: 12 or 13 of 400.
    expect(countAlike(0)).toBeLessThan(35);
    expect(countAlike(0.5)).toBeGreaterThan(160);
    expect(countAlike(0.5)).toBeLessThan(260);
  });

  it('draws limb leads one by one where there are no others', () => {
    for (let seed = 0; seed < 50; seed++) {
      const mask = drawMask(
        'inter',
        ['I', 'II', 'III'],
        2,
        recipeOf({ limbGroupProbability: 1 }),
        new Random(seed),
      );
      const leads = [mask[0], mask[2], mask[4]];
      expect(new Set(leads)).toEqual(new Set([visible, hiddenLead]));
    }
  });
});

describe('drawMaskKind', () => {
  it('draws each kind by its weight', () => {
    const random = new Random(5);
    const recipe = recipeOf({ mixture: { intra: 1, dual: 3, span: 0 } });
    const drawn = Array.from({ length: 2000 }, () => drawMaskKind(recipe, random));
    expect(new Set(drawn)).toEqual(new Set(['intra', 'dual']));
    // 2,000 draws: five standard deviations are 0.05.
    expect(Math.abs(drawn.filter((kind) => kind === 'dual').length / 2000 - 0.75)).toBeLessThan(0.05);
  });

  it('is dual unless the recipe says otherwise', () => {
    expect(drawMaskKind(recipeOf(), new Random(0))).toBe('dual');
  });

  it.each([
    [{ ratio: 1 }, 'mask.ratio: 1 is not allowed.'],
    [{ leadProbability: 0 }, 'mask.leadProbability: 0 is not allowed.'],
    [{ limbGroupProbability: 1.5 }, 'mask.limbGroupProbability: 1.5 is not allowed.'],
    [{ raito: 0.5 }, "mask.raito: this key is unknown. Did you mean 'ratio'?"],
    [{ mixture: { dual: -1 } }, 'mask.mixture.dual: -1 is not allowed.'],
    [{ mixture: { duel: 1 } }, 'mask.mixture'],
  ])('needs a recipe in its range: %j', (value, message) => {
    expect(() => recipeOf(value)).toThrow(message);
  });
});

describe('drawLeadSubset', () => {
  it('gives so many different leads, in their order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 14 }),
        fc.nat(),
        (channels, count, seed) => {
          const leads = drawLeadSubset(channels, count, new Random(seed));
          expect(leads).toHaveLength(Math.min(count, channels));
          expect(leads).toEqual([...new Set(leads)].sort((a, b) => a - b));
          expect(leads.every((lead) => lead >= 0 && lead < channels)).toBe(true);
          expect(drawLeadSubset(channels, count, new Random(seed))).toEqual(leads);
        },
      ),
    );
  });

  it.each([
    [1, 12],
    [2, 66],
  ])('draws every subset of %i of 12 leads about equally often', (count, subsets) => {
    const random = new Random(6);
    const seen = new Map<string, number>();
    for (let i = 0; i < 100 * subsets; i++) {
      const key = drawLeadSubset(12, count, random).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(subsets);
    expect(Math.min(...seen.values())).toBeGreaterThan(50);
    expect(Math.max(...seen.values())).toBeLessThan(150);
  });
});
