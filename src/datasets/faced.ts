/**
 * FACED: EEG of 123 people who watched 28 videos of nine emotions. The processed copy, a pickle a person: [28, 32, 7500],
 * the last 30 s of each video at 250 Hz. Structure: Chen et al. 2023, and its folder Processed_data.
 */
import { FormatError } from '../core/errors.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { decodeNumpyPickle, isArray } from '../read/numpy/numpy-pickle.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { baseName } from './folder-text.ts';
import { rowAt, stretchRecording } from './stretch-recording.ts';
import type { TrialReader } from './trial-files.ts';

const rateHz = 250;
const seconds = 30;
const electrodes = [
  ...['Fp1', 'Fp2', 'Fz', 'F3', 'F4', 'F7', 'F8', 'FC1', 'FC2', 'FC5', 'FC6', 'Cz', 'C3', 'C4', 'T7', 'T8'],
  ...['CP1', 'CP2', 'CP5', 'CP6', 'Pz', 'P3', 'P4', 'P7', 'P8', 'PO3', 'PO4', 'Oz', 'O1', 'O2'],
] as const;
const channels = [...electrodes, 'A2', 'A1'];

/** Emotion, its valence, and how many of the 28 videos, in their order. */
const emotions = [
  ['anger', 'negative', 3],
  ['disgust', 'negative', 3],
  ['fear', 'negative', 3],
  ['sadness', 'negative', 3],
  ['neutral', 'neutral', 4],
  ['amusement', 'positive', 3],
  ['inspiration', 'positive', 3],
  ['joy', 'positive', 3],
  ['tenderness', 'positive', 3],
] as const;
const videos = emotions.flatMap(([emotion, valence, count]) => Array(count).fill({ emotion, valence })) as {
  readonly emotion: string;
  readonly valence: string;
}[];

const people = Array.from({ length: 123 }, (_, i) => `sub${String(i).padStart(3, '0')}`);

export const faced: PublishedDataset = {
  name: 'faced',
  title: 'FACED: a large finer-grained affective computing EEG dataset',
  licence: 'by the terms of its Synapse page',
  url: 'https://www.synapse.org/Synapse:syn50614194',
  citation:
    'Chen J, Wang X, Huang C, Hu X, Shen X, Zhang D. A Large Finer-grained Affective Computing EEG Dataset. Scientific Data 10:740 (2023). doi:10.1038/s41597-023-02650-w',
  modalities: ['eeg'],
  targets: { emotion: emotions.map(([emotion]) => emotion), valence: ['negative', 'neutral', 'positive'] },
  defaultTarget: 'emotion',
  splits: {
    published: {
      name: 'published',
      train: people.slice(0, 80),
      validation: people.slice(80, 100),
      test: people.slice(100),
    },
  },
  recipe: parseRecipe({
    version: 1,
    signals: { eeg: { channels: [...electrodes], scaleMicrovolts: 100 } },
    window: { lengthSeconds: 10, stepSeconds: 10 },
  }),
  facts: {
    access: 'request',
    how: 'Register at Synapse, accept the terms on the dataset’s page, and fetch the folder Processed_data.',
    applyUrl: 'https://www.synapse.org/Synapse:syn50614194',
    subjects: 123,
    recordings: 3444,
    signals: [
      {
        ...{ kind: 'eeg', channels, ratesHz: [rateHz], unit: 'uV' },
        note: 'processed by its authors; 30 electrodes and both mastoids',
      },
    ],
    labels: {
      emotion: 'what the video was chosen to evoke, not what was felt',
      valence: 'negative, neutral or positive, of that emotion',
    },
    layout: [{ path: '**/sub*.pkl', what: 'a person: [28, 32, 7500]', count: 123 }],
    notes: [
      "Split `published` is CBraMod's: people 000–079 train, 080–099 validate, 100–122 test.",
      'It has no ECG.',
      'Files name no channels and state no unit: the order is the one that TorchEEG documents, mastoids last; numbers are taken as microvolt.',
      'Videos are the same for all people: leave videos out too (trial.stimulus).',
      'The continuous recordings (folder Data) are not read.',
    ],
  },
  async trials(folder) {
    return (await folder.list()).flatMap((file) => {
      const subject = /^(sub\d{3})\.pkl$/.exec(baseName(file))?.[1];
      if (subject === undefined) return [];
      return videos.map(
        ({ emotion, valence }, i): Trial => ({
          id: `${subject} video ${i + 1}`,
          ...{ subject, file, part: String(i + 1), reader: 'faced', stimulus: `video ${i + 1}` },
          targets: { emotion, valence },
        }),
      );
    });
  },
};

/** Opens subNNN.pkl; memory holds one person. */
export const openFaced: TrialReader = async (source) => {
  const value = decodeNumpyPickle(await source.read(0, source.byteLength), source.name);
  const shape = [videos.length, channels.length, seconds * rateHz];
  if (!isArray(value) || value.shape.join() !== shape.join())
    throw new FormatError(
      `faced: ${source.name} holds ${isArray(value) ? `[${value.shape.join(' × ')}]` : 'no array'}, published is [${shape.join(' × ')}]. It is not a file of Processed_data.`,
      source.name,
    );
  const length = shape[2]!;
  return {
    async open(part) {
      const video = Number(part);
      if (!(Number.isInteger(video) && video >= 1 && video <= videos.length))
        throw new FormatError(
          `faced: ${source.name} has no video '${part}'; 1 to 28 are there.`,
          source.name,
        );
      return stretchRecording({
        ...{ source: `${source.name} ${part}`, format: 'faced', gapSeconds: 0 },
        metadata: { subject: baseName(source.name).slice(0, 6) },
        channels: channels.map((name) => ({ name, unit: 'uV', rateHz })),
        stretches: [
          {
            ...{ label: `video ${video}`, seconds },
            rows: channels.map((_, c) =>
              rowAt(value.values, ((video - 1) * channels.length + c) * length, 1, length),
            ),
          },
        ],
      });
    },
    close: async () => source.close?.(),
  };
};
