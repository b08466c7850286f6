#!/usr/bin/env node
/**
 * Writes docs/datasets.md from the facts of the datasets in src/datasets/registry.ts.
 * `--check` writes nothing and ends with 1 where the document is not what the facts give (a test runs it).
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const path = join(root, 'docs/datasets.md');
const check = process.argv.includes('--check');
const { datasets } = await bundle('src/datasets/registry.ts');
const text = document(Object.values(datasets));
if (!check) writeFileSync(path, text);
else if (text !== readIfThere()) {
  console.error('docs/datasets.md differs from the facts. Run `node scripts/write-dataset-docs.mjs`.');
  process.exitCode = 1;
}

function readIfThere() {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A module of src/, built beside the packages that it imports. */
async function bundle(entry) {
  const folder = join(root, `node_modules/.cache/heartmind-dataset-docs-${process.pid}`);
  try {
    const built = await rolldown({ input: join(root, entry), external: /^[^./]/, logLevel: 'warn' });
    await built.write({ dir: folder, entryFileNames: 'datasets.mjs', chunkFileNames: '[name]-[hash].mjs' });
    await built.close();
    return await import(pathToFileURL(join(folder, 'datasets.mjs')).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function document(specs) {
  const overview = table(
    ['`--data`', 'signals', 'people', 'recordings', 'predicts', 'splits', 'access', 'licence'],
    specs.map((spec) => [
      `[\`${spec.name}\`](#${spec.name})`,
      kinds(spec),
      count(spec.facts.subjects),
      count(spec.facts.recordings),
      predicts(spec),
      Object.keys(spec.splits)
        .concat(
          spec.facts.notes?.some((note) => note.startsWith('Split `published`')) && !spec.splits.published
            ? ['published']
            : [],
        )
        .map(code)
        .join(', ') || '–',
      spec.facts.access,
      spec.licence,
    ]),
  );
  return [
    '# Datasets',
    '',
    '<!-- Written by `node scripts/write-dataset-docs.mjs` from `src/datasets/`. Do not edit. -->',
    '',
    'What heartmind knows by name. `--data NAME=FOLDER` opens a copy that you have; `heartmind fetch NAME` brings an open one. For your own recordings name a `labels.csv`, or a folder that follows EEG-BIDS (`--data bids=FOLDER`).',
    '',
    'Access: *open*, anyone may fetch it; *credentialed*, after training or a signed agreement; *request*, its authors decide.',
    '',
    overview,
    ...specs.flatMap((spec) => ['', section(spec)]),
    '',
  ].join('\n');
}

function section(spec) {
  const { facts, labels = {} } = spec;
  const link = spec.url === '' ? spec.title : `[${spec.title}](${spec.url})`;
  const numbers = Object.entries(labels).flatMap(([name, { kind, unit }]) =>
    kind === 'number' ? [`${code(name)}${unit ? ` (${unit})` : ''}`] : [],
  );
  const several = Object.entries(labels).flatMap(([name, { kind, targets }]) =>
    kind === 'multilabel' ? [`${code(name)} (${targets.length})`] : [],
  );
  const { download } = facts;
  return [
    `## ${spec.name}`,
    '',
    `${link}. ${[`Licence: ${spec.licence}.`, people(facts)].filter(Boolean).join(' ')}`,
    '',
    `Access: ${facts.access}. ${facts.how}${facts.applyUrl ? ` Apply at <${facts.applyUrl}>.` : ''}${download ? ` ${downloadNote(download)}` : ''}`,
    '',
    table(
      ['signal', 'channels', 'rate', 'unit', ''],
      facts.signals.map(({ kind, channels, ratesHz, unit, note = '' }) => [
        kind.toUpperCase(),
        channels.length > 20
          ? `${channels.length}: ${channels.slice(0, 20).join(' ')} …`
          : channels.join(' ') || 'see note',
        ratesHz.length > 0 ? `${ratesHz.join(', ')} Hz` : '–',
        unit || '–',
        note,
      ]),
    ),
    '',
    ...Object.entries(facts.labels).map(([name, what]) => `- ${code(name)}: ${what}`),
    ...(several.length > 0
      ? ['', `Several at once, each also a target of classes 0 and 1: ${several.join(', ')}.`]
      : []),
    ...(numbers.length > 0 ? ['', `Numbers: ${numbers.join(', ')}.`] : []),
    '',
    table(
      ['file', 'what', 'how many'],
      facts.layout.map(({ path: file, what, count: files }) => [code(file), what, count(files)]),
    ),
    ...(facts.notes?.length > 0 ? ['', ...facts.notes.map((note) => `- ${note}`)] : []),
    ...(spec.citation === '' ? [] : ['', `Cite: ${spec.citation}`]),
  ].join('\n');
}

function downloadNote({ bytes, checksumList, files }) {
  const size = bytes === undefined ? '' : ` About ${formatBytes(bytes)}.`;
  if (checksumList) return `Every file is checked against the publisher's \`${checksumList}\`.${size}`;
  return `${files?.length ?? 0} files to fetch.${size}`;
}

function people({ subjects, recordings }) {
  const parts = [];
  if (subjects !== undefined) parts.push(`${count(subjects)} people`);
  if (recordings !== undefined) parts.push(`${count(recordings)} recordings`);
  return parts.length > 0 ? `${parts.join(', ')}.` : '';
}

function predicts({ targets, labels = {} }) {
  const inSets = new Set(Object.values(labels).flatMap((label) => label.targets ?? []));
  const single = Object.keys(targets).filter((name) => !inSets.has(name));
  const sets = Object.entries(labels).flatMap(([name, { kind }]) => (kind === 'multilabel' ? [name] : []));
  return [...single, ...sets].map(code).join(', ') || 'by the folder';
}

function kinds({ modalities, facts }) {
  const found = facts.signals.map(({ kind }) => kind).filter((kind) => kind !== 'other');
  return [...new Set([...modalities, ...found])].map((kind) => kind.toUpperCase()).join(' + ');
}

function table(header, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function code(name) {
  return `\`${name}\``;
}

function count(value) {
  return value === undefined ? '–' : value.toLocaleString('en-US');
}

function formatBytes(bytes) {
  return bytes >= 1e9 ? `${Math.round(bytes / 1e8) / 10} GB` : `${Math.round(bytes / 1e6)} MB`;
}
