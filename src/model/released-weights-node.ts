/** heartmind's own weights where the package lies. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import { parseReleasedIndex, type ReleasedIndex, verifyReleased } from './released-weights.ts';

/** The folder `weights/`, above dist/ or src/; undefined where the package has none. */
function weightsFolder(): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'weights', 'index.json'))) return join(folder, 'weights');
    if (folder === dirname(folder)) return undefined;
  }
}

/** What is released with this package. */
export function releasedIndex(): ReleasedIndex {
  const folder = weightsFolder();
  if (folder === undefined) return new Map();
  return parseReleasedIndex(readFileSync(join(folder, 'index.json'), 'utf8'));
}

/**
 * The bytes of released weights, such as `ecg-12`, checked by their sha256. DataError for a name that is not there,
 * FormatError for a damaged file.
 */
export async function readReleased(name: string): Promise<Uint8Array> {
  const index = releasedIndex();
  const entry = index.get(name);
  if (!entry)
    throw new DataError(
      `${name}: no such weights are released. There are: ${[...index.keys()].join(', ') || 'none'}.`,
    );
  const path = join(weightsFolder()!, entry.file);
  noteInputPath(path);
  const bytes = new Uint8Array(await readFile(path));
  await verifyReleased(name, bytes, entry);
  return bytes;
}
