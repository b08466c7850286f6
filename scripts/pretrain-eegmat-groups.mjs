#!/usr/bin/env node
/**
 * Pre-trains four EEG encoders on EEGMAT, each without nine of its 36 people (scripts/eegmat-groups.mjs), on all windows
 * of the other 27: leave-one-subject-out then finds an encoder that has not seen the tested person. What is finished is not
 * done again; a stopped run goes on.
 *
 *   node scripts/pretrain-eegmat-groups.mjs [eegmat=FOLDER] [--out runs/eeg-groups] [--jobs 2]
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { groups } from './eegmat-groups.mjs';
import { doAll, heartmind, root } from './heartmind-jobs.mjs';

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

await doAll(Object.entries(groups), Number(values.jobs), async ([name, unseen]) => {
  const folder = join(values.out, name);
  if (existsSync(join(folder, 'encoder.safetensors'))) return;
  mkdirSync(folder, { recursive: true });
  const recipe = join(root, 'recipes', 'pretrain-eeg-groups.json');
  const left = unseen.flatMap((person) => ['--leave-out', person]);
  const words = ['pretrain', '--data', data, '--recipe', recipe, ...left, '--out', folder];
  await heartmind(name, [...words, '--threads', '1', '--progress', 'json'], join(values.out, `${name}.log`));
});
