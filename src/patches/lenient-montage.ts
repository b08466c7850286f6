/**
 * Montages of recordings that lack channels of the recipe, for models that can do without them: rows of what is missing have
 * no terms, and become NaN.
 */
import { type MontagePlan, planMontage } from '../signal/montage.ts';
import type { Recipe } from './recipe.ts';
import type { Modality } from './windows.ts';

/** What a model can do without: some channels of a modality, or also a whole one of two. Nothing where it is undefined. */
export type MayLack = 'channels' | 'modality' | undefined;

/**
 * The montage of every modality of a recipe; rows of what is missing have no terms. ChannelError where more is missing than
 * may be. `facts` get what is.
 */
export function planLenient(
  available: readonly string[],
  recipe: Recipe,
  mayLack: MayLack,
  found: (fact: { readonly what: string; readonly reason: string }) => void,
): Map<Modality, MontagePlan> {
  const plans = new Map<Modality, MontagePlan>();
  for (const modality of ['eeg', 'ecg'] as const) {
    const signal = recipe.signals[modality];
    if (signal)
      plans.set(modality, planMontage(available, signal.channels, { leaveMissing: mayLack !== undefined }));
  }
  const isWhole = ({ rows }: MontagePlan) => rows.every(({ terms }) => terms.length === 0);
  const wholly = [...plans].filter(([, plan]) => isWhole(plan)).map(([modality]) => modality);
  const isTooMuch = mayLack === 'modality' ? wholly.length === plans.size : wholly.length > 0;
  // The error that a strict plan throws.
  if (isTooMuch) planMontage(available, recipe.signals[wholly[0]!]!.channels);
  for (const [modality, { rows }] of plans) {
    const missing = rows.filter(({ terms }) => terms.length === 0).map(({ name }) => name);
    const has = `it has ${available.join(', ')}`;
    if (wholly.includes(modality))
      found({ what: 'modality', reason: `no ${modality} in the recording (${has}): done without` });
    else if (missing.length > 0)
      found({
        what: 'channel',
        reason: `${missing.join(', ')} of ${modality} not in the recording: done without`,
      });
  }
  return plans;
}
