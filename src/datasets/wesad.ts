/**
 * WESAD: chest and wrist sensors of 15 people in baseline, stress, amusement and meditation. A file a person: pickled
 * {signal: {chest, wrist}, label, subject}, label at the chest's 700 Hz. Structure: wesad_readme.pdf of the dataset.
 */
import { appendAll, maxOf, minOf } from '../core/arrays.ts';
import type { ByteSource } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { decodeNumpyPickle, isArray, type NumpyArray, type NumpyValue } from '../read/numpy/numpy-pickle.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { baseName } from './folder-text.ts';
import { rowAt, stretchRecording } from './stretch-recording.ts';
import type { TrialReader } from './trial-files.ts';

const chestRateHz = 700;

/** Signals in the order of the recording: device, key, rate, unit, how many columns. */
const signals = [
  { device: 'chest', key: 'ECG', rateHz: chestRateHz, unit: 'mV', columns: 1 },
  { device: 'chest', key: 'EMG', rateHz: chestRateHz, unit: 'mV', columns: 1 },
  { device: 'chest', key: 'EDA', rateHz: chestRateHz, unit: 'uS', columns: 1 },
  { device: 'chest', key: 'Temp', rateHz: chestRateHz, unit: 'degC', columns: 1 },
  { device: 'chest', key: 'Resp', rateHz: chestRateHz, unit: '%', columns: 1 },
  { device: 'chest', key: 'ACC', rateHz: chestRateHz, unit: 'g', columns: 3 },
  { device: 'wrist', key: 'BVP', rateHz: 64, unit: '', columns: 1 },
  { device: 'wrist', key: 'EDA', rateHz: 4, unit: 'uS', columns: 1 },
  { device: 'wrist', key: 'TEMP', rateHz: 4, unit: 'degC', columns: 1 },
  { device: 'wrist', key: 'ACC', rateHz: 32, unit: '1/64 g', columns: 3 },
] as const;

/** Channel names of a signal: the chest's keep their own. */
function namesOf({ device, key, columns }: (typeof signals)[number]): string[] {
  const name = device === 'chest' ? key : `wrist ${key}`;
  return columns === 1 ? [name] : ['x', 'y', 'z'].map((axis) => `${name} ${axis}`);
}

/** Label → condition; 0 is between conditions, 5 to 7 are to be ignored. */
const conditions = ['baseline', 'stress', 'amusement', 'meditation'] as const;

export const wesad: PublishedDataset = {
  name: 'wesad',
  title: 'WESAD: Wearable Stress and Affect Detection',
  licence: 'for scientific, non-commercial use, citing the paper (UCI lists it under CC BY 4.0)',
  url: 'https://archive.ics.uci.edu/dataset/465/wesad+wearable+stress+and+affect+detection',
  citation:
    'Schmidt P, Reiss A, Duerichen R, Marberger C, Van Laerhoven K. Introducing WESAD, a Multimodal Dataset for Wearable Stress and Affect Detection. ICMI 2018:400–408 (2018). doi:10.1145/3242969.3242985',
  modalities: ['ecg'],
  targets: { affect: conditions.slice(0, 3), stress: ['no', 'yes'], condition: conditions },
  defaultTarget: 'affect',
  splits: {},
  recipe: parseRecipe({
    version: 1,
    signals: { ecg: { channels: ['ECG'], lowHz: 0.5, highHz: 45, scaleMicrovolts: 1000 } },
    window: { lengthSeconds: 30, stepSeconds: 30 },
  }),
  facts: {
    access: 'open',
    how: 'No application: follow the download link on its page, and unpack it so that S2/S2.pkl and its siblings lie in the folder.',
    applyUrl: 'https://archive.ics.uci.edu/dataset/465/wesad+wearable+stress+and+affect+detection',
    subjects: 15,
    recordings: 15,
    signals: [
      {
        ...{ kind: 'ecg', channels: ['ECG'], ratesHz: [chestRateHz], unit: 'mV' },
        note: 'one lead, RespiBAN on the chest',
      },
      {
        ...{ kind: 'other', channels: ['EMG', 'EDA', 'Temp', 'Resp', 'ACC x', 'ACC y', 'ACC z'] },
        ...{ ratesHz: [chestRateHz], unit: 'mV, µS, °C, %, g', note: 'chest' },
      },
      {
        ...{ kind: 'other', channels: signals.filter(({ device }) => device === 'wrist').flatMap(namesOf) },
        ...{ ratesHz: [64, 4, 32], unit: '–, µS, °C, 1/64 g' },
        note: 'Empatica E4 on the wrist: blood volume pulse 64 Hz, skin conductance and temperature 4 Hz, acceleration 32 Hz',
      },
    ],
    labels: {
      affect: 'baseline, stress or amusement, as published; meditation has none',
      stress: 'stress against baseline and amusement, as published; meditation has none',
      condition: 'baseline, stress, amusement or meditation',
    },
    layout: [{ path: 'S*/S*.pkl', what: 'signals and labels of a person', count: 15 }],
    notes: [
      'It has no EEG.',
      'People are S2 to S17 without S12: S1 and S12 were left out by its authors.',
      'A trial is a stretch of one condition; what lies between (label 0) and labels 5 to 7 belong to none.',
      'Every person was stressed once, and baseline came first: slow drifts are confounded with the condition.',
      'Published results are of 60-s windows and leave-one-subject-out.',
      'A file is read whole: reading one takes about twice its size (near 1 GB) of memory.',
    ],
  },
  trials: listTrials,
};

async function listTrials(folder: ByteFolder): Promise<Trial[]> {
  const files = (await folder.list())
    .flatMap((file) => {
      const number = /^S(\d+)\.pkl$/.exec(baseName(file))?.[1];
      return number === undefined ? [] : [{ file, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
  const trials: Trial[] = [];
  for (const { file, number } of files) {
    const source = await folder.open(file);
    try {
      const { label } = await readPerson(source);
      appendAll(
        trials,
        stretchesOf(label).map((stretch) => ({ subject: `S${number}`, file, ...stretch })),
      );
    } finally {
      await source.close?.();
    }
  }
  const seen = new Map<string, number>();
  return trials.map(({ id, ...trial }) => {
    const name = `${trial.subject} ${id}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { id: count === 1 ? name : `${name} ${count}`, reader: 'wesad', ...trial };
  });
}

function stretchesOf(label: NumpyArray['values']): Pick<Trial, 'id' | 'start' | 'end' | 'targets'>[] {
  const found: Pick<Trial, 'id' | 'start' | 'end' | 'targets'>[] = [];
  for (let from = 0, to = 0; from < label.length; from = to) {
    while (to < label.length && label[to] === label[from]) to++;
    const condition = conditions[label[from]! - 1];
    if (condition === undefined) continue;
    const isPublished = condition !== 'meditation';
    found.push({
      ...{ id: condition, start: from / chestRateHz, end: to / chestRateHz },
      targets: {
        condition,
        ...(isPublished && { affect: condition, stress: condition === 'stress' ? 'yes' : 'no' }),
      },
    });
  }
  return found;
}

interface Person {
  readonly label: NumpyArray['values'];
  signal(device: string, key: string): NumpyArray;
}

async function readPerson(source: ByteSource): Promise<Person> {
  const bytes = await source.read(0, source.byteLength);
  const value = decodeNumpyPickle(bytes, source.name);
  const at = (...keys: readonly string[]): NumpyArray => {
    let inside: NumpyValue | undefined = value;
    for (const key of keys) inside = inside instanceof Map ? inside.get(key) : undefined;
    if (isArray(inside)) return inside;
    throw new FormatError(
      `wesad: ${source.name} has no array ${keys.join('.')}. It is not the published file.`,
      source.name,
    );
  };
  return { label: at('label').values, signal: (device, key) => at('signal', device, key) };
}

/** Opens SN.pkl: one recording of all sensors. */
export const openWesad: TrialReader = async (source) => {
  const person = await readPerson(source);
  const found = signals.map((signal) => {
    const { device, key, columns, rateHz } = signal;
    const { shape, values } = person.signal(device, key);
    if (values.length !== shape[0]! * columns)
      throw new FormatError(
        `wesad: ${source.name}: signal.${device}.${key} is [${shape.join(' × ')}], of ${columns} columns it is published. It is not the published file.`,
        source.name,
      );
    return { ...signal, values, length: shape[0]!, seconds: shape[0]! / rateHz };
  });
  const seconds = minOf(found.map((signal) => signal.seconds));
  const longest = maxOf(found.map((signal) => signal.seconds));
  const recording = stretchRecording({
    ...{ source: source.name, format: 'wesad', gapSeconds: 0 },
    metadata: { subject: baseName(source.name).replace(/\.pkl$/, '') },
    log:
      longest - seconds < 0.5
        ? []
        : [`wesad: ${(longest - seconds).toFixed(2)} s that not all sensors have were left out.`],
    channels: found.flatMap((signal) =>
      namesOf(signal).map((name) => ({ name, unit: signal.unit, rateHz: signal.rateHz })),
    ),
    stretches: [
      {
        ...{ label: 'session', seconds },
        rows: found.flatMap(({ values, columns, length }) =>
          Array.from({ length: columns }, (_, c) => rowAt(values, c, columns, length)),
        ),
      },
    ],
  });
  return { open: async () => recording, close: async () => source.close?.() };
};
