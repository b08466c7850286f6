/**
 * Contexts: a modality may have more seconds than the window that it goes with. A context ends with its window and reaches
 * back before it, inside the window's stretch without gaps: never over a gap, never before a trial begins, and nothing is
 * filled in. Where a stretch does not reach back that far, the recipe says what happens (`window.contextAtStart`).
 */
import { maxOf } from '../core/arrays.ts';
import { modelRateHz, type Recipe } from './recipe.ts';
import type { Modality, WindowSet } from './windows.ts';

/** Seconds of a modality that go with a window, and so its patches: one is one second. */
export function signalSeconds({ signals, window }: Recipe, modality: Modality): number {
  return signals[modality]?.contextSeconds ?? window.lengthSeconds;
}

/** Seconds that the longest context has before its window begins; 0 where no signal has one. */
export function historySeconds(recipe: Recipe): number {
  const lengths = (['eeg', 'ecg'] as const).map((modality) => signalSeconds(recipe, modality));
  return maxOf(lengths) - recipe.window.lengthSeconds;
}

/** Whether a signal has more seconds than its windows. */
export function hasContext(recipe: Recipe): boolean {
  return historySeconds(recipe) > 0;
}

/**
 * The samples of a modality that go with a window which ends at sample `to` of a stretch, of which [-before, end) are
 * there; undefined where they are not, or where the recipe forbids to shift them.
 */
export function contextRange(
  recipe: Recipe,
  modality: Modality,
  to: number,
  { before, end }: { readonly before: number; readonly end: number },
): readonly [from: number, to: number] | undefined {
  const length = signalSeconds(recipe, modality) * modelRateHz;
  if (to - length >= -before) return [to - length, to];
  if (recipe.window.contextAtStart === 'drop' || length - before > end) return undefined;
  return [-before, length - before];
}

/** Seconds [start, end) of what a modality has in a window of a set, in the time of the set's `start`. */
export function contextSpan(
  { recipe, start, history }: Pick<WindowSet, 'recipe' | 'start' | 'history'>,
  modality: Modality,
  window: number,
): readonly [start: number, end: number] {
  const seconds = signalSeconds(recipe, modality);
  const wanted = seconds - recipe.window.lengthSeconds;
  const from = start[window]! - Math.min(wanted, history?.[window] ?? wanted);
  return [from, from + seconds];
}
