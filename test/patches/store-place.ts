/** A store in memory that counts what is read and can fail while it is written. */
import { bytesSource } from '../../src/core/bytes.ts';
import { FormatError, StorageError } from '../../src/core/errors.ts';
import type { StoreFiles, StorePlace } from '../../src/patches/store-place.ts';

export interface MemoryPlace extends StorePlace, StoreFiles {
  readonly contents: Map<string, Uint8Array>;
  /** Bytes and number of reads by path. */
  readonly reads: { path: string; start: number; end: number }[];
  /** Writes that still succeed; then every one fails. */
  writesLeft: number;
}

export function memoryPlace(contents = new Map<string, Uint8Array>()): MemoryPlace {
  const reads: { path: string; start: number; end: number }[] = [];
  const place: MemoryPlace = {
    name: 'memory',
    contents,
    reads,
    writesLeft: Number.POSITIVE_INFINITY,
    read: async (path) => contents.get(path),
    async write(path, bytes) {
      if (place.writesLeft-- <= 0) throw new StorageError(`${path}: the disk is full.`, path);
      contents.set(path, bytes.slice());
    },
    async remove(path) {
      for (const key of contents.keys()) if (key === path || key.startsWith(`${path}/`)) contents.delete(key);
    },
    async open(path) {
      const bytes = contents.get(path);
      if (!bytes) throw new FormatError(`${path}: there is no such file. Check the path.`, path);
      const source = bytesSource(path, bytes);
      return {
        ...source,
        read(start, end) {
          reads.push({ path, start, end });
          return source.read(start, end);
        },
      };
    },
  };
  return place;
}
