#!/usr/bin/env node
/**
 * Should a store's windows be compressed? Prepares a dataset, compresses its windows one by one with what Zarr readers
 * know, and measures size and decoding beside copying. Writes results/store-codecs.json. After `npm run setup`:
 *
 *     node scripts/compare-store-codecs.mjs [ptbxl=FOLDER]      (default: the embedded ECGs)
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  findDataset,
  folderFiles,
  folderPlace,
  openFolder,
  openStoreWindows,
  prepareStore,
  sampleDataFolder,
} from 'heartmind/node';
import { registry } from 'zarrita';

const root = join(import.meta.dirname, '..');
const [, name, path] = /^([\w-]+)=(.+)$/.exec(process.argv[2] ?? '') ?? [];
const spec = findDataset(name ?? 'sample-ecg');
const dataset = { ...spec, trials: async (files) => (await spec.trials(files)).slice(0, 500) };
const folder = mkdtempSync(join(tmpdir(), 'heartmind-codecs-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await prepareStore(dataset, await openFolder(path ?? sampleDataFolder('ecg12')), folderPlace(folder));
const { reader, count } = await openStoreWindows(folderFiles(folder));
const windows = [];
await reader.read(
  'ecg',
  Int32Array.from({ length: count }, (_, i) => i),
  (place, bits) => {
    windows[place] = new Uint8Array(bits.slice().buffer);
  },
);

const configurations = {
  'zstd 1': ['zstd', { level: 1 }],
  'zstd 5': ['zstd', { level: 5 }],
  'blosc lz4, shuffled': [
    'blosc',
    { cname: 'lz4', clevel: 5, shuffle: 'shuffle', typesize: 2, blocksize: 0 },
  ],
  'blosc zstd, shuffled': [
    'blosc',
    { cname: 'zstd', clevel: 1, shuffle: 'shuffle', typesize: 2, blocksize: 0 },
  ],
};
const codecs = {
  none: { encode: (bytes) => bytes, decode: (bytes) => bytes.slice() },
  'gzip 1': { encode: (bytes) => gzipSync(bytes, { level: 1 }), decode: (bytes) => gunzipSync(bytes) },
};
for (const [label, [id, configuration]] of Object.entries(configurations))
  codecs[label] = (await registry.get(id)()).fromConfig(configuration, {
    dataType: 'int16',
    shape: [1, 12, 2000],
  });

const raw = windows.reduce((sum, { length }) => sum + length, 0);
const results = {};
for (const [label, codec] of Object.entries(codecs)) {
  const encoded = [];
  for (const window of windows) encoded.push(Uint8Array.from(await codec.encode(window)));
  for (const [i, bytes] of encoded.entries()) {
    const back = await codec.decode(bytes);
    if (Buffer.compare(Buffer.from(back.buffer, back.byteOffset, back.byteLength), windows[i]) !== 0)
      throw new Error(`${label}: window ${i} does not come back`);
  }
  results[label] = { encoded, share: encoded.reduce((sum, { length }) => sum + length, 0) / raw, rates: [] };
}
// In turns, so that whatever else the machine does meets all of them.
for (let turn = 0; turn < 7; turn++)
  for (const [label, { encoded, rates }] of Object.entries(results)) {
    const begun = performance.now();
    for (const bytes of encoded) await codecs[label].decode(bytes);
    rates.push((1000 * encoded.length) / (performance.now() - begun));
  }
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const round = (x) => Number(x.toPrecision(3));
const output = {
  command: `node scripts/compare-store-codecs.mjs${name ? ` ${name}=FOLDER` : ''}`,
  dataset: spec.name,
  windows: count,
  windowBytes: windows[0].length,
  machine: { processor: `${cpus().length} × ${cpus()[0].model}`, node: process.versions.node },
  codecs: Object.fromEntries(
    Object.entries(results).map(([label, { share, rates }]) => [
      label,
      { share: round(share), decodedWindowsPerSecond: round(median(rates)) },
    ]),
  ),
};
writeFileSync(join(root, 'results/store-codecs.json'), `${JSON.stringify(output, null, 1)}\n`);
console.log(JSON.stringify(output, null, 1));
