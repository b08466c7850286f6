/** Whole files: replaced at once or not at all. Lines at the end of a file that grows. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writingError } from './output-errors-node.ts';
import { beginOutput, type WritingFiles } from './output-node.ts';
import { findTarget } from './output-target-node.ts';

export type { WritingFiles } from './output-node.ts';

/**
 * Replace a file at once or not at all; pipes and devices are written through. ConfigError for a folder and for an input of
 * the command, StorageError where it cannot be written: what was there is intact.
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array,
  files?: WritingFiles,
): Promise<void> {
  const output = await beginOutput(path, { bytes: bytes.length, ...(files && { files }) });
  await output.write(bytes);
  await output.finish();
  await output.place();
}

/** A file that gets lines at its end, each at once. */
export interface GrowingFile {
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Open a file to append to; it is made where it is not there. Errors as `writeFileAtomically`. */
export async function openGrowingFile(path: string): Promise<GrowingFile> {
  const target = await findTarget(path);
  if (target.kind !== 'file') {
    const output = await beginOutput(path);
    return {
      append: (text) => output.write(new TextEncoder().encode(text)),
      close: () => output.finish(),
    };
  }
  let file: FileHandle;
  try {
    await mkdir(dirname(target.path), { recursive: true });
    file = await open(target.path, 'a');
  } catch (cause) {
    throw writingError(path, 'cannot be written', '', cause);
  }
  return {
    async append(text) {
      try {
        await file.appendFile(text);
      } catch (cause) {
        throw writingError(path, 'a line cannot be written', 'What was written before is intact.', cause);
      }
    },
    close: () => file.close(),
  };
}
