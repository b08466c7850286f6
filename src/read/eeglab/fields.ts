/**
 * What an EEGLAB `.set` says of itself: MAT variables → fields with types. The dataset is one struct `EEG`, or, as newer
 * versions save it, its fields are the file's variables. Signals are not read here.
 * Source: EEGLAB's documentation of the EEG structure (eeglab.org, "Data structures").
 */
import { type Budget, heavyElement } from '../../core/budget.ts';
import { FormatError, UnsupportedError } from '../../core/errors.ts';
import { isRate } from '../header-text.ts';
import type { MatFile } from '../mat/file.ts';
import type { MatHeader } from '../mat/select.ts';
import { fieldOf, type MatValue, numberOf, numbersOf, numericClasses, textOf } from '../mat/values.ts';

export interface EeglabEvent {
  /** As EEGLAB shows it: the text, or the number as text. */
  readonly type: string;
  /** In samples of the stored data, counted from 1; may lie between two. */
  readonly latency: number;
  /** Samples; NaN where it is not known. */
  readonly duration: number;
}

export interface EeglabChannel {
  readonly label: string;
  readonly type: string;
  readonly unit: string;
}

export interface EeglabFields {
  readonly rateHz: number;
  readonly channelCount: number;
  /** Samples of an epoch; of everything where the recording is continuous. */
  readonly points: number;
  readonly trials: number;
  /** Seconds: of the first sample of an epoch relative to its event. */
  readonly xmin: number;
  readonly channels: readonly EeglabChannel[];
  readonly events: readonly EeglabEvent[];
  readonly texts: ReadonlyMap<string, string>;
  /** Where the signals are: in the file under a path, or in another one. */
  readonly data:
    | { readonly variable: string; readonly path: string; readonly header: MatHeader }
    | { readonly fileName: string };
}

const texts = ['setname', 'subject', 'group', 'condition', 'session', 'comments', 'ref'];
const wanted = new Set([
  ...texts,
  'nbchan',
  'pnts',
  'trials',
  'srate',
  'xmin',
  'chanlocs',
  'event',
  'datfile',
]);

/** Does a MAT-file hold an EEGLAB dataset? */
export function isEeglab(file: MatFile): boolean {
  const names = new Set(file.variables.map(({ name }) => name));
  if (names.has('EEG') || names.has('ALLEEG')) return true;
  return names.has('srate') && names.has('data') && (names.has('chanlocs') || names.has('nbchan'));
}

/** Read all fields but the signals. FormatError where one that is needed is missing or makes no sense. */
export async function readEeglabFields(file: MatFile, log: string[], budget: Budget): Promise<EeglabFields> {
  const { fields, data } = await gather(file);
  const fail = (fact: string): never => {
    throw new FormatError(
      `eeglab: ${file.source} ${fact}. It is no EEGLAB dataset, or damaged.`,
      file.source,
    );
  };
  const number = (name: string) => {
    const value = fields.get(name);
    return numberOf(value) ?? (value?.kind === 'char' ? Number(textOf(value)) : undefined);
  };
  const rateHz = number('srate') ?? Number.NaN;
  if (!isRate(rateHz)) fail(`has ${rateHz} as sampling rate (srate)`);
  const shape = 'header' in data ? data.header.shape : undefined;
  const total = shape?.slice(1).reduce((product, size) => product * size, 1);
  const trials = number('trials') ?? shape?.[2] ?? 1;
  const channelCount = shape?.[0] ?? number('nbchan') ?? Number.NaN;
  const points = total === undefined ? (number('pnts') ?? Number.NaN) : total / trials;
  for (const [name, value] of Object.entries({ nbchan: channelCount, pnts: points, trials }))
    if (!Number.isSafeInteger(value) || value < 0 || (name === 'trials' && value < 1))
      fail(`has ${value} as ${name}`);
  if (channelCount > 65_536 || trials > 1e6) fail(`has ${channelCount} channels in ${trials} epochs`);
  const stated = { nbchan: channelCount, pnts: points };
  for (const [name, value] of Object.entries(stated))
    if (number(name) !== undefined && number(name) !== value)
      log.push(
        `eeglab: the header says ${number(name)} as ${name}, the signals have ${value}; read by the signals.`,
      );
  // Channels, and of every epoch a span and its boundary.
  budget.spend(
    `eeglab: ${file.source}`,
    'channels and epochs',
    heavyElement * channelCount + (trials > 1 ? 2 * trials : 0),
  );
  return {
    rateHz,
    channelCount,
    points,
    trials,
    xmin: number('xmin') ?? 0,
    channels: channelsOf(fields.get('chanlocs'), channelCount, log),
    events: eventsOf(fields.get('event'), log),
    texts: new Map(
      texts.map((name) => [name, describe(fields.get(name))] as const).filter(([, text]) => text !== ''),
    ),
    data,
  };
}

async function gather(file: MatFile) {
  const fields = new Map<string, MatValue>();
  let data: EeglabFields['data'] | undefined;
  const names = file.variables.map(({ name }) => name);
  if (!names.includes('EEG') && names.includes('ALLEEG'))
    throw new UnsupportedError(
      `eeglab: ${file.source} holds several datasets (ALLEEG). Save each by itself.`,
      'eeglab ALLEEG',
    );
  const isStruct = names.includes('EEG');
  /** Where signals lie is noted, the signals stay; long fields that nobody asks for are passed over. */
  const choose = (variable: string, prefix: string) => (path: string, header: MatHeader) => {
    if (path === variable && isStruct) {
      if (header.class === 'struct' && header.shape.every((size) => size === 1)) return 'inside';
      throw new UnsupportedError(
        `eeglab: ${file.source} has as EEG a ${header.class} of ${header.shape.join(' × ')}, one dataset can be read. Save each by itself.`,
        'eeglab several datasets',
      );
    }
    const name = path.slice(prefix.length);
    if (name !== 'data') return wanted.has(name) ? 'whole' : 'skip';
    if (header.class === 'char') return 'whole';
    if (numericClasses.some((known) => known === header.class)) data = { variable, path, header };
    return 'skip';
  };
  const variables = isStruct ? ['EEG'] : names.filter((name) => wanted.has(name) || name === 'data');
  for (const variable of variables) {
    const prefix = isStruct ? 'EEG.' : '';
    for await (const { path, value } of file.parts(variable, choose(variable, prefix)))
      fields.set(path.slice(prefix.length), value);
  }
  // An empty matrix in place of signals: they are where datfile says.
  const isEmpty = data && 'header' in data && data.header.shape.includes(0);
  const fileName = textOf(fields.get('data')) || textOf(fields.get('datfile'));
  if ((!data || isEmpty) && fileName) data = { fileName };
  if (!data)
    throw new FormatError(
      `eeglab: ${file.source} has no signals (data). It is no EEGLAB dataset, or damaged.`,
      file.source,
    );
  return { fields, data };
}

/** Text of a char value, or the number that stands in its place. */
function describe(value: MatValue | undefined): string {
  const number = numberOf(value);
  return (textOf(value) ?? (number === undefined ? '' : String(number))).trim();
}

function channelsOf(chanlocs: MatValue | undefined, count: number, log: string[]): EeglabChannel[] {
  const found = chanlocs?.kind === 'struct' ? (chanlocs.fields.get('labels')?.length ?? 0) : 0;
  if (found !== count && count > 0)
    log.push(`eeglab: ${found} of ${count} channels have a name; the others are called Ch1, Ch2, ….`);
  return Array.from({ length: count }, (_, i) => ({
    label: describe(fieldOf(chanlocs, 'labels', i)) || `Ch${i + 1}`,
    type: describe(fieldOf(chanlocs, 'type', i)),
    unit: describe(fieldOf(chanlocs, 'unit', i)),
  }));
}

function eventsOf(event: MatValue | undefined, log: string[]): EeglabEvent[] {
  if (event?.kind !== 'struct') return [];
  const count = event.fields.get('latency')?.length ?? 0;
  const events = Array.from({ length: count }, (_, i) => ({
    type: describe(fieldOf(event, 'type', i)),
    latency: numberOf(fieldOf(event, 'latency', i)) ?? Number.NaN,
    duration:
      numbersOf(fieldOf(event, 'duration', i))?.[0] ?? (event.fields.has('duration') ? Number.NaN : 0),
  }));
  const timed = events.filter(({ latency }) => Number.isFinite(latency));
  if (timed.length < count) log.push(`eeglab: ${count - timed.length} events without a time were left out.`);
  return namedBoundaries(timed, log);
}

/** What stands for a boundary where all types of events are numbers (EEGLAB's option_boundary99, ERPLAB). */
const boundaryCode = '-99';

function namedBoundaries(events: readonly EeglabEvent[], log: string[]): EeglabEvent[] {
  const isCoded = events.every(
    ({ type }) => type === 'boundary' || (type !== '' && Number.isFinite(Number(type))),
  );
  const coded = isCoded ? events.filter(({ type }) => Number(type) === Number(boundaryCode)) : [];
  if (coded.length === 0) return [...events];
  log.push(`eeglab: ${coded.length} events of type ${boundaryCode} are boundaries: all types are numbers.`);
  return events.map((event) =>
    isCoded && Number(event.type) === Number(boundaryCode) ? { ...event, type: 'boundary' } : event,
  );
}
