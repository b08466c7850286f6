/** Classes of folds: a part without one of them can neither teach nor test it. */
import { DataError } from '../core/errors.ts';
import type { WindowIndex } from '../patches/window-reader.ts';
import type { WindowFold } from './protocol.ts';

/** DataError where the windows are of one class, which is named: nothing can be told apart. `where`: the verb. */
export function assertSeveralClasses(
  where: string,
  { label, classes }: Pick<WindowIndex, 'label' | 'classes'>,
): void {
  if (!label) return;
  const found = classes.filter((_, k) => label.includes(k));
  if (found.length >= 2) return;
  throw new DataError(
    `${where}: all ${label.length} windows are of ${found.length === 0 ? 'no class' : `class ${found[0]}`} (classes of the target: ${classes.join(', ')}). Two classes are needed: check the labels, or which windows were left out.`,
  );
}

/** A note for each part that lacks classes in some folds: how many, and the first with what it lacks. */
export function noteMissingClasses(
  folds: readonly Pick<WindowFold, 'name' | 'train' | 'validation' | 'test'>[],
  label: ArrayLike<number>,
  classes: readonly string[],
): string[] {
  const purposes = { train: 'trains', validation: 'validates' } as const;
  return (['train', 'validation'] as const).flatMap((part) => {
    const lacking = folds.flatMap((fold) => {
      if (fold[part].length === 0) return [];
      const own = new Set(fold[part].map((i) => label[i]!));
      const missing = classes.filter((_, k) => !own.has(k));
      return missing.length > 0 ? [`${fold.name}: ${missing.join(', ')}`] : [];
    });
    if (lacking.length === 0) return [];
    return [
      `In ${lacking.length} of ${folds.length} folds the part that ${purposes[part]} lacks a class (${lacking[0]}${lacking.length > 1 ? ', …' : ''}): ${part === 'train' ? 'the people at hand do not allow more' : 'more validation subjects may hold it'}.`,
    ];
  });
}
