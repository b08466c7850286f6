import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, DataError, InterruptedError } from '../../src/core/errors.ts';
import { Random } from '../../src/core/random.ts';
import { scaleByBaseline, subtractBaseline } from '../../src/evaluate/reproduce-baseline.ts';
import { comparedOf, compareTables, planRowPairs } from '../../src/evaluate/reproduce-comparisons.ts';
import { parseReproduceRecipe } from '../../src/evaluate/reproduce-recipe.ts';
import { renderReproduction } from '../../src/evaluate/reproduce-report.ts';
import { parseReproduction, type Reproduction } from '../../src/evaluate/reproduce-result.ts';
import { aurocWithin, binaryScoreNames, scoreBinary } from '../../src/evaluate/reproduce-scores.ts';
import { targetCells } from '../../src/evaluate/reproduce-table.ts';
import type { Comparison } from '../../src/evaluate/result.ts';
import { bootstrapAll } from '../../src/metrics/bootstrap.ts';
import { scoreAll } from '../../src/metrics/scores.ts';
import { parseRecipe } from '../../src/patches/recipe.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { createNodeBackend } from '../../src/runtime/ort-node.ts';
import { aurocs, memoryFiles, reproduceSmall, smallRecipe } from './reproduce-small.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await createNodeBackend({ device: 'cpu' });
});

const size = { people: 8, films: 12, seconds: 20, baselineSeconds: 5, effectSize: 0.8 };
const trivial = ['majority', 'prior'];
/** Far enough from one half, in trials of a few people, to be no accident; and near enough. */
const [risen, chance] = [0.68, 0.64];

function expectRows(found: Record<string, number>, rows: readonly string[]) {
  for (const [model, auroc] of Object.entries(found)) {
    // Priors by key fall below one half where trials are left out: what is left tells what is missing.
    if (model.endsWith('-prior')) continue;
    if (rows.includes(model)) expect(auroc, model).toBeGreaterThan(risen);
    else expect(auroc, model).toBeLessThan(chance);
  }
}

describe('made-up DREAMER, in which it is known what tells what', () => {
  test('an effect in EEG: rows with EEG rise, ECG stays at chance', async () => {
    const result = await reproduceSmall({ ...size, effect: 'eeg' }, {}, { backend });
    const found = aurocs(result)['leave-trials-out']!;
    expectRows(found, ['eeg', 'eeg+ecg', 'classical-eeg', 'classical-eeg+ecg']);
    expect(found.eeg).toBeGreaterThan(0.9);
  });

  test('an effect in ECG: rows with ECG rise, EEG stays at chance', async () => {
    const result = await reproduceSmall({ ...size, effect: 'ecg' }, {}, { backend });
    const found = aurocs(result)['leave-trials-out']!;
    expectRows(found, ['ecg', 'eeg+ecg', 'classical-ecg', 'classical-eeg+ecg']);
  });

  test('an effect in their interaction: only products of both rise', async () => {
    // Products are found among twelve hundred features: it takes more trials, and a slower rate.
    const head = {
      ...{ kind: 'mlp', learningRate: 3e-4, score: 'auroc' },
      optimization: { epochs: 30, batch: 64, minimumLearningRate: 1e-5, patience: 10 },
    };
    const protocols = [{ kind: 'leave-trials-out', k: 4 }];
    const trials = { people: 16, films: 18, seconds: 20, baselineSeconds: 10 };
    const planted = { ...trials, effectSize: 0.9, fingerprint: 0.05, effect: 'interaction' } as const;
    const result = await reproduceSmall(
      planted,
      { models: ['eeg', 'ecg', 'eeg×ecg'], protocols, head },
      { backend },
    );
    const found = aurocs(result)['leave-trials-out']!;
    expectRows(found, ['eeg×ecg']);
  });

  test('none: chance everywhere but where windows of a trial are on both sides', async () => {
    const protocols = [
      { kind: 'leave-trials-out', k: 3 },
      { kind: 'leave-one-subject-out', validationSubjects: 2 },
      { kind: 'segment-random', k: 3 },
    ];
    const options = { protocols, models: ['ecg', 'eeg+ecg'] };
    const result = await reproduceSmall({ ...size, effect: 'none' }, options, { backend });
    const found = aurocs(result);
    expectRows(found['leave-trials-out']!, []);
    expectRows(found['leave-one-subject-out']!, []);
    expect(found['segment-random']!.ecg).toBeGreaterThan(risen);
    expect(found['segment-random']!['eeg+ecg']).toBeGreaterThan(risen);
    const [leaky] = result.tables.filter(({ protocol }) => protocol === 'segment-random');
    expect(leaky!.leaky).toBe(true);
    expect(renderReproduction(result)).toContain('leaky, for comparison');
    expect(targetCells(result, 'valence').rows.map(([first]) => first)).toContain(
      'segment-random (leaky, for comparison)',
    );
  });

  test('a film that decides and is recognised: exposed by leaving films out', async () => {
    const protocols = [
      { kind: 'leave-trials-out', k: 3 },
      { kind: 'leave-one-subject-out', validationSubjects: 2 },
      { kind: 'leave-stimulus-out', k: 4, validationStimuli: 2 },
    ];
    const options = { protocols, models: ['eeg'] };
    const result = await reproduceSmall({ ...size, confound: 1 }, options, { backend });
    const found = aurocs(result);
    for (const kind of ['leave-trials-out', 'leave-one-subject-out']) {
      expect(found[kind]!.eeg, kind).toBeGreaterThan(0.75);
      expect(found[kind]!['stimulus-prior'], kind).toBe(1);
    }
    expectRows(found['leave-stimulus-out']!, []);
    expect(found['leave-stimulus-out']!['stimulus-prior']).toBeLessThan(0.5);
    expect(result.tables.map(({ drawn }) => drawn)).toEqual(['subjects', 'subjects', 'stimuli']);
  });
});

describe('a run', () => {
  const tiny = { people: 4, films: 6, seconds: 10, baselineSeconds: 5, effect: 'eeg' } as const;
  const recipe = { models: ['eeg', 'ecg'], protocols: [{ kind: 'leave-trials-out', k: 2 }], seeds: [0, 1] };

  test('goes on where it was stopped, to the same result; files of another recipe are not taken', async () => {
    const whole = memoryFiles();
    const first = await reproduceSmall(tiny, recipe, { backend, kept: whole });
    expect(parseReproduction(JSON.parse(JSON.stringify(first)))).toEqual(first);
    // Every deep row against its classical one, in two scores.
    expect(first.tables[0]!.comparisons.map(({ model, against }) => `${model} ${against}`)).toEqual(
      [...Array(2).keys()].flatMap(() => ['eeg classical-eeg', 'ecg classical-ecg']),
    );
    expect(renderReproduction(first)).toContain('the difference within each of the tested people');
    // Four people: their own scores are kept, in place of an interval.
    expect(first.tables[0]!.rows[0]!.windows.auroc.people).toHaveLength(4);
    expect(renderReproduction(first)).not.toMatch(/\[\.?\d|95 % intervals?,/);
    // A unit for each seed of deep rows, one for the rest.
    const units = [...whole.files.keys()].filter((name) => name.startsWith('predictions/'));
    expect(units).toHaveLength(2 * 2 + 2 + 4);

    const stop = new AbortController();
    const partly = memoryFiles();
    const kept = {
      ...partly,
      async save(name: string, bytes: Uint8Array) {
        await partly.save(name, bytes);
        if (name.startsWith('predictions/') && partly.files.size >= 12) stop.abort();
      },
    };
    const run = (options: object) => reproduceSmall(tiny, recipe, { backend, ...options });
    await expect(run({ kept, signal: stop.signal })).rejects.toThrow(InterruptedError);
    const done = [...partly.files.keys()];
    expect(done.length).toBeLessThan(whole.files.size);
    const saved: string[] = [];
    const resumed = await run({
      kept: {
        ...partly,
        save: async (name: string, bytes: Uint8Array) => {
          saved.push(name);
          await partly.save(name, bytes);
        },
      },
    });
    expect(resumed.tables).toEqual(first.tables);
    expect(saved.some((name) => done.includes(name))).toBe(false);

    const other = await reproduceSmall(
      tiny,
      { ...recipe, head: { ...smallRecipe.head, hidden: 8 } },
      { backend, kept: whole },
    );
    expect(other.tables).not.toEqual(first.tables);
  });

  test('tunes encoders, one checkpoint a fold, forgotten when their unit is done', async () => {
    const forgotten: string[] = [];
    const trainings = {
      keep: () => ({}),
      forget: async (name: string) => void forgotten.push(name),
    };
    const options = { models: ['ecg'], protocols: recipe.protocols };
    const result = await reproduceSmall(tiny, options, { backend, tune: true, trainings });
    expect(result.tuned).toBe(true);
    expect(result.tables[0]!.rows.map(({ model }) => model)).toContain('ecg');
    expect(forgotten).toContain('valence-leave-trials-out-ecg-seed0');
    expect(result.notes.join()).toContain('Tuned encoders see signals as they are');
  });

  test('says what it cannot do', async () => {
    await expect(reproduceSmall(tiny, { ...recipe, targets: ['emotion'] }, { backend })).rejects.toThrow(
      "target 'emotion' has 9 classes; benchmarks compare two",
    );
    await expect(reproduceSmall(tiny, { ...recipe, targets: ['x'] }, { backend })).rejects.toThrow(DataError);
  });
});

test.each(['dreamer', 'amigos', 'eegmat'])('recipe of %s', (name) => {
  const path = join(import.meta.dirname, `../../recipes/reproduce-${name}.json`);
  const recipe = parseReproduceRecipe(JSON.parse(readFileSync(path, 'utf8')));
  expect(recipe.benchmark).toBe(name);
  const twice = { ...recipe, protocols: [recipe.protocols[0], recipe.protocols[0]] };
  expect(() => parseReproduceRecipe(twice)).toThrow(ConfigError);
  expect(() => parseReproduceRecipe({ ...recipe, seeds: [1, 1] })).toThrow('seeds: 1 stands twice');
});

describe('scores', () => {
  const random = Random.derive(3, 'scores');
  const unit = Array.from({ length: 200 }, (_, i) => `s${i % 7}`);
  const truth = Int32Array.from(unit, () => Number(random.uniform() < 0.4));
  // Ties, and some exactly at one half.
  const p = Float64Array.from(truth, (y) => Math.round(8 * (0.6 * random.uniform() + 0.3 * y)) / 8);

  test('equal those of metrics/ with the same draws of people', () => {
    const found = scoreBinary({ truth, probabilities: [p], unit }, { samples: 200 });
    const f1 = (labels: Int32Array, q: Float64Array) => {
      const count = (y: number, d: boolean) =>
        [...labels].filter((label, i) => label === y && q[i]! > 0.5 === d).length;
      return (2 * count(1, true)) / (2 * count(1, true) + count(0, true) + count(1, false));
    };
    const expected = bootstrapAll(
      unit,
      (indices) => {
        const labels = Int32Array.from(indices, (i) => truth[i]!);
        const q = Float64Array.from(indices, (i) => p[i]!);
        const scores = scoreAll(
          labels,
          Float64Array.from(indices.length === 0 ? [] : [...q].flatMap((x) => [1 - x, x])),
          2,
        );
        return binaryScoreNames.map((name) => (name === 'f1' ? f1(labels, q) : scores[name]));
      },
      { samples: 200 },
    );
    for (const [k, name] of binaryScoreNames.entries()) {
      const { mean, low, high } = expected[k]!;
      expect(found[name].mean).toBeCloseTo(mean, 12);
      expect(found[name].low).toBeCloseTo(low, 12);
      expect(found[name].high).toBeCloseTo(high, 12);
    }
  });

  test('within people: the mean of their areas; none where nobody has both classes', () => {
    const two = {
      truth: [0, 1, 0, 1, 1],
      probabilities: [[0.1, 0.2, 0.9, 0.3, 0.4]],
      unit: ['a', 'a', 'b', 'b', 'c'],
    };
    expect(aurocWithin(two)).toBe(0.5);
    expect(aurocWithin({ ...two, truth: [0, 0, 1, 1, 1] })).toBeNull();
  });
});

describe('comparisons of rows', () => {
  const rows = [
    ...['eeg', 'ecg', 'eeg+ecg', 'eeg+ecg-late', 'ecg-rate'].map((model) => ({
      model,
      kind: 'deep' as const,
    })),
    { model: 'eeg+classical', kind: 'hybrid' as const },
    ...['classical-eeg', 'classical-ecg', 'classical-eeg+ecg'].map((model) => ({
      ...{ model, kind: 'classical' as const },
    })),
    { model: 'prior', kind: 'trivial' as const },
  ];

  test('both signals against each alone, all against classical features of the same signals', () => {
    const pairs = (list: Parameters<typeof planRowPairs>[0]) =>
      planRowPairs(list).map(({ model, against }) => `${model} − ${against}`);
    const expected = [
      'eeg − classical-eeg',
      'ecg − classical-ecg',
      'eeg+ecg − eeg',
      'eeg+ecg − ecg',
      'eeg+ecg − classical-eeg+ecg',
      'eeg+ecg-late − eeg',
      'eeg+ecg-late − ecg',
      'eeg+ecg-late − classical-eeg+ecg',
      'ecg-rate − classical-ecg',
      'eeg+classical − classical-eeg+ecg',
    ];
    expect(pairs(rows)).toEqual(expected);
    // Standardised rows meet their like alone.
    const both = [...rows, ...rows.map((row) => ({ ...row, model: `${row.model}-standardised` }))];
    expect(pairs(both)).toEqual([
      ...expected,
      ...expected.map((pair) => pair.replace(' − ', '-standardised − ').concat('-standardised')),
    ]);
  });

  test('find who is better for whom, and adjust over the targets of a protocol', () => {
    const random = Random.derive(9, 'compared');
    const unit = Array.from({ length: 400 }, (_, i) => `s${i % 10}`);
    const truth = Int32Array.from(unit, () => Number(random.uniform() < 0.5));
    const probabilities = (skill: number) => [
      Float64Array.from(truth, (y) => 0.5 + skill * (y - 0.5) + 0.2 * (random.uniform() - 0.5)),
    ];
    const skills: Record<string, number> = { eeg: 0.02, ecg: 0.02, 'eeg+ecg': 0.15 };
    const table = (protocol: string) => ({
      ...{ protocol, rows: rows.slice(0, 3) },
      models: new Map(
        Object.entries(skills).map(([model, skill]) => [
          model,
          comparedOf({ truth, unit, probabilities: probabilities(skill) }),
        ]),
      ),
    });
    const [first, second, other] = compareTables([table('a'), table('a'), table('b')]) as [
      Comparison[],
      Comparison[],
      Comparison[],
    ];
    expect(first.map(({ model, against, score }) => [model, against, score])).toEqual([
      ['eeg+ecg', 'eeg', 'balancedAccuracy'],
      ['eeg+ecg', 'ecg', 'balancedAccuracy'],
      ['eeg+ecg', 'eeg', 'auroc'],
      ['eeg+ecg', 'ecg', 'auroc'],
    ]);
    for (const { difference, subjects, test: tested } of [...first, ...second, ...other]) {
      expect(difference.low).toBeGreaterThan(0);
      expect(subjects).toMatchObject({ count: 10, worse: 0 });
      expect(tested.adjusted).toBeLessThan(0.05);
    }
    expect(first[0]!.test.family).toBe(4);
    expect(other[0]!.test.family).toBe(2);
  });
});

describe('a neutral stretch', () => {
  test('its mean is subtracted; a trial without one takes the mean of the others', () => {
    const rows = [
      [5, 1],
      [6, Number.NaN],
      [7, 3],
    ].map((row) => Float64Array.from(row));
    const neutral = [
      [1, 1],
      [3, 3],
    ].map((row) => Float64Array.from(row));
    const { rows: found, without } = subtractBaseline(rows, ['x', 'y', 'y'], neutral, ['x', 'x']);
    expect(found.map((row) => [...row])).toEqual([
      [3, -1],
      [4, Number.NaN],
      [5, 1],
    ]);
    expect(without).toEqual(['y']);
    expect(() => subtractBaseline(rows, ['x', 'y', 'y'], undefined, [])).toThrow(DataError);
  });

  test('its deviation scales signals, channel by channel', () => {
    const recipe = parseRecipe(smallRecipe.prepare);
    const span = (eeg: number, ecg: number) => ({
      ...{ start: 0, lengthSamples: 2 },
      signals: {
        eeg: [1, 2, 4].map((factor) => Float64Array.of(-eeg * factor, eeg * factor)),
        ecg: [1, 2].map((factor) => Float64Array.of(-ecg * factor, ecg * factor)),
      },
    });
    const whole = (eeg: number, ecg: number) => ({
      spans: [span(eeg, ecg)],
      beats: new Float64Array(0),
      facts: [],
    });
    const { spans } = scaleByBaseline(whole(3, 10), whole(1.5, 40), recipe, 'x');
    // Twice the neutral deviation is twice 20 µV; a quarter of it a quarter of 200 µV.
    for (const row of spans[0]!.signals.eeg!) expect([...row]).toEqual([-40, 40]);
    for (const row of spans[0]!.signals.ecg!) expect([...row]).toEqual([-50, 50]);
    expect(() => scaleByBaseline(whole(1, 1), undefined, recipe, 'x')).toThrow('x has no neutral stretch');
  });
});

test('trivial rows carry no seeds', async () => {
  const tiny = { people: 3, films: 4, seconds: 5, baselineSeconds: 5 };
  const recipe = { models: ['ecg'], protocols: [{ kind: 'leave-trials-out', k: 2 }], seeds: [0, 1] };
  const { tables }: Reproduction = await reproduceSmall(tiny, recipe, { backend });
  const seeds = Object.fromEntries(tables[0]!.rows.map((row) => [row.model, row.seeds]));
  expect(seeds).toMatchObject({
    ecg: 2,
    'classical-ecg': 1,
    ...Object.fromEntries(trivial.map((name) => [name, 1])),
  });
});
