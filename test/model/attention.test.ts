import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import {
  type AttentionMaps,
  attentionMaps,
  layerAttention,
  rolloutAttention,
} from '../../src/model/attention.ts';
import { type ModelConfig, parseModelConfig } from '../../src/model/config.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import type { SignalWindows } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

const config: ModelConfig = parseModelConfig({
  signals: {
    eeg: { encoder: { layers: 2 }, channels: ['Fz', 'Cz', 'Pz'], patches: 2 },
    ecg: { encoder: { layers: 1 }, channels: ['I', 'II'], patches: 4 },
  },
  head: { kind: 'linear', classes: 2 },
});

function windows(channels: readonly string[], patches: number, count: number): SignalWindows {
  const random = new Random(5);
  const data = Float32Array.from({ length: count * channels.length * patches * 200 }, () => random.normal());
  return { channels, patches, patchSamples: 200, data };
}
const signals = { eeg: windows(['Fz', 'Cz', 'Pz'], 2, 3), ecg: windows(['I', 'II'], 4, 3) };

function rowSums(values: ArrayLike<number>, width: number): number[] {
  return Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, i) => values[row * width + i]!).reduce((sum, value) => sum + value, 0),
  );
}

describe('attention maps', () => {
  test('have a map a layer and head along each axis, whose rows sum to 1', async () => {
    const maps = await attentionMaps(
      backend,
      config,
      initialParameters(modelParameters(config), new Random(1)),
      signals,
    );
    expect(maps.eeg).toMatchObject({ layers: 2, heads: 4, size: { channels: 3, patches: 2 } });
    expect(maps.ecg).toMatchObject({ layers: 1, heads: 4, size: { channels: 2, patches: 4 } });
    expect(maps.eeg!.channels.length).toBe(2 * 4 * 9);
    expect(maps.ecg!.patches.length).toBe(4 * 16);
    for (const [modality, axis, width] of [
      ['eeg', 'channels', 3],
      ['eeg', 'patches', 2],
      ['ecg', 'channels', 2],
      ['ecg', 'patches', 4],
    ] as const)
      for (const sum of rowSums(maps[modality]![axis], width)) expect(sum).toBeCloseTo(1, 5);
  });

  test('do not depend on how windows are batched', async () => {
    const parameters = initialParameters(modelParameters(config), new Random(1));
    const [whole, single] = [
      await attentionMaps(backend, config, parameters, signals),
      await attentionMaps(backend, config, parameters, signals, { batch: 1 }),
    ];
    for (const [i, value] of whole.eeg!.channels.entries())
      expect(single.eeg!.channels[i]).toBeCloseTo(value, 5);
  });

  test('are equal shares where queries are zero, and only on the axis whose queries are', async () => {
    const parameters = initialParameters(modelParameters(config), new Random(1));
    const name = 'eeg.encoder.layers.0.self_attn_s.in_proj_weight';
    const { shape, data } = parameters.get(name)!;
    parameters.set(
      name,
      float32(
        shape,
        data.map((value, i) => (i < 100 * 100 ? 0 : value)),
      ),
    );
    const bias = 'eeg.encoder.layers.0.self_attn_s.in_proj_bias';
    parameters.set(bias, float32([300], new Float32Array(300)));
    const { eeg } = await attentionMaps(backend, config, parameters, signals);
    for (const value of layerAttention(eeg!, 'channels', 0)) expect(value).toBeCloseTo(1 / 3, 5);
    expect(Math.max(...layerAttention(eeg!, 'channels', 1))).toBeGreaterThan(1 / 3 + 1e-4);
    expect(Math.max(...layerAttention(eeg!, 'patches', 0))).toBeGreaterThan(1 / 2 + 1e-4);
  });
});

describe('rollout', () => {
  const maps: AttentionMaps = {
    ...{ layers: 2, heads: 2, size: { channels: 2, patches: 1 } },
    // Heads of layer 1: swap, stay; of layer 2: all to the first, twice.
    channels: Float32Array.of(0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0),
    patches: Float32Array.of(1, 1, 1, 1),
  };

  test('multiplies half attention, half identity through the layers', () => {
    expect(Array.from(layerAttention(maps, 'channels', 0))).toEqual([0.5, 0.5, 0.5, 0.5]);
    // Layer 1: ½ (I + ½ ones) = [[.75, .25], [.25, .75]]; layer 2: [[1, 0], [.5, .5]].
    expect(Array.from(rolloutAttention(maps, 'channels'))).toEqual([0.75, 0.25, 0.5, 0.5]);
    expect(Array.from(rolloutAttention(maps, 'patches'))).toEqual([1]);
  });
});
