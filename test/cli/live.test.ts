/** `predict --live` from a growing file and from a pipe: the predictions of `predict` on the finished file. */
import { spawn } from 'node:child_process';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { parseModelConfig } from '../../src/model/config.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { encodeModel } from '../../src/model/model-file.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { buildCli, heartmindIn, main, makeWorkspace, removeCli } from './workspace.ts';

let folder: string;
const cpu = ['--device', 'cpu', '--threads', '1'];
const rateHz = 250;
const seconds = 14;
const random = new Random(7);
const channels = ['Fz', 'ECG'].map((name) => ({
  ...{ name, unit: 'uV', rateHz, resolution: 0.1 },
  samples: Float64Array.from({ length: seconds * rateHz }, () => Math.round(300 * random.normal()) / 10),
}));

function makeModel(zeroPhase: boolean): Uint8Array {
  const signal = { lowHz: 1, highHz: 40, zeroPhase };
  const recipe = parseRecipe({
    version: 1,
    signals: {
      eeg: { channels: ['Fz'], scaleMicrovolts: 100, ...signal },
      ecg: { channels: ['ECG'], scaleMicrovolts: 1000, ...signal },
    },
    window: { lengthSeconds: 2, stepSeconds: 1 },
  });
  const encoder = { encoder: { layers: 1 }, patches: 2 };
  const config = parseModelConfig({
    signals: { eeg: { ...encoder, channels: ['Fz'] }, ecg: { ...encoder, channels: ['ECG'] } },
    head: { kind: 'linear', classes: 2 },
  });
  const tensors = initialParameters(modelParameters(config), new Random(5));
  return encodeModel({ config, recipe, classes: ['calm', 'stress'], tensors });
}

/** Rows without the file's name. */
function rowsOf(csv: string): string[] {
  const [header, ...rows] = csv.trimEnd().split('\n');
  expect(header).toBe('file,start,duration,predicted,p_calm,p_stress');
  return rows.map((row) => row.slice(row.indexOf(',') + 1));
}

let offline: string[];

/** Of the offline prediction; one window at a time, the engine rounds otherwise than in batches. */
function expectSame(rows: readonly string[]): void {
  expect(rows).toHaveLength(offline.length);
  for (const [i, row] of rows.entries()) {
    const [got, want] = [row.split(','), offline[i]!.split(',')];
    expect(got.slice(0, 3)).toEqual(want.slice(0, 3));
    expect(Number(got[3])).toBeCloseTo(Number(want[3]), 4);
  }
}

beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
  await writeFile(join(folder, 'causal.safetensors'), makeModel(false));
  await writeFile(join(folder, 'both.safetensors'), makeModel(true));
  await writeFile(join(folder, 'whole.edf'), encodeEdf({ channels }));
  const { stdout } = await heartmindIn(folder, ['predict', 'causal.safetensors', 'whole.edf', ...cpu]);
  offline = rowsOf(stdout);
  expect(offline).toHaveLength(seconds - 1);
});
afterAll(async () => {
  await Promise.all([rm(folder, { recursive: true, force: true }), removeCli()]);
});

test('a growing file', async () => {
  const bytes = await readFile(join(folder, 'whole.edf'));
  bytes.write('-1      ', 236, 'latin1');
  const recordBytes = (bytes.length - 1024) / seconds;
  await writeFile(join(folder, 'grows.edf'), bytes.subarray(0, 1024 + 3 * recordBytes));
  const args = ['predict', 'causal.safetensors', '--live', 'grows.edf', '--idle', '5', ...cpu];
  const running = heartmindIn(folder, args);
  for (let record = 3; record < seconds; record++) {
    await wait(100);
    const from = 1024 + record * recordBytes;
    await appendFile(join(folder, 'grows.edf'), bytes.subarray(from, from + recordBytes));
  }
  const { code, stdout, stderr } = await running;
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expectSame(rowsOf(stdout));
});

test('a pipe: each line comes when its window is whole, not at the end', async () => {
  const args = ['predict', 'causal.safetensors', '--live', '-', '--input-rate', String(rateHz), ...cpu];
  const child = spawn(process.execPath, [main, ...args], { cwd: folder });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const line = (i: number) => `${channels.map(({ samples }) => samples[i]!.toFixed(1)).join(',')}\n`;
  const lines = Array.from(channels[0]!.samples, (_, i) => line(i));
  child.stdin.write(`Fz,ECG\n${lines.slice(0, 7 * rateHz).join('')}`);
  while (stdout.split('\n').length < 6 && child.exitCode === null) await wait(50);
  // Five windows end within seven seconds, a few samples' delay off.
  expect(stdout.split('\n').length).toBeGreaterThanOrEqual(6);
  child.stdin.end(lines.slice(7 * rateHz).join(''));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  expectSame(rowsOf(stdout));
});

test('a model trained with filters in both directions says what is different live; wrong use is told', async () => {
  const live = ['predict', 'both.safetensors', '--live'];
  const { code, stderr, stdout } = await heartmindIn(folder, [
    ...live,
    'whole.edf',
    '--idle',
    '0.3',
    '--format',
    'json',
    ...cpu,
  ]);
  expect(`${code} ${stderr}`).toMatch(
    /^0 live: the model was trained on signals filtered forwards and backwards/,
  );
  expect(stdout.trimEnd().split('\n')).toHaveLength(seconds - 1);
  expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({ start: 0, duration: 2, source: 'whole.edf' });
  expect((await heartmindIn(folder, [...live, 'whole.edf', 'b.edf', ...cpu])).stderr).toContain(
    '2 sources were given',
  );
  expect((await heartmindIn(folder, [...live, '-', ...cpu])).stderr).toContain('Give --input-rate');
  expect((await heartmindIn(folder, [...live, 'nowhere.edf', ...cpu])).stderr).toContain('no such file');
});

test.each([
  ['SIGINT', 'before the first line of a pipe', '-'],
  ['SIGTERM', 'before the first line of a pipe', '-'],
  ['SIGINT', 'while a file does not grow', 'whole.edf'],
  ['SIGTERM', 'while a file does not grow', 'whole.edf'],
] as const)('%s ends it %s, with what was predicted', async (signal, _, source) => {
  const args = [
    'predict',
    'causal.safetensors',
    '--live',
    source,
    '--out',
    `${signal}.csv`,
    ...(source === '-' ? ['--input-rate', '250'] : []),
  ];
  const child = spawn(process.execPath, [main, ...args, ...cpu], { cwd: folder });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise((resolve) => child.on('close', resolve));
  // Of a file all windows are predicted first. More comments than a pipe holds are taken only by who reads them.
  const rows = async () =>
    (await readFile(join(folder, `${signal}.csv`), 'utf8').catch(() => '')).split('\n').length;
  if (source === '-') {
    const comments = '# only comments\n'.repeat(250_000);
    const taken = new Promise((resolve) => child.stdin.write(comments, resolve));
    await Promise.race([taken, ended]);
  } else while ((await rows()) < seconds - 1 && child.exitCode === null) await wait(50);
  child.kill(signal);
  const code = await ended;
  if (source === '-') expect(`${code} ${stderr}`).toMatch(/stopped before the first line came/);
  else {
    expect(code).toBe(0);
    expectSame(rowsOf(await readFile(join(folder, `${signal}.csv`), 'utf8')));
  }
});
