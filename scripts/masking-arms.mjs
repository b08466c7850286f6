/** The arms of the masking study: what each changes of recipes/pretrain-ecg-masking.json, and what it asks. */

/** Share of a window's patches that each arm hides: 1 − (1 − ratio)(1 − leadProbability) for dual. */
export const arms = {
  dual: { asks: 'the paper’s: patches within leads and whole leads', mask: {} },
  random: { asks: 'CBraMod’s', mask: { mixture: { random: 1 } } },
  intra: { asks: 'patches within leads alone', mask: { mixture: { intra: 1 } } },
  inter: { asks: 'whole leads alone', mask: { mixture: { inter: 1 } } },
  span: { asks: 'the same seconds in all leads', mask: { mixture: { span: 1 } } },
  'dual-0.3': { asks: 'dual, hiding as much as random', mask: { ratio: 0.3, leadProbability: 0.3 } },
  'dual-0.75': { asks: 'dual, hiding more', mask: { ratio: 0.75, leadProbability: 0.75 } },
  'dual-all-leads': { asks: 'dual, all twelve leads in every window', mask: {}, leadSubsets: [] },
  'dual-leads-apart': { asks: 'dual, limb leads never hidden as one', mask: { limbGroupProbability: 0 } },
};

/**
 * The question that comparing an arm with `dual` answers (src/evaluate/question-families.ts): what pre-training is worth,
 * which kind of mask, which variant of dual. Who reads one of them does not ask the others: each is adjusted by itself.
 */
export function questionOfArm(name) {
  if (name === 'none') return 'pretraining';
  return name.startsWith('dual') ? 'variants' : 'masks';
}

/** The recipe of an arm. */
export function armRecipe(base, name, seed) {
  const { mask, leadSubsets = base.leadSubsets } = arms[name];
  return { ...base, seed, mask: { ...base.mask, ...mask }, leadSubsets };
}
