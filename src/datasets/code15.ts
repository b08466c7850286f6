/** CODE-15%: 345,779 12-lead ECGs of 233,770 patients of primary care in Minas Gerais, six diagnoses. */
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { parseCsv } from './csv.ts';
import { baseName, type PublishedDataset, readText, type Trial } from './dataset.ts';
import { code15RateHz } from './hdf5-tracings.ts';
import { numberIn, present, yesOrNo } from './trial-values.ts';

const diagnoses = ['1dAVb', 'RBBB', 'LBBB', 'SB', 'ST', 'AF'];
const parts = Array.from({ length: 18 }, (_, i) => `exams_part${i}`);

export const code15: PublishedDataset = {
  name: 'code15',
  title: 'CODE-15%: a large scale annotated dataset of 12-lead ECGs',
  licence: 'CC BY 4.0',
  url: 'https://zenodo.org/records/4916206',
  citation:
    'Ribeiro AH, Paixao GMM, Lima EM, et al. CODE-15%: a large scale annotated dataset of 12-lead ECGs (version 1.0.0). Zenodo (2021). doi:10.5281/zenodo.4916206',
  modalities: ['ecg'],
  targets: { sex: ['male', 'female'], ...yesOrNo([...diagnoses, 'normal_ecg', 'death']) },
  labels: {
    diagnoses: { kind: 'multilabel', targets: diagnoses },
    age: { kind: 'number', unit: 'years' },
    timey: { kind: 'number', unit: 'years' },
  },
  splits: {},
  recipe: twelveLeadRecipe,
  facts: {
    access: 'open',
    how: 'Open to anyone: no account, no application.',
    subjects: 233_770,
    recordings: 345_779,
    signals: [
      {
        kind: 'ecg',
        channels: twelveLeads,
        ratesHz: [code15RateHz],
        unit: 'mV',
        note: '7 or 10 s, filled up to 4096 samples with zeros, which are taken off',
      },
    ],
    labels: {
      diagnoses:
        'first-degree AV block, right and left bundle branch block, sinus bradycardia and tachycardia, atrial fibrillation: several at once',
      normal_ecg: '1 where the ECG is normal',
      death: '1 where the patient died in follow-up; only at a patient’s first exam',
      timey: 'years to death or to the end of follow-up; only at a patient’s first exam',
      nn_predicted_age: 'years, as a network of its authors predicts',
      sex: 'male, female',
      age: 'years',
    },
    layout: [
      { path: 'exams.csv', what: 'one row an exam', count: 1 },
      { path: 'exams_part*.hdf5', what: 'exam_id [N], tracings [N, 4096, 12]', count: 18 },
    ],
    download: {
      baseUrl: 'https://zenodo.org/records/4916206/files/',
      files: [
        { url: 'exams.csv', path: 'exams.csv' },
        ...parts.map((part) => ({ url: `${part}.zip`, path: `${part}.zip`, unpack: 'zip' as const })),
      ],
    },
    notes: [
      'Patients have several exams: split by patient_id.',
      'It is the set that CinC 2025 labels for Chagas disease; those labels are not part of it.',
    ],
  },
  async trials(folder) {
    const files = await folder.list();
    const at = new Map(files.map((file) => [baseName(file), file]));
    const table = at.get('exams.csv') ?? 'exams.csv';
    const { rows } = parseCsv(await readText(folder, table), table);
    const trials = rows.flatMap(({ fields }): Trial[] => {
      const file = at.get(fields.trace_file ?? '');
      if (file === undefined) return [];
      const flag = (name: string) => {
        const text = fields[name] ?? '';
        return text === '' ? undefined : Number(/^(true|1(\.0)?)$/i.test(text));
      };
      const male = flag('is_male');
      return [
        {
          id: `code15 ${fields.exam_id}`,
          subject: `code15 ${fields.patient_id}`,
          file,
          part: `exam ${fields.exam_id}`,
          reader: 'code15',
          targets: present({
            sex: male === undefined ? undefined : male === 1 ? 'male' : 'female',
            age: numberIn(fields.age),
            nn_predicted_age: numberIn(fields.nn_predicted_age),
            timey: numberIn(fields.timey),
            ...Object.fromEntries([...diagnoses, 'normal_ecg', 'death'].map((name) => [name, flag(name)])),
          }),
        },
      ];
    });
    // A file's trials follow one another, so that it is opened once.
    const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
    return trials.sort(
      (a, b) => order(a.file, b.file) || Number(a.part!.slice(5)) - Number(b.part!.slice(5)),
    );
  },
};
