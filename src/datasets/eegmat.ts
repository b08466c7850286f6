/** EEGMAT: EEG and ECG of 36 people at rest and in mental arithmetic. Facts from PhysioNet and from CBraMod's split. */
import type { ByteFolder } from '../core/folder.ts';
import { eegmatChannels, eegmatRecipe } from '../patches/recipe.ts';
import { parseCsv } from './csv.ts';
import { baseName, type PublishedDataset, readText, type Trial } from './dataset.ts';
import { openAccess, physionet } from './physionet.ts';
import { numberIn, present } from './trial-values.ts';

const { url, download } = physionet('eegmat', '1.0.0', 183e6);
const subjects = Array.from({ length: 36 }, (_, i) => `Subject${String(i).padStart(2, '0')}`);

export const eegmat: PublishedDataset = {
  name: 'eegmat',
  title: 'EEG During Mental Arithmetic Tasks',
  licence: 'ODC-BY 1.0',
  url,
  citation:
    'Zyma I, Tukaev S, Seleznov I, et al. Electroencephalograms during Mental Arithmetic Task Performance. Data 4(1):14 (2019). doi:10.3390/data4010014',
  modalities: ['eeg', 'ecg'],
  targets: { task: ['rest', 'arithmetic'], quality: ['bad', 'good'], sex: ['F', 'M'] },
  defaultTarget: 'task',
  labels: {
    age: { kind: 'number', unit: 'years' },
    subtractions: { kind: 'number' },
  },
  splits: {
    // CBraMod's "MentalArithmetic": files sorted, first 28 people, next 4, last 4.
    published: {
      name: 'published',
      train: subjects.slice(0, 28),
      validation: subjects.slice(28, 32),
      test: subjects.slice(32),
    },
  },
  recipe: eegmatRecipe,
  facts: {
    access: 'open',
    how: openAccess,
    subjects: 36,
    recordings: 72,
    signals: [
      {
        kind: 'eeg',
        channels: eegmatChannels,
        ratesHz: [500],
        unit: 'uV',
        note: 'Band of 0.5–45 Hz, freed of eye, muscle and heart artefacts by its authors with ICA',
      },
      { kind: 'ecg', channels: ['ECG'], ratesHz: [500], unit: 'mV', note: 'one lead' },
    ],
    labels: {
      task: 'rest (_1, 3 min before the task) or arithmetic (_2, a minute of subtracting two-digit from four-digit numbers)',
      quality: "the table's count quality: good or bad",
      subtractions: 'per 4 min',
      sex: 'F, M',
      age: 'years',
    },
    layout: [
      { path: 'Subject*_1.edf', what: 'at rest', count: 36 },
      { path: 'Subject*_2.edf', what: 'in the task', count: 36 },
      { path: 'subject-info.csv', what: 'one row a person', count: 1 },
    ],
    download,
    notes: [
      "Split `published` is CBraMod's: people 00–27 train, 28–31 validate, 32–35 test.",
      'The README speaks of 24 people who counted well and 12 who did not; the table has 26 and 10.',
      'Rest always comes first and lasts longer, so drifts of the recording are confounded with the task.',
      'Session: the file of rest, then the one of the task. What lay between them is not published; contexts close it up.',
    ],
  },
  async trials(folder) {
    const files = await folder.list();
    const people = await readPeople(folder, files);
    return files.flatMap((file): Trial[] => {
      // Subject00_1.edf: at rest; Subject00_2.edf: subtracting serially.
      const match = /^(Subject\d\d)_([12])\.edf(\.gz)?$/.exec(baseName(file));
      if (!match) return [];
      const [, subject, part] = match as unknown as [string, string, string];
      return [
        {
          id: `${subject}_${part}`,
          subject,
          file,
          session: { name: 'task', order: Number(part) },
          targets: { task: part === '1' ? 'rest' : 'arithmetic', ...people.get(subject) },
        },
      ];
    });
  },
};

/** The table, where it is there: a copy without it has its tasks still. */
async function readPeople(folder: ByteFolder, files: readonly string[]) {
  const path = files.find((file) => baseName(file) === 'subject-info.csv');
  if (path === undefined) return new Map<string, Record<string, string | number>>();
  const { rows } = parseCsv(await readText(folder, path), path);
  return new Map(
    rows.map(({ fields }) => [
      fields.Subject ?? '',
      present({
        age: numberIn(fields.Age),
        sex: /^[FM]$/.test(fields.Gender ?? '') ? fields.Gender : undefined,
        subtractions: numberIn(fields['Number of subtractions']),
        quality: { '0': 'bad', '1': 'good' }[fields['Count quality'] ?? ''],
      }),
    ]),
  );
}
