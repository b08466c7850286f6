/** What the documents claim: tables are what their JSON gives, files that they name are there. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseResult } from '../src/evaluate/result.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

test("the documents' tables are their JSON's", () => {
  execFileSync(process.execPath, ['scripts/write-tables.mjs', '--check'], { cwd: root });
  execFileSync(process.execPath, ['scripts/cluster/write-scaling.mjs', '--check'], { cwd: root });
  execFileSync(process.execPath, ['scripts/measure-beats.mjs', '--tables', '--check'], { cwd: root });
  expect(read('README.md')).toMatch(/<!-- table demo -->\n\| model .*\n\|---/);
});

test('docs/datasets.md is what the facts of the datasets give', () => {
  execFileSync(process.execPath, ['scripts/write-dataset-docs.mjs', '--check'], { cwd: root });
});

test('results/demo.json is a whole result', () => {
  const result = parseResult(JSON.parse(read('results/demo.json')));
  expect(result.windows).toBe(1707);
  expect(result.command).toBe('heartmind demo');
  expect(Object.keys(result.models)).toEqual(
    expect.arrayContaining(['eeg', 'ecg', 'eeg+ecg', 'majority', 'classical-eeg+ecg']),
  );
});

test.each(readdirSync(join(root, 'results')).filter((name) => name.endsWith('.json')))(
  'results/%s names the command that made it, whose script or verb is there',
  (name) => {
    const { command } = JSON.parse(read(`results/${name}`)) as { command?: unknown };
    expect(command, `results/${name} has no "command"`).toBeTypeOf('string');
    const [program, first, second] = (command as string).split(' ');
    if (program === 'node') expect(existsSync(join(root, first!)), first).toBe(true);
    else if (program === 'heartmind') expect(existsSync(join(root, `src/cli/${first}.ts`)), first).toBe(true);
    else {
      expect([program, first], `${command}`).toEqual(['npm', 'run']);
      expect(Object.keys(JSON.parse(read('package.json')).scripts)).toContain(second);
    }
  },
);

test.each([
  ...[
    'README.md',
    'ARCHITECTURE.md',
    'docs/results.md',
    'docs/benchmarks.md',
    'docs/gpu.md',
    'docs/many-machines.md',
    'docs/data-at-scale.md',
    'docs/formats.md',
    'docs/signals.md',
    'docs/datasets.md',
    'docs/fusion.md',
    'docs/reproduce.md',
    'docs/statistics.md',
    'docs/explanations.md',
    'docs/weights.md',
    'weights/ecg-12.md',
    'weights/eeg-4.md',
    'weights/workload.md',
  ],
  'sample-data/README.md',
])('%s links to files that are there', (document) => {
  const links = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map((match) => match[1]!);
  const named = [
    ...read(document).matchAll(/`((?:test|scripts|src|results|recipes|docs|bench)\/[\w./-]+)`/g),
  ].map((match) => match[1]!);
  const missing = [
    ...links.filter((link) => !existsSync(join(root, dirname(document), link))),
    ...named.filter((path) => !existsSync(join(root, path))),
  ];
  expect(missing).toEqual([]);
});
