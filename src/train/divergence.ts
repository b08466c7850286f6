/** Did a training lead astray without a number ceasing to be one? Told from its curve. */
import type { Curves } from './loop.ts';

/** A loss so many times the start's, or that of a guess, has learnt nothing and spoilt what was there. */
const factor = 10;

/**
 * A sentence where the last training or validation loss is more than ten times the first one or `guess`, the loss of a model
 * that knows nothing (ln K for K classes); undefined where all is well.
 */
export function describeDivergence(curves: Curves, guess?: number): string | undefined {
  const keys = new Set(curves.flatMap((row) => Object.keys(row).filter((key) => /loss/i.test(key))));
  for (const key of keys) {
    const values = curves.map((row) => row[key]).filter((value) => typeof value === 'number');
    const [first, last] = [values[0], values.at(-1)];
    if (first === undefined || last === undefined) continue;
    const show = (value: number) => Number(value.toPrecision(3));
    const told = `${key} ends at ${show(last)}`;
    const fix = 'It diverged: lower the learning rate, and do not use the last epoch.';
    if (guess !== undefined && last > factor * guess)
      return `${told}, ${show(last / guess)} times the ${show(guess)} of a guess. ${fix}`;
    if (first > 0 && last > factor * first)
      return `${told}, ${show(last / first)} times the ${show(first)} after the first epoch. ${fix}`;
  }
  return undefined;
}

/** The same of several named trainings, as notes; `classes`: how many there are to guess among, 0 where none. */
export function noteDivergence(
  curves: readonly { readonly name: string; readonly rows: Curves }[],
  classes = 0,
): string[] {
  return curves.flatMap(({ name, rows }) => {
    // Pre-training knows no classes.
    const guess = classes > 1 && !name.startsWith('pre-train') ? Math.log(classes) : undefined;
    const told = describeDivergence(rows, guess);
    return told === undefined ? [] : [`Warning: ${name}: ${told}`];
  });
}
