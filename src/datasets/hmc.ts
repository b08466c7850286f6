/** Haaglanden Medisch Centrum sleep staging database: whole nights of 151 people, scored by the AASM manual. */
import { appendAll } from '../core/arrays.ts';
import type { ByteFolder } from '../core/folder.ts';
import { openRecording } from '../read/open.ts';
import { baseName, type PublishedDataset, readText, type Trial } from './dataset.ts';
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
import { numberIn } from './trial-values.ts';

const { url, download } = physionet('hmc-sleep-staging', '1.1');
const eegChannels = ['F4-M1', 'C4-M1', 'O2-M1', 'C3-M2'];

export const hmc: PublishedDataset = {
  name: 'hmc',
  title: 'Haaglanden Medisch Centrum sleep staging database',
  licence: 'CC BY 4.0',
  url,
  citation:
    'Alvarez-Estevez D, Rijsman RM. Inter-database validation of a deep learning approach for automatic sleep scoring. PLoS ONE 16(8):e0256111 (2021). doi:10.1371/journal.pone.0256111',
  modalities: ['eeg', 'ecg'],
  targets: { stage: sleepStages },
  splits: {},
  recipe: sleepRecipe(eegChannels, 50),
  facts: {
    access: 'open',
    how: openAccess,
    subjects: 151,
    recordings: 151,
    signals: [
      { kind: 'eeg', channels: eegChannels, ratesHz: [256], unit: 'uV', note: 'named EEG F4-M1 and so on' },
      { kind: 'ecg', channels: ['ECG'], ratesHz: [256], unit: 'uV', note: 'one lead' },
      { kind: 'other', channels: ['EOG E1-M2', 'EOG E2-M2', 'EMG chin'], ratesHz: [256], unit: 'uV' },
    ],
    labels: { stage: stageFact },
    layout: [
      { path: 'recordings/SN???.edf', what: 'nights', count: 151 },
      { path: 'recordings/SN???_sleepscoring.edf', what: 'stages as annotations', count: 151 },
      { path: 'recordings/SN???_sleepscoring.txt', what: 'the same as text', count: 151 },
    ],
    download,
    notes: ['Numbers of records are not consecutive.', 'Patients of a sleep centre, with various disorders.'],
  },
  async trials(folder) {
    const files = await folder.list();
    const trials: Trial[] = [];
    for (const file of files) {
      const record = /^(SN\d{3})\.edf$/.exec(baseName(file))?.[1];
      const scoring = ['_sleepscoring.txt', '_sleepscoring.edf']
        .map((end) => file.replace(/\.edf$/, end))
        .find((path) => files.includes(path));
      if (record === undefined || scoring === undefined) continue;
      const night = { id: `hmc ${record}`, subject: `hmc ${record}`, file };
      appendAll(trials, sleepTrials(night, await readScoring(folder, scoring)));
    }
    return trials;
  },
};

/** `Date, Time, Recording onset, Duration, Annotation, Linked channel`, or the annotations of an EDF+ file. */
async function readScoring(folder: ByteFolder, path: string): Promise<ScoredEpoch[]> {
  const events: { start: number; duration: number; label: string }[] = [];
  if (path.endsWith('.txt')) {
    const [header = [], ...rows] = (await readText(folder, path))
      .split(/\r\n|\r|\n/)
      .map((line) => line.split(',').map((cell) => cell.trim()));
    const [onset, duration, annotation] = ['Recording onset', 'Duration', 'Annotation'].map((column) =>
      header.indexOf(column),
    ) as [number, number, number];
    for (const cells of rows)
      events.push({
        start: numberIn(cells[onset]) ?? Number.NaN,
        duration: numberIn(cells[duration]) ?? 0,
        label: cells[annotation] ?? '',
      });
  } else {
    const recording = await openRecording(await folder.open(path));
    appendAll(events, recording.annotations);
    await recording.close();
  }
  return events.flatMap(({ start, duration, label }): ScoredEpoch[] => {
    const stage = /^Sleep stage/i.test(label) ? sleepStage(label) : undefined;
    if (stage === undefined || !Number.isFinite(start)) return [];
    return [{ start, duration: duration > 0 ? duration : epochSeconds, targets: { stage } }];
  });
}
