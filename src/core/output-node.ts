/**
 * Every file that a user gets is written here. A file is replaced at once or not at all: written under another name beside
 * its place, made to reach the disk, renamed; its mode and, where allowed, its owner stay, and links to it too. Pipes and
 * devices are written through. Inputs of the command are refused.
 */
import { constants, write as writeDescriptor } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { noteOwnOutput } from './input-files-node.ts';
import { writingError } from './output-errors-node.ts';
import {
  type DescriptorTarget,
  type FileTarget,
  findTarget,
  refuseInput,
  type StreamTarget,
} from './output-target-node.ts';
import { nameUnfinished, sweepUnfinished } from './unfinished-files-node.ts';

/** The calls that write, so that a test can let them fail. */
export interface WritingFiles {
  readonly open: typeof open;
  readonly rename: typeof rename;
}

/** An output that was begun. Every call's errors are ConfigError for an input, else StorageError. */
export interface Output {
  /** Bytes so far. */
  readonly written: number;
  write(bytes: Uint8Array): Promise<void>;
  /** All is written, and has reached the disk; it is not in place yet. */
  finish(): Promise<void>;
  /** Put it in place. */
  place(): Promise<void>;
  /** Leave what was there as it was. Bytes that went to a pipe or a device cannot be taken back. */
  abandon(): Promise<void>;
}

export interface OutputOptions {
  /** How long it will be, for messages. */
  readonly bytes?: number;
  readonly files?: WritingFiles;
}

/**
 * Begin an output; missing folders are made. ConfigError for a folder and an input of the command, StorageError where
 * nothing can be written.
 */
export async function beginOutput(path: string, options: OutputOptions = {}): Promise<Output> {
  const target = await findTarget(path);
  if (target.kind === 'stream') return new StreamOutput(target, await openStream(target));
  if (target.kind === 'descriptor') return new StreamOutput(target);
  return FileOutput.begin(path, target, options);
}

/**
 * Find out before long work whether its output can be written. Errors as `beginOutput`; nothing is changed but missing
 * folders, which are made.
 */
export async function checkOutput(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const target = await findTarget(path);
  if (target.kind !== 'file') return;
  await (await FileOutput.begin(path, target, {})).abandon();
}

class FileOutput implements Output {
  written = 0;
  readonly #asked: string;
  readonly #target: FileTarget;
  readonly #beside: string;
  readonly #file: FileHandle;
  readonly #options: OutputOptions;

  private constructor(
    asked: string,
    target: FileTarget,
    beside: string,
    file: FileHandle,
    options: OutputOptions,
  ) {
    this.#asked = asked;
    this.#target = target;
    this.#beside = beside;
    this.#file = file;
    this.#options = options;
  }

  static async begin(asked: string, target: FileTarget, options: OutputOptions): Promise<FileOutput> {
    const { open: openFile } = options.files ?? { open };
    const folder = dirname(target.path);
    const beside = nameUnfinished(folder);
    try {
      await mkdir(folder, { recursive: true });
      await sweepUnfinished(folder);
      const file = await openFile(beside, 'wx');
      return new FileOutput(asked, target, beside, file, options);
    } catch (cause) {
      throw failure(asked, target, options, 0, cause);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#storing(async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done);
        done += bytesWritten;
        this.written += bytesWritten;
      }
    });
  }

  async finish(): Promise<void> {
    await this.#storing(async () => {
      await this.#keepRights();
      await this.#file.sync();
      await this.#file.close();
    });
  }

  async place(): Promise<void> {
    const { rename: renameFile } = this.#options.files ?? { rename };
    const { path } = this.#target;
    await this.#storing(async () => {
      // Files beside the first input may have been opened since.
      await refuseInput(path);
      noteOwnOutput(await stat(this.#beside, { bigint: true }));
      await renameFile(this.#beside, path);
      await syncFolder(dirname(path));
    });
  }

  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#beside, { force: true }).catch(() => undefined);
  }

  /** Those of the file that it replaces. Another's file stays his only where this process may give files away. */
  async #keepRights(): Promise<void> {
    const { existing } = this.#target;
    if (!existing) return;
    const isOwn = existing.uid === process.getuid?.() && existing.gid === process.getgid?.();
    const isGiven =
      isOwn ||
      (await this.#file.chown(existing.uid, existing.gid).then(
        () => true,
        () => false,
      ));
    // Bits that run a program as its owner or group are of no use under another one.
    await this.#file.chmod(existing.mode & (isGiven ? 0o7777 : 0o777)).catch(() => undefined);
  }

  async #storing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      await this.abandon();
      throw failure(this.#asked, this.#target, this.#options, this.written, cause);
    }
  }
}

function failure(path: string, target: FileTarget, options: OutputOptions, written: number, cause: unknown) {
  const what =
    options.bytes === undefined
      ? `cannot be written after ${written} bytes`
      : `${options.bytes} bytes could not be written`;
  const kept = target.existing ? 'What was there before is intact.' : 'Nothing of it was kept.';
  return writingError(path, what, kept, cause);
}

/** Written as it comes. */
class StreamOutput implements Output {
  written = 0;
  readonly #target: StreamTarget | DescriptorTarget;
  readonly #file: FileHandle | undefined;

  constructor(target: StreamTarget | DescriptorTarget, file?: FileHandle) {
    this.#target = target;
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#target.kind === 'descriptor') await writeTo(this.#target.descriptor, bytes);
      else
        for (let done = 0; done < bytes.length; )
          done += (await this.#file!.write(bytes, done, bytes.length - done, null)).bytesWritten;
      this.written += bytes.length;
    } catch (cause) {
      await this.abandon();
      throw writingError(this.#target.path, `cannot be written after ${this.written} bytes`, '', cause);
    }
  }

  async finish(): Promise<void> {
    await this.#file?.close().catch((cause) => {
      throw writingError(this.#target.path, `cannot be written after ${this.written} bytes`, '', cause);
    });
  }

  async place(): Promise<void> {}

  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
  }
}

/** Milliseconds between two looks for a reader of a pipe. */
const readerEvery = 50;

/** Opening a pipe waits for its reader: not in a thread of the pool, which could not be interrupted. */
async function openStream({ path, isPipe }: StreamTarget): Promise<FileHandle> {
  const { O_WRONLY, O_NONBLOCK } = constants;
  for (;;) {
    try {
      const probe = isPipe ? await open(path, O_WRONLY | O_NONBLOCK) : undefined;
      const file = await open(path, O_WRONLY);
      await probe?.close();
      return file;
    } catch (cause) {
      const isWaiting = isPipe && (cause as NodeJS.ErrnoException).code === 'ENXIO';
      if (!isWaiting) throw writingError(path, 'cannot be written', '', cause);
      await delay(readerEvery);
    }
  }
}

const writeSome = promisify(writeDescriptor);

async function writeTo(descriptor: number, bytes: Uint8Array): Promise<void> {
  const standard = descriptor === 1 ? process.stdout : descriptor === 2 ? process.stderr : undefined;
  if (standard)
    return new Promise((resolve, reject) => {
      standard.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  for (let done = 0; done < bytes.length; ) {
    try {
      done += (await writeSome(descriptor, bytes, done, bytes.length - done, null)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await delay(readerEvery);
    }
  }
}

/** The rename itself must reach the disk. Windows cannot open a folder for that, and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
