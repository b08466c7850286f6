/** `heartmind prepare`: a dataset → a store of windows, to train from what is larger than memory. */
import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError, StorageError } from '../core/errors.ts';
import { createWorkerPool, servePieces } from '../datasets/prepare-pool-node.ts';
import { estimateBytes } from '../datasets/prepare-space.ts';
import { planStore, prepareStore } from '../datasets/prepare-store.ts';
import { eegRecipe, parseRecipe, type Recipe, twelveLeadRecipe } from '../patches/recipe.ts';
import { type SampleType, type StoreInfo, sampleTypes } from '../patches/store-format.ts';
import { folderPlace, freeBytes } from '../patches/store-node.ts';
import {
  type Context,
  createWorkProgress,
  jsonFlag,
  optionalText,
  parseCount,
  parseText,
  requiredText,
  workFlags,
} from './command.ts';
import { chooseData, dataBrief } from './data.ts';
import { inputOptionsOf, type StatedFlags, statedFlags } from './read-flags.ts';
import { readRecipe } from './recipe-file.ts';
import { prepareRunFolder } from './run-folder.ts';

interface Flags extends StatedFlags {
  readonly recipe?: string;
  readonly out: string;
  readonly type: SampleType;
  readonly workers?: number;
  readonly shard: number;
  readonly force: boolean;
  readonly strict: boolean;
  readonly spaceCheck: boolean;
  readonly progress: 'auto' | 'json' | 'none';
  readonly json: boolean;
}

export const prepareCommand = buildCommand<Flags, [string], Context>({
  docs: {
    brief: 'Prepare a dataset as a store of windows (Zarr v3); a stopped run goes on where it was',
    customUsage: [
      {
        input: 'ptbxl=FOLDER --recipe pretrain-ecg-dual --out stores/ptbxl',
        brief: 'As that recipe takes it; then: pretrain --data stores/ptbxl',
      },
      { input: 'my/labels.csv --recipe my.json --out stores/mine', brief: 'Your own recordings' },
    ],
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ parse: parseText, brief: dataBrief, placeholder: 'data' }],
    },
    flags: {
      recipe: optionalText(
        "How windows are cut: a recipe of recipes/, or a JSON file of training or of windows (default: the dataset's own)",
        'recipe',
      ),
      out: requiredText('Folder of the store', 'folder'),
      type: {
        kind: 'enum',
        values: sampleTypes,
        brief: 'Stored samples: int16 in 1000 steps a unit (0.1 µV for EEG, 1 µV for ECG), or float16',
        default: 'int16',
      },
      workers: {
        kind: 'parsed',
        parse: parseCount('--workers', 0),
        brief: 'Threads that prepare; 0 for none beside the one that writes (default: one per core)',
        optional: true,
        placeholder: 'n',
      },
      shard: {
        kind: 'parsed',
        parse: parseCount('--shard'),
        brief: 'Megabytes of a shard',
        default: '32',
        placeholder: 'MB',
      },
      force: { kind: 'boolean', brief: 'Replace a store that is there', default: false },
      strict: {
        kind: 'boolean',
        brief: 'Stop at a recording that cannot be read instead of counting it',
        default: false,
      },
      ...statedFlags,
      spaceCheck: { kind: 'boolean', brief: 'Look whether the disk has room before the work', default: true },
      progress: workFlags.progress,
      ...jsonFlag,
    },
  },
  async func({ recipe: recipeName, out, shard, workers = availableParallelism(), ...flags }, data) {
    const recipe = recipeName === undefined ? undefined : windowRecipeOf(readRecipe(recipeName), recipeName);
    const { spec, folder, store } = await chooseData(data, recipe, { signal: this.signal });
    if (store)
      throw new ConfigError(
        `${data}: this is a store already. Give the recordings that it was made of.`,
        'data',
      );
    await prepareRunFolder(out, 'prepare', { files: [] });
    const progress = createWorkProgress({ progress: flags.progress, device: 'auto' });
    const options = {
      ...(recipe && { recipe }),
      type: flags.type,
      shardBytes: shard * 2 ** 20,
      skipBroken: !flags.strict,
      input: inputOptionsOf(flags, this.signal),
      force: flags.force,
      signal: this.signal,
    };
    if (flags.spaceCheck) {
      const { plan, trials } = await planStore(spec, folder, options);
      await checkSpace(await estimateBytes(plan, trials, folder, options.input), out);
    }
    const pool =
      workers === 0
        ? undefined
        : createWorkerPool({
            script: realpathSync(process.argv[1]!),
            argv: [workerVerb],
            folder: folder.name,
            workers,
          });
    let stage: ReturnType<typeof progress.stage> | undefined;
    let info: StoreInfo;
    try {
      info = await prepareStore(spec, folder, folderPlace(out), {
        ...options,
        ...(pool && { preparer: pool }),
        onProgress: (done, total, shards) => {
          stage ??= progress.stage(`prepare ${spec.name}`, total, 'recordings');
          stage.update(done, { shards });
        },
      });
    } finally {
      await pool?.close();
    }
    stage?.end();
    this.process.stdout.write(flags.json ? `${JSON.stringify(summary(info, out))}\n` : describe(info, out));
  },
});

/** The verb that a thread of `prepare` runs; nobody types it. */
export const workerVerb = 'prepare-worker';

export const prepareWorkerCommand = buildCommand<Record<never, never>, [], Context>({
  docs: { brief: 'A thread of prepare' },
  parameters: { flags: {} },
  func() {
    servePieces();
  },
});

/** The recipe of windows in whatever recipe is given. ConfigError where there is none. */
function windowRecipeOf(value: unknown, where: string): Recipe | undefined {
  const { task, prepare, modality, signals } = value as Record<string, unknown>;
  if (signals !== undefined) return parseRecipe(value, where);
  if (prepare !== undefined) return parseRecipe(prepare, `${where}.prepare`);
  // As `pretrain` and `finetune` do where their recipe says nothing.
  if (task === 'pretrain') return modality === 'eeg' ? eegRecipe : twelveLeadRecipe;
  if (task === 'finetune') return undefined;
  throw new ConfigError(
    `${where}: it does not say how windows are cut (no signals, no prepare). Give a recipe of windows, pretrain or finetune.`,
    `${where}.signals`,
  );
}

async function checkSpace(needed: number, out: string): Promise<void> {
  const free = await freeBytes(out);
  if (needed <= free) return;
  throw new StorageError(
    `${out}: the store may take ${gigabytes(needed)}, its disk has ${gigabytes(free)} left. Make room, choose another --out, or use --no-space-check where most windows will be dropped.`,
    out,
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}

function summary(info: StoreInfo, out: string) {
  const { count, trials, subjects, type, windowsPerShard, dropped, hash } = info;
  const bytes = Object.values(info.shards)
    .flat()
    .reduce((sum, shard) => sum + shard.bytes, 0);
  return {
    store: resolve(out),
    windows: count,
    trials,
    subjects,
    type,
    windowsPerShard,
    bytes,
    dropped,
    hash,
  };
}

function describe(info: StoreInfo, out: string): string {
  const { windows, trials, subjects, bytes, dropped } = summary(info, out);
  const left = dropped.map(({ count, what, reason }) => `  ${count} × ${what}: ${reason}\n`).join('');
  return `${windows} windows of ${trials} trials and ${subjects} subjects, ${gigabytes(bytes)}\n${
    left === '' ? '' : `Counted on the way:\n${left}`
  }Store: ${resolve(out)}\n`;
}
