import { describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { type Head, joinHeads } from '../../src/evaluate/reproduce-heads.ts';
import { runLogisticHead } from '../../src/evaluate/reproduce-logistic.ts';
import { readRates } from '../../src/evaluate/reproduce-rate.ts';
import { parseReproduceRecipe } from '../../src/evaluate/reproduce-recipe.ts';
import { auroc } from '../../src/metrics/ranking.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { aurocs, reproduceSmall, smallRecipe } from './reproduce-small.ts';

const random = Random.derive(5, 'features');
const [count, size] = [700, 800];
const data = Float32Array.from({ length: count * size }, () => random.normal());
// The first forty features hold one source in noise: together they tell it well, each of them badly.
for (let i = 0; i < count; i++) {
  const source = random.normal();
  for (let j = 0; j < 40; j++) data[i * size + j]! += 0.4 * source;
}
/** One in four, told by the first forty of eight hundred features together. */
const sums = Float64Array.from({ length: count }, (_, i) =>
  data.subarray(i * size, i * size + 40).reduce((sum, x) => sum + x, 0),
);
const threshold = [...sums].sort((a, b) => a - b)[Math.floor(0.75 * count)]!;
const labels = Int32Array.from(sums, (sum) => Number(sum > threshold));
const part = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const parts = { training: part(0, 500), validation: part(500, 600), test: part(600, 700) };

describe('a logistic head', () => {
  test('finds what more features than windows tell, at odds as if classes were as frequent', () => {
    const found = runLogisticHead({
      features: { data, size },
      labels,
      ...parts,
      strengths: [1e-4, 1e-3, 1e-2],
    });
    const truth = Float64Array.from(parts.test, (i) => labels[i]!);
    expect(auroc(truth, found)).toBeGreaterThan(0.85);
    // With a quarter of class 1, uncorrected odds would put nearly all below one half.
    const above = found.filter((p) => p > 0.5).length;
    expect(above).toBeGreaterThan(0.25 * found.length);
    expect(above).toBeLessThan(0.75 * found.length);
  });

  test('the penalty is the validation windows’ choice', () => {
    const given = { features: { data, size }, labels, ...parts };
    const [weak, strong] = [[1], [1e-6]].map((strengths) => runLogisticHead({ ...given, strengths }));
    const spread = (p: Float64Array) => Math.max(...p) - Math.min(...p);
    expect(spread(weak!)).toBeGreaterThan(20 * spread(strong!));
    const truth = Float64Array.from(parts.validation, (i) => labels[i]!);
    const areas = [1e-6, 1].map((C) =>
      auroc(truth, runLogisticHead({ ...given, test: parts.validation, strengths: [C] })),
    );
    const chosen = runLogisticHead({ ...given, strengths: [1e-6, 1] });
    // A warm start ends within the tolerance of a cold one.
    const [low, high] = [strong!, weak!].map((p) =>
      p.reduce((sum, x, i) => sum + Math.abs(x - chosen[i]!), 0),
    );
    expect(low! < high!).toBe(areas[0]! >= areas[1]!);
  });
});

test('each channel’s mean under logistic heads, joined and late, finds what is planted', async () => {
  const backend = await createNodeBackend({ device: 'cpu' });
  const planted = {
    people: 8,
    films: 12,
    seconds: 20,
    baselineSeconds: 5,
    effectSize: 0.8,
    effect: 'eeg',
  } as const;
  const result = await reproduceSmall(
    planted,
    {
      models: ['eeg', 'ecg', 'eeg+ecg', 'eeg+ecg-late', 'eeg+ecg-rate', 'eeg+ecg+classical'],
      pool: { eeg: 'leads' },
      head: {
        kind: 'logistic',
        strengths: [1e-3],
        optimization: { epochs: 1, batch: 8, minimumLearningRate: 0 },
      },
    },
    { backend },
  );
  const found = aurocs(result)['leave-trials-out']!;
  expect(found.eeg).toBeGreaterThan(0.85);
  expect(found['eeg+ecg-late']).toBeGreaterThan(0.75);
  expect(found.ecg).toBeLessThan(0.64);
  expect(Object.keys(found)).toContain('classical-eeg+ecg');
  expect(found['eeg+ecg-rate']).toBeGreaterThan(0.75);
  expect(found['classical-eeg+ecg-late']).toBeGreaterThan(0.75);
  // The hybrid: heads of both embeddings, of band powers and of the heart. No classical row bears its name.
  expect(found['eeg+ecg+classical']).toBeGreaterThan(0.75);
  expect(Object.keys(found)).not.toContain('classical-eeg+ecg+classical');
  const kinds = Object.fromEntries(result.tables[0]!.rows.map(({ model, kind }) => [model, kind]));
  expect(kinds).toMatchObject({ 'eeg+ecg+classical': 'hybrid', 'classical-eeg+ecg-late': 'classical' });
  expect(parseReproduceRecipe({ ...smallRecipe, pool: { eeg: 'leads' } }).pool).toEqual({
    eeg: 'leads',
    ecg: 'mean',
  });
});

test('heart rate is read from embeddings, of training people by others of them', () => {
  const [people, each, size] = [6, 20, 12];
  const subject = Array.from({ length: people * each }, (_, i) => `s${Math.floor(i / each)}`);
  const rates = Float64Array.from(subject, () => 60 + 40 * random.uniform());
  rates[3] = Number.NaN; // a window without beats teaches nothing
  const direction = Float64Array.from({ length: size }, () => random.normal());
  const data = Float32Array.from({ length: subject.length * size }, (_, at) => {
    const rate = rates[Math.floor(at / size)]!;
    return (Number.isNaN(rate) ? 80 : rate) * direction[at % size]! + random.normal();
  });
  const train = [...subject.keys()].filter((i) => subject[i] !== 's5');
  const read = readRates({ data, size }, rates, subject, train);
  const errors = [...subject.keys()].filter((i) => i !== 3).map((i) => Math.abs(read[i]![0]! - rates[i]!));
  expect(Math.max(...errors)).toBeLessThan(5);
  // What a person's own beats say of them teaches others alone.
  const wrong = rates.map((rate, i) => (subject[i] === 's0' ? 200 - rate : rate));
  const same = readRates({ data, size }, wrong, subject, train);
  for (let i = 0; i < each; i++) expect(same[i]![0]).toBeCloseTo(read[i]![0]!, 1);
});

describe('heads that are joined', () => {
  const fold = { train: [], validation: [0, 1], test: [2, 3] };
  const task = { labels: Int32Array.of(0, 1, 0, 1), fold, seed: 0, name: 'joined' };
  const p = (z: number) => 1 / (1 + Math.exp(-z));
  /** Logits of two validation and two test windows. */
  const head =
    (...logits: [number, number, number, number]): Head =>
    async () => ({
      validation: Float64Array.from(logits.slice(0, 2), p),
      test: Float64Array.from(logits.slice(2), p),
    });
  // The second head says the same in a twentieth of the first one's size, and the contrary of test windows.
  const heads = [head(-4, 4, -4, 4), head(-0.2, 0.2, 0.2, -0.2)];
  const logits = (probabilities: Float64Array) => [...probabilities].map((x) => Math.log(x / (1 - x)));

  test('by their logits: the louder one decides', async () => {
    const [first, second] = logits(await joinHeads(heads)(task));
    expect(first).toBeCloseTo(-1.9, 9);
    expect(second).toBeCloseTo(1.9, 9);
  });

  test('at equal spread: each has the same say', async () => {
    for (const z of logits(await joinHeads(heads, 'even')(task))) expect(z).toBeCloseTo(0, 9);
    // A head that says the same of every validation window keeps its logits.
    const flat = [head(1, 1, 1, 2), head(-2, 2, 2, -2)];
    const [first, second] = logits(await joinHeads(flat, 'even')(task));
    expect(first).toBeCloseTo((1 + 1) / 2, 9);
    expect(second).toBeCloseTo((2 - 1) / 2, 9);
  });

  test('alone: a head’s own probabilities', async () => {
    expect(await joinHeads([heads[1]!], 'even')(task)).toEqual((await heads[1]!(task)).test);
  });
});
