#!/usr/bin/env node
/**
 * How should a linear probe read `ecg-12` on PTB-XL: after which layers, with means over time alone or deviations too, from
 * one cut into patches or several?
 * Folds 1–8 train, fold 9 tells, fold 10 is never touched → results/ptbxl-probe-choices.json.
 *
 *   node scripts/choose-ptbxl-probe.mjs FOLDER [THREADS] [CACHE, a folder where embeddings are kept]
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeFolder,
  findDataset,
  loadEncoderWeights,
  loadWindows,
  planFolds,
  probeFeatures,
  runProbe,
  takeChannels,
  targetsOf,
} from 'heartmind';
import { createNodeBackend, openFolder, readReleased } from 'heartmind/node';

const [path, threads, cache] = process.argv.slice(2);
if (!path) throw new Error('Usage: node scripts/choose-ptbxl-probe.mjs FOLDER [THREADS]');
const leadSets = [['I'], ['I', 'II'], undefined];
const strengths = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1];
const dim = 200;
/** What is embedded at once, by number of cuts; variants take columns of it. */
const embedded = { 1: { pool: 'spread', layers: [1, 2, 3, 4, 6] }, 4: { pool: 'leads', layers: [1, 2] } };
const variants = [
  ...[[1], [2], [3], [4], [6], [1, 2], [2, 4]].map((layers) => ({ pool: 'leads', layers, crops: 1 })),
  { pool: 'spread', layers: [1], crops: 1 },
  // No better on one lead and two: twelve, whose features are many, are spared.
  ...[[2], [1, 2]].map((layers) => ({ pool: 'spread', layers, crops: 1, few: true })),
  ...[[1], [2], [1, 2]].map((layers) => ({ pool: 'leads', layers, crops: 4 })),
];

const folder = await openFolder(path);
const spec = await describeFolder(findDataset('ptbxl'), folder);
const windows = await loadWindows(spec, folder, spec.recipe);
const targets = targetsOf(spec, await spec.trials(folder), windows, 'superclasses');
const [{ train, validation, ...rest }] = planFolds(
  { kind: 'published', split: 'published' },
  windows,
  spec,
  0,
);
const fold = { ...rest, train, validation, test: validation };
const { tensors } = await loadEncoderWeights(await readReleased('ecg-12'), 'ecg-12');
const backend = await createNodeBackend({ device: 'cpu', ...(threads && { threads: Number(threads) }) });

const rows = [];
for (const leads of leadSets) {
  const ecg = leads ? takeChannels(windows.signals.ecg, leads) : windows.signals.ecg;
  for (const crops of [1, 4]) {
    const { pool, layers } = embedded[crops];
    const all = await probeFeatures(
      { name: 'ecg-12', tensors },
      { signals: { ecg } },
      {
        ...{ backend, modality: 'ecg', pool, layers, crops },
        ...(cache && { kept: rowsIn(cache, `${ecg.channels.length}-${crops}`) }),
      },
    );
    for (const { few, ...variant } of variants.filter((one) => one.crops === crops)) {
      if (few && ecg.channels.length > 2) continue;
      const { scores, strengths: chosen } = runProbe({
        ...{ features: takeColumns(all, embedded[crops], variant), targets, folds: [fold], strengths },
        ...{ subject: windows.subject, samples: 1 },
      });
      const row = { leads: ecg.channels.length, ...variant, strength: chosen[0], fold9: scores.auroc.mean };
      rows.push(row);
      console.log(JSON.stringify(row));
    }
  }
}
const ranked = variants
  .filter(({ few }) => !few)
  .map((variant) => {
    const own = rows.filter((row) =>
      Object.entries(variant).every(([key, value]) => String(row[key]) === String(value)),
    );
    return { ...variant, mean: own.reduce((sum, { fold9 }) => sum + fold9, 0) / own.length };
  })
  .sort((a, b) => b.mean - a.mean);
writeFileSync(
  join(import.meta.dirname, '../results/ptbxl-probe-choices.json'),
  `${JSON.stringify({ command: 'node scripts/choose-ptbxl-probe.mjs FOLDER', engine: backend.description, encoder: 'ecg-12', score: 'macro AUROC of the five super-classes on fold 9, folds 1–8 train', strengths, recordings: windows.count, ranked, rows }, null, 1)}\n`,
);

/** Embeddings of some windows as files. */
function rowsIn(folder, name) {
  const place = (start) => join(folder, `${name}-${start}.f32`);
  return {
    async load(start) {
      if (!existsSync(place(start))) return undefined;
      const bytes = readFileSync(place(start));
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    },
    async save(start, rows) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(place(start), new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
    },
  };
}

/** Of features [W, F] of a pool and layers: those of a part of the layers, with deviations or without. */
function takeColumns({ data, size }, given, { pool, layers }) {
  const block = given.layers.length * dim;
  const starts = [];
  for (let at = 0; at < size; at += block)
    // A channel's means stand before its deviations.
    if (given.pool === pool || (at / block) % 2 === 0)
      for (const layer of layers) starts.push(at + given.layers.indexOf(layer) * dim);
  const count = data.length / size;
  const taken = new Float32Array(count * starts.length * dim);
  for (let w = 0; w < count; w++)
    for (const [k, start] of starts.entries())
      taken.set(data.subarray(w * size + start, w * size + start + dim), (w * starts.length + k) * dim);
  return { data: taken, size: starts.length * dim };
}
