#!/usr/bin/env node
/**
 * Pre-trains the encoders of the masking study: every arm of scripts/masking-arms.mjs, three seeds, one budget, on the
 * training folds of PTB-XL alone. What is finished is not done again; a stopped run goes on.
 *
 *   node scripts/pretrain-masking.mjs ptbxl=FOLDER [--out runs/masking] [--jobs 2] [--seeds 0,1,2] [--arms dual,random]
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { doAll, heartmind, root } from './heartmind-jobs.mjs';
import { armRecipe, arms } from './masking-arms.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'runs/masking' },
    jobs: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '0,1,2' },
    arms: { type: 'string', default: Object.keys(arms).join(',') },
  },
});
const data = positionals[0];
if (!data?.startsWith('ptbxl=')) throw new Error('pretrain-masking: no data. Name it: ptbxl=FOLDER.');

const base = JSON.parse(readFileSync(join(root, 'recipes', 'pretrain-ecg-masking.json'), 'utf8'));
// Seed by seed, so that what is there is always a whole comparison.
const trainings = values.seeds
  .split(',')
  .map(Number)
  .flatMap((seed) => values.arms.split(',').map((arm) => ({ arm, seed })));

await doAll(trainings, Number(values.jobs), async ({ arm, seed }) => {
  const name = `${arm}-seed${seed}`;
  const folder = join(values.out, name);
  if (existsSync(join(folder, 'encoder.safetensors'))) return;
  mkdirSync(folder, { recursive: true });
  const recipe = join(values.out, `${name}.json`);
  writeFileSync(recipe, `${JSON.stringify(armRecipe(base, arm, seed), null, 1)}\n`);
  const words = ['pretrain', '--data', data, '--part', 'train', '--recipe', recipe, '--out', folder];
  await heartmind(name, [...words, '--threads', '1', '--progress', 'json'], join(values.out, `${name}.log`));
});
