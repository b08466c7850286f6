/** heartmind's own package: where it lies, its version and commit. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with package.json: above dist/ when built, above src/ in the repository. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

export const version: string = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version;

/** Put in its place by the build (tsdown.config.ts); not there where the sources run as they are. */
declare const HEARTMIND_COMMIT: string | undefined;

/**
 * The commit that was built, `+` behind it where files differed; undefined where it is not known. Never asked of git at
 * run time: an installed package lies inside somebody else's repository.
 */
export const commit: string | undefined =
  typeof HEARTMIND_COMMIT === 'undefined' || HEARTMIND_COMMIT === '' ? undefined : HEARTMIND_COMMIT;

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) || folder === dirname(folder)
    ? folder
    : findRoot(dirname(folder));
}
