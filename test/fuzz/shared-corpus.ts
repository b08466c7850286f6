/** The conformance files of others, where they are at hand: damaged too, by the command alone. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openRecording } from '../../src/read/open.ts';
import { type CorpusEntry, readAllValues } from './corpus.ts';
import type { Files } from './mutate.ts';
import { probe } from './probe.ts';

/** Copying a larger file for each case would be most of the time. */
const maxBytes = 600_000;

/** Every file of a conformance folder that its reader opens undamaged; grouped by format. */
export async function buildSharedCorpus(folder: string): Promise<CorpusEntry[]> {
  if (!existsSync(folder)) return [];
  const found: CorpusEntry[] = [];
  for (const group of readdirSync(folder).sort()) {
    for (const path of filesIn(join(folder, group))) {
      const isMat = group === 'mat_scipy';
      if (isMat ? !path.endsWith('.mat') : !/\.(edf|bdf|vhdr|hea|xdf)$/.test(path)) continue;
      const files = withSiblings(path);
      if (Object.values(files).reduce((sum, { length }) => sum + length, 0) > maxBytes) continue;
      const open = isMat ? readAllValues : openRecording;
      const entry = { name: `others: ${group}`, files, open };
      if ((await probe(open, files, {})) === 'opened') found.push(entry);
    }
  }
  return found;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** The file, and those beside it that it names. */
function withSiblings(path: string): Files {
  const folder = join(path, '..');
  const named = (name: string): Record<string, Uint8Array> => {
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    if (!/\.(hea|vhdr)$/.test(name)) return { [name]: bytes };
    const text = new TextDecoder('latin1').decode(bytes);
    const siblings = readdirSync(folder).filter(
      (other) =>
        other !== name &&
        (text.includes(other) ||
          (other.endsWith('.hea') && new RegExp(`^${other.slice(0, -4)} \\d`, 'm').test(text))),
    );
    return Object.assign({ [name]: bytes }, ...siblings.map(named));
  };
  return named(path.slice(folder.length + 1));
}
