/**
 * PhysioNet/Computing in Cardiology Challenges 2020 and 2021: 12-lead ECGs of many sources with SNOMED CT diagnoses in the
 * comments of their headers. Any folder in that layout works, in whatever folders its records lie.
 */
import type { ByteFolder } from '../core/folder.ts';
import { twelveLeadRecipe, twelveLeads } from '../patches/recipe.ts';
import { baseName, type Label, type PublishedDataset, readText, type Trial } from './dataset.ts';
import { openAccess, physionet } from './physionet.ts';
import { diagnoses, diagnosisGroups, scoredDiagnoses2020, scoredDiagnoses2021 } from './snomed.ts';
import { numberIn, present, yesOrNo } from './trial-values.ts';

interface Source {
  readonly name: string;
  /** Its folder below `training/`. */
  readonly folder: string;
  readonly prefix: string;
  /** Numbers of its records. Two sources share the prefix JS. */
  readonly numbers: readonly [first: number, last: number];
  readonly recordings: number;
  /** 2021 added two. */
  readonly since: 2020 | 2021;
}

/** Record names as the challenge gave them. */
export const cincSources: readonly Source[] = [
  source('CPSC2018', 'cpsc_2018', 'A', [1, 6877], 6877),
  source('CPSC-Extra', 'cpsc_2018_extra', 'Q', [1, 3581], 3453),
  source('INCART', 'st_petersburg_incart', 'I', [1, 75], 74),
  source('PTB', 'ptb', 'S', [1, 549], 516),
  source('PTB-XL', 'ptb-xl', 'HR', [1, 21837], 21_837),
  source('Georgia', 'georgia', 'E', [1, 10344], 10_344),
  source('Chapman-Shaoxing', 'chapman_shaoxing', 'JS', [1, 10646], 10_247, 2021),
  source('Ningbo', 'ningbo', 'JS', [10647, 45551], 34_905, 2021),
];

function source(
  name: string,
  folder: string,
  prefix: string,
  numbers: Source['numbers'],
  recordings: number,
  since: Source['since'] = 2020,
): Source {
  return { name, folder, prefix, numbers, recordings, since };
}

/** Where a record is from: by its folder, else by its name. */
export function cincSource(path: string): string | undefined {
  const parts = path.toLowerCase().split('/');
  const byFolder = cincSources.find(({ folder }) => parts.includes(folder));
  if (byFolder) return byFolder.name;
  const [, prefix, digits] = /^([A-Z]+)(\d{4,5})\.hea$/.exec(baseName(path)) ?? [];
  const number = Number(digits);
  return cincSources.find(
    ({ prefix: own, numbers: [first, last] }) => own === prefix && number >= first && number <= last,
  )?.name;
}

/** `# Dx: 59118001,426783006` and the like, with or without a space, LF or CRLF. */
export function headerComments(header: string): ReadonlyMap<string, string> {
  const lines = header.matchAll(/^#[ \t]*(\w+):(.*)$/gm);
  return new Map([...lines].map(([, name, value]) => [name!, value!.trim()]));
}

/**
 * SNOMED CT codes, separated by commas → abbreviations, 0/1 of every scored diagnosis (equivalents as one), and 0/1 of
 * every group that has any. Codes that the challenge's tables do not know stay in `diagnoses` only.
 */
export function diagnosisValues(
  dx: string,
  scored: readonly string[] = scoredDiagnoses2021,
): Record<string, string | number> {
  const known = dx.split(',').flatMap((code) => diagnoses.get(code.trim()) ?? []);
  const isScored = new Set(known.map((one) => one.scored));
  const groups = new Set(known.map(({ group }) => group));
  return {
    diagnoses: dx,
    abbreviations: known.map(({ abbreviation }) => abbreviation).join(','),
    ...Object.fromEntries(scored.map((name) => [name, Number(isScored.has(name))])),
    ...Object.fromEntries(diagnosisGroups.map((group) => [`group ${group}`, Number(groups.has(group))])),
  };
}

/** Names of the group targets. */
export const groupTargets = diagnosisGroups.map((group) => `group ${group}`);

export function cincLabels(scored: readonly string[]): Record<string, Label> {
  return {
    scored: { kind: 'multilabel', targets: scored },
    groups: { kind: 'multilabel', targets: groupTargets },
    age: { kind: 'number', unit: 'years' },
  };
}

/** What the labels of a header in this layout mean. */
export const cincLabelFacts: Readonly<Record<string, string>> = {
  diagnoses: 'all SNOMED CT codes of the header',
  abbreviations: "the same as the challenge's abbreviations, as far as its tables know them",
  groups:
    'rhythm, ectopy, conduction, pacing, ischaemia, repolarisation, hypertrophy, axis, other (`group rhythm`): our grouping of the codes, several at once',
  sex: 'Male, Female',
  age: 'years',
};

/** The values of a header's comments. */
export function cincValues(
  comments: ReadonlyMap<string, string>,
  scored: readonly string[] = scoredDiagnoses2021,
): Record<string, string | number> {
  const sex = comments.get('Sex') ?? '';
  const age = numberIn(comments.get('Age'));
  return {
    ...(comments.has('Dx') ? diagnosisValues(comments.get('Dx')!, scored) : {}),
    ...present({
      sex: /^(Male|M)$/.test(sex) ? 'Male' : /^(Female|F)$/.test(sex) ? 'Female' : undefined,
      age: age !== undefined && age > 0 ? age : undefined,
    }),
  };
}

function spec(year: 2020 | 2021, version: string, citation: string, bytes: number): PublishedDataset {
  const scored = year === 2020 ? scoredDiagnoses2020 : scoredDiagnoses2021;
  const sources = cincSources.filter(({ since }) => since <= year);
  const { url, download } = physionet(`challenge-${year}`, version, bytes);
  return {
    name: `cinc${year}`,
    title: `PhysioNet/Computing in Cardiology Challenge ${year}, or any folder in its layout`,
    licence: 'CC BY 4.0',
    url,
    citation,
    modalities: ['ecg'],
    targets: {
      sex: ['Male', 'Female'],
      source: sources.map(({ name }) => name),
      ...yesOrNo([...scored, ...groupTargets]),
    },
    labels: cincLabels(scored),
    splits: {},
    recipe: twelveLeadRecipe,
    facts: {
      access: 'open',
      how: openAccess,
      recordings: sources.reduce((sum, { recordings }) => sum + recordings, 0),
      signals: [
        {
          kind: 'ecg',
          channels: twelveLeads,
          ratesHz: [500, 1000, 257],
          unit: 'mV',
          note: '500 Hz but for PTB (1000 Hz) and INCART (257 Hz, 30 min each); 5 s to 2 min otherwise. MAT v4 files beside WFDB headers',
        },
      ],
      labels: {
        scored: `the ${scored.length} scored diagnoses by abbreviation, several at once; CRBBB counts as RBBB, ${year === 2021 ? 'CLBBB as LBBB, ' : ''}SVPB as PAC, VPB as PVC`,
        ...cincLabelFacts,
        source: sources.map(({ name }) => name).join(', '),
      },
      layout: sources.map(({ name, folder, prefix, recordings }) => ({
        path: `training/${folder}/*/${prefix}*.hea`,
        what: `${name}, with a .mat each`,
        count: recordings,
      })),
      download,
      duplicates: 'The challenge holds some recordings of its sources twice, and names none.',
      notes: [
        'The challenge does not say whose a recording is: each counts as a person of its own, though PTB, PTB-XL, INCART and others have several of one. Take PTB-XL from its own set where that matters.',
        'Only training data are public; validation and test data of the challenge are not.',
      ],
    },
    trials: (folder) => readTrials(folder, sources, scored),
  };
}

async function readTrials(
  folder: ByteFolder,
  sources: readonly Source[],
  scored: readonly string[],
): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const file of await folder.list()) {
    if (!file.endsWith('.hea')) continue;
    const from = cincSource(file);
    const id = baseName(file).replace(/\.hea$/, '');
    const targets = {
      ...cincValues(headerComments(await readText(folder, file)), scored),
      ...(sources.some(({ name }) => name === from) ? { source: from! } : {}),
    };
    trials.push({ id, subject: id, file, targets });
  }
  return trials;
}

export const cinc2020 = spec(
  2020,
  '1.0.2',
  'Perez Alday EA, Gu A, Shah AJ, et al. Classification of 12-lead ECGs: the PhysioNet/Computing in Cardiology Challenge 2020. Physiol Meas 41(12):124003 (2020). doi:10.1088/1361-6579/abc960',
  5.2e9,
);

export const cinc2021 = spec(
  2021,
  '1.0.3',
  'Reyna MA, Sadr N, Perez Alday EA, et al. Will Two Do? Varying Dimensions in Electrocardiography: The PhysioNet/Computing in Cardiology Challenge 2021. CinC 48 (2021).',
  11e9,
);
