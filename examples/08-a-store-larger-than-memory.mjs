// Recordings → a store on disk → training that reads from it. Run: node examples/08-a-store-larger-than-memory.mjs
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  epochOrder,
  findDataset,
  openStoreWindows,
  parsePretrainRecipe,
  prepareStore,
  pretrain,
} from 'heartmind';
import { createNodeBackend, folderFiles, folderPlace, openFolder, sampleDataFolder } from 'heartmind/node';

const folder = await mkdtemp(join(tmpdir(), 'heartmind-example-'));
const recordings = await openFolder(sampleDataFolder('ecg12'));

// As `heartmind prepare sample-ecg --out FOLDER` does, with a shard every two megabytes. Python: zarr.open(FOLDER).
const info = await prepareStore(findDataset('sample-ecg'), recordings, folderPlace(folder), {
  shardBytes: 2e6,
});
console.log(`${info.count} windows of ${info.subjects} people in ${info.shards.ecg.length} shards`);

// The index is at hand; samples are read when they are asked for. urlFiles(URL) opens a store on a server.
const windows = await openStoreWindows(folderFiles(folder), { target: 'sex', memoryMegabytes: 4 });
const { ecg } = await windows.read([7, 200], ['ecg']);
console.log(
  `${windows.subject[200]}, ${windows.classes[windows.label[200]]}: ${ecg.length / 2} values a window`,
);

// An epoch: blocks of neighbours, shuffled, then mixed within a pool. No more than 4 MB of windows are held at once.
const poolWindows = windows.far.poolWindows(['ecg']);
const options = { blockWindows: windows.far.blockWindows, poolWindows, seed: 0, epoch: 0 };
const order = epochOrder(
  Int32Array.from({ length: windows.count }, (_, i) => i),
  options,
);
const stream = windows.far.stream(order, ['ecg']);
let power = 0;
for (let at = 0; at < order.length; at += 32)
  for (const value of (await stream.read(order.subarray(at, at + 32))).ecg) power += value ** 2;
console.log(`pools of ${poolWindows}; mean power ${(power / windows.count / 24_000).toFixed(4)} mV²`);

// Training takes a store as it takes windows in memory.
const recipe = parsePretrainRecipe({
  ...{ version: 1, task: 'pretrain', modality: 'ecg', encoder: { layers: 1 }, validationWindows: 32 },
  optimization: { epochs: 1, batch: 32, minimumLearningRate: 1e-5 },
});
const { curves } = await pretrain({ backend: await createNodeBackend(), windows, recipe });
console.log(
  `one epoch: hidden by dual ${curves[0]['loss.dual'].toFixed(4)}, predicting 0 ${curves[0]['zero.dual'].toFixed(4)}`,
);
await rm(folder, { recursive: true });
