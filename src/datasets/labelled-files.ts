/** A user's own dataset: a folder of recordings and a CSV that says whose they are and what they show. */

import { DataError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { microvolts } from '../core/units.ts';
import type { Recipe } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';
import { type CsvRow, parseCsv } from './csv.ts';
import { type DatasetSpec, readText, type Trial } from './dataset.ts';
import { earlierFiles, type SessionPlace } from './sessions.ts';

/** Columns with a meaning of their own; every other column is a target. */
const reserved = {
  file: ['file', 'path', 'filename'],
  subject: ['subject', 'participant', 'participant_id', 'patient'],
  session: ['session'],
  order: ['order'],
};
const times = ['start', 'end'] as const;
/** What a file does not say of itself. */
const stated = ['input_unit', 'input_rate'] as const;

/**
 * A dataset from `labels.csv`: columns `file`, `subject`, one or more targets such as `label`, and optionally `start`,
 * `end` in seconds (several rows a file), `input_unit` and `input_rate` for files that do not say theirs, and `session` and
 * `order`: files of one subject and session follow one another by that number, or by their first rows where there is no
 * `order`. Without either a file is a session of its own. DataError names the line of a row that cannot be used.
 */
export async function labelledFiles(
  folder: ByteFolder,
  csvPath: string,
  recipe: Recipe,
): Promise<DatasetSpec> {
  const csv = parseCsv(await readText(folder, csvPath), csvPath);
  const find = (names: readonly string[]) =>
    csv.columns.find((column) => names.includes(column.toLowerCase()));
  const fileColumn = find(reserved.file);
  const subjectColumn = find(reserved.subject);
  if (!fileColumn || !subjectColumn) {
    const missing = fileColumn ? 'subject' : 'file';
    throw new DataError(
      `${csvPath}: no column '${missing}'. It has: ${csv.columns.join(', ')}. Name one '${missing}'.`,
    );
  }
  const [sessionColumn, orderColumn] = [find(reserved.session), find(reserved.order)];
  const known = [fileColumn, subjectColumn, sessionColumn, orderColumn];
  const targetColumns = csv.columns.filter(
    (column) =>
      !known.includes(column) && ![...times, ...stated].some((name) => name === column.toLowerCase()),
  );
  const base = csvPath.includes('/') ? csvPath.slice(0, csvPath.lastIndexOf('/') + 1) : '';
  const files = new Set(await folder.list());
  const counts = new Map<string, number>();
  const places = new Map<string, number>();
  const placeOf = (fields: CsvRow['fields'], line: number, file: string): SessionPlace | undefined => {
    if (sessionColumn === undefined && orderColumn === undefined) return undefined;
    const name = sessionColumn === undefined ? '' : fields[sessionColumn]!;
    const text = orderColumn === undefined ? '' : fields[orderColumn]!;
    // A row that says nothing of its session stands alone.
    if (name === '' && text === '') return undefined;
    if (orderColumn === undefined) {
      if (!places.has(file)) places.set(file, places.size);
      return { name, order: places.get(file)! };
    }
    if (text === '' || !Number.isFinite(Number(text)))
      throw new DataError(
        `${csvPath} line ${line}: order '${text}' is no number. Give the file's place in its session.`,
      );
    return { name, order: Number(text) };
  };
  const trials = csv.rows.map(({ line, fields }): Trial => {
    const file = base + fields[fileColumn]!.replace(/\\/g, '/').replace(/^\.\//, '');
    if (!files.has(file))
      throw new DataError(
        `${csvPath} line ${line}: there is no file '${file}' in ${folder.name}. Correct the name.`,
      );
    const subject = fields[subjectColumn]!;
    if (subject === '')
      throw new DataError(`${csvPath} line ${line}: the subject is empty. Splits are by subject: name one.`);
    const count = (counts.get(file) ?? 0) + 1;
    counts.set(file, count);
    const textOf = (name: (typeof times | typeof stated)[number]) => fields[find([name]) ?? '']?.trim() ?? '';
    const time = (name: (typeof times)[number]) => {
      const text = textOf(name);
      if (text === '') return undefined;
      // Spreadsheets of many countries write 0,5.
      const seconds = Number(/^\d*,\d+$/.test(text) ? text.replace(',', '.') : text);
      if (!(seconds >= 0) || !Number.isFinite(seconds))
        throw new DataError(`${csvPath} line ${line}: ${name} '${text}' is no time in seconds.`);
      return seconds;
    };
    const session = placeOf(fields, line, file);
    const [start, end] = [time('start'), time('end')];
    if (start !== undefined && end !== undefined && end <= start) {
      throw new DataError(`${csvPath} line ${line}: end ${end} s is not after start ${start} s.`);
    }
    const [inputUnit, rateText] = [textOf('input_unit'), textOf('input_rate')];
    if (inputUnit !== '' && microvolts(inputUnit) === undefined)
      throw new DataError(
        `${csvPath} line ${line}: input_unit '${inputUnit}' is no voltage. Write nV, uV, mV or V.`,
      );
    if (rateText !== '' && !(Number(rateText) > 0 && Number.isFinite(Number(rateText))))
      throw new DataError(
        `${csvPath} line ${line}: input_rate '${rateText}' is no rate. Give hertz, above 0.`,
      );
    return {
      id: count === 1 ? file : `${file} #${count}`,
      subject,
      file,
      targets: Object.fromEntries(targetColumns.map((column) => [column, fields[column]!])),
      ...(session && { session }),
      ...(inputUnit === '' ? {} : { inputUnit }),
      ...(rateText === '' ? {} : { inputRateHz: Number(rateText) }),
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
    };
  });
  // Two files at one place are found before anything is read.
  earlierFiles(trials);
  return {
    name: csvPath,
    title: csvPath,
    licence: 'your own',
    url: '',
    citation: '',
    modalities: Object.keys(recipe.signals) as Modality[],
    targets: Object.fromEntries(
      targetColumns.map((column) => [
        column,
        [...new Set(trials.map((trial) => String(trial.targets[column])))].filter(Boolean).sort(),
      ]),
    ),
    splits: {},
    recipe,
    trials: async () => trials,
  };
}
