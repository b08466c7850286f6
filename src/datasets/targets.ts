/** What is to be predicted of windows, of any kind: one class of several, several labels at once, or a number. */
import { DataError } from '../core/errors.ts';
import type { DatasetSpec, Trial } from './dataset.ts';

export interface Targets {
  readonly name: string;
  readonly kind: 'class' | 'multilabel' | 'number';
  /** K: labels that are true or not; the classes, of which one is (of two classes only the second); or the number's name. */
  readonly names: readonly string[];
  /** [W, K]: 1 and 0, or numbers; NaN where it is not known. */
  readonly values: Float64Array;
}

/** Names of everything that can be asked of a dataset, with its kind. */
export function targetKinds({
  targets,
  labels = {},
}: Pick<DatasetSpec, 'targets' | 'labels'>): ReadonlyMap<string, Targets['kind']> {
  return new Map([
    ...Object.keys(targets).map((name) => [name, 'class'] as const),
    ...Object.entries(labels).map(([name, { kind }]) => [name, kind] as const),
  ]);
}

/**
 * The values of windows, each of which names its trial. DataError for a name that the dataset does not have, a value that is
 * no class of the target, or windows of no known trial.
 */
export function targetsOf(
  spec: Pick<DatasetSpec, 'name' | 'targets' | 'labels'>,
  trials: readonly Trial[],
  windows: { readonly trial: readonly string[] },
  name: string,
): Targets {
  const kinds = targetKinds(spec);
  const kind = kinds.get(name);
  if (!kind)
    throw new DataError(
      `${spec.name}: no target '${name}'. It has: ${[...kinds.keys()].join(', ') || 'none'}.`,
    );
  const byId = new Map(trials.map((trial) => [trial.id, trial]));
  const { names, read } = columnsOf(spec, name, kind);
  const values = new Float64Array(windows.trial.length * names.length);
  for (const [i, id] of windows.trial.entries()) {
    const trial = byId.get(id);
    if (!trial)
      throw new DataError(`${spec.name}: a window is of trial ${id}, which the dataset does not have.`);
    values.set(read(trial), i * names.length);
  }
  return { name, kind, names, values };
}

function columnsOf(
  spec: Pick<DatasetSpec, 'name' | 'targets' | 'labels'>,
  name: string,
  kind: Targets['kind'],
): { readonly names: readonly string[]; readonly read: (trial: Trial) => readonly number[] } {
  if (kind === 'number') return { names: [name], read: ({ targets }) => [numberOf(targets[name])] };
  const label = spec.labels?.[name];
  if (kind === 'multilabel' && label?.kind === 'multilabel') {
    const { targets: names } = label;
    return { names, read: ({ targets }) => names.map((one) => numberOf(targets[one])) };
  }
  const classes = spec.targets[name]!;
  const names = classes.length === 2 ? classes.slice(1) : classes;
  return {
    names,
    read: ({ id, targets }) => {
      const value = targets[name];
      if (value === undefined || value === '') return names.map(() => Number.NaN);
      if (!classes.includes(String(value)))
        throw new DataError(
          `${spec.name}: trial ${id} has ${name} '${value}', which is none of ${classes.join(', ')}.`,
        );
      return names.map((one) => Number(one === String(value)));
    },
  };
}

/** A cell that is empty is not known. */
function numberOf(value: string | number | undefined): number {
  return value === undefined || value === '' ? Number.NaN : Number(value);
}
