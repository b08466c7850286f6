/** What a writer gives: the files of a recording, each a sequence of bytes made while the recording is read. */
import type { Recording } from '../core/recording.ts';

export interface OutputFile {
  /** File name, without a folder. */
  readonly name: string;
  /** To be taken to its end before the next file is asked for. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface WriteOptions {
  /** Called with seconds of the recording written so far. */
  readonly onProgress?: (seconds: number) => void;
}

/**
 * Write a recording under a file name (`a.edf`, `100.hea`); memory holds a stretch of it, never all. Channels with a
 * `resolution` are stored in whole steps of it wherever the format can, so that a round trip is exact. ConfigError
 * where the recording does not fit the format, before the first byte.
 */
export type WriteRecording = (
  recording: Recording,
  fileName: string,
  options?: WriteOptions,
) => AsyncIterable<OutputFile>;
