import { expect, test } from 'vitest';
import { DataError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { probeReconstruction, reconstructs } from '../../src/evaluate/probe-reconstruction.ts';
import { encoderParameters } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { initialParameters } from '../../src/model/parameters.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

const config = encoderConfig({ layers: 1 });
const random = Random.derive(3, 'signal');
const windows = {
  ...{ channels: ['I', 'II', 'V1'], patches: 4, patchSamples: 200 },
  data: Float32Array.from({ length: 5 * 3 * 4 * 200 }, () => random.normal()),
};

test('every kind of mask is judged, whatever the encoder was trained on', async () => {
  const backend = await createNodeBackend({ device: 'cpu' });
  const tensors = initialParameters(encoderParameters(config), Random.derive(0, 'initial'));
  for (const [name, { data }] of tensors) if (name.startsWith('proj_out.')) data.fill(0);
  const found = await probeReconstruction({ name: 'zeros', tensors }, windows, { backend, modality: 'ecg' });
  const kinds = ['random', 'intra', 'inter', 'dual', 'dual.intra', 'dual.inter', 'span'];
  expect(Object.keys(found.losses).sort()).toEqual([...kinds].sort());
  // A layer of zeros predicts zero, and noise of unit variance then costs its variance.
  for (const kind of kinds) {
    expect(found.losses[kind]).toBeCloseTo(found.zero[kind]!, 4);
    expect(Math.abs(found.zero[kind]! - 1)).toBeLessThan(0.1);
    expect(found.mean[kind]).toBeLessThan(found.zero[kind]!);
  }
  const less = await probeReconstruction({ name: 'zeros', tensors }, windows, {
    ...{ backend, modality: 'ecg', ratio: 0.25 },
  });
  expect(less.losses.random).not.toBe(found.losses.random);
});

test('an encoder without its reconstruction layer says so', async () => {
  const backend = await createNodeBackend({ device: 'cpu' });
  const tensors = initialParameters(encoderParameters(config, 'features'), Random.derive(0, 'initial'));
  const encoder = { name: 'bare', tensors };
  expect(reconstructs(encoder)).toBe(false);
  await expect(probeReconstruction(encoder, windows, { backend, modality: 'ecg' })).rejects.toThrow(
    DataError,
  );
});
