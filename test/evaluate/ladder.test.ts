/** Ladders: variants of one recipe on equal terms, and models tested without a modality. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DatasetSpec } from '../../src/datasets/dataset.ts';
import { applyRung, candidatesOf, type LadderRecipe, parseLadderRecipe } from '../../src/evaluate/ladder.ts';
import { describeVariant } from '../../src/evaluate/model-names.ts';
import { renderReport } from '../../src/evaluate/report.ts';
import { runEvaluation } from '../../src/evaluate/study.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { createProgress } from '../../src/train/progress.ts';
import { parseFinetuneRecipe } from '../../src/train/recipe.ts';
import { syntheticWindows } from '../train/fixtures/synthetic.ts';

const finetune = parseFinetuneRecipe({
  version: 1,
  task: 'finetune',
  encoders: { eeg: { layers: 1 }, ecg: { layers: 1 } },
  head: { kind: 'linear' },
  tune: 'frozen',
  learningRates: { head: 5e-3 },
  optimization: { epochs: 3, batch: 12, minimumLearningRate: 1e-5 },
});
const ladderOf = (over: object = {}): LadderRecipe =>
  parseLadderRecipe({ version: 1, task: 'ladder', finetune, ladder: ['concatenate', 'gated'], ...over });
const namesOf = (over: object = {}) => {
  const { finetune: recipe, ...options } = ladderOf(over);
  return candidatesOf(recipe, {}, options).map(({ name }) => name);
};

describe('candidates', () => {
  test('of a ladder of fusions: each signal once, then every kind', () => {
    const kinds = ['concatenate', 'late', 'gated', 'cross-attention'];
    expect(namesOf({ ladder: kinds })).toEqual(['eeg', 'ecg', ...kinds.map((kind) => `eeg+ecg-${kind}`)]);
    expect(candidatesOf(finetune, {}).map(({ name }) => name)).toEqual(['eeg', 'ecg', 'eeg+ecg']);
  });

  test('of a ladder of adaptations: every rung of every model that is asked for', () => {
    const ladder = ['linear-probe', 'full'];
    const both = ['eeg+ecg-linear-probe', 'eeg+ecg-full'];
    expect(namesOf({ ladder })).toEqual([
      ...['eeg-linear-probe', 'eeg-full', 'ecg-linear-probe', 'ecg-full'],
      ...both,
    ]);
    expect(namesOf({ ladder, models: ['eeg+ecg'] })).toEqual(both);
  });

  test('differ from the recipe in what their rung says, and in nothing else', () => {
    const deep = { ...finetune, encoders: { eeg: { ...finetune.encoders.eeg!, layers: 12 } } };
    expect(applyRung(finetune, 'late')).toEqual({ ...finetune, fusion: 'late' });
    expect(applyRung(finetune, 'full')).toEqual({ ...finetune, tune: 'all' });
    expect(applyRung(deep, 'partial')).toEqual({ ...deep, tune: { lastLayers: 3 } });
    expect(applyRung(finetune, 'attentive-pooling')).toEqual({
      ...finetune,
      head: { ...finetune.head, pool: 'attention' },
    });
    const { tune, learningRates } = applyRung(finetune, 'lora');
    expect(tune).toEqual({ lora: { rank: 8, alpha: 16, on: ['attention', 'feedForward'] } });
    expect(learningRates).toEqual({ backbone: 1e-3, head: 5e-3 });
    expect(applyRung(finetune, { name: 'wide', head: { kind: 'mlp', hidden: 64 } }).head).toEqual({
      ...finetune.head,
      ...{ kind: 'mlp', hidden: 64 },
    });
  });

  test.each([
    [{ ladder: ['late', 'late'] }, "'late' stands twice"],
    [{ ladder: ['sum'] }, 'ladder.ladder.0'],
    [{ ladder: [{ name: 'a b' }] }, 'ladder.ladder.0'],
    [{ ladder: [{ name: 'x', tune: { lastLayers: 2 } }] }, 'ladder.ladder.0.tune.lastLayers: 2 of 1 layers'],
    [
      { ladder: [{ name: 'x', fusion: 'gated', head: { kind: 'all-patches' } }] },
      'all-patches does not go with gated',
    ],
  ])('%o is refused', (over, message) => {
    expect(() => ladderOf(over)).toThrow(message);
  });
});

test.each(['eegmat-fusion-ladder', 'eegmat-adaptation-ladder'])('recipes/%s.json is valid', (name) => {
  const path = new URL(`../../recipes/${name}.json`, import.meta.url);
  const { finetune: recipe, ladder } = parseLadderRecipe(JSON.parse(readFileSync(path, 'utf8')));
  // As many as the released EEG encoder has, or fewer.
  expect(recipe.encoders.eeg!.layers).toBe(2);
  expect(ladder.length).toBeGreaterThanOrEqual(5);
});

test('a table of two fusions with and without dropout, tested without each signal', async () => {
  const subjects = ['p0', 'p1', 'p2', 'p3', 'p4'].flatMap((name) => [name, name, name, name]);
  const labels = subjects.map((_, i) => i % 2);
  const windows = await syntheticWindows({
    ...{ channels: { eeg: ['C3'], ecg: ['II'] }, patches: 1, subjects, labels },
    signal: (window, _, seconds, modality) => {
      const angle = 2 * Math.PI * (seconds + 0.05 * ((3 * window) % 5));
      if (modality === 'ecg') return Math.sin((labels[window] ? 2 : 1) * angle) ** 5;
      // No two windows are equal: equal ones of two people would be refused.
      const size = (labels[window] ? 0.6 : 0.2) + window / 1000;
      return size * Math.sin(10 * angle) + 0.1 * Math.sin(3 * angle);
    },
  });
  const split = { name: 'published', train: ['p0', 'p1', 'p2'], validation: ['p3'], test: ['p4'] };
  const recipe = ladderOf({
    ladder: ['concatenate', { name: 'gated-dropout', fusion: 'gated', modalityDropout: 0.4 }],
    testMissing: true,
  });
  const result = await runEvaluation({
    ...recipe,
    backend: await createNodeBackend({ device: 'cpu', threads: 1 }),
    dataset: {
      ...{ name: 'tiny', title: 'Tiny', citation: '', licence: '', splits: { published: split } },
    } as unknown as DatasetSpec,
    ...{ target: 'state', windows, name: 'tiny', seeds: [0], encoders: {} },
    protocol: { kind: 'published', split: 'published' },
    progress: createProgress('none', { write: () => undefined }),
    versions: {},
  });
  const deep = Object.keys(result.models).slice(0, 8);
  expect(deep).toEqual([
    ...['eeg', 'ecg'],
    ...['eeg+ecg-concatenate', 'eeg+ecg-concatenate, EEG zeros', 'eeg+ecg-concatenate, ECG zeros'],
    ...['eeg+ecg-gated-dropout', 'eeg+ecg-gated-dropout, EEG missing', 'eeg+ecg-gated-dropout, ECG missing'],
  ]);
  for (const name of deep) expect(result.models[name]!.auroc!.mean).not.toBeNull();
  expect(result.recipes.ladder).toEqual(recipe.ladder);
  const pairs = result.comparisons!.filter(({ score }) => score === 'auroc');
  expect(pairs.filter(({ kind }) => kind === 'first rung')).toMatchObject([
    { model: 'eeg+ecg-gated-dropout', against: 'eeg+ecg-concatenate' },
  ]);
  expect(pairs.some(({ model, against }) => `${model} ${against}`.includes(','))).toBe(false);
  expect(describeVariant('eeg+ecg-gated-dropout, ECG missing')).toBe(
    'EEG + ECG, gated-dropout, tested without ECG: its learned null instead',
  );
  expect(renderReport(result)).toContain('tested with zeros instead of EEG');
  expect(result.curves.map(({ name }) => name)).toEqual(
    ['eeg', 'ecg', 'eeg+ecg-concatenate', 'eeg+ecg-gated-dropout'].map((name) => `fine-tune ${name}-seed0`),
  );
});
