/** Verbs without a model named: the released one on the embedded recordings and on a few channels of somebody's own. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';
import { decodeOnnx } from '../../src/graph/onnx.ts';
import { readReleased } from '../../src/model/released-weights-node.ts';
import { buildCli, heartmindIn, makeWorkspace, removeCli } from './workspace.ts';

const cpu = ['--device', 'cpu', '--threads', '1'];
const sample = join(sampleDataFolder('eegmat'), 'Subject35_1.edf.gz');
const own = 'a/anna-calm.edf';
const note = /no model named, so workload: rest or arithmetic every 5 s, from EEG, ECG or both; trained/;

let folder: string;
const heartmind = (...args: string[]) => heartmindIn(folder, args);

beforeAll(async () => {
  [folder] = await Promise.all([makeWorkspace(), buildCli()]);
});
afterAll(async () => {
  await removeCli();
  await rm(folder, { recursive: true, force: true });
});

describe('predict', () => {
  test('without a model takes the released one and says so; by its name it says nothing of it', async () => {
    const unnamed = await heartmind('predict', sample, ...cpu);
    expect(unnamed.code, unnamed.stderr).toBe(0);
    expect(unnamed.stderr).toMatch(note);
    const [header, first, ...rows] = unnamed.stdout.trimEnd().split('\n');
    expect(header).toBe('file,start,duration,predicted,p_rest,p_arithmetic');
    expect(first).toMatch(/Subject35_1\.edf\.gz,0,5,(rest|arithmetic),[01]\.\d+,[01]\.\d+$/);
    expect(rows.length).toBeGreaterThan(30);
    const named = await heartmind('predict', 'workload', sample, ...cpu);
    expect({ code: named.code, stdout: named.stdout }).toEqual({ code: 0, stdout: unnamed.stdout });
    expect(named.stderr).not.toMatch(/no model named/);
  });

  test('two electrodes and a chest lead are enough', async () => {
    const { code, stdout, stderr } = await heartmind('predict', own, 'a/ben-stress.edf', ...cpu);
    expect(code, stderr).toBe(0);
    expect(stdout.trimEnd().split('\n').length).toBeGreaterThan(2);
    expect(stderr).toMatch(note);
  });

  test('follows a file as it grows', async () => {
    const { code, stdout, stderr } = await heartmind('predict', '--live', own, '--idle', '0.5', ...cpu);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(note);
    expect(stdout).toMatch(/^file,start,duration,predicted,p_rest,p_arithmetic\n/);
  });

  test('a released name means the file of that name where there is one', async () => {
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'workload'), 'time,ECG\n');
    const { code, stderr } = await heartmindIn(other, ['predict', 'workload', ...cpu]);
    expect(code).toBe(3);
    expect(stderr).toMatch(note);
  });

  test('weights are known by what they are, whatever their name', async () => {
    await writeFile(join(folder, 'renamed.bin'), await readReleased('workload'));
    const { code, stderr } = await heartmind('predict', 'renamed.bin', own, ...cpu);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/no model named/);
  });

  test.each([
    [3, ['predict', 'runs/nope', own], /^runs\/nope: neither a model nor a recording: .*\(workload\)/],
    [3, ['predict', 'nope.edf'], /^nope\.edf: neither a model nor a recording/],
    [2, ['predict', 'workload'], /^predict: 'workload' is a model\. Name a recording after it\./],
    [2, ['predict', own, 'workload'], /^predict: 'workload' is a model and stands behind the recording/],
    [2, ['predict', own, '--model', 'ecg'], /^--model: 'ecg' is one of a run's models, and no run is named/],
    [2, ['embed', own, '--out', 'x.npz'], /stands alone\. Name weights \(.*ecg-12.*, a run, a file\)/],
    [3, ['predict', 'ecg-12', own], /weights alone are no model/],
    [3, ['predict', 'a', own], /^a: no model in this folder/],
    [2, ['explain', own, 'a/ben-calm.edf', '--out', 'x.html'], /^explain: 2 recordings were named\./],
  ])('exit code %i: %j', async (due, args, message) => {
    const { code, stdout, stderr } = await heartmind(...args, ...cpu, '--progress', 'none');
    expect({ code, stdout }, stderr).toEqual({ code: due, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('other verbs without a model', () => {
  test('explain explains the released one', async () => {
    const { code, stderr } = await heartmind(
      ...['explain', sample, '--json', 'why.json', '--start', '60', '--seconds', '5', '--no-sanity', ...cpu],
    );
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(note);
    const why = JSON.parse(await readFile(join(folder, 'why.json'), 'utf8'));
    expect(why.windows).toHaveLength(1);
  });

  test('export writes the released one', async () => {
    const { code, stdout, stderr } = await heartmind('export', '--out', 'workload.onnx');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'workload.onnx\n' });
    expect(stderr).toMatch(note);
    const { graph } = decodeOnnx(new Uint8Array(await readFile(join(folder, 'workload.onnx'))));
    expect(graph.inputs.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['eeg', 'ecg', 'eeg.present', 'ecg.present']),
    );
  });
});
