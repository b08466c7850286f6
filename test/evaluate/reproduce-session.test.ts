/** EEGMAT's session in a benchmark: windows that hold the seam of two files are scored apart, and what is seen is said. */
import { beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { parseReproduction } from '../../src/evaluate/reproduce-result.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { memoryFolder } from '../datasets/memory-folder.ts';
import { reproduceSmall, smallRecipe } from './reproduce-small.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

/** Noise of one size at rest and in the task: nothing tells them apart but what stands before. */
function edf(seed: number, seconds: number): Uint8Array {
  const random = new Random(seed);
  const rateHz = 200;
  const noise = () => Float64Array.from({ length: rateHz * seconds }, () => 20 * random.normal());
  const beats = Float64Array.from(
    { length: rateHz * seconds },
    (_, i) => 1000 * Math.exp(-((((i / rateHz) % 0.9) - 0.4) ** 2) / 2e-4),
  );
  return encodeEdf({
    channels: [
      { name: 'EEG C3', unit: 'uV', rateHz, samples: noise() },
      { name: 'ECG ECG', unit: 'uV', rateHz, samples: beats },
    ],
  });
}

test('windows of a session, scored with and without their seams', async () => {
  const files = Object.fromEntries(
    [0, 1, 2, 3].flatMap((person) =>
      [1, 2].map((part) => [`Subject0${person}_${part}.edf`, edf(10 * person + part, part === 1 ? 40 : 20)]),
    ),
  );
  const signals = {
    eeg: { channels: ['C3'], scaleMicrovolts: 100 },
    ecg: { channels: ['ECG'], scaleMicrovolts: 1000, contextSeconds: 10 },
  };
  const result = await reproduceSmall(
    {},
    {
      ...{ benchmark: 'eegmat', targets: ['task'], baseline: 'none' },
      prepare: { version: 1, signals, window: { lengthSeconds: 5, stepSeconds: 5 } },
      protocols: [{ kind: 'leave-one-subject-out', validationSubjects: 1 }],
      models: ['ecg'],
      head: { kind: 'logistic', strengths: [0.01], optimization: smallRecipe.head.optimization },
    },
    { backend, spec: eegmat, folder: memoryFolder(files) },
  );
  expect(parseReproduction(JSON.parse(JSON.stringify(result)))).toEqual(result);
  const [{ tested, rows }] = result.tables as [(typeof result.tables)[number]];
  // Of each person 8 windows at rest less the first, 4 in the task, the first of which holds the seam.
  expect(tested).toMatchObject({ windows: 4 * 11, seamless: 4 * 10 });
  for (const { seamless } of rows) expect(seamless).toBeDefined();
  const majority = rows.find(({ model }) => model === 'majority')!;
  expect(majority.seamless!.balancedAccuracy.mean).toBe(0.5);
  expect(result.notes).toEqual(
    expect.arrayContaining([
      "Contexts: 10 s of ecg up to the window's end, over the person's session so far, as in live use.",
      "Classical heart rows: beats of the 10 s up to the window's end.",
    ]),
  );
});
