#!/usr/bin/env node
/**
 * Why heart rate beats frozen ECG embeddings on EEGMAT. (a) How well the rate is linearly readable from `ecg-12`, by layer,
 * pooling and seconds of ECG, untrained beside; (b) what rest against arithmetic gets from the rate, from the rate as
 * embeddings tell it, from embeddings, and from both; (c) from a detector that sees the model's five seconds alone. People
 * are left out one at a time (b, c) or in five folds (a); all 36 are tested. The embeddings never saw EEGMAT.
 *   node scripts/explain-heart-rate.mjs [eegmat=FOLDER]
 * Writes results/heart-rate.json; about ten minutes on one core.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  auroc,
  beatsBetween,
  bootstrapAll,
  bootstrapDifference,
  contextSpan,
  Embedder,
  encoderConfig,
  findDataset,
  initialEncoder,
  kFoldBySubject,
  leaveOneSubjectOut,
  loadEncoderWeights,
  loadWindows,
  parseRecipe,
  runClassical,
  scoreAll,
  standardisePerSubject,
  variability,
} from 'heartmind';
import { createNodeBackend, openFolder, readReleased, sampleDataFolder } from 'heartmind/node';
import { crossFit, readability } from './read-out.mjs';

const root = join(import.meta.dirname, '..');
const given = process.argv
  .slice(2)
  .find((one) => one.startsWith('eegmat='))
  ?.slice('eegmat='.length);
const depths = [1, 2, 4, 6, 8, 10, 12];
/** Where tokens' standard deviations are read too, which takes long. */
const deviationDepths = [2, 4];
/** Of the task: as in reproduce-eegmat. */
const taskDepth = 2;
const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
const dataset = findDataset('eegmat');
const folder = await openFolder(given ?? sampleDataFolder('eegmat'));
const withContext = structuredClone(dataset.recipe);
withContext.signals.ecg.contextSeconds = 30;
// Every window, as these figures were made: at the start of a file the context looks ahead.
withContext.window.contextAcross = 'condition';
const sets = {
  5: await loadWindows(dataset, folder, dataset.recipe, { target: 'task' }),
  30: await loadWindows(dataset, folder, parseRecipe(withContext), { target: 'task' }),
};
const { subject, label, start } = sets[5];
if (sets[30].start.join() !== start.join()) throw new Error('the windows of both recipes differ.');

/** Rate, SD and RMSSD by the detector over so many seconds: of the window, five to each side of it, or up to its end. */
const heart = {
  5: heartRows((w) => [start[w], start[w] + 5]),
  15: heartRows((w) => [start[w] - 5, start[w] + 10]),
  30: heartRows((w) => contextSpan(sets[30], 'ecg', w)),
};
const rate = Object.fromEntries(
  Object.entries(heart).map(([seconds, rows]) => [seconds, rows.map((row) => row[0])]),
);
const encoders = {
  'ecg-12': loadEncoderWeights(await readReleased('ecg-12'), 'ecg-12').tensors,
  untrained: initialEncoder(encoderConfig({ layers: 12 }), 0),
};

const readable = [];
const taskEmbeddings = {};
const folds = kFoldBySubject(subject, 5, 0, 1).map(({ test }) => splitOf(test));
for (const [name, tensors] of Object.entries(encoders))
  for (const seconds of [5, 30])
    for (const layers of depths) {
      const pooled = await embed(tensors, layers, sets[seconds].signals.ecg);
      if (layers === taskDepth) taskEmbeddings[`${name} ${seconds}`] = pooled.mean;
      for (const [pool, rows] of Object.entries(pooled)) {
        if (pool !== 'mean' && !deviationDepths.includes(layers)) continue;
        const entry = { encoder: name, seconds, layers, pool };
        for (const over of pool === 'mean' ? [seconds, 15] : [seconds]) {
          const predicted = new Float64Array(subject.length);
          for (const { train, test } of folds) {
            const all = crossFit(rows, rate[over], subject, train);
            for (const i of test) predicted[i] = all[i];
          }
          entry[over === seconds ? 'sameSeconds' : 'fifteenSeconds'] = readability(predicted, rate[over]);
        }
        readable.push(entry);
        console.log(JSON.stringify(entry));
      }
    }

const people = leaveOneSubjectOut(subject, 1, 0).map(({ test }) => splitOf(test));
/** Features of every fold: most are the same in all. */
const models = {
  'heart 15 s': () => heart[15],
  'heart 5 s': () => heart[5],
  'heart 30 s': () => heart[30],
  'rate 5 s': () => heart[5].map((row) => row.slice(0, 1)),
  'rate 30 s': () => heart[30].map((row) => row.slice(0, 1)),
};
for (const [name, rows] of Object.entries(taskEmbeddings)) {
  const seconds = name.endsWith(' 5') ? 5 : 30;
  models[`rate read from ${name} s`] = (train) =>
    Array.from(crossFit(rows, rate[seconds], subject, train), (value) => Float64Array.of(value));
  models[`${name} s`] = () => rows;
  if (name.startsWith('ecg-12'))
    models[`${name} s, heart 15 s appended`] = () =>
      rows.map((row, i) => Float64Array.of(...row, ...heart[15][i]));
}
const rows = [];
const probabilities = {};
for (const [name, featuresFor] of Object.entries(models)) {
  const row = { model: name, features: 0 };
  const read = people.map(({ train }) => featuresFor(train));
  row.features = read[0][0].length;
  for (const way of ['inductive', 'transductive']) {
    const p = new Float64Array(2 * subject.length);
    let last;
    for (const [f, { train, test }] of people.entries()) {
      if (last?.raw !== read[f])
        last = {
          raw: read[f],
          rows: way === 'inductive' ? read[f] : standardisePerSubject(read[f], subject).rows,
        };
      const own = runClassical(last.rows, label, train, test, 2);
      for (const [j, i] of test.entries()) p.set(own.subarray(2 * j, 2 * j + 2), 2 * i);
    }
    probabilities[`${name}, ${way}`] = p;
    const [balancedAccuracy, area] = bootstrapAll(subject, (indices) => {
      const scores = scoreAll(pick(label, indices), pickRows(p, indices), 2);
      return [scores.balancedAccuracy, scores.auroc];
    });
    row[way] = { balancedAccuracy, auroc: area };
  }
  rows.push(row);
  console.log(name, row.inductive.auroc.mean, row.transductive.auroc.mean);
}

/** From the classical features to the embedding, one change at a time: what each costs in AUROC. */
const ladders = {
  5: ['heart 15 s', 'heart 5 s', 'rate 5 s', 'rate read from ecg-12 5 s', 'ecg-12 5 s'],
  30: ['heart 15 s', 'heart 30 s', 'rate 30 s', 'rate read from ecg-12 30 s', 'ecg-12 30 s'],
};
const causes = ['seconds', 'variability', 'readability', 'dimensions'];
const steps = Object.entries(ladders).flatMap(([seconds, names]) =>
  causes.map((cause, k) => {
    const difference = (way) => {
      const area = (name) => (indices) => {
        const p = probabilities[`${name}, ${way}`];
        return auroc(
          pick(label, indices),
          Float64Array.from(indices, (i) => p[2 * i + 1]),
        );
      };
      return bootstrapDifference(subject, area(names[k + 1]), area(names[k]));
    };
    const ways = { inductive: difference('inductive'), transductive: difference('transductive') };
    return { seconds: Number(seconds), cause, from: names[k], to: names[k + 1], ...ways };
  }),
);

const command = `node scripts/explain-heart-rate.mjs${given ? ' eegmat=FOLDER' : ''}`;
const result = {
  ...{ kind: 'heart-rate', command, created: new Date().toISOString() },
  ...{ engine: backend.description, windows: subject.length, people: people.length, taskDepth },
  ...{ readable, rows, steps },
};
writeFileSync(join(root, 'results/heart-rate.json'), `${JSON.stringify(result, null, 1)}\n`);

function heartRows(spanOf) {
  return Array.from({ length: subject.length }, (_, w) => {
    const beats = sets[5].beats.get(sets[5].trial[w]) ?? new Float64Array(0);
    const { medianRatePerMinute, sdnn, rmssd } = variability(beatsBetween(beats, ...spanOf(w)));
    return Float64Array.of(medianRatePerMinute, sdnn, rmssd);
  });
}

/** Tokens of one lead after so many layers: their mean [W][D], and beside it their standard deviation [W][2 D]. */
async function embed(tensors, layers, { channels, patches, data }) {
  const kept = [...tensors].filter(([name]) => {
    const layer = /^encoder\.layers\.(\d+)\./.exec(name)?.[1];
    return layer === undefined ? !/^proj_out\.|mask_encoding$/.test(name) : Number(layer) < layers;
  });
  const size = { channels: channels.length, patches };
  const embedder = new Embedder(backend, encoderConfig({ layers }), new Map(kept), size);
  const { count, tokens } = await embedder.embed(data, { tokens: true });
  await embedder.dispose();
  const dim = tokens.length / (count * patches);
  const both = Array.from({ length: count }, (_, w) => {
    const row = new Float64Array(2 * dim);
    for (let d = 0; d < dim; d++) {
      const values = Array.from({ length: patches }, (_, n) => tokens[(w * patches + n) * dim + d]);
      const mean = values.reduce((sum, value) => sum + value, 0) / patches;
      row[d] = mean;
      row[dim + d] = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / patches);
    }
    return row;
  });
  return { mean: both.map((row) => row.slice(0, dim)), 'mean, deviation': both };
}

function splitOf(test) {
  const held = new Set(test);
  const all = [...subject.keys()];
  return { train: all.filter((i) => !held.has(subject[i])), test: all.filter((i) => held.has(subject[i])) };
}

function pick(values, indices) {
  return Int32Array.from(indices, (i) => values[i]);
}

function pickRows(p, indices) {
  const result = new Float64Array(2 * indices.length);
  for (const [j, i] of indices.entries()) result.set(p.subarray(2 * i, 2 * i + 2), 2 * j);
  return result;
}
