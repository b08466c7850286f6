// Self-supervised pre-training with dual masks on the embedded 12-lead ECGs, tiny. Run: node examples/03-pretrain-an-encoder.mjs
import { writeFileSync } from 'node:fs';
import {
  createProgress,
  encodePretrained,
  findDataset,
  loadWindows,
  parsePretrainRecipe,
  pretrain,
} from 'heartmind';
import { createNodeBackend, openFolder, sampleDataFolder } from 'heartmind/node';

const dataset = findDataset('sample-ecg');
const folder = await openFolder(sampleDataFolder('ecg12'));
const some = (await dataset.trials(folder)).slice(0, 24).map(({ subject }) => subject);
const windows = await loadWindows(dataset, folder, undefined, { subjects: some });

const recipe = parsePretrainRecipe({
  version: 1,
  task: 'pretrain',
  modality: 'ecg',
  encoder: { layers: 1 },
  leadSubsets: [12, 2, 1], // a chest strap has one lead
  optimization: { epochs: 3, batch: 8, minimumLearningRate: 1e-5 },
});
const progress = createProgress('auto', process.stderr);
const result = await pretrain({
  backend: await createNodeBackend(),
  windows,
  recipe,
  progress: (total) => progress.stage('pre-train', total),
});
for (const { epoch, trainLoss, 'loss.dual': dual, 'loss.inter': inter, 'zero.dual': zero } of result.curves)
  console.log(
    `epoch ${epoch}: training ${trainLoss.toFixed(4)}, hidden by dual ${dual.toFixed(4)}, whole leads ${inter.toFixed(4)} (predicting 0: ${zero.toFixed(4)})`,
  );
const out = process.argv[2];
if (out) writeFileSync(out, encodePretrained(result)); // official CBraMod names, in safetensors
