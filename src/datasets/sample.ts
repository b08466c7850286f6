/** The embedded sample data: EEGMAT whole (dataset `eegmat`) and a set of 12-lead ECGs from PTB-XL. See sample-data/README.md. */
import type { ByteFolder } from '../core/folder.ts';
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { parseCsv } from './csv.ts';
import { type PublishedDataset, readText, type Trial } from './dataset.ts';

export const sampleEcg: PublishedDataset = {
  name: 'sample-ecg',
  title: "12-lead ECGs of PTB-XL's folds 1–8, a sample",
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/ptb-xl/1.0.3/',
  citation:
    'Wagner P, Strodthoff N, Bousseljot R-D, et al. PTB-XL, a large publicly available electrocardiography dataset. Scientific Data 7:154 (2020). doi:10.1038/s41597-020-0495-6',
  modalities: ['ecg'],
  targets: { superclass: ['NORM', 'MI', 'STTC', 'CD', 'HYP'], sex: ['male', 'female'] },
  splits: {},
  recipe: twelveLeadRecipe,
  facts: {
    access: 'open',
    how: 'In the repository: sample-data/ecg12.',
    signals: [
      {
        kind: 'ecg',
        channels: twelveLeads,
        ratesHz: [200],
        unit: 'mV',
        note: '10 s each; eight leads stored, the others follow from I and II',
      },
    ],
    labels: {
      superclass: 'NORM, MI, STTC, CD or HYP where a recording has exactly one of them',
      sex: 'male, female',
    },
    layout: [{ path: 'labels.csv', what: 'one row a recording: file, subject, superclass, sex', count: 1 }],
    notes: ['A small part of PTB-XL, for demonstrations and tests; for results take `ptbxl`.'],
  },
  async trials(folder: ByteFolder) {
    const { rows } = parseCsv(await readText(folder, 'labels.csv'), 'labels.csv');
    return rows.map(
      ({ fields: { file, subject, ...targets } }): Trial => ({
        id: file!,
        subject: subject!,
        file: file!,
        targets,
      }),
    );
  },
};
