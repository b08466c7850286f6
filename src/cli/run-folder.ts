/** A run's folder: `result.json`, `report.html`, `encoders/`, `models/`, and `training/` with checkpoints and figures. */
import { constants } from 'node:fs';
import { access, mkdir, readFile, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { ConfigError, DataError, StorageError } from '../core/errors.ts';
import { lockFolder } from '../core/folder-lock-node.ts';
import { explainSystemError } from '../core/output-errors-node.ts';
import { checkOutput, writeFileAtomically } from '../core/output-node.ts';
import { renderReport } from '../evaluate/report.ts';
import { parseResult, type Result } from '../evaluate/result.ts';
import { folderStore } from '../train/checkpoint-node.ts';
import type { TrainingOptions } from '../train/loop.ts';
import { folderMetricsLog } from '../train/metrics-log-node.ts';
import { commit, version } from './version.ts';

/** What runs write: files, and folders with a / at their end. */
export const runFiles = ['result.json', 'report.html', 'training/'];

/**
 * Make a run's or a store's folder before hours of work go into it, and keep other processes out of it until this one ends.
 * `writes`: false on ranks that leave writing to rank 0, whose lock is the run's. `files`: what will be written there,
 * with a / at the end of a folder. StorageError where nothing can be written there, or another process writes there; ConfigError where
 * something else stands in the place of a file.
 */
export async function prepareRunFolder(
  folder: string,
  verb: string,
  { writes = true, files = runFiles }: { readonly writes?: boolean; readonly files?: readonly string[] } = {},
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    const { fact } = explainSystemError(cause);
    throw new StorageError(
      `--out: nothing can be written to ${folder} (${fact}). Choose another folder.`,
      folder,
      { cause },
    );
  }
  if (!writes) return;
  await lockFolder(folder, `heartmind ${verb}`);
  await checkRunFiles(folder, files);
}

/** Errors of `checkOutput` where these could not be written in a run's folder; a name that ends with / is a folder's. */
export async function checkRunFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder, name);
    if (!name.endsWith('/')) await checkOutput(path);
    else if (await stat(path.slice(0, -1)).catch(() => undefined)) await checkOutput(join(path, 'any'));
  }
}

/** Checkpoint and figures of a training in a run's folder. */
export function keepIn(folder: string): (training: string) => Pick<TrainingOptions, 'store' | 'log'> {
  return (training) => {
    const place = join(folder, 'training', training);
    return { store: folderStore(place), log: folderMetricsLog(place) };
  };
}

/** Write `result.json` and `report.html`; the report's path. */
export async function writeResult(folder: string, result: Result): Promise<string> {
  await writeFileAtomically(join(folder, 'result.json'), encode(`${JSON.stringify(result, null, 1)}\n`));
  return writeReport(folder, result);
}

/** Write `report.html`; its path. */
export async function writeReport(folder: string, result: Result): Promise<string> {
  const path = resolve(folder, 'report.html');
  await writeFileAtomically(path, encode(renderReport(result)));
  return path;
}

/** The result of a run's folder or of a file. DataError where there is none, ConfigError where it is damaged. */
export async function readResultFile(run: string): Promise<{ folder: string; result: Result }> {
  const isFolder = await stat(run).then(
    (status) => status.isDirectory(),
    () => false,
  );
  const path = isFolder ? join(run, 'result.json') : run;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new DataError(`${path}: there is no result. Give the folder of a finished run.`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`${path}: no valid JSON. Run the evaluation again.`, path, undefined, { cause });
  }
  return { folder: isFolder ? run : resolve(path, '..'), result: parseResult(value, path) };
}

/** What made a result: printed in it. */
export function describeVersions(): Record<string, string> {
  const processor = cpus();
  return {
    heartmind: version,
    ...(commit ? { commit } : {}),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: `${processor.length} × ${processor[0]?.model.trim() ?? 'unknown'}`,
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
