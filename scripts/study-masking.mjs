#!/usr/bin/env node
/**
 * What each mask of pre-training is worth: probes, reconstruction and fine-tuning of the encoders that
 * scripts/pretrain-masking.mjs made, against untrained ones. One set of questions at a time, into results/SET.json; what
 * was asked is not asked again.
 *
 *   node scripts/study-masking.mjs SET ptbxl=FOLDER ludb=FOLDER cinc2021=FOLDER eegmat=FOLDER [--jobs 2]
 *
 * The sets, with the data of each, stand below. PTB-XL: official folds. LUDB, Challenge 2021 (without its PTB-XL records),
 * EEGMAT: people in five folds; no encoder has seen them. Probes: the mean of the last layer's tokens. Fine-tuning
 * (recipes/finetune-ecg.json): the arms that differ in the kind of mask.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { doAll, heartmind, root } from './heartmind-jobs.mjs';
import { arms } from './masking-arms.mjs';
import { collate } from './masking-collate.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: 'runs/masking' },
    seeds: { type: 'string', default: '0,1,2' },
    threads: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
  },
});
const [set, ...folders] = positionals;
const data = Object.fromEntries(folders.map((one) => one.split(/=(.*)/s)));
const seeds = values.seeds.split(',').map(Number);
const place = join(values.runs, 'scores');
mkdirSync(place, { recursive: true });

const leadNames = { 12: undefined, 2: 'I,II', 1: 'I' };
const ludb = { dataset: 'ludb', folds: 5 };
// Its HR recordings are PTB-XL's: the encoders have seen them.
const cinc2021 = { dataset: 'cinc2021', folds: 5, leaveOut: '*HR*' };
/** The ECG of EEGMAT is one lead: all of it is taken. */
const eegmat = { dataset: 'eegmat', folds: 5, modality: 'ecg', whole: true };
/** What each set asks of frozen encoders, and of encoders that learn the labels too. */
const sets = {
  masking: {
    probe: [
      { dataset: 'ptbxl', targets: ['superclasses', 'sex', 'age'], leads: [12, 2, 1] },
      { ...ludb, targets: ['rhythm', 'findings', 'age'], leads: [12, 2, 1] },
      { ...cinc2021, targets: ['groups', 'sex'], leads: [12, 2, 1] },
      { ...eegmat, targets: ['task'], leads: [1] },
    ],
    tuned: [{ dataset: 'ptbxl', targets: ['superclasses'], leads: [1] }],
  },
  'masking-tuned': {
    tuned: [
      { ...ludb, targets: ['rhythm', 'findings'], leads: [2, 1] },
      { ...cinc2021, targets: ['groups'], leads: [2, 1] },
    ],
  },
  'masking-tuned-12': {
    tuned: [
      { ...cinc2021, targets: ['groups'], leads: [12] },
      { ...ludb, targets: ['findings'], leads: [12] },
    ],
  },
  'masking-tuned-people': {
    tuned: [
      { dataset: 'ptbxl', targets: ['sex', 'age'], leads: [1] },
      { ...eegmat, targets: ['task'], leads: [1] },
    ],
  },
};
const tunedArms = ['dual', 'random', 'intra', 'inter', 'span'];

if (!sets[set])
  throw new Error(`study-masking: '${set}' is not a set. There are: ${Object.keys(sets).join(', ')}.`);
const { probe = [], tuned = [] } = sets[set];
const jobs = [
  ...asked(probe).map(({ dataset, leads, file, flags }) => ({
    ...{ dataset, leads, path: join(place, `${file}.json`) },
    words: [
      'none=untrained:4',
      ...seeds.flatMap((seed) => Object.keys(arms).map((arm) => `${arm}=${encoderOf(arm, seed)}`)),
      ...flags,
      ...(dataset === 'ptbxl' && leads === '12' ? ['--reconstruction'] : []),
    ],
  })),
  // Seed by seed, as a name is one training there: the seed of fine-tuning is that of pre-training.
  ...seeds.flatMap((seed) =>
    asked(tuned).map(({ dataset, leads, file, flags }) => ({
      ...{ dataset, leads, seed, path: join(place, `${file}-tuned-${seed}.json`) },
      words: [
        'none=untrained:4',
        ...tunedArms.map((arm) => `${arm}=${encoderOf(arm, seed)}`),
        ...flags,
        ...['--tune', 'finetune-ecg', '--seeds', String(seed)],
      ],
    })),
  ),
];
if (jobs.length === 0) throw new Error('study-masking: no dataset was given. Name them: ptbxl=FOLDER ….');
await doAll(jobs, Number(values.jobs), async ({ path, words }) => {
  if (existsSync(path)) return;
  const common = ['--draws', '--out', path, '--threads', values.threads, '--progress', 'none'];
  await heartmind(path, ['probe', ...words, ...common]);
});

const answers = jobs.map((job) => ({ ...job, probe: JSON.parse(readFileSync(job.path, 'utf8')) }));
const given = Object.keys(data).map((name) => `${name}=FOLDER`);
const command = ['node scripts/study-masking.mjs', set, ...given].join(' ');
const base = readFileSync(join(root, 'recipes', 'pretrain-ecg-masking.json'), 'utf8');
const out = join(root, 'results', `${set}.json`);
writeFileSync(out, `${JSON.stringify(collate({ answers, arms, seeds, command, base }), null, 1)}\n`);
console.log(`Written: ${out}`);

/** A row a question and number of leads, for the datasets that are there. */
function asked(questions) {
  return questions.flatMap(({ dataset, targets, leads, whole, folds, modality, leaveOut }) => {
    const folder = data[dataset];
    if (folder === undefined) {
      console.log(`${dataset}: no folder given, left out`);
      return [];
    }
    return leads.map((count) => ({
      ...{ dataset, leads: String(count), file: [dataset, ...targets, count].join('-') },
      flags: [
        ...['--data', `${dataset}=${folder}`, ...targets.flatMap((target) => ['--target', target])],
        ...(leadNames[count] && !whole ? ['--leads', leadNames[count]] : []),
        ...(folds ? ['--folds', String(folds)] : []),
        ...(leaveOut ? ['--leave-out', leaveOut] : []),
        ...(modality ? ['--modality', modality] : []),
      ],
    }));
  });
}

function encoderOf(arm, seed) {
  const file = join(values.runs, `${arm}-seed${seed}`, 'encoder.safetensors');
  if (!existsSync(file))
    throw new Error(
      `study-masking: ${file} is not there. Run scripts/pretrain-masking.mjs, or name other --seeds.`,
    );
  return file;
}
