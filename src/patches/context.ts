/**
 * Contexts: a modality may have more seconds than the window that it goes with. A context ends with its window and reaches
 * back before it: over the person's session, as a live stream would (session.ts), or inside the window's own trial
 * (`window.contextAcross`). It never crosses a gap inside a recording, and nothing is filled in. Windows without a full
 * context are left out; only within one condition may a recipe let them look ahead instead (`window.contextAtStart`).
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

/** Whether contexts run over the person's session, as a live stream would bring it. */
export function runsOverSession(recipe: Recipe): boolean {
  return hasContext(recipe) && recipe.window.contextAcross === 'session';
}

/** Whether the contexts of a trial's first windows end in the future, later than the windows do. */
export function contextsLookAhead(recipe: Recipe): boolean {
  const { contextAcross, contextAtStart } = recipe.window;
  return hasContext(recipe) && contextAcross !== 'session' && contextAtStart !== 'drop';
}

/** What contexts reach over, as tables and reports say it; undefined where no signal has one. */
export function describeContexts(recipe: Recipe): string | undefined {
  if (!hasContext(recipe)) return undefined;
  if (runsOverSession(recipe)) return "over the person's session so far, as in live use";
  return `within one condition${contextsLookAhead(recipe) ? ' (contexts may reach into the future)' : ''}`;
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
  if (!contextsLookAhead(recipe) || length - before > end) return undefined;
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

/** Whether two recordings of a session join inside what a window's signals hold. */
export function holdsSeam(
  set: Pick<WindowSet, 'recipe' | 'start' | 'history' | 'trial' | 'past'>,
  window: number,
): boolean {
  const seams = set.past?.get(set.trial[window]!)?.seams ?? [];
  return (['eeg', 'ecg'] as const).some((modality) => {
    if (!set.recipe.signals[modality]) return false;
    const [start, end] = contextSpan(set, modality, window);
    return seams.some((time) => time > start && time < end);
  });
}
