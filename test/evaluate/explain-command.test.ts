/** `heartmind explain` as a user runs it: a model trained in seconds on the embedded recordings, one of them explained. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';
import { encodeModel } from '../../src/model/model-file.ts';
import { prepareRecording } from '../../src/patches/prepare.ts';
import { eegmatRecipe } from '../../src/patches/recipe.ts';
import { WindowSetBuilder } from '../../src/patches/window-set.ts';
import { openRecordingFile } from '../../src/read/file-node.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { finetune } from '../../src/train/finetune.ts';
import { parseFinetuneRecipe } from '../../src/train/recipe.ts';
import { buildCli, heartmindIn, removeCli } from '../cli/workspace.ts';

let folder: string;
const sample = (name: string) => join(sampleDataFolder('eegmat'), name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartmind-explain-'));
  await Promise.all([buildCli(), train()]);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await removeCli();
});

/** Heads on frozen encoders of one layer, on 20 seconds of six recordings. */
async function train(): Promise<void> {
  const classes = ['rest', 'arithmetic'];
  const builder = new WindowSetBuilder(eegmatRecipe, classes);
  for (const subject of ['Subject00', 'Subject01', 'Subject02']) {
    for (const label of [0, 1]) {
      const recording = await openRecordingFile(sample(`${subject}_${label + 1}.edf.gz`));
      const prepared = await prepareRecording(recording, eegmatRecipe, { end: 20 });
      builder.add(prepared, { subject, trial: `${subject} ${label}`, label });
      await recording.close();
    }
  }
  const recipe = parseFinetuneRecipe({
    ...{ version: 1, task: 'finetune', tune: 'frozen', head: { kind: 'linear' }, learningRates: {} },
    encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
    optimization: { epochs: 10, batch: 8, minimumLearningRate: 1e-5 },
  });
  const windows = await builder.finish();
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const { model } = await finetune({
    ...{ backend: await createNodeBackend({ device: 'cpu', threads: 2 }), windows, recipe },
    ...{ training: range(0, 16), validation: range(16, windows.count) },
  });
  await writeFile(join(folder, 'model.safetensors'), encodeModel(model));
}

describe('heartmind explain', () => {
  test('writes a page and figures, and says in words what was found', async () => {
    const { code, stdout, stderr } = await heartmindIn(folder, [
      ...['explain', 'model.safetensors', sample('Subject03_2.edf.gz'), '--class', 'arithmetic'],
      ...['--out', 'why.html', '--json', 'why.json', '--start', '10', '--seconds', '5', '--device', 'cpu'],
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/The model gives “arithmetic” a probability of 0\.\d\d/);
    expect(stdout).toMatch(
      /Completeness: .*\n(Warning: )?Occlusion, EEG: .*\n(Warning: )?Occlusion, ECG: .*\n(Warning: )?Sanity: /,
    );
    expect(stdout).toContain('Written: why.html, why.json');
    expect(stderr).toMatch(/attributions: 1\/1 .*occlusion: 1\/1 .*random weights: 6\/6 /s);
    const page = await readFile(join(folder, 'why.html'), 'utf8');
    expect(page.startsWith('<!doctype html>')).toBe(true);
    expect(page.includes('Electrodes from above')).toBe(true);
    const figures = JSON.parse(await readFile(join(folder, 'why.json'), 'utf8'));
    expect(figures.windows.map(({ start }: { start: number }) => start)).toEqual([10]);
    expect(figures.signals.eeg.channels.length).toBe(20);
    expect(figures.sanity.levels.map(({ name }: { name: string }) => name)).toEqual([
      ...['head', 'head and all layers', 'everything'],
    ]);
    expect(figures.windows[0].relativeGap).toBeLessThan(0.01);
  });

  test.each([
    ['nothing to write', ['Subject03_2.edf.gz'], 2, 'explain: nothing to write. Give --out'],
    [
      'a negative start',
      ['Subject03_2.edf.gz', '--out', 'x.html', '--start=-1'],
      2,
      "--start: '-1' is no time.",
    ],
    [
      ...(['an unknown class', ['Subject03_2.edf.gz', '--out', 'x.html', '--class', 'joy'], 2] as const),
      "class: the model knows no 'joy'. Choose one of rest, arithmetic.",
    ],
    ['a recording without EEG', ['../ecg12/10157.edf.gz', '--out', 'x.html'], 3, 'Fp1'],
  ] as const)('%s is refused', async (_, [file, ...flags], code, message) => {
    const finished = await heartmindIn(folder, ['explain', 'model.safetensors', sample(file), ...flags]);
    expect(finished.code).toBe(code);
    expect(finished.stderr).toContain(message);
  });
});
