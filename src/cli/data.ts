/** `--data`: what a user names → a dataset, its folder, and windows. */
import { basename, dirname } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { type DatasetSpec, loadWindows } from '../datasets/dataset.ts';
import { openFolder } from '../datasets/folder-node.ts';
import { labelledFiles } from '../datasets/labelled-files.ts';
import { findDataset } from '../datasets/registry.ts';
import { sampleDataFolder } from '../datasets/sample-node.ts';
import { eegmatRecipe, type Recipe } from '../patches/recipe.ts';
import type { WindowSet } from '../patches/windows.ts';
import type { Progress } from '../train/progress.ts';

/** What `--help` says of it. */
export const dataBrief =
  'sample-eegmat or sample-ecg (embedded), NAME=FOLDER (eegmat, ptbxl, ludb, cinc2021, mitdb), or your own labels.csv (columns file, subject, and a target)';

const samples: Readonly<Record<string, { dataset: string; folder: 'eegmat' | 'ecg12' }>> = {
  'sample-eegmat': { dataset: 'eegmat', folder: 'eegmat' },
  'sample-ecg': { dataset: 'sample-ecg', folder: 'ecg12' },
};

export interface ChosenData {
  readonly spec: DatasetSpec;
  readonly folder: ByteFolder;
}

/** ConfigError for a name that means nothing; DataError for a folder that is not there. */
export async function chooseData(argument: string, recipe: Recipe | undefined): Promise<ChosenData> {
  const sample = Object.hasOwn(samples, argument) ? samples[argument]! : undefined;
  if (sample)
    return { spec: findDataset(sample.dataset), folder: await openFolder(sampleDataFolder(sample.folder)) };
  if (/\.csv$/i.test(argument)) {
    const folder = await openFolder(dirname(argument));
    const spec = await labelledFiles(folder, basename(argument), recipe ?? eegmatRecipe);
    // One name for all: a person of the same name in two tables counts as the same person, and is not tested on.
    return { spec: { ...spec, name: 'own data' }, folder };
  }
  const [, name, path] = /^([\w-]+)=(.+)$/.exec(argument) ?? [];
  if (name === undefined || path === undefined)
    throw new ConfigError(`--data: '${argument}' is none of: ${dataBrief}.`, '--data', dataBrief);
  return { spec: findDataset(name), folder: await openFolder(path) };
}

/** The dataset's only target, or the one that is named. ConfigError where a choice is needed. */
export function chooseTarget(spec: DatasetSpec, target: string | undefined): string {
  const known = Object.keys(spec.targets);
  if (target !== undefined) return target;
  if (known.length === 1) return known[0]!;
  throw new ConfigError(
    `--target: ${spec.name} has ${known.length === 0 ? 'none' : known.join(', ')}. Name one.`,
    '--target',
    known.join(', '),
  );
}

export interface LoadFlags {
  readonly target?: string;
  readonly skipBroken?: boolean;
  readonly signal: AbortSignal;
}

/** Read and prepare with progress. */
export async function loadData(
  { spec, folder }: ChosenData,
  recipe: Recipe | undefined,
  progress: Progress,
  { target, skipBroken, signal }: LoadFlags,
): Promise<WindowSet> {
  let stage: ReturnType<Progress['stage']> | undefined;
  const windows = await loadWindows(spec, folder, recipe ?? spec.recipe, {
    ...(target === undefined ? {} : { target }),
    ...(skipBroken === undefined ? {} : { skipBroken }),
    signal,
    onProgress: (done, total) => {
      stage ??= progress.stage(`read ${spec.name}`, total, 'recordings');
      stage.update(done);
    },
  });
  stage?.end();
  return windows;
}
