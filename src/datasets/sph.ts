/** SPH: 25,770 12-lead ECGs of Shandong Provincial Hospital with statements of the AHA/ACC/HRS standard. */
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { parseCsv } from './csv.ts';
import { baseName, type PublishedDataset, readText, type Trial } from './dataset.ts';
import { numberIn, present, yesOrNo } from './trial-values.ts';

/** A normal ECG's code. */
const normalCode = '1';

export const sph: PublishedDataset = {
  name: 'sph',
  title:
    'A large-scale multi-label 12-lead electrocardiogram database with standardized diagnostic statements (SPH)',
  licence: 'as figshare states; its article is CC BY 4.0',
  url: 'https://doi.org/10.6084/m9.figshare.c.5779802.v1',
  citation:
    'Liu H, Chen D, Chen D, et al. A large-scale multi-label 12-lead electrocardiogram database with standardized diagnostic statements. Scientific Data 9:272 (2022). doi:10.1038/s41597-022-01403-5',
  modalities: ['ecg'],
  targets: { sex: ['M', 'F'], ...yesOrNo(['normal']) },
  defaultTarget: 'normal',
  labels: { age: { kind: 'number', unit: 'years' } },
  splits: {},
  recipe: twelveLeadRecipe,
  /** A target for each primary statement that the table has. */
  async describe(folder) {
    const statements = allPrimaries(await readRows(folder)).map((code) => `AHA ${code}`);
    return {
      targets: { ...sph.targets, ...yesOrNo(statements) },
      labels: { ...sph.labels, statements: { kind: 'multilabel', targets: statements } },
    };
  },
  facts: {
    access: 'open',
    how: 'Open to anyone on figshare, collection 5779802: metadata.csv, code.csv and the archive of records.',
    subjects: 24_666,
    recordings: 25_770,
    signals: [
      {
        kind: 'ecg',
        channels: twelveLeads,
        ratesHz: [500],
        unit: 'mV',
        note: '10 to 60 s, an HDF5 file each',
      },
    ],
    labels: {
      statements:
        'the 44 primary statements of the AHA/ACC/HRS recommendations by code (`AHA 22`), several at once',
      codes: 'the same as the table has them, with modifiers: 60+310;22',
      normal: '1 where the statement is 1, a normal ECG',
      sex: 'M, F',
      age: 'years',
    },
    layout: [
      { path: 'metadata.csv', what: 'ECG_ID, AHA_Code, Patient_ID, Age, Sex, N, Date', count: 1 },
      { path: 'code.csv', what: 'what the codes mean', count: 1 },
      { path: 'records/A*.h5', what: 'ecg [12, T]', count: 25_770 },
    ],
    notes: [
      'Some patients have several recordings: split by Patient_ID.',
      'The device has filtered baseline wander, mains and muscle already.',
    ],
  },
  async trials(folder) {
    const at = new Map((await folder.list()).map((file) => [baseName(file), file]));
    const rows = await readRows(folder);
    const all = allPrimaries(rows);
    return rows.flatMap((row): Trial[] => {
      const file = at.get(`${row.ECG_ID ?? ''}.h5`);
      if (file === undefined) return [];
      const codes = primaries(row.AHA_Code ?? '');
      return [
        {
          id: `sph ${row.ECG_ID}`,
          subject: `sph ${row.Patient_ID}`,
          file,
          reader: 'sph',
          targets: present({
            ...Object.fromEntries(all.map((code) => [`AHA ${code}`, Number(codes.includes(code))])),
            normal: Number(codes.includes(normalCode)),
            codes: row.AHA_Code,
            sex: row.Sex,
            age: numberIn(row.Age),
          }),
        },
      ];
    });
  },
};

/** `60+310;22` → 60, 22. */
function primaries(codes: string): string[] {
  return codes.split(';').flatMap((code) => {
    const primary = code.split('+')[0]!.trim();
    return primary === '' ? [] : [primary];
  });
}

/** Every primary statement that the table has, by number. */
function allPrimaries(rows: readonly Readonly<Record<string, string>>[]): string[] {
  const codes = new Set(rows.flatMap(({ AHA_Code }) => primaries(AHA_Code ?? '')));
  return [...codes].sort((a, b) => Number(a) - Number(b));
}

async function readRows(folder: Parameters<PublishedDataset['trials']>[0]) {
  const { rows } = parseCsv(await readText(folder, 'metadata.csv'), 'metadata.csv');
  return rows.map(({ fields }) => fields);
}
