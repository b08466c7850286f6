/** `--recipe`: a name of recipes/, or a path to a JSON file → parsed JSON. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import { packageRoot } from './version.ts';

/** ConfigError where there is no such recipe or it is no JSON. */
export function readRecipe(nameOrPath: string): unknown {
  const folder = join(packageRoot, 'recipes');
  const path = /[/\\]|\.json$/.test(nameOrPath) ? nameOrPath : join(folder, `${nameOrPath}.json`);
  if (!existsSync(path)) {
    const known = readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
    throw new ConfigError(
      `--recipe: there is no '${nameOrPath}'. Give a JSON file, or one of ${known.join(', ')}.`,
      '--recipe',
      known.join(', '),
    );
  }
  try {
    noteInputPath(path);
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ConfigError(
      `${path}: no valid JSON (${(cause as Error).message}). Correct it.`,
      '--recipe',
      undefined,
      { cause },
    );
  }
}
