// Train a small fused model, keep it in one file, read it back, predict a recording. Run: node examples/05-predict-a-recording.mjs
import { join } from 'node:path';
import {
  decodeModel,
  encodeModel,
  findDataset,
  finetune,
  loadWindows,
  parseFinetuneRecipe,
  TimelinePredictor,
} from 'heartmind';
import { createNodeBackend, openFolder, openRecordingFile, sampleDataFolder } from 'heartmind/node';

const backend = await createNodeBackend();
const folder = sampleDataFolder('eegmat');
const windows = await loadWindows(findDataset('eegmat'), await openFolder(folder), undefined, {
  target: 'task',
  subjects: ['Subject00', 'Subject01', 'Subject02', 'Subject03'],
});
const of = (...people) => [...windows.subject.keys()].filter((i) => people.includes(windows.subject[i]));
const { model } = await finetune({
  backend,
  windows,
  training: of('Subject00', 'Subject01', 'Subject02'),
  validation: of('Subject03'),
  recipe: parseFinetuneRecipe({
    version: 1,
    task: 'finetune',
    encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
    head: { kind: 'mlp', hidden: 16 },
    tune: 'frozen',
    optimization: { epochs: 5, batch: 32, minimumLearningRate: 1e-6 },
  }),
});
const bytes = encodeModel(model); // weights, recipe of preparation, classes: everything that prediction needs

const predictor = new TimelinePredictor(backend, decodeModel(bytes, 'my model'));
const recording = await openRecordingFile(join(folder, 'Subject05_2.edf.gz'));
const { entries, classes } = await predictor.predict(recording);
for (const { start, duration, predicted, probabilities } of entries.slice(0, 5))
  console.log(
    `${start}–${start + duration} s  ${predicted}  ${classes.map((name, k) => `${name} ${probabilities[k].toFixed(2)}`).join('  ')}`,
  );
await recording.close();
await predictor.dispose();
