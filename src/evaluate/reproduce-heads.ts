/**
 * Heads on features, and what several heads say joined: the parts that a benchmark's rows are made of. A head tells of the
 * validation windows too, which is how heads are brought to equal terms.
 */
import type { Backend } from '../runtime/backend.ts';
import type { Features } from '../train/frozen-features.ts';
import type { GroupFold } from './protocol-groups.ts';
import { runHead } from './reproduce-head.ts';
import { runLogisticHead } from './reproduce-logistic.ts';
import type { HeadRecipe } from './reproduce-recipe.ts';

export interface FoldTask {
  readonly labels: Int32Array;
  readonly fold: GroupFold;
  readonly seed: number;
  /** Names the training where one is kept. */
  readonly name: string;
}

/** What a head says of the fold's validation and test windows: probabilities of class 1. */
export interface Told {
  readonly validation: Float64Array;
  readonly test: Float64Array;
}

export type Head = (task: FoldTask) => Promise<Told>;

/** The recipe's head on the features of a fold, joined. */
export function headOn(
  {
    backend,
    recipe,
    signal,
  }: {
    readonly backend: Backend;
    readonly recipe: { readonly head: HeadRecipe };
    readonly signal?: AbortSignal | undefined;
  },
  rowsFor: (fold: GroupFold) => readonly (readonly Float64Array[])[],
): Head {
  // Of the last fold's rows: most folds in a row have the same encoders.
  let last: { readonly rows: readonly (readonly Float64Array[])[]; readonly features: Features } | undefined;
  return async ({ labels, fold, seed }) => {
    const rows = rowsFor(fold);
    if (!last || rows.some((one, i) => one !== last!.rows[i])) last = { rows, features: joinFeatures(rows) };
    const { features } = last;
    const { train: training, validation } = fold;
    const parts = { training, validation, test: [...validation, ...fold.test] };
    const told =
      recipe.head.kind === 'logistic'
        ? runLogisticHead({ features, labels, ...parts, strengths: recipe.head.strengths })
        : await runHead({ ...{ backend, features, labels, seed, signal, recipe: recipe.head }, ...parts });
    return { validation: told.slice(0, validation.length), test: told.slice(validation.length) };
  };
}

/** Rows side by side, [W, F]. */
export function joinFeatures(parts: readonly (readonly Float64Array[])[]): Features {
  const size = parts.reduce((sum, rows) => sum + rows[0]!.length, 0);
  const count = parts[0]!.length;
  const data = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    let at = i * size;
    for (const rows of parts) {
      data.set(rows[i]!, at);
      at += rows[i]!.length;
    }
  }
  return { data, size };
}

/** A head that is part of several rows: what it said of a fold under a seed is kept while the fold is. */
export function trainedOnce(head: Head): Head {
  const known = new WeakMap<GroupFold, Map<number, Told>>();
  return async (task) => {
    const bySeed = known.get(task.fold) ?? new Map<number, Told>();
    known.set(task.fold, bySeed);
    const found = bySeed.get(task.seed) ?? (await head(task));
    bySeed.set(task.seed, found);
    return found;
  };
}

/**
 * Probabilities of class 1 of the test windows: the mean of several heads' logits; one head's own. even: each head's logits
 * are first scaled to the same spread over the validation windows, label-free, so that a head of one number counts as much as
 * one of thousands.
 */
export function joinHeads(
  heads: readonly Head[],
  joined?: 'even',
): (task: FoldTask) => Promise<Float64Array> {
  return async (task) => {
    const each: Told[] = [];
    for (const head of heads) each.push(await head(task));
    if (each.length === 1) return each[0]!.test;
    const scales = each.map(({ validation }) => (joined ? spreadOf(validation) : 1));
    return each[0]!.test.map((_, i) => {
      const mean = each.reduce((sum, { test }, k) => sum + logitOf(test[i]!) / scales[k]! / each.length, 0);
      return 1 / (1 + Math.exp(-mean));
    });
  };
}

/** Standard deviation of logits; 1 where they are all the same. */
function spreadOf(probabilities: Float64Array): number {
  const logits = probabilities.map(logitOf);
  const mean = logits.reduce((sum, z) => sum + z / logits.length, 0);
  return Math.sqrt(logits.reduce((sum, z) => sum + (z - mean) ** 2 / logits.length, 0)) || 1;
}

/** A probability that was rounded to 0 or 1 still has a logit. */
function logitOf(p: number): number {
  const inside = Math.min(1 - 1e-12, Math.max(1e-12, p));
  return Math.log(inside) - Math.log1p(-inside);
}
