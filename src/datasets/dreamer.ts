/**
 * DREAMER: EEG and ECG of 23 people who watched 18 films and rated valence, arousal and dominance. One MAT-file of 1.2 GB
 * (inflated) holds all; it is gone through once, person by person. Structure: Katsigiannis & Ramzan 2018, and the file.
 */
import { DataError, FormatError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { openMat } from '../read/mat/mat.ts';
import type { MatChooser } from '../read/mat/select.ts';
import { type MatValue, numbersOf, textOf } from '../read/mat/values.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { baseName } from './folder-text.ts';
import { stretchRecording } from './stretch-recording.ts';
import type { TrialReader } from './trial-files.ts';
import { present } from './trial-values.ts';

export const dreamerElectrodes = [
  ...['AF3', 'F7', 'F3', 'FC5', 'T7', 'P7', 'O1', 'O2', 'P8', 'T8', 'FC6', 'F4', 'F8', 'AF4'],
] as const;
const [eegRateHz, ecgRateHz] = [128, 256];

/** What each film was chosen to evoke: two films an emotion. */
const films = [
  ...['calmness', 'surprise', 'amusement', 'fear', 'excitement', 'disgust', 'happiness', 'anger', 'sadness'],
  ...['disgust', 'calmness', 'amusement', 'happiness', 'anger', 'fear', 'excitement', 'sadness', 'surprise'],
] as const;

export interface DreamerOptions {
  /** Ratings (1–5) above this are high. */
  readonly threshold?: number;
}

const ratings = ['valence', 'arousal', 'dominance'] as const;

/** The dataset with another threshold of its ratings. */
export function dreamerWith({ threshold = 3 }: DreamerOptions = {}): PublishedDataset {
  return {
    name: 'dreamer',
    title:
      'DREAMER: emotion recognition through EEG and ECG signals from wireless low-cost off-the-shelf devices',
    licence: 'for academic research, by agreement with its authors',
    url: 'https://zenodo.org/records/546113',
    citation:
      'Katsigiannis S, Ramzan N. DREAMER: A Database for Emotion Recognition Through EEG and ECG Signals From Wireless Low-cost Off-the-Shelf Devices. IEEE JBHI 22(1):98–107 (2018). doi:10.1109/JBHI.2017.2688239',
    modalities: ['eeg', 'ecg'],
    targets: {
      ...Object.fromEntries(ratings.map((name) => [name, ['low', 'high']])),
      emotion: [...new Set(films)].sort(),
      sex: ['female', 'male'],
    },
    labels: {
      ...Object.fromEntries(ratings.map((name) => [`${name}_rating`, { kind: 'number' as const }])),
      age: { kind: 'number', unit: 'years' },
    },
    splits: {},
    recipe: parseRecipe({
      version: 1,
      signals: {
        eeg: { channels: [...dreamerElectrodes], lowHz: 0.5, highHz: 45, scaleMicrovolts: 100 },
        ecg: { channels: ['ECG1', 'ECG2'], lowHz: 0.5, highHz: 45, scaleMicrovolts: 1000 },
      },
      window: { lengthSeconds: 5, stepSeconds: 5 },
    }),
    facts: {
      access: 'request',
      how: 'Ask for access on its Zenodo page with an institutional account, saying what you will use it for; the authors decide. Put DREAMER.mat into a folder.',
      applyUrl: 'https://zenodo.org/records/546113',
      subjects: 23,
      recordings: 414,
      signals: [
        {
          ...{ kind: 'eeg', channels: dreamerElectrodes, ratesHz: [eegRateHz], unit: 'uV' },
          note: 'Emotiv EPOC, with the constant offset of its amplifier',
        },
        {
          ...{ kind: 'ecg', channels: ['ECG1', 'ECG2'], ratesHz: [ecgRateHz], unit: 'uV' },
          note: 'SHIMMER; the file does not state its unit, the numbers are taken as microvolt',
        },
      ],
      labels: {
        valence: `low or high: the rating of 1–5 is above ${threshold}`,
        arousal: 'in the same way',
        dominance: 'in the same way',
        emotion: 'what the film was chosen to evoke, not what was felt',
        sex: 'male, female',
        age: 'years',
      },
      layout: [{ path: 'DREAMER.mat', what: 'one struct DREAMER, level 5', count: 1 }],
      notes: [
        'Every film is preceded by a neutral one of 61 s; both are in a recording, the neutral one before a gap of a second, outside the trial.',
        'Films are the same for all people: leave films out too (trial.stimulus), or a model may learn the film.',
        'People rated each film once: windows of one film share one label, and must not be spread over training and test.',
      ],
    },
    trials: (folder) => listTrials(folder, threshold),
  };
}

export const dreamer: PublishedDataset = dreamerWith();

interface Person {
  age?: string;
  gender?: string;
  readonly scores: Map<string, Float64Array>;
  /** Samples of each stimulus and baseline, by modality. */
  readonly lengths: Map<string, number>;
}

const path = /^DREAMER\.Data\{(\d+)\}\.(.+)$/;
const stretch = /^(EEG|ECG)\.(baseline|stimuli)\{(\d+)\}$/;
const scoreField = /^Score(Valence|Arousal|Dominance)$/;

async function listTrials(folder: ByteFolder, threshold: number): Promise<Trial[]> {
  const file = (await folder.list()).find((name) => /^dreamer.*\.mat$/i.test(baseName(name)));
  if (file === undefined) return [];
  const people = await readPeople(folder, file);
  return [...people].flatMap(([number, person]) => {
    const count = person.scores.get('Valence')?.length ?? 0;
    if (count === 0)
      throw new FormatError(
        `dreamer: ${file}: person ${number} has no ScoreValence. Check that it is the published file.`,
        file,
      );
    return Array.from({ length: count }, (_, film): Trial => {
      const subject = `s${String(number).padStart(2, '0')}`;
      const part = `${number}/${film + 1}`;
      const times = timesOf(person, film + 1, `${file}: person ${number}, film ${film + 1}`);
      const rated = ratings.map((name) => {
        const value = person.scores.get(name[0]!.toUpperCase() + name.slice(1))?.[film];
        if (value === undefined || !(value >= 1 && value <= 5))
          throw new DataError(
            `dreamer: ${file}: person ${number} rated ${name} of film ${film + 1} as ${value}; 1 to 5 is possible.`,
          );
        return [name, value] as const;
      });
      return {
        id: `${subject} film ${film + 1}`,
        ...{ subject, file, part, reader: 'dreamer', stimulus: `film ${film + 1}`, ...times },
        targets: present({
          ...Object.fromEntries(rated.map(([name, value]) => [name, value > threshold ? 'high' : 'low'])),
          ...Object.fromEntries(rated.map(([name, value]) => [`${name}_rating`, value])),
          emotion: films[film],
          sex: person.gender?.toLowerCase(),
          age: person.age === undefined ? undefined : Number(person.age),
        }),
      };
    });
  });
}

/** Scores, and how long everything is: one pass over the file, no signal kept. */
async function readPeople(folder: ByteFolder, file: string): Promise<Map<number, Person>> {
  const source = await folder.open(file);
  const people = new Map<number, Person>();
  const personOf = (number: number) => {
    const person: Person = people.get(number) ?? { scores: new Map(), lengths: new Map() };
    people.set(number, person);
    return person;
  };
  const choose: MatChooser = (where, { class: matClass, shape }) => {
    const [, number, inside] = path.exec(where) ?? [];
    if (inside !== undefined && stretch.test(inside))
      personOf(Number(number)).lengths.set(inside, shape[0] ?? 0);
    if (matClass === 'cell' || matClass === 'struct') return 'inside';
    return inside !== undefined && (scoreField.test(inside) || /^(Age|Gender)$/.test(inside))
      ? 'whole'
      : 'skip';
  };
  try {
    const mat = await openMat(source);
    for await (const { path: where, value } of mat.parts('DREAMER', choose)) {
      const [, number, field] = path.exec(where)!;
      const person = personOf(Number(number));
      const score = scoreField.exec(field!)?.[1];
      if (score) person.scores.set(score, numbersOf(value) ?? new Float64Array(0));
      else if (field === 'Age') person.age = textOf(value) ?? String(numbersOf(value)?.[0] ?? '');
      else person.gender = textOf(value) ?? '';
    }
  } finally {
    await source.close?.();
  }
  if (people.size === 0)
    throw new FormatError(`dreamer: ${file} has no DREAMER.Data. Check that it is the published file.`, file);
  return people;
}

/** Samples of the neutral film and of the film, in seconds that both modalities have. */
function timesOf(
  { lengths }: Person,
  film: number,
  where: string,
): Required<Pick<Trial, 'start' | 'end'>> & Pick<Trial, 'baseline'> {
  const seconds = (kind: string): number => {
    const [eeg, ecg] = [lengths.get(`EEG.${kind}{${film}}`), lengths.get(`ECG.${kind}{${film}}`)];
    if (eeg === undefined || ecg === undefined)
      throw new DataError(`dreamer: ${where} has no ${kind}. The file is not whole; fetch it again.`);
    return Math.min(Math.floor(eeg), Math.floor(ecg / 2)) / eegRateHz;
  };
  const baseline = seconds('baseline');
  // Behind a neutral film there is a gap: nothing is filtered across it.
  const start = baseline === 0 ? 0 : baseline + gapSeconds;
  return {
    ...{ start, end: start + seconds('stimuli') },
    ...(baseline > 0 && { baseline: { start: 0, end: baseline } }),
  };
}

const gapSeconds = 1;

/** Opens DREAMER.mat; memory holds the signals of one person. */
export const openDreamer: TrialReader = async (source) => {
  const mat = await openMat(source);
  const begin = () =>
    mat.parts('DREAMER', [
      ...['EEG', 'ECG'].flatMap((kind) => [
        `DREAMER.Data{*}.${kind}.baseline{*}`,
        `DREAMER.Data{*}.${kind}.stimuli{*}`,
      ]),
    ]);
  let parts = begin();
  let person = { number: 0, signals: new Map<string, MatValue>() };
  let ahead: { number: number; key: string; value: MatValue } | undefined;
  const startAgain = async () => {
    await parts.return();
    parts = begin();
    ahead = undefined;
    person = { number: 0, signals: new Map() };
  };
  /** Go on to the next person in the file; false at its end. */
  const nextPerson = async (): Promise<boolean> => {
    const signals = new Map<string, MatValue>();
    let number = ahead?.number ?? 0;
    if (ahead) signals.set(ahead.key, ahead.value);
    ahead = undefined;
    for (;;) {
      const { done, value: found } = await parts.next();
      if (done) break;
      const [, at, key] = path.exec(found.path)!;
      if (number !== 0 && Number(at) !== number) {
        ahead = { number: Number(at), key: key!, value: found.value };
        break;
      }
      number = Number(at);
      signals.set(key!, found.value);
    }
    person = { number, signals };
    return signals.size > 0;
  };
  return {
    async open(part) {
      const [number, film] = part.split('/').map(Number) as [number, number];
      if (number < person.number) await startAgain();
      while (person.number !== number) {
        if (await nextPerson()) continue;
        await startAgain();
        throw new DataError(`dreamer: ${source.name} has no person ${number}. Prepare the dataset again.`);
      }
      const stretches = ['baseline', 'stimuli'].map((kind) => ({
        label: kind === 'stimuli' ? `film ${film}` : 'neutral film',
        rows: {
          eeg: rowsOf(person.signals.get(`EEG.${kind}{${film}}`), dreamerElectrodes.length, source.name),
          ecg: rowsOf(person.signals.get(`ECG.${kind}{${film}}`), 2, source.name),
        },
      }));
      const seconds = stretches.map(
        ({ rows }) => Math.min(rows.eeg[0]!.length, Math.floor(rows.ecg[0]!.length / 2)) / eegRateHz,
      );
      return stretchRecording({
        ...{ source: `${source.name} ${part}`, format: 'dreamer', gapSeconds },
        metadata: { subject: `s${String(number).padStart(2, '0')}` },
        log: stretches.flatMap(({ label, rows }, i) => {
          const longer = Math.max(rows.eeg[0]!.length / eegRateHz, rows.ecg[0]!.length / ecgRateHz);
          const extra = longer - seconds[i]!;
          if (extra < 0.01) return [];
          return [`dreamer: ${label}: ${extra.toFixed(2)} s that only one of EEG and ECG has were left out.`];
        }),
        channels: [
          ...dreamerElectrodes.map((name) => ({ name, unit: 'uV', rateHz: eegRateHz })),
          ...['ECG1', 'ECG2'].map((name) => ({ name, unit: 'uV', rateHz: ecgRateHz })),
        ],
        stretches: stretches.map(({ label, rows }, i) => ({
          label,
          seconds: seconds[i]!,
          rows: [...rows.eeg, ...rows.ecg],
        })),
      });
    },
    async close() {
      await parts.return();
      await mat.close();
    },
  };
};

/** [T, channels] column by column → a view a channel. */
function rowsOf(value: MatValue | undefined, channels: number, source: string): Float64Array[] {
  const numbers = numbersOf(value);
  const shape = value && 'shape' in value ? value.shape : [];
  if (!numbers || shape[1] !== channels)
    throw new FormatError(
      `dreamer: ${source} has a signal of [${shape.join(' × ')}] where ${channels} channels are expected. It is not the published file.`,
      source,
    );
  const length = shape[0]!;
  return Array.from({ length: channels }, (_, c) => numbers.subarray(c * length, (c + 1) * length));
}
