/** A folder of files, wherever it is: on disk, chosen in a page, or in memory. */
import type { ByteSource } from './bytes.ts';

export interface ByteFolder {
  /** What to call it in messages. */
  readonly name: string;
  /** Paths of all files below it, with `/`, sorted: the order never depends on the file system. */
  list(): Promise<readonly string[]>;
  /** FormatError or StorageError where there is no such file. */
  open(path: string): Promise<ByteSource>;
}
