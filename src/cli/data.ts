/** `--data`: what a user names → a dataset, its folder, and windows. */
import { basename, dirname, join } from 'node:path';
import type { TypedFlagParameter } from '@stricli/core';
import { ConfigError, DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { sha256 } from '../core/sha256.ts';
import { type DatasetSpec, describeFolder, loadWindows } from '../datasets/dataset.ts';
import { openFolder } from '../datasets/folder-node.ts';
import { labelledFiles } from '../datasets/labelled-files.ts';
import { datasets, findDataset } from '../datasets/registry.ts';
import { sampleDataFolder } from '../datasets/sample-node.ts';
import type { InputOptions } from '../datasets/trial-files.ts';
import type { MayLack } from '../patches/lenient-montage.ts';
import { eegmatRecipe, type Recipe } from '../patches/recipe.ts';
import { unfinishedFolder } from '../patches/store-format.ts';
import { folderFiles, hasFile } from '../patches/store-node.ts';
import type { StoreFiles } from '../patches/store-place.ts';
import { assertSameRecipe } from '../patches/store-plan.ts';
import { StoreReader } from '../patches/store-reader.ts';
import { urlFiles } from '../patches/store-url.ts';
import { defaultMemoryMegabytes, StoreWindows } from '../patches/store-windows.ts';
import { asReader, concatReaders, type WindowReader } from '../patches/window-reader.ts';
import type { Modality, WindowSet } from '../patches/windows.ts';
import type { Progress } from '../train/progress.ts';
import { parseCount } from './command.ts';
import { dataFolder, fetchedFolder } from './data-folder.ts';
import { statedFlagOf } from './read-flags.ts';

/** What `--help` says of it. */
export const dataBrief =
  "sample-eegmat or sample-ecg (embedded), NAME=FOLDER (eegmat, ptbxl, bids, …: docs/datasets.md) or the NAME of one that was fetched, your own labels.csv (columns file, subject, and a target), or a store that 'prepare' made (its folder or URL)";

const samples: Readonly<Record<string, { dataset: string; folder: 'eegmat' | 'ecg12' }>> = {
  'sample-eegmat': { dataset: 'eegmat', folder: 'eegmat' },
  'sample-ecg': { dataset: 'sample-ecg', folder: 'ecg12' },
};

/** `--memory`. */
export const memoryFlag = {
  memory: {
    kind: 'parsed',
    parse: parseCount('--memory'),
    brief: `Megabytes of a store's windows that are held and shuffled at once (default: ${defaultMemoryMegabytes})`,
    optional: true,
    placeholder: 'MB',
  } satisfies TypedFlagParameter<number | undefined>,
} as const;

/** `--allow-duplicates`: of every verb that evaluates. */
export const duplicatesFlag = {
  allowDuplicates: {
    kind: 'boolean',
    brief: 'Go on where two subjects have equal recordings, and note it, instead of stopping',
    default: false,
  } satisfies TypedFlagParameter<boolean>,
} as const;

export interface ChosenData {
  readonly spec: DatasetSpec;
  readonly folder: ByteFolder;
  /** Windows that are prepared already. */
  readonly store?: StoreReader;
}

export interface ChooseOptions {
  /** The recipe by which a store must have been prepared; default: the recipe that is given. */
  readonly asked?: Recipe | null;
  /** Ends reads of a store on a server, also those under way. */
  readonly signal?: AbortSignal;
}

/**
 * `recipe` cuts a user's own recordings; a store must have been prepared by `asked`, where that is not null. ConfigError for
 * a name that means nothing; DataError for a folder that is not there.
 */
export async function chooseData(
  argument: string,
  recipe: Recipe | undefined,
  { asked = recipe ?? null, signal }: ChooseOptions = {},
): Promise<ChosenData> {
  const sample = Object.hasOwn(samples, argument) ? samples[argument]! : undefined;
  if (sample)
    return { spec: findDataset(sample.dataset), folder: await openFolder(sampleDataFolder(sample.folder)) };
  const files = await findStore(argument, signal);
  if (files) return chooseStore(await StoreReader.open(files), asked);
  if (/\.csv$/i.test(argument)) {
    const folder = await openFolder(dirname(argument));
    const spec = await labelledFiles(folder, basename(argument), recipe ?? eegmatRecipe);
    // One name for all: a person of the same name in two tables counts as the same person, and is not tested on.
    return { spec: { ...spec, name: 'own data' }, folder };
  }
  const [, name, path] = await nameAndFolder(argument);
  if (name === undefined || path === undefined)
    throw new ConfigError(`--data: '${argument}' is none of: ${dataBrief}.`, '--data', dataBrief);
  const folder = await openFolder(path);
  return { spec: await describeFolder(findDataset(name), folder), folder };
}

/** `NAME=FOLDER`, or the name of a dataset that was fetched. */
async function nameAndFolder(argument: string): Promise<readonly (string | undefined)[]> {
  const given = /^([\w-]+)=(.+)$/.exec(argument);
  if (given || !Object.hasOwn(datasets, argument)) return given ?? [];
  const folder = await fetchedFolder(argument);
  if (folder !== undefined) return [argument, argument, folder];
  throw new DataError(
    `--data: '${argument}' is not in ${dataFolder(argument)}. Run heartmind fetch ${argument}, or give ${argument}=FOLDER.`,
  );
}

/** A store's files, where the argument names one: a URL, or a folder with a store in it, finished or not. */
async function findStore(argument: string, signal?: AbortSignal): Promise<StoreFiles | undefined> {
  if (/^https?:\/\//i.test(argument)) return urlFiles(argument, { signal });
  const isStore =
    (await hasFile(join(argument, 'zarr.json'))) ||
    (await hasFile(join(argument, unfinishedFolder, 'plan.json')));
  return isStore ? folderFiles(argument) : undefined;
}

/** ConfigError where the store was prepared otherwise than the recipe asks for. */
function chooseStore(store: StoreReader, asked: Recipe | null): ChosenData {
  const { info, files } = store;
  if (asked) assertSameRecipe(info.recipe, asked, files.name);
  const { dataset, targets } = info;
  const spec: DatasetSpec = {
    ...dataset,
    modalities: Object.keys(info.signals) as Modality[],
    targets: Object.fromEntries(
      targets.flatMap(({ name, kind, classes }) => (kind === 'class' ? [[name, classes]] : [])),
    ),
    recipe: info.recipe,
    trials: async () => [],
  };
  return { spec, store, folder: { ...files, list: async () => [] } };
}

/** The dataset's only or usual target, or the one that is named. ConfigError where a choice is needed. */
export function chooseTarget(spec: DatasetSpec, target: string | undefined): string {
  const known = Object.keys(spec.targets);
  if (target !== undefined) return target;
  if (known.length === 1) return known[0]!;
  // A store does not keep it.
  const usual =
    spec.defaultTarget ?? (Object.hasOwn(datasets, spec.name) && datasets[spec.name]!.defaultTarget);
  if (usual && known.includes(usual)) return usual;
  throw new ConfigError(
    `--target: ${spec.name} has ${known.length === 0 ? 'none' : known.join(', ')}. Name one.`,
    '--target',
    known.join(', '),
  );
}

/** Parts of a published split. */
export const parts = ['train', 'validation', 'test'] as const;

/**
 * Those of a dataset's people who are wanted; undefined for everybody. A dataset without a published split gives all of
 * them whatever the part, which is said.
 */
export async function choosePeople(
  { spec, folder, store }: ChosenData,
  {
    part,
    leaveOut = [],
  }: { part?: (typeof parts)[number] | undefined; leaveOut?: readonly string[] | undefined },
  progress: Progress,
): Promise<readonly string[] | undefined> {
  const { name, splits } = spec;
  const people = part && splits.published?.[part];
  if (part && !people) progress.log(`${name}: no published split, all of its people are taken`);
  if (leaveOut.length === 0 || store) return people;
  const everybody = people ?? [...new Set((await spec.trials(folder)).map(({ subject }) => subject))];
  const patterns = leaveOut.map((one) => globPattern(one));
  const left = everybody.filter((subject) => !patterns.some((pattern) => pattern.test(subject)));
  progress.log(`${name}: ${everybody.length - left.length} of ${everybody.length} people left out`);
  return left.length === everybody.length ? people : left;
}

/** `*` stands for anything. */
function globPattern(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

export interface LoadFlags {
  readonly target?: string;
  /** Only these people. */
  readonly subjects?: readonly string[] | undefined;
  readonly skipBroken?: boolean;
  /** What a model can do without. */
  readonly mayLack?: MayLack;
  /** What a user states of all recordings. */
  readonly input?: InputOptions;
  /** Of a store's windows that are held at once. */
  readonly memory?: number | undefined;
  readonly signal: AbortSignal;
}

/** The windows of a store, read when they are needed; those of anything else, in memory. */
export async function openWindows(
  chosen: ChosenData,
  recipe: Recipe | undefined,
  progress: Progress,
  flags: LoadFlags,
): Promise<WindowReader> {
  if (!chosen.store) return asReader(await loadData(chosen, recipe, progress, flags));
  refuseStated(chosen.store, flags.input);
  if (flags.subjects)
    throw new ConfigError(
      `--part: ${chosen.store.files.name} is a store, whose windows are taken whole. Name the dataset itself.`,
      '--part',
    );
  const { target, memory: memoryMegabytes } = flags;
  return StoreWindows.load(chosen.store, {
    ...(target === undefined ? {} : { target }),
    ...(memoryMegabytes === undefined ? {} : { memoryMegabytes }),
  });
}

/** Several as one, by the same name as if they were read into memory together. */
export async function joinWindows(readers: readonly WindowReader[]): Promise<WindowReader> {
  const hashes = readers.map(({ hash }) => hash).join();
  return concatReaders(readers, await sha256(new TextEncoder().encode(hashes)));
}

/** Read and prepare with progress; a store is read into memory. */
export async function loadData(
  { spec, folder, store }: ChosenData,
  recipe: Recipe | undefined,
  progress: Progress,
  { target, subjects, skipBroken, input, mayLack, signal }: LoadFlags,
): Promise<WindowSet> {
  for (const note of spec.notes ?? []) progress.log(`${spec.name}: ${note}`);
  if (store) refuseStated(store, input);
  if (store) return (await StoreWindows.load(store, target === undefined ? {} : { target })).load();
  let stage: ReturnType<Progress['stage']> | undefined;
  const windows = await loadWindows(spec, folder, recipe ?? spec.recipe, {
    ...(target === undefined ? {} : { target }),
    ...(subjects && { subjects }),
    ...(skipBroken === undefined ? {} : { skipBroken }),
    ...(input && { input }),
    ...{ mayLack, signal },
    onProgress: (done, total) => {
      stage ??= progress.stage(`read ${spec.name}`, total, 'recordings');
      stage.update(done);
    },
  });
  stage?.end();
  return windows;
}

/** A store's windows are prepared: what is stated of recordings would be ignored. */
function refuseStated({ files }: StoreReader, input: InputOptions = {}): void {
  const flag = statedFlagOf(input);
  if (flag !== undefined)
    throw new ConfigError(
      `${flag}: ${files.name} is a store, whose windows are prepared already. Give ${flag} to prepare.`,
      flag,
    );
}
