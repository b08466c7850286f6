import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32, type Tensor } from '../../src/core/tensor.ts';
import { Graph } from '../../src/graph/ir.ts';
import { encoderParameters } from '../../src/model/cbramod.ts';
import { encoderConfig, type ModelConfig, parseModelConfig } from '../../src/model/config.ts';
import { constantParameters } from '../../src/model/export.ts';
import { applyHead, featureSize } from '../../src/model/heads.ts';
import {
  buildLogits,
  dropoutInputs,
  initialParameters,
  modelDropouts,
  modelParameters,
  placeEncoders,
} from '../../src/model/model.ts';
import { Embedder, Predictor } from '../../src/model/predict.ts';
import type { SignalWindows } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { maxDifference, sameTensor } from './golden.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 2 });
});

const eegChannels = ['Fz', 'Cz', 'Pz'];
const modelConfig = (kind: ModelConfig['head']['kind'], withEcg = true): ModelConfig =>
  parseModelConfig({
    signals: {
      eeg: { encoder: { layers: 1 }, channels: eegChannels, patches: 2 },
      ...(withEcg && { ecg: { encoder: { layers: 2 }, channels: ['I'], patches: 2 } }),
    },
    head: { kind, hidden: 16, classes: 3 },
  });
const initial = (config: ModelConfig, seed = 1) =>
  initialParameters(modelParameters(config), new Random(seed));

function windows(channels: readonly string[], count: number, seed: number): SignalWindows {
  const random = new Random(seed);
  const data = Float32Array.from({ length: count * channels.length * 2 * 200 }, () => random.normal());
  return { channels, patches: 2, patchSamples: 200, data };
}
const take = ({ data, ...rest }: SignalWindows, count: number, from: number, to: number): SignalWindows => ({
  ...rest,
  data: data.slice((from * data.length) / count, (to * data.length) / count),
});

describe('parseModelConfig', () => {
  it('fills in the defaults and names a wrong key', () => {
    expect(modelConfig('linear').signals.eeg!.encoder).toEqual(encoderConfig({ layers: 1 }));
    const head = { kind: 'linear', classes: 2 };
    expect(() => parseModelConfig({ signals: {}, head })).toThrow(
      'model.signals: {} is not allowed. Give eeg, ecg or both.',
    );
    const eeg = { encoder: { layers: 0 }, channels: ['Cz'], patches: 1 };
    expect(() => parseModelConfig({ signals: { eeg }, head })).toThrow(
      'model.signals.eeg.encoder.layers: 0 is not allowed.',
    );
    expect(() => parseModelConfig({ signals: { eeg }, head, extra: 1 })).toThrow('model');
  });
});

describe('modelParameters', () => {
  it.each([
    ['linear', 400, ['head.0.weight', 'head.0.bias']],
    ['mlp', 400, ['head.0.weight', 'head.0.bias', 'head.1.weight', 'head.1.bias']],
    [
      'all-patches',
      1600,
      ['head.0.weight', 'head.0.bias', 'head.1.weight', 'head.1.bias', 'head.2.weight', 'head.2.bias'],
    ],
  ] as const)('of a fused model with head %s', (kind, features, head) => {
    const config = modelConfig(kind);
    const specs = modelParameters(config);
    expect(featureSize(config)).toBe(features);
    expect(specs.find(({ name }) => name === 'head.0.weight')!.shape[1]).toBe(features);
    expect(specs.filter(({ name }) => name.startsWith('head.')).map(({ name }) => name)).toEqual(head);
    expect(specs.filter(({ name }) => name.startsWith('ecg.')).length).toBe(17 + 2 * 16 - 1);
    expect(specs.some(({ name }) => name.includes('proj_out') || name.includes('mask_encoding'))).toBe(false);
  });

  it('take pre-trained encoders in place, and refuse those of another depth', () => {
    const config = modelConfig('linear');
    const encoder = initialParameters(encoderParameters(encoderConfig({ layers: 1 })), new Random(9));
    const placed = placeEncoders(initial(config), config, { eeg: encoder });
    const key = 'encoder.layers.0.linear1.weight';
    expect(sameTensor(placed.get(`eeg.${key}`), encoder.get(key))).toBe(true);
    expect(sameTensor(placed.get(`ecg.${key}`), initial(config).get(`ecg.${key}`))).toBe(true);
    expect([...placed.keys()]).toEqual(modelParameters(config).map(({ name }) => name));
    expect(() => placeEncoders(initial(config), config, { ecg: encoder })).toThrow(
      'ecg encoder: of 51 tensors expected: 16 missing',
    );
  });
});

describe('applyHead', () => {
  it('all-patches is linear, ELU, linear, ELU, linear', async () => {
    const config = modelConfig('all-patches', false);
    const tensors = initial(config);
    const graph = new Graph('head');
    const x = graph.input('x', 'float32', [1, 1200]);
    const parameter = constantParameters(graph, tensors);
    graph.output(
      'y',
      applyHead(x, config, (name) => parameter(`head.${name}`)),
    );
    const program = await backend.compile(graph);
    const random = new Random(4);
    let vector = Array.from({ length: 1200 }, () => Math.fround(random.normal()));
    const { y } = await program.run({ x: float32([1, 1200], vector) });
    for (const layer of [0, 1, 2]) {
      const weight = tensors.get(`head.${layer}.weight`)!;
      const bias = tensors.get(`head.${layer}.bias`)!.data;
      const input = vector;
      vector = Array.from(bias, (b, o) =>
        input.reduce((sum, v, i) => sum + v * weight.data[o * input.length + i]!, b),
      );
      if (layer < 2) vector = vector.map((v) => (v > 0 ? v : Math.exp(v) - 1));
    }
    expect(maxDifference(y!.data as Float32Array, vector)).toBeLessThan(1e-5);
  });
});

describe('modelDropouts', () => {
  it('give every site of both encoders and of the head an input of its own', () => {
    const config = modelConfig('mlp');
    const tensors = initial(config);
    const graph = new Graph('training');
    const dropouts = modelDropouts(graph, config);
    const inputs = {
      eeg: graph.input('eeg', 'float32', [4, 3, 2, 200]),
      ecg: graph.input('ecg', 'float32', [4, 1, 2, 200]),
    };
    expect(buildLogits(config, inputs, constantParameters(graph, tensors), dropouts).shape).toEqual([4, 3]);
    const names = dropoutInputs(dropouts).map(({ name }) => name);
    expect(names.length).toBe(6 + 11 + 1);
    expect(new Set(names).size).toBe(names.length);
    expect(dropoutInputs(dropouts).at(-1)).toMatchObject({ name: 'head.dropout.0', shape: [4, 16] });
    expect(graph.inputs.length).toBe(2 + names.length);
    const free = graph.input('free', 'float32', ['B', 3]);
    expect(() => dropouts.head!.apply(free)).toThrow('dropout: needs a fixed size');
  });
});

describe('Predictor', () => {
  it.each(['linear', 'mlp', 'all-patches'] as const)(
    'with head %s gives the same in any batch size',
    async (kind) => {
      const config = modelConfig(kind);
      const predictor = new Predictor(backend, config, initial(config));
      const signals = { eeg: windows(eegChannels, 5, 1), ecg: windows(['I'], 5, 2) };
      const progress: number[] = [];
      const whole = await predictor.probabilities(signals);
      const parts = await predictor.probabilities(signals, {
        batch: 2,
        onProgress: (done) => progress.push(done),
      });
      expect(progress).toEqual([2, 4, 5]);
      expect(maxDifference(whole, parts)).toBeLessThan(1e-6);
      expect(whole.length).toBe(15);
      for (let w = 0; w < 5; w++)
        expect(whole.slice(3 * w, 3 * w + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      const third = { eeg: take(signals.eeg, 5, 3, 4), ecg: take(signals.ecg, 5, 3, 4) };
      expect(maxDifference(await predictor.probabilities(third), whole.slice(9, 12))).toBeLessThan(1e-6);
      expect(
        await predictor.probabilities({ eeg: windows(eegChannels, 0, 1), ecg: windows(['I'], 0, 1) }),
      ).toEqual(new Float32Array());
      await predictor.dispose();
    },
  );

  it('embeds each modality: the pooled vector is the mean of the tokens, as an encoder alone gives it', async () => {
    const config = modelConfig('linear');
    const tensors = initial(config);
    const predictor = new Predictor(backend, config, tensors);
    const eeg = windows(eegChannels, 3, 1);
    const { eeg: embedded, ecg } = await predictor.embeddings({ eeg }, { tokens: true, batch: 2 });
    expect(ecg).toBeUndefined();
    expect(embedded!.count).toBe(3);
    expect(embedded!.tokens!.length).toBe(3 * 3 * 2 * 200);
    const mean = (window: number, feature: number) =>
      [0, 1, 2, 3, 4, 5].reduce(
        (sum, token) => sum + embedded!.tokens![(window * 6 + token) * 200 + feature]! / 6,
        0,
      );
    expect(embedded!.pooled[200 + 17]).toBeCloseTo(mean(1, 17), 5);
    const encoder = config.signals.eeg!.encoder;
    const alone = new Map<string, Tensor>(
      encoderParameters(encoder, 'features').map(({ name }) => [name, tensors.get(`eeg.${name}`)!]),
    );
    const embedder = new Embedder(backend, encoder, alone, { channels: 3, patches: 2 });
    expect((await embedder.embed(eeg.data)).tokens).toBeUndefined();
    expect(maxDifference((await embedder.embed(eeg.data)).pooled, embedded!.pooled)).toBeLessThan(1e-5);
    await expect(embedder.embed(new Float32Array(7))).rejects.toThrow(
      'embed: 7 values are not a whole number of windows of 1200.',
    );
    await embedder.dispose();
    await predictor.dispose();
  });

  it('refuses windows that are not the model’s', async () => {
    const config = modelConfig('linear');
    const predictor = new Predictor(backend, config, initial(config));
    const eeg = windows(eegChannels, 2, 1);
    await expect(predictor.probabilities({ eeg })).rejects.toThrow(
      'predict: the model takes ecg as I × 2 × 200, got nothing.',
    );
    const swapped = { ...eeg, channels: ['Cz', 'Fz', 'Pz'] };
    await expect(predictor.probabilities({ eeg: swapped, ecg: windows(['I'], 2, 1) })).rejects.toThrow(
      'got Cz Fz Pz × 2 × 200',
    );
    await expect(predictor.probabilities({ eeg, ecg: windows(['I'], 3, 1) })).rejects.toThrow(
      'the modalities have 2 and 3 windows',
    );
    expect(() => new Predictor(backend, config, initial(modelConfig('mlp')))).toThrow(
      '2 left over (head.1.weight, head.1.bias)',
    );
  });
});
