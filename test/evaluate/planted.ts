/**
 * A tiny model that has learned a planted effect: class `burst` has 10 Hz in channel P4 in the third second and nowhere else.
 * Noise everywhere, of the same size in both classes.
 */
import { Random } from '../../src/core/random.ts';
import type { TrainedModel } from '../../src/model/model-file.ts';
import type { FloatTensors } from '../../src/model/parameters.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { finetune } from '../../src/train/finetune.ts';
import { parseFinetuneRecipe } from '../../src/train/recipe.ts';

export const planted = { channels: ['Fz', 'C3', 'P4', 'O1'], channel: 2, patches: 4, second: 2, hertz: 10 };
const [C, N] = [planted.channels.length, planted.patches];
const microvoltsPerUnit = 100;

/** Values of one channel over N seconds in microvolt; `burst`: with the effect, if it is the channel's. */
export function plantedSignal(random: Random, channel: number, burst: boolean, seconds = N): Float64Array {
  const phase = 2 * Math.PI * random.uniform();
  return Float64Array.from({ length: 200 * seconds }, (_, i) => {
    const t = i / 200;
    const isThere = burst && channel === planted.channel && Math.floor(t) % N === planted.second;
    return 20 * random.normal() + (isThere ? 60 * Math.sin(2 * Math.PI * planted.hertz * t + phase) : 0);
  });
}

/** Windows, every other with the effect; two of each subject. */
export function plantedWindows(count: number, seed: number): WindowSet {
  const random = new Random(seed);
  const data = new Float32Array(count * C * N * 200);
  for (let w = 0; w < count; w++) {
    for (let c = 0; c < C; c++) {
      const row = plantedSignal(random, c, w % 2 === 1).map((value) => value / microvoltsPerUnit);
      data.set(row, (w * C + c) * N * 200);
    }
  }
  const recipe = parseRecipe({
    version: 1,
    signals: { eeg: { channels: planted.channels, scaleMicrovolts: microvoltsPerUnit } },
    window: { lengthSeconds: N, stepSeconds: N },
  });
  const subject = Array.from({ length: count }, (_, w) => `s${Math.floor(w / 2)}`);
  return {
    ...{ recipe, count, subject, beats: new Map(), dropped: [], classes: ['noise', 'burst'] },
    signals: { eeg: { channels: planted.channels, patches: N, patchSamples: 200, data } },
    label: Int32Array.from({ length: count }, (_, w) => w % 2),
    trial: subject.map((name, w) => `${name}-${w}`),
    start: new Float64Array(count),
    hash: `planted ${count} ${seed}`,
  };
}

/** Train one layer on it, in seconds. */
export async function trainPlanted(
  backend: Backend,
): Promise<{ model: TrainedModel & { readonly tensors: FloatTensors }; probabilities: Float32Array }> {
  const windows = plantedWindows(128, 1);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const recipe = parseFinetuneRecipe({
    ...{ version: 1, task: 'finetune', seed: 3, tune: 'all', score: 'loss' },
    encoders: { eeg: { layers: 1 } },
    head: { kind: 'linear' },
    learningRates: { backbone: 1e-3, head: 1e-3 },
    optimization: { epochs: 6, batch: 16, minimumLearningRate: 1e-4 },
  });
  const result = await finetune({
    ...{ backend, windows, recipe },
    ...{ training: range(0, 96), validation: range(96, 112), test: range(112, 128) },
  });
  return { model: result.model, probabilities: result.testProbabilities };
}
