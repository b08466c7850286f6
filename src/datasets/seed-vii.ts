/**
 * SEED-VII: EEG of 20 people who watched 80 video clips of seven emotions in four sessions. The preprocessed copy, a
 * MAT-file a person with variables `1` to `80` of [62 × T] at 200 Hz. Structure: its page, its folder EEG_preprocessed.
 */
import { FormatError } from '../core/errors.ts';
import { parseRecipe } from '../patches/recipe.ts';
import { openMat } from '../read/mat/mat.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { baseName } from './folder-text.ts';
import { seedElectrodes } from './seed-v.ts';
import { rowAt, stretchRecording } from './stretch-recording.ts';
import type { TrialReader } from './trial-files.ts';

const rateHz = 200;
const emotions = ['happy', 'surprise', 'neutral', 'disgust', 'fear', 'sad', 'anger'] as const;
type Emotion = (typeof emotions)[number];

/** Five emotions a session; its 20 clips go through them forwards, backwards, forwards, backwards. */
const sessions: readonly (readonly Emotion[])[] = [
  ['happy', 'neutral', 'disgust', 'sad', 'anger'],
  ['anger', 'sad', 'fear', 'neutral', 'surprise'],
  ['happy', 'surprise', 'disgust', 'fear', 'anger'],
  ['disgust', 'sad', 'fear', 'surprise', 'happy'],
];
const clips = sessions.flatMap((order, i) =>
  [order, order.toReversed(), order, order.toReversed()].flatMap((part) =>
    part.map((emotion) => ({ emotion, session: i + 1 })),
  ),
);

export const seedVii: PublishedDataset = {
  name: 'seed-vii',
  title: 'SEED-VII: a multimodal dataset of six basic emotions with continuous labels',
  licence: 'for academic research, by a signed agreement with its authors',
  url: 'https://bcmi.sjtu.edu.cn/home/seed/seed-vii.html',
  citation:
    'Jiang WB, Liu XH, Zheng WL, Lu BL. SEED-VII: A Multimodal Dataset of Six Basic Emotions with Continuous Labels for Emotion Recognition. IEEE Trans. Affective Computing (2024). doi:10.1109/TAFFC.2024.3485057',
  modalities: ['eeg'],
  targets: { emotion: emotions },
  defaultTarget: 'emotion',
  labels: { session: { kind: 'number' } },
  splits: {},
  recipe: parseRecipe({
    version: 1,
    signals: { eeg: { channels: [...seedElectrodes], scaleMicrovolts: 100 } },
    window: { lengthSeconds: 4, stepSeconds: 4 },
  }),
  facts: {
    access: 'request',
    how: 'Apply on the dataset’s page with the signed licence agreement; the laboratory decides. Fetch the folder EEG_preprocessed.',
    applyUrl: 'https://bcmi.sjtu.edu.cn/home/seed/downloads.html',
    subjects: 20,
    recordings: 1600,
    signals: [
      {
        ...{ kind: 'eeg', channels: seedElectrodes, ratesHz: [rateHz], unit: 'uV' },
        note: 'by its authors: from 1000 Hz, bad channels interpolated, 0.1–70 Hz, 50 Hz taken out',
      },
    ],
    labels: {
      emotion:
        'what the clip was chosen to evoke: happy, surprise, neutral, disgust, fear, sad, anger; twelve clips each, neutral eight',
      session: '1 to 4: each has clips of its own',
    },
    layout: [{ path: '**/*.mat', what: 'a person: variables 1 to 80 of [62 × T]', count: 20 }],
    notes: [
      'It has no ECG.',
      'Files name no channels and state no unit: the order is that of its Channel Order.xlsx, numbers are taken as microvolt.',
      'Which emotion a clip is of is not in the files: the order of emotion_label_and_stimuli_order.xlsx is built in.',
      'Its authors’ folds hold five clips of each session, so that people are in all of them.',
      'Clips are the same for all people: leave clips out too (trial.stimulus).',
      'Its continuous labels and eye movements are not read.',
    ],
  },
  async trials(folder) {
    const files = (await folder.list())
      .flatMap((file) => {
        const person = /^(\d{1,2})\.mat$/.exec(baseName(file))?.[1];
        return person === undefined || /features|labels/i.test(file)
          ? []
          : [{ file, person: Number(person) }];
      })
      .sort((a, b) => a.person - b.person);
    return files.flatMap(({ file, person }) => {
      const subject = `s${String(person).padStart(2, '0')}`;
      return clips.map(
        ({ emotion, session }, i): Trial => ({
          id: `${subject} clip ${i + 1}`,
          ...{ subject, file, part: String(i + 1), reader: 'seed-vii', stimulus: `clip ${i + 1}` },
          session: { name: String(session), order: i + 1 },
          targets: { emotion, session },
        }),
      );
    });
  },
};

/** Opens N.mat; memory holds one clip. */
export const openSeedVii: TrialReader = async (source) => {
  const mat = await openMat(source);
  return {
    async open(part) {
      const value = await mat.read(part);
      const channels = seedElectrodes.length;
      if (value.kind !== 'numeric' || value.shape.length !== 2 || value.shape[0] !== channels)
        throw new FormatError(
          `seed-vii: ${source.name}: variable ${part} is [${value.shape.join(' × ')}], ${channels} × T is published. It is not a file of EEG_preprocessed.`,
          source.name,
        );
      const length = value.shape[1]!;
      return stretchRecording({
        ...{ source: `${source.name} ${part}`, format: 'seed-vii', gapSeconds: 0 },
        metadata: { subject: baseName(source.name).replace(/\.mat$/, '') },
        channels: seedElectrodes.map((name) => ({ name, unit: 'uV', rateHz })),
        stretches: [
          {
            ...{ label: `clip ${part}`, seconds: length / rateHz },
            rows: seedElectrodes.map((_, c) => rowAt(value.values, c, channels, length)),
          },
        ],
      });
    },
    close: () => mat.close(),
  };
};
