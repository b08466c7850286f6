/**
 * DEAP: EEG and peripheral signals of 32 people who watched 40 music videos and rated valence, arousal, dominance and
 * liking. It has no ECG. The preprocessed copies, as pickles or MAT-files: data [40, 40, 8064], labels [40, 4].
 * Structure: https://www.eecs.qmul.ac.uk/mmv/datasets/deap/readme.html
 */
import type { ByteSource } from '../core/bytes.ts';
import { FormatError } from '../core/errors.ts';
import type { ByteFolder } from '../core/folder.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { openMat } from '../read/mat/mat.ts';
import { numbersOf } from '../read/mat/values.ts';
import { decodeNumpyPickle, isArray } from '../read/numpy/numpy-pickle.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { baseName } from './folder-text.ts';
import { type RatingOptions, ratingFacts, ratingLabels, ratingTargets, ratingValues } from './ratings.ts';
import { rowAt, stretchRecording } from './stretch-recording.ts';
import type { TrialReader } from './trial-files.ts';

/** The 32 electrodes in the order of the preprocessed files, which is Geneva's; MAHNOB-HCI has it too. */
export const genevaElectrodes = [
  ...['Fp1', 'AF3', 'F3', 'F7', 'FC5', 'FC1', 'C3', 'T7', 'CP5', 'CP1', 'P3', 'P7', 'PO3', 'O1', 'Oz', 'Pz'],
  ...['Fp2', 'AF4', 'Fz', 'F4', 'F8', 'FC6', 'FC2', 'Cz', 'C4', 'T8', 'CP6', 'CP2', 'P4', 'P8', 'PO4', 'O2'],
] as const;
const others = ['hEOG', 'vEOG', 'zEMG', 'tEMG', 'GSR', 'Respiration', 'Plethysmograph', 'Temperature'];
const channels = [...genevaElectrodes, ...others];

const rateHz = 128;
const baselineSeconds = 3;
const videoSeconds = 60;
const samples = (baselineSeconds + videoSeconds) * rateHz;
const videos = 40;
const ratings = ['valence', 'arousal', 'dominance', 'liking'];

/** The dataset with another threshold of its ratings. */
export function deapWith({ threshold = 5 }: RatingOptions = {}): PublishedDataset {
  return {
    name: 'deap',
    title: 'DEAP: A Database for Emotion Analysis using Physiological Signals',
    licence: 'for academic research, by a signed agreement with its authors',
    url: 'https://www.eecs.qmul.ac.uk/mmv/datasets/deap/',
    citation:
      'Koelstra S, Mühl C, Soleymani M, et al. DEAP: A Database for Emotion Analysis Using Physiological Signals. IEEE Trans. Affective Computing 3(1):18–31 (2012). doi:10.1109/T-AFFC.2011.15',
    modalities: ['eeg'],
    targets: ratingTargets(ratings),
    defaultTarget: 'valence',
    labels: ratingLabels(ratings),
    splits: {},
    recipe: parseRecipe({
      version: 1,
      signals: { eeg: { channels: [...genevaElectrodes], scaleMicrovolts: 100 } },
      window: { lengthSeconds: 5, stepSeconds: 5 },
    }),
    facts: {
      access: 'request',
      how: 'Print, sign and send the agreement on its download page from an academic address; you get a name and a password. Fetch data_preprocessed_python.zip or data_preprocessed_matlab.zip and unpack it.',
      applyUrl: 'https://www.eecs.qmul.ac.uk/mmv/datasets/deap/download.html',
      subjects: 32,
      recordings: 1280,
      signals: [
        {
          ...{ kind: 'eeg', channels: genevaElectrodes, ratesHz: [rateHz], unit: 'uV' },
          note: 'by its authors: from 512 Hz, freed of eye movements, 4–45 Hz, average reference',
        },
        {
          ...{ kind: 'other', channels: others, ratesHz: [rateHz], unit: '' },
          note: 'eyes, muscles, skin, breath, pulse in a finger, temperature',
        },
      ],
      labels: ratingFacts(ratings, '1–9', threshold),
      layout: [
        { path: '**/s*.dat', what: 'a person, pickled: data [40, 40, 8064], labels [40, 4]', count: 32 },
        { path: '**/s*.mat', what: 'the same for MATLAB; one of both is enough', count: 32 },
      ],
      notes: [
        'It has no ECG: the heart is only in the plethysmograph, so nothing that needs ECG can use it.',
        'Three seconds before each video are in a recording, outside the trial.',
        'Videos are the same for all people: leave videos out too (trial.stimulus).',
        'Ratings are continuous; above 5 is high, the middle of the scale.',
        'Bands below 4 Hz were filtered away by its authors.',
      ],
    },
    trials: (folder) => listTrials(folder, threshold),
  };
}

export const deap: PublishedDataset = deapWith();

/** A file a person; where both copies are there, the pickle. */
async function listTrials(folder: ByteFolder, threshold: number): Promise<Trial[]> {
  const people = new Map<string, string>();
  for (const file of await folder.list()) {
    const [, subject, ending] = /^(s\d\d)\.(dat|mat)$/.exec(baseName(file)) ?? [];
    if (subject !== undefined && (ending === 'dat' || !people.has(subject))) people.set(subject, file);
  }
  const trials: Trial[] = [];
  for (const [subject, file] of [...people].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const source = await folder.open(file);
    try {
      const labels = await readArray(source, 'labels', [videos, ratings.length]);
      for (let video = 0; video < videos; video++)
        trials.push({
          id: `${subject} video ${video + 1}`,
          ...{ subject, file, part: String(video), reader: 'deap', stimulus: `video ${video + 1}` },
          ...{ start: baselineSeconds, end: baselineSeconds + videoSeconds },
          targets: ratingValues(
            ratings,
            ratings.map((_, r) => labels.at(video, r)),
            { threshold, low: 1, high: 9 },
          ),
        });
    } finally {
      await source.close?.();
    }
  }
  return trials;
}

interface Cube {
  /** The element at these indices. */
  at(...index: readonly number[]): number;
  /** Along the last dimension. */
  row(first: number, second: number): Float64Array;
}

/** An array of either copy; FormatError where its shape is another. */
async function readArray(source: ByteSource, name: string, shape: readonly number[]): Promise<Cube> {
  const isPickle = source.name.endsWith('.dat');
  const found = isPickle ? await fromPickle(source, name) : await fromMat(source, name);
  if (found?.shape.join() !== shape.join())
    throw new FormatError(
      `deap: ${source.name} has ${name} of [${found?.shape.join(' × ') ?? 'nothing'}], published is [${shape.join(' × ')}]. It is not a preprocessed file of DEAP.`,
      source.name,
    );
  const { values } = found;
  // Pickles lie row by row, MAT-files column by column: the step from one index to the next.
  const steps = shape.map((_, d) =>
    (isPickle ? shape.slice(d + 1) : shape.slice(0, d)).reduce((product, size) => product * size, 1),
  );
  const place = (index: readonly number[]) => index.reduce((sum, i, d) => sum + i * steps[d]!, 0);
  return {
    at: (...index) => values[place(index)]!,
    row: (first, second) => rowAt(values, place([first, second, 0]), steps[2]!, shape[2]!),
  };
}

async function fromPickle(source: ByteSource, name: string) {
  const value = decodeNumpyPickle(await source.read(0, source.byteLength), source.name);
  const found = value instanceof Map ? value.get(name) : undefined;
  return isArray(found) ? found : undefined;
}

async function fromMat(source: ByteSource, name: string) {
  // Closing the file would close the source, which is the caller's.
  const mat = await openMat(source);
  const value = await mat.read(name);
  const values = numbersOf(value);
  return values && { shape: value.kind === 'numeric' ? value.shape : [], values };
}

/** Opens sNN.dat or sNN.mat; memory holds one person. */
export const openDeap: TrialReader = async (source) => {
  const data = await readArray(source, 'data', [videos, channels.length, samples]);
  return {
    async open(part) {
      const video = Number(part);
      if (!(Number.isInteger(video) && video >= 0 && video < videos))
        throw new FormatError(`deap: ${source.name} has no video '${part}'; 0 to 39 are there.`, source.name);
      return stretchRecording({
        ...{ source: `${source.name} ${part}`, format: 'deap', gapSeconds: 0 },
        metadata: { subject: baseName(source.name).slice(0, 3) },
        channels: channels.map((name, c) => ({ name, unit: c < 32 ? 'uV' : '', rateHz })),
        stretches: [
          {
            ...{ label: `video ${video + 1}, after ${baselineSeconds} s`, seconds: samples / rateHz },
            rows: channels.map((_, c) => data.row(video, c)),
          },
        ],
      });
    },
    close: async () => source.close?.(),
  };
};
