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
  /** Where participants.tsv and the folders do not fit each other. */
  readonly notes: readonly string[];
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
  let participants: ReadonlyMap<string, TsvRow> = new Map<string, TsvRow>();
  const notes: string[] = [];
  let columns: Column[] = [];
  if (files.has(`${root}participants.tsv`)) {
    const { columns: header, rows } = await readTsv(folder, `${root}participants.tsv`);
    const subjects = new Set(recordings.map(({ subject }) => subject));
    participants = matchParticipants(rows, subjects, notes);
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
  return { root, files, recordings, participants, columns, notes };
}

/** `sub-007` and `SUB-7` are alike. */
const alike = (id: string) =>
  id
    .toLowerCase()
    .replace(/^sub-/, '')
    .replace(/\d+/g, (digits) => String(BigInt(digits)));

/**
 * Rows by the subjects of the folders: of the same name, else of the only name that differs by leading zeros or case.
 * `notes` says where that was needed, and where folders have no row.
 */
function matchParticipants(
  rows: readonly TsvRow[],
  subjects: ReadonlySet<string>,
  notes: string[],
): ReadonlyMap<string, TsvRow> {
  const named = new Map(
    rows.map((row) => [`sub-${(row.get('participant_id') ?? '').replace(/^sub-/, '')}`, row]),
  );
  const found = new Map<string, TsvRow>();
  for (const [name, row] of named) if (subjects.has(name)) found.set(name, row);
  const renamed: string[] = [];
  const missing: string[] = [];
  for (const subject of subjects) {
    if (found.has(subject)) continue;
    const rivals = [...subjects].filter((other) => alike(other) === alike(subject));
    const candidates = [...named].filter(([name]) => !subjects.has(name) && alike(name) === alike(subject));
    const [only] = candidates;
    if (only && candidates.length === 1 && rivals.length === 1) {
      found.set(subject, only[1]);
      renamed.push(`${subject} is ${only[0]}`);
    } else missing.push(subject);
  }
  const some = (list: readonly string[]) => `${list.slice(0, 3).join(', ')}${list.length > 3 ? ', …' : ''}`;
  if (renamed.length > 0)
    notes.push(
      `participants.tsv names ${renamed.length} people otherwise than their folders (${some(renamed)}); they were matched without leading zeros.`,
    );
  if (missing.length > 0)
    notes.push(
      missing.length === subjects.size
        ? `no row of participants.tsv (${some([...named.keys()])}) fits any folder (${some(missing)}): ages and groups are not known.`
        : `participants.tsv has no row for ${missing.length} of ${subjects.size} folders: ${some(missing)}.`,
    );
  return found;
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
