/** A ByteFolder in memory that counts what was opened and closed. */
import { type ByteSource, bytesSource } from '../../src/core/bytes.ts';
import { FormatError } from '../../src/core/errors.ts';
import type { ByteFolder } from '../../src/core/folder.ts';

export interface MemoryFolder extends ByteFolder {
  /** Files opened, in order, and how many of them are not closed. */
  readonly opened: string[];
  stillOpen(): number;
}

export function memoryFolder(contents: Readonly<Record<string, string | Uint8Array>>): MemoryFolder {
  const files = new Map(
    Object.entries(contents).map(([path, content]) => [
      path,
      typeof content === 'string' ? new TextEncoder().encode(content) : content,
    ]),
  );
  const opened: string[] = [];
  let open = 0;
  return {
    name: 'memory',
    opened,
    stillOpen: () => open,
    list: async () => [...files.keys()].sort(),
    async open(path): Promise<ByteSource> {
      const bytes = files.get(path);
      if (!bytes) throw new FormatError(`${path}: there is no such file. Check the path.`, path);
      opened.push(path);
      open++;
      const base = path.slice(0, path.lastIndexOf('/') + 1);
      return {
        ...bytesSource(path, bytes),
        async sibling(name) {
          const found = files.get(base + name);
          return found && bytesSource(base + name, found);
        },
        async close() {
          open--;
        },
      };
    },
  };
}
