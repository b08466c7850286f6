/**
 * The sidecar files of a BIDS folder: tab-separated tables, JSON, and which of them concern a recording by the inheritance
 * principle. Source: Brain Imaging Data Structure 1.10, bids-specification.readthedocs.io.
 */
import { appendAll } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { isObject } from '../core/plain.ts';
import { baseName, readText } from './folder-text.ts';

export type TsvRow = ReadonlyMap<string, string>;

export interface Tsv {
  readonly columns: readonly string[];
  readonly rows: readonly TsvRow[];
}

/** A table with a header row; cells are trimmed, `n/a` and what a short row lacks are empty. */
export function parseTsv(text: string): Tsv {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .filter((line) => line.trim() !== '');
  const cells = (line: string) => line.split('\t').map((cell) => cell.trim());
  const [header = '', ...rest] = lines;
  const columns = header.trim() === '' ? [] : cells(header);
  const rows = rest.map((line) => {
    const values = cells(line);
    return new Map(
      columns.map((column, i) => [column, /^n\/?a$/i.test(values[i] ?? '') ? '' : (values[i] ?? '')]),
    );
  });
  return { columns, rows };
}

export type Json = Readonly<Record<string, unknown>>;

/** An object; DataError names the file where it is none. */
export async function readJson(folder: Pick<ByteFolder, 'open'>, path: string): Promise<Json> {
  const text = await readText(folder, path);
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (isObject(value)) return value as Json;
  } catch (cause) {
    throw new DataError(`${path}: no JSON. Correct the file.`, { cause });
  }
  throw new DataError(`${path}: a JSON object is wanted, with a key for each field. Correct the file.`);
}

export async function readTsv(folder: Pick<ByteFolder, 'open'>, path: string): Promise<Tsv> {
  return parseTsv(await readText(folder, path));
}

/** `sub-01_task-rest_eeg.edf` → sub 01, task rest; suffix eeg; extension edf. */
export interface BidsName {
  readonly path: string;
  /** Folder, with `/` at its end unless empty. */
  readonly folder: string;
  readonly entities: ReadonlyMap<string, string>;
  readonly suffix: string;
  /** In lower case, without `.gz`. */
  readonly extension: string;
}

/** undefined where a name is none of BIDS'. */
export function parseBidsName(path: string): BidsName | undefined {
  const name = baseName(path);
  const [, stem, extension] = /^([^.]+)\.([A-Za-z0-9]+)(?:\.gz)?$/.exec(name) ?? [];
  if (stem === undefined || extension === undefined) return undefined;
  const parts = stem.split('_');
  const suffix = parts.pop()!;
  const pairs = parts.map((part) => /^([A-Za-z]+)-([A-Za-z0-9+]+)$/.exec(part));
  if (suffix.includes('-') || pairs.some((pair) => pair === null)) return undefined;
  return {
    path,
    folder: path.slice(0, path.length - name.length),
    entities: new Map(pairs.map((pair) => [pair![1]!, pair![2]!])),
    suffix,
    extension: extension.toLowerCase(),
  };
}

/** Sidecars by folder, so that looking one up does not go through all files. */
export class Sidecars {
  readonly #byFolder = new Map<string, BidsName[]>();

  constructor(names: readonly BidsName[]) {
    for (const name of names) {
      if (name.extension !== 'tsv' && name.extension !== 'json') continue;
      const list = this.#byFolder.get(name.folder) ?? [];
      list.push(name);
      this.#byFolder.set(name.folder, list);
    }
  }

  /**
   * Files of a suffix that concern a recording, nearest first: in its folder or one above it, with no entity that the
   * recording has not. A nearer one wins over a farther one, more entities over fewer.
   */
  find(recording: BidsName, suffix: string, extension: 'tsv' | 'json'): string[] {
    const found: string[] = [];
    for (
      let folder = recording.folder;
      ;
      folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1)
    ) {
      const here = (this.#byFolder.get(folder) ?? []).filter(
        (name) =>
          name.suffix === suffix &&
          name.extension === extension &&
          [...name.entities].every(([key, value]) => recording.entities.get(key) === value),
      );
      here.sort((a, b) => b.entities.size - a.entities.size);
      appendAll(
        found,
        here.map(({ path }) => path),
      );
      if (folder === '') return found;
    }
  }
}
