import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { withTunedRecipe } from '../../src/cli/reproduce-labels.ts';
import { ConfigError, InterruptedError } from '../../src/core/errors.ts';
import { describeFolder } from '../../src/datasets/dataset.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { ptbxl } from '../../src/datasets/ptbxl.ts';
import { untrainedEncoder } from '../../src/evaluate/probe-features.ts';
import { type ReproduceLabelsOptions, reproduceLabels } from '../../src/evaluate/reproduce-labels.ts';
import { parseLabelsRecipe } from '../../src/evaluate/reproduce-labels-recipe.ts';
import { renderLabelReproduction } from '../../src/evaluate/reproduce-labels-report.ts';
import {
  type LabelBlock,
  type LabelReproduction,
  parseLabelReproduction,
} from '../../src/evaluate/reproduce-labels-result.ts';
import { differenceCells, labelCells, shareCells } from '../../src/evaluate/reproduce-labels-table.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { memoryFolder } from '../datasets/memory-folder.ts';
import { ptbxlFiles } from '../datasets/synthetic/ptbxl.ts';
import { memoryFiles, silent } from './reproduce-small.ts';

const people = 160;
const folder = memoryFolder(ptbxlFiles(people));
const small = {
  ...{ version: 1, task: 'reproduce', benchmark: 'ptbxl', target: 'superclasses', encoder: 'random' },
  prepare: {
    version: 1,
    signals: { ecg: { channels: ['I', 'II'], lowHz: 0.5, highHz: 45, scaleMicrovolts: 1000 } },
    window: { lengthSeconds: 4, stepSeconds: 4 },
  },
  leads: ['all', ['I']],
  probe: { layers: [1], pool: 'leads', strengths: [0.01, 0.1] },
  classical: { strengths: [0.1, 1] },
  shares: [0.25, 1],
  seeds: [0, 1],
  tuned: {
    recipe: {
      ...{ version: 1, task: 'finetune', encoders: { ecg: { layers: 1 } }, head: { kind: 'linear' } },
      optimization: { epochs: 1, batch: 32, minimumLearningRate: 1e-5 },
    },
    seeds: [0, 1],
  },
  samples: 200,
};

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

async function run(
  options: Partial<ReproduceLabelsOptions> = {},
  recipe: object = {},
): Promise<LabelReproduction> {
  return reproduceLabels({
    ...{ backend, folder, progress: silent, command: 'test', versions: {} },
    spec: await describeFolder(ptbxl, folder),
    recipe: parseLabelsRecipe({ ...small, ...recipe }),
    encoder: {
      tensors: untrainedEncoder('e', 1, 7).tensors,
      source: 'random',
      origin: { dataset: 'ptbxl', subjects: '[]' },
    },
    ...options,
  });
}

const rowsAt = ({ rows }: LabelBlock, share = 1) =>
  new Map(rows.filter(({ labelShare }) => labelShare === share).map((row) => [row.model, row]));

describe('made-up PTB-XL, in which forms of beats tell the super-classes', () => {
  test('a block for each choice of leads, rows by model and share, goes on where it was stopped', async () => {
    const whole = memoryFiles();
    const result = await run({ kept: whole });
    expect(parseLabelReproduction(JSON.parse(JSON.stringify(result)))).toEqual(result);
    expect(result.blocks.map(({ channels }) => channels)).toEqual([['I', 'II'], ['I']]);
    expect(result.tested).toEqual({
      ...{ windows: 16, subjects: 16 },
      labels: { NORM: 1, MI: 8, STTC: 8, CD: 8, HYP: 8 },
    });
    for (const block of result.blocks) {
      const all = rowsAt(block);
      expect([...all.keys()]).toEqual(['prior', 'classical', 'ecg', 'ecg-untrained']);
      expect(all.get('prior')!.auroc.mean).toBe(0.5);
      expect(all.get('classical')!.auroc.mean).toBeGreaterThan(0.9);
      expect(all.get('ecg')!.auroc.mean).toBeGreaterThan(0.7);
      // NORM is true of one tested person.
      expect(all.get('ecg')!.labels.map(({ name }) => name)).toEqual(['MI', 'STTC', 'CD', 'HYP']);
      expect([all.get('ecg')!.seeds, all.get('ecg-untrained')!.seeds]).toEqual([[0], [0, 1]]);
      expect([all.get('ecg')!.people, rowsAt(block, 0.25).get('ecg')!.people]).toEqual([128, 32]);
      expect(rowsAt(block, 0.25).get('classical')!.strengths).toHaveLength(2);
      expect(
        block.comparisons.map(({ model, against, labelShare }) => `${model} ${against} ${labelShare}`),
      ).toEqual(['ecg ecg-untrained 0.25', 'ecg classical 0.25', 'ecg ecg-untrained 1', 'ecg classical 1']);
      for (const { difference, low, high, p, pHolm } of block.comparisons) {
        expect(low).toBeLessThanOrEqual(difference);
        expect(high).toBeGreaterThanOrEqual(difference);
        expect(pHolm).toBeGreaterThanOrEqual(p);
      }
    }
    expect(result.notes.join('\n')).toContain('NORM is too rare under seed 0, 1');

    const stop = new AbortController();
    const partly = memoryFiles();
    const saved: string[] = [];
    const stopping = {
      ...partly,
      async save(name: string, bytes: Uint8Array) {
        await partly.save(name, bytes);
        if ([...partly.files.keys()].filter((one) => one.startsWith('scores/')).length === 8) stop.abort();
      },
    };
    await expect(run({ kept: stopping, signal: stop.signal })).rejects.toThrow(InterruptedError);
    const done = [...partly.files.keys()];
    expect(done.length).toBeLessThan(whole.files.size);
    const resumed = await run({
      kept: {
        ...partly,
        async save(name: string, bytes: Uint8Array) {
          saved.push(name);
          await partly.save(name, bytes);
        },
      },
    });
    expect(resumed.blocks).toEqual(result.blocks);
    expect(saved.filter((name) => done.includes(name))).toEqual([]);

    const page = renderLabelReproduction(result);
    for (const text of ['ECGFounder', 'Fewer labels', 'all 2 leads', 'I, II'].filter(
      (one) => !one.startsWith('all'),
    ))
      expect(page).toContain(text);
    const { header, rows } = labelCells(result);
    expect(header).toEqual(['leads', 'model', 'macro AUROC', 'NORM', 'MI', 'STTC', 'CD', 'HYP']);
    expect(rows.every((row) => row.length === header.length)).toBe(true);
    for (const cells of [differenceCells(result), shareCells(result)]) {
      expect(cells.rows.length).toBe(4);
      expect(cells.rows.every((row) => row.length === cells.header.length)).toBe(true);
    }
  });

  test('tunes the encoder beside one from scratch, and forgets the checkpoints of what is done', async () => {
    const forgotten: string[] = [];
    const kept: string[] = [];
    const trainings = {
      keep(name: string) {
        kept.push(name);
        return {};
      },
      forget: async (name: string) => void forgotten.push(name),
    };
    const result = await run({ tune: true, trainings }, { leads: [['I']], shares: [1] });
    const rows = rowsAt(result.blocks[0]!);
    expect([...rows.keys()].slice(-2)).toEqual(['ecg-tuned', 'ecg-scratch']);
    expect(rows.get('ecg-tuned')).toMatchObject({ seeds: [0, 1], epochs: [1, 1], strengths: [] });
    expect(result.blocks[0]!.comparisons.at(-1)).toMatchObject({
      model: 'ecg-tuned',
      against: 'ecg-scratch',
    });
    expect(forgotten).toContain('I-ecg-tuned-superclasses-1-1-0');
    expect(kept.every((name) => forgotten.some((beginning) => name.startsWith(`${beginning}-`)))).toBe(true);
  });

  test('says whom the encoder has seen, under either name', async () => {
    const { tensors } = untrainedEncoder('e', 1);
    const options = { leads: [['I']], shares: [1], seeds: [0] };
    const notes = async (subjects: string[] | undefined) => {
      const origin: Record<string, string> = subjects
        ? { dataset: 'ptbxl+cinc2021', subjects: JSON.stringify(subjects) }
        : {};
      return (await run({ encoder: { tensors, source: 'mine', origin } }, options)).notes;
    };
    expect(await notes(['ptbxl 100', 'A0001'])).toContain(
      'mine was pre-trained on unlabelled recordings of 1 of the 128 training people, 0 of the 16 who choose, and 0 of the 16 tested people.',
    );
    expect((await notes(['HR00160'])).join()).toContain(
      '1 of the 16 tested people: its rows are transductive',
    );
    expect((await notes(undefined)).join()).toContain('does not say whom it was pre-trained on');
  });

  test('refuses a target that is not several labels', async () => {
    await expect(run({}, { target: 'age' })).rejects.toThrow("ptbxl's age is of kind number");
  });
});

test('the recipe that comes along, and what is wrong with others', () => {
  const path = join(import.meta.dirname, '../../recipes/reproduce-ptbxl.json');
  const plain = withTunedRecipe(JSON.parse(readFileSync(path, 'utf8'))) as typeof small;
  const recipe = parseLabelsRecipe(plain);
  expect(recipe.leads).toEqual(['all', ['I', 'II'], ['I']]);
  expect(recipe.tuned.seeds.length).toBeGreaterThanOrEqual(3);
  expect(() => parseLabelsRecipe({ ...plain, shares: [1, 1] })).toThrow('shares: 1 stands twice');
  expect(() => parseLabelsRecipe({ ...plain, leads: [['I'], ['I']] })).toThrow(ConfigError);
  const both = { ...plain.tuned.recipe, encoders: { ecg: { layers: 1 }, eeg: { layers: 1 } } };
  expect(() => parseLabelsRecipe({ ...plain, tuned: { ...plain.tuned, recipe: both } })).toThrow(
    'an ECG encoder alone is tuned',
  );
});

const real = join(process.env.HEARTMIND_DATA || join(homedir(), '.cache/heartmind/data'), 'ptbxl');
describe.skipIf(!existsSync(real))(`PTB-XL (extra: only where ${real} is)`, () => {
  test('the official folds and five labels of all that is there', async () => {
    const spec = await describeFolder(ptbxl, await openFolder(real));
    const trials = await spec.trials(await openFolder(real));
    expect(trials.length).toBeGreaterThan(2000);
    expect(spec.splits.published!.test.length).toBeGreaterThan(100);
    expect(readdirSync(real)).toContain('ptbxl_database.csv');
  });
});
