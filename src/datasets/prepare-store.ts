/**
 * A dataset → a store of windows: the trials are planned, their files prepared one by one or by several workers, and the
 * pieces written in the order of the trials, so that the store is the same whoever prepared what.
 */
import { DataError, InterruptedError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { runsOverSession } from '../patches/context.ts';
import type { Recipe } from '../patches/recipe.ts';
import type { SampleType, StoreInfo } from '../patches/store-format.ts';
import type { StorePlace } from '../patches/store-place.ts';
import { fitShard, type StorePlan } from '../patches/store-plan.ts';
import { StoreWriter, type TrialPiece } from '../patches/store-writer.ts';
import { type DatasetSpec, describeFolder, type Trial } from './dataset.ts';
import { type FileTask, type PieceOptions, preparePieces } from './prepare-pieces.ts';
import { type EarlierFilesOf, earlierFiles } from './sessions.ts';
import { type InputOptions, trialFileOf } from './trial-files.ts';

/**
 * What is stated of the recordings, by the user or by their labels, as a part of the store's identity: windows of other
 * options are other windows. Nothing where nothing is stated.
 */
function statedOf(trials: readonly Trial[], { tolerant, ...input }: InputOptions): Pick<StorePlan, 'stated'> {
  const files = trials.flatMap(({ file, inputUnit, inputRateHz }) =>
    inputUnit === undefined && inputRateHz === undefined ? [] : [[file, inputUnit, inputRateHz]],
  );
  const stated = { ...(tolerant && { tolerant }), ...input, ...(files.length > 0 && { files }) };
  return Object.keys(stated).length > 0 ? { stated } : {};
}

/** Who prepares files: this thread, or several. */
export interface Preparer {
  /** Files that are worth asking for ahead of time. */
  readonly ahead: number;
  pieces(task: FileTask, options: PieceOptions): AsyncIterable<TrialPiece>;
}

export interface PrepareStoreOptions {
  readonly recipe?: Recipe;
  /** Default int16. */
  readonly type?: SampleType;
  /** Bytes of a shard, over all modalities. Default 32 MiB. */
  readonly shardBytes?: number;
  /** Count recordings that cannot be read instead of stopping at the first. Default true. */
  readonly skipBroken?: boolean;
  /** Open truncated recordings up to where they go; the store counts them. Default false. */
  readonly tolerant?: boolean;
  /** What a user states of all recordings. */
  readonly input?: InputOptions;
  /** Replace whatever store is there. */
  readonly force?: boolean;
  /** Default: this thread. */
  readonly preparer?: Preparer;
  readonly stretchSeconds?: number;
  readonly onProgress?: (done: number, total: number, shards: number) => void;
  readonly signal?: AbortSignal;
}

/** What is to be prepared, before anything is. */
export async function planStore(
  asked: DatasetSpec,
  folder: ByteFolder,
  { recipe: givenRecipe, type = 'int16', shardBytes, tolerant = false, input }: PrepareStoreOptions = {},
): Promise<{ readonly plan: StorePlan; readonly trials: readonly Trial[] }> {
  const spec = await describeFolder(asked, folder);
  const recipe = givenRecipe ?? spec.recipe;
  const trials = await spec.trials(folder);
  if (trials.length === 0)
    throw new DataError(`${spec.name}: no recordings in ${folder.name}. Check the folder.`);
  const { name, title, licence, url, citation, splits } = spec;
  const copies = Object.entries(splits).map(([key, fold]) => [
    key,
    { name: fold.name, train: [...fold.train], validation: [...fold.validation], test: [...fold.test] },
  ]);
  const plan = {
    recipe,
    dataset: { name, title, licence, url, citation, splits: Object.fromEntries(copies) },
    targets: spec.targets,
    type,
    windowsPerShard: fitShard(recipe, shardBytes),
    ...statedOf(trials, { tolerant, ...input }),
    trials: trials.map(({ id, subject, targets, session }) => ({
      ...{ id, subject, targets },
      ...(session && runsOverSession(recipe) && { session }),
    })),
  };
  return { plan, trials };
}

/**
 * Prepare a store, or go on with one that was begun. ConfigError where another store is there, DataError where no window
 * is left, InterruptedError when stopped, StorageError where it cannot be written.
 */
export async function prepareStore(
  spec: DatasetSpec,
  folder: ByteFolder,
  place: StorePlace,
  options: PrepareStoreOptions = {},
): Promise<StoreInfo> {
  const {
    force = false,
    skipBroken = true,
    tolerant = false,
    input,
    stretchSeconds,
    onProgress,
    signal,
  } = options;
  const { plan, trials } = await planStore(spec, folder, options);
  const writer = await StoreWriter.open(place, plan, { force });
  if (writer.finished) return writer.finished;
  const preparer = options.preparer ?? inThisThread(folder);
  const pieceOptions: PieceOptions = {
    recipe: plan.recipe,
    type: plan.type,
    skipBroken,
    tolerant,
    ...(input && { input }),
    ...(stretchSeconds === undefined ? {} : { stretchSeconds }),
  };
  const begin = writer.next.trial;
  const tasks = planFiles(trials, begin, runsOverSession(plan.recipe) ? earlierFiles(trials) : () => []);
  onProgress?.(begin, trials.length, writer.shards);
  const started: Pieces[] = [];
  let asked = 0;
  try {
    for (const task of tasks) {
      while (asked < tasks.length && started.length < preparer.ahead)
        started.push(begunPieces(preparer, tasks[asked++]!, pieceOptions));
      for await (const piece of started.shift()!) {
        if (signal?.aborted)
          throw new InterruptedError(
            `${spec.name}: stopped after ${piece.trial} of ${trials.length} trials; ${writer.shards} shards are kept. Run it again to go on.`,
          );
        const { next } = writer;
        if (piece.trial > next.trial || (piece.trial === next.trial && piece.piece >= next.piece))
          await writer.add(piece);
        onProgress?.(piece.trial, trials.length, writer.shards);
      }
      onProgress?.(task.trials.at(-1)!.index + 1, trials.length, writer.shards);
    }
  } finally {
    for (const pieces of started) await pieces.return?.().catch(() => undefined);
  }
  return writer.finish();
}

type Pieces = AsyncIterableIterator<TrialPiece>;

/** Pieces whose first is being prepared already: an iterator begins to work only when it is asked. */
function begunPieces(preparer: Preparer, task: FileTask, options: PieceOptions): Pieces {
  const iterator = preparer.pieces(task, options)[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<TrialPiece>> | undefined = iterator.next();
  first.catch(() => undefined);
  const pieces: Pieces = {
    [Symbol.asyncIterator]: () => pieces,
    next() {
      const result = first ?? iterator.next();
      first = undefined;
      return result;
    },
    async return() {
      await first?.catch(() => undefined);
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
  return pieces;
}

/** Trials from `begin` on by file; trials of one file that follow one another are one task. */
function planFiles(trials: readonly Trial[], begin: number, earlierOf: EarlierFilesOf): FileTask[] {
  const tasks: { file: string; trials: FileTask['trials'][number][] }[] = [];
  for (let index = begin; index < trials.length; index++) {
    const { id, subject, start, end } = trials[index]!;
    const earlier = earlierOf(trials[index]!);
    const entry = {
      index,
      id,
      subject,
      ...trialFileOf(trials[index]!),
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
      ...(earlier.length > 0 && { earlier }),
    };
    const last = tasks.at(-1);
    if (last?.file === entry.file) last.trials.push(entry);
    else tasks.push({ file: entry.file, trials: [entry] });
  }
  return tasks;
}

/** One file after another, here. */
function inThisThread(folder: ByteFolder): Preparer {
  return { ahead: 1, pieces: (task, options) => preparePieces(folder, task, options) };
}
