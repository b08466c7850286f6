/** MIT-BIH Polysomnographic Database: EEG, ECG, blood pressure and breath of 16 sleepers, stages and apnoea every 30 s. */
import { appendAll } from '../core/arrays.ts';
import type { ByteFolder } from '../core/folder.ts';
import { readWfdbAnnotations } from '../read/wfdb/annotations.ts';
import { baseName, type PublishedDataset, type Trial } from './dataset.ts';
import { openAccess, physionet } from './physionet.ts';
import {
  epochSeconds,
  type ScoredEpoch,
  sleepRecipe,
  sleepStage,
  sleepStages,
  sleepTrials,
  stageFact,
} from './sleep-stages.ts';

const { url, download } = physionet('slpdb', '1.0.0', 632e6);
const rateHz = 250;

/** Breath of an epoch by its marks: H hypopnoea, OA and X obstructive apnoea, CA and CAA central apnoea. */
const breathOf: readonly (readonly [marks: readonly string[], name: string])[] = [
  [['OA', 'X'], 'obstructive apnoea'],
  [['CA', 'CAA'], 'central apnoea'],
  [['H', 'HA'], 'hypopnoea'],
];

export const slpdb: PublishedDataset = {
  name: 'slpdb',
  title: 'MIT-BIH Polysomnographic Database',
  licence: 'ODC-BY 1.0',
  url,
  citation:
    'Ichimaru Y, Moody GB. Development of the polysomnographic database on CD-ROM. Psychiatry and Clinical Neurosciences 53:175–177 (1999). doi:10.1046/j.1440-1819.1999.00527.x',
  modalities: ['eeg', 'ecg'],
  targets: { stage: sleepStages, breath: ['none', ...breathOf.map(([, name]) => name)] },
  defaultTarget: 'stage',
  splits: {},
  recipe: sleepRecipe(['EEG'], 60),
  facts: {
    access: 'open',
    how: openAccess,
    subjects: 16,
    recordings: 18,
    signals: [
      {
        kind: 'eeg',
        channels: ['EEG'],
        ratesHz: [rateHz],
        unit: 'mV',
        note: 'one derivation a record: C4-A1, O2-A1 or C3-O1; read as EEG',
      },
      { kind: 'ecg', channels: ['ECG'], ratesHz: [rateHz], unit: 'mV', note: 'one lead' },
      {
        kind: 'other',
        channels: ['BP', 'Resp'],
        ratesHz: [rateHz],
        unit: '',
        note: 'blood pressure, breath; some records also EOG, EMG, SV, SO2',
      },
    ],
    labels: {
      stage: stageFact,
      breath:
        'none, hypopnoea, obstructive apnoea or central apnoea in the epoch; the first named of obstructive, central, hypopnoea where several are',
      events: 'the marks of the epoch as annotated: H HA OA X CA CAA L LA A',
    },
    layout: [
      { path: '*.hea', what: 'headers, with a .dat each', count: 18 },
      { path: '*.st', what: 'stages and apnoea of every 30 s', count: 18 },
      { path: '*.ecg', what: 'beats', count: 18 },
    ],
    download,
    notes: [
      'slp01a and slp01b are of one person, slp02a and slp02b too.',
      'All are men who were examined for sleep apnoea.',
      'Its derivation of the EEG differs between records.',
    ],
  },
  async trials(folder) {
    const files = await folder.list();
    const trials: Trial[] = [];
    for (const file of files) {
      const [, record, person] = /^(slp(\d\d)\w*)\.hea$/.exec(baseName(file)) ?? [];
      const scoring = file.replace(/hea$/, 'st');
      if (record === undefined || !files.includes(scoring)) continue;
      const night = { id: record, subject: `slp${person}`, file, reader: 'slpdb' };
      appendAll(trials, sleepTrials(night, await readScoring(folder, scoring)));
    }
    return trials;
  },
};

/** Notes at the begin of each epoch: `4 OA`, `W`, `2 L H`. */
async function readScoring(folder: ByteFolder, path: string): Promise<ScoredEpoch[]> {
  const source = await folder.open(path);
  try {
    return (await readWfdbAnnotations(source, rateHz)).flatMap(({ start, label }) => {
      // The label is the symbol of a note, then its text.
      const [stageText = '', ...marks] = label.slice(1).trim().split(/\s+/);
      const stage = sleepStage(stageText);
      if (stage === undefined) return [];
      const breath = breathOf.find(([of]) => of.some((mark) => marks.includes(mark)))?.[1] ?? 'none';
      const events = marks.length > 0 ? { events: marks.join(' ') } : {};
      return [{ start, duration: epochSeconds, targets: { stage, breath, ...events } }];
    });
  } finally {
    await source.close?.();
  }
}
