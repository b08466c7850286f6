import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, DataError, FormatError, InterruptedError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { float32 } from '../../src/core/tensor.ts';
import { encoderParameters } from '../../src/model/cbramod.ts';
import { type FloatTensors, initialParameters } from '../../src/model/parameters.ts';
import { loadEncoderWeights } from '../../src/model/weights.ts';
import { hiddenLead, hiddenPatch, visible } from '../../src/patches/mask.ts';
import type { SignalWindows, WindowSet } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { encodePretrained, type PretrainOptions, pretrain } from '../../src/train/pretrain.ts';
import { type PretrainRecipe, parsePretrainRecipe } from '../../src/train/recipe.ts';
import { ReconstructionValidation, validationKinds } from '../../src/train/reconstruction.ts';
import { countingBackend, MemoryStore, syntheticWindows } from './fixtures/synthetic.ts';

const leads = ['I', 'II', 'V1'];
const subjects = ['d', 'a', 'c', 'b'].flatMap((name) => [name, name, name]);

let backend: Backend;
let windows: WindowSet;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
  windows = await syntheticWindows({ channels: { ecg: leads }, patches: 4, subjects });
});

function recipeOf(over: object = {}, optimization: object = {}): PretrainRecipe {
  return parsePretrainRecipe({
    version: 1,
    task: 'pretrain',
    modality: 'ecg',
    seed: 5,
    encoder: { layers: 1 },
    optimization: { epochs: 1, batch: 3, minimumLearningRate: 1e-5, ...optimization },
    ...over,
  });
}

function run(over: Partial<PretrainOptions> = {}) {
  return pretrain({ backend, windows, recipe: recipeOf(), ...over });
}

const valuesOf = (tensors: FloatTensors) =>
  new Map(
    [...tensors].map(([name, { data }]) => [name, Buffer.from(data.slice().buffer).toString('base64')]),
  );

describe('pre-training', () => {
  test('lowers the loss below predicting zero, and keeps a picture of each kind of mask', async () => {
    const recipe = recipeOf({}, { epochs: 40, validateEvery: 15 });
    const { curves, examples, validationSubjects, tensors } = await run({ recipe });
    const validated = curves.filter(({ loss }) => loss !== undefined);
    expect(validated.map(({ epoch }) => epoch)).toEqual([15, 30, 40]);
    expect(curves.at(-1)!.trainLoss!).toBeLessThan(0.5 * curves[0]!.trainLoss!);
    expect(validated.at(-1)!.loss!).toBeLessThan(validated[0]!.loss!);
    expect(validated.at(-1)!.loss!).toBeLessThan(0.8 * validated[0]!['zero.dual']!);
    const kinds = ['dual', 'intra', 'inter', 'span'];
    const scores = [...kinds, 'dual.intra', 'dual.inter'].flatMap((kind) =>
      ['loss', 'zero', 'mean'].map((what) => `${what}.${kind}`),
    );
    expect(Object.keys(validated[0]!).sort()).toEqual(
      ['epoch', 'step', 'trainLoss', 'loss', ...scores].sort(),
    );
    // The windows and masks that validate are the same every time.
    for (const name of scores.filter((key) => !key.startsWith('loss')))
      expect(new Set(validated.map((row) => row[name])).size).toBe(1);

    expect(tensors.get('patch_embedding.mask_encoding')!.data.every((x) => x === 0)).toBe(true);
    expect(examples.map(({ kind }) => kind)).toEqual(kinds);
    const first = windows.subject.indexOf(validationSubjects[0]!);
    const size = 3 * 4 * 200;
    for (const { kind, channels, patches, patchSamples, original, mask, reconstruction } of examples) {
      expect([channels, patches, patchSamples]).toEqual([leads, 4, 200]);
      expect(original).toEqual(windows.signals.ecg!.data.slice(first * size, (first + 1) * size));
      expect(mask).toHaveLength(12);
      const codes = { dual: [0, 1, 2], intra: [0, 1], inter: [0, 2], span: [0, 1] }[kind as 'dual'];
      for (const code of mask) expect(codes).toContain(code);
      expect(reconstruction).toHaveLength(size);
      expect(reconstruction.every(Number.isFinite)).toBe(true);
    }
  });

  test('gives the same weights for the same seed only, and does not depend on what validates', async () => {
    const validationSubjects = ['c'];
    const changed = await syntheticWindows({
      channels: { ecg: leads },
      patches: 4,
      subjects,
    });
    const { data } = changed.signals.ecg!;
    for (const [i, subject] of subjects.entries())
      if (subject === 'c') data.subarray(i * 2400, (i + 1) * 2400).fill(0.7);
    const first = await run({ validationSubjects });
    const second = await run({ validationSubjects });
    const unlike = await run({ validationSubjects, windows: changed });
    const other = await run({ validationSubjects, recipe: recipeOf({ seed: 6 }) });
    expect(valuesOf(second.tensors)).toEqual(valuesOf(first.tensors));
    expect(second.curves).toEqual(first.curves);
    expect(valuesOf(unlike.tensors)).toEqual(valuesOf(first.tensors));
    expect(unlike.curves[0]!.loss).not.toBe(first.curves[0]!.loss);
    expect(valuesOf(other.tensors)).not.toEqual(valuesOf(first.tensors));
  });

  test('holds out a share of the subjects that the seed draws, at least one and never all', async () => {
    const drawn = async (validationShare: number, seed: number) =>
      (await run({ recipe: recipeOf({ validationShare, seed }) })).validationSubjects;
    expect(await drawn(0.01, 0)).toHaveLength(1);
    const two = await drawn(0.5, 0);
    expect(two).toHaveLength(2);
    expect(two).toEqual([...two].sort());
    expect(await drawn(0.99, 0)).toHaveLength(3);
    const draws = new Set<string>();
    for (let seed = 0; seed < 4; seed++) draws.add((await drawn(0.5, seed)).join());
    expect(draws.size).toBeGreaterThan(1);
  });

  test('trains on subsets of the leads with a graph for each number of them', async () => {
    const counting = countingBackend(backend);
    // 12 of 3 leads are all 3.
    const recipe = recipeOf({ leadSubsets: [12, 2, 1] }, { epochs: 6 });
    await run({ backend: counting, recipe });
    const steps = counting.graphs.filter(({ name }) => name === 'gradients');
    const shapes = steps.map(({ inputs }) => inputs.find(({ name }) => name === 'patches')!.shape);
    expect(shapes.toSorted((a, b) => Number(a[1]) - Number(b[1]))).toEqual([
      [3, 1, 4, 200],
      [3, 2, 4, 200],
      [3, 3, 4, 200],
    ]);
    expect(counting.runs.get('gradients')).toBe(6 * 3);
    expect(counting.alive).toBe(0);
  });

  test('takes the leads of a subset in their order, each with its own samples, of training windows only', async () => {
    // Every sample tells its window and lead.
    const told = await syntheticWindows({
      ...{ channels: { ecg: leads }, patches: 4, subjects },
      signal: (window, channel) => window + channel / 10,
    });
    const drawn: number[][] = [];
    const watching = countingBackend(backend, (graph, { patches, mask }) => {
      if (graph !== 'gradients') return;
      const [batch, channels] = patches!.shape as [number, number];
      const hidden = mask!.data as Uint8Array;
      for (let i = 0; i < batch; i++) {
        const rows = Array.from({ length: channels }, (_, c) => {
          const start = (i * channels + c) * 800;
          const row = new Set((patches!.data as Float32Array).slice(start, start + 800));
          expect(row.size).toBe(1);
          return Math.round(10 * Number([...row][0]));
        });
        drawn.push(rows);
        const codes = hidden.slice(i * channels * 4, (i + 1) * channels * 4);
        expect(codes).toContain(0);
        expect(codes).toContain(1);
      }
    });
    const recipe = recipeOf({ leadSubsets: [2, 1] }, { epochs: 6, validateEvery: 6 });
    await run({ backend: watching, windows: told, recipe, validationSubjects: ['c'] });
    expect(drawn).toHaveLength(6 * 9);
    for (const rows of drawn) {
      expect(new Set(rows.map((value) => Math.floor(value / 10))).size).toBe(1);
      expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
    }
    const seen = (size: number) =>
      new Set(
        drawn.filter((rows) => rows.length === size).map((rows) => rows.map((value) => value % 10).join()),
      );
    expect([...seen(1)].sort()).toEqual(['0', '1', '2']);
    expect([...seen(2)].sort()).toEqual(['0,1', '0,2', '1,2']);
    const trained = new Set(drawn.map(([value]) => subjects[Math.floor(value! / 10)]));
    expect([...trained].sort()).toEqual(['a', 'b', 'd']);
    // Every epoch shows every training window once.
    for (let epoch = 0; epoch < 6; epoch++) {
      const shown = drawn.slice(epoch * 9, (epoch + 1) * 9).map(([value]) => Math.floor(value! / 10));
      expect(new Set(shown).size).toBe(9);
    }
  });

  test('crops windows to drawn lengths from any sample on, all leads of one at the same', async () => {
    // A ramp that tells lead, window and time: 800 samples a lead.
    const ramp = await syntheticWindows({
      ...{ channels: { ecg: leads }, patches: 4, subjects },
      signal: (_window, channel, seconds) => 1000 * channel + Math.round(200 * seconds),
    });
    const starts = new Map<number, Set<number>>();
    const watching = countingBackend(backend, (graph, { patches }) => {
      if (graph !== 'gradients') return;
      const [batch, channels, length] = patches!.shape as [number, number, number];
      const data = patches!.data as Float32Array;
      const row = length * 200;
      for (let i = 0; i < batch; i++) {
        const offset = data[i * channels * row]! % 1000;
        const seen = starts.get(length) ?? new Set();
        starts.set(length, seen.add(offset));
        for (let c = 0; c < channels; c++)
          for (let t = 0; t < row; t += 37)
            expect(data[(i * channels + c) * row + t]! % 1000).toBe(offset + t);
      }
    });
    const recipe = recipeOf({ cropPatches: [9, 3, 1], leadSubsets: [2] }, { epochs: 8, validateEvery: 8 });
    await run({ backend: watching, windows: ramp, recipe });
    expect([...starts.keys()].sort()).toEqual([1, 3, 4]);
    expect([...starts.get(4)!]).toEqual([0]);
    for (const length of [1, 3]) {
      const found = [...starts.get(length)!];
      expect(found.length).toBeGreaterThan(10);
      expect(Math.max(...found)).toBeLessThanOrEqual(800 - length * 200);
      expect(found.some((start) => start % 200 !== 0)).toBe(true);
    }
  });

  test('stopped and resumed gives bit-identical weights, with subsets, dropout and accumulation', async () => {
    const recipe = recipeOf(
      { leadSubsets: [3, 1], cropPatches: [4, 2] },
      { batch: 4, accumulate: 2, epochs: 2 },
    );
    const whole = await run({ recipe });
    const store = new MemoryStore();
    let stops = 0;
    for (;;) {
      const controller = new AbortController();
      const log = { record: (step: number) => step % 2 === 0 && controller.abort(), flush() {} };
      const result = await run({ recipe, store, log: log as never, signal: controller.signal }).catch(
        (error) => {
          expect(error).toBeInstanceOf(InterruptedError);
          stops++;
        },
      );
      if (!result) continue;
      expect(valuesOf(result.tensors)).toEqual(valuesOf(whole.tensors));
      expect(result.curves).toEqual(whole.curves);
      expect(result.examples).toEqual(whole.examples);
      break;
    }
    expect(stops).toBe(2);
    await expect(run({ recipe, store, validationSubjects: ['zoe'] })).rejects.toThrow(DataError);
    const others = whole.validationSubjects.includes('a') ? ['b'] : ['a'];
    await expect(run({ recipe, store, validationSubjects: others })).rejects.toThrow(
      'validationSubjects: the checkpoint has',
    );
    const other = run({ recipe: recipeOf({ learningRate: 1e-3 }, recipe.optimization), store });
    await expect(other).rejects.toThrow(ConfigError);
  });

  test('goes on from the weights that are given', async () => {
    const recipe = recipeOf({ learningRate: 1e-12 }, { minimumLearningRate: 0 });
    const specs = encoderParameters(recipe.encoder);
    const initial = initialParameters(specs, new Random(99));
    const { tensors } = await run({ recipe, initial });
    for (const [name, { data }] of tensors) {
      const given = initial.get(name)!.data;
      const largest = data.reduce((max, x, i) => Math.max(max, Math.abs(x - given[i]!)), 0);
      expect(largest, name).toBeLessThan(1e-6);
    }
    const scratch = (await run({ recipe })).tensors.get('proj_out.0.weight')!.data;
    expect(Math.abs(scratch[0]! - initial.get('proj_out.0.weight')!.data[0]!)).toBeGreaterThan(1e-4);
    const incomplete = new Map(initial);
    incomplete.delete('proj_out.0.bias');
    await expect(run({ recipe, initial: incomplete })).rejects.toThrow(FormatError);
    await expect(run({ recipe, initial: incomplete })).rejects.toThrow(
      'initial encoder: of 35 tensors expected: 1 missing (proj_out.0.bias)',
    );
  });

  test('begins by predicting zero, unless the reconstruction layer is drawn as in the official code', async () => {
    const beginning = async (over: object) =>
      (await run({ recipe: recipeOf({ learningRate: 1e-12, ...over }) })).curves[0]!;
    const zeros = await beginning({});
    expect(zeros['loss.dual']).toBeCloseTo(zeros['zero.dual']!, 6);
    expect(zeros['loss.span']).toBeCloseTo(zeros['zero.span']!, 6);
    const official = await beginning({ outputInitial: 'official' });
    expect(official['zero.dual']).toBe(zeros['zero.dual']);
    expect(official['loss.dual']!).toBeGreaterThan(2 * official['zero.dual']!);
  });

  test('gives a weights file with where it comes from', async () => {
    const result = await run({ dataset: 'made' });
    const loaded = loadEncoderWeights(encodePretrained(result), 'encoder.safetensors');
    expect(loaded).toMatchObject({ layers: 1, naming: 'official', ignored: [] });
    expect(valuesOf(loaded.tensors)).toEqual(valuesOf(result.tensors));
    const { format, dataset, data, seed, bestEpoch, engine, ...json } = loaded.metadata;
    expect({ format, dataset, data, seed, bestEpoch }).toEqual({
      format: 'heartmind',
      dataset: 'made',
      data: windows.hash,
      seed: '5',
      bestEpoch: '1',
    });
    expect(engine).toBe(backend.description);
    expect(JSON.parse(json.recipe!)).toEqual(recipeOf());
    expect(JSON.parse(json.prepare!)).toEqual(windows.recipe);
    expect(JSON.parse(json.subjects!)).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('pre-training is refused', () => {
  test('with windows of one subject', async () => {
    const alone = { ...windows, subject: subjects.map(() => 'a') };
    await expect(run({ windows: alone })).rejects.toThrow(DataError);
    await expect(run({ windows: alone })).rejects.toThrow(
      'pretrain: the windows are of 1 subject; at least 2 are due, as some validate. Add recordings.',
    );
  });

  test('with windows that lack the modality', async () => {
    const eeg = run({ recipe: recipeOf({ modality: 'eeg' }) });
    await expect(eeg).rejects.toThrow(DataError);
    await expect(run({ recipe: recipeOf({ modality: 'eeg' }) })).rejects.toThrow('the windows hold no eeg');
  });

  test('where every subject validates, or none', async () => {
    await expect(run({ validationSubjects: ['a', 'b', 'c', 'd'] })).rejects.toThrow(
      'pretrain: 0 windows train and 12 validate; both need some.',
    );
    await expect(run({ validationSubjects: [] })).rejects.toThrow('12 windows train and 0 validate');
  });
});

test('without a mixture, ECG is masked by dual and EEG at random', () => {
  expect(recipeOf().mask).toEqual({
    mixture: { dual: 1 },
    ratio: 0.5,
    leadProbability: 0.5,
    limbGroupProbability: 0.5,
  });
  expect(recipeOf({ modality: 'eeg', mask: { ratio: 0.3 } }).mask).toMatchObject({
    mixture: { random: 1 },
    ratio: 0.3,
  });
  const mixture = { random: 1, span: 3 };
  expect(recipeOf({ mask: { mixture } }).mask.mixture).toEqual(mixture);
  expect(validationKinds(recipeOf().mask, 12)).toEqual(['dual', 'intra', 'inter', 'span']);
  expect(validationKinds(recipeOf().mask, 1)).toEqual(['dual', 'span']);
  expect(validationKinds(recipeOf({ mask: { mixture: { random: 1, dual: 0 } } }).mask, 12)).toEqual([
    'random',
    'span',
  ]);
});

describe('validation of reconstruction', () => {
  /** An encoder that reconstructs every sample as `level`, whatever it sees. */
  function constantEncoder(level: number): FloatTensors {
    const tensors = initialParameters(encoderParameters(recipeOf().encoder), new Random(1));
    tensors.set('proj_out.0.weight', float32([200, 200], new Float32Array(200 * 200)));
    tensors.set('proj_out.0.bias', float32([200], new Float32Array(200).fill(level)));
    return tensors;
  }
  const validate = (signal: SignalWindows, mask: object = {}, seed = 3) =>
    new ReconstructionValidation({
      backend,
      seed,
      modality: 'ecg',
      config: recipeOf().encoder,
      windows: signal,
      mask: recipeOf({ mask }).mask,
      batch: 2,
    });
  /** Windows whose patches are constant: [window][channel][patch]. */
  const steps = (values: readonly (readonly (readonly number[])[])[]): SignalWindows => ({
    channels: leads.slice(0, values[0]!.length),
    patches: values[0]![0]!.length,
    patchSamples: 200,
    data: Float32Array.from(values.flat(2).flatMap((value) => new Array<number>(200).fill(value))),
  });

  test('gives the loss of one hidden patch as computed by hand', async () => {
    // One lead of 1, 3: intra hides one of the two. Mean of the lead: 2.
    const validation = validate(steps([[[1, 3]]]), { mixture: { intra: 1 } });
    const { mask } = await validation.example(constantEncoder(0), 'intra');
    expect([...mask].sort()).toEqual([visible, hiddenPatch]);
    const hidden = mask[0] === visible ? 3 : 1;
    const scores = await validation.scores(constantEncoder(0.5));
    expect(scores['loss.intra']).toBeCloseTo((hidden - 0.5) ** 2, 5);
    expect(scores.loss).toBe(scores['loss.intra']);
    expect(scores['zero.intra']).toBeCloseTo(hidden ** 2, 5);
    expect(scores['mean.intra']).toBeCloseTo(1, 5);
    await validation.dispose();
  });

  test('tells patches hidden by dual apart by why they are hidden', async () => {
    const values = [0, 1, 2, 3, 4].map((w) => [0, 1, 2].map((c) => [0, 1, 2].map((n) => w + 5 * c - 3 * n)));
    const validation = validate(steps(values));
    const encoder = constantEncoder(-1);
    const scores = await validation.scores(encoder);
    const errors: Record<number, number[]> = { [hiddenPatch]: [], [hiddenLead]: [] };
    for (const [w, window] of values.entries()) {
      const { mask } = await validation.example(encoder, 'dual', w);
      for (const [i, code] of mask.entries())
        errors[code]?.push((window[Math.floor(i / 3)]![i % 3]! + 1) ** 2);
    }
    const mean = (list: number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
    const [intra, inter] = [errors[hiddenPatch]!, errors[hiddenLead]!];
    expect(Math.min(intra.length, inter.length)).toBeGreaterThan(0);
    expect(scores['loss.dual.intra']).toBeCloseTo(mean(intra), 4);
    expect(scores['loss.dual.inter']).toBeCloseTo(mean(inter), 4);
    expect(scores['loss.dual']).toBeCloseTo(mean([...intra, ...inter]), 4);
    await validation.dispose();
  });

  test('weighs the kinds as training mixes them', async () => {
    const values = [0, 1, 2].map((w) => [[w, 4, -2, 1]]);
    const validation = validate(steps(values), { mixture: { intra: 1, span: 3, random: 0 } });
    const scores = await validation.scores(constantEncoder(0));
    expect(scores['loss.intra']).not.toBeCloseTo(scores['loss.span']!, 3);
    expect(scores.loss).toBeCloseTo((scores['loss.intra']! + 3 * scores['loss.span']!) / 4, 6);
    expect(scores).not.toHaveProperty('loss.random');
    await validation.dispose();
  });

  test('reconstructs from what is visible alone', async () => {
    const { channels, patches, patchSamples, data } = windows.signals.ecg!;
    const encoder = initialParameters(encoderParameters(recipeOf().encoder), new Random(1));
    const one: SignalWindows = { channels, patches, patchSamples, data: data.slice(0, 2400) };
    const original = validate(one);
    const before = await original.example(encoder, 'dual');
    await original.dispose();
    const change = async (hidden: boolean) => {
      const changed = one.data.map((x, i) =>
        (before.mask[Math.floor(i / 200)] !== visible) === hidden ? x + 1 + (i % 7) : x,
      );
      const validation = validate({ ...one, data: changed });
      const after = await validation.example(encoder, 'dual');
      await validation.dispose();
      expect(after.mask).toEqual(before.mask);
      return after.reconstruction;
    };
    expect(await change(true)).toEqual(before.reconstruction);
    expect(await change(false)).not.toEqual(before.reconstruction);
  });
});
