/** Trials → their recordings. A file is opened once for the trials of it that follow one another. */
import type { ByteSource } from '../core/bytes.ts';
import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import type { Recording } from '../core/recording.ts';
import { openRecording } from '../read/open.ts';
import type { ReadOptions } from '../read/options.ts';
import type { Trial } from './dataset.ts';
import { trialReaders } from './trial-readers.ts';

/** A file that holds several recordings. */
export interface TrialContainer {
  /** Closing the recording leaves the container open. */
  open(part: string): Promise<Recording>;
  close(): Promise<void>;
}

/** Opens a file of a dataset that is no recording by itself; owns the source from then on. */
export type TrialReader = (source: ByteSource, folder: Pick<ByteFolder, 'open'>) => Promise<TrialContainer>;

export type TrialFile = Pick<Trial, 'file' | 'part' | 'reader'>;

export class TrialFiles {
  #file: { readonly path: string; readonly container: TrialContainer } | undefined;
  #opened: { readonly path: string; readonly part: string; readonly recording: Recording } | undefined;

  /** `options` are for recordings; files that only one dataset has are opened whole or not at all. */
  constructor(
    readonly folder: Pick<ByteFolder, 'open'>,
    readonly options: ReadOptions = {},
  ) {}

  /** The trial's recording, valid until another is opened. Errors of the folder and of the reader. */
  async open(trial: TrialFile): Promise<Recording> {
    const { file: path, part = '' } = trial;
    if (this.#opened?.path === path && this.#opened.part === part) return this.#opened.recording;
    await this.#opened?.recording.close();
    this.#opened = undefined;
    if (this.#file?.path !== path) {
      await this.close();
      this.#file = { path, container: await openContainer(this.folder, trial, this.options) };
    }
    const recording = await this.#file.container.open(part);
    this.#opened = { path, part, recording };
    return recording;
  }

  async close(): Promise<void> {
    const [opened, file] = [this.#opened, this.#file];
    this.#opened = undefined;
    this.#file = undefined;
    await opened?.recording.close();
    await file?.container.close();
  }
}

async function openContainer(
  folder: Pick<ByteFolder, 'open'>,
  { file, reader }: TrialFile,
  options: ReadOptions,
): Promise<TrialContainer> {
  const source = await folder.open(file);
  try {
    if (reader !== undefined) return await findReader(reader)(source, folder);
    // A file of one recording is closed with it: it may have opened files beside its own. Parts share their file.
    let isClosed = false;
    return {
      async open(part) {
        const recording = await openRecording(source, part === '' ? options : { ...options, part });
        const close = async () => {
          if (part !== '') return;
          isClosed = true;
          await recording.close();
        };
        return { ...recording, close };
      },
      async close() {
        if (!isClosed) await source.close?.();
      },
    };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

function findReader(name: string): TrialReader {
  if (Object.hasOwn(trialReaders, name)) return trialReaders[name]!;
  throw new DataError(`datasets: no reader '${name}'. Known: ${Object.keys(trialReaders).join(', ')}.`);
}
