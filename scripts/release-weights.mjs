#!/usr/bin/env node
/**
 * Releases an encoder: from the folder of a `heartmind pretrain` run → weights/NAME.safetensors (float16), its model card
 * weights/NAME.md with the curve weights/NAME.svg, and its line in weights/index.json.
 *
 *   node scripts/release-weights.mjs RUN NAME 'TITLE'
 *   node scripts/release-weights.mjs --check      files, hashes and cards against the index; 25 MB in all
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const place = join(root, 'weights');
const indexPath = join(place, 'index.json');
const largest = 25_000_000;
const [first, name, title] = process.argv.slice(2);
if (first === '--check') check();
else if (first && name && title) await release(first, name, title);
else throw new Error('release-weights: give RUN NAME TITLE, or --check.');

async function release(run, name, title) {
  const { decodeSafetensors, encodeSafetensors, loadEncoderWeights } = await import('../dist/index.js');
  const source = new Uint8Array(readFileSync(join(run, 'encoder.safetensors')));
  const { tensors, metadata } = decodeSafetensors(source, run);
  const result = JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'));
  const bytes = encodeSafetensors(tensors, metadata, { float16: true });
  const { layers } = loadEncoderWeights(bytes, name);
  mkdirSync(place, { recursive: true });
  const file = `${name}.safetensors`;
  writeFileSync(join(place, file), bytes);
  const { modality } = JSON.parse(metadata.recipe);
  const entry = {
    ...{ kind: 'encoder', title, modalities: [modality], layers, file },
    ...{ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
  };
  const index = existsSync(indexPath)
    ? JSON.parse(readFileSync(indexPath, 'utf8'))
    : { version: 1, weights: {} };
  index.weights[name] = entry;
  writeFileSync(indexPath, `${JSON.stringify(index, null, 2)}\n`);
  const curve = result.curves[0].rows;
  writeFileSync(join(place, `${name}.svg`), drawCurve(curve));
  writeFileSync(join(place, `${name}.md`), card({ name, title, entry, result, curve, metadata, tensors }));
  console.log(`weights/${file}: ${layers} layers, ${(bytes.length / 1e6).toFixed(1)} MB, ${entry.sha256}`);
}

function card({ name, title, entry, result, curve, metadata, tensors }) {
  const recipe = JSON.parse(metadata.recipe);
  const subjects = JSON.parse(metadata.subjects);
  const last = curve.at(-1);
  const parameters = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  const kinds = Object.keys(last).filter((key) => key.startsWith('loss.'));
  const { dataset } = result;
  return `# ${title}

\`${name}\`: ${entry.modalities[0].toUpperCase()} encoder (CBraMod architecture), ${entry.layers} layers, ${(parameters / 1e6).toFixed(1)} M parameters,
float16, ${(entry.bytes / 1e6).toFixed(1)} MB. sha256 \`${entry.sha256}\`

\`\`\`
heartmind embed ${name} RECORDING --out embeddings.safetensors
heartmind probe ${name} --data NAME=FOLDER --target LABEL
heartmind finetune --data NAME=FOLDER --recipe finetune --${entry.modalities[0]} ${name} --out runs/mine
\`\`\`

## What it has seen

- Unlabelled recordings of ${subjects.length} people: ${dataset.title}.
- Licences of the recordings: ${dataset.licence}. The weights: Apache-2.0.
- Citations: ${dataset.citation}
- Whom exactly is in the file's metadata (\`subjects\`): heartmind says so where an evaluation tests on them.

## How it was trained

Masked reconstruction; seed ${metadata.seed}; ${metadata.engine}. Recipe:

\`\`\`json
${JSON.stringify(recipe, null, 1)}
\`\`\`

Mean squared error over hidden samples of held-out people, in model units, after ${last.epoch} epochs; predicting zero beside it:

| mask | error | predicting zero |
|---|---|---|
${kinds.map((key) => `| ${key.slice(5)} | ${last[key].toPrecision(3)} | ${last[`zero.${key.slice(5)}`].toPrecision(3)} |`).join('\n')}

![Loss by epoch](${name}.svg)

## Limits

- Trained on what openly licensed recordings were at hand, not on millions: see docs/results.md for what its embeddings
  tell of labels, and from which layer.
- No medical device; nothing here is a diagnosis.
`;
}

/** Validation loss by epoch, one line. */
function drawCurve(rows) {
  const points = rows.filter(({ loss }) => loss !== undefined);
  const [width, height, left, top] = [480, 200, 56, 12];
  const most = Math.max(...points.map(({ loss }) => loss));
  const lastEpoch = points.at(-1).epoch;
  const x = (epoch) => left + ((width - left - 12) * epoch) / lastEpoch;
  const y = (loss) => top + (height - top - 36) * (1 - loss / most);
  const line = points.map(({ epoch, loss }) => `${x(epoch).toFixed(1)},${y(loss).toFixed(1)}`).join(' ');
  const ticks = [0, most / 2, most].map(
    (value) =>
      `<text x="${left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value.toPrecision(2)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<title>Validation loss by epoch</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<path d="M${left},${top}V${y(0).toFixed(1)}H${width - 12}" fill="none" stroke="#888"/>
<polyline points="${line}" fill="none" stroke="#0b6e99" stroke-width="2"/>
${ticks.join('\n')}
<text x="${width - 12}" y="${height - 20}" text-anchor="end">${lastEpoch} epochs</text>
<text x="${left}" y="${height - 6}">validation loss (mean squared error of hidden samples)</text>
</svg>
`;
}

function check() {
  const { weights } = JSON.parse(readFileSync(indexPath, 'utf8'));
  const facts = [];
  for (const [name, { file, bytes, sha256 }] of Object.entries(weights)) {
    const content = readFileSync(join(place, file));
    if (content.length !== bytes || createHash('sha256').update(content).digest('hex') !== sha256)
      facts.push(`${file} is not what the index says`);
    const text = existsSync(join(place, `${name}.md`)) ? readFileSync(join(place, `${name}.md`), 'utf8') : '';
    if (!text.includes(sha256)) facts.push(`${name}.md does not name the sha256 of ${file}`);
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
