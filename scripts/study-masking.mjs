#!/usr/bin/env node
/**
 * What each mask of pre-training is worth: probes, reconstruction and fine-tuning of the encoders that
 * scripts/pretrain-masking.mjs made, against untrained ones → results/masking.json. What was asked is not asked again.
 *
 *   node scripts/study-masking.mjs ptbxl=FOLDER ludb=FOLDER cinc2021=FOLDER eegmat=FOLDER [--jobs 2]
 *
 * PTB-XL: official folds. LUDB, Challenge 2021 (without its PTB-XL records), EEGMAT: people in five folds; no encoder has
 * seen them. Probes: the mean of the last layer's tokens. Fine-tuning (recipes/finetune-ecg.json): the arms that differ in
 * the kind of mask, on few leads, where it is affordable; of LUDB and the Challenge apart from the rest:
 *
 *   node scripts/study-masking.mjs ludb=FOLDER cinc2021=FOLDER --ways tuned --out results/masking-tuned.json
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { doAll, heartmind, root } from './heartmind-jobs.mjs';
import { arms } from './masking-arms.mjs';
import { collate } from './masking-collate.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: 'runs/masking' },
    out: { type: 'string', default: join(root, 'results', 'masking.json') },
    seeds: { type: 'string', default: '0,1,2' },
    threads: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    /** What is asked: frozen encoders, tuned ones, or both. */
    ways: { type: 'string', default: 'probe,tuned' },
  },
});
const data = Object.fromEntries(positionals.map((one) => one.split(/=(.*)/s)));
const seeds = values.seeds.split(',').map(Number);
const place = join(values.runs, 'scores');
mkdirSync(place, { recursive: true });

const allLeads = { 12: undefined, 2: 'I,II', 1: 'I' };
/** What is asked of every frozen encoder. */
const questions = [
  { dataset: 'ptbxl', targets: ['superclasses', 'sex', 'age'], leads: allLeads },
  { dataset: 'ludb', targets: ['rhythm', 'findings', 'age'], leads: allLeads, folds: 5 },
  // Its HR recordings are PTB-XL's: the encoders have seen them.
  { dataset: 'cinc2021', targets: ['groups', 'sex'], leads: allLeads, folds: 5, leaveOut: '*HR*' },
  { dataset: 'eegmat', targets: ['task'], leads: { 1: undefined }, folds: 5, modality: 'ecg' },
];
/** What is asked of encoders that learn the labels too. */
const tuned = [
  { dataset: 'ptbxl', targets: ['superclasses'], leads: { 1: 'I' } },
  { dataset: 'ludb', targets: ['rhythm', 'findings'], leads: { 2: 'I,II', 1: 'I' }, folds: 5 },
  { dataset: 'cinc2021', targets: ['groups'], leads: { 2: 'I,II', 1: 'I' }, folds: 5, leaveOut: '*HR*' },
];
const tunedArms = ['dual', 'random', 'intra', 'inter', 'span'];

const ways = values.ways.split(',');
const jobs = [
  ...asked(ways.includes('probe') ? questions : []).map(({ dataset, count, flags }) => ({
    ...{ dataset, leads: count, path: join(place, `${dataset}-${count}.json`) },
    words: [
      'none=untrained:4',
      ...seeds.flatMap((seed) => Object.keys(arms).map((arm) => `${arm}=${encoderOf(arm, seed)}`)),
      ...flags,
      ...(dataset === 'ptbxl' && count === '12' ? ['--reconstruction'] : []),
    ],
  })),
  // Seed by seed, as a name is one training there: the seed of fine-tuning is that of pre-training.
  ...seeds.flatMap((seed) =>
    asked(ways.includes('tuned') ? tuned : []).map(({ dataset, count, flags }) => ({
      ...{ dataset, leads: count, seed, path: join(place, `${dataset}-${count}-tuned-${seed}.json`) },
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
const command = [
  'node scripts/study-masking.mjs',
  ...Object.keys(data).map((name) => `${name}=FOLDER`),
  ...(values.ways === 'probe,tuned'
    ? []
    : ['--ways', values.ways, '--out', `results/${basename(values.out)}`]),
].join(' ');
const base = readFileSync(join(root, 'recipes', 'pretrain-ecg-masking.json'), 'utf8');
writeFileSync(values.out, `${JSON.stringify(collate({ answers, arms, seeds, command, base }), null, 1)}\n`);
console.log(`Written: ${values.out}`);

/** A row a dataset and number of leads, for the datasets that are there. */
function asked(list) {
  return list.flatMap(({ dataset, targets, leads, folds, modality, leaveOut }) => {
    const folder = data[dataset];
    if (folder === undefined) {
      console.log(`${dataset}: no folder given, left out`);
      return [];
    }
    return Object.entries(leads).map(([count, names]) => ({
      ...{ dataset, count },
      flags: [
        ...['--data', `${dataset}=${folder}`, ...targets.flatMap((target) => ['--target', target])],
        ...(names ? ['--leads', names] : []),
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
