#!/usr/bin/env node
/**
 * What INT8 costs and what it gives. Every trained model that is named (default: the three of `demo --pretrain`) on EEGMAT's test
 * people, float32 against int8: scores, probabilities, decisions, embeddings, file size, time of one window and of 64.
 * Then an encoder of 12 layers with its initial weights, where only agreement means something, on windows of EEGMAT and
 * on twelve-lead ECGs. Times are taken in turn, float32 and int8, in one process: their ratio counts, not they.
 *   node scripts/measure-int8.mjs [MODEL.safetensors …] [ptbxl=FOLDER]
 * Writes results/int8.json. Run after `npm run demo -- --pretrain`; about two minutes on two cores.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, relative, resolve } from 'node:path';
import {
  decodeModel,
  Embedder,
  encoderConfig,
  exportEncoder,
  exportModel,
  findDataset,
  initialEncoder,
  loadEncoderWeights,
  loadWindows,
  Predictor,
  scoreAll,
  selectWindows,
} from 'heartmind';
import { createNodeBackend, openFolder, sampleDataFolder } from 'heartmind/node';

const root = join(import.meta.dirname, '..');
const given = process.argv.slice(2);
const ptbxl = given.find((one) => one.startsWith('ptbxl='))?.slice('ptbxl='.length);
const named = given.filter((one) => !one.startsWith('ptbxl=')).map((one) => resolve(one));
const demo = (path) => join(root, 'runs/demo-pretrain', path);
const models = [...['eeg+ecg', 'eeg', 'ecg'].map((name) => demo(`models/${name}.safetensors`)), ...named];
const rounds = { one: 60, many: 12 };
const precisions = ['float32', 'int8'];

const backend = await createNodeBackend({ device: 'cpu' });
const dataset = findDataset('eegmat');
const subjects = dataset.splits.published.test;
const folder = await openFolder(sampleDataFolder('eegmat'));
/** The test people's windows as a recipe cuts them, each recipe once. */
const cut = new Map();
async function testWindows(recipe) {
  const key = JSON.stringify(recipe);
  if (!cut.has(key)) cut.set(key, await loadWindows(dataset, folder, recipe, { target: 'task', subjects }));
  return cut.get(key);
}

const trained = {};
for (const path of models) {
  if (!existsSync(path)) throw new Error(`${path} is not there. Run \`npm run demo -- --pretrain\` first.`);
  const name = relative(root, path);
  console.log(name);
  trained[name] = await measureModel(decodeModel(new Uint8Array(readFileSync(path)), path));
}

const encoders = {};
const eeg = (await testWindows(dataset.recipe)).signals.eeg;
const ecg = await loadEcg();
const deep = {
  config: encoderConfig({ layers: 12 }),
  tensors: initialEncoder(encoderConfig({ layers: 12 }), 0),
};
encoders['12 layers, initial weights, EEGMAT EEG'] = await measureEncoder(deep, eeg);
encoders[`12 layers, initial weights, ${ecg.source}`] = await measureEncoder(deep, ecg.signal);
const pretrained = demo('encoders/ecg.safetensors');
if (existsSync(pretrained)) {
  const { tensors, layers } = loadEncoderWeights(new Uint8Array(readFileSync(pretrained)), pretrained);
  const encoder = { config: encoderConfig({ layers }), tensors };
  encoders[`${layers} layers, pre-trained by the demo, ${ecg.source}`] = await measureEncoder(
    encoder,
    ecg.signal,
  );
}

writeFileSync(
  join(root, 'results/int8.json'),
  `${JSON.stringify(
    {
      command: `node scripts/measure-int8.mjs${ptbxl ? ' ptbxl=FOLDER' : ''}`,
      kind: 'int8',
      processor: `${cpus().length} × ${cpus()[0].model}`,
      node: process.versions.node,
      engine: backend.description,
      // Of the last 15 minutes: above the number of cores, times are those of a busy machine.
      load: loadavg()[2],
      protocol: `EEGMAT, published split, ${subjects.length} test people`,
      times: `milliseconds: median, smallest, largest of ${rounds.one} runs of one window, ${rounds.many} of a batch; float32 and int8 in turn`,
      trained,
      encoders,
    },
    null,
    1,
  )}\n`,
);

/** A trained model in both precisions on the test people. */
async function measureModel(model) {
  const { config, classes, tensors, recipe } = model;
  const windows = await testWindows(recipe);
  const modalities = Object.keys(config.signals);
  const [exact, rounded] = precisions.map(
    (precision) => new Predictor(backend, config, tensors, { precision }),
  );
  const [a, b] = [await exact.probabilities(windows.signals), await rounded.probabilities(windows.signals)];
  const alone = await rounded.probabilities(windows.signals, { batch: 1 });
  const decide = (p, i) => p.subarray(i * classes.length, (i + 1) * classes.length).indexOf(largest(p, i));
  const largest = (p, i) => Math.max(...p.subarray(i * classes.length, (i + 1) * classes.length));
  const all = [...windows.label.keys()];
  const [one, many] = [1, 64].map((count) => selectWindows(windows, all.slice(0, count)).signals);
  const sizes = precisions.map((precision) => exportModel(model, { precision }).length);
  const embeddings = {};
  const [exactVectors, roundedVectors] = [
    await exact.embeddings(windows.signals),
    await rounded.embeddings(windows.signals),
  ];
  for (const modality of modalities)
    embeddings[modality] = cosines(exactVectors[modality].pooled, roundedVectors[modality].pooled);
  const result = {
    layers: config.signals[modalities[0]].encoder.layers,
    windows: windows.count,
    scores: Object.fromEntries(precisions.map((p, i) => [p, pickScores(windows, [a, b][i], classes)])),
    probabilities: differences(a, b),
    sameDecision: all.filter((i) => decide(a, i) === decide(b, i)).length / windows.count,
    // The range of activations is that of a whole batch: what else lies in it moves a result.
    batchOfOne: differences(b, alone),
    embeddings,
    bytes: { float32: sizes[0], int8: sizes[1], ratio: sizes[1] / sizes[0] },
    oneWindow: await inTurn(exact, rounded, (predictor) => predictor.probabilities(one), rounds.one),
    windows64: await inTurn(exact, rounded, (predictor) => predictor.probabilities(many), rounds.many),
  };
  await exact.dispose();
  await rounded.dispose();
  return result;
}

/** An encoder in both precisions on windows of one signal. */
async function measureEncoder({ config, tensors }, { channels, patches, patchSamples, data }) {
  const size = { channels: channels.length, patches };
  const length = channels.length * patches * patchSamples;
  const [exact, rounded] = precisions.map(
    (precision) => new Embedder(backend, config, tensors, size, { precision }),
  );
  const some = data.subarray(0, 192 * length);
  const [a, b] = [
    await exact.embed(some, { batch: 16, tokens: true }),
    await rounded.embed(some, { batch: 16, tokens: true }),
  ];
  const [one, many] = [1, 16].map((count) => data.subarray(0, count * length));
  const sizes = precisions.map((precision) => exportEncoder(tensors, { ...size, precision }).length);
  const result = {
    ...size,
    windows: a.count,
    pooled: cosines(a.pooled, b.pooled),
    tokens: cosines(a.tokens, b.tokens),
    bytes: { float32: sizes[0], int8: sizes[1], ratio: sizes[1] / sizes[0] },
    oneWindow: await inTurn(exact, rounded, (embedder) => embedder.embed(one), rounds.one),
    windows16: await inTurn(exact, rounded, (embedder) => embedder.embed(many), rounds.many),
  };
  await exact.dispose();
  await rounded.dispose();
  return result;
}

/** Ten-second twelve-lead ECGs: 64 of PTB-XL where its folder is given, else the embedded ones. */
async function loadEcg() {
  const spec = findDataset(ptbxl ? 'ptbxl' : 'sample-ecg');
  const from = await openFolder(ptbxl ?? sampleDataFolder('ecg12'));
  const people = [...new Set((await spec.trials(from)).map(({ subject }) => subject))].slice(0, 64);
  const { signals } = await loadWindows(spec, from, undefined, { subjects: people, skipBroken: true });
  return { source: ptbxl ? 'PTB-XL' : 'embedded ECGs', signal: signals.ecg };
}

function pickScores({ label }, probabilities, classes) {
  const { balancedAccuracy, auroc, auprc } = scoreAll(label, probabilities, classes.length);
  return { balancedAccuracy, auroc, auprc };
}

/** Largest and mean absolute difference. */
function differences(a, b) {
  const each = Array.from(a, (value, i) => Math.abs(value - b[i]));
  return { largest: Math.max(...each), mean: each.reduce((sum, value) => sum + value, 0) / each.length };
}

/** Smallest and mean cosine similarity of rows of 200. */
function cosines(a, b, width = 200) {
  const each = Array.from({ length: a.length / width }, (_, row) => {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = row * width; i < (row + 1) * width; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return ab / Math.sqrt(aa * bb);
  });
  return { smallest: Math.min(...each), mean: each.reduce((sum, value) => sum + value, 0) / each.length };
}

/** Milliseconds of both, run in turn, and the ratio of their medians and of their smallest. */
async function inTurn(exact, rounded, run, count) {
  const times = { float32: [], int8: [] };
  for (let round = -3; round < count; round++) {
    for (const [key, one] of [
      ['float32', exact],
      ['int8', rounded],
    ]) {
      const begun = performance.now();
      await run(one);
      if (round >= 0) times[key].push(performance.now() - begun);
    }
  }
  const [a, b] = [times.float32, times.int8].map((list) => list.sort((x, y) => x - y));
  const spread = (list) => [list[list.length >> 1], list[0], list.at(-1)];
  return {
    float32: spread(a),
    int8: spread(b),
    ratio: b[b.length >> 1] / a[a.length >> 1],
    ratioOfSmallest: b[0] / a[0],
  };
}
