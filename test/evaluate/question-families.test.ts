import { describe, expect, test } from 'vitest';
import { compareProbes } from '../../src/evaluate/probe-comparison.ts';
import {
  adjustComparisons,
  adjustTables,
  questionOf,
  questionOfLabels,
  questions,
} from '../../src/evaluate/question-families.ts';
import { adjustBlocks } from '../../src/evaluate/reproduce-labels-result.ts';
import type { Comparison } from '../../src/evaluate/result.ts';

function comparison(model: string, against: string, kind: Comparison['kind'], p: number | null): Comparison {
  return {
    ...{ score: 'auroc', model, against, kind },
    difference: { mean: 0.1, low: 0, high: 0.2 },
    subjects: {
      ...{ count: 36, better: 20, worse: 16, mean: 0.1, rankBiserial: 0.1, dz: 0.1 },
      typical: { estimate: 0.1, low: 0, high: 0.2, level: 0.95 },
    },
    // As an older file has it: adjusted over everything.
    test: { p, adjusted: 1, smallest: 1e-4, family: 44 },
  };
}

describe('questions', () => {
  test('are told by what is compared', () => {
    const ask = (model: string, against: string, kind: Comparison['kind']) =>
      questionOf({ model, against, kind });
    expect(ask('eeg+ecg', 'eeg', 'single modality')).toBe('fusion');
    expect(ask('eeg+ecg-late', 'eeg+ecg-concatenate', 'first rung')).toBe('rungs');
    expect(ask('eeg', 'prior', 'baseline')).toBe('chance');
    expect(ask('eeg', 'classical-eeg', 'baseline')).toBe('classical');
    expect(ask('eeg', 'classical-eeg-standardised', 'transductive baseline')).toBe('transductive');
    expect(ask('eeg+classical', 'classical-eeg+ecg-even', 'baseline')).toBe('hybrid');
    expect(ask('eeg+classical-standardised', 'classical-eeg+ecg-even-standardised', 'baseline')).toBe(
      'hybrid',
    );
    expect(questionOfLabels('ecg', 'ecg-untrained')).toBe('pretraining');
    expect(questionOfLabels('ecg', 'classical')).toBe('classical');
    expect(questionOfLabels('ecg-tuned', 'ecg-scratch')).toBe('tuning');
    for (const words of Object.values(questions)) expect(words).toMatch(/^[a-z]/);
  });
});

describe('families', () => {
  const all = [
    comparison('eeg+ecg', 'eeg', 'single modality', 0.02),
    comparison('eeg+ecg', 'ecg', 'single modality', 0.03),
    comparison('eeg', 'classical-eeg', 'baseline', 0.04),
    comparison('eeg+ecg-standardised', 'eeg-standardised', 'single modality', 0.01),
    comparison('eeg', 'prior', 'baseline', null),
  ];

  test('are of one question on one kind of terms; a test that was not made does not count', () => {
    const found = adjustComparisons(all).map(({ test: { adjusted, family, question } }) => [
      adjusted === null ? null : Number(adjusted.toFixed(10)),
      family,
      question,
    ]);
    expect(found).toEqual([
      [0.04, 2, 'fusion'],
      [0.04, 2, 'fusion'],
      [0.04, 1, 'classical'],
      [0.01, 1, 'fusion'],
      [null, 0, 'chance'],
    ]);
    expect(adjustComparisons(adjustComparisons(all))).toEqual(adjustComparisons(all));
  });

  test('hold for all targets of a protocol, and not across protocols', () => {
    const tables = ['a', 'a', 'b'].map((protocol) => ({ protocol, comparisons: all.slice(0, 1) }));
    expect(adjustTables(tables).map(({ comparisons }) => comparisons[0]!.test.family)).toEqual([2, 2, 1]);
  });

  test('of labels hold for all choices of leads at one share', () => {
    const one = (model: string, against: string, labelShare: number, p: number) => ({
      ...{ model, against, labelShare, difference: 0.02, low: 0, high: 0.04, p, pHolm: null },
    });
    const blocks = [0.01, 0.02, 0.5].map((p) => ({
      channels: ['I'],
      rows: [],
      comparisons: [
        one('ecg', 'ecg-untrained', 1, p),
        one('ecg', 'classical', 1, 0.001),
        one('ecg', 'ecg-untrained', 0.1, 0.04),
      ],
    }));
    const adjusted = adjustBlocks(blocks).map(({ comparisons }) =>
      comparisons.map(({ pHolm, family, question }) => [Number(pHolm!.toFixed(10)), family, question]),
    );
    expect(adjusted[0]).toEqual([
      [0.03, 3, 'pretraining'],
      [0.003, 3, 'classical'],
      [0.12, 3, 'pretraining'],
    ]);
    expect(adjusted[1]![0]).toEqual([0.04, 3, 'pretraining']);
  });

  test('of probes are those that the caller names', () => {
    const draws = (mean: number) => Array.from({ length: 99 }, (_, i) => mean + (i - 49) / 1000);
    const probes = ['dual', 'none', 'random', 'span'].map((name, i) => ({
      ...{ name, score: 0.6 + i / 100, draws: draws(0.6 + i / 100) },
    }));
    const found = compareProbes(probes, {
      questionOf: (name) => (name === 'none' ? 'pretraining' : 'masks'),
    });
    expect(found.map(({ question, family }) => [question, family])).toEqual([
      ['pretraining', 1],
      ['masks', 2],
      ['masks', 2],
    ]);
    expect(found[0]!.pHolm).toBe(found[0]!.p);
  });
});
