#!/usr/bin/env node
/**
 * Pre-trains four EEG encoders on EEGMAT, each without nine of its 36 people (scripts/eegmat-groups.mjs), on all windows
 * of the other 27: leave-one-subject-out then finds an encoder that has not seen the tested person. What is finished is not
 * done again; a stopped run goes on.
 *
 *   node scripts/pretrain-eegmat-groups.mjs [eegmat=FOLDER] [--out runs/eeg-groups] [--jobs 2]
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { groups } from './eegmat-groups.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'runs/eeg-groups' },
    jobs: { type: 'string', default: '2' },
  },
});
const data = positionals[0] ?? 'eegmat';
if (!/^eegmat(=|$)/.test(data))
  throw new Error(
    `pretrain-eegmat-groups: ${data} is not EEGMAT. Give eegmat=FOLDER, or nothing once fetched.`,
  );

const queue = Object.entries(groups);
await Promise.all(Array.from({ length: Number(values.jobs) }, work));

async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [name, unseen] = next;
    const folder = join(values.out, name);
    if (existsSync(join(folder, 'encoder.safetensors'))) continue;
    mkdirSync(folder, { recursive: true });
    const begun = performance.now();
    await heartmind(name, [
      ...['pretrain', '--data', data, '--recipe', join(root, 'recipes', 'pretrain-eeg-groups.json')],
      ...unseen.flatMap((person) => ['--leave-out', person]),
      ...['--out', folder, '--threads', '1', '--progress', 'json'],
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
