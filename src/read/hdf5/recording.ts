/**
 * A dataset of an HDF5 file → Recording: [time, channel], [channel, time], or one row of [recording, time, channel],
 * chosen by `part`: `12`, `tracings`, `tracings#12`. CODE-15% and SPH are known by name and shape. What was guessed
 * stands in the log. Needs the optional package h5wasm.
 */
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { ConfigError, FormatError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { checkSamples, quoted, roomFor } from '../header-text.ts';
import { isLabelName, isRateName, isUnitName, rateOf, timeIsFirst } from '../mat/guess.ts';
import type { ReadOptions } from '../options.ts';
import { withPass } from '../read-channels.ts';
import { type Hdf5Dataset, type Hdf5File, openHdf5 } from './hdf5.ts';
import { signalReader, withoutZeros } from './signals.ts';

/** Open it. ConfigError where there is a choice to be made, FormatError where the file is damaged. */
export async function openHdf5Recording(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const file = await openHdf5(source);
  try {
    return await recordingOf(source, file, options);
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Corpus {
  readonly name: string;
  readonly rateHz: number;
  readonly unit: string;
  readonly leads: readonly string[];
  /** Rows are filled up with zeros at both ends. */
  readonly isPadded: boolean;
}

/** Corpora whose files do not describe themselves. */
function knownCorpus({ path, shape }: Hdf5Dataset): Corpus | undefined {
  const chest = ['V1', 'V2', 'V3', 'V4', 'V5', 'V6'];
  if (path === '/tracings' && shape.length === 3 && shape[2] === 12)
    return {
      name: 'CODE-15%',
      rateHz: 400,
      unit: '',
      leads: ['DI', 'DII', 'DIII', 'AVR', 'AVL', 'AVF', ...chest],
      isPadded: true,
    };
  if (path === '/ecg' && shape.length === 2 && shape[0] === 12)
    return {
      name: 'SPH',
      rateHz: 500,
      unit: 'mV',
      leads: ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', ...chest],
      isPadded: false,
    };
  return undefined;
}

async function recordingOf(source: ByteSource, file: Hdf5File, options: ReadOptions): Promise<Recording> {
  const log: string[] = [];
  const { dataset, row } = await chooseDataset(file, options.part);
  const [rows, columns] = dataset.shape.slice(-2) as [number, number];
  const corpus = knownCorpus(dataset);
  if (corpus)
    log.push(`hdf5: ${dataset.path} is shaped as in ${corpus.name}: its rate, leads and unit are taken.`);
  const isFirst = corpus ? corpus.name !== 'SPH' : timeIsFirst(rows, columns, log);
  const [stored, count] = isFirst ? [rows, columns] : [columns, rows];
  budgetOf(source).spend(`hdf5: ${source.name}`, 'channels', heavyElement * count);
  const array = { file, dataset, row, isTimeFirst: isFirst };
  const [from, to] = corpus?.isPadded ? await withoutZeros(array) : [0, stored];
  if (to - from < stored)
    log.push(
      `hdf5: ${from} zeros at the beginning and ${stored - to} at the end, which fill up the row, were left out.`,
    );
  const beside = await facts(file, dataset.path, count);
  const rateHz = rateOf(
    `hdf5: ${source.name}`,
    options.rateHz,
    beside.rateHz ?? corpus?.rateHz,
    beside.rateHz === undefined ? (corpus?.name ?? '') : beside.rateName,
    log,
  );
  const lengthSamples = to - from;
  const channels = Array.from({ length: count }, (_, i) => ({
    name: beside.labels?.[i] ?? corpus?.leads[i] ?? `Ch${i + 1}`,
    unit: beside.unit || corpus?.unit || '',
    rateHz,
    lengthSamples,
  }));
  const duration = lengthSamples / rateHz;
  const signals = await signalReader(source, array);
  return {
    source: source.name,
    format: 'hdf5',
    channels,
    duration,
    spans: duration > 0 ? [{ start: 0, duration }] : [],
    annotations: [],
    metadata: { dataset: dataset.path, ...(row !== undefined && { row: String(row) }) },
    log,
    read: withPass(
      async (channel, start, end, into) => {
        checkSamples(`hdf5: ${source.name}`, source.name, channels, channel, start, end);
        const result = roomFor(end - start, into);
        await signals.read(channel, from + start, result);
        return result;
      },
      (ranges, rooms) =>
        signals.together(
          ranges.map(({ channel, start, end }) => ({ channel, start: from + start, end: from + end })),
          rooms,
        ),
    ),
    close: () => file.close(),
  };
}

/** Groups and datasets that are looked at in search of signals; more is no file of one recording. */
const mostObjects = 2000;

async function chooseDataset(
  file: Hdf5File,
  part: string | undefined,
): Promise<{ readonly dataset: Hdf5Dataset; readonly row: number | undefined }> {
  const [, named, number] = /^(.*?)(?:(?:^|#)(\d+))?$/.exec(part ?? '')!;
  const path = named ? `/${named.replace(/^\/+/, '')}` : undefined;
  const found = path ? [await file.dataset(path)] : await findSignals(file);
  const dataset = found[0];
  const fail = (fact: string, allowed: string): never => {
    throw new ConfigError(`hdf5: ${file.source} ${fact}. Choose one with --part.`, 'part', allowed);
  };
  if (!dataset) throw new FormatError(`hdf5: ${file.source} has no array of signals.`, file.source);
  if (found.length > 1) {
    const some = found.slice(0, 8).map((one) => `${one.path} (${one.shape.join(' × ')})`);
    return fail(`has ${found.length} arrays that may be signals: ${some.join(', ')}`, some.join(', '));
  }
  const { shape, kind } = dataset;
  if (kind !== 'number' || shape.length < 2 || shape.length > 3)
    return fail(
      `has at ${quoted(dataset.path)} ${kind}s of ${shape.join(' × ') || 'no'} dimensions`,
      'an array of 2 or 3 dimensions',
    );
  if (shape.length === 2) return { dataset, row: undefined };
  const count = shape[0]!;
  const row = number === undefined ? (count === 1 ? 0 : undefined) : Number(number);
  if (row === undefined || row >= count)
    return fail(
      `has ${count} recordings in ${quoted(dataset.path)}${row === undefined ? '' : `, ${row} was asked for`}`,
      `0 … ${count - 1}`,
    );
  return { dataset, row };
}

/** Numeric arrays of two or three dimensions; those called as signals are, where there are such. */
async function findSignals(file: Hdf5File): Promise<Hdf5Dataset[]> {
  const found: Hdf5Dataset[] = [];
  const groups = ['/'];
  let seen = 0;
  for (const group of groups)
    for (const name of await file.list(group)) {
      if (++seen > mostObjects) return found;
      const path = `${group === '/' ? '' : group}/${name}`;
      const type = await file.typeOf(path);
      // Groups can hold themselves: depth is bounded.
      if (type === 'group' && path.split('/').length <= 6) groups.push(path);
      if (type !== 'dataset') continue;
      const dataset = await file.dataset(path);
      const isArray = dataset.shape.length === 2 || dataset.shape.length === 3;
      if (dataset.kind === 'number' && isArray && dataset.shape.every((size) => size > 0))
        found.push(dataset);
    }
  const called = found.filter(({ path }) => /(tracings|ecg|eeg|signals?|data|waveforms?)$/i.test(path));
  return called.length > 0 ? called : found;
}

/** Rate, unit and channel names: attributes of the array and of the groups around it, or datasets beside it. */
async function facts(file: Hdf5File, path: string, count: number) {
  let [rateHz, rateName, unit]: [number | undefined, string, string] = [undefined, '', ''];
  let labels: readonly string[] | undefined;
  const steps = path.split('/').slice(1, -1);
  const groups = steps.map((_, i) => `/${steps.slice(0, i + 1).join('/')}`).reverse();
  const take = (name: string, value: Awaited<ReturnType<Hdf5File['read']>>) => {
    if (isRateName(name) && rateHz === undefined && value.kind === 'number' && value.values.length === 1)
      [rateHz, rateName] = [Number(value.values[0]), quoted(name)];
    if (value.kind !== 'text') return;
    if (isUnitName(name) && unit === '' && value.values.length === 1) unit = value.values[0]!;
    if (isLabelName(name) && value.values.length === count) labels ??= value.values;
  };
  for (const place of [path, ...groups, '/'])
    for (const [name, value] of await file.attributes(place)) take(name, value);
  const parent = groups[0] ?? '/';
  for (const name of (await file.list(parent)).slice(0, mostObjects)) {
    if (!isRateName(name) && !isLabelName(name) && !isUnitName(name)) continue;
    const beside = `${parent === '/' ? '' : parent}/${name}`;
    if ((await file.typeOf(beside)) !== 'dataset') continue;
    const { shape } = await file.dataset(beside);
    if (shape.reduce((product, size) => product * size, 1) <= 65_536) take(name, await file.read(beside));
  }
  return { rateHz, rateName, unit, labels };
}
