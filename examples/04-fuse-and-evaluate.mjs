// Two encoders, one head, evaluated on people who were not trained on, beside baselines. Run: node examples/04-fuse-and-evaluate.mjs
import { writeFileSync } from 'node:fs';
import {
  createProgress,
  findDataset,
  loadWindows,
  parseFinetuneRecipe,
  renderReport,
  runEvaluation,
} from 'heartmind';
import { createNodeBackend, openFolder, sampleDataFolder } from 'heartmind/node';

const dataset = findDataset('eegmat');
const folder = await openFolder(sampleDataFolder('eegmat'));
const subjects = ['Subject00', 'Subject01', 'Subject02', 'Subject03', 'Subject04', 'Subject05'];
const windows = await loadWindows(dataset, folder, undefined, { target: 'task', subjects });

const finetune = parseFinetuneRecipe({
  version: 1,
  task: 'finetune',
  encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } }, // give `encoders` below to start from pre-trained ones
  head: { kind: 'linear' },
  tune: 'frozen',
  classWeights: 'balanced',
  learningRates: { head: 1e-3 },
  optimization: { epochs: 5, batch: 32, minimumLearningRate: 1e-6 },
});
const result = await runEvaluation({
  name: 'six people',
  backend: await createNodeBackend(),
  dataset,
  target: 'task',
  windows,
  finetune,
  encoders: {},
  protocol: { kind: 'k-fold', k: 3, validationSubjects: 1 },
  seeds: [0],
  progress: createProgress('auto', process.stderr),
  versions: {},
});
console.log(`${result.protocol}, ${result.windows} windows`);
for (const [model, { balancedAccuracy, auroc }] of Object.entries(result.models))
  console.log(
    model.padEnd(32),
    balancedAccuracy.mean?.toFixed(3),
    `[${balancedAccuracy.low?.toFixed(3)}, ${balancedAccuracy.high?.toFixed(3)}]`,
    auroc.mean?.toFixed(3),
  );
if (process.argv[2]) writeFileSync(process.argv[2], renderReport(result)); // one HTML file, no network
