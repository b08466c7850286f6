/** What a reader may be told besides the bytes; each format uses what concerns it (stated.ts says what happens else). */
export interface ReadOptions {
  /** Cells, texts, channels, annotations and the like that a file may hold, in all. Default 1,000,000. */
  readonly maxElements?: number;
  /** Ends long reading of headers, cells and annotations with an InterruptedError. */
  readonly signal?: AbortSignal;
  /** Open a truncated file up to its last whole record, and say so in `recording.log`. Never done unasked. */
  readonly tolerant?: boolean;
  /** Sampling rate for files that do not say theirs (CSV, NPY, bare MAT matrices). Hz. ConfigError where a file says another. */
  readonly rateHz?: number;
  /** Unit of channels whose file states none that is known: `uV`, `mV`. ConfigError where it would be used for none. */
  readonly unit?: string;
  /** Bits of a stored sample, for files that do not say it (Neuroscan CNT). ConfigError for other formats. */
  readonly sampleBits?: 16 | 32;
  /** Which of several recordings in one file: a stream of an XDF file, a variable of a MAT file, a row of an HDF5 one. */
  readonly part?: string;
}
