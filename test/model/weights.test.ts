import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32, sizeOf, type Tensor } from '../../src/core/tensor.ts';
import { encoderConfig } from '../../src/model/config.ts';
import { encoderParameters } from '../../src/model/encoder-parameters.ts';
import { initialParameters } from '../../src/model/parameters.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';
import { goldenBytes, sameTensor } from './golden.ts';

const golden = decodeSafetensors(goldenBytes('weights.safetensors'), 'weights').tensors;
const load = (tensors: ReadonlyMap<string, Tensor>, layers?: number) =>
  loadEncoderWeights(
    encodeSafetensors(tensors),
    'w',
    layers === undefined ? undefined : encoderConfig({ layers }),
  );
const rename = (change: (key: string) => string) =>
  new Map([...golden].map(([k, v]) => [change(k), v] as const));

function expectSame(a: ReadonlyMap<string, Tensor>, b: ReadonlyMap<string, Tensor>): void {
  expect([...a.keys()]).toEqual([...b.keys()]);
  expect([...a.keys()].filter((key) => !sameTensor(a.get(key), b.get(key)))).toEqual([]);
}

describe('encoderParameters', () => {
  it('are the 211 tensors of the official 12-layer model, in its order', () => {
    const path = join(import.meta.dirname, '../golden/model/state-dict-12-layers.json');
    const official = Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, number[]>);
    const specs = encoderParameters(encoderConfig());
    expect(specs.map(({ name, shape }) => [name, shape])).toEqual(official);
    expect(specs.length).toBe(211);
    expect(specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(4_924_000);
  });

  it('start the same for the same seed, and with the distributions of PyTorch', () => {
    const specs = encoderParameters(encoderConfig({ layers: 1 }));
    const [a, b, c] = [1, 1, 2].map((seed) => initialParameters(specs, new Random(seed)));
    const linear = 'encoder.layers.0.linear1.weight';
    expect(sameTensor(a!.get(linear), b!.get(linear))).toBe(true);
    expect(sameTensor(a!.get(linear), c!.get(linear))).toBe(false);
    const values = a!.get(linear)!.data;
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    expect(deviation).toBeCloseTo(Math.sqrt(2 / 800), 3);
    const kernel = a!.get('patch_embedding.proj_in.0.weight')!.data.map(Math.abs);
    expect(Math.max(...kernel)).toBeLessThanOrEqual(1 / 7);
    expect(Math.max(...kernel)).toBeGreaterThan(0.14);
    expect(a!.get('patch_embedding.proj_in.1.weight')!.data.every((x) => x === 1)).toBe(true);
    expect(a!.get('patch_embedding.mask_encoding')!.data.every((x) => x === 0)).toBe(true);
  });
});

describe('loadEncoderWeights', () => {
  it('knows official, data-parallel and braindecode names', () => {
    const official = load(golden);
    expect(official).toMatchObject({ layers: 2, naming: 'official', ignored: [] });
    expect([...official.tensors.keys()]).toEqual(
      encoderParameters(encoderConfig({ layers: 2 })).map((spec) => spec.name),
    );
    const parallel = load(rename((key) => `module.${key}`));
    expect(parallel).toMatchObject({ naming: 'official, data-parallel', ignored: [] });
    expectSame(parallel.tensors, official.tensors);
    const braindecode = load(
      new Map([...golden, ['final_layer.1.weight', float32([2, 3], new Float32Array(6))]]),
    );
    expect(braindecode).toMatchObject({ naming: 'braindecode', ignored: ['final_layer.1.weight'] });
    expectSame(braindecode.tensors, official.tensors);
  });

  it('lists everything that is missing, left over and misshapen in one error', () => {
    const broken = new Map(golden);
    broken.delete('proj_out.0.bias');
    broken.delete('encoder.layers.1.norm2.bias');
    broken.set('encoder.layers.0.linear1.bias', float32([400], new Float32Array(400)));
    broken.set('encoder.layers.1.extra', float32([1], [0]));
    expect(() => load(broken)).toThrow(
      'w: of 51 tensors expected: 2 missing (encoder.layers.1.norm2.bias, proj_out.0.bias); ' +
        '1 left over (encoder.layers.1.extra); ' +
        '1 of the wrong shape (encoder.layers.0.linear1.bias [400] instead of [800]). Choose the weights of this model.',
    );
  });

  it('refuses another depth, a gap, foreign names and integers', () => {
    expect(() => load(golden, 3)).toThrow('16 missing (encoder.layers.2.self_attn_s.in_proj_weight');
    expect(() => load(golden, 1)).toThrow('16 left over (encoder.layers.1');
    expect(() => load(rename((key) => key.replace('layers.1.', 'layers.5.')))).toThrow('16 missing');
    expect(() => load(rename((key) => `student.${key}`))).toThrow("none of 51 keys is an encoder layer's");
    expect(() => load(new Map())).toThrow('none of 0 keys');
    const integers = new Map(golden).set('proj_out.0.bias', {
      dtype: 'int32',
      shape: [200],
      data: new Int32Array(200),
    });
    expect(() => load(integers)).toThrow('1 not floating-point (proj_out.0.bias of int32)');
  });
});
