#!/usr/bin/env node
/**
 * Tokens a second of the training step on a GPU, as `pretrain` takes it: masks and dropout drawn, forward, backward, clip,
 * AdamW. With a CUDA build of PyTorch beside it, PyTorch's own step on the same GPU. Run after `npm run setup`:
 *
 *   node bench/gpu.mjs --device webgpu --precision float16        writes bench/results/gpu-webgpu-float16.json
 *   node bench/gpu.mjs --device cuda --python python3
 *   node bench/gpu.mjs --device webgpu --check --layers 1 --channels 3 --patches 4 --batch 2
 *
 * --check writes nothing: it trains some updates on cpu in float32 and on the device, and compares the losses.
 * Sizes: --layers 12 --channels 19 --patches 10 --batch 64 --accumulate 1. Timing: --warmup 5 --updates 30.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parsePretrainRecipe, pretrain, Random } from 'heartmind';
import { createNodeBackend } from 'heartmind/node';

const root = join(import.meta.dirname, '..');
const { values: flags } = parseArgs({
  options: {
    device: { type: 'string', default: 'webgpu' },
    precision: { type: 'string', default: 'float32' },
    layers: { type: 'string', default: '12' },
    channels: { type: 'string', default: '19' },
    patches: { type: 'string', default: '10' },
    batch: { type: 'string', default: '64' },
    accumulate: { type: 'string', default: '1' },
    warmup: { type: 'string', default: '5' },
    updates: { type: 'string', default: '30' },
    python: { type: 'string', default: 'python3' },
    check: { type: 'boolean', default: false },
    output: { type: 'string' },
  },
});
const { device, precision, python } = flags;
const [layers, channels, patches, batch, accumulate, warmup, updates] = [
  'layers',
  'channels',
  'patches',
  'batch',
  'accumulate',
  'warmup',
  'updates',
].map((name) => Number(flags[name]));
const settings = { layers, channels, patches, batch, accumulate };

if (flags.check) await check();
else await measure();

/** Losses on the device against those of float32 on the cpu: at most 1e-3 apart, relative; float16 2e-2. */
async function check() {
  const expected = await trainUpdates('cpu', 'float32', updates);
  const found = await trainUpdates(device, precision, updates);
  const differences = expected.losses.map((loss, i) => Math.abs(found.losses[i] / loss - 1));
  const largest = Math.max(...differences);
  const limit = precision === 'float16' ? 2e-2 : 1e-3;
  for (const [i, loss] of expected.losses.entries())
    console.log(`${i + 1}\t${loss.toFixed(6)}\t${found.losses[i].toFixed(6)}`);
  const ok = largest <= limit && differences.length === updates;
  console.log(
    JSON.stringify({
      engine: found.engine,
      precision,
      ...settings,
      updates,
      repeats: found.repeats,
      largest,
      limit,
      ok,
    }),
  );
  process.exitCode = ok ? 0 : 1;
}

async function measure() {
  const { seconds, engine, repeats } = await trainUpdates(device, precision, warmup + updates);
  const result = {
    date: new Date().toISOString(),
    commit: textOf('git', ['-C', root, 'rev-parse', '--short', 'HEAD']),
    machine: { cpu: cpus()[0]?.model.trim(), node: process.versions.node, gpu: gpuName() },
    settings,
    heartmind: { engine, device, precision, repeats, firstUpdateSeconds: seconds[0], ...summary(seconds) },
    pytorch: torchSteps(),
  };
  const text = `${JSON.stringify(result, null, 1)}\n`;
  process.stdout.write(text);
  const output = flags.output ?? join(root, 'bench/results', `gpu-${device}-${precision}.json`);
  mkdirSync(join(output, '..'), { recursive: true });
  writeFileSync(output, text);
}

/** So many updates of pre-training on noise: their losses, and the seconds between them. */
async function trainUpdates(on, inPrecision, count) {
  const backend = await createNodeBackend({ device: on });
  const stop = new AbortController();
  const [losses, seconds] = [[], []];
  let repeats = 0;
  let last = performance.now();
  const record = (_, values) => {
    if (values['train/loss'] === undefined) return;
    const now = performance.now();
    seconds.push((now - last) / 1000);
    last = now;
    losses.push(values['train/loss']);
    repeats = values['train/repeats'] ?? 0;
    if (losses.length >= count) stop.abort();
  };
  const recipe = parsePretrainRecipe({
    version: 1,
    task: 'pretrain',
    modality: 'eeg',
    encoder: { layers, dropout: 0.1 },
    optimization: {
      epochs: 100_000,
      batch,
      accumulate,
      minimumLearningRate: 1e-5,
      validateEvery: 100_000,
      precision: inPrecision,
    },
  });
  const log = { record, flush() {} };
  try {
    await pretrain({ backend, windows: noise(), recipe, log, signal: stop.signal });
  } catch (error) {
    if (error.name !== 'InterruptedError') throw error;
  }
  return { losses, seconds, repeats, engine: backend.description };
}

/** Noise of the amplitude that scaled signals have, from two people. */
function noise() {
  const random = Random.derive(0, 'bench', 'windows');
  const count = 2 * batch + 2;
  const data = Float32Array.from({ length: count * channels * patches * 200 }, () => 0.3 * random.normal());
  const names = Array.from({ length: channels }, (_, i) => `C${i + 1}`);
  return {
    recipe: {
      version: 1,
      signals: {},
      window: { lengthSeconds: patches, stepSeconds: patches, maxAbsMicrovolts: null, dropFlat: true },
    },
    count,
    signals: { eeg: { channels: names, patches, patchSamples: 200, data } },
    classes: [],
    subject: Array.from({ length: count }, (_, i) => (i < 2 ? 'held out' : 'training')),
    trial: Array.from({ length: count }, (_, i) => `${i}`),
    start: new Float64Array(count),
    beats: new Map(),
    dropped: [],
    hash: 'bench',
  };
}

function summary(all) {
  const sorted = all.slice(warmup).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.round(share * (sorted.length - 1)))];
  const tokens = batch * channels * patches;
  return {
    updates: sorted.length,
    secondsAnUpdate: { median: at(0.5), q1: at(0.25), q3: at(0.75) },
    tokensPerSecond: tokens / at(0.5),
  };
}

/** PyTorch's training steps on the same GPU; why not, where they cannot run. */
function torchSteps() {
  const script = join(root, 'bench/gpu-torch.py');
  const job = JSON.stringify({ ...settings, warmup, updates });
  try {
    return JSON.parse(
      execFileSync(python, [script, job], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  } catch (error) {
    return {
      absent: String(error.stderr || error.message)
        .trim()
        .split('\n')
        .at(-1),
    };
  }
}

function gpuName() {
  return textOf('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader']) || 'unknown';
}

function textOf(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
