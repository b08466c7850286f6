#!/usr/bin/env node
/**
 * Writes the documents' tables of figures from results/*.json and bench/results/*.json, between `<!-- table NAME -->`
 * and `<!-- /table -->`.
 * `--check` writes nothing and ends with 1 where a table is not what its JSON gives (a test runs it).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchTables } from '../bench/tables.mjs';
import { contextTables } from './context-tables.mjs';
import { coverageTables } from './coverage-tables.mjs';
import { int8Tables } from './int8-tables.mjs';
import { ladderTables } from './ladder-tables.mjs';
import { drawMasking, maskingTables } from './masking-tables.mjs';
import { scienceTables } from './science-tables.mjs';
import { statements } from './statements.mjs';
import { storeTableFile, storeTables } from './store-tables.mjs';
import { interval } from './table-cells.mjs';
import { cardScores } from './weight-cards.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
let stale = 0;

const names = {
  'eeg+ecg': '**EEG + ECG, concatenated**',
  'eeg+ecg, ECG missing': '**the same model, ECG missing**',
  'eeg+ecg, EEG missing': '**the same model, EEG missing**',
  eeg: 'EEG encoder alone',
  ecg: 'ECG encoder alone',
  majority: 'majority class',
  'classical-eeg': 'classical, EEG (band power)',
  'classical-ecg': 'classical, ECG (heart rate and variability)',
  'classical-eeg+ecg': 'classical, both',
  'classical-eeg-standardised': 'classical, EEG, standardised per subject (transductive)',
  'classical-ecg-standardised': 'classical, ECG, standardised per subject (transductive)',
  'classical-eeg+ecg-standardised': 'classical, both, standardised per subject (transductive)',
};

for (const file of [
  'README.md',
  'docs/results.md',
  'docs/weights.md',
  'docs/benchmarks.md',
  'docs/data-at-scale.md',
  'docs/formats.md',
  'docs/statistics.md',
  'weights/workload.md',
]) {
  const path = join(root, file);
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    continue;
  }
  const updated = text.replace(
    /(<!-- table ([\w-]+) -->\n)[\s\S]*?(<!-- \/table -->)/g,
    (_, open, name, close) => {
      if (benchTables[name]) return `${open}${benchTables[name](readBench)}${close}`;
      if (ladderTables[name]) return `${open}${ladderTables[name](readResult)}${close}`;
      if (maskingTables[name]) return `${open}${maskingTables[name](readResult)}${close}`;
      for (const writers of [scienceTables, statements, coverageTables, contextTables])
        if (writers[name]) return `${open}${writers[name](readResult)}${close}`;
      // The demo trains the released model.
      if (name === 'workload-card') return `${open}${cardScores(readResult('demo'))}${close}`;
      const path = join(root, 'results', `${storeTableFile(name)}.json`);
      if (name === 'fuzz') return `${open}${renderFuzz(path)}${close}`;
      if (storeTables[name] && !existsSync(path)) return `${open}Not measured yet.\n${close}`;
      const result = JSON.parse(readFileSync(path, 'utf8'));
      if (storeTables[name]) return `${open}${storeTables[name](result)}${close}`;
      return `${open}${result.kind === 'int8' ? int8Tables(result) : renderTable(result)}${close}`;
    },
  );
  if (updated === text) continue;
  if (check) {
    console.error(`${file}: a table differs from its JSON. Run \`node scripts/write-tables.mjs\`.`);
    stale++;
  } else writeFileSync(path, updated);
}
const masking = readResult('masking');
if (masking) writePicture('docs/masking.svg', drawMasking(masking));
process.exit(stale > 0 ? 1 : 0);

/** A picture made of figures is as stale as a table. */
function writePicture(file, picture) {
  const path = join(root, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === picture) return;
  if (check) {
    console.error(`${file}: the picture differs from its JSON. Run \`node scripts/write-tables.mjs\`.`);
    stale++;
  } else writeFileSync(path, picture);
}

/** What the fuzzer found, a row a format. */
function renderFuzz(path) {
  if (!existsSync(path)) return 'Not run yet.\n';
  const { command, cases, formats, violations } = JSON.parse(readFileSync(path, 'utf8'));
  const rows = Object.entries(formats).map(
    ([
      name,
      { cases: count, opened, refused, violations: broken, slowestMilliseconds, largestGrowthBytes },
    ]) =>
      `| ${name} | ${count} | ${opened} | ${refused} | ${broken} | ${slowestMilliseconds} ms | ${(largestGrowthBytes / 2 ** 20).toFixed(1)} MiB |`,
  );
  return [
    `\`${command}\`: ${cases} cases, ${violations.length} broken promises. "Memory": by how much one case raised the largest size of its process.`,
    '',
    '| format | cases | opened | refused | broken promises | slowest | memory |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** results/NAME.json; undefined where it was never run. */
function readResult(name) {
  const path = join(root, 'results', `${name}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** A section of the benchmark; undefined where it was never run. */
function readBench(section) {
  const path = join(root, 'bench/results', `${section}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function renderTable(result) {
  const people = new Set(result.folds.flatMap(({ test }) => test)).size;
  const score = (value) => interval(value, people) || '–';
  const rows = Object.entries(names)
    .filter(([key]) => result.models[key])
    .map(([key, label]) => {
      const { balancedAccuracy, auroc, auprc } = result.models[key];
      return `| ${label} | ${score(balancedAccuracy)} | ${score(auroc)} | ${score(auprc)} |`;
    });
  return ['| model | balanced accuracy | AUROC | AUC-PR |', '|---|---|---|---|', ...rows, ''].join('\n');
}
