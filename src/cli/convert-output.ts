/** The files of a converted recording: written beside their places, put there together at the end, or not at all. */
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, HeartmindError, InterruptedError, StorageError } from '../core/errors.ts';
import type { OutputFile } from '../read/output.ts';

export interface OutputOptions {
  /** Its file is put in place last: a header names others, which are there by then. */
  readonly mainName: string;
  /** Files that are being read, as `identify` names them. */
  readonly inputs: ReadonlySet<string>;
  /** Replace files that are there. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** So that a test can let it fail. */
  readonly open?: typeof open;
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
  const finished: { readonly beside: string; readonly path: string; readonly bytes: number }[] = [];
  let unfinished: string | undefined;
  try {
    await storing(folder, () => mkdir(folder, { recursive: true }));
    for await (const { name, bytes } of files) {
      const path = join(folder, name);
      await refuse(path, options);
      unfinished = join(folder, `.${name}.${process.pid}.tmp`);
      finished.push({ beside: unfinished, path, bytes: await writeFile(unfinished, path, bytes, options) });
      unfinished = undefined;
    }
    const isMain = ({ path }: WrittenFile) => path === join(folder, options.mainName);
    finished.sort((a, b) => Number(isMain(a)) - Number(isMain(b)));
    for (const { beside, path } of finished) await storing(path, () => rename(beside, path));
    return finished.map(({ path, bytes }) => ({ path, bytes }));
  } catch (error) {
    for (const path of [...finished.map(({ beside }) => beside), ...(unfinished ? [unfinished] : [])])
      await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** ConfigError where a file may not be written: it is being read, or is there and `force` was not given. */
export async function refuse(
  path: string,
  { inputs, force }: Pick<OutputOptions, 'inputs' | 'force'>,
): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (!there) return;
  if (there.isDirectory())
    throw new ConfigError(`${path}: this is a folder. Name a file in it, or give --to.`, 'out');
  if (inputs.has(await identify(path)))
    throw new ConfigError(`${path}: this file is being read. Write to another name or folder.`, 'out');
  if (!force) throw new ConfigError(`${path}: the file is there. Give --force to replace it.`, '--force');
}

/** One name for a file, however it is reached. */
export async function identify(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

async function writeFile(
  beside: string,
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  { signal, open: openFile = open }: OutputOptions,
): Promise<number> {
  const file = await storing(path, () => openFile(beside, 'w'));
  let total = 0;
  try {
    const gathered = new Uint8Array(gatheredBytes);
    let held = 0;
    const flush = async () => {
      const length = held;
      held = 0;
      if (length > 0) await storing(path, () => writeAll(file, gathered.subarray(0, length)), total);
    };
    for await (const chunk of bytes) {
      if (signal.aborted) throw stopped(path);
      if (held + chunk.length > gatheredBytes) await flush();
      if (chunk.length >= gatheredBytes) await storing(path, () => writeAll(file, chunk), total);
      else {
        gathered.set(chunk, held);
        held += chunk.length;
      }
      total += chunk.length;
    }
    await flush();
    await storing(path, () => file.sync(), total);
  } finally {
    await file.close().catch(() => undefined);
  }
  return total;
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
}

/** What is thrown when the user stops a conversion. */
export function stopped(path: string): InterruptedError {
  return new InterruptedError(`${path}: stopped; nothing of it was kept.`);
}

/** The file system's errors as ours. */
async function storing<T>(path: string, work: () => Promise<T>, written = 0): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HeartmindError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const fact = code === 'ENOSPC' ? 'the disk is full' : (message ?? String(cause));
    throw new StorageError(
      `${path}: cannot be written after ${written} bytes (${fact}). Nothing of it was kept; make room or choose another place.`,
      path,
      { cause },
    );
  }
}
