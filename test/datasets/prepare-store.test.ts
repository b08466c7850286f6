import { describe, expect, it } from 'vitest';
import { ConfigError, DataError, InterruptedError } from '../../src/core/errors.ts';
import { type DatasetSpec, loadWindows, type Trial } from '../../src/datasets/dataset.ts';
import { preparePieces } from '../../src/datasets/prepare-pieces.ts';
import { estimateBytes } from '../../src/datasets/prepare-space.ts';
import { type Preparer, planStore, prepareStore } from '../../src/datasets/prepare-store.ts';
import { parseRecipe, type Recipe } from '../../src/patches/recipe.ts';
import { openStoreWindows } from '../../src/patches/store-windows.ts';
import { encodeEdf } from '../../src/read/edf/write.ts';
import { memoryPlace } from '../patches/store-place.ts';
import { memoryFolder } from './memory-folder.ts';

const recipe = parseRecipe({
  version: 1,
  signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000, lowHz: 0.5, highHz: 45 } },
  window: { lengthSeconds: 2, stepSeconds: 2, maxAbsMicrovolts: 1500 },
});

/** Beats of a millivolt at 250 Hz; `spike` is a larger one, at its second. */
function edf(seconds: number, { spike = -1, amplitude = 1000 } = {}): Uint8Array {
  const rateHz = 250;
  const samples = Float64Array.from({ length: rateHz * seconds }, (_, i) => {
    const t = i / rateHz;
    const beat = amplitude * Math.exp(-((((t % 0.8) - 0.3) / 0.012) ** 2));
    return beat + 50 * Math.sin(2 * t) + (Math.abs(t - spike) < 0.02 ? 3000 : 0);
  });
  return encodeEdf({ channels: [{ name: 'ECG', unit: 'uV', rateHz, samples }] });
}

const trial = (id: string, rest: Partial<Trial> = {}): Trial => ({
  id,
  subject: `of ${id}`,
  file: `${id}.edf`,
  targets: { mood: id < 'c' ? 'calm' : 'tense' },
  ...rest,
});

function specOf(trials: readonly Trial[], windows: Recipe = recipe): DatasetSpec {
  return {
    ...{ name: 'toy', title: 'Toy', licence: 'CC0', url: '', citation: '', modalities: ['ecg'], splits: {} },
    targets: { mood: ['calm', 'tense'] },
    recipe: windows,
    trials: async () => [...trials],
  };
}

const trials = [
  trial('a'),
  trial('b'),
  trial('b', { id: 'b again', start: 4 }),
  trial('c'),
  trial('d'),
  trial('e'),
];
const contents = {
  'a.edf': edf(9),
  'b.edf': edf(12, { spike: 5 }),
  'c.edf': edf(1),
  'd.edf': edf(10),
  'e.edf': new Uint8Array(300),
};
/** Three windows a shard. */
const shardBytes = 3 * 804;

describe('a prepared store', () => {
  it('holds the windows of loadWindows, to half a step, and counts the same', async () => {
    const spec = specOf(trials);
    const place = memoryPlace();
    const folder = memoryFolder(contents);
    const info = await prepareStore(spec, folder, place, { shardBytes });
    expect(folder.stillOpen()).toBe(0);
    expect(info.windowsPerShard).toBe(3);
    const stored = await (await openStoreWindows(place, { target: 'mood' })).load();
    const set = await loadWindows(spec, memoryFolder(contents), undefined, {
      target: 'mood',
      skipBroken: true,
    });
    const { signals, hash: _, dropped, ...rest } = set;
    // A store knows of trials that gave nothing.
    expect(stored.beats.get('e')).toEqual(new Float64Array(0));
    (stored.beats as Map<string, Float64Array>).delete('e');
    expect({ ...stored, signals: 0, hash: 0, dropped: 0 }).toEqual({
      ...rest,
      signals: 0,
      hash: 0,
      dropped: 0,
    });
    const byReason = (list: typeof dropped) => [...list].sort((x, y) => (x.reason < y.reason ? -1 : 1));
    expect(byReason(stored.dropped)).toEqual(byReason(dropped));
    expect(dropped.map(({ reason }) => reason).sort()).toEqual(
      [
        expect.stringMatching(/^FormatError: /),
        'beyond ±1500 µV',
        'no stretch of 2 s without a gap',
      ].sort() as never,
    );
    const worst = signals.ecg!.data.reduce(
      (most, x, i) => Math.max(most, Math.abs(x - stored.signals.ecg!.data[i]!)),
      0,
    );
    expect(worst).toBeLessThan(0.000501);
  });

  it('drops and counts what int16 cannot hold', async () => {
    const open = parseRecipe({ ...recipe, window: { lengthSeconds: 2, stepSeconds: 2 } });
    const loud = { 'a.edf': edf(4, { amplitude: 60_000 }), 'b.edf': edf(4) };
    const info = await prepareStore(
      specOf([trial('a'), trial('b')], open),
      memoryFolder(loud),
      memoryPlace(),
    );
    expect(info.count).toBe(2);
    expect(info.dropped.find(({ what }) => what === 'window')).toEqual({
      what: 'window',
      reason: 'beyond ±32767 µV, what int16 holds in 1000 steps a unit; float16 holds more',
      count: 2,
      examples: ['a at 0 s', 'a at 2 s'],
    });
    const halves = await prepareStore(
      specOf([trial('a'), trial('b')], open),
      memoryFolder(loud),
      memoryPlace(),
      { type: 'float16' },
    );
    expect(halves.count).toBe(4);
  });

  it('stops at a broken recording where it must', async () => {
    const work = prepareStore(specOf(trials), memoryFolder(contents), memoryPlace(), { skipBroken: false });
    await expect(work).rejects.toThrow(/e\.edf/);
  });

  it('of nothing, or of other trials, is an error', async () => {
    await expect(prepareStore(specOf([]), memoryFolder({}), memoryPlace())).rejects.toThrow(DataError);
    const place = memoryPlace();
    await prepareStore(specOf(trials), memoryFolder(contents), place);
    const others = prepareStore(specOf(trials.slice(1)), memoryFolder(contents), place);
    await expect(others).rejects.toThrow(ConfigError);
    await expect(others).rejects.toThrow(/trials is 6 there and 5 now/);
  });
});

describe('preparing', () => {
  const whole = async () => {
    const place = memoryPlace();
    await prepareStore(specOf(trials), memoryFolder(contents), place, { shardBytes });
    return place.contents;
  };

  it('gives the same bytes whoever prepares, and in whatever order they come', async () => {
    const folder = memoryFolder(contents);
    let running = 0;
    let most = 0;
    const preparer: Preparer = {
      ahead: 4,
      async *pieces(task, options) {
        most = Math.max(most, ++running);
        // The first file takes longest.
        await new Promise((resolve) => setTimeout(resolve, task.trials[0]!.index === 0 ? 50 : 1));
        yield* preparePieces(folder, task, options);
        running--;
      },
    };
    const place = memoryPlace();
    await prepareStore(specOf(trials), folder, place, { shardBytes, preparer });
    expect(most).toBe(4);
    expect(place.contents).toEqual(await whole());
  });

  it('goes on where it was stopped, without reading what is stored', async () => {
    const place = memoryPlace();
    const stop = new AbortController();
    const options = {
      shardBytes,
      signal: stop.signal,
      onProgress: (_done: number, _total: number, shards: number) => shards >= 2 && stop.abort(),
    };
    const stopped = prepareStore(specOf(trials), memoryFolder(contents), place, options);
    await expect(stopped).rejects.toThrow(InterruptedError);
    await expect(stopped).rejects.toThrow(
      /toy: stopped after \d of 6 trials; 3 shards are kept\. Run it again to go on\./,
    );
    await expect(openStoreWindows(place)).rejects.toThrow(/not finished/);
    const folder = memoryFolder(contents);
    await prepareStore(specOf(trials), folder, place, { shardBytes });
    expect(folder.opened).not.toContain('a.edf');
    expect(place.contents).toEqual(await whole());
  });

  it('knows beforehand how much room it takes', async () => {
    const folder = memoryFolder(contents);
    const spec = specOf(trials.slice(0, 4));
    const { plan, trials: all } = await planStore(spec, folder);
    // 4 + 6 + 4 + 0 windows of 804 bytes; the index takes 64 bytes a window and a trial.
    expect(await estimateBytes(plan, all, folder)).toBe(14 * (804 + 64) + 4 * 64);
    expect(folder.stillOpen()).toBe(0);
  });
});

describe('longer contexts', () => {
  const context = parseRecipe({
    version: 1,
    signals: {
      eeg: { channels: ['EEG'], scaleMicrovolts: 100, lowHz: 0.5 },
      ecg: { channels: ['ECG'], scaleMicrovolts: 1000, lowHz: 0.5, contextSeconds: 30 },
    },
    window: { lengthSeconds: 2, stepSeconds: 2, contextAcross: 'condition' },
  });
  const night = () => {
    const samples = Float64Array.from(
      { length: 100 * 200 },
      (_, i) => 300 * Math.sin(i / 9) * Math.cos(i / 700),
    );
    const channel = (name: string) => ({ name, unit: 'uV', rateHz: 100, samples });
    return { 'a.edf': encodeEdf({ channels: [channel('EEG'), channel('ECG')] }) };
  };
  const spec = specOf([trial('a'), trial('a', { id: 'a part', start: 50, end: 90 })], context);
  const prepare = async (stretchSeconds?: number) => {
    const place = memoryPlace();
    const options = stretchSeconds === undefined ? {} : { stretchSeconds };
    await prepareStore(spec, memoryFolder(night()), place, { ...options, shardBytes: 100_000 });
    return openStoreWindows(place, { target: 'mood' });
  };

  it('are stored with their windows, each signal in its own length', async () => {
    const store = await prepare();
    expect([store.signals.eeg!.patches, store.signals.ecg!.patches]).toEqual([2, 30]);
    const set = await loadWindows(spec, memoryFolder(night()), undefined, { target: 'mood' });
    const stored = await store.load();
    expect(set.count).toBe(120);
    const { signals, hash: _, dropped: __, ...rest } = set;
    expect(stored).toMatchObject(rest);
    expect([...stored.history!.slice(0, 15)]).toEqual([
      0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28,
    ]);
    for (const modality of ['eeg', 'ecg'] as const)
      expect(worst(signals[modality]!.data, stored.signals[modality]!.data)).toBeLessThan(0.000501);
    // By number, as training reads them.
    const { ecg } = await store.read([119, 3], ['ecg']);
    expect(ecg!.subarray(6000)).toEqual(stored.signals.ecg!.data.subarray(3 * 6000, 4 * 6000));
    expect((await store.read([119], ['eeg', 'ecg'])).ecg).toEqual(ecg!.subarray(0, 6000));
  });

  it('are the same where a recording is prepared in stretches, however short those', async () => {
    const whole = await (await prepare()).load();
    for (const stretch of [60, 6]) {
      const cut = await (await prepare(stretch)).load();
      expect([...cut.start]).toEqual([...whole.start]);
      expect([...cut.history!]).toEqual([...whole.history!]);
      for (const modality of ['eeg', 'ecg'] as const)
        expect(worst(whole.signals[modality]!.data, cut.signals[modality]!.data)).toBeLessThan(0.00101);
    }
  });
});

describe('contexts over a session', () => {
  const session = parseRecipe({
    version: 1,
    signals: { ecg: { channels: ['ECG'], scaleMicrovolts: 1000, lowHz: 0.5, contextSeconds: 30 } },
    window: { lengthSeconds: 2, stepSeconds: 2 },
  });
  const contents = { 'a1.edf': edf(70), 'a2.edf': edf(11), 'b1.edf': edf(80), 'b2.edf': edf(12) };
  const at = (person: string, order: number) => ({ subject: person, session: { name: '', order } });
  // The table's order is not the session's.
  const trials = [
    trial('a2', at('a', 2)),
    trial('b1', at('b', 1)),
    trial('a1', at('a', 1)),
    trial('b2', at('b', 2)),
    trial('b1', { id: 'b1 part', ...at('b', 1), start: 10, end: 40 }),
  ];
  const spec = specOf(trials, session);
  const load = (files: Record<string, Uint8Array> = contents) =>
    loadWindows(spec, memoryFolder(files), undefined, { target: 'mood' });
  const ofTrial = (set: Awaited<ReturnType<typeof load>>, id: string) => {
    const size = set.signals.ecg!.data.length / set.count;
    return set.trial.flatMap((name, w) =>
      name === id ? [...set.signals.ecg!.data.subarray(w * size, (w + 1) * size)] : [],
    );
  };

  it('are stored as they are loaded, also in stretches', async () => {
    const set = await load();
    expect(
      Object.fromEntries(
        ['a1', 'a2', 'b1', 'b2', 'b1 part'].map((id) => [id, set.trial.filter((t) => t === id).length]),
      ),
    ).toEqual({
      // The session's first 28 s are left out, wherever else there is a past.
      ...{ a1: 21, a2: 5, b1: 26, b2: 6, 'b1 part': 6 },
    });
    for (const stretchSeconds of [undefined, 6]) {
      const place = memoryPlace();
      const options = stretchSeconds === undefined ? {} : { stretchSeconds };
      const folder = memoryFolder(contents);
      await prepareStore(spec, folder, place, { ...options, shardBytes: 100_000 });
      expect(folder.stillOpen()).toBe(0);
      const stored = await (await openStoreWindows(place, { target: 'mood' })).load();
      expect([stored.trial, stored.start, stored.history]).toEqual([set.trial, set.start, set.history]);
      expect(worst(set.signals.ecg!.data, stored.signals.ecg!.data)).toBeLessThan(0.00101);
      expect(stored.past).toEqual(set.past);
      const { beats, seams } = set.past!.get('a2')!;
      expect(beats.length).toBeGreaterThan(30);
      expect([...seams]).toEqual([0]);
    }
  });

  it('are of nobody else, and hold nothing that comes later', async () => {
    const set = await load();
    const changed = await load({ ...contents, 'b2.edf': edf(12, { amplitude: 700 }) });
    for (const id of ['a1', 'a2', 'b1', 'b1 part']) expect(ofTrial(changed, id)).toEqual(ofTrial(set, id));
    expect(ofTrial(changed, 'b2')).not.toEqual(ofTrial(set, 'b2'));
    const rest = await load({ ...contents, 'a1.edf': edf(70, { amplitude: 700 }) });
    for (const id of ['b1', 'b2', 'b1 part']) expect(ofTrial(rest, id)).toEqual(ofTrial(set, id));
    expect(ofTrial(rest, 'a2')).not.toEqual(ofTrial(set, 'a2'));
  });

  it('are another store where the order is another', async () => {
    const place = memoryPlace();
    await prepareStore(spec, memoryFolder(contents), place);
    const turned = trials.map((one) => ({ ...one, session: { name: '', order: -one.session!.order } }));
    await expect(prepareStore(specOf(turned, session), memoryFolder(contents), place)).rejects.toThrow(
      'the recordings or their labels',
    );
  });

  it('name a place that two recordings have', async () => {
    const twice = specOf([trial('a1', at('a', 1)), trial('a2', at('a', 1))], session);
    await expect(loadWindows(twice, memoryFolder(contents))).rejects.toThrow(
      'session of a: a1 and a2 both stand at 1. Give each recording its place.',
    );
    const two = specOf([trial('a1', at('a', 1)), trial('a1', { id: 'again', ...at('a', 2) })], session);
    await expect(loadWindows(two, memoryFolder(contents))).rejects.toThrow(
      'session of a: a1.edf stands at 1 and at 2. Give a recording one place.',
    );
  });
});

/** The largest difference. */
function worst(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

describe('a long recording', () => {
  it('is prepared in stretches, to the same windows within a step', async () => {
    const night = { 'a.edf': edf(400, { spike: 201 }) };
    const spec = specOf([trial('a')]);
    const prepare = async (stretchSeconds?: number) => {
      const place = memoryPlace();
      const options = stretchSeconds === undefined ? {} : { stretchSeconds };
      await prepareStore(spec, memoryFolder(night), place, options);
      return (await openStoreWindows(place)).load();
    };
    const [whole, cut] = [await prepare(), await prepare(100)];
    expect(cut.count).toBe(199);
    expect([...cut.start]).toEqual([...whole.start]);
    expect(cut.dropped).toEqual(whole.dropped);
    expect(cut.beats.get('a')!.length).toBe(whole.beats.get('a')!.length);
    const worst = whole.signals.ecg!.data.reduce(
      (most, x, i) => Math.max(most, Math.abs(x - cut.signals.ecg!.data[i]!)),
      0,
    );
    // One step of int16: values on the edge between two may round to either.
    expect(worst).toBeLessThan(0.00101);
  });
});
