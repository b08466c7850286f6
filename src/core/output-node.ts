/**
 * Every file that a user gets is written here. A file is replaced at once or not at all: written under another name beside
 * its place, made to reach the disk, renamed; its mode and, where allowed, its owner stay, and links to it too. Pipes and
 * devices are written through. Inputs of the command are refused.
 */
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { noteOwnOutput } from './input-files-node.ts';
import { writingError } from './output-errors-node.ts';
import { StreamOutput } from './output-stream-node.ts';
import { type FileTarget, findTarget, refuseInput } from './output-target-node.ts';
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
  return target.kind === 'file' ? FileOutput.begin(path, target, options) : StreamOutput.begin(target);
}

/**
 * Replace a file at once or not at all; pipes and devices are written through. Errors as `beginOutput`: what was there is
 * intact.
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array,
  files?: WritingFiles,
): Promise<void> {
  const output = await beginOutput(path, { bytes: bytes.length, ...(files && { files }) });
  await output.write(bytes);
  await output.finish();
  await output.place();
}

/** An output that grows while it is read by others: a write that fails leaves what was there, and may be tried again. */
export interface Appending {
  /** Writes some of the bytes, and says how many. Errors are the system's. */
  append(bytes: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Go on at the end of a file, or write through. Missing folders are made. Errors as `beginOutput`. */
export async function appendOutput(path: string): Promise<Appending> {
  const target = await findTarget(path);
  if (target.kind !== 'file') {
    const stream = await StreamOutput.begin(target);
    return {
      append: async (bytes) => {
        await stream.write(bytes);
        return bytes.length;
      },
      close: () => stream.finish(),
    };
  }
  try {
    await mkdir(dirname(target.path), { recursive: true });
    const file = await open(target.path, 'a');
    return {
      append: async (bytes) => (await file.write(bytes)).bytesWritten,
      close: () => file.close(),
    };
  } catch (cause) {
    throw writingError(path, 'cannot be written', '', cause);
  }
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
