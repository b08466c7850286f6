import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32, sizeOf, type Tensor } from '../../src/core/tensor.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { Graph } from '../../src/graph/ir.ts';
import { mul, reduceMean, reduceSum } from '../../src/graph/operators.ts';
import { encode, encoderParameters } from '../../src/model/cbramod.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { DropoutSites } from '../../src/model/dropout.ts';
import { constantParameters } from '../../src/model/export.ts';
import { initialParameters } from '../../src/model/parameters.ts';
import { positionEmbedding } from '../../src/model/position-embedding.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { maxDifference } from './golden.ts';

const config = encoderConfig({ layers: 1 });
const tensors = initialParameters(encoderParameters(config), new Random(3));

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 2 });
});

function randomTensor(shape: readonly number[], seed: number): Tensor<'float32'> {
  const random = new Random(seed);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
  );
}

/** Run the encoder on patches [B, C, N, 200]. */
async function run(patches: Tensor, mask?: Tensor): Promise<Float32Array> {
  const graph = new Graph('encoder');
  const shape = ['B', ...patches.shape.slice(1)];
  const inputs = {
    patches: graph.input('patches', 'float32', shape),
    ...(mask && { mask: graph.input('mask', 'bool', shape.slice(0, 3)) }),
  };
  graph.output('embedding', encode({ ...inputs, parameter: constantParameters(graph, tensors), config }));
  const program = await backend.compile(graph);
  const { embedding } = await program.run({ patches, ...(mask && { mask }) });
  await program.dispose();
  expect(embedding!.shape).toEqual(patches.shape);
  return embedding!.data as Float32Array;
}

describe('encode', () => {
  it.each([
    [1, 1],
    [1, 7],
    [3, 1],
    [13, 5],
    [33, 9],
    [66, 4],
  ])(
    'takes %i channels × %i patches, and a sample alone gives what it gives in a batch',
    async (channels, patches) => {
      const both = randomTensor([2, channels, patches, 200], channels);
      const size = both.data.length / 2;
      const together = await run(both);
      expect(together.every(Number.isFinite)).toBe(true);
      const second = await run(float32([1, channels, patches, 200], both.data.slice(size)));
      expect(maxDifference(together.slice(size), second)).toBeLessThan(2e-5);
    },
  );

  it('hides a masked patch from every token: what lies under the mask changes nothing', async () => {
    const data = randomTensor([1, 3, 4, 200], 1);
    const mask: Tensor = {
      dtype: 'bool',
      shape: [1, 3, 4],
      data: Uint8Array.from({ length: 12 }, (_, i) => Number(i % 3 === 0)),
    };
    const blank = data.data.map((x, i) => (Math.floor(i / 200) % 3 === 0 ? 0 : x));
    const other = data.data.map((x, i) => (Math.floor(i / 200) % 3 === 0 ? 100 * x : x));
    const masked = await run(data, mask);
    expect(maxDifference(masked, await run(float32(data.shape, other), mask))).toBe(0);
    // The mask token is a patch of zeros.
    expect(maxDifference(masked, await run(float32(data.shape, blank)))).toBeLessThan(1e-6);
    expect(maxDifference(masked, await run(data))).toBeGreaterThan(0.01);
    const none: Tensor = { dtype: 'bool', shape: [1, 3, 4], data: new Uint8Array(12) };
    expect(maxDifference(await run(data, none), await run(data))).toBeLessThan(1e-6);
    const all: Tensor = { dtype: 'bool', shape: [1, 3, 4], data: new Uint8Array(12).fill(1) };
    expect((await run(data, all)).every(Number.isFinite)).toBe(true);
  });

  it('refuses patches of another length and a mask of another shape', () => {
    const graph = new Graph('g');
    const parameter = constantParameters(graph, tensors);
    const patches = graph.input('patches', 'float32', ['B', 2, 3, 250]);
    expect(() => encode({ patches, parameter, config })).toThrow(
      'encode: patches of shape [B, C, N, 200] and a mask of [B, C, N] are due, got [B,2,3,250].',
    );
    const right = graph.input('right', 'float32', ['B', 2, 3, 200]);
    const mask = graph.input('mask', 'bool', ['B', 2, 4]);
    expect(() => encode({ patches: right, mask, parameter, config })).toThrow('with mask [B,2,4]');
  });
});

describe('positionEmbedding', () => {
  it.each([
    ['one matrix', 5, 6],
    ['one patch', 30, 1],
    ['runs of patches, the last one shorter', 24, 11],
    ['runs of single patches', 64, 5],
    ['the engine’s convolution', 65, 4],
  ])('by %s equals the depthwise convolution 19×7', async (_, channels, patches) => {
    const dim = config.dim;
    const graph = new Graph('position');
    const x = randomTensor([2 * channels * patches, dim], 5);
    const parameter = constantParameters(graph, tensors);
    const input = graph.input('x', 'float32', x.shape);
    const shape = { batch: 2, channels, patches };
    graph.output('y', positionEmbedding(input, config, { shape, parameter, dropout: undefined }));
    const program = await backend.compile(graph);
    const { y } = await program.run({ x });
    const kernel = tensors.get('patch_embedding.positional_encoding.0.weight')!.data;
    const bias = tensors.get('patch_embedding.positional_encoding.0.bias')!.data;
    const expected = new Float64Array(x.data.length);
    for (let b = 0; b < 2; b++) {
      for (let c = 0; c < channels; c++) {
        for (let n = 0; n < patches; n++) {
          for (let d = 0; d < dim; d += 37) {
            let sum = bias[d]!;
            for (let i = Math.max(0, c - 9); i <= Math.min(channels - 1, c + 9); i++) {
              for (let j = Math.max(0, n - 3); j <= Math.min(patches - 1, n + 3); j++) {
                sum +=
                  x.data[((b * channels + i) * patches + j) * dim + d]! *
                  kernel[d * 133 + (i - c + 9) * 7 + j - n + 3]!;
              }
            }
            expected[((b * channels + c) * patches + n) * dim + d] = sum;
          }
        }
      }
    }
    const checked = (y!.data as Float32Array).map((value, i) => ((i % dim) % 37 === 0 ? value : 0));
    expect(maxDifference(checked, expected)).toBeLessThan(1e-5);
  });
});

describe('the gradient of positionEmbedding', () => {
  it.each([
    ['one matrix', 5, 6],
    ['runs of patches', 24, 11],
    ['the engine’s convolution', 65, 2],
  ])('by %s agrees with its linearity: ⟨∂L/∂w, w⟩ = L for L = ⟨y, r⟩', async (_, channels, patches) => {
    const names = ['weight', 'bias'].map((key) => `patch_embedding.positional_encoding.0.${key}`);
    const graph = new Graph('position gradient');
    const x = randomTensor([2 * channels * patches, config.dim], 6);
    const input = graph.input('x', 'float32', x.shape);
    const direction = graph.input('direction', 'float32', x.shape);
    const parameters = new Map(
      names.map((name) => [name, graph.input(name, 'float32', tensors.get(name)!.shape)]),
    );
    const building = {
      shape: { batch: 2, channels, patches },
      parameter: (name: string) => parameters.get(name)!,
      dropout: undefined,
    };
    const loss = reduceSum(mul(positionEmbedding(input, config, building), direction));
    graph.output('loss', loss);
    const wrt = [...parameters.values(), input];
    for (const [i, gradient] of differentiate(loss, wrt).entries())
      graph.output(`gradient ${wrt[i]!.name}`, gradient);
    const program = await backend.compile(graph);
    const feeds: Record<string, Tensor> = {
      x,
      direction: randomTensor(x.shape, 7),
      ...Object.fromEntries(names.map((name) => [name, tensors.get(name)!])),
    };
    const results = await program.run(feeds);
    const product = (name: string) => {
      const gradient = results[`gradient ${name}`]!.data as Float32Array;
      return gradient.reduce((sum, value, i) => sum + value * Number(feeds[name]!.data[i]), 0);
    };
    const value = (results.loss!.data as Float32Array)[0]!;
    const scale = Math.sqrt(x.data.length);
    expect(Math.abs(product(names[0]!) + product(names[1]!) - value) / scale).toBeLessThan(1e-3);
    expect(Math.abs(product('x') + product(names[1]!) - value) / scale).toBeLessThan(1e-3);
    await program.dispose();
  });
});

describe('DropoutSites', () => {
  it('stand where PyTorch has them: spectrum, attention weights, after attention, inside and after the feed-forward', () => {
    const graph = new Graph('dropout');
    const patches = graph.input('patches', 'float32', [2, 3, 4, 200]);
    const dropout = new DropoutSites(graph, 0.1, 'eeg.dropout');
    encode({ patches, parameter: constantParameters(graph, tensors), config, dropout });
    expect(dropout.inputs.map(({ shape }) => shape)).toEqual([
      [24, 200],
      [2, 4, 4, 3, 3],
      [2, 3, 4, 4, 4],
      [24, 200],
      [24, 800],
      [24, 200],
    ]);
    expect(dropout.inputs[0]).toMatchObject({ name: 'eeg.dropout.0', shape: [24, 200] });
    expect(dropout.inputs[0]!.drops.probability).toBeCloseTo(0.1, 3);
    expect(new DropoutSites(graph, 0).apply(patches)).toBe(patches);
  });

  it('repeat with the same masks and keep the mean', async () => {
    const graph = new Graph('dropout');
    const x = graph.input('x', 'float32', [400, 250]);
    const sites = new DropoutSites(graph, 0.25);
    graph.output('y', reduceMean(sites.apply(x), [0, 1], { keepDims: false }));
    const program = await backend.compile(graph);
    const ones = float32([400, 250], new Float32Array(100_000).fill(1));
    const mask = (seed: number): Tensor => ({
      dtype: 'bool',
      shape: [400, 250],
      data: sites.inputs[0]!.drops.fill(new Uint8Array(100_000), new Random(seed)),
    });
    const mean = async (seed: number) =>
      ((await program.run({ x: ones, 'dropout.0': mask(seed) })).y!.data as Float32Array)[0]!;
    expect(await mean(1)).toBe(await mean(1));
    expect(await mean(1)).not.toBe(await mean(2));
    expect(Math.abs((await mean(1)) - 1)).toBeLessThan(0.01);
  });
});
