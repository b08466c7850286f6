/** What the models of a table see before and after a window: sentences for results, reports and the terminal. */
import { describeContexts, runsOverSession, signalSeconds } from '../patches/context.ts';
import type { Recipe } from '../patches/recipe.ts';

/** How far contexts reach; nothing where no signal has one. */
export function noteContexts(recipe: Recipe): string[] {
  const across = describeContexts(recipe);
  if (across === undefined) return [];
  const longer = (['eeg', 'ecg'] as const).flatMap((modality) => {
    const seconds = signalSeconds(recipe, modality);
    return recipe.signals[modality] && seconds > recipe.window.lengthSeconds
      ? [`${seconds} s of ${modality}`]
      : [];
  });
  return [
    `Contexts: ${longer.join(', ')} up to the window's end, ${across}.`,
    ...(runsOverSession(recipe)
      ? ['Where two recordings of a session join, a window that holds the seam can be told by it.']
      : []),
  ];
}

/** Whether a benchmark's classical heart rows look at the ECG's context, as live use does. */
export function heartSeesContext(recipe: Recipe): boolean {
  return runsOverSession(recipe) && signalSeconds(recipe, 'ecg') > recipe.window.lengthSeconds;
}

/** Which beats a benchmark's classical heart rows look at. */
export function noteHeart(recipe: Recipe): string[] {
  if (!recipe.signals.ecg) return [];
  return [
    heartSeesContext(recipe)
      ? `Classical heart rows: beats of the ${signalSeconds(recipe, 'ecg')} s up to the window's end.`
      : 'Classical heart rows, as published: beats from 5 s before to 5 s after the window, so 5 s of its future.',
  ];
}
