/** Which commit of heartmind is built: asked of git at build time, written into the program and beside it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Beside the built files, so that a build of another commit is noticed. */
export const commitFile = join(root, 'dist', 'commit.txt');

/** What the program is made of: a change there, not committed, is told by a `+` behind the commit. */
const parts = ['src', 'recipes', 'weights', 'sample-data', 'package.json', 'package-lock.json'];

/** `5bc12fd1a2b3`, with `+` where files differ from it; empty outside heartmind's own repository or without git. */
export function findCommit() {
  try {
    // A copy of heartmind inside another repository is not that repository's commit.
    if (realpathSync(git('rev-parse', '--show-toplevel')) !== realpathSync(root)) return '';
    const changed = git('status', '--porcelain', '--', ...parts);
    return git('rev-parse', '--short=12', 'HEAD') + (changed === '' ? '' : '+');
  } catch {
    return '';
  }
}

/** The commit of the files in dist/; undefined where nothing is built. */
export function readBuiltCommit() {
  try {
    return readFileSync(commitFile, 'utf8');
  } catch {
    return undefined;
  }
}

function git(...args) {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
