import { beforeAll, describe, expect, it } from 'vitest';
import { loadWindows } from '../../src/datasets/dataset.ts';
import { eegmat } from '../../src/datasets/eegmat.ts';
import { openFolder } from '../../src/datasets/folder-node.ts';
import { sampleDataFolder } from '../../src/datasets/sample-node.ts';
import {
  type BaselineFeatures,
  bandPowerFeatures,
  baselineFeatures,
  heartContextFeatures,
  heartFeatures,
  runClassical,
  runTrivial,
} from '../../src/evaluate/baselines.ts';
import { fitLogistic, predictLogistic } from '../../src/evaluate/logistic.ts';
import { scoreAll } from '../../src/metrics/scores.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import { WindowSetBuilder } from '../../src/patches/window-set.ts';
import type { WindowSet } from '../../src/patches/windows.ts';
import { variability } from '../../src/signal/heart.ts';
import { standardisePerSubject } from '../../src/signal/standardise.ts';

const undefinedValue = Number.NaN;

describe('runTrivial', () => {
  const labels = Int32Array.of(0, 1, 1, 2, 2, 2, 0, 0, 0, 0);

  it('puts all on the most frequent class of the training windows', () => {
    expect([...runTrivial('majority', labels, [0, 1, 2, 3], 2, 3)]).toEqual([0, 1, 0, 0, 1, 0]);
  });

  it('gives the shares of the classes in the training windows', () => {
    expect([...runTrivial('prior', labels, [0, 1, 2, 3], 2, 3)]).toEqual([0.25, 0.5, 0.25, 0.25, 0.5, 0.25]);
  });

  it('takes the lowest of equally frequent classes and gives none to one that is absent', () => {
    expect([...runTrivial('majority', labels, [1, 3], 1, 3)]).toEqual([0, 1, 0]);
    expect([...runTrivial('prior', labels, [1, 3], 1, 3)]).toEqual([0, 0.5, 0.5]);
  });
});

describe('standardisePerSubject', () => {
  it('gives each person mean 0 and deviation 1 in each feature, whatever the others have', () => {
    const subjects = ['a', 'b', 'a', 'b', 'a', 'b'];
    const rows = [1, 1000, 2, 2000, 6, 6000].map((value) => Float64Array.of(value, -value));
    const result = standardisePerSubject(rows, subjects).rows;
    for (const person of ['a', 'b']) {
      const own = result.filter((_, i) => subjects[i] === person);
      for (const j of [0, 1]) {
        expect(own.reduce((sum, row) => sum + row[j]!, 0)).toBeCloseTo(0, 12);
        expect(own.reduce((sum, row) => sum + row[j]! ** 2, 0) / own.length).toBeCloseTo(1, 12);
      }
    }
    // The same proportions, so the same z-scores.
    expect(result[1]![0]).toBeCloseTo(result[0]![0]!, 12);
    expect(rows[0]![0]).toBe(1);
  });

  it('leaves undefined values undefined and out of the mean', () => {
    const rows = [2, undefinedValue, 4].map((value) => Float64Array.of(value));
    expect(standardisePerSubject(rows, ['a', 'a', 'a']).rows.map((row) => row[0])).toEqual([
      -1,
      undefinedValue,
      1,
    ]);
  });

  it('makes a constant feature 0, rounding of its mean or not', () => {
    // The mean of three times 0.1 is not exactly 0.1 in float64.
    const rows = [0.1, 0.1, 0.1].map((value) => Float64Array.of(value, 5));
    for (const row of standardisePerSubject(rows, ['a', 'a', 'a']).rows) {
      expect(Math.abs(row[0]!)).toBeLessThan(1e-12);
      expect(row[1]).toBe(0);
    }
  });
});

describe('runClassical', () => {
  const rows = Array.from({ length: 40 }, (_, i) =>
    Float64Array.of(Math.sin(i) + (i % 2), i % 7 === 3 ? undefinedValue : Math.cos(3 * i), i % 5),
  );
  const labels = Int32Array.from(rows, (_, i) => i % 2);
  const train = Array.from({ length: 25 }, (_, i) => i);
  const test = Array.from({ length: 15 }, (_, i) => 25 + i);
  const predicted = runClassical(rows, labels, train, test, 2);

  it('fills undefined features, in training and test, with the median of the training rows only', () => {
    const known = train.map((i) => rows[i]![1]!).filter(Number.isFinite);
    expect(known.length).toBeLessThan(train.length);
    expect(test.some((i) => Number.isNaN(rows[i]![1]))).toBe(true);
    const sorted = known.toSorted((a, b) => a - b);
    const median =
      (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
    const filled = rows.map((row) => row.map((value) => (Number.isNaN(value) ? median : value)));
    const model = fitLogistic(filled.slice(0, 25), labels.slice(0, 25), 2, {
      C: 0.05,
      classWeight: 'balanced',
    });
    expect([...predicted]).toEqual([...predictLogistic(model, filled.slice(25))]);
  });

  it('does not look at test rows when it is fitted', () => {
    // All but one test row and all test labels are spoilt: what is predicted for the one must not move.
    const kept = test.find((i) => Number.isNaN(rows[i]![1]))!;
    const spoilt = rows.map((row, i) => (i < 25 || i === kept ? row : row.map(() => 1e6)));
    const otherLabels = labels.map((label, i) => (i < 25 ? label : 1 - label));
    const again = runClassical(spoilt, otherLabels, train, test, 2);
    const at = 2 * test.indexOf(kept);
    expect([...again.slice(at, at + 2)]).toEqual([...predicted.slice(at, at + 2)]);
    expect([...again]).not.toEqual([...predicted]);
  });

  it('does look at every training row', () => {
    const other = rows.map((row, i) => (i === 24 ? row.map((value) => value + 5) : row));
    expect([...runClassical(other, labels, train, test, 2)]).not.toEqual([...predicted]);
  });

  it('predicts with a feature that no training row has', () => {
    const without = rows.map((row, i) => Float64Array.of(row[0]!, i < 25 ? undefinedValue : 3));
    const probabilities = runClassical(without, labels, train, test, 2);
    expect(probabilities.every((p) => p > 0 && p < 1)).toBe(true);
  });
});

describe('features', () => {
  /** Two windows of 2 s: EEG channel A is 3 µV at 10 Hz, B is flat; beats every 0.8 s from 0.1 s on. */
  async function smallSet(): Promise<WindowSet> {
    const recipe = parseRecipe({
      version: 1,
      signals: {
        eeg: { channels: ['A', 'B'], scaleMicrovolts: 100 },
        ecg: { channels: ['ECG'], scaleMicrovolts: 1000 },
      },
      window: { lengthSeconds: 2, stepSeconds: 2, dropFlat: false },
    });
    const builder = new WindowSetBuilder(recipe);
    const wave = Float64Array.from({ length: 800 }, (_, t) => 3 * Math.sin((2 * Math.PI * 10 * t) / 200));
    const spans = [
      { start: 0, lengthSamples: 800, signals: { eeg: [wave, new Float64Array(800)], ecg: [wave] } },
    ];
    const beats = Float64Array.from({ length: 6 }, (_, i) => 0.1 + 0.8 * i);
    builder.add({ spans, beats, facts: [] }, { subject: 's', trial: 't' });
    return builder.finish();
  }

  it('of band power are in microvolt, high where the signal is, undefined in a flat channel', async () => {
    const rows = bandPowerFeatures(await smallSet());
    expect(rows.map((row) => row.length)).toEqual([10, 10]);
    const [delta, theta, alpha, beta, gamma] = rows[0]!;
    // 3 µV has a power of 4.5 µV², spread by the window over ±1 bin of 0.5 Hz; the mean density of 5 Hz: about 0.9.
    expect(Math.exp(alpha!)).toBeGreaterThan(0.7);
    expect(Math.exp(alpha!)).toBeLessThan(1);
    for (const other of [delta, theta, beta, gamma]) expect(other).toBeLessThan(alpha! - 10);
    expect(rows[0]!.slice(5).every(Number.isNaN)).toBe(true);
  });

  it('of the heart are rate and variability of the beats around the window, undefined without beats', async () => {
    const set = await smallSet();
    for (const row of heartFeatures(set)) {
      expect(row[0]).toBeCloseTo(75, 9);
      expect(row[1]).toBeCloseTo(0, 9);
      expect(row[2]).toBeCloseTo(0, 9);
    }
    const without = heartFeatures({ ...set, beats: new Map() });
    expect(without.every((row) => row.length === 3 && row.every(Number.isNaN))).toBe(true);
  });

  it('take beats up to 5 s from the window and none beyond', async () => {
    const set = await smallSet();
    // Window 0–2 s: the beats at -6 and 7.5 s are too far; the rest stand 1 s apart.
    const beats = Float64Array.of(-6, -4.9, -3.9, -2.9, 4.9, 5.9, 6.9, 7.5);
    const [row] = heartFeatures({ ...set, beats: new Map([['t', beats]]) });
    const [near] = heartFeatures({ ...set, beats: new Map([['t', beats.slice(1, 7)]]) });
    expect(row).toEqual(near);
    expect(row![0]).toBeCloseTo(60, 9);
  });

  it('of the heart are also those of the beats in the context, where ECG has a longer one', async () => {
    const set = await smallSet();
    const recipe = parseRecipe({
      ...set.recipe,
      signals: { ...set.recipe.signals, ecg: { ...set.recipe.signals.ecg, contextSeconds: 10 } },
    });
    // Beats 1 s apart until 20 s, then 0.5 s. The first window was shifted, its context is 0–10 s; the other's 14–24 s.
    const beats = Float64Array.from({ length: 40 }, (_, i) => 0.5 + (i < 20 ? i : 19.5 + (i - 19) / 2));
    const longer = {
      ...{ ...set, recipe, beats: new Map([['t', beats]]) },
      ...{ start: Float64Array.of(2, 22), history: Float64Array.of(2, 8) },
    };
    const [first, second] = heartContextFeatures(longer);
    expect(first).toEqual(Float64Array.of(60, 0, 0));
    const inside = [...beats].filter((beat) => beat >= 14 && beat < 24);
    expect(inside.length).toBeGreaterThan(10);
    const { medianRatePerMinute, sdnn, rmssd } = variability(Float64Array.from(inside));
    expect(second).toEqual(Float64Array.of(medianRatePerMinute, sdnn, rmssd));
    const names = [...baselineFeatures(longer).keys()];
    expect(names.filter((name) => name.includes('context'))).toEqual([
      'classical-ecg-context',
      'classical-eeg+ecg-context',
      'classical-ecg-context-standardised',
      'classical-eeg+ecg-context-standardised',
    ]);
    expect(baselineFeatures(longer).get('classical-eeg+ecg-context')![1]).toHaveLength(13);
  });

  it('are there for the modalities that the windows have', async () => {
    const set = await smallSet();
    expect([...baselineFeatures(set).keys()].sort()).toEqual([
      'classical-ecg',
      'classical-ecg-standardised',
      'classical-eeg',
      'classical-eeg+ecg',
      'classical-eeg+ecg-standardised',
      'classical-eeg-standardised',
    ]);
    const { ecg } = set.signals;
    expect([...baselineFeatures({ ...set, signals: { ecg: ecg! } }).keys()]).toEqual([
      'classical-ecg',
      'classical-ecg-standardised',
    ]);
  });
});

describe('the classical baselines on EEGMAT, published split', () => {
  let set: WindowSet;
  let features: BaselineFeatures;
  beforeAll(async () => {
    set = await loadWindows(eegmat, await openFolder(sampleDataFolder('eegmat')), undefined, {
      target: 'task',
    });
    features = baselineFeatures(set);
  });

  it('have the 1,707 windows of the published preparation, 1,275 at rest and 432 in arithmetic', () => {
    expect(set.count).toBe(1707);
    expect(set.label!.filter((label) => label === 0).length).toBe(1275);
    expect(set.label!.filter((label) => label === 1).length).toBe(432);
    expect(new Set(set.subject).size).toBe(36);
    expect(set.signals.eeg!.channels).toHaveLength(20);
  });

  it('reach over 30 s in every recording, so that a context of 30 s loses no window', () => {
    const ends = new Map(set.trial.map((trial, w) => [trial, set.start[w]! + 5]));
    expect(ends.size).toBe(72);
    expect(Math.min(...ends.values())).toBeGreaterThanOrEqual(30);
    expect(set.dropped.filter(({ what }) => what === 'window')).toEqual([]);
    // One stretch each: windows follow one another without a hole.
    const first = new Map(set.trial.map((trial, w) => [trial, set.start[w]!] as const).reverse());
    const counts = (one: string) => set.trial.filter((trial) => trial === one).length;
    for (const [trial, end] of ends) expect(end - first.get(trial)!).toBe(5 * counts(trial));
  });

  function scoresOf(name: string) {
    const fold = eegmat.splits.published!;
    const indicesOf = (people: readonly string[]) =>
      [...set.subject.keys()].filter((i) => people.includes(set.subject[i]!));
    const [train, test] = [indicesOf(fold.train), indicesOf(fold.test)];
    const truth = test.map((i) => set.label![i]!);
    const { balancedAccuracy, auroc, auprc } = scoreAll(
      truth,
      runClassical(features.get(name)!, set.label!, train, test, 2),
      2,
    );
    return [balancedAccuracy, auroc, auprc] as const;
  }

  // Figures of the scikit-learn pipeline on the original recordings: balanced accuracy, AUROC, AUC-PR.
  it('reach the known figures from EEG', () => {
    const known = [0.705, 0.826, 0.65];
    for (const [i, score] of scoresOf('classical-eeg').entries())
      expect(Math.abs(score - known[i]!)).toBeLessThan(0.02);
  });

  it.each([
    ['classical-ecg', [0.694, 0.779, 0.587]],
    ['classical-eeg+ecg', [0.708, 0.82, 0.654]],
    ['classical-eeg+ecg-standardised', [0.906, 0.955, 0.883]],
  ] as const)('reach the known figures less 0.03: %s', (name, known) => {
    for (const [i, score] of scoresOf(name).entries()) expect(score).toBeGreaterThan(known[i]! - 0.03);
  });
});
