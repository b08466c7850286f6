/** What a store is going to be: decided before the first recording is read, kept while it is unfinished. */

import { ConfigError } from '../core/errors.ts';
import { findDifference } from '../core/plain.ts';
import { signalSeconds } from './context.ts';
import { modelRateHz, patchSamples, type Recipe } from './recipe.ts';
import {
  type DatasetInfo,
  type SampleType,
  type StoredSignal,
  type StoredTarget,
  storeVersion,
  windowSize,
} from './store-format.ts';
import { scaleFactorOf } from './store-samples.ts';
import { chunkBytes } from './store-shard.ts';
import type { Modality } from './windows.ts';

/** A trial of the store's index. */
export interface PlannedTrial {
  readonly id: string;
  readonly subject: string;
  readonly targets: Readonly<Record<string, string | number>>;
  /** Its place in its person's session, where contexts depend on it. */
  readonly session?: { readonly name: string; readonly order: number };
}

export interface StorePlan {
  readonly recipe: Recipe;
  readonly dataset: DatasetInfo;
  /** Classes of the categorical targets. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  readonly type: SampleType;
  readonly windowsPerShard: number;
  /** What was stated of the recordings, as plain JSON; absent where nothing was. */
  readonly stated?: Readonly<Record<string, unknown>>;
  readonly trials: readonly PlannedTrial[];
}

/** Bytes of a shard: few files for a file system, few requests for a server, little lost when a run is killed. */
export const defaultShardBytes = 32 * 2 ** 20;

/** The signals of a store, by modality. */
export function storedSignals({ recipe, type }: Pick<StorePlan, 'recipe' | 'type'>): {
  [M in Modality]?: StoredSignal;
} {
  const signals: { [M in Modality]?: StoredSignal } = {};
  for (const modality of ['eeg', 'ecg'] as const) {
    const signal = recipe.signals[modality];
    if (!signal) continue;
    signals[modality] = {
      channels: signal.channels,
      patches: (signalSeconds(recipe, modality) * modelRateHz) / patchSamples,
      patchSamples,
      scaleFactor: scaleFactorOf(type, signal.scaleMicrovolts),
    };
  }
  return signals;
}

/** Bytes of a window over all modalities, checksums included. */
export function storedWindowBytes(recipe: Recipe): number {
  const signals = Object.values(storedSignals({ recipe, type: 'int16' }));
  return signals.reduce((sum, signal) => sum + chunkBytes(2 * windowSize(signal)), 0);
}

/** As many windows as fit into a shard of so many bytes, over all modalities; at least one. */
export function fitShard(recipe: Recipe, bytes = defaultShardBytes): number {
  return Math.max(1, Math.floor(bytes / storedWindowBytes(recipe)));
}

/** Targets as they are stored: a number where all values are numbers and no classes are known. */
export function storedTargets({ targets, trials }: Pick<StorePlan, 'targets' | 'trials'>): StoredTarget[] {
  const names = new Set(Object.keys(targets));
  for (const trial of trials) for (const name in trial.targets) names.add(name);
  return [...names].map((name, i): StoredTarget => {
    const array = /^[\w-]+$/.test(name) ? `target_${name}` : `target_${i}`;
    const classes = targets[name];
    if (classes && classes.length > 0) return { name, array, kind: 'class', classes: [...classes] };
    const numeric = trials.every(
      ({ targets: { [name]: value } }) => value === undefined || typeof value === 'number',
    );
    return { name, array, kind: numeric ? 'number' : 'text', classes: [] };
  });
}

/** What a plan must agree in with an unfinished or finished store, as plain JSON. */
export function planIdentity(
  { recipe, dataset, targets, type, windowsPerShard, stated, trials }: StorePlan,
  trialsHash: string,
) {
  return {
    version: storeVersion,
    recipe,
    dataset: dataset.name,
    targets,
    type,
    windowsPerShard,
    ...(stated && { stated }),
    trials: trials.length,
    trialsHash,
  };
}
export type PlanIdentity = ReturnType<typeof planIdentity>;

/** ConfigError that names the first key in which what is there differs from what is wanted. */
export function assertSamePlan(found: unknown, wanted: PlanIdentity, store: string): void {
  const difference = findDifference(found, wanted);
  if (!difference) return;
  const { key, was, is } = difference;
  const what =
    key === 'trialsHash'
      ? 'the recordings or their labels'
      : key.replace(
          /^stated\b.*/,
          'what is stated of the recordings (--input-…, --channels, --tolerant, labels)',
        );
  throw new ConfigError(
    `${store}: it was begun with other settings: ${what} is ${was} there and ${is} now. Use --force to replace it, or another --out.`,
    key,
    was,
  );
}

/** ConfigError that names the first key in which a store's recipe is not the one that is asked for. */
export function assertSameRecipe(found: Recipe, wanted: Recipe, store: string): void {
  const difference = findDifference(found, wanted);
  if (!difference) return;
  const { key, was, is } = difference;
  throw new ConfigError(
    `${store}: its windows were prepared with ${key} ${was}, the recipe says ${is}. Prepare them by this recipe, or train by the store's.`,
    `prepare.${key}`,
    was,
  );
}
