/** PTB-XL: 21,799 clinical 12-lead ECGs of 10 s, all statements, the official folds, at 500 Hz and at 100 Hz. */
import type { ByteFolder } from '../core/folder.ts';
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { parseCsv } from './csv.ts';
import { type PublishedDataset, readText, type Trial } from './dataset.ts';
import type { Fold } from './folds.ts';
import { openAccess, physionet } from './physionet.ts';
import { type ScpStatement, scpStatements, scpSubclasses, scpSuperclasses } from './scp-statements.ts';
import { numberIn, present, yesOrNo } from './trial-values.ts';

const { url, download } = physionet('ptb-xl', '1.0.3', 3e9);

const codes = scpStatements.map(({ code }) => code);
const subclassTargets = scpSubclasses.map((name) => `subclass ${name}`);
const byKind = (kind: ScpStatement['kinds'][number]) =>
  scpStatements.filter(({ kinds }) => kinds.includes(kind)).map(({ code }) => code);
const statementOf = new Map(scpStatements.map((statement) => [statement.code, statement]));

/** Free text or a flag in the table: how a recording is spoilt. */
const signalNotes = [
  ...['baseline_drift', 'static_noise', 'burst_noise', 'electrodes_problems', 'extra_beats', 'pacemaker'],
];

function spec(name: string, rateHz: 500 | 100): PublishedDataset {
  const column = rateHz === 500 ? 'filename_hr' : 'filename_lr';
  return {
    name,
    title: `PTB-XL, a large publicly available electrocardiography dataset${rateHz === 100 ? ', its copies at 100 Hz' : ''}`,
    licence: 'CC BY 4.0',
    url,
    citation:
      'Wagner P, Strodthoff N, Bousseljot R-D, et al. PTB-XL, a large publicly available electrocardiography dataset. Scientific Data 7:154 (2020). doi:10.1038/s41597-020-0495-6',
    modalities: ['ecg'],
    targets: {
      // A record may have several super-classes: `superclass` is set where it has exactly one.
      superclass: scpSuperclasses,
      sex: ['male', 'female'],
      ...yesOrNo([...scpSuperclasses, ...subclassTargets, ...codes, 'validated_by_human']),
    },
    labels: {
      superclasses: { kind: 'multilabel', targets: scpSuperclasses },
      subclasses: { kind: 'multilabel', targets: subclassTargets },
      statements: { kind: 'multilabel', targets: codes },
      diagnostic: { kind: 'multilabel', targets: byKind('diagnostic') },
      form: { kind: 'multilabel', targets: byKind('form') },
      rhythm: { kind: 'multilabel', targets: byKind('rhythm') },
      age: { kind: 'number', unit: 'years' },
      height: { kind: 'number', unit: 'cm' },
      weight: { kind: 'number', unit: 'kg' },
    },
    splits: {},
    recipe: twelveLeadRecipe,
    facts: {
      access: 'open',
      how: openAccess,
      subjects: 18_869,
      recordings: 21_799,
      signals: [
        {
          kind: 'ecg',
          channels: twelveLeads,
          ratesHz: [500, 100],
          unit: 'mV',
          note: '10 s each, WFDB format 16. `ptbxl` reads records500, `ptbxl-100` records100.',
        },
      ],
      labels: {
        superclass: 'NORM, MI, STTC, CD or HYP where a recording has exactly one of them',
        superclasses: 'the five super-classes of its diagnostic statements, several at once',
        subclasses: `the ${scpSubclasses.length} sub-classes of its diagnostic statements (\`subclass AMI\`), several at once`,
        statements:
          'all 71 SCP-ECG statements by their codes, several at once: 44 diagnostic, 19 of form (4 of them diagnostic too), 12 of rhythm. A statement counts where the table names it, whatever its likelihood: 0 means that none is known',
        'likelihood CODE': "per cent, the table's value for a statement that is there",
        validated_by_human: '1 where a cardiologist saw it',
        age: 'years; 300 stands for people over 89, as published',
        sex: 'male, female',
        fold: "1 to 10, the table's strat_fold",
      },
      layout: [
        { path: 'ptbxl_database.csv', what: 'one row a recording', count: 1 },
        { path: 'scp_statements.csv', what: 'what the 71 statements are', count: 1 },
        { path: 'records500/*/*_hr.hea', what: 'headers at 500 Hz, with a .dat each', count: 21_799 },
        { path: 'records100/*/*_lr.hea', what: 'headers at 100 Hz, with a .dat each', count: 21_799 },
      ],
      download,
      duplicates:
        'Its publishers know of recordings that stand under two numbers, and keep the official folds: so do we.',
      notes: [
        'Split `published`: folds 1–8 train, 9 validation, 10 test, by patient as the authors advise; folds 9 and 10 were all seen by a person.',
        'A few recordings carry identical signals under two numbers; 145 and 463 even name two patients. The official folds are kept as they are, so group by signal where you split anew.',
      ],
    },
    describe: async (folder) => ({ splits: { published: publishedFold(await readRows(folder)) } }),
    async trials(folder) {
      const files = new Set(await folder.list());
      return (await readRows(folder)).flatMap((row): Trial[] => {
        const file = `${row[column] ?? ''}.hea`;
        if (!files.has(file)) return [];
        return [{ id: `${name} ${row.ecg_id}`, subject: subjectOf(row), file, targets: valuesOf(row) }];
      });
    },
  };
}

type Row = Readonly<Record<string, string>>;

async function readRows(folder: ByteFolder): Promise<Row[]> {
  const { rows } = parseCsv(await readText(folder, 'ptbxl_database.csv'), 'ptbxl_database.csv');
  return rows.map(({ fields }) => fields);
}

/** 15709.0 → `ptbxl 15709`: the same person at both rates. */
function subjectOf({ patient_id }: Row): string {
  return `ptbxl ${Number(patient_id)}`;
}

function publishedFold(rows: readonly Row[]): Fold {
  const people = (isIn: (fold: number) => boolean) => [
    ...new Set(rows.filter(({ strat_fold }) => isIn(Number(strat_fold))).map(subjectOf)),
  ];
  return {
    name: 'published',
    train: people((fold) => fold >= 1 && fold <= 8),
    validation: people((fold) => fold === 9),
    test: people((fold) => fold === 10),
  };
}

function valuesOf(row: Row): Record<string, string | number> {
  // The column is a Python dictionary: {'NORM': 100.0, 'SR': 0.0}.
  const stated = [...(row.scp_codes ?? '').matchAll(/'([^']+)': *([\d.]+)/g)].map(
    ([, code, likelihood]) => [code!, Number(likelihood)] as const,
  );
  const found = stated.flatMap(([code]) => statementOf.get(code) ?? []);
  const superclasses = new Set(found.flatMap(({ superclass }) => superclass ?? []));
  const subclasses = new Set(found.flatMap(({ subclass }) => subclass ?? []));
  const statements = new Set(found.map(({ code }) => code));
  const flag = (text: string | undefined) => (text ? Number(/^(true|1(\.0)?)$/i.test(text)) : undefined);
  return present({
    fold: numberIn(row.strat_fold),
    superclass: superclasses.size === 1 ? [...superclasses][0] : undefined,
    sex: row.sex === '0' ? 'male' : row.sex === '1' ? 'female' : undefined,
    age: numberIn(row.age),
    height: numberIn(row.height),
    weight: numberIn(row.weight),
    validated_by_human: flag(row.validated_by_human),
    heart_axis: row.heart_axis,
    infarction_stadium1: row.infarction_stadium1,
    infarction_stadium2: row.infarction_stadium2,
    site: row.site,
    device: row.device,
    report: row.report,
    ...Object.fromEntries(signalNotes.map((note) => [note, row[note]])),
    ...Object.fromEntries(codes.map((code) => [code, Number(statements.has(code))])),
    ...Object.fromEntries(
      scpSubclasses.map((name, i) => [subclassTargets[i]!, Number(subclasses.has(name))]),
    ),
    ...Object.fromEntries(scpSuperclasses.map((name) => [name, Number(superclasses.has(name))])),
    ...Object.fromEntries(
      stated.flatMap(([code, likelihood]) =>
        statementOf.has(code) ? [[`likelihood ${code}`, likelihood]] : [],
      ),
    ),
  });
}

export const ptbxl = spec('ptbxl', 500);
export const ptbxl100 = spec('ptbxl-100', 100);
