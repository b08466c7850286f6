#!/usr/bin/env node
/**
 * What each mask of pre-training is worth: probes and reconstruction of the encoders that scripts/pretrain-masking.mjs
 * made, against an untrained one → results/masking.json. What was probed is not probed again.
 *
 *   node scripts/study-masking.mjs ptbxl=FOLDER ludb=FOLDER cinc2021=FOLDER eegmat=FOLDER [--runs runs/masking]
 *
 * PTB-XL: official folds. LUDB, Challenge 2021 (without its PTB-XL records), EEGMAT: people in five folds; no encoder has
 * seen them. Features: the mean of the last layer's tokens.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { arms } from './masking-arms.mjs';
import { collate } from './masking-table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: 'runs/masking' },
    out: { type: 'string', default: join(root, 'results', 'masking.json') },
    seeds: { type: 'string', default: '0,1,2' },
    threads: { type: 'string', default: '1' },
  },
});
const data = Object.fromEntries(positionals.map((one) => one.split(/=(.*)/s)));
const seeds = values.seeds.split(',').map(Number);
const place = join(values.runs, 'scores');
mkdirSync(place, { recursive: true });

/** What is asked of every encoder. */
const questions = [
  { dataset: 'ptbxl', targets: ['superclasses', 'sex', 'age'], leads: { 12: undefined, 2: 'I,II', 1: 'I' } },
  {
    dataset: 'ludb',
    targets: ['rhythm', 'findings', 'age'],
    leads: { 12: undefined, 2: 'I,II', 1: 'I' },
    folds: 5,
  },
  // Its HR recordings are PTB-XL's: the encoders have seen them.
  {
    dataset: 'cinc2021',
    targets: ['groups', 'sex'],
    leads: { 12: undefined, 2: 'I,II', 1: 'I' },
    folds: 5,
    leaveOut: '*HR*',
  },
  { dataset: 'eegmat', targets: ['task'], leads: { 1: undefined }, folds: 5, modality: 'ecg' },
];

const encoders = [
  'none=untrained:4',
  ...seeds.flatMap((seed) =>
    Object.keys(arms).flatMap((arm) => {
      const file = join(values.runs, `${arm}-seed${seed}`, 'encoder.safetensors');
      if (existsSync(file)) return [`${arm}=${file}`];
      console.log(`not there yet: ${arm}, seed ${seed}`);
      return [];
    }),
  ),
];

const answers = [];
for (const { dataset, targets, leads, folds, modality, leaveOut } of questions) {
  const folder = data[dataset];
  if (folder === undefined) {
    console.log(`${dataset}: no folder given, left out`);
    continue;
  }
  for (const [count, names] of Object.entries(leads)) {
    const path = join(place, `${dataset}-${count}-${encoders.length}.json`);
    if (!existsSync(path)) {
      const begun = performance.now();
      heartmind([
        ...['probe', ...order(encoders), '--data', `${dataset}=${folder}`],
        ...targets.flatMap((target) => ['--target', target]),
        ...(names ? ['--leads', names] : []),
        ...(folds ? ['--folds', String(folds)] : []),
        ...(leaveOut ? ['--leave-out', leaveOut] : []),
        ...(modality ? ['--modality', modality] : []),
        ...(dataset === 'ptbxl' && count === '12' ? ['--reconstruction'] : []),
        ...['--draws', '--out', path, '--threads', values.threads, '--progress', 'none'],
      ]);
      console.log(`${dataset}, ${count} leads: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    }
    answers.push({ dataset, leads: count, probe: JSON.parse(readFileSync(path, 'utf8')) });
  }
}
const command = `node scripts/study-masking.mjs ${Object.keys(data)
  .map((name) => `${name}=FOLDER`)
  .join(' ')}`;
const result = collate({
  answers,
  arms,
  seeds,
  command,
  base: readFileSync(join(root, 'recipes', 'pretrain-ecg-masking.json'), 'utf8'),
});
writeFileSync(values.out, `${JSON.stringify(result, null, 1)}\n`);
console.log(`Written: ${values.out}`);

/** The first name is what all others are compared with. */
function order(all) {
  return [...all.filter((one) => one.startsWith('dual=')), ...all.filter((one) => !one.startsWith('dual='))];
}

function heartmind(args) {
  execFileSync(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
