/** Chapman University, Shaoxing People's and Ningbo First Hospital: 45,152 12-lead ECGs with rhythms and conditions. */
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { cincLabelFacts, cincLabels, cincValues, groupTargets, headerComments } from './cinc.ts';
import { parseCsv } from './csv.ts';
import { baseName, type PublishedDataset, readText, type Trial } from './dataset.ts';
import { openAccess, physionet } from './physionet.ts';
import { scoredDiagnoses2021 } from './snomed.ts';
import { yesOrNo } from './trial-values.ts';

const { url, download } = physionet('ecg-arrhythmia', '1.0.0', 5.5e9);

export const chapman: PublishedDataset = {
  name: 'chapman',
  title: 'A large scale 12-lead electrocardiogram database for arrhythmia study (Chapman, Shaoxing, Ningbo)',
  licence: 'CC BY 4.0',
  url,
  citation:
    'Zheng J, Chu H, Struppa D, et al. Optimal Multi-Stage Arrhythmia Classification Approach. Scientific Reports 10:2898 (2020). doi:10.1038/s41598-020-59821-7',
  modalities: ['ecg'],
  targets: { sex: ['Male', 'Female'], ...yesOrNo([...scoredDiagnoses2021, ...groupTargets]) },
  labels: cincLabels(scoredDiagnoses2021),
  splits: {},
  recipe: twelveLeadRecipe,
  facts: {
    access: 'open',
    how: openAccess,
    subjects: 45_152,
    recordings: 45_152,
    signals: [
      {
        kind: 'ecg',
        channels: twelveLeads,
        ratesHz: [500],
        unit: 'mV',
        note: '10 s each, MAT v4 files beside WFDB headers',
      },
    ],
    labels: {
      scored: 'the 26 diagnoses that CinC 2021 scores, several at once, by the codes of the headers',
      ...cincLabelFacts,
      acronyms: "the same codes by the set's own ConditionNames_SNOMED-CT.csv",
    },
    layout: [
      { path: 'ConditionNames_SNOMED-CT.csv', what: 'Acronym Name, Full Name, Snomed_CT', count: 1 },
      { path: 'WFDBRecords/??/???/JS*.hea', what: 'headers, with a .mat each', count: 45_152 },
    ],
    download,
    notes: [
      'The same recordings as the sources Chapman-Shaoxing and Ningbo of CinC 2021: do not count them twice.',
      'One recording a person, as far as its authors tell.',
    ],
  },
  async trials(folder) {
    const files = await folder.list();
    const table = files.find((file) => baseName(file) === 'ConditionNames_SNOMED-CT.csv');
    const acronyms = new Map<string, string>();
    if (table !== undefined)
      for (const { fields } of parseCsv(await readText(folder, table), table).rows)
        acronyms.set(fields.Snomed_CT ?? '', fields['Acronym Name'] ?? '');
    const trials: Trial[] = [];
    for (const file of files) {
      const id = /^(JS\d{5})\.hea$/.exec(baseName(file))?.[1];
      if (id === undefined) continue;
      const comments = headerComments(await readText(folder, file));
      const own = (comments.get('Dx') ?? '').split(',').flatMap((code) => acronyms.get(code.trim()) ?? []);
      trials.push({
        ...{ id, subject: id, file },
        targets: { ...cincValues(comments), ...(own.length > 0 ? { acronyms: own.join(',') } : {}) },
      });
    }
    return trials;
  },
};
