/** Where the embedded sample data lie: beside the package's own files, in the repository only. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '../core/errors.ts';

/** The folder `sample-data/…`. DataError where it is absent: the npm package leaves it out for its size. */
export function sampleDataFolder(name: 'eegmat' | 'ecg12'): string {
  // From src/datasets/ while testing, from dist/ when built: go up until it is there.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'sample-data', name);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) break;
  }
  throw new DataError(
    'sample data: not found. They are in the repository, not in the npm package: clone it, or give --data your own.',
  );
}
