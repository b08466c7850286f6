/** Where a store lies: what its writer and its reader need of a file system or a server. */
import type { ByteSource } from '../core/bytes.ts';

/** Files below a store, by path with `/`. */
export interface StoreFiles {
  /** Folder or URL, for messages. */
  readonly name: string;
  /** FormatError where there is no such file. */
  open(path: string): Promise<ByteSource>;
}

/** A place that a store is written to. */
export interface StorePlace {
  readonly name: string;
  /** A whole small file; undefined where it is absent. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** At once or not at all. StorageError where it cannot be written. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** A file, or a folder with all that is in it; nothing where it is absent. */
  remove(path: string): Promise<void>;
}

/** The whole of a file. */
export async function readWhole(files: StoreFiles, path: string): Promise<Uint8Array> {
  const source = await files.open(path);
  try {
    return await source.read(0, source.byteLength);
  } finally {
    await source.close?.();
  }
}
