/** Trials → their recordings. A file is opened once for the trials of it that follow one another. */
import type { ByteSource } from '../core/bytes.ts';
import { ConfigError, DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import type { Recording } from '../core/recording.ts';
import { openRecording } from '../read/open.ts';
import type { ReadOptions } from '../read/options.ts';
import { selectRecording } from '../signal/select.ts';
import type { Trial } from './dataset.ts';
import { readersWithOptions, trialReaders } from './trial-readers.ts';

/** A file that holds several recordings. */
export interface TrialContainer {
  /** Closing the recording leaves the container open. */
  open(part: string): Promise<Recording>;
  close(): Promise<void>;
}

/**
 * Opens a file of a dataset that is no recording by itself; owns the source from then on. `options` are for readers that
 * take them (`readersWithOptions`).
 */
export type TrialReader = (
  source: ByteSource,
  folder: Pick<ByteFolder, 'open'>,
  options?: ReadOptions,
) => Promise<TrialContainer>;

export type TrialFile = Pick<Trial, 'file' | 'part' | 'reader' | 'inputUnit' | 'inputRateHz'>;

/** How a trial's recording is opened, apart from the trial: plain data. */
export function trialFileOf({ file, part, reader, inputUnit, inputRateHz }: TrialFile): TrialFile {
  return {
    file,
    ...(part === undefined ? {} : { part }),
    ...(reader === undefined ? {} : { reader }),
    ...(inputUnit === undefined ? {} : { inputUnit }),
    ...(inputRateHz === undefined ? {} : { inputRateHz }),
  };
}

/** What a user says of all recordings of a dataset: plain data, so that it can be sent to another thread. */
export interface InputOptions extends ReadOptions {
  /** Which channels of each: names, globs, `#index`, `!pattern` (signal/select-channels.ts). Default: all. */
  readonly channels?: readonly string[];
}

export class TrialFiles {
  /** `key`: its path and what is stated of it. */
  #file: { readonly key: string; readonly container: TrialContainer } | undefined;
  #opened: { readonly key: string; readonly part: string; readonly recording: Recording } | undefined;

  /** `options` are for recordings; files that only one dataset has are opened whole or not at all, as their dataset says. */
  constructor(
    readonly folder: Pick<ByteFolder, 'open'>,
    readonly options: InputOptions = {},
  ) {}

  /** The trial's recording, valid until another is opened. Errors of the folder and of the reader. */
  async open(trial: TrialFile): Promise<Recording> {
    const { file, part = '', inputUnit, inputRateHz } = trial;
    const key = JSON.stringify([file, inputUnit, inputRateHz]);
    if (this.#opened?.key === key && this.#opened.part === part) return this.#opened.recording;
    await this.#opened?.recording.close();
    this.#opened = undefined;
    if (this.#file?.key !== key) {
      await this.close();
      this.#file = { key, container: await openContainer(this.folder, trial, this.options) };
    }
    const whole = await this.#file.container.open(part);
    const { channels } = this.options;
    const recording = channels === undefined ? whole : await chooseChannels(whole, channels);
    this.#opened = { key, part, recording };
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
  { file, reader, inputUnit, inputRateHz }: TrialFile,
  { channels: _, ...given }: InputOptions,
): Promise<TrialContainer> {
  const options: ReadOptions = {
    ...given,
    ...(inputUnit === undefined ? {} : { unit: inputUnit }),
    ...(inputRateHz === undefined ? {} : { rateHz: inputRateHz }),
  };
  if (reader !== undefined && !readersWithOptions.has(reader)) refuseStated(file, options);
  const source = await folder.open(file);
  try {
    if (reader !== undefined) return await findReader(reader)(source, folder, options);
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

async function chooseChannels(recording: Recording, channels: readonly string[]): Promise<Recording> {
  try {
    return selectRecording(recording, { channels });
  } catch (error) {
    await recording.close();
    throw error;
  }
}

/** Files that only one dataset has are known to their reader: what is stated of them would be ignored. */
function refuseStated(file: string, { unit, rateHz, sampleBits }: ReadOptions): void {
  const flags = { '--input-unit': unit, '--input-rate': rateHz, '--input-bits': sampleBits };
  for (const [flag, value] of Object.entries(flags))
    if (value !== undefined)
      throw new ConfigError(
        `${flag}: ${file} is of a dataset whose units and rates are known. Leave ${flag} out.`,
        flag,
      );
}
