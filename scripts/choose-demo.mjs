#!/usr/bin/env node
/**
 * Which recipe makes the most of the released encoders on EEGMAT, in minutes: frozen or tuned, how they are fused, how many
 * layers, how much ECG. Four folds of people 00–31 alone, 4 of each fold's training people choose its epoch; people 32–35,
 * on whom the demo and the released model are tested, are never read. (`eeg-4` saw people 00–27 without labels, so its
 * figures here are a little too good, for every candidate alike.) Writes results/demo-choices.json after every candidate;
 * those that stand in it already are not run again. Run after `npm run setup`.
 *
 *   node scripts/choose-demo.mjs [--threads N] [NAME…]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findDataset,
  finetune,
  loadEncoderWeights,
  loadWindows,
  parseFinetuneRecipe,
  planFolds,
  scoreAll,
} from 'heartmind';
import { createNodeBackend, openFolder, readReleased, sampleDataFolder } from 'heartmind/node';
import { candidates } from './demo-candidates.mjs';

const root = join(import.meta.dirname, '..');
const path = join(root, 'results/demo-choices.json');
const { threads, wanted } = parseArguments(process.argv.slice(2));
const protocol = { kind: 'k-fold', k: 4, validationSubjects: 4 };
const scores = ['balancedAccuracy', 'auroc', 'auprc'];
const dataset = findDataset('eegmat');
const { train, validation } = dataset.splits.published;
const backend = await createNodeBackend({ device: 'cpu', threads });
const encoders = {};
for (const [modality, name] of [
  ['eeg', 'eeg-4'],
  ['ecg', 'ecg-12'],
])
  encoders[modality] = loadEncoderWeights(await readReleased(name), name).tensors;
const prepared = new Map(); // windows by recipe of preparation
const cache = new Map(); // embeddings of frozen encoders

const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).candidates : {};
const results = {};
for (const [name, { models, ...plain }] of Object.entries(candidates)) {
  const recipe = parseFinetuneRecipe(plain.recipe, name);
  const known = before[name];
  if (known && JSON.stringify(known.recipe) === JSON.stringify(recipe)) results[name] = known;
  else if (wanted.length === 0 || wanted.includes(name))
    results[name] = { recipe, seeds: plain.seeds, ...(await evaluate(name, recipe, models, plain.seeds)) };
  write();
}

async function evaluate(name, recipe, models, seeds) {
  const windows = await windowsOf(recipe.prepare);
  const folds = planFolds(protocol, windows, dataset, 0);
  const begun = performance.now();
  const rows = {};
  for (const model of models) {
    const own = model.split('+');
    const both = own.length === 2;
    const reduced = {
      ...recipe,
      ...(!both && { fusion: 'concatenate', modalityDropout: 0 }),
      encoders: Object.fromEntries(own.map((modality) => [modality, recipe.encoders[modality]])),
    };
    const found = {};
    for (const seed of seeds)
      for (const fold of folds) {
        const { testProbabilities, missingProbabilities } = await finetune({
          ...{ backend, windows, cache, encoders, recipe: { ...reduced, seed } },
          ...{ training: fold.train, validation: fold.validation, test: fold.test },
          testMissing: both && recipe.modalityDropout > 0,
        });
        const parts = { '': testProbabilities };
        for (const [missing, values] of Object.entries(missingProbabilities))
          parts[`, ${missing.toUpperCase()} missing`] = values;
        for (const [what, values] of Object.entries(parts))
          for (const [i, index] of fold.test.entries()) {
            const all = (found[what] ??= {});
            (all[seed] ??= new Float64Array(2 * windows.count)).set(
              values.subarray(2 * i, 2 * i + 2),
              2 * index,
            );
          }
      }
    for (const [what, bySeed] of Object.entries(found)) {
      const each = Object.values(bySeed).map((values) => scoreAll(windows.label, values, 2));
      rows[`${model}${what}`] = Object.fromEntries(
        scores.map((score) => [score, round(each.reduce((sum, one) => sum + one[score], 0) / each.length)]),
      );
    }
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(name, `${seconds} s`, JSON.stringify(rows));
  return { seconds, models: rows };
}

async function windowsOf(prepare = dataset.recipe) {
  const key = JSON.stringify(prepare);
  if (!prepared.has(key))
    prepared.set(
      key,
      await loadWindows(dataset, await openFolder(sampleDataFolder('eegmat')), prepare, {
        target: 'task',
        subjects: [...train, ...validation],
      }),
    );
  return prepared.get(key);
}

function write() {
  const text = JSON.stringify(
    {
      command: 'node scripts/choose-demo.mjs',
      encoders: { eeg: 'eeg-4', ecg: 'ecg-12' },
      people: 'EEGMAT 00–31: 4 folds by subject, predictions pooled, mean over the seeds; 32–35 are not read',
      engine: backend.description,
      candidates: results,
    },
    null,
    1,
  );
  writeFileSync(path, `${text}\n`);
}

function round(value) {
  return Number(value.toFixed(4));
}

function parseArguments(given) {
  const at = given.indexOf('--threads');
  const wanted = at < 0 ? given : given.toSpliced(at, 2);
  return { threads: at < 0 ? undefined : Number(given[at + 1]), wanted };
}
