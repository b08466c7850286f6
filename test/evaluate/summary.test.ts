import { describe, expect, test } from 'vitest';
import { describeModel, summarisePredictions, summariseScores } from '../../src/evaluate/summary.ts';
import { groupByTrial, type Tested } from '../../src/evaluate/tested.ts';
import { scoreNames } from '../../src/metrics/scores.ts';

/** [W, 2] from the probabilities of class 1. */
const binary = (positive: readonly number[]) => Float64Array.from(positive.flatMap((p) => [1 - p, p]));

/** Seed 1 is wrong on window 2, seed 2 on windows 1 and 2. */
const tested: Tested = {
  truth: Int32Array.of(0, 1, 0, 1),
  subject: ['a', 'a', 'b', 'b'],
  probabilities: [binary([0.2, 0.8, 0.6, 0.7]), binary([0.2, 0.4, 0.6, 0.7])],
};

describe('summariseScores', () => {
  test('is the mean over the seeds of every score', () => {
    const scores = summariseScores(tested, 2);
    expect(Object.keys(scores)).toEqual([...scoreNames]);
    expect(scores.accuracy.mean).toBe((0.75 + 0.5) / 2);
    expect(scores.balancedAccuracy.mean).toBe((0.75 + 0.5) / 2);
    expect(scores.auroc.mean).toBe((1 + 0.75) / 2); // of four pairs, seed 2 ranks .4 below .6
  });

  test('has intervals that hold for new subjects: all of a person, or nothing', () => {
    // Person a is all right, b all wrong; one in four resamples has only a, one only b.
    const count = 50;
    const people = {
      truth: Int32Array.from({ length: 2 * count }, (_, i) => i % 2),
      subject: Array.from({ length: 2 * count }, (_, i) => (i < count ? 'a' : 'b')),
      probabilities: [
        binary(Array.from({ length: 2 * count }, (_, i) => (i < count === (i % 2 === 1) ? 0.9 : 0.1))),
      ],
    };
    expect(summariseScores(people, 2).accuracy).toEqual({
      ...{ mean: 0.5, low: 0, high: 1, people: [1, 0] },
    });
    const alone = { ...people, subject: people.subject.map(() => 'a') };
    expect(summariseScores(alone, 2).accuracy).toEqual({
      ...{ mean: 0.5, low: 0.5, high: 0.5, people: [0.5] },
    });
  });

  test('is null where a score is not defined, not NaN', () => {
    const one = { truth: Int32Array.of(1, 1), subject: ['a', 'b'], probabilities: [binary([0.6, 0.7])] };
    const scores = summariseScores(one, 2);
    expect(scores.auroc).toEqual({ mean: null, low: null, high: null, people: [null, null] });
    expect(scores.accuracy.mean).toBe(1);
  });
});

describe('groupByTrial', () => {
  test('gives each trial the mean of its windows, in order of first appearance', () => {
    const grouped = groupByTrial(
      {
        truth: Int32Array.of(1, 0, 1, 0),
        subject: ['a', 'a', 'a', 'a'],
        probabilities: [binary([0.5, 0.25, 1, 0.75]), binary([0, 0, 0.5, 1])],
      },
      ['x', 'y', 'x', 'y'],
      2,
    );
    expect([...grouped.truth]).toEqual([1, 0]);
    expect(grouped.subject).toEqual(['a', 'a']);
    expect(grouped.probabilities.map((one) => [...one])).toEqual([
      [0.25, 0.75, 0.5, 0.5],
      [0.75, 0.25, 0.5, 0.5],
    ]);
  });

  test('keeps trials of one name apart where the person or the label differs', () => {
    const grouped = groupByTrial(
      {
        truth: Int32Array.of(0, 0, 1),
        subject: ['a', 'b', 'b'],
        probabilities: [binary([0.1, 0.2, 0.3])],
      },
      ['rest', 'rest', 'rest'],
      2,
    );
    expect([...grouped.truth]).toEqual([0, 0, 1]);
    expect(grouped.subject).toEqual(['a', 'b', 'b']);
  });

  test('keeps equal probabilities equal, whatever the number of windows: a constant has no AUROC but 0.5', () => {
    const lengths = [3, 7, 1, 6, 10, 11];
    const trial = lengths.flatMap((length, k) => Array<string>(length).fill(`t${k}`));
    const constant = {
      truth: Int32Array.from(trial, (name) => Number(name.slice(1)) % 2),
      subject: trial.map(() => 'a'),
      probabilities: [binary(trial.map(() => 0.1))],
    };
    // Plain means differ in the last digits.
    expect((0.1 + 0.1 + 0.1) / 3).not.toBe(0.1);
    const grouped = groupByTrial(constant, trial, 2);
    expect(new Set(grouped.probabilities[0]!)).toEqual(new Set([0.9, 0.1]));
    expect(summariseScores(grouped, 2).auroc.mean).toBe(0.5);
  });
});

describe('describeModel', () => {
  const details = describeModel(tested, 2);

  test('has confusion and ROC of the first seed', () => {
    expect(details.confusion).toEqual([
      [1, 1],
      [0, 2],
    ]);
    // Thresholds .8, .7, .6, .2.
    expect(details.roc).toEqual({
      falsePositiveRate: [0, 0, 0, 0.5, 1],
      truePositiveRate: [0, 0.5, 1, 1, 1],
    });
  });

  test('has the scores of each subject, of the first seed', () => {
    expect(details.perSubject).toEqual([
      { subject: 'a', windows: 2, accuracy: 1, balancedAccuracy: 1, auroc: 1, bySeed: [1, 0.5] },
      { subject: 'b', windows: 2, accuracy: 0.5, balancedAccuracy: 0.5, auroc: 1, bySeed: [0.5, 0.5] },
    ]);
  });

  test('has the scores of each seed on all windows', () => {
    expect(details.perSeed.map(({ accuracy, auroc }) => [accuracy, auroc])).toEqual([
      [0.75, 1],
      [0.5, 0.75],
    ]);
  });

  test('has bins of confidence that hold every window once', () => {
    expect(details.reliability.reduce((sum, { count }) => sum + count, 0)).toBe(4);
    const right = details.reliability.reduce((sum, { count, accuracy }) => sum + count * accuracy!, 0);
    expect(right).toBe(3);
    const highest = details.reliability.at(-1)!;
    expect(highest.confidence).toBeCloseTo(0.8, 12);
    expect(highest).toMatchObject({ accuracy: 1, count: 2 });
  });

  test('of three classes has a matrix of three and no ROC', () => {
    const three = describeModel(
      {
        truth: Int32Array.of(0, 1, 2),
        subject: ['a', 'b', 'b'],
        probabilities: [Float64Array.of(0.8, 0.1, 0.1, 0.2, 0.3, 0.5, 0.1, 0.2, 0.7)],
      },
      3,
    );
    expect(three.roc).toBeNull();
    expect(three.confusion).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 1],
    ]);
    expect(three.perSubject[1]).toMatchObject({ subject: 'b', windows: 2, accuracy: 0.5, auroc: null });
  });
});

describe('summarisePredictions', () => {
  test('keeps the order of the models and scores windows and trials apart', () => {
    const wrong = { ...tested, probabilities: [binary([0.8, 0.2, 0.8, 0.2])] };
    const summary = summarisePredictions(
      new Map([
        ['second', tested],
        ['first', wrong],
      ]),
      ['x', 'y', 'x', 'y'],
      2,
    );
    for (const part of [summary.models, summary.trials, summary.details])
      expect(Object.keys(part)).toEqual(['second', 'first']);
    expect(summary.models.first!.accuracy!.mean).toBe(0);
    // Trials of one window each: the same.
    expect(summary.trials.second).toEqual(summary.models.second);
    const halves = summarisePredictions(new Map([['m', tested]]), ['x', 'x', 'y', 'y'], 2);
    // A trial of two labels counts as two.
    expect(halves.trials.m).toEqual(halves.models.m);
  });
});
