#!/usr/bin/env node
/**
 * How should a linear probe read `ecg-12` on PTB-XL: after which layers, with means over time alone or deviations too?
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
const embedded = [1, 2, 3, 4, 6];
const strengths = [1e-3, 3e-3, 1e-2];
const dim = 200;
const single = embedded.map((layer) => [layer]);
const joined = [
  [1, 2],
  [2, 4],
];
const variants = ['leads', 'spread'].flatMap((pool) =>
  [...single, ...joined].map((layers) => ({ pool, layers })),
);

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
  const all = await probeFeatures(
    { name: 'ecg-12', tensors },
    { signals: { ecg } },
    {
      backend,
      modality: 'ecg',
      pool: 'spread',
      layers: embedded,
      ...(cache && { kept: rowsIn(cache, ecg) }),
    },
  );
  for (const { pool, layers } of variants) {
    const { scores, strengths: chosen } = runProbe({
      ...{ features: takeColumns(all, pool, layers), targets, folds: [fold], strengths },
      ...{ subject: windows.subject, samples: 1 },
    });
    const row = { leads: ecg.channels.length, pool, layers, strength: chosen[0], fold9: scores.auroc.mean };
    rows.push(row);
    console.log(JSON.stringify(row));
  }
}
const mean = ({ pool, layers }) => {
  const own = rows.filter((row) => row.pool === pool && row.layers.join() === layers.join());
  return own.reduce((sum, { fold9 }) => sum + fold9, 0) / own.length;
};
const ranked = variants
  .map((variant) => ({ ...variant, mean: mean(variant) }))
  .sort((a, b) => b.mean - a.mean);
writeFileSync(
  join(import.meta.dirname, '../results/ptbxl-probe-choices.json'),
  `${JSON.stringify({ command: 'node scripts/choose-ptbxl-probe.mjs FOLDER', engine: backend.description, encoder: 'ecg-12', score: 'macro AUROC of the five super-classes on fold 9, folds 1–8 train', strengths, recordings: windows.count, ranked, rows }, null, 1)}\n`,
);

/** Embeddings of some windows as files. */
function rowsIn(folder, { channels }) {
  const place = (start) => join(folder, `${channels.length}-${embedded.join('.')}-${start}.f32`);
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

/** Of features [W, C·2·L·D] of the layers `embedded`, means before deviations: those of some layers, deviations or not. */
function takeColumns({ data, size }, pool, layers) {
  const block = embedded.length * dim;
  const starts = [];
  for (let at = 0; at < size; at += block)
    if (pool === 'spread' || (at / block) % 2 === 0)
      for (const layer of layers) starts.push(at + embedded.indexOf(layer) * dim);
  const count = data.length / size;
  const taken = new Float32Array(count * starts.length * dim);
  for (let w = 0; w < count; w++)
    for (const [k, start] of starts.entries())
      taken.set(data.subarray(w * size + start, w * size + start + dim), (w * starts.length + k) * dim);
  return { data: taken, size: starts.length * dim };
}
