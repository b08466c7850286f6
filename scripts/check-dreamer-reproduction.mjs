#!/usr/bin/env node
/**
 * The whole way from a DREAMER.mat to the table, on made-up files of the published structure in which it is known what can
 * be predicted from what → results/dreamer-synthetic.json. After `npm run build`:
 *
 *     node scripts/check-dreamer-reproduction.mjs [--people 23] [--films 18] [--seconds 60] [--effect-size 0.8]
 *       [--eeg WEIGHTS] [--ecg WEIGHTS] [--threads 1] [--keep FOLDER] [--main OTHER-BUILD]
 *
 * Encoders are the released ones, frozen, unless --eeg and --ecg name others.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    people: { ...text, default: '23' },
    films: { ...text, default: '18' },
    seconds: { ...text, default: '60' },
    'effect-size': { ...text, default: '0.8' },
    ...{ eeg: text, ecg: text, threads: text, keep: text },
    /** The command line to run: another build of it. */
    main: { ...text, default: join(root, 'dist/cli.js') },
  },
});
const cases = {
  eeg: ['--effect', 'eeg'],
  ecg: ['--effect', 'ecg'],
  interaction: ['--effect', 'interaction'],
  none: ['--effect', 'none'],
  film: ['--effect', 'none', '--confound', '1'],
};

const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'dreamer-'));
mkdirSync(folder, { recursive: true });
const recipe = JSON.parse(readFileSync(join(root, 'recipes/reproduce-dreamer.json'), 'utf8'));
const recipePath = join(folder, 'recipe.json');
// The rating that something is planted in, alone.
writeFileSync(recipePath, JSON.stringify({ ...recipe, targets: ['valence'] }));
const sizes = ['people', 'films', 'seconds', 'effect-size'].flatMap((name) => [`--${name}`, values[name]]);
const results = {};
for (const [name, planted] of Object.entries(cases)) {
  const file = join(folder, `${name}.mat`);
  const out = join(folder, name);
  run([join(root, 'scripts/make-synthetic-dreamer.mjs'), file, ...sizes, ...planted]);
  const given = ['eeg', 'ecg', 'threads'].flatMap((one) => (values[one] ? [`--${one}`, values[one]] : []));
  run([values.main, 'reproduce', 'dreamer', '--data', file, '--recipe', recipePath, '--out', out, ...given]);
  rmSync(file);
  const { tables, encoders, notes, data, versions } = JSON.parse(
    readFileSync(join(out, 'reproduce-dreamer.json'), 'utf8'),
  );
  const rows = tables.map(({ comparisons: _, ...table }) => table);
  results[name] = {
    ...{ planted: planted.join(' '), windows: data.windows },
    ...{ encoders, notes, versions, tables: rows },
  };
}
const command = `node scripts/check-dreamer-reproduction.mjs ${sizes.join(' ')}`;
mkdirSync(join(root, 'results'), { recursive: true });
writeFileSync(
  join(root, 'results/dreamer-synthetic.json'),
  `${JSON.stringify({ command, effectSize: Number(values['effect-size']), results }, null, 1)}\n`,
);
if (!values.keep) rmSync(folder, { recursive: true, force: true });

/** AUROC of each row per trial, for the terminal. */
for (const [name, { tables }] of Object.entries(results)) {
  console.log(`\n${name}`);
  for (const { protocol, rows } of tables)
    console.log(
      `  ${protocol}: ${rows.map(({ model, trials }) => `${model} ${trials.auroc.mean?.toFixed(2)}`).join(', ')}`,
    );
}

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}.`);
}
