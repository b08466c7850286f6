/**
 * SEED-V: EEG of 16 people who watched 15 film clips of five emotions in each of three sessions. A Neuroscan CNT file a
 * session; when its clips begin and end is published. Structure: its page, and its folder EEG_raw.
 */
import { parseRecipe } from '../patches/recipe.ts';
import type { PublishedDataset, Trial } from './dataset.ts';
import { baseName } from './folder-text.ts';

/** The 62 electrodes of SEED, in the order of its files. */
export const seedElectrodes = [
  ...['FP1', 'FPZ', 'FP2', 'AF3', 'AF4', 'F7', 'F5', 'F3', 'F1', 'FZ', 'F2', 'F4', 'F6', 'F8', 'FT7', 'FC5'],
  ...['FC3', 'FC1', 'FCZ', 'FC2', 'FC4', 'FC6', 'FT8', 'T7', 'C5', 'C3', 'C1', 'CZ', 'C2', 'C4', 'C6', 'T8'],
  ...[
    'TP7',
    'CP5',
    'CP3',
    'CP1',
    'CPZ',
    'CP2',
    'CP4',
    'CP6',
    'TP8',
    'P7',
    'P5',
    'P3',
    'P1',
    'PZ',
    'P2',
    'P4',
  ],
  ...['P6', 'P8', 'PO7', 'PO5', 'PO3', 'POZ', 'PO4', 'PO6', 'PO8', 'CB1', 'O1', 'OZ', 'O2', 'CB2'],
] as const;

const rateHz = 1000;
const emotions = ['disgust', 'fear', 'sad', 'neutral', 'happy'] as const;

interface Session {
  /** Indices of `emotions`, clip by clip. */
  readonly emotion: readonly number[];
  /** Seconds from the file's start. */
  readonly start: readonly number[];
  readonly end: readonly number[];
}

/** The same for all people; sessions two and three have one order of emotions. */
const sessions: readonly Session[] = [
  {
    emotion: [4, 1, 3, 2, 0, 4, 1, 3, 2, 0, 4, 1, 3, 2, 0],
    start: [30, 132, 287, 555, 773, 982, 1271, 1628, 1730, 2025, 2227, 2435, 2667, 2932, 3204],
    end: [102, 228, 524, 742, 920, 1240, 1568, 1697, 1994, 2166, 2401, 2607, 2901, 3172, 3359],
  },
  {
    emotion: [2, 1, 3, 0, 4, 4, 0, 3, 2, 1, 3, 4, 1, 2, 0],
    start: [30, 299, 548, 646, 836, 1000, 1091, 1392, 1657, 1809, 1966, 2186, 2333, 2490, 2741],
    end: [267, 488, 614, 773, 967, 1059, 1331, 1622, 1777, 1908, 2153, 2302, 2428, 2709, 2817],
  },
  {
    emotion: [2, 1, 3, 0, 4, 4, 0, 3, 2, 1, 3, 4, 1, 2, 0],
    start: [30, 353, 478, 674, 825, 908, 1200, 1346, 1451, 1711, 2055, 2307, 2457, 2726, 2888],
    end: [321, 418, 643, 764, 877, 1147, 1284, 1418, 1679, 1996, 2275, 2425, 2664, 2857, 3066],
  },
];

export const seedV: PublishedDataset = {
  name: 'seed-v',
  title: 'SEED-V: SJTU Emotion EEG Dataset for five emotions',
  licence: 'for academic research, by a signed agreement with its authors',
  url: 'https://bcmi.sjtu.edu.cn/home/seed/seed-v.html',
  citation:
    'Liu W, Qiu JL, Zheng WL, Lu BL. Comparing Recognition Performance and Robustness of Multimodal Deep Learning Models for Multimodal Emotion Recognition. IEEE Trans. Cognitive and Developmental Systems 14(2):715–729 (2022). doi:10.1109/TCDS.2021.3071170',
  modalities: ['eeg'],
  targets: { emotion: emotions },
  defaultTarget: 'emotion',
  labels: { session: { kind: 'number' } },
  splits: {},
  recipe: parseRecipe({
    version: 1,
    signals: { eeg: { channels: [...seedElectrodes], lowHz: 0.3, highHz: 75, scaleMicrovolts: 100 } },
    window: { lengthSeconds: 4, stepSeconds: 4 },
  }),
  facts: {
    access: 'request',
    how: 'Apply on the dataset’s page with the signed licence agreement; the laboratory decides. Fetch the folder EEG_raw.',
    applyUrl: 'https://bcmi.sjtu.edu.cn/home/seed/downloads.html',
    subjects: 16,
    recordings: 48,
    signals: [
      {
        ...{ kind: 'eeg', channels: seedElectrodes, ratesHz: [rateHz], unit: 'uV' },
        note: 'ESI NeuroScan; beside them M1, M2, VEO and HEO',
      },
    ],
    labels: {
      emotion: 'what the clip was chosen to evoke: disgust, fear, sad, neutral, happy',
      session: '1, 2 or 3: each has clips of its own',
    },
    layout: [{ path: '**/*_*_*.cnt', what: 'a person’s session: PERSON_SESSION_DATE.cnt', count: 48 }],
    notes: [
      'It has no ECG.',
      'When clips begin and end is not in the files: it is published in whole seconds, the same for all people.',
      'Published results mostly split the clips of every person, five for each part; that is not by person.',
      'Clips are the same for all people: leave clips out too (trial.stimulus).',
      'Twenty people took part; raw EEG of 16 is published.',
    ],
  },
  async trials(folder) {
    const files = (await folder.list()).flatMap((file) => {
      const [, person, session] = /^(\d+)_([123])_\d+\.cnt$/i.exec(baseName(file)) ?? [];
      return session === undefined ? [] : [{ file, person: Number(person), session: Number(session) }];
    });
    return files
      .sort((a, b) => a.person - b.person || a.session - b.session)
      .flatMap(({ file, person, session }) => {
        const { emotion, start, end } = sessions[session - 1]!;
        const subject = `s${String(person).padStart(2, '0')}`;
        return emotion.map(
          (index, clip): Trial => ({
            id: `${subject} session ${session} clip ${clip + 1}`,
            ...{ subject, file, stimulus: `session ${session} clip ${clip + 1}` },
            ...{ start: start[clip]!, end: end[clip]! },
            targets: { emotion: emotions[index]!, session },
          }),
        );
      });
  },
};
