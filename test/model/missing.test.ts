/** Predicting without a modality or some channels: windows, recordings and live signals that lack them. */
import { beforeAll, describe, expect, test } from 'vitest';
import { DataError, ShapeError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { encoderParameters } from '../../src/model/cbramod.ts';
import { encoderConfig, type ModelConfig, parseModelConfig } from '../../src/model/config.ts';
import { LivePredictor } from '../../src/model/live.ts';
import { initialParameters, modelParameters } from '../../src/model/model.ts';
import { Embedder, Predictor } from '../../src/model/predict.ts';
import { TimelinePredictor } from '../../src/model/timeline.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import type { SignalWindows } from '../../src/patches/windows.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { memoryRecording, sampled } from '../patches/memory-recording.ts';
import { countingBackend } from '../train/fixtures/synthetic.ts';
import { maxDifference } from './golden.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu', threads: 1 });
});

const eegChannels = ['Fz', 'Cz', 'Pz'];
function modelOf(nullEmbeddings: boolean, head: object = {}) {
  const encoder = { encoder: { layers: 1 }, patches: 2 };
  const config: ModelConfig = parseModelConfig({
    signals: { eeg: { ...encoder, channels: eegChannels }, ecg: { ...encoder, channels: ['ECG'] } },
    nullEmbeddings,
    head: { kind: 'linear', classes: 2, ...head },
  });
  const tensors = initialParameters(modelParameters(config), new Random(5));
  const random = new Random(6);
  for (const [name, { data }] of tensors)
    if (name.endsWith('.null')) for (const i of data.keys()) data[i] = random.normal();
  return { config, tensors };
}
const predictorOf = (nullEmbeddings: boolean, head = {}, on = backend) => {
  const { config, tensors } = modelOf(nullEmbeddings, head);
  return new Predictor(on, config, tensors);
};

function windowsOf(channels: readonly string[], count: number, seed: number): SignalWindows {
  const random = new Random(seed);
  const data = Float32Array.from({ length: count * channels.length * 400 }, () => random.normal());
  return { channels, patches: 2, patchSamples: 200, data };
}
/** The same windows, one channel of one of them filled. */
function spoilt(windows: SignalWindows, window: number, channel: number, value: number): SignalWindows {
  const data = windows.data.slice();
  const start = (window * windows.channels.length + channel) * 400;
  data.fill(value, start, start + 400);
  return { ...windows, data };
}
const eeg = windowsOf(eegChannels, 3, 1);
const ecg = windowsOf(['ECG'], 3, 2);
const rowsOf = (probabilities: Float32Array, ...windows: number[]) =>
  windows.flatMap((w) => [...probabilities.slice(2 * w, 2 * w + 2)]);

describe('a model with nulls', () => {
  test('predicts from both signals, from each alone, and window by window from what is there', async () => {
    const predictor = predictorOf(true);
    const both = await predictor.probabilities({ eeg, ecg });
    const eegAlone = await predictor.probabilities({ eeg });
    const ecgAlone = await predictor.probabilities({ ecg });
    for (const one of [eegAlone, ecgAlone]) expect(maxDifference(one, both)).toBeGreaterThan(1e-2);
    // NaN, or a flat line, is as good as nothing; the other windows do not notice.
    for (const value of [Number.NaN, 0, 0.7]) {
      const mixed = await predictor.probabilities({ eeg, ecg: spoilt(ecg, 1, 0, value) });
      const expected = [...rowsOf(both, 0), ...rowsOf(eegAlone, 1), ...rowsOf(both, 2)];
      expect(maxDifference(mixed, expected)).toBeLessThan(1e-5);
    }
    // One usable channel is enough to be there.
    const partly = spoilt(spoilt(eeg, 0, 0, Number.NaN), 0, 1, Number.NaN);
    const some = await predictor.probabilities({ eeg: partly, ecg });
    expect(maxDifference(rowsOf(some, 0), rowsOf(both, 0))).toBeGreaterThan(1e-4);
    expect(maxDifference(rowsOf(some, 0), rowsOf(ecgAlone, 0))).toBeGreaterThan(1e-4);
    expect(maxDifference(rowsOf(some, 1, 2), rowsOf(both, 1, 2))).toBeLessThan(1e-5);
    await predictor.dispose();
  });

  test('needs one of them', async () => {
    const predictor = predictorOf(true);
    await expect(predictor.probabilities({})).rejects.toThrow(ShapeError);
    const nothing = { eeg: { ...eeg, data: eeg.data.map(() => 0) }, ecg: spoilt(ecg, 0, 0, Number.NaN) };
    await expect(predictor.probabilities(nothing)).rejects.toThrow(
      'predict: window 0 has no usable channel at all.',
    );
    await predictor.dispose();
  });
});

describe('a model without nulls', () => {
  test('drops channels, of all windows or of some', async () => {
    const counting = countingBackend(backend);
    const predictor = predictorOf(false, {}, counting);
    const two = (windows: SignalWindows, keep: number[]): SignalWindows => ({
      ...windows,
      channels: keep.map((channel) => eegChannels[channel]!),
      data: Float32Array.from(
        [0, 1, 2].flatMap((w) =>
          keep.flatMap((c) => [...windows.data.subarray((3 * w + c) * 400, (3 * w + c + 1) * 400)]),
        ),
      ),
    });
    const whole = await predictor.probabilities({ eeg, ecg });
    const dropped = await predictor.probabilities({ eeg: two(eeg, [0, 2]), ecg });
    const mixed = await predictor.probabilities({ eeg: spoilt(eeg, 1, 1, Number.NaN), ecg });
    expect(
      maxDifference(mixed, [...rowsOf(whole, 0), ...rowsOf(dropped, 1), ...rowsOf(whole, 2)]),
    ).toBeLessThan(1e-5);
    // One program for three channels, one for any two of them.
    await predictor.probabilities({ eeg: spoilt(eeg, 0, 2, Number.NaN), ecg });
    expect(counting.graphs).toHaveLength(2);
    await expect(predictor.probabilities({ eeg: two(eeg, [2, 0]), ecg })).rejects.toThrow(ShapeError);
    await expect(predictor.probabilities({ eeg, ecg: spoilt(ecg, 2, 0, Number.NaN) })).rejects.toThrow(
      'predict: window 2 has no usable channel of ecg.',
    );
    await predictor.dispose();
    expect(counting.alive).toBe(0);
  });

  test('keeps few programs at once, however many numbers of channels come', async () => {
    const counting = countingBackend(backend);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const config = parseModelConfig({
      signals: { eeg: { encoder: { layers: 1 }, channels: names, patches: 2 } },
      head: { kind: 'linear', classes: 2 },
    });
    const tensors = initialParameters(modelParameters(config), new Random(5));
    const predictor = new Predictor(counting, config, tensors);
    for (const count of [6, 5, 4, 3, 2, 1])
      await predictor.probabilities({ eeg: windowsOf(names.slice(0, count), 1, count) });
    expect(counting.graphs).toHaveLength(6);
    expect(counting.alive).toBe(4);
    await predictor.dispose();
    expect(counting.alive).toBe(0);
  });

  test('whose head takes every token needs every channel', async () => {
    const predictor = predictorOf(false, { kind: 'all-patches', hidden: 4 });
    await expect(predictor.probabilities({ eeg: spoilt(eeg, 0, 1, Number.NaN), ecg })).rejects.toThrow(
      DataError,
    );
    await predictor.dispose();
  });
});

test('dropping lost channels keeps embeddings nearer to what they were than zeros do', async () => {
  // Eight channels share three sources, as electrodes do.
  const random = new Random(3);
  const [channels, count, length] = [8, 6, 400];
  const mixing = Array.from({ length: channels * 3 }, () => random.normal());
  const data = new Float32Array(count * channels * length);
  for (let w = 0; w < count; w++) {
    const rates = [2, 6, 10].map((rate) => rate + random.normal());
    for (let c = 0; c < channels; c++)
      for (let t = 0; t < length; t++) {
        const sources = rates.map(
          (rate, s) => mixing[3 * c + s]! * Math.sin((2 * Math.PI * rate * t) / 200 + w),
        );
        data[(w * channels + c) * length + t] =
          0.2 * (sources[0]! + sources[1]! + sources[2]! + random.normal());
      }
  }
  const config = encoderConfig({ layers: 1 });
  const tensors = initialParameters(encoderParameters(config), new Random(9));
  const embed = async (values: Float32Array, kept: number) => {
    const embedder = new Embedder(backend, config, tensors, { channels: kept, patches: 2 });
    const { pooled } = await embedder.embed(values);
    await embedder.dispose();
    return pooled;
  };
  const whole = await embed(data, channels);
  for (const lost of [1, 2, 4]) {
    const zeros = data.slice();
    for (let w = 0; w < count; w++) zeros.fill(0, w * channels * length, (w * channels + lost) * length);
    const dropped = Float32Array.from(
      Array.from({ length: count }, (_, w) => [
        ...data.subarray((w * channels + lost) * length, (w + 1) * channels * length),
      ]).flat(),
    );
    const distance = (other: Float32Array) =>
      Math.sqrt(other.reduce((sum, value, i) => sum + (value - whole[i]!) ** 2, 0));
    const [byDropping, byZeros] = [
      distance(await embed(dropped, channels - lost)),
      distance(await embed(zeros, channels)),
    ];
    expect(byDropping, `${lost} of ${channels} lost`).toBeLessThan(0.9 * byZeros);
  }
});

describe('recordings and live signals', () => {
  const seconds = 6;
  const rateHz = 200;
  const recipe = parseRecipe({
    version: 1,
    signals: {
      eeg: { channels: eegChannels, scaleMicrovolts: 100, zeroPhase: false },
      ecg: { channels: ['ECG'], scaleMicrovolts: 1000, zeroPhase: false },
    },
    window: { lengthSeconds: 2, stepSeconds: 2 },
  });
  const named = (nullEmbeddings: boolean) => ({
    ...modelOf(nullEmbeddings),
    recipe,
    classes: ['calm', 'stress'],
  });
  const channel = (name: string, hertz: number) => ({
    ...{ name, unit: 'uV', rateHz },
    samples: sampled(rateHz, seconds, (t) => 50 * Math.sin(2 * Math.PI * hertz * t) + 20 * Math.cos(9 * t)),
  });
  const all = [channel('Fz', 8), channel('Cz', 10), channel('Pz', 12), channel('ECG', 1.2)];
  const without = (...names: string[]) => all.filter(({ name }) => !names.includes(name));
  const predict = async (nullEmbeddings: boolean, channels: typeof all, options = {}) => {
    const predictor = new TimelinePredictor(backend, named(nullEmbeddings), options);
    try {
      return await predictor.predict(memoryRecording(channels));
    } finally {
      await predictor.dispose();
    }
  };
  const numbers = ({ entries }: { entries: readonly { probabilities: readonly number[] }[] }) =>
    entries.flatMap(({ probabilities }) => [...probabilities]);

  test('with EEG alone, or ECG alone, are predicted by a model that knows nulls, and that is said', async () => {
    const whole = await predict(true, all);
    const eegAlone = await predict(true, without('ECG'));
    const ecgAlone = await predict(true, without(...eegChannels));
    for (const one of [eegAlone, ecgAlone]) {
      expect(one.entries.map(({ start }) => start)).toEqual([0, 2, 4]);
      expect(maxDifference(numbers(one), numbers(whole))).toBeGreaterThan(1e-3);
    }
    expect(eegAlone.dropped).toContainEqual(
      expect.objectContaining({
        what: 'modality',
        reason: 'no ecg in the recording (it has Fz, Cz, Pz): done without',
      }),
    );
    expect(whole.dropped).toEqual([]);
    await expect(predict(true, [channel('X', 3)])).rejects.toThrow('montage: 3 of 3 channels are missing');
    await expect(predict(false, without('ECG'))).rejects.toThrow('montage: 1 of 1 channels are missing: ECG');
    await expect(predict(true, without('ECG'), { missingChannels: 'refuse' })).rejects.toThrow('ECG');
  });

  test('lacking a channel are predicted from the others where that is asked for', async () => {
    await expect(predict(false, without('Cz'))).rejects.toThrow('1 of 3 channels are missing: Cz');
    const { entries, dropped } = await predict(false, without('Cz'), { missingChannels: 'drop' });
    expect(entries).toHaveLength(3);
    expect(dropped).toContainEqual(
      expect.objectContaining({ what: 'channel', reason: 'Cz of eeg not in the recording: done without' }),
    );
    // A hole of one channel costs that channel in its window, not the window.
    const holed = all.map((one) =>
      one.name === 'Cz'
        ? { ...one, samples: one.samples.map((x, t) => (t > 450 && t < 700 ? Number.NaN : x)) }
        : one,
    );
    const refused = await predict(false, holed);
    expect(refused.entries.map(({ start }) => start)).toEqual([0, 4]);
    const kept = await predict(false, holed, { missingChannels: 'drop' });
    expect(kept.entries.map(({ start }) => start)).toEqual([0, 2, 4]);
    const alone = { start: 2, probabilities: entries[1]!.probabilities };
    expect(maxDifference([...kept.entries[1]!.probabilities], [...alone.probabilities])).toBeLessThan(1e-3);
    await expect(
      (async () => {
        const model = { ...modelOf(false, { kind: 'all-patches', hidden: 4 }), recipe, classes: ['a', 'b'] };
        return new TimelinePredictor(backend, model, { missingChannels: 'drop' });
      })(),
    ).rejects.toThrow('the head all-patches takes each channel');
  });

  test.each([
    ['ECG', true, 'no ecg in the recording'],
    ['Cz', false, 'Cz of eeg not in the recording'],
  ])('live without %s give what the recording gives', async (name, nullEmbeddings, note) => {
    const given = without(name);
    const offline = await predict(nullEmbeddings, given, { missingChannels: 'drop' });
    const predictor = new LivePredictor(backend, named(nullEmbeddings), given, { missingChannels: 'drop' });
    expect(predictor.notes.join()).toContain(note);
    const entries = [];
    for (let start = 0; start < seconds * rateHz; start += 130)
      entries.push(...(await predictor.push(given.map(({ samples }) => samples.slice(start, start + 130)))));
    entries.push(...(await predictor.finish()));
    await predictor.dispose();
    expect(entries.map(({ start }) => start)).toEqual([0, 2, 4]);
    const live = entries.flatMap(({ entry }) => [...entry!.probabilities]);
    expect(maxDifference(live, numbers(offline))).toBeLessThan(1e-5);
  });
});
