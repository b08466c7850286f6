/** LUDB: 200 12-lead ECGs of 10 s whose waves cardiologists delineated in every lead, with diagnoses. */
import type { ByteFolder } from '../core/folder.ts';
import type { Annotation } from '../core/recording.ts';
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { readWfdbAnnotations } from '../read/wfdb/annotations.ts';
import { parseCsv } from './csv.ts';
import { type PublishedDataset, readText, type Trial } from './dataset.ts';
import { openAccess, physionet } from './physionet.ts';
import { numberIn, present, yesOrNo } from './trial-values.ts';

const { url, download } = physionet('ludb', '1.0.1');
const rateHz = 500;

/** The table's columns of findings: one 0/1 target each, set where the field is not empty. */
const findings: Readonly<Record<string, string>> = {
  conduction: 'Conduction abnormalities',
  extrasystole: 'Extrasystolies',
  hypertrophy: 'Hypertrophies',
  pacing: 'Cardiac pacing',
  ischaemia: 'Ischemia',
  repolarisation: 'Non-specific repolarization abnormalities',
};

export const ludb: PublishedDataset = {
  name: 'ludb',
  title: 'Lobachevsky University Electrocardiography Database',
  licence: 'ODC-BY 1.0',
  url,
  citation:
    'Kalyakulina AI, Yusipov II, Moskalenko VA, et al. LUDB: A New Open-Access Validation Tool for Electrocardiogram Delineation Algorithms. IEEE Access 8:186181 (2020). doi:10.1109/ACCESS.2020.3029211',
  modalities: ['ecg'],
  targets: { sex: ['M', 'F'], rhythm: ['sinus', 'other'], ...yesOrNo(Object.keys(findings)) },
  labels: {
    findings: { kind: 'multilabel', targets: Object.keys(findings) },
    age: { kind: 'number', unit: 'years' },
  },
  splits: {},
  recipe: twelveLeadRecipe,
  facts: {
    access: 'open',
    how: openAccess,
    subjects: 200,
    recordings: 200,
    signals: [
      {
        kind: 'ecg',
        channels: twelveLeads,
        ratesHz: [rateHz],
        unit: 'mV',
        note: '10 s each; names in lower case',
      },
    ],
    labels: {
      rhythm: "sinus where the table says 'Sinus rhythm', else other",
      rhythmText: 'as the table names the rhythm',
      axis: 'electric axis of the heart: normal, left, right, vertical, horizontal, as the table says',
      findings:
        '1 where the table names any: conduction, extrasystole, hypertrophy, pacing, ischaemia, repolarisation',
      diagnoses: 'all findings of the table in words',
      age: 'years',
      sex: 'M, F',
      waves: 'annotation file of each lead: onset, peak and offset of P waves, QRS complexes and T waves',
    },
    layout: [
      { path: 'ludb.csv', what: 'one row a recording', count: 1 },
      { path: 'data/*.hea', what: 'headers, with a .dat each', count: 200 },
      ...['i', 'ii', 'iii', 'avr', 'avl', 'avf', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6'].map((lead) => ({
        path: `data/*.${lead}`,
        what: `waves of lead ${lead}`,
        count: 200,
      })),
    ],
    download,
    notes: [
      'The README counts 16,797 P waves, 21,966 QRS complexes and 19,666 T waves; the files hold one QRS complex and five T waves fewer.',
      'The first and last cycles of a lead are mostly not annotated.',
    ],
  },
  async trials(folder) {
    const files = new Set(await folder.list());
    const { rows } = parseCsv(await readText(folder, 'ludb.csv'), 'ludb.csv');
    return rows.flatMap(({ fields }): Trial[] => {
      const id = fields.ID!;
      const file = `data/${id}.hea`;
      if (!files.has(file)) return [];
      const field = (column: string) => fields[column]?.replace(/\s*\n\s*/g, '; ').trim() ?? '';
      const rhythm = field('Rhythms');
      return [
        {
          id: `ludb ${id}`,
          subject: `ludb ${id}`,
          file,
          targets: present({
            sex: field('Sex'),
            age: numberIn(field('Age').replace(/^>/, '')),
            rhythm: rhythm === '' ? undefined : /^Sinus rhythm/i.test(rhythm) ? 'sinus' : 'other',
            rhythmText: rhythm,
            axis: field('Electric axis of the heart').replace(/^Electric axis of the heart: /, ''),
            ...Object.fromEntries(
              Object.entries(findings).flatMap(([name, column]) =>
                column in fields ? [[name, Number(field(column) !== '')]] : [],
              ),
            ),
            diagnoses: Object.values(findings)
              .concat('Other states')
              .map(field)
              .filter((text) => text !== '')
              .join('; '),
          }),
        },
      ];
    });
  },
};

/** A delineated wave of one lead; seconds. */
export interface Wave {
  readonly kind: 'P' | 'QRS' | 'T';
  readonly onset: number | undefined;
  readonly peak: number;
  readonly offset: number | undefined;
}

/** The waves of one lead (`ii`, `V1`) of a LUDB trial. FormatError where the annotation file is absent or damaged. */
export async function readLudbWaves(
  folder: Pick<ByteFolder, 'open'>,
  trial: Pick<Trial, 'file'>,
  lead: string,
): Promise<Wave[]> {
  const source = await folder.open(trial.file.replace(/hea$/, lead.toLowerCase()));
  try {
    return wavesOf(await readWfdbAnnotations(source, rateHz));
  } finally {
    await source.close?.();
  }
}

const kinds: Readonly<Record<string, Wave['kind']>> = { p: 'P', N: 'QRS', t: 'T' };

/** `(`, a peak `p`, `N` or `t`, `)`: a bracket belongs to the peak beside it. */
function wavesOf(annotations: readonly Annotation[]): Wave[] {
  const symbol = (at: number) => annotations[at]?.label.split(' ')[0] ?? '';
  return annotations.flatMap((annotation, i): Wave[] => {
    const kind = Object.hasOwn(kinds, symbol(i)) ? kinds[symbol(i)] : undefined;
    if (!kind) return [];
    return [
      {
        kind,
        onset: symbol(i - 1) === '(' ? annotations[i - 1]!.start : undefined,
        peak: annotation.start,
        offset: symbol(i + 1) === ')' ? annotations[i + 1]!.start : undefined,
      },
    ];
  });
}
