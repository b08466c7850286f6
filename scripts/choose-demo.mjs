#!/usr/bin/env node
/**
 * Which recipe makes the most of the released encoders on EEGMAT, in minutes: frozen or tuned, how they are fused, how many
 * layers, how much ECG. People 28–31 after training on 00–27, and four folds of people 00–31; people 32–35, on whom the demo
 * and the released model are tested, are never read. (`eeg-4` saw people 00–27 without labels, so that its figures in the
 * folds are a little too good, for every candidate alike.) Writes results/demo-choices.json after every candidate;
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
for (const [name, candidate] of Object.entries(candidates)) {
  const asked = JSON.parse(JSON.stringify(candidate));
  const known = before[name];
  if (known && JSON.stringify(known.asked) === JSON.stringify(asked)) results[name] = known;
  else if (wanted.length === 0 || wanted.includes(name))
    results[name] = { asked, ...(await evaluate(name, candidate)) };
  write();
}

async function evaluate(name, { recipe: plain, models, seeds, crossValidated }) {
  const recipe = parseFinetuneRecipe(plain, name);
  const windows = await windowsOf(recipe.prepare);
  const whole = [{ train: indicesOf(windows, train), validation: indicesOf(windows, validation), test: [] }];
  const begun = performance.now();
  const rows = { validation: {}, ...(crossValidated && { crossValidation: {} }) };
  for (const model of models) {
    const own = recipeOf(recipe, model.split('+'));
    rows.validation[model] = meanOf(await predictAll(windows, own, seeds, whole, 'validation'));
    if (!crossValidated) continue;
    const folds = planFolds(protocol, windows, dataset, 0);
    for (const [what, bySeed] of await predictAll(windows, own, seeds, folds, 'test'))
      rows.crossValidation[`${model}${what}`] = meanOf([[what, bySeed]]);
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(name, `${seconds} s`, JSON.stringify(rows));
  return { seconds, ...rows };
}

/** The recipe of one modality alone, or of both. */
function recipeOf(recipe, modalities) {
  return {
    ...recipe,
    ...(modalities.length === 1 && { fusion: 'concatenate', modalityDropout: 0 }),
    encoders: Object.fromEntries(modalities.map((modality) => [modality, recipe.encoders[modality]])),
  };
}

/** '', ', EEG missing' … → scores of every seed, of the windows that a part of the folds holds. */
async function predictAll(windows, recipe, seeds, folds, part) {
  const scored = new Map();
  for (const seed of seeds) {
    const predicted = new Map();
    for (const fold of folds) {
      const { testProbabilities, validationProbabilities, missingProbabilities } = await finetune({
        ...{ backend, windows, cache, encoders, recipe: { ...recipe, seed } },
        ...{ training: fold.train, validation: fold.validation, test: fold.test },
        testMissing: part === 'test' && recipe.modalityDropout > 0,
      });
      const values = { '': part === 'test' ? testProbabilities : validationProbabilities };
      for (const [missing, found] of Object.entries(missingProbabilities))
        values[`, ${missing.toUpperCase()} missing`] = found;
      for (const [what, found] of Object.entries(values))
        predicted.set(what, [...(predicted.get(what) ?? []), [fold[part], found]]);
    }
    for (const [what, parts] of predicted) {
      const truth = parts.flatMap(([indices]) => indices.map((i) => windows.label[i]));
      const values = Float64Array.from(parts.flatMap(([, found]) => [...found]));
      scored.set(what, [...(scored.get(what) ?? []), scoreAll(truth, values, 2)]);
    }
  }
  return scored;
}

/** Means over the seeds, four digits. */
function meanOf(scored) {
  const [[, each]] = scored;
  return Object.fromEntries(
    scores.map((score) => [
      score,
      Number((each.reduce((sum, one) => sum + one[score], 0) / each.length).toFixed(4)),
    ]),
  );
}

function indicesOf(windows, people) {
  return [...windows.subject.keys()].filter((i) => people.includes(windows.subject[i]));
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
      people: {
        validation: 'EEGMAT 00–27 train; 28–31, who choose the epoch, are scored: a little too good',
        crossValidation: 'EEGMAT 00–31 in 4 folds by subject, predictions pooled; 4 others choose the epoch',
        notRead: 'EEGMAT 32–35',
      },
      engine: backend.description,
      candidates: results,
    },
    null,
    1,
  );
  writeFileSync(path, `${text}\n`);
}

function parseArguments(given) {
  const at = given.indexOf('--threads');
  const wanted = at < 0 ? given : given.toSpliced(at, 2);
  return { threads: at < 0 ? undefined : Number(given[at + 1]), wanted };
}
