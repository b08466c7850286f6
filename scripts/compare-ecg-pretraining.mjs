#!/usr/bin/env node
/**
 * Does ECG pre-training help on labels? The same 4-layer encoder from scratch, pre-trained on the 240 embedded ECGs, and
 * on whole datasets, each fine-tuned on EEGMAT's ECG, 5-fold by subject. Writes results/ecg-pretraining.json.
 *   node scripts/compare-ecg-pretraining.mjs ptbxl=FOLDER ludb=FOLDER cinc2021=FOLDER
 * Run after `npm run setup`; about half an hour on two cores, and it goes on where it was stopped.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const datasets = process.argv.slice(2);
const runs = 'runs/ecg-pretraining';
const heartmind = (...args) => {
  console.log(`heartmind ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, ['dist/cli.js', ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
const pretrain = (name, data) =>
  heartmind(
    'pretrain',
    ...data.flatMap((one) => ['--data', one]),
    '--recipe',
    'pretrain-ecg-dual-small',
    '--out',
    `${runs}/encoder-${name}`,
  );
const read = (path) => JSON.parse(readFileSync(join(root, runs, path, 'result.json'), 'utf8'));

pretrain('sample', ['sample-ecg']);
if (datasets.length > 0) pretrain('whole', datasets);
const names = ['scratch', 'sample', ...(datasets.length > 0 ? ['whole'] : [])];
const given = datasets.map((one) => one.replace(/=.*/, '=FOLDER'));
const found = { command: ['node scripts/compare-ecg-pretraining.mjs', ...given].join(' ') };
for (const name of names) {
  const weights = name === 'scratch' ? [] : ['--ecg', `${runs}/encoder-${name}/encoder.safetensors`];
  heartmind(
    ...[
      'evaluate',
      '--data',
      'sample-eegmat',
      '--recipe',
      'finetune-ecg-small',
      '--protocol',
      'k-fold',
      '--folds',
      '5',
    ],
    ...weights,
    ...['--out', `${runs}/eegmat-${name}`],
  );
  const { models, trials, protocol, windows, seeds, versions } = read(`eegmat-${name}`);
  const pretraining = name === 'scratch' ? null : read(`encoder-${name}`);
  found[name] = {
    ...{ protocol, windows, seeds, versions },
    window: models.ecg,
    trial: trials.ecg,
    classical: models['classical-ecg'],
    pretraining: pretraining && {
      data: pretraining.dataset.title,
      windows: pretraining.windows,
      last: pretraining.curves[0].rows.at(-1),
    },
  };
}
writeFileSync(join(root, 'results/ecg-pretraining.json'), `${JSON.stringify(found, null, 1)}\n`);
