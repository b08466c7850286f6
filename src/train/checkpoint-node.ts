/** Checkpoints in a folder, each file replaced at once or not at all. */
import { join } from 'node:path';
import { StorageError } from '../core/errors.ts';
import { type WritingFiles, writeFileAtomically } from '../core/output-node.ts';
import { readWholeFile } from '../core/read-file-node.ts';
import type { CheckpointStore } from './checkpoint.ts';

export const checkpointName = 'checkpoint.safetensors';

/** Keep a run's checkpoint in a folder, which is made when first written to. */
export function folderStore(folder: string, files?: WritingFiles): CheckpointStore {
  return {
    async load() {
      try {
        return await readWholeFile(join(folder, checkpointName));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new StorageError(
          `${join(folder, checkpointName)}: cannot be read (${(cause as Error).message}). Check its permissions.`,
          folder,
          { cause },
        );
      }
    },
    save: (bytes) => writeFileAtomically(join(folder, checkpointName), bytes, files),
    async saveBeside(name, bytes) {
      const path = join(folder, name);
      await writeFileAtomically(path, bytes, files);
      return path;
    },
  };
}
