/**
 * Any MAT-file → Recording: an EEGLAB dataset, or a matrix of signals. Which matrix: the only one, or `part`, a path
 * such as `S.data`. Its rate is a number beside it (fs, srate, …) or `rateHz`; its channels are named by a cell of texts
 * of the right length; time is the longer side. What was guessed stands in the log.
 */

import { appendAll, maxOf, minOf } from '../../core/arrays.ts';
import { budgetOf, heavyElement } from '../../core/budget.ts';
import type { ByteSource } from '../../core/bytes.ts';
import { ConfigError, FormatError, UnsupportedError } from '../../core/errors.ts';
import type { Recording } from '../../core/recording.ts';
import { eeglabRecording } from '../eeglab/eeglab.ts';
import { isEeglab } from '../eeglab/fields.ts';
import { checkSamples, quoted, roomFor } from '../header-text.ts';
import type { ReadOptions } from '../options.ts';
import { withPass } from '../read-channels.ts';
import type { MatEntry, MatFile, MatPart } from './file.ts';
import { isLabelName, isRateName, isUnitName, rateOf, timeIsFirst } from './guess.ts';
import { openMat } from './mat.ts';
import { placing } from './select.ts';
import { matSignals } from './signals.ts';
import { type MatValue, numberOf, numericClasses, textOf } from './values.ts';

/** Open it. ConfigError where there is a choice to be made, FormatError where the file is damaged. */
export async function openMatRecording(source: ByteSource, options: ReadOptions = {}): Promise<Recording> {
  const file = await openMat(source, options);
  if (isEeglab(file)) return eeglabRecording(source, file, options);
  await refuseRecordData(source, file, options);
  const log = [...file.log];
  const path = await choosePath(file, options.part, log);
  const found = await locate(file, path);
  const [rows, columns] = found.value.shape as [number, number];
  const isFirst = timeIsFirst(rows, columns, log);
  const [samples, count] = isFirst ? [rows, columns] : [columns, rows];
  budgetOf(source).spend(`mat: ${source.name}`, 'channels', heavyElement * count);
  const beside = await facts(file, path, count);
  const rateHz = rateOf(`mat: ${source.name}`, options.rateHz, beside.rateHz, beside.rateName, log);
  const channels = Array.from({ length: count }, (_, i) => ({
    name: beside.labels?.[i] ?? `Ch${i + 1}`,
    unit: beside.unit,
    rateHz,
    lengthSamples: samples,
  }));
  const duration = samples / rateHz;
  const signals = matSignals(source, file, rootOf(path), found, {
    channelCount: count,
    samples,
    isTogether: isFirst,
  });
  return {
    source: source.name,
    format: 'mat',
    channels,
    duration,
    spans: duration > 0 ? [{ start: 0, duration }] : [],
    annotations: [],
    metadata: { variable: path },
    log,
    read: withPass(async (channel, start, end, into) => {
      checkSamples(`mat: ${source.name}`, source.name, channels, channel, start, end);
      const result = roomFor(end - start, into);
      await signals.read(channel, start, result);
      return result;
    }, signals.together),
    close: () => file.close(),
  };
}

/** The signal file of a WFDB record knows neither its gain nor its rate: the header does. */
async function refuseRecordData(source: ByteSource, file: MatFile, options: ReadOptions): Promise<void> {
  if (options.rateHz !== undefined || file.variables[0]?.name !== 'val') return;
  const name = (source.name.split(/[/\\]/).at(-1) ?? '').replace(/\.mat$/i, '.hea');
  const header = await source.sibling?.(name);
  if (!header) return;
  await header.close?.();
  await file.close();
  throw new UnsupportedError(
    `mat: ${source.name} holds the samples of a WFDB record; rate, gain and leads are in ${quoted(name)}. Open that.`,
    'mat signal files of WFDB',
  );
}

const isSignals = ({ class: matClass, shape }: Pick<MatEntry, 'class' | 'shape'>) =>
  numericClasses.some((known) => known === matClass) &&
  shape.length === 2 &&
  maxOf(shape) > 1 &&
  !shape.includes(0);

async function choosePath(file: MatFile, part: string | undefined, log: string[]): Promise<string> {
  if (part !== undefined) return part;
  const found = file.variables.filter((variable) => isSignals(variable) && !variable.isComplex);
  const matrices = found.filter(({ shape }) => minOf(shape) > 1);
  const [only, ...others] = matrices.length > 0 ? matrices : found;
  if (only && others.length === 0) {
    if (found.length > 1) log.push(`mat: the signals are taken from ${quoted(only.name)}, the only matrix.`);
    return only.name;
  }
  const inside: string[] = [];
  for (const { name, class: matClass } of file.variables)
    if (!only && (matClass === 'struct' || matClass === 'cell'))
      appendAll(
        inside,
        (await file.index(name)).filter(isSignals).map(({ path }) => path),
      );
  const choice = only ? [only, ...others].map(({ name }) => name) : inside;
  if (choice.length === 0)
    throw new FormatError(
      `mat: ${file.source} has no matrix of signals. ${listVariables(file)} Name a file with a matrix of channels × samples.`,
      file.source,
    );
  if (choice.length === 1) {
    log.push(`mat: the signals are taken from ${quoted(choice[0]!)}, the only matrix.`);
    return choice[0]!;
  }
  const some = choice.slice(0, 8).join(', ');
  throw new ConfigError(
    `mat: ${file.source} has ${choice.length} arrays that may be signals: ${some}${choice.length > 8 ? ', …' : ''}. Choose one with --part.`,
    'part',
    some,
  );
}

/** `It has: a (double 3 × 2 × 4), b (char 1 × 5).`, the first of them. */
function listVariables({ variables }: MatFile): string {
  if (variables.length === 0) return 'It has no variables.';
  const some = variables.slice(0, 8).map(({ name, class: matClass, shape, isComplex }) => {
    const kind = isComplex ? `complex ${matClass}` : matClass;
    return `${quoted(name)} (${[kind, shape.join(' × ')].filter(Boolean).join(' ')})`;
  });
  return `It has: ${some.join(', ')}${variables.length > 8 ? ', …' : ''}.`;
}

async function locate(file: MatFile, path: string): Promise<MatPart> {
  for await (const part of file.parts(rootOf(path), placing(path))) {
    const { value, place } = part;
    if ((place || value.kind === 'numeric') && value.shape.length === 2) return part;
    throw new ConfigError(
      `mat: ${file.source} has at ${quoted(path)} a ${value.kind} of ${'shape' in value ? value.shape.join(' × ') : ''}, which is no matrix of signals. Choose another part.`,
      'part',
    );
  }
  throw new ConfigError(`mat: ${file.source} has nothing at ${quoted(path)}. Check --part.`, 'part');
}

const rootOf = (path: string): string => /^[^.{}()]+/.exec(path)?.[0] ?? path;

/** Rate, unit and channel names beside the signals: among the variables, or among the fields around them. */
async function facts(file: MatFile, path: string, count: number) {
  const values = new Map<string, MatValue>();
  const parent = path.replace(/(\.[^.{}()]+|\{\d+\}|\(\d+\))$/, '');
  const isWanted = (name: string) => isRateName(name) || isLabelName(name) || isUnitName(name);
  if (parent !== path && parent !== '') {
    const fields = file.parts(rootOf(path), (at, { class: matClass }) => {
      if (path.startsWith(at) || at === parent)
        return matClass === 'struct' || matClass === 'cell' ? 'inside' : 'skip';
      return at.startsWith(`${parent}.`) && isWanted(at.slice(parent.length + 1)) ? 'whole' : 'skip';
    });
    for await (const field of fields) values.set(field.path.slice(parent.length + 1), field.value);
  }
  for (const { name } of file.variables)
    if (isWanted(name) && !values.has(name)) values.set(name, await file.read(name));
  let [rateHz, rateName, unit]: [number | undefined, string, string] = [undefined, '', ''];
  let labels: readonly string[] | undefined;
  for (const [name, value] of values) {
    if (isRateName(name) && rateHz === undefined) [rateHz, rateName] = [numberOf(value), quoted(name)];
    if (isUnitName(name)) unit = textOf(value) ?? unit;
    if (isLabelName(name)) labels ??= labelsOf(value, count);
  }
  return { rateHz, rateName, unit, labels };
}

function labelsOf(value: MatValue, count: number): string[] | undefined {
  const texts =
    value.kind === 'cell'
      ? value.cells.map((cell) => textOf(cell)?.trim())
      : value.kind === 'char'
        ? value.rows.map((row) => row.trim())
        : [];
  return texts.length === count && texts.every((text) => text !== undefined)
    ? (texts as string[])
    : undefined;
}
