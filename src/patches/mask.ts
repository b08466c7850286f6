/**
 * What pre-training hides: masks over the patches of one window, [C, N], as codes of why each is hidden.
 * Source: arXiv 2512.15250 (dual masking of ECG: intra- and inter-lead); CBraMod for `random`.
 */
import { z } from 'zod';
import type { Random } from '../core/random.ts';

export const maskKinds = ['random', 'intra', 'inter', 'dual', 'span'] as const;
export type MaskKind = (typeof maskKinds)[number];

/** Codes in a mask: visible, hidden within its lead (random, intra, span), or with its whole lead. */
export const visible = 0;
export const hiddenPatch = 1;
export const hiddenLead = 2;

const share = z.number().gt(0).lt(1);

export const maskRecipeSchema = z.strictObject({
  /** Chance of each kind; one is drawn for every window. Normalised to a sum of 1. */
  mixture: z.partialRecord(z.enum(maskKinds), z.number().min(0)).default({ dual: 1 }),
  /** Share of patches hidden by random, intra and span. */
  ratio: share.default(0.5),
  /** Chance that a lead is hidden whole, by inter and dual. */
  leadProbability: share.default(0.5),
  /**
   * Chance that the limb leads present stand or fall together, since III = II − I and aVR, aVL, aVF follow from I and II:
   * a hidden one is given away by two visible ones.
   */
  limbGroupProbability: z.number().min(0).max(1).default(0.5),
});
export type MaskRecipe = z.infer<typeof maskRecipeSchema>;

/** Leads that follow from any two of them; recipes may write AVR. */
const limbLeads = new Set(['I', 'II', 'III', 'AVR', 'AVL', 'AVF']);

/** Draw a kind by the recipe's mixture. */
export function drawMaskKind({ mixture }: MaskRecipe, random: Random): MaskKind {
  const entries = Object.entries(mixture) as [MaskKind, number][];
  let position = random.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [kind, weight] of entries) {
    position -= weight;
    if (position < 0) return kind;
  }
  return entries.at(-1)?.[0] ?? 'dual';
}

/** Draw a mask of codes [C · N] for a window with these channels. At least one patch is hidden, and one is visible. */
export function drawMask(
  kind: MaskKind,
  channels: readonly string[],
  patches: number,
  recipe: MaskRecipe,
  random: Random,
): Uint8Array {
  const mask = new Uint8Array(channels.length * patches);
  // One lead has no other leads to be told from: what hides leads hides patches there.
  const effective = channels.length === 1 && (kind === 'inter' || kind === 'dual') ? 'intra' : kind;
  if (effective === 'random')
    for (let i = 0; i < mask.length; i++) mask[i] = Number(random.uniform() < recipe.ratio);
  if (effective === 'intra' || effective === 'dual')
    hideWithinLeads(mask, channels.length, patches, recipe, random);
  if (effective === 'span') hideSpan(mask, channels.length, patches, recipe, random);
  if (effective === 'inter' || effective === 'dual') hideLeads(mask, channels, patches, recipe, random);
  if (mask.every((code) => code === visible)) mask[random.integer(mask.length)] = hiddenPatch;
  if (mask.length > 1 && mask.every((code) => code !== visible)) mask[random.integer(mask.length)] = visible;
  return mask;
}

/** The same number of patches in every lead, drawn apart. */
function hideWithinLeads(
  mask: Uint8Array,
  channels: number,
  patches: number,
  { ratio }: MaskRecipe,
  random: Random,
): void {
  const count = stochasticRound(ratio * patches, random, 1, Math.max(1, patches - 1));
  for (let channel = 0; channel < channels; channel++) {
    const order = random.shuffle(Array.from({ length: patches }, (_, i) => i));
    for (const patch of order.slice(0, count)) mask[channel * patches + patch] = hiddenPatch;
  }
}

/** The same stretch of seconds in all leads. */
function hideSpan(
  mask: Uint8Array,
  channels: number,
  patches: number,
  { ratio }: MaskRecipe,
  random: Random,
): void {
  const count = stochasticRound(ratio * patches, random, 1, Math.max(1, patches - 1));
  const start = random.integer(patches - count + 1);
  for (let channel = 0; channel < channels; channel++) {
    mask.fill(hiddenPatch, channel * patches + start, channel * patches + start + count);
  }
}

/** Whole leads; at least one is hidden and at least one is kept. */
function hideLeads(
  mask: Uint8Array,
  channels: readonly string[],
  patches: number,
  recipe: MaskRecipe,
  random: Random,
): void {
  const limbs = channels.flatMap((name, i) => (limbLeads.has(name.toUpperCase()) ? [i] : []));
  const grouped = limbs.length > 1 && random.uniform() < recipe.limbGroupProbability;
  // Units that are hidden together: the limb leads as one, or every lead for itself.
  const groups = grouped
    ? [limbs, ...channels.flatMap((_, i) => (limbs.includes(i) ? [] : [[i]]))]
    : channels.map((_, i) => [i]);
  let hidden = groups.map(() => random.uniform() < recipe.leadProbability);
  if (groups.length === 1) {
    // Only limb leads: hidden as a group nothing would be left, so they are drawn one by one.
    hideLeads(mask, channels, patches, { ...recipe, limbGroupProbability: 0 }, random);
    return;
  }
  if (hidden.every((is) => is)) hidden = hidden.with(random.integer(groups.length), false);
  if (!hidden.some((is) => is)) hidden = hidden.with(random.integer(groups.length), true);
  for (const [i, group] of groups.entries()) {
    if (hidden[i])
      for (const channel of group) mask.fill(hiddenLead, channel * patches, (channel + 1) * patches);
  }
}

/** x rounded up with the chance of its fraction, so that its mean is x; within [low, high]. */
function stochasticRound(x: number, random: Random, low: number, high: number): number {
  return Math.min(high, Math.max(low, Math.floor(x) + Number(random.uniform() < x - Math.floor(x))));
}
