import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import { decodeOnnx } from '../../src/graph/onnx.ts';
import { encoderConfig, parseModelConfig } from '../../src/model/config.ts';
import { exportEncoder, exportModel } from '../../src/model/export.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { checkPrecision } from '../../src/model/precision.ts';
import { Embedder, Predictor } from '../../src/model/predict.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';
import { eegRecipe as recipe } from '../../src/patches/recipe.ts';
import { encodeNpz } from '../../src/read/numpy/npz.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { goldenBytes, goldenTensors, maxDifference } from './golden.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 2 });
});

const { tensors, layers } = loadEncoderWeights(goldenBytes('weights.safetensors'), 'weights');
const size = { channels: 19, patches: 4 };
/** Two windows of EEGMAT. */
const input = goldenTensors('vectors.safetensors')('input');
const windows = input.data as Float32Array;

const signal = { encoder: { layers: 2 }, channels: ['a', 'b'], patches: 3 };
const config = parseModelConfig({
  signals: { eeg: signal, ecg: signal },
  head: { kind: 'mlp', hidden: 8, classes: 2 },
});
const parameters = initialParameters(modelParameters(config), new Random(5));

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('int8', () => {
  it('changes embeddings of real windows little, yet changes them', async () => {
    const embed = async (precision: 'float32' | 'int8') => {
      const embedder = new Embedder(backend, encoderConfig({ layers }), tensors, size, { precision });
      const result = await embedder.embed(windows, { tokens: true });
      await embedder.dispose();
      return result;
    };
    const [exact, rounded] = [await embed('float32'), await embed('int8')];
    expect(cosine(exact.pooled, rounded.pooled)).toBeGreaterThan(0.9995);
    expect(cosine(exact.tokens!, rounded.tokens!)).toBeGreaterThan(0.999);
    expect(maxDifference(exact.pooled, rounded.pooled)).toBeGreaterThan(1e-4);
  });

  it('changes probabilities little; the exported file gives the same ones', async () => {
    const random = new Random(6);
    const data = Float32Array.from({ length: 4 * 2 * 3 * 200 }, () => random.normal());
    const set = { channels: ['a', 'b'], patches: 3, patchSamples: 200, data };
    const probabilities = async (precision: 'float32' | 'int8') => {
      const predictor = new Predictor(backend, config, parameters, { precision });
      const result = await predictor.probabilities({ eeg: set, ecg: set });
      // The encoders of the model are in its precision too.
      const { eeg } = await predictor.embeddings({ eeg: set });
      await predictor.dispose();
      return { result, pooled: eeg!.pooled };
    };
    const [exact, rounded] = [await probabilities('float32'), await probabilities('int8')];
    expect(maxDifference(exact.result, rounded.result)).toBeLessThan(0.02);
    expect(maxDifference(exact.result, rounded.result)).toBeGreaterThan(1e-7);
    expect(maxDifference(exact.pooled, rounded.pooled)).toBeGreaterThan(1e-4);

    const model = { config, recipe, classes: ['rest', 'task'], tensors: parameters };
    const program = await backend.compile(exportModel(model, { precision: 'int8' }));
    const feed = float32([4, 2, 3, 200], data);
    const { probabilities: fromFile } = await program.run({ eeg: feed, ecg: feed });
    expect(fromFile!.data).toEqual(rounded.result);
    await program.dispose();
  });

  it("makes the layers' weights four times smaller, and says so in the metadata", () => {
    const [whole, small] = [
      exportEncoder(tensors, size),
      exportEncoder(tensors, { ...size, precision: 'int8' }),
    ];
    // Per layer: two attentions of 4 · 100², and the feed-forward network's 2 · 200 · 800.
    const weights = layers * (2 * 4 * 100 * 100 + 2 * 200 * 800);
    expect((whole.length - small.length) / (3 * weights)).toBeGreaterThan(0.98);
    const { graph, metadata } = decodeOnnx(small);
    expect(metadata['heartmind.precision']).toBe('int8');
    expect(decodeOnnx(whole).metadata['heartmind.precision']).toBe('float32');
    expect(graph.nodes.filter(({ operator }) => operator === 'MatMulInteger')).toHaveLength(layers * 10);
    // What stays float32: of the matrices, the spectrum's two and the reconstruction.
    const products = graph.nodes.filter(({ operator }) => operator === 'Gemm');
    expect(products.filter(({ inputs }) => inputs[1]!.constant?.dtype === 'float32')).toHaveLength(3);
  });

  it('is refused off the cpu', () => {
    const gpu: Backend = { ...backend, device: 'webgpu' };
    const message = 'precision: int8 is for the cpu, this engine computes on webgpu.';
    expect(() => checkPrecision(gpu, { precision: 'int8' })).toThrow(message);
    expect(() => new Predictor(gpu, config, parameters, { precision: 'int8' })).toThrow(message);
    expect(() => new Embedder(gpu, encoderConfig({ layers }), tensors, size, { precision: 'int8' })).toThrow(
      message,
    );
    new Predictor(gpu, config, parameters, { precision: 'float32' });
  });
});

const python = [process.env.HEARTMIND_PYTHON, 'python3'].find(
  (one) => one && spawnSync(one, ['-c', 'import numpy, onnx, onnxruntime']).status === 0,
);

describe.skipIf(!python)(
  `Python's onnx and onnxruntime${python ? '' : ' (skipped: neither python3 nor HEARTMIND_PYTHON has them)'}`,
  () => {
    it.each(['float32', 'int8'] as const)(
      'find an exported %s encoder valid and compute the same',
      async (precision) => {
        const folder = mkdtempSync(join(tmpdir(), 'heartmind-onnx-'));
        try {
          const bytes = exportEncoder(tensors, { ...size, precision });
          const program = await backend.compile(bytes);
          const mask = { dtype: 'bool', shape: [2, 19, 4], data: new Uint8Array(152) } as const;
          const { embedding, reconstruction } = await program.run({ patches: input, mask });
          await program.dispose();
          const path = join(folder, 'encoder.onnx');
          writeFileSync(path, bytes);
          const arrays = {
            patches: input,
            mask,
            'out.embedding': embedding!,
            'out.reconstruction': reconstruction!,
          };
          writeFileSync(`${path}.npz`, encodeNpz(new Map(Object.entries(arrays))));
          const { status, stdout, stderr } = spawnSync(python!, ['scripts/check-onnx.py', path], {
            encoding: 'utf8',
          });
          expect(stderr).toBe('');
          expect(stdout).toContain('valid');
          expect(status).toBe(0);
        } finally {
          rmSync(folder, { recursive: true });
        }
      },
    );
  },
);
