/** Kinds of fusion and pooling, nulls, low-rank adaptation: what they compute, and that their gradients are right. */
import { beforeAll, describe, expect, it, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { float32, sizeOf, type Tensor, tensor } from '../../src/core/tensor.ts';
import { differentiate } from '../../src/graph/differentiate.ts';
import { Graph, type Value } from '../../src/graph/ir.ts';
import { mul, reduceSum } from '../../src/graph/operators.ts';
import {
  encoderConfig,
  type Fusion,
  fusionSchema,
  type ModelConfig,
  parseModelConfig,
} from '../../src/model/config.ts';
import { constantParameters, exportModel } from '../../src/model/export.ts';
import { type Lora, loraParameters, mergeLora } from '../../src/model/lora.ts';
import {
  buildDecision,
  buildLogits,
  initialParameters,
  modelParameters,
  presenceName,
} from '../../src/model/model.ts';
import { decodeModel, encodeModel } from '../../src/model/model-file.ts';
import type { FloatTensors } from '../../src/model/parameters.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { maxDifference } from './golden.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

const dim = 200;
const channels = { eeg: ['Fz', 'Cz'], ecg: ['I'] };
const configOf = (over: object = {}, head: object = {}): ModelConfig =>
  parseModelConfig({
    signals: {
      eeg: { encoder: { layers: 1 }, channels: channels.eeg, patches: 2 },
      ecg: { encoder: { layers: 1 }, channels: channels.ecg, patches: 2 },
    },
    head: { kind: 'linear', classes: 3, ...head },
    ...over,
  });

/** What lies behind the encoders, every value drawn, so that nothing hides behind zeros. */
function drawnDecision(config: ModelConfig, seed = 5): FloatTensors {
  const random = new Random(seed);
  const specs = modelParameters(config).filter(({ name }) => !/^(eeg|ecg)\./.test(name));
  return new Map(
    specs.map(({ name, shape }) => [
      name,
      float32(
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => 0.1 * random.normal()),
      ),
    ]),
  );
}

/** Embeddings of three windows. */
function drawnTokens(seed = 8): { eeg: Tensor<'float32'>; ecg: Tensor<'float32'> } {
  const random = new Random(seed);
  const draw = (shape: number[]) =>
    float32(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
    );
  return { eeg: draw([3, 2, 2, dim]), ecg: draw([3, 1, 2, dim]) };
}
const pooled = ({ shape, data }: Tensor<'float32'>): Tensor<'float32'> => {
  const tokens = shape[1]! * shape[2]!;
  const mean = Float32Array.from({ length: shape[0]! * dim }, (_, i) => {
    const [window, feature] = [Math.floor(i / dim), i % dim];
    let sum = 0;
    for (let t = 0; t < tokens; t++) sum += data[(window * tokens + t) * dim + feature]!;
    return sum / tokens;
  });
  return float32([shape[0]!, dim], mean);
};
const takesTokens = (config: ModelConfig) =>
  config.fusion === 'cross-attention' || config.head.pool === 'attention';

/** Logits [3 × 3] of embeddings under parameters; `present` as one truth a window. */
async function decide(
  config: ModelConfig,
  parameters: FloatTensors,
  tokens = drawnTokens(),
  present?: { eeg: number[]; ecg: number[] },
): Promise<Float32Array> {
  const graph = new Graph('decision');
  const given = takesTokens(config) ? [tokens.eeg, tokens.ecg] : [pooled(tokens.eeg), pooled(tokens.ecg)];
  const truth = (values: number[]) => graph.constant(tensor('bool', [3], Uint8Array.from(values)));
  graph.output(
    'logits',
    buildDecision(
      config,
      given.map((value) => graph.constant(value)),
      constantParameters(graph, parameters),
      present && { present: { eeg: truth(present.eeg), ecg: truth(present.ecg) } },
    ),
  );
  const program = await backend.compile(graph);
  const { logits } = await program.run({});
  await program.dispose();
  return logits!.data as Float32Array;
}

const kinds: readonly (readonly [string, object, object])[] = [
  ...fusionSchema.options.map((fusion) => [fusion, { fusion }, {}] as const),
  ...fusionSchema.options.map(
    (fusion) => [`${fusion} with nulls`, { fusion, nullEmbeddings: true }, {}] as const,
  ),
  ['attention pooling', {}, { pool: 'attention' }],
  ['attention pooling by 4 queries', {}, { pool: 'attention', poolHeads: 4 }],
  ['all at once', { fusion: 'cross-attention', nullEmbeddings: true }, { pool: 'attention', kind: 'mlp' }],
];

describe('gradients', () => {
  test.each(kinds)('of %s equal finite differences', async (_, over, head) => {
    const config = configOf(over, { hidden: 4, ...head });
    const parameters = drawnDecision(config);
    const tokens = drawnTokens();
    const graph = new Graph('loss');
    const values = new Map<string, Value>();
    for (const [name, { shape }] of parameters) values.set(name, graph.input(name, 'float32', shape));
    const given = takesTokens(config) ? [tokens.eeg, tokens.ecg] : [pooled(tokens.eeg), pooled(tokens.ecg)];
    const truth = (bits: number[]) => graph.constant(tensor('bool', [3], Uint8Array.from(bits)));
    const present = { eeg: truth([1, 0, 1]), ecg: truth([1, 1, 0]) };
    const logits = buildDecision(
      config,
      given.map((value) => graph.constant(value)),
      (name) => values.get(name)!,
      config.nullEmbeddings ? { present } : {},
    );
    const random = new Random(3);
    const weights = Float32Array.from({ length: 9 }, () => random.normal());
    const loss = reduceSum(mul(mul(logits, logits), graph.constant(float32([3, 3], weights))));
    const names = [...parameters.keys()];
    const gradients = differentiate(
      loss,
      names.map((name) => values.get(name)!),
    );
    graph.output('loss', loss);
    for (const [i, name] of names.entries()) graph.output(`d ${name}`, gradients[i]!);
    const program = await backend.compile(graph);
    const at = async (from: FloatTensors) => program.run(Object.fromEntries(from));
    const exact = await at(parameters);
    // Along a random direction of each parameter: one difference tests all its values.
    for (const name of names) {
      const { shape, data } = parameters.get(name)!;
      const direction = data.map(() => (random.uniform() < 0.5 ? -1 : 1));
      const step = 4e-2 / Math.sqrt(data.length);
      const moved = async (sign: number) => {
        const values = data.map((value, i) => value + sign * step * direction[i]!);
        const { loss: one } = await at(new Map([...parameters, [name, float32(shape, values)]]));
        return Number(one!.data[0]);
      };
      const difference = ((await moved(1)) - (await moved(-1))) / (2 * step);
      const slope = (exact[`d ${name}`]!.data as Float32Array).reduce(
        (sum, gradient, i) => sum + gradient * direction[i]!,
        0,
      );
      const size = Math.sqrt((exact[`d ${name}`]!.data as Float32Array).reduce((sum, g) => sum + g * g, 0));
      // A key's bias moves all scores of a query alike: no gradient, whatever its float32 noise.
      const tolerance = 0.02 * Math.max(size, Math.abs(difference)) + 5e-3;
      expect(Math.abs(slope - difference), `${name}: ${slope} and ${difference}`).toBeLessThan(tolerance);
    }
    const learned = names.filter((name) =>
      (exact[`d ${name}`]!.data as Float32Array).some((gradient) => Math.abs(gradient) > 1e-6),
    );
    expect(names.filter((name) => !learned.includes(name) && !name.endsWith('cross.key.bias'))).toEqual([]);
    await program.dispose();
  });
});

describe('training begins', () => {
  test.each([
    ['gated', { fusion: 'gated' }, {}],
    ['cross-attention', { fusion: 'cross-attention' }, {}],
    ['attention pooling', {}, { pool: 'attention', poolHeads: 2 }],
    ['nulls', { nullEmbeddings: true }, {}],
  ] as const)('of %s at concatenation of means', async (_, over, head) => {
    const config = configOf(over, head);
    const initial = (one: ModelConfig) => initialParameters(modelParameters(one), new Random(1));
    const plain = await decide(configOf(), initial(configOf()));
    const own = await decide(config, initial(config));
    expect(maxDifference(own, plain)).toBeLessThan(1e-5);
    expect(plain.some((value) => Math.abs(value) > 0.05)).toBe(true);
  });
});

describe('late fusion', () => {
  it('is the mean of the logits of a head each', async () => {
    const config = configOf({ fusion: 'late' });
    const parameters = drawnDecision(config);
    for (const modality of ['eeg', 'ecg']) {
      parameters.set(`fusion.${modality}.scale.weight`, float32([dim], new Float32Array(dim).fill(1)));
      parameters.set(`fusion.${modality}.scale.bias`, float32([dim], new Float32Array(dim)));
    }
    const tokens = drawnTokens();
    const expected = new Float32Array(9);
    for (const modality of ['eeg', 'ecg'] as const) {
      const rows = pooled(tokens[modality]).data;
      const weight = parameters.get(`head.${modality}.0.weight`)!.data;
      const bias = parameters.get(`head.${modality}.0.bias`)!.data;
      for (let i = 0; i < 9; i++)
        expected[i]! +=
          (bias[i % 3]! +
            rows
              .subarray(Math.floor(i / 3) * dim, (Math.floor(i / 3) + 1) * dim)
              .reduce((sum, x, f) => sum + x * weight[(i % 3) * dim + f]!, 0)) /
          2;
    }
    expect(maxDifference(await decide(config, parameters), expected)).toBeLessThan(1e-5);
  });
});

describe('a missing modality', () => {
  const present = { eeg: [1, 1, 0], ecg: [1, 0, 1] };
  test.each(fusionSchema.options)('with %s: what its signal holds plays no part', async (fusion: Fusion) => {
    const config = configOf({ fusion, nullEmbeddings: true });
    const parameters = drawnDecision(config);
    const tokens = drawnTokens();
    const other = drawnTokens(99);
    const replaced = {
      eeg: float32(tokens.eeg.shape, [...tokens.eeg.data.slice(0, 1600), ...other.eeg.data.slice(1600)]),
      ecg: float32(tokens.ecg.shape, [
        ...tokens.ecg.data.slice(0, 400),
        ...other.ecg.data.slice(400, 800),
        ...tokens.ecg.data.slice(800),
      ]),
    };
    const one = await decide(config, parameters, tokens, present);
    expect(maxDifference(await decide(config, parameters, replaced, present), one)).toBeLessThan(1e-6);
    const whole = await decide(config, parameters, tokens, { eeg: [1, 1, 1], ecg: [1, 1, 1] });
    expect(maxDifference(whole.slice(0, 3), one.slice(0, 3))).toBeLessThan(1e-6);
    expect(maxDifference(whole.slice(3), one.slice(3))).toBeGreaterThan(1e-2);
  });
});

describe('a model of two modalities with nulls', () => {
  it('is written, read and exported with the inputs that say what is present', async () => {
    const config = configOf({ fusion: 'gated', nullEmbeddings: true }, { pool: 'attention' });
    const signal = (names: string[]) => ({ channels: names, scaleMicrovolts: 100 });
    const model = {
      config,
      recipe: parseRecipe({
        version: 1,
        signals: { eeg: signal(channels.eeg), ecg: signal(channels.ecg) },
        window: { lengthSeconds: 2, stepSeconds: 2 },
      }),
      classes: ['a', 'b', 'c'],
      tensors: initialParameters(modelParameters(config), new Random(2)),
    };
    const decoded = decodeModel(encodeModel(model), 'model');
    expect(decoded.config).toEqual(config);
    const program = await backend.compile(exportModel(model));
    expect([...program.inputNames].sort()).toEqual(['ecg', 'ecg.present', 'eeg', 'eeg.present']);
    const random = new Random(4);
    const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal());
    const eeg = draw(800);
    const feeds = (ecg: Float32Array) => ({
      eeg: float32([1, 2, 2, 200], eeg),
      ecg: float32([1, 1, 2, 200], ecg),
      [presenceName('eeg')]: tensor('bool', [1], Uint8Array.of(1)),
      [presenceName('ecg')]: tensor('bool', [1], Uint8Array.of(0)),
    });
    const [a, b] = [await program.run(feeds(draw(400))), await program.run(feeds(draw(400)))];
    expect(a.probabilities!.data).toEqual(b.probabilities!.data);
    await program.dispose();
  });

  it('opens where its file was written before there were kinds', () => {
    const { fusion, nullEmbeddings, head } = parseModelConfig({
      signals: { eeg: { encoder: encoderConfig({ layers: 1 }), channels: ['Cz'], patches: 1 } },
      fusion: 'concatenate',
      head: { kind: 'mlp', hidden: 8, dropout: 0.1, classes: 2 },
    });
    expect({ fusion, nullEmbeddings, pool: head.pool }).toEqual({
      ...{ fusion: 'concatenate', nullEmbeddings: false, pool: 'mean' },
    });
  });

  test.each([
    [{ fusion: 'gated' }, { kind: 'all-patches' }, 'all-patches does not go with gated'],
    [{ nullEmbeddings: true }, { kind: 'all-patches' }, 'all-patches does not go with modality dropout'],
    [{}, { kind: 'all-patches', pool: 'attention' }, 'all-patches does not go with attention pooling'],
    [{ fusion: 'sum' }, {}, 'model.fusion: "sum" is not allowed'],
    [{}, { pool: 'attention', poolHeads: 3 }, 'model.head.poolHeads: 3 is not allowed'],
  ])('%o with head %o is refused', (over, head, message) => {
    expect(() => configOf(over, head)).toThrow(message);
  });

  it('of one modality there is nothing to fuse', () => {
    const { signals, ...rest } = configOf();
    expect(() => parseModelConfig({ ...rest, fusion: 'late', signals: { eeg: signals.eeg } })).toThrow(
      'model.fusion: late of one modality.',
    );
  });
});

describe('low-rank adaptation', () => {
  const config = parseModelConfig({
    signals: { eeg: { encoder: { layers: 1 }, channels: channels.eeg, patches: 2 } },
    head: { kind: 'linear', classes: 2 },
  });
  const base = initialParameters(modelParameters(config), new Random(1));
  const random = new Random(12);
  const patches = float32(
    [2, 2, 2, 200],
    Float32Array.from({ length: 1600 }, () => random.normal()),
  );

  async function logitsOf(parameters: FloatTensors, lora?: Lora): Promise<Float32Array> {
    const graph = new Graph('adapted');
    const source = constantParameters(graph, parameters);
    const inputs = { eeg: graph.constant(patches) };
    graph.output('logits', buildLogits(config, inputs, source, {}, lora));
    const program = await backend.compile(graph);
    const { logits } = await program.run({});
    await program.dispose();
    return logits!.data as Float32Array;
  }

  test.each([
    ['attention', 2 * 4 * (100 + 300 + 100 + 100)],
    ['feedForward', 4 * (200 + 800 + 800 + 200)],
  ] as const)('of rank 4 on %s has %i values a layer', (part, expected) => {
    const lora: Lora = { rank: 4, alpha: 8, on: [part] };
    const count = loraParameters(config, lora).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    expect(count).toBe(expected);
  });

  it('begins as the encoder itself, to the bit, and merged gives what it gives unmerged', async () => {
    const lora: Lora = { rank: 4, alpha: 8, on: ['attention', 'feedForward'] };
    const specs = loraParameters(config, lora);
    const first = new Map([...base, ...initialParameters(specs, new Random(7))]);
    const plain = await logitsOf(base);
    expect(await logitsOf(first, lora)).toEqual(plain);
    const drawn = new Map(first);
    for (const { name, shape } of specs)
      drawn.set(
        name,
        float32(
          shape,
          Float32Array.from({ length: sizeOf(shape) }, () => 0.05 * random.normal()),
        ),
      );
    const adapted = await logitsOf(drawn, lora);
    const merged = mergeLora(drawn, config, lora);
    expect([...merged.keys()]).toEqual([...base.keys()]);
    expect(maxDifference(adapted, plain)).toBeGreaterThan(1e-2);
    expect(maxDifference(await logitsOf(merged), adapted)).toBeLessThan(1e-5);
  });
});
