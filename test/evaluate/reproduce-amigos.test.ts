import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { amigosWith } from '../../src/datasets/amigos.ts';
import { reproduce } from '../../src/evaluate/reproduce.ts';
import { parseReproduceRecipe } from '../../src/evaluate/reproduce-recipe.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { memoryFolder } from '../datasets/memory-folder.ts';
import { mat5 } from '../read/build-mat.ts';
import { randomEncoder, silent } from './reproduce-small.ts';

const { doubles, cell, text, file } = mat5();
const [videos, seconds] = [6, 5 + 10];

/** A person's preprocessed file: six videos of [T × 17], ratings of which every second valence is above 5. */
function person(number: number): Uint8Array {
  const random = Random.derive(number, 'amigos');
  const samples = 128 * seconds;
  const signal = (video: number) =>
    doubles(
      [samples, 17],
      Array.from({ length: 17 * samples }, (_, i) => {
        const [channel, t] = [Math.floor(i / samples), (i % samples) / 128];
        const beat = Math.exp(-((((t % 0.8) - 0.4) / 0.02) ** 2));
        // Ten before every video; in it, twice that or half.
        const size = t < 5 ? 10 : video % 2 === 0 ? 20 : 5;
        const rhythm = size * Math.sin(2 * Math.PI * 10 * t + channel);
        return channel < 14 ? rhythm + random.normal() : beat + 0.02 * random.normal();
      }),
    );
  const each = <T>(make: (video: number) => T) => Array.from({ length: videos }, (_, i) => make(i));
  return file(
    cell([1, videos], each(signal), 'joined_data'),
    cell(
      [1, videos],
      each((video) => doubles([1, 12], [3, video % 2 === 0 ? 8 : 2, 5, 5, 1, 1, 0, 0, 0, 0, 0, 0])),
      'labels_selfassessment',
    ),
    cell(
      [1, videos],
      each((video) => text(String(10 + video))),
      'VideoIDs',
    ),
  );
}

test('AMIGOS of its published structure becomes a table, baselines of five seconds subtracted', async () => {
  const folder = memoryFolder(
    Object.fromEntries([1, 2, 3, 4].map((n) => [`a/Data_Preprocessed_P0${n}.mat`, person(n)])),
  );
  const path = join(import.meta.dirname, '../../recipes/reproduce-amigos.json');
  const whole = JSON.parse(readFileSync(path, 'utf8'));
  const recipe = parseReproduceRecipe({
    ...whole,
    targets: ['valence'],
    models: ['eeg'],
    protocols: [
      { kind: 'leave-one-subject-out', validationSubjects: 1 },
      { kind: 'subject-dependent', k: 3, validationTrials: 2 },
    ],
  });
  const result = await reproduce({
    backend: await createNodeBackend({ device: 'cpu' }),
    spec: amigosWith({ threshold: 5 }),
    ...{ folder, recipe, progress: silent, command: 'test', versions: {} },
    encoders: { eeg: randomEncoder(1) },
    sources: { eeg: 'random' },
  });
  expect(result.data).toMatchObject({ windows: 4 * videos * 2, trials: 4 * videos, subjects: 4 });
  expect(result.data.classes).toEqual({ valence: { low: 24, high: 24 } });
  expect(result.tables.map(({ protocol, folds }) => [protocol, folds])).toEqual([
    ['leave-one-subject-out', 4],
    ['subject-dependent', 12],
  ]);
  for (const { rows } of result.tables) {
    const auroc = Object.fromEntries(rows.map((row) => [row.model, row.trials.auroc.mean!]));
    expect(auroc['classical-eeg']).toBeGreaterThan(0.9);
    expect(auroc.eeg).toBeGreaterThan(0.7);
    expect(auroc.majority).toBe(0.5);
  }
  expect(folder.stillOpen()).toBe(0);
});
