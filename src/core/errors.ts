/**
 * The closed set of errors that heartmind throws. Message: *where: fact with numbers. Fix.*
 * Everything else that escapes is a bug in heartmind.
 */

/** Base of every error that heartmind throws on purpose; `name` is its tag. */
export abstract class HeartmindError extends Error {
  abstract override readonly name: ErrorName;
}

export type ErrorName =
  | 'FormatError'
  | 'UnsupportedError'
  | 'ChannelError'
  | 'ShapeError'
  | 'ConfigError'
  | 'DataError'
  | 'BackendError'
  | 'DivergenceError'
  | 'StorageError'
  | 'InterruptedError';

/** Bytes that do not follow their format. Recover: fetch the file again, or repair it. */
export class FormatError extends HeartmindError {
  override readonly name = 'FormatError';
  constructor(
    message: string,
    /** File or URL that was read. */
    readonly source: string,
    /** Where in the source, in bytes from its start, when known. */
    readonly byteOffset?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Valid input that heartmind cannot handle (yet). Recover: convert it. */
export class UnsupportedError extends HeartmindError {
  override readonly name = 'UnsupportedError';
  constructor(
    message: string,
    /** The feature that is missing, e.g. `wfdb format 508`. */
    readonly feature: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A montage asks for channels that a recording lacks. Recover: choose another montage or alias. */
export class ChannelError extends HeartmindError {
  override readonly name = 'ChannelError';
  constructor(
    message: string,
    readonly missing: readonly string[],
    readonly available: readonly string[],
  ) {
    super(message);
  }
}

/** Tensors whose shapes do not fit an operator or a model. Recover: fix the caller. */
export class ShapeError extends HeartmindError {
  override readonly name = 'ShapeError';
  constructor(
    message: string,
    readonly operator: string,
    readonly expected: string,
    readonly actual: string,
  ) {
    super(message);
  }
}

/** A recipe, flag or option with an unknown key or a value out of range. Recover: use an allowed one. */
export class ConfigError extends HeartmindError {
  override readonly name = 'ConfigError';
  constructor(
    message: string,
    /** Path of the key, e.g. `pretrain.mask.ratio`. */
    readonly key: string,
    /** What would be allowed there. */
    readonly allowed?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Readable data that cannot serve the purpose (no windows left, one class only, overlapping splits). */
export class DataError extends HeartmindError {
  override readonly name = 'DataError';
}

/** The engine is absent, refuses a graph, or failed while running it. Recover: choose another device. */
export class BackendError extends HeartmindError {
  override readonly name = 'BackendError';
}

/** A loss or gradient became NaN or infinite. The state before that step is saved. */
export class DivergenceError extends HeartmindError {
  override readonly name = 'DivergenceError';
  constructor(
    message: string,
    readonly step: number,
    /** Folder or file with the offending state, when it could be saved. */
    readonly savedTo?: string,
  ) {
    super(message);
  }
}

/** A file could not be written (disk full, no permission). What was there before is untouched. */
export class StorageError extends HeartmindError {
  override readonly name = 'StorageError';
  constructor(
    message: string,
    readonly path: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The user stopped the work; a checkpoint has been written. Recover: run again to resume. */
export class InterruptedError extends HeartmindError {
  override readonly name = 'InterruptedError';
}
