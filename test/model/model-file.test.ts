import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError, HeartmindError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import { parseModelConfig } from '../../src/model/config.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { decodeModel, encodeModel, type TrainedModel } from '../../src/model/model-file.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { sameTensor } from './golden.ts';

const recipe = parseRecipe({
  version: 1,
  signals: { ecg: { channels: ['I', 'II'], scaleMicrovolts: 1000 } },
  window: { lengthSeconds: 3, stepSeconds: 3 },
});
const config = parseModelConfig({
  signals: { ecg: { encoder: { layers: 1 }, channels: ['I', 'II'], patches: 3 } },
  head: { kind: 'linear', classes: 2 },
});
const tensors = initialParameters(modelParameters(config), new Random(1));
const model: TrainedModel = {
  config,
  recipe,
  classes: ['calm', 'stressed'],
  tensors,
  provenance: { seed: '1' },
};
const bytes = encodeModel(model);
const { tensors: stored, metadata } = decodeSafetensors(bytes, 'm');

/** The file with another header. */
function withHeader(change: (header: Record<string, unknown>) => void): Uint8Array {
  const header = JSON.parse(metadata.heartmind!) as Record<string, unknown>;
  change(header);
  return encodeSafetensors(stored, { ...metadata, heartmind: JSON.stringify(header) });
}

describe('model files', () => {
  it('give back the model', () => {
    const back = decodeModel(bytes, 'm');
    expect({ ...back, tensors: 0 }).toEqual({ ...model, tensors: 0 });
    expect([...back.tensors.keys()]).toEqual([...tensors.keys()]);
    expect([...tensors.keys()].filter((key) => !sameTensor(back.tensors.get(key), tensors.get(key)))).toEqual(
      [],
    );
  });

  it.each([
    [
      'weights without metadata',
      () => encodeSafetensors(stored),
      "m: safetensors without heartmind's metadata",
    ],
    [
      'a later version',
      () => withHeader((header) => Object.assign(header, { version: 2 })),
      'of version 1 is not valid',
    ],
    [
      'unknown keys',
      () => withHeader((header) => Object.assign(header, { extra: 1 })),
      'is not valid (wrong keys)',
    ],
    [
      'a wrong recipe',
      () => withHeader((header) => Object.assign(header, { recipe: { version: 1 } })),
      'recipe.signals: is missing.',
    ],
    [
      'a wrong configuration',
      () => withHeader((header) => Object.assign(header, { config: {} })),
      'model.signals: is missing.',
    ],
    [
      'a class too many',
      () => withHeader((header) => Object.assign(header, { classes: ['a', 'b', 'c'] })),
      'm: no consistent model: 3 names for 2 classes.',
    ],
    ['no JSON', () => encodeSafetensors(stored, { heartmind: '{' }), 'is not valid ('],
    [
      'a missing tensor',
      () => encodeSafetensors(new Map([...stored].slice(1)), metadata),
      'm: of 34 tensors expected: 1 missing',
    ],
    [
      'a recipe for other leads',
      () =>
        withHeader((header) =>
          Object.assign((header.recipe as typeof recipe).signals.ecg!, { channels: ['II', 'I'] }),
        ),
      'its ecg is I II in 3 patches, the recipe gives II I in 3 patches',
    ],
  ])('with %s are refused', (_, make, message) => {
    expect(() => decodeModel(make(), 'm')).toThrow(FormatError);
    expect(() => decodeModel(make(), 'm')).toThrow(message);
  });

  it('are not written inconsistent', () => {
    expect(() => encodeModel({ ...model, classes: ['one'] })).toThrow('1 names for 2 classes');
    expect(() => encodeModel({ ...model, tensors: new Map() })).toThrow('of 34 tensors expected: 34 missing');
  });

  it('with a weight that is no finite number are refused, whoever wrote them', () => {
    const [first] = model.tensors.keys();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const tensors = new Map(model.tensors);
      const { shape, data } = tensors.get(first!)!;
      tensors.set(first!, float32(shape, Float32Array.from(data as Float32Array).fill(value, 1, 2)));
      const { metadata } = decodeSafetensors(bytes, 'm');
      expect(() => decodeModel(encodeSafetensors(tensors, metadata), 'm')).toThrow(
        `m: 1 of ${data.length} values of '${first}' are no finite numbers (the first is ${value} at 1).`,
      );
      expect(() => encodeModel({ ...model, tensors })).toThrow('are no finite numbers');
    }
  });

  it('are refused after any change of a value', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1 - 8000), fc.nat(7), (fromEnd, bit) => {
        const damaged = bytes.slice();
        damaged[damaged.length - 1 - fromEnd]! ^= 1 << bit;
        expect(() => decodeModel(damaged, 'm')).toThrow(FormatError);
      }),
      { numRuns: 100 },
    );
  });

  it('throw nothing but heartmind errors when damaged', () => {
    fc.assert(
      fc.property(fc.nat(4000), fc.nat(255), (at, value) => {
        const damaged = bytes.slice();
        damaged[at] = value;
        try {
          decodeModel(damaged, 'm');
        } catch (error) {
          expect(error).toBeInstanceOf(HeartmindError);
        }
      }),
      { numRuns: 200 },
    );
  });
});
