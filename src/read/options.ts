/** What a reader may be told besides the bytes; each format uses what concerns it. */
export interface ReadOptions {
  /** Cells, texts, channels, annotations and the like that a file may hold, in all. Default 1,000,000. */
  readonly maxElements?: number;
  /** Ends long reading of headers, cells and annotations with an InterruptedError. */
  readonly signal?: AbortSignal;
  /** Open a truncated file up to its last whole record, and say so in `recording.log`. Never done unasked. */
  readonly tolerant?: boolean;
  /** Sampling rate for files that do not say theirs (CSV, NPY, bare MAT matrices). Hz. */
  readonly rateHz?: number;
  /** Unit of the signals for files that do not say theirs: `uV`, `mV`. */
  readonly unit?: string;
  /** Which of several recordings in one file: a stream of an XDF file, a variable of a MAT file, a row of an HDF5 one. */
  readonly part?: string;
}
