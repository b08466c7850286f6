/**
 * What one signal file of a WFDB record is: physical samples of the signals in it, lazily. A frame holds
 * `samplesPerFrame` samples of every signal of the file.
 */
import type { ByteSource } from '../../core/bytes.ts';
import type { WfdbSignal } from './header.ts';

export interface SignalFile {
  /** Whole frames that the file holds. */
  readonly frames: number;
  /** Stored values, where the format bounds them. */
  readonly range?: readonly [low: number, high: number];
  /** Where it ends, and what so many frames need: for messages. */
  shortage(frames: number): { readonly fact: string; readonly byteOffset: number };
  /** Stored samples [start, end) of a signal, at its own rate, as physical values. They are inside the file. */
  read(signal: PlacedSignal, start: number, end: number, result: Float64Array): Promise<void>;
  /** The same for several, at least one and none empty, in one pass over the file. */
  readTogether?(ranges: readonly SignalRange[]): Promise<void>;
}

/** Stored samples [start, end) of a signal, and where they go. */
export interface SignalRange {
  readonly signal: PlacedSignal;
  readonly start: number;
  readonly end: number;
  readonly result: Float64Array;
}

export interface PlacedSignal extends WfdbSignal {
  /** Samples before its first in a frame. */
  readonly frameOffset: number;
  /** Its place among the file's signals. */
  readonly indexInFile: number;
}

/** Formats that store nothing: every sample is missing. */
export const isNull = ({ format, fileName }: WfdbSignal): boolean => format === '0' || fileName === '~';

/** What a file that ends too early says. */
export function byteShortage(source: ByteSource, promised: number): { fact: string; byteOffset: number } {
  return {
    fact: `ends at byte ${source.byteLength} of ${promised}`,
    byteOffset: source.byteLength,
  };
}
