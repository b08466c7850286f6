/** The files of a converted recording: written beside their places, put there together at the end, or not at all. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, InterruptedError } from '../core/errors.ts';
import { beginOutput, type Output, type WritingFiles } from '../core/output-node.ts';
import { findTarget } from '../core/output-target-node.ts';
import type { OutputFile } from '../read/output.ts';

export interface OutputOptions {
  /** Its file is put in place last: a header names others, which are there by then. */
  readonly mainName: string;
  /** Replace files that are there. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** So that a test can let it fail. */
  readonly files?: WritingFiles;
}

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

/** Smaller pieces are gathered before they go to the disk. */
const gatheredBytes = 2 ** 20;

/**
 * Write files into a folder. ConfigError for a file that is there or is being read, StorageError where it cannot be
 * written (disk full), InterruptedError when stopped; in each case nothing of it stays.
 */
export async function writeOutput(
  folder: string,
  files: AsyncIterable<OutputFile>,
  options: OutputOptions,
): Promise<WrittenFile[]> {
  const begun: { readonly path: string; readonly output: Output }[] = [];
  try {
    for await (const { name, bytes } of files) {
      const path = join(folder, name);
      await refuse(path, options);
      const output = await beginOutput(path, options.files ? { files: options.files } : {});
      begun.push({ path, output });
      await writeAll(output, path, bytes, options.signal);
      await output.finish();
    }
    const isMain = ({ path }: { readonly path: string }) => path === join(folder, options.mainName);
    begun.sort((a, b) => Number(isMain(a)) - Number(isMain(b)));
    for (const { output } of begun) await output.place();
    return begun.map(({ path, output }) => ({ path, bytes: output.written }));
  } catch (error) {
    for (const { output } of begun) await output.abandon();
    throw error;
  }
}

/** ConfigError where a file may not be written: it is a folder, is being read, or is there and `force` was not given. */
export async function refuse(path: string, { force }: Pick<OutputOptions, 'force'>): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (!there) return;
  if (there.isDirectory())
    throw new ConfigError(`${path}: this is a folder. Name a file in it, or give --to.`, 'out');
  await findTarget(path);
  if (!force && there.isFile())
    throw new ConfigError(`${path}: the file is there. Give --force to replace it.`, '--force');
}

async function writeAll(
  output: Output,
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const gathered = new Uint8Array(gatheredBytes);
  let held = 0;
  const flush = async () => {
    const length = held;
    held = 0;
    if (length > 0) await output.write(gathered.subarray(0, length));
  };
  for await (const chunk of bytes) {
    if (signal.aborted) throw stopped(path);
    if (held + chunk.length > gatheredBytes) await flush();
    if (chunk.length >= gatheredBytes) await output.write(chunk);
    else {
      gathered.set(chunk, held);
      held += chunk.length;
    }
  }
  await flush();
}

/** What is thrown when the user stops a conversion. */
export function stopped(path: string): InterruptedError {
  return new InterruptedError(`${path}: stopped; nothing of it was kept.`);
}
