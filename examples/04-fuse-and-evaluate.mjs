// The released encoders, one head, evaluated on people who were not trained on, beside baselines. Run: node examples/04-fuse-and-evaluate.mjs
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import {
  createProgress,
  findDataset,
  formatScore,
  loadEncoderWeights,
  loadWindows,
  parseFinetuneRecipe,
  renderReport,
  runEvaluation,
} from 'heartmind';
import { createNodeBackend, openFolder, readReleased, sampleDataFolder } from 'heartmind/node';

const dataset = findDataset('eegmat');
const folder = await openFolder(sampleDataFolder('eegmat'));
const subjects = [0, 1, 2, 3, 4, 5].map((person) => `Subject0${person}`);
const windows = await loadWindows(dataset, folder, undefined, { target: 'task', subjects });

const finetune = parseFinetuneRecipe({
  version: 1,
  task: 'finetune',
  encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } }, // the first layers of deeper weights
  head: { kind: 'linear' },
  tune: 'frozen',
  classWeights: 'balanced',
  learningRates: { head: 1e-3 },
  optimization: { epochs: 5, batch: 32, minimumLearningRate: 1e-6 },
});
const load = async (name) => loadEncoderWeights(await readReleased(name), name);
const [eeg, ecg] = await Promise.all(['eeg-4', 'ecg-12'].map(load));
const result = await runEvaluation({
  ...{ name: 'six people', backend: await createNodeBackend() },
  dataset,
  target: 'task',
  windows,
  finetune,
  encoders: { eeg: eeg.tensors, ecg: ecg.tensors },
  provenance: { eeg: eeg.metadata, ecg: ecg.metadata }, // eeg-4 has seen these people, unlabelled: a note says so
  protocol: { kind: 'k-fold', k: 3, validationSubjects: 1 },
  seeds: [0],
  progress: createProgress('auto', process.stderr),
  versions: {},
});
console.log(`${result.protocol}, ${result.windows} windows`);
for (const [model, { balancedAccuracy, auroc }] of Object.entries(result.models))
  console.log(
    model.padEnd(32),
    formatScore(balancedAccuracy, result.data.subjects, (value) => value.toFixed(2)), // six people: too few for an interval
    auroc.mean?.toFixed(3),
  );
assert.match(
  result.notes[0],
  /^The eeg encoder was pre-trained on unlabelled recordings of 6 of the 6 tested/,
);
assert.deepEqual(Object.keys(result.models).slice(0, 3), ['eeg', 'ecg', 'eeg+ecg']);
if (process.argv[2]) writeFileSync(process.argv[2], renderReport(result)); // one HTML file, no network
