#!/usr/bin/env node
/**
 * Pre-trains the encoders of the masking study: every arm of scripts/masking-arms.mjs, three seeds, one budget, on the
 * training folds of PTB-XL alone. What is finished is not done again; a stopped run goes on.
 *
 *   node scripts/pretrain-masking.mjs ptbxl=FOLDER [--out runs/masking] [--jobs 2] [--seeds 0,1,2]
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { armRecipe, arms } from './masking-arms.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'runs/masking' },
    jobs: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '0,1,2' },
  },
});
const data = positionals[0];
if (!data?.startsWith('ptbxl=')) throw new Error('pretrain-masking: no data. Name it: ptbxl=FOLDER.');

const base = JSON.parse(readFileSync(join(root, 'recipes', 'pretrain-ecg-masking.json'), 'utf8'));
// Seed by seed, so that what is there is always a whole comparison.
const queue = values.seeds
  .split(',')
  .map(Number)
  .flatMap((seed) => Object.keys(arms).map((arm) => ({ arm, seed })));

await Promise.all(Array.from({ length: Number(values.jobs) }, work));

async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const name = `${next.arm}-seed${next.seed}`;
    const folder = join(values.out, name);
    if (existsSync(join(folder, 'encoder.safetensors'))) continue;
    mkdirSync(folder, { recursive: true });
    const recipe = join(values.out, `${name}.json`);
    writeFileSync(recipe, `${JSON.stringify(armRecipe(base, next.arm, next.seed), null, 1)}\n`);
    const begun = performance.now();
    await heartmind(name, [
      ...['pretrain', '--data', data, '--part', 'train', '--recipe', recipe, '--out', folder],
      ...['--threads', '1', '--progress', 'json'],
    ]);
    console.log(`${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
}

function heartmind(name, args) {
  const log = openSync(join(values.out, `${name}.log`), 'a');
  return new Promise((resolve, reject) => {
    const cli = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
      stdio: ['ignore', log, log],
    });
    cli.on('error', reject);
    cli.on('exit', (code) => {
      closeSync(log);
      if (code === 0) resolve();
      else reject(new Error(`${name}: pretrain ended with ${code}. See ${values.out}/${name}.log.`));
    });
  });
}
