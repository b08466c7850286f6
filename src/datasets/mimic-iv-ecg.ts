/** MIMIC-IV-ECG: 800,035 diagnostic 12-lead ECGs of 161,352 patients, with the machine's statements and measurements. */
import type { ByteFolder } from '../core/folder.ts';
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { csvRecords } from './csv.ts';
import { type PublishedDataset, readText, type Trial } from './dataset.ts';
import { openAccess, physionet } from './physionet.ts';
import { numberIn, present } from './trial-values.ts';

const { url, download } = physionet('mimic-iv-ecg', '1.0', 97e9);

/** Columns of machine_measurements.csv that are numbers: ms and degrees. */
const measurements = [
  ...['rr_interval', 'p_onset', 'p_end', 'qrs_onset', 'qrs_end', 't_end', 'p_axis', 'qrs_axis', 't_axis'],
];
/** The machine writes this where it could not measure. */
const notMeasured = 29_999;

export const mimicIvEcg: PublishedDataset = {
  name: 'mimic-iv-ecg',
  title: 'MIMIC-IV-ECG: Diagnostic Electrocardiogram Matched Subset',
  licence: 'ODbL 1.0',
  url,
  citation:
    'Gow B, Pollard T, Nathanson LA, et al. MIMIC-IV-ECG: Diagnostic Electrocardiogram Matched Subset (version 1.0). PhysioNet (2023). doi:10.13026/4nqg-sb35',
  modalities: ['ecg'],
  targets: {},
  labels: Object.fromEntries(
    measurements.map((name) => [name, { kind: 'number', unit: name.endsWith('axis') ? 'degrees' : 'ms' }]),
  ),
  splits: {},
  recipe: twelveLeadRecipe,
  facts: {
    access: 'open',
    how: `${openAccess} The clinical tables of MIMIC-IV, to which its patients are matched, are credentialed.`,
    subjects: 161_352,
    recordings: 800_035,
    signals: [
      { kind: 'ecg', channels: twelveLeads, ratesHz: [500], unit: 'mV', note: '10 s each, WFDB format 16' },
    ],
    labels: {
      report: "the machine's statements, report_0 to report_17 joined",
      measurements: `${measurements.join(', ')}: the machine's, in ms and degrees; ${notMeasured} (not measured) is left out`,
    },
    layout: [
      { path: 'record_list.csv', what: 'subject_id, study_id, file_name, ecg_time, path', count: 1 },
      { path: 'machine_measurements.csv', what: "the machine's statements and measurements", count: 1 },
      { path: 'files/p????/p????????/s*/*.hea', what: 'headers, with a .dat each', count: 800_035 },
    ],
    download,
    notes: [
      'Diagnoses need the credentialed tables of MIMIC-IV: without them it is for pre-training.',
      'Times are shifted by a patient’s own random span.',
    ],
  },
  async trials(folder) {
    const files = new Set(await folder.list());
    const measured = files.has(measurementFile) ? await readMeasurements(folder) : undefined;
    const { header, records } = openTable(await readText(folder, listFile), listFile);
    const [subject, study, path] = ['subject_id', 'study_id', 'path'].map((name) => header.indexOf(name)) as [
      number,
      number,
      number,
    ];
    const trials: Trial[] = [];
    for (const { fields } of records) {
      const file = `${fields[path]?.trim() ?? ''}.hea`;
      if (!files.has(file)) continue;
      const number = fields[study]!.trim();
      trials.push({
        ...{ id: `mimic-iv-ecg ${number}`, subject: `mimic ${fields[subject]!.trim()}`, file },
        targets: measured?.get(number) ?? {},
      });
    }
    return trials;
  },
};

const listFile = 'record_list.csv';
const measurementFile = 'machine_measurements.csv';

/** Tables of 800,035 rows: only what is used of each is kept. */
function openTable(text: string, name: string) {
  const records = csvRecords(text.replace(/^\uFEFF/, ''), ',', name);
  const header: string[] = records.next().value?.fields.map((field: string) => field.trim()) ?? [];
  return { header, records };
}

/** By study. */
async function readMeasurements(folder: ByteFolder) {
  const { header, records } = openTable(await readText(folder, measurementFile), measurementFile);
  const study = header.indexOf('study_id');
  const reports = [...header.keys()].filter((i) => /^report_\d+$/.test(header[i]!));
  const columns = measurements.map((name) => [name, header.indexOf(name)] as const);
  const byStudy = new Map<string, Record<string, string | number>>();
  for (const { fields } of records) {
    if (fields.length < header.length) continue;
    const statements = reports.map((i) => fields[i]!.trim()).filter((text) => text !== '');
    const values = columns.map(([name, i]) => {
      const value = numberIn(fields[i]);
      return [name, value === notMeasured ? undefined : value] as const;
    });
    byStudy.set(
      fields[study]!.trim(),
      present({ report: statements.join('; '), ...Object.fromEntries(values) }),
    );
  }
  return byStudy;
}
