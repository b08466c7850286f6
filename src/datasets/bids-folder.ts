/** A BIDS folder: its recordings with the sidecars that concern them, its people and the columns that describe them. */
import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import {
  type BidsName,
  type Json,
  parseBidsName,
  readJson,
  readTsv,
  Sidecars,
  type TsvRow,
} from './bids-tables.ts';
import { numberIn } from './trial-values.ts';

/** Columns with more values than this are names or texts, not classes. */
const maxClasses = 50;
const notRaw = /(^|\/)(derivatives|sourcedata|code|stimuli|\.[^/]+)\//;

/** A recording, and the sidecars that concern it. */
export interface BidsRecording {
  readonly name: BidsName;
  readonly subject: string;
  readonly channels: string | undefined;
  readonly events: string | undefined;
  readonly json: readonly string[];
}

export interface BidsFolder {
  /** Where dataset_description.json lies, with `/` at its end unless empty. */
  readonly root: string;
  readonly files: ReadonlySet<string>;
  readonly recordings: readonly BidsRecording[];
  readonly participants: ReadonlyMap<string, TsvRow>;
  readonly columns: readonly Column[];
}

export interface Column {
  readonly name: string;
  readonly kind: 'class' | 'number' | 'text';
  readonly classes: readonly string[];
}

/** DataError where it is no BIDS folder. */
export async function readBidsFolder(folder: ByteFolder): Promise<BidsFolder> {
  const all = (await folder.list()).filter((path) => !notRaw.test(path));
  const descriptions = all.filter((path) => /(^|\/)dataset_description\.json$/.test(path));
  const [description] = descriptions.sort((a, b) => a.length - b.length);
  if (description === undefined)
    throw new DataError(
      `bids: ${folder.name} has no dataset_description.json. Give the folder that holds it, or label your own files in a CSV.`,
    );
  const root = description.slice(0, -'dataset_description.json'.length);
  const names = all.flatMap((path) => (path.startsWith(root) ? (parseBidsName(path) ?? []) : []));
  const sidecars = new Sidecars(names);
  const recordings = names.flatMap((name): BidsRecording[] => {
    const subject = name.entities.get('sub');
    const isEeg = name.suffix === 'eeg' && /^(edf|bdf|vhdr|set)$/.test(name.extension);
    if (subject === undefined || !isEeg || !name.folder.endsWith('/eeg/')) return [];
    return [
      {
        name,
        subject: `sub-${subject}`,
        channels: sidecars.find(name, 'channels', 'tsv')[0],
        events: sidecars.find(name, 'events', 'tsv')[0],
        json: sidecars.find(name, 'eeg', 'json'),
      },
    ];
  });
  const files = new Set(all);
  const participants = new Map<string, TsvRow>();
  let columns: Column[] = [];
  if (files.has(`${root}participants.tsv`)) {
    const { columns: header, rows } = await readTsv(folder, `${root}participants.tsv`);
    for (const row of rows)
      participants.set(`sub-${(row.get('participant_id') ?? '').replace(/^sub-/, '')}`, row);
    const levels = files.has(`${root}participants.json`)
      ? await readJson(folder, `${root}participants.json`)
      : {};
    columns = header
      .filter((name) => name !== 'participant_id')
      .map((name) =>
        columnOf(
          name,
          rows.map((row) => row.get(name) ?? ''),
          hasLevels(levels, name),
        ),
      );
  }
  return { root, files, recordings, participants, columns };
}

function hasLevels(json: Json, name: string): boolean {
  const field = Object.hasOwn(json, name) ? json[name] : undefined;
  return typeof field === 'object' && field !== null && 'Levels' in field;
}

/** Numbers where all values are, unless the table's JSON lists levels; classes where there are few. */
export function columnOf(name: string, cells: readonly string[], isCategorical = false): Column {
  const values = cells.filter((cell) => cell !== '');
  const classes = [...new Set(values)].sort();
  if (!isCategorical && values.length > 0 && values.every((value) => numberIn(value) !== undefined))
    return { name, kind: 'number', classes: [] };
  return classes.length > 1 && classes.length <= maxClasses
    ? { name, kind: 'class', classes }
    : { name, kind: 'text', classes: [] };
}

function cellValue({ kind }: Column, cell: string): string | number {
  return kind === 'number' ? Number(cell) : cell;
}

/** What a person's row and a file's name say. */
export function recordingValues(
  { name, subject }: BidsRecording,
  { participants, columns }: BidsFolder,
): Record<string, string | number> {
  const row = participants.get(subject);
  return Object.fromEntries([
    ...columns.flatMap((column): [string, string | number][] => {
      const cell = row?.get(column.name) ?? '';
      return cell === '' ? [] : [[column.name, cellValue(column, cell)]];
    }),
    ...['task', 'ses', 'run', 'acq'].flatMap((entity): [string, string][] => {
      const value = name.entities.get(entity);
      return value === undefined ? [] : [[entity === 'ses' ? 'session' : entity, value]];
    }),
  ]);
}
