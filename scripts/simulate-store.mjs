#!/usr/bin/env node
/**
 * One million 12-lead records of 10 s as a store: written, opened, shuffled and read for a whole epoch, with the memory
 * of the process measured all the while. Writes results/store-simulation.json. After `npm run setup`:
 *
 *     node scripts/simulate-store.mjs [--records 1000000] [--disk-gb 5] [--folder FOLDER]
 *
 * Records are stretches of synthetic ECGs with noise. The first so many gigabytes are written as they are; from then on
 * records repeat, and their shards are hard links to the first: to the writer and the reader they are files like any
 * other, 48 GB of them. Cold reads begin after the page cache is dropped, where that is allowed (root on Linux).
 */
import { createReadStream, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createNodeBackend,
  epochOrder,
  folderFiles,
  folderPlace,
  openStoreWindows,
  parsePretrainRecipe,
  pretrain,
  Random,
  StoreWriter,
  twelveLeadRecipe,
  urlFiles,
} from 'heartmind/node';

const root = join(import.meta.dirname, '..');
const { values: flags } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    'disk-gb': { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
    out: { type: 'string', default: join(root, 'results/store-simulation.json') },
  },
});
const records = Number(flags.records);
const [channels, samples, batch, memoryMegabytes] = [12, 2000, 64, 512];
const windowBytes = 2 * channels * samples;
const folder = await mkdtemp(join(flags.folder, 'heartmind-simulation-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
const megabytes = (bytes) => Math.round(bytes / 2 ** 20);
const round = (x, digits = 3) => Number(x.toPrecision(digits));

/** Resident memory while something runs: at its begin, and the largest of each half of it but the first tenth. */
async function watchMemory(work) {
  const seen = [];
  const timer = setInterval(() => seen.push(process.memoryUsage.rss()), 250);
  const begin = process.memoryUsage.rss();
  const begun = performance.now();
  const result = await work();
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(timer);
  seen.push(process.memoryUsage.rss());
  const settled = seen.slice(Math.floor(seen.length / 10));
  const half = settled.slice(Math.floor(settled.length / 2));
  const [first, last] = [settled.slice(0, Math.ceil(settled.length / 2)), half].map((part) =>
    Math.max(...part),
  );
  return {
    result,
    seconds: round(seconds),
    rssMegabytes: {
      begin: megabytes(begin),
      largestInFirstHalf: megabytes(first),
      largestInSecondHalf: megabytes(last),
      growth: megabytes(last - first),
    },
  };
}

/** Sixteen people of ten minutes: beats of their own shape in every lead, wander, noise; in steps of 1 µV. */
function synthesise() {
  const random = new Random(1);
  const length = 120_000;
  return Array.from({ length: 16 }, () => {
    const beats = [];
    for (let t = 0.5; t < 600; t += 0.75 + 0.2 * random.normal() * 0.2 + 0.2 * random.uniform())
      beats.push(t);
    return Array.from({ length: channels }, () => {
      const values = new Int16Array(length);
      const [r, s, tWave, phase] = [
        900 * random.normal(),
        -200 * random.uniform(),
        250 * random.normal(),
        random.uniform(),
      ];
      for (let i = 0; i < length; i++)
        values[i] = 60 * Math.sin(0.9 * (i / 200) + 6 * phase) + 12 * random.normal();
      for (const beat of beats)
        for (
          let i = Math.max(0, Math.floor(200 * (beat - 0.1)));
          i < Math.min(length, 200 * (beat + 0.5));
          i++
        ) {
          const t = i / 200 - beat;
          values[i] +=
            r * Math.exp(-((t / 0.012) ** 2)) +
            s * Math.exp(-(((t - 0.03) / 0.012) ** 2)) +
            tWave * Math.exp(-(((t - 0.28) / 0.06) ** 2));
        }
      return values;
    });
  });
}

const people = synthesise();
const bits = new Uint16Array(channels * samples);
/** A record: ten seconds of one of them, from anywhere. */
function recordBits(record) {
  const random = Random.derive(7, 'record', record);
  const person = people[random.integer(people.length)];
  const start = random.integer(person[0].length - samples);
  for (const [lead, values] of person.entries())
    bits.set(new Uint16Array(values.buffer, 2 * start, samples), lead * samples);
  return bits;
}

function plan() {
  return {
    recipe: twelveLeadRecipe,
    dataset: { name: 'simulated', title: 'Simulated ECGs', licence: '', url: '', citation: '', splits: {} },
    targets: { rhythm: ['sinus', 'other'] },
    type: 'int16',
    windowsPerShard: 699,
    // Two records a person, as hospitals have them.
    trials: Array.from({ length: records }, (_, i) => ({
      id: `record ${i}`,
      subject: `person ${i >> 1}`,
      targets: { rhythm: i % 4 === 0 ? 'other' : 'sinus', age: 18 + (i % 80) },
    })),
  };
}

// Writing.
const place = folderPlace(folder);
const shards = Math.ceil((Number(flags['disk-gb']) * 1e9) / (699 * windowBytes));
const linkingPlace = {
  ...place,
  async write(path, bytes) {
    const shard = Number(/^ecg\/c\.(\d+)\.0\.0$/.exec(path)?.[1] ?? 0);
    const original = join(folder, `ecg/c.${shard % shards}.0.0`);
    // The last shard is shorter: it is a file of its own.
    if (shard < shards || bytes.length !== statSync(original).size) return place.write(path, bytes);
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await link(original, join(folder, path));
  },
};
console.log(`writing ${records} records to ${folder}, ${shards} shards of their own`);
const planned = plan();
const written = await watchMemory(async () => {
  const writer = await StoreWriter.open(linkingPlace, planned);
  const nothing = { beats: new Float64Array(0), dropped: [] };
  const [start, peak] = [Float64Array.of(0), Float32Array.of(900)];
  for (let trial = 0; trial < records; trial++) {
    const signals = { ecg: { bits: recordBits(trial % (shards * 699)), peak } };
    await writer.add({ trial, piece: 0, signals, start, ...nothing });
    if (trial % 100_000 === 99_999) console.log(`  ${trial + 1}`);
  }
  return writer;
});
const finished = await watchMemory(() => written.result.finish());
planned.trials.length = 0;
people.length = 0;
globalThis.gc?.();

/** Forget what is cached of files. */
function dropCaches() {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    return true;
  } catch {
    return false;
  }
}

// Opening and shuffling.
console.log('opening, ordering');
const cold = dropCaches();
const opened = await watchMemory(() => openStoreWindows(folderFiles(folder), { memoryMegabytes }));
const windows = opened.result;
const poolWindows = windows.far.poolWindows(['ecg']);
const { blockWindows } = windows.far;
const all = Int32Array.from({ length: records }, (_, i) => i);
const ordering = await watchMemory(async () =>
  epochOrder(all, { blockWindows, poolWindows, seed: 0, epoch: 0 }),
);
const order = ordering.result;

// Reading: a whole epoch in batches, as training does, but as fast as it goes.
console.log('reading an epoch');
async function readAll(stream, sequence, limit = sequence.length) {
  let sum = 0;
  for (let at = 0; at < limit; at += batch) {
    const { ecg } = await stream.read(sequence.subarray(at, Math.min(limit, at + batch)));
    sum += ecg[0];
    if (at % (batch * 2000) === 0) console.log(`  ${at}`);
  }
  return sum;
}
async function timed(count, work) {
  const begun = performance.now();
  await work();
  return round((1000 * count) / (performance.now() - begun));
}
const epoch = await watchMemory(() => readAll(windows.far.stream(order, ['ecg']), order));

// Cold, of what lies on disk once: the first shards, in an order of their own.
const once = Math.min(records, shards * 699);
const part = epochOrder(all.subarray(0, once), { blockWindows, poolWindows, seed: 1, epoch: 0 });
const few = Math.min(once, 20_000);
dropCaches();
const coldRate = await timed(few, () => readAll(windows.far.stream(part, ['ecg']), part, few));
const warmRate = await timed(few, () => readAll(windows.far.stream(part, ['ecg']), part, few));
const single = new Random(3).shuffle(all.subarray(0, once)).slice(0, few);
const readSingly = () =>
  readAll({ read: (indices) => windows.read(indices, ['ecg']) }, Int32Array.from(single));
dropCaches();
const singlyCold = await timed(few, readSingly);
const singlyWarm = await timed(few, readSingly);

// Over HTTP from this machine, the server in this process.
console.log('over HTTP');
const server = createServer((request, response) => {
  const path = join(folder, decodeURIComponent(request.url.slice(1)));
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  try {
    const { size } = statSync(path);
    const end = Math.min(Number(to), size - 1);
    response.writeHead(206, { 'Content-Range': `bytes ${from}-${end}/${size}` });
    createReadStream(path, { start: Number(from), end }).pipe(response);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const remote = await openStoreWindows(urlFiles(`http://127.0.0.1:${server.address().port}/`), {
  memoryMegabytes,
});
const httpRate = await timed(few, () => readAll(remote.far.stream(part, ['ecg']), part, few));
server.closeAllConnections();
server.close();

// zarrita on the same files: windows one by one, many at a time; ours in turn with it.
console.log('zarrita');
const zarr = await import('zarrita');
const handles = new Map();
const { open } = await import('node:fs/promises');
const read = async (key, from, length) => {
  const path = join(folder, key);
  const handle = handles.get(key) ?? open(path, 'r');
  handles.set(key, handle);
  const bytes = new Uint8Array(length);
  await (await handle).read(bytes, 0, length, from);
  return bytes;
};
const array = await zarr.open.v3(
  zarr
    .root({
      get: async (key) => new Uint8Array(readFileSync(join(folder, key))),
      getRange: async (key, range) =>
        'suffixLength' in range
          ? read(key, statSync(join(folder, key)).size - range.suffixLength, range.suffixLength)
          : read(key, range.offset, range.length),
    })
    .resolve('ecg'),
  { kind: 'array' },
);
const some = Int32Array.from(single.slice(0, 4096));
const withZarrita = async () => {
  for (let at = 0; at < some.length; at += batch)
    await Promise.all(
      Array.from(some.subarray(at, at + batch), (window) => zarr.get(array, [window, null, null])),
    );
};
const withOurs = () => readAll({ read: (indices) => windows.read(indices, ['ecg']) }, some);
const turns = { zarrita: [], ours: [] };
for (let turn = 0; turn < 4; turn++) {
  turns.zarrita.push(await timed(some.length, withZarrita));
  turns.ours.push(await timed(some.length, withOurs));
}
for (const handle of handles.values()) await (await handle).close();

// The trainer, on the same store: seconds between updates, reading ahead the while.
console.log('training from it');
const backend = await createNodeBackend();
async function trainingRate(layers) {
  const updates = 6;
  const recipe = parsePretrainRecipe({
    ...{ version: 1, task: 'pretrain', modality: 'ecg', encoder: { layers }, validationWindows: 16 },
    optimization: { epochs: 1, batch: 32, accumulate: 2, minimumLearningRate: 1e-5 },
  });
  const times = [];
  const stop = new AbortController();
  const log = {
    record() {
      times.push(performance.now());
      if (times.length > updates) stop.abort();
    },
    flush() {},
  };
  await pretrain({ backend, windows, recipe, log, signal: stop.signal }).catch((error) => {
    if (error.name !== 'InterruptedError') throw error;
  });
  const gaps = times.slice(1).map((time, i) => time - times[i]);
  return round(32_000 / gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]);
}
const trainer = {};
const training = await watchMemory(async () => {
  for (const layers of [2, 12]) trainer[layers] = await trainingRate(layers);
});
// In the same minute as the trainer.
const loaderBeside = await timed(few, () => readAll(windows.far.stream(part, ['ecg']), part, few));

/** Different people in a batch where a person's windows lie together, against a full shuffle. */
function mixing(each) {
  const count = 100_000;
  const peopleIn = (sequence) => {
    let sum = 0;
    for (let at = 0; at + batch <= count; at += batch)
      sum += new Set(sequence.subarray(at, at + batch).map((window) => Math.floor(window / each))).size;
    return sum / Math.floor(count / batch);
  };
  const some = all.subarray(0, Math.min(records, count));
  const ours = epochOrder(some, { blockWindows, poolWindows, seed: 0, epoch: 0 });
  const full = epochOrder(some, { blockWindows: 1, poolWindows: some.length, seed: 0, epoch: 0 });
  const [a, b] = [peopleIn(ours), peopleIn(full)];
  return { windowsOfAPerson: each, peopleInABatch: round(a), fullShuffle: round(b), share: round(a / b) };
}
let squares = 0;
for (let i = 0; i < records; i++) squares += (order[i] - i) ** 2;
const correlation = 1 - (6 * squares) / (records * (records * records - 1));

const result = {
  command: `node scripts/simulate-store.mjs --records ${records} --disk-gb ${flags['disk-gb']}`,
  machine: {
    processor: `${cpus().length} × ${cpus()[0].model}`,
    memoryGigabytes: round(totalmem() / 1e9),
    node: process.versions.node,
  },
  store: {
    records,
    gigabytes: round((records * windowBytes) / 1e9),
    gigabytesOnDisk: round((once * windowBytes) / 1e9),
    shards: windows.reader.info.shards.ecg.length,
    windowsPerShard: 699,
    hash: windows.hash,
  },
  write: {
    seconds: written.seconds,
    recordsPerSecond: round(records / written.seconds),
    rssMegabytes: written.rssMegabytes,
    finish: { seconds: finished.seconds, rssMegabytes: finished.rssMegabytes.largestInSecondHalf },
  },
  open: { seconds: opened.seconds, rssMegabytes: opened.rssMegabytes },
  order: {
    seconds: ordering.seconds,
    blockWindows,
    poolWindows,
    memoryMegabytes,
    rankCorrelation: round(correlation, 2),
  },
  mixing: [20, 180, 1000].map(mixing),
  epoch: {
    seconds: epoch.seconds,
    windowsPerSecond: round(records / epoch.seconds),
    rssMegabytes: epoch.rssMegabytes,
  },
  windowsPerSecond: {
    pageCacheDropped: cold,
    stream: { cold: coldRate, warm: warmRate },
    singleWindows: { cold: singlyCold, warm: singlyWarm },
    http: httpRate,
    singleWindowsInTurn: { zarrita: Math.max(...turns.zarrita), ours: Math.max(...turns.ours) },
  },
  trainer: {
    windowsPerSecond: trainer,
    loader: loaderBeside,
    loaderOverTrainer: Object.fromEntries(
      Object.entries(trainer).map(([layers, rate]) => [layers, round(loaderBeside / rate)]),
    ),
    rssMegabytes: training.rssMegabytes.largestInSecondHalf,
    engine: backend.description,
  },
};
writeFileSync(flags.out, `${JSON.stringify(result, null, 1)}\n`);
console.log(JSON.stringify(result, null, 1));
await windows.reader.close();
await rm(folder, { recursive: true, force: true });
process.exit(0);
