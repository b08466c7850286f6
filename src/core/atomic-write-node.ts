/** Whole files: replaced at once or not at all. */
import { beginOutput, type WritingFiles } from './output-node.ts';

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
