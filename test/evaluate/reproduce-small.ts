/** Small benchmarks for tests: made-up DREAMER files, few channels, encoders of random numbers. */
import { Random } from '../../src/core/random.ts';
import { dreamer } from '../../src/datasets/dreamer.ts';
import type { KeptFiles } from '../../src/evaluate/kept-files.ts';
import { type ReproduceOptions, reproduce } from '../../src/evaluate/reproduce.ts';
import type { ChosenEncoder } from '../../src/evaluate/reproduce-data.ts';
import { parseReproduceRecipe } from '../../src/evaluate/reproduce-recipe.ts';
import type { Reproduction } from '../../src/evaluate/reproduce-result.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { encoderParameters } from '../../src/model/encoder-parameters.ts';
import { initialParameters } from '../../src/model/parameters.ts';
import { createProgress } from '../../src/train/progress.ts';
import { memoryFolder } from '../datasets/memory-folder.ts';
import { dreamerBytes, type SyntheticDreamerOptions } from '../datasets/synthetic/dreamer.ts';

export const smallRecipe = {
  version: 1,
  task: 'reproduce',
  benchmark: 'dreamer',
  prepare: {
    version: 1,
    signals: {
      eeg: { channels: ['AF3', 'O1', 'F4'], lowHz: 0.5, highHz: 45, scaleMicrovolts: 100 },
      ecg: { channels: ['ECG1', 'ECG2'], lowHz: 0.5, highHz: 45, scaleMicrovolts: 1000 },
    },
    window: { lengthSeconds: 5, stepSeconds: 5 },
  },
  targets: ['valence'],
  baseline: 'features',
  protocols: [{ kind: 'leave-trials-out', k: 3 }],
  seeds: [0],
  head: {
    ...{ kind: 'mlp', hidden: 64, learningRate: 3e-3, score: 'auroc' },
    optimization: { epochs: 20, batch: 64, minimumLearningRate: 1e-5, patience: 8 },
  },
  tuned: {
    ...{ version: 1, task: 'finetune', head: { kind: 'linear' }, classWeights: 'balanced' },
    optimization: { epochs: 1, batch: 32, minimumLearningRate: 1e-5 },
  },
};

/** A random encoder of one layer: its features tell size and form of rhythms, which is all that is planted. */
export function randomEncoder(seed: number): ChosenEncoder {
  const config = encoderConfig({ layers: 1 });
  const tensors = initialParameters(encoderParameters(config), Random.derive(seed, 'encoder'));
  return { config, tensors, sha256: `random ${seed}` };
}

export const silent = createProgress('none', process.stderr);

export function memoryFiles(): KeptFiles & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    load: async (name) => files.get(name),
    save: async (name, bytes) => void files.set(name, bytes),
  };
}

/** Run a recipe on a made-up file. */
export function reproduceSmall(
  planted: SyntheticDreamerOptions,
  recipe: object,
  options: Pick<ReproduceOptions, 'backend'> & Partial<ReproduceOptions>,
): Promise<Reproduction> {
  return reproduce({
    spec: dreamer,
    folder: memoryFolder({ 'DREAMER.mat': dreamerBytes(planted) }),
    recipe: parseReproduceRecipe({ ...smallRecipe, ...recipe }),
    encoders: { eeg: randomEncoder(1), ecg: randomEncoder(2) },
    sources: { eeg: 'random', ecg: 'random' },
    progress: silent,
    command: 'test',
    versions: {},
    ...options,
  });
}

/** AUROC per trial by protocol and model. */
export function aurocs({ tables }: Reproduction): Record<string, Record<string, number>> {
  return Object.fromEntries(
    tables.map(({ protocol, rows }) => [
      protocol,
      Object.fromEntries(rows.map(({ model, trials }) => [model, trials.auroc.mean!])),
    ]),
  );
}
