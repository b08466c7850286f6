/**
 * AMIGOS: EEG, ECG and skin conductance of 40 people who watched 16 short and 4 long videos, alone or in groups. The
 * preprocessed copy, a MAT-file a person: joined_data {1 × 20} of [T × 17], labels_selfassessment {1 × 20} of [1 × 12].
 * Structure: https://www.eecs.qmul.ac.uk/mmv/datasets/amigos/readme.html
 */
import { FormatError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { openMat } from '../read/mat/mat.ts';
import type { MatChooser } from '../read/mat/select.ts';
import { numbersOf, textOf } from '../read/mat/values.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { dreamerElectrodes } from './dreamer.ts';
import { baseName } from './folder-text.ts';
import { type RatingOptions, ratingFacts, ratingLabels, ratingTargets, ratingValues } from './ratings.ts';
import { rowAt, stretchRecording } from './stretch-recording.ts';
import type { TrialReader } from './trial-files.ts';

const rateHz = 128;
const baselineSeconds = 5;
const channels = [
  ...dreamerElectrodes.map((name) => ({ name, unit: 'uV', rateHz })),
  // Right arm, then left arm; the file does not state the unit.
  ...['ECG1', 'ECG2'].map((name) => ({ name, unit: 'mV', rateHz })),
  { name: 'GSR', unit: '', rateHz },
];
const ratings = ['arousal', 'valence', 'dominance', 'liking', 'familiarity'];
const feelings = ['neutral', 'disgust', 'happiness', 'surprise', 'anger', 'fear', 'sadness'];
const shortVideos = 16;

/** The dataset with another threshold of its ratings. */
export function amigosWith({ threshold = 5 }: RatingOptions = {}): PublishedDataset {
  return {
    name: 'amigos',
    title: 'AMIGOS: A dataset for Affect, personality and Mood research on Individuals and GrOupS',
    licence: 'for academic research, by a signed agreement with its authors',
    url: 'https://www.eecs.qmul.ac.uk/mmv/datasets/amigos/',
    citation:
      'Miranda-Correa JA, Abadi MK, Sebe N, Patras I. AMIGOS: A Dataset for Affect, Personality and Mood Research on Individuals and Groups. IEEE Trans. Affective Computing 12(2):479–493 (2021). doi:10.1109/TAFFC.2018.2884461',
    modalities: ['eeg', 'ecg'],
    targets: {
      ...ratingTargets(ratings),
      ...Object.fromEntries(feelings.map((name) => [name, ['0', '1']])),
      video: ['short', 'long'],
    },
    defaultTarget: 'valence',
    labels: { ...ratingLabels(ratings), feelings: { kind: 'multilabel', targets: feelings } },
    splits: {},
    recipe: parseRecipe({
      version: 1,
      signals: {
        eeg: { channels: [...dreamerElectrodes], scaleMicrovolts: 100 },
        ecg: { channels: ['ECG1', 'ECG2'], lowHz: 0.5, highHz: 45, scaleMicrovolts: 1000 },
      },
      window: { lengthSeconds: 5, stepSeconds: 5 },
    }),
    facts: {
      access: 'request',
      how: 'Print, sign and send the agreement on its download page from an academic address; you get a name and a password. Fetch data_preprocessed and unpack it.',
      applyUrl: 'https://www.eecs.qmul.ac.uk/mmv/datasets/amigos/download.html',
      subjects: 40,
      recordings: 800,
      signals: [
        {
          ...{ kind: 'eeg', channels: dreamerElectrodes, ratesHz: [rateHz], unit: 'uV' },
          note: 'Emotiv EPOC; by its authors: average reference, 4–45 Hz',
        },
        {
          ...{ kind: 'ecg', channels: ['ECG1', 'ECG2'], ratesHz: [rateHz], unit: 'mV' },
          note: 'SHIMMER, right and left arm, from 256 Hz; the file does not state its unit, the numbers are taken as millivolt',
        },
        { kind: 'other', channels: ['GSR'], ratesHz: [rateHz], unit: '', note: 'skin conductance' },
      ],
      labels: {
        ...ratingFacts(ratings, '1–9', threshold),
        feelings: 'which basic emotions the person named, several at once',
        video: 'short (alone) or long (alone or in a group of four)',
      },
      layout: [
        {
          path: '**/Data_Preprocessed_P*.mat',
          what: 'a person: signals and ratings of 20 videos',
          count: 40,
        },
      ],
      notes: [
        'Five seconds before each video are in a recording, outside the trial.',
        'Videos without signals or without ratings are no trials: some people did not see the long videos.',
        'Signals that are NaN are missing: windows that touch them are dropped and counted.',
        'Videos are the same for all people: leave videos out too (trial.stimulus); they are known by VideoIDs.',
        'Long videos were seen alone by some and in groups by others; the preprocessed files do not tell.',
      ],
    },
    trials: (folder) => listTrials(folder, threshold),
  };
}

export const amigos: PublishedDataset = amigosWith();

const cellOf = /^(joined_data|labels_selfassessment|VideoIDs)\{(\d+)\}$/;

async function listTrials(folder: ByteFolder, threshold: number): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const file of await folder.list()) {
    const number = /^Data_Preprocessed_P(\d+)\.mat$/i.exec(baseName(file))?.[1];
    if (number === undefined) continue;
    const subject = `P${number.padStart(2, '0')}`;
    const { lengths, scores, names } = await readVideos(folder, file);
    for (const [video, length] of lengths) {
      const score = scores.get(video);
      if (length <= baselineSeconds * rateHz || score === undefined || score.length < ratings.length)
        continue;
      if (!score.some((value) => value > 0)) continue;
      const felt = score.subarray(ratings.length, ratings.length + feelings.length);
      trials.push({
        id: `${subject} video ${video}`,
        ...{ subject, file, part: String(video), reader: 'amigos' },
        stimulus: `video ${names.get(video) ?? video}`,
        ...{ start: baselineSeconds, end: length / rateHz },
        baseline: { start: 0, end: baselineSeconds },
        targets: {
          ...ratingValues(ratings, score, { threshold, low: 1, high: 9 }),
          ...Object.fromEntries(
            feelings.flatMap((name, i) => (i < felt.length ? [[name, felt[i]! > 0 ? '1' : '0']] : [])),
          ),
          video: video <= shortVideos ? 'short' : 'long',
        },
      });
    }
  }
  return trials;
}

/** What a file says of its videos, without their signals; videos count from 1. */
async function readVideos(folder: ByteFolder, file: string) {
  const lengths = new Map<number, number>();
  const scores = new Map<number, Float64Array>();
  const names = new Map<number, string>();
  const choose: MatChooser = (path, { class: matClass, shape }) => {
    const [, variable, video] = cellOf.exec(path) ?? [];
    if (variable === 'joined_data') lengths.set(Number(video), shape[1] === channels.length ? shape[0]! : 0);
    if (variable !== undefined) return variable === 'joined_data' ? 'skip' : 'whole';
    return matClass === 'cell' ? 'inside' : 'skip';
  };
  const source = await folder.open(file);
  try {
    const mat = await openMat(source);
    for (const needed of ['joined_data', 'labels_selfassessment', 'VideoIDs']) {
      if (needed === 'VideoIDs' && !mat.variables.some(({ name }) => name === needed)) continue;
      for await (const { path, value } of mat.parts(needed, choose)) {
        const video = Number(cellOf.exec(path)![2]);
        if (needed === 'VideoIDs') names.set(video, textOf(value)?.trim() ?? String(video));
        else scores.set(video, numbersOf(value) ?? new Float64Array(0));
      }
    }
  } finally {
    await source.close?.();
  }
  return { lengths, scores, names };
}

/** Opens a person's file; memory holds one video. */
export const openAmigos: TrialReader = async (source) => {
  const mat = await openMat(source);
  return {
    async open(part) {
      const path = `joined_data{${part}}`;
      for await (const { value } of mat.parts('joined_data', [path])) {
        const values = numbersOf(value);
        const shape = value.kind === 'numeric' ? value.shape : [];
        if (!values || shape.length !== 2 || shape[1] !== channels.length)
          throw new FormatError(
            `amigos: ${source.name}: ${path} is [${shape.join(' × ')}], T × ${channels.length} is published. It is not a preprocessed file of AMIGOS.`,
            source.name,
          );
        const length = shape[0]!;
        return stretchRecording({
          ...{ source: `${source.name} ${part}`, format: 'amigos', gapSeconds: 0, channels },
          metadata: { subject: /P\d+/.exec(baseName(source.name))?.[0] ?? '' },
          stretches: [
            {
              ...{ label: `video ${part}, after ${baselineSeconds} s`, seconds: length / rateHz },
              rows: channels.map((_, c) => rowAt(values, c * length, 1, length)),
            },
          ],
        });
      }
      throw new FormatError(`amigos: ${source.name} has no ${path}. Fetch it again.`, source.name);
    },
    close: () => mat.close(),
  };
};
