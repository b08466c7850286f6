/** What every benchmark of `reproduce` is given, and gives; the files of its run. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../core/output-node.ts';
import type { KeptFiles } from '../evaluate/kept-files.ts';
import type { KeptTrainings } from '../evaluate/reproduce-tuned.ts';
import type { Progress } from '../train/progress.ts';
import type { WorkFlags } from './command.ts';
import { keepIn } from './run-folder.ts';

export interface ReproduceFlags extends WorkFlags {
  readonly data?: string;
  readonly recipe?: string;
  readonly eeg?: string;
  readonly ecg?: string;
  readonly tune: boolean;
  readonly allowDuplicates: boolean;
  readonly out?: string;
  readonly json: boolean;
}

export interface BenchmarkRun {
  readonly name: string;
  /** Parsed JSON, and what to call it in errors. */
  readonly recipe: unknown;
  readonly recipeName: string;
  readonly flags: ReproduceFlags;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly kept: KeptFiles;
  readonly trainings: KeptTrainings;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
}

export interface FinishedBenchmark {
  /** As it is written. */
  readonly result: unknown;
  /** The page. */
  readonly report: string;
  /** For the terminal. */
  readonly tables: string;
}

export type Benchmark = (run: BenchmarkRun) => Promise<FinishedBenchmark>;

/** Small files in `kept/` of the run's folder. */
export function keptFiles(folder: string): KeptFiles {
  const place = (name: string) => join(folder, 'kept', name);
  return {
    load: (name) =>
      readFile(place(name)).then(
        (bytes) => new Uint8Array(bytes),
        () => undefined,
      ),
    save: (name, bytes) => writeFileAtomically(place(name), bytes),
  };
}

/** Checkpoints in `training/` of the run's folder. */
export function keptTrainings(folder: string): KeptTrainings {
  const place = join(folder, 'training');
  return {
    keep: keepIn(folder),
    async forget(beginning) {
      const names = await readdir(place).catch(() => []);
      for (const one of names.filter((found) => found.startsWith(`${beginning}-`)))
        await rm(join(place, one), { recursive: true, force: true });
    },
  };
}
