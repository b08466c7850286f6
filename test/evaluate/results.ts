/** Small results made by hand, for the report's tests. */
import type { ModelDetails, Result } from '../../src/evaluate/result.ts';
import { scoreNames } from '../../src/metrics/scores.ts';

const interval = (mean: number | null) => ({ mean, low: mean, high: mean });

/** All scores the same but one. */
function scoresOf(mean: number | null) {
  return Object.fromEntries(scoreNames.map((name) => [name, interval(mean)]));
}

function detailsOf(classCount: number, subjects: readonly string[]): ModelDetails {
  return {
    confusion: Array.from({ length: classCount }, (_, k) =>
      Array.from({ length: classCount }, (_unused, j) => (j === k ? 30 + k : 10 + j)),
    ),
    roc:
      classCount === 2
        ? { falsePositiveRate: [0, 0.25, null, 1], truePositiveRate: [0, 0.5, null, 1] }
        : null,
    reliability: [
      { confidence: 0.55, accuracy: 0.5, count: 3 },
      { confidence: null, accuracy: null, count: 1 },
    ],
    perSubject: subjects.map((subject, i) => ({
      subject,
      windows: 40 + i,
      accuracy: 0.5,
      balancedAccuracy: i === 0 ? null : 0.625,
      auroc: null,
    })),
    perSeed: [{ accuracy: 0.5, auroc: null }],
  };
}

/** An evaluation of two models and a baseline on two subjects. `text` passes through every string of the result. */
export function makeResult(
  classes: readonly string[] = ['calm', 'stress'],
  text: (field: string) => string = (field) => field,
): Result {
  const subjects = ['anna', 'ben'].map(text);
  const names = classes.map(text);
  const classical = text('custom model');
  return {
    version: 1,
    name: text('A small study'),
    created: text('2026-02-03T04:05:06.000Z'),
    versions: { heartmind: text('0.1.0'), [text('engine')]: text('none') },
    dataset: {
      name: text('tiny'),
      title: text('The tiny dataset'),
      licence: text('CC0'),
      citation: text('Someone, 2026.'),
      target: text('state'),
      classes: names,
      hash: text('0123456789abcdef0123'),
    },
    protocol: text('2-fold by subject'),
    seeds: [3, 4],
    windows: 81,
    folds: [
      {
        name: text('fold 1 of 2'),
        train: [subjects[0]!],
        validation: [text('carla')],
        test: [subjects[1]!],
        windows: { train: 40, validation: 41, test: 42 },
      },
    ],
    models: {
      eeg: { ...scoresOf(0.5), balancedAccuracy: { mean: 0.876, low: 0.765, high: 0.987 } },
      'eeg+ecg': scoresOf(0.75),
      [classical]: { ...scoresOf(0.5), auroc: interval(null) },
    },
    trials: { eeg: scoresOf(0.432) },
    details: {
      eeg: detailsOf(classes.length, subjects),
      'eeg+ecg': detailsOf(classes.length, subjects),
    },
    curves: [
      {
        name: 'pre-train ecg',
        rows: [
          { epoch: 1, step: 10, trainLoss: 0.5, 'loss.intra': 0.4, 'zero.intra': 0.9, 'mean.intra': 0.8 },
          { epoch: 2, step: 20, trainLoss: 0.3, 'loss.intra': 0.345, 'zero.intra': 0.9, 'mean.intra': null },
        ],
        bestEpoch: null,
      },
      {
        name: `fine-tune ${text('eeg-seed3')}`,
        rows: [
          { epoch: 1, trainLoss: 0.7, loss: 0.6 },
          { epoch: 2, trainLoss: 0.6, loss: null, [`loss.${text('kind')}`]: 0.4 },
        ],
        bestEpoch: 1,
      },
    ],
    reconstructions: [
      {
        modality: 'ecg',
        kind: text('intra'),
        channels: ['I', 'II'].map(text),
        patches: 2,
        patchSamples: 3,
        original: [
          [0, 1, 0, -1, 0, 1],
          [0, 0, 0, 0, 0, 0],
        ],
        reconstruction: [
          [0, 0.5, 0, -0.5, 0, 0.5],
          [0, 0, 0, 0, 0, 0],
        ],
        mask: [
          [0, 1],
          [2, 2],
        ],
      },
    ],
    data: {
      subjects: 2,
      trials: 4,
      classes: Object.fromEntries(names.map((name, k) => [name, 40 + k])),
      dropped: [
        { what: text('window'), reason: text('flat Fz'), count: 7, examples: [text('trial 1 at 3 s')] },
      ],
    },
    notes: [text('One encoder has seen the tested subjects.')],
    recipes: { [text('prepare')]: { [text('channels')]: [text('Fz')], rateHz: 200 } },
    seconds: { [text('evaluate')]: 61.4 },
  };
}

/** Of a training without a test. */
export function makeTraining(): Result {
  const { curves: _curves, ...result } = makeResult();
  return {
    ...result,
    folds: [],
    models: {},
    trials: {},
    details: {},
    curves: [],
    reconstructions: [],
    notes: [],
    recipes: {},
    seconds: {},
    dataset: { ...result.dataset, classes: [], target: '' },
    data: { subjects: 2, trials: 4, classes: {}, dropped: [] },
  };
}
