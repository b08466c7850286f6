import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { decodeOnnx } from '../../src/graph/onnx.ts';
import { parseModelConfig } from '../../src/model/config.ts';
import { exportEncoder, exportModel } from '../../src/model/export.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { Embedder, Predictor } from '../../src/model/predict.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';
import { eegRecipe as recipe } from '../../src/patches/recipe.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { goldenBytes, goldenTensors, maxDifference } from './golden.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 2 });
});

const { tensors, layers } = loadEncoderWeights(goldenBytes('weights.safetensors'), 'weights');
const vectors = goldenTensors('vectors.safetensors');
const values = (data: unknown) => data as Float32Array;

describe('exportEncoder', () => {
  it('gives one self-contained file with the documented inputs, outputs and metadata', async () => {
    const bytes = exportEncoder(tensors, { channels: 19, patches: 4, recipe });
    const { graph, metadata } = decodeOnnx(bytes);
    expect(graph.inputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['patches', 'float32', ['B', 19, 4, 200]],
      ['mask', 'bool', ['B', 19, 4]],
    ]);
    expect([...graph.outputs].map(([name, { shape }]) => [name, shape])).toEqual([
      ['embedding', ['B', 19, 4, 200]],
      ['reconstruction', ['B', 19, 4, 200]],
    ]);
    expect(JSON.parse(metadata['heartmind.recipe']!)).toEqual(recipe);
    expect(metadata['heartmind.kind']).toBe('encoder');
    expect(JSON.parse(metadata['heartmind.config']!)).toMatchObject({ layers });
    // The weights once, and constants of less than 2 MB.
    expect(bytes.length).toBeLessThan(3_600_000 + 2_000_000);

    const program = await backend.compile(bytes);
    const masked = await program.run({ patches: vectors('input'), mask: vectors('mask') });
    expect(
      maxDifference(values(masked.reconstruction!.data), values(vectors('output_masked').data)),
    ).toBeLessThan(2e-5);
    const none = { dtype: 'bool', shape: [2, 19, 4], data: new Uint8Array(152) } as const;
    const plain = await program.run({ patches: vectors('input'), mask: none });
    expect(maxDifference(values(plain.embedding!.data), values(vectors('layer1').data))).toBeLessThan(2e-5);
    await program.dispose();

    const embedder = new Embedder(backend, JSON.parse(metadata['heartmind.config']!), tensors, {
      channels: 19,
      patches: 4,
    });
    const { tokens } = await embedder.embed(values(vectors('input').data), { tokens: true });
    expect(maxDifference(tokens!, values(plain.embedding!.data))).toBeLessThan(1e-5);
    await embedder.dispose();
  });

  it('refuses tensors that are no encoder', () => {
    const broken = new Map(tensors);
    broken.delete('proj_out.0.weight');
    expect(() => exportEncoder(broken, { channels: 1, patches: 1 })).toThrow(
      'encoder: of 51 tensors expected: 1 missing (proj_out.0.weight)',
    );
  });
});

describe('exportModel', () => {
  it.each([['eeg', 'ecg'], ['ecg']])('takes %s %s', async (...modalities) => {
    const signal = { encoder: { layers: 1 }, channels: ['a', 'b'], patches: 3 };
    const signals = Object.fromEntries(modalities.map((modality) => [modality, signal]));
    const config = parseModelConfig({ signals, head: { kind: 'mlp', hidden: 8, classes: 2 } });
    const parameters = initialParameters(modelParameters(config), new Random(5));
    const bytes = exportModel({ config, recipe, classes: ['rest', 'task'], tensors: parameters });
    const { graph, metadata } = decodeOnnx(bytes);
    expect(graph.inputs.map(({ name, shape }) => [name, shape])).toEqual(
      modalities.map((modality) => [modality, ['B', 2, 3, 200]]),
    );
    expect([...graph.outputs].map(([name, { shape }]) => [name, shape])).toEqual([
      ['probabilities', ['B', 2]],
    ]);
    expect(JSON.parse(metadata['heartmind.classes']!)).toEqual(['rest', 'task']);
    expect(JSON.parse(metadata['heartmind.recipe']!)).toEqual(recipe);

    const random = new Random(6);
    const data = Float32Array.from({ length: 4 * 2 * 3 * 200 }, () => random.normal());
    const program = await backend.compile(bytes);
    const feed = { dtype: 'float32', shape: [4, 2, 3, 200], data } as const;
    const { probabilities } = await program.run(Object.fromEntries(modalities.map((m) => [m, feed])));
    const predictor = new Predictor(backend, config, parameters);
    const windows = { channels: ['a', 'b'], patches: 3, patchSamples: 200, data };
    const expected = await predictor.probabilities(Object.fromEntries(modalities.map((m) => [m, windows])));
    expect(maxDifference(values(probabilities!.data), expected)).toBeLessThan(1e-6);
    await predictor.dispose();
    await program.dispose();
  });
});
