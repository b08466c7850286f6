#!/usr/bin/env node
/**
 * Releases an encoder, from the folder of a `heartmind pretrain` run, or a model with its head, from that of a `heartmind
 * evaluate` run (its model of both signals, of the first seed) → weights/NAME.safetensors (float16), its card
 * weights/NAME.md with the curve weights/NAME.svg, and its line in weights/index.json.
 *
 *   node scripts/release-weights.mjs RUN NAME 'TITLE' [LAYERS]     only so many of an encoder's first layers
 *   node scripts/release-weights.mjs --check      files, hashes and cards against the index; 25 MB in all
 *   node scripts/release-weights.mjs --seal       files written before tensors had a digest get theirs, no value changes
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawCurve, encoderCard, modelCard } from './weight-cards.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const place = join(root, 'weights');
const indexPath = join(place, 'index.json');
const largest = 25_000_000;
const [first, name, title, kept] = process.argv.slice(2);
if (first === '--check') check();
else if (first === '--seal') await seal();
else if (first && name && title) await release(first, name, title);
else throw new Error('release-weights: give RUN NAME TITLE, --check or --seal.');

async function release(run, name, title) {
  const result = JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'));
  const encoder = join(run, 'encoder.safetensors');
  const made = existsSync(encoder)
    ? await releaseEncoder(encoder, { name, title, result })
    : await releaseModel(join(run, 'models/eeg+ecg.safetensors'), { name, title, result });
  mkdirSync(place, { recursive: true });
  const { bytes, entry } = made;
  writeFileSync(join(place, entry.file), bytes);
  const index = existsSync(indexPath)
    ? JSON.parse(readFileSync(indexPath, 'utf8'))
    : { version: 1, weights: {} };
  index.weights[name] = entry;
  // Short lists on a line, as the style has it.
  const text = JSON.stringify(index, null, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, list) => `[${list.replace(/\s+/g, ' ')}]`,
  );
  writeFileSync(indexPath, `${text}\n`);
  writeFileSync(join(place, `${name}.svg`), made.curve);
  writeFileSync(join(place, `${name}.md`), made.card);
  console.log(
    `weights/${entry.file}: ${entry.layers} layers, ${(bytes.length / 1e6).toFixed(1)} MB, ${entry.sha256}`,
  );
}

async function releaseEncoder(path, { name, title, result }) {
  const { decodeSafetensors, encodeSafetensors, loadEncoderWeights } = await import('../dist/index.js');
  const { tensors: whole, metadata } = decodeSafetensors(new Uint8Array(readFileSync(path)), path);
  const tensors = kept === undefined ? whole : firstLayers(whole, Number(kept));
  const bytes = encodeSafetensors(tensors, metadata, { float16: true });
  const { modality } = JSON.parse(metadata.recipe);
  const { layers } = loadEncoderWeights(bytes, name);
  const entry = describe({ kind: 'encoder', title, modalities: [modality], layers }, name, bytes);
  const curve = result.curves[0].rows;
  const card = encoderCard({ name, title, entry, result, curve, metadata, tensors });
  return { bytes, entry, curve: drawCurve(curve), card };
}

/** The reconstruction stays, as weights have one, though it was learned for the last layer. */
function firstLayers(tensors, layers) {
  const layerOf = (name) => Number(/^encoder\.layers\.(\d+)\./.exec(name)?.[1] ?? -1);
  return new Map([...tensors].filter(([name]) => layerOf(name) < layers));
}

async function releaseModel(path, { name, title, result }) {
  const { decodeModel, encodeModel } = await import('../dist/index.js');
  const model = decodeModel(new Uint8Array(readFileSync(path)), path);
  const bytes = encodeModel(model, { float16: true });
  const modalities = Object.keys(model.config.signals);
  const layers = Math.max(...modalities.map((modality) => model.config.signals[modality].encoder.layers));
  const entry = describe({ kind: 'model', title, modalities, layers }, name, bytes);
  const curve = result.curves.find(({ name: of }) => of === `fine-tune eeg+ecg-seed${model.provenance.seed}`);
  const card = modelCard({ name, title, entry, result, curve, model });
  return { bytes, entry, curve: drawCurve(curve.rows, 'cross-entropy'), card };
}

/** Half precision comes back from single precision as it was: only the metadata grows. */
async function seal() {
  const { decodeSafetensors, encodeSafetensors } = await import('../dist/index.js');
  let text = readFileSync(indexPath, 'utf8');
  for (const [name, { file, bytes, sha256 }] of Object.entries(JSON.parse(text).weights)) {
    const path = join(place, file);
    const content = readFileSync(path);
    if (headerOf(content).__metadata__?.['heartmind.sha256'] !== undefined) continue;
    const { tensors, metadata } = decodeSafetensors(new Uint8Array(content), name);
    const sealed = encodeSafetensors(tensors, metadata, { float16: true });
    const entry = describe({}, name, sealed);
    writeFileSync(path, sealed);
    text = text.replace(sha256, entry.sha256).replace(`"bytes": ${bytes}`, `"bytes": ${entry.bytes}`);
    const card = join(place, `${name}.md`);
    writeFileSync(card, readFileSync(card, 'utf8').replace(sha256, entry.sha256));
    console.log(`weights/${file}: ${sha256.slice(0, 12)} → ${entry.sha256.slice(0, 12)}`);
  }
  writeFileSync(indexPath, text);
}

function describe(entry, name, bytes) {
  return {
    ...{ ...entry, file: `${name}.safetensors`, bytes: bytes.length },
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

function check() {
  const { weights } = JSON.parse(readFileSync(indexPath, 'utf8'));
  const facts = [];
  for (const [name, { kind, file, bytes, sha256 }] of Object.entries(weights)) {
    const content = readFileSync(join(place, file));
    if (content.length !== bytes || createHash('sha256').update(content).digest('hex') !== sha256)
      facts.push(`${file} is not what the index says`);
    const text = existsSync(join(place, `${name}.md`)) ? readFileSync(join(place, `${name}.md`), 'utf8') : '';
    if (!text.includes(sha256)) facts.push(`${name}.md does not name the sha256 of ${file}`);
    if (!existsSync(join(place, `${name}.svg`)))
      facts.push(`${name}.svg, the curve of ${file}, is not there`);
    const isModel = headerOf(content).__metadata__?.heartmind !== undefined;
    if (isModel !== (kind === 'model'))
      facts.push(`${file} is ${isModel ? 'a' : 'no'} model, the index says ${kind}`);
  }
  const listed = new Set(Object.values(weights).map(({ file }) => file));
  const files = readdirSync(place);
  for (const file of files)
    if (file.endsWith('.safetensors') && !listed.has(file)) facts.push(`${file} is not in the index`);
  const total = files.reduce((sum, file) => sum + statSync(join(place, file)).size, 0);
  if (total > largest) facts.push(`${total} bytes in all, at most ${largest} are due`);
  if (facts.length > 0) throw new Error(`weights: ${facts.join('; ')}.`);
  console.log(`weights: ${listed.size} files, ${(total / 1e6).toFixed(1)} MB, as the index says`);
}

/** The JSON in front of safetensors: its length as uint64, then itself. */
function headerOf(content) {
  return JSON.parse(content.subarray(8, 8 + Number(content.readBigUInt64LE(0))).toString('utf8'));
}
