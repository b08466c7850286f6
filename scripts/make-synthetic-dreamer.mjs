#!/usr/bin/env node
import { once } from 'node:events';
/**
 * Writes a DREAMER.mat of the published structure with made-up signals (synthetic-dreamer.mjs says what can be planted):
 *
 *     node scripts/make-synthetic-dreamer.mjs OUT.mat [--effect eeg] [--target valence] [--effect-size 0.3]
 *       [--confound 0] [--fingerprint 0.1] [--people 23] [--films 18] [--seconds 60] [--baseline-seconds 61] [--seed 1] [--compressed]
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createDeflate } from 'node:zlib';
import { dreamerPieces, dreamerVariable, matHeader } from './synthetic-dreamer.mjs';

const numeric = [
  'people',
  'films',
  'seconds',
  'baseline-seconds',
  'effect-size',
  'confound',
  'fingerprint',
  'seed',
];
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...Object.fromEntries([...numeric, 'effect', 'target'].map((name) => [name, { type: 'string' }])),
    compressed: { type: 'boolean', default: false },
  },
});
const [path] = positionals;
if (!path) {
  console.error(
    'usage: node scripts/make-synthetic-dreamer.mjs OUT.mat [--effect eeg|ecg|interaction|none] …',
  );
  process.exit(2);
}
const { compressed, ...given } = values;
const options = Object.fromEntries(
  Object.entries(given).map(([name, value]) => [
    name.replace(/-(.)/g, (_, letter) => letter.toUpperCase()),
    numeric.includes(name) ? Number(value) : value,
  ]),
);
const part = `${path}.part`;
const file = openSync(part, 'w');
try {
  if (compressed) await writeCompressed();
  else for (const piece of dreamerPieces(options)) writeWhole(piece);
  closeSync(file);
  renameSync(part, path);
} catch (error) {
  rmSync(part, { force: true });
  console.error(`make-synthetic-dreamer: ${error.message}`);
  process.exitCode = 1;
}

/** The variable deflated as a stream; how long it became is put before it at the end. */
async function writeCompressed() {
  const header = matHeader();
  writeWhole(header);
  writeWhole(new Uint8Array(8));
  const deflate = createDeflate({ level: 1 });
  let byteCount = 0;
  deflate.on('data', (chunk) => {
    byteCount += chunk.length;
    writeWhole(chunk);
  });
  for (const piece of dreamerVariable(options).pieces())
    if (!deflate.write(piece)) await once(deflate, 'drain');
  deflate.end();
  await once(deflate, 'end');
  writeSync(file, new Uint8Array(Uint32Array.of(15, byteCount).buffer), 0, 8, header.length);
}

function writeWhole(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
