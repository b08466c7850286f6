import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withTunedRecipe } from '../../src/cli/reproduce-labels.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { parseLadderRecipe } from '../../src/evaluate/ladder.ts';
import { parseLabelsRecipe } from '../../src/evaluate/reproduce-labels-recipe.ts';
import { parseReproduceRecipe } from '../../src/evaluate/reproduce-recipe.ts';
import { parseStudyRecipe } from '../../src/evaluate/study.ts';
import { eegmatRecipe, twelveLeadRecipe } from '../../src/patches/recipe.ts';
import { parseFinetuneRecipe, parsePretrainRecipe } from '../../src/train/recipe.ts';

const folder = join(import.meta.dirname, '../../recipes');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.json'),
);
const parsers = { study: parseStudyRecipe, pretrain: parsePretrainRecipe, finetune: parseFinetuneRecipe };
type Task = keyof typeof parsers;
const allParsers: Readonly<Record<string, (value: unknown) => { readonly task: string }>> = {
  ...parsers,
  ...{ ladder: parseLadderRecipe, reproduce: parseBenchmark },
};

/** Of several labels, or of trials. */
function parseBenchmark(value: unknown) {
  const { benchmark } = value as { benchmark: string };
  return benchmark === 'ptbxl' ? parseLabelsRecipe(withTunedRecipe(value)) : parseReproduceRecipe(value);
}

describe('the recipes that come with heartmind', () => {
  test('are there', () => {
    expect(files).toContain('demo.json');
  });

  test.each(files)('%s is valid, and what it becomes is so too', (name) => {
    const value = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    expect(Object.keys(allParsers)).toContain(value.task);
    const parse = allParsers[value.task]!;
    const recipe = parse(value);
    expect(recipe.task).toBe(value.task);
    // A checkpoint keeps the recipe as JSON with its defaults.
    expect(parse(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  });
});

const optimization = { epochs: 2, batch: 8, minimumLearningRate: 1e-6 };
const pretrain = {
  version: 1,
  task: 'pretrain',
  modality: 'ecg',
  encoder: { layers: 2 },
  optimization,
};
const finetune = {
  version: 1,
  task: 'finetune',
  encoders: { eeg: { layers: 2 }, ecg: { layers: 4 } },
  head: { kind: 'mlp' },
  learningRates: {},
  optimization,
};
const study = {
  version: 1,
  task: 'study',
  name: 'one',
  pretrain: { ecg: { ...pretrain, encoder: { layers: 4 } } },
  finetune,
  protocol: { kind: 'k-fold' },
  seeds: [0],
};
const valid: Record<Task, object> = { pretrain: { ...pretrain, leadSubsets: [2, 1] }, finetune, study };

/** A copy with the value at a dotted path replaced, or taken away where it is undefined. */
function changed(value: unknown, path: string, to: unknown): unknown {
  const [key, ...rest] = path.split('.');
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const inner = (copy as Record<string, unknown>)[key!];
  const next = rest.length === 0 ? to : changed(inner ?? {}, rest.join('.'), to);
  if (next === undefined) delete (copy as Record<string, unknown>)[key!];
  else (copy as Record<string, unknown>)[key!] = next;
  return copy;
}

function errorOf(task: Task, recipe: unknown): ConfigError {
  try {
    parsers[task](recipe);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('the recipe was taken');
}

test('defaults are those of the papers, as far as they give any', () => {
  expect(parsePretrainRecipe(pretrain)).toEqual({
    ...pretrain,
    seed: 0,
    encoder: { layers: 2, dropout: 0.1, dim: 200, heads: 8, feedForward: 800, patchSamples: 200 },
    mask: { mixture: { dual: 1 }, ratio: 0.5, leadProbability: 0.5, limbGroupProbability: 0.5 },
    leadSubsets: [],
    cropPatches: [],
    learningRate: 5e-4,
    outputInitial: 'zeros',
    validationShare: 0.1,
    validationWindows: 256,
    optimization: {
      ...optimization,
      ...{ accumulate: 'auto', warmupSteps: 0, weightDecay: 0.05, decayOn: 'all', clipNorm: 1 },
      ...{ validateEvery: 1, patience: null, checkpointSeconds: 60, precision: 'float32' },
    },
  });
  expect(parseFinetuneRecipe(finetune)).toMatchObject({
    head: { kind: 'mlp', hidden: 200, dropout: 0.1, pool: 'mean', poolHeads: 1 },
    ...{ fusion: 'concatenate', modalityDropout: 0 },
    tune: 'all',
    learningRates: { backbone: 1e-4, head: 5e-4 },
    ...{ labelSmoothing: 0, classWeights: 'none', score: 'auroc' },
  });
});

describe('a key that is unknown is named', () => {
  test.each<[Task, string]>([
    ['pretrain', 'learningrate'],
    ['pretrain', 'optimization.epoch'],
    ['pretrain', 'mask.share'],
    ['pretrain', 'mask.mixture.dul'],
    ['pretrain', 'encoder.depth'],
    ['finetune', 'tuned'],
    ['finetune', 'encoders.emg'],
    ['finetune', 'head.classes'],
    ['finetune', 'learningRates.encoder'],
    ['finetune', 'optimization.lr'],
    ['study', 'seed'],
    ['study', 'pretrain.ecg.optimization.epoch'],
    ['study', 'finetune.classWeight'],
    ['study', 'protocol.folds'],
  ])('%s.%s', (task, path) => {
    const error = errorOf(task, changed(valid[task], path, 1));
    expect(error.key).toBe(`${task}.${path}`);
    expect(error.message).toMatch(`${task}.${path}: `);
  });

  test('with the known keys and the one that was probably meant', () => {
    expect(errorOf('finetune', changed(finetune, 'optimization.epoch', 1)).message).toMatch(
      /^finetune\.optimization\.epoch: this key is unknown\. Did you mean 'epochs'\? Known keys: epochs, batch, /,
    );
  });
});

describe('a value out of range is named', () => {
  test.each<[Task, string, unknown]>([
    ['finetune', 'fusion', 'sum'],
    ['finetune', 'modalityDropout', 1.5],
    ['finetune', 'head.pool', 'max'],
    ['pretrain', 'version', 2],
    ['pretrain', 'task', 'finetune'],
    ['pretrain', 'modality', 'emg'],
    ['pretrain', 'modality', undefined],
    ['pretrain', 'seed', -1],
    ['pretrain', 'seed', 2 ** 32],
    ['pretrain', 'encoder.layers', 0],
    ['pretrain', 'encoder.dim', 100],
    ['pretrain', 'encoder.dropout', 1],
    ['pretrain', 'mask.ratio', 1],
    ['pretrain', 'mask.ratio', 0],
    ['pretrain', 'mask.leadProbability', 1.5],
    ['pretrain', 'mask.mixture.dual', -1],
    ['pretrain', 'mask.mixture', { dual: 0, random: 0 }],
    ['pretrain', 'mask.mixture', {}],
    ['pretrain', 'leadSubsets.0', 0],
    ['pretrain', 'learningRate', 0],
    ['pretrain', 'learningRate', 1.1],
    ['pretrain', 'learningRate', '0.001'],
    ['pretrain', 'outputInitial', 'ones'],
    ['pretrain', 'validationShare', 1],
    ['pretrain', 'validationWindows', 0],
    ['pretrain', 'optimization', undefined],
    ['pretrain', 'optimization.epochs', 0],
    ['pretrain', 'optimization.epochs', 1.5],
    ['pretrain', 'optimization.batch', undefined],
    ['pretrain', 'optimization.minimumLearningRate', -1],
    ['pretrain', 'optimization.warmupSteps', -1],
    ['pretrain', 'optimization.weightDecay', 2],
    ['pretrain', 'optimization.decayOn', 'biases'],
    ['pretrain', 'optimization.clipNorm', 0],
    ['pretrain', 'optimization.validateEvery', 0],
    ['pretrain', 'optimization.patience', 0],
    ['pretrain', 'optimization.checkpointSeconds', -1],
    ['pretrain', 'optimization.accumulate', 3], // does not divide 8
    ['pretrain', 'prepare.signals', { eeg: eegmatRecipe.signals.eeg }],
    ['pretrain', 'prepare.window.lengthSeconds', 0],
    ['finetune', 'encoders', {}],
    ['finetune', 'encoders.ecg.layers', 257],
    ['finetune', 'head.kind', 'attention'],
    ['finetune', 'head.hidden', 0],
    ['finetune', 'tune', 'none'],
    ['finetune', 'tune.lastLayers', 3], // the EEG encoder has 2
    ['finetune', 'learningRates.head', 0],
    ['finetune', 'labelSmoothing', 1],
    ['finetune', 'classWeights', 'inverse'],
    ['finetune', 'score', 'accuracy'],
    ['finetune', 'optimization.accumulate', 16],
    ['study', 'name', ''],
    ['study', 'seeds', []],
    ['study', 'seeds.0', 0.5],
    ['study', 'protocol.kind', 'random'],
    ['study', 'protocol.k', 1],
    ['study', 'pretrain.ecg.mask.mixture', { dual: 0 }],
    ['study', 'pretrain.ecg.optimization.accumulate', 3],
    ['study', 'finetune.tune.lastLayers', 3],
  ])('%s.%s: %j', (task, path, value) => {
    const base = path.startsWith('prepare') ? changed(valid[task], 'prepare', twelveLeadRecipe) : valid[task];
    const recipe = changed(base, path, value);
    expect(() => parsers[task](base)).not.toThrow();
    const error = errorOf(task, recipe);
    expect(error.key).toBe(`${task}.${path}`);
    expect(error.message.startsWith(`${task}.${path}: `)).toBe(true);
  });

  test.each<[object, string]>([
    [
      { ecg: { ...pretrain, encoder: { layers: 2 } } },
      'it trains 2 layers of ecg, fine-tuning takes 4 of ecg',
    ],
    [{ eeg: pretrain }, 'it trains 2 layers of ecg, fine-tuning takes 2 of eeg'],
  ])('where pre-training and fine-tuning of a study disagree', (disagreeing, fact) => {
    const error = errorOf('study', { ...study, pretrain: disagreeing });
    expect(error.key).toBe(`study.pretrain.${Object.keys(disagreeing)[0]}`);
    expect(error.message).toContain(fact);
  });
});
