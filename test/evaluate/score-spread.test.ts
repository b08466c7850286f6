import { describe, expect, test } from 'vitest';
import { interval } from '../../scripts/table-cells.mjs';
import { renderScores } from '../../src/cli/scores-table.ts';
import { renderReport } from '../../src/evaluate/report.ts';
import { parseResult, type Result } from '../../src/evaluate/result.ts';
import {
  explainSpread,
  fewestForInterval,
  formatScore,
  formatSpread,
  hasInterval,
  scoreOf,
  spreadOf,
  spreadOfDifference,
} from '../../src/evaluate/score-spread.ts';
import { makeResult } from './results.ts';

const digits = (value: number) => value.toFixed(2);
const score = { mean: 0.6, low: 0.4, high: 0.8 };

describe('what is shown beside a score', () => {
  test('is an interval of ten people, and never of nine', () => {
    expect(fewestForInterval).toBe(10);
    expect([4, 9, 10, 36].map(hasInterval)).toEqual([false, false, true, true]);
    expect(spreadOf({ ...score, people: [0.5] }, 10)).toEqual({ kind: 'interval', low: 0.4, high: 0.8 });
    expect(spreadOf(score, 9)).toEqual({ kind: 'none' });
    expect(formatScore(score, 36, digits)).toBe('0.60 [0.40, 0.80]');
    expect(formatScore(score, 9, digits)).toBe('0.60');
    expect(formatScore({ mean: null, low: null, high: null }, 36, digits)).toBe('–');
  });

  test('is the people in order, without those in whom the score is not defined, or the range of many', () => {
    const few = { ...score, people: [0.7, null, 0.5, 0.9] };
    expect(formatScore(few, 4, digits)).toBe('0.60 (0.50 0.70 0.90)');
    const eight = { ...score, people: [0.7, 0.1, 0.5, 0.9, 0.2, 0.3, 0.4, 0.6] };
    expect(formatScore(eight, 8, digits)).toBe('0.60 (0.10 to 0.90)');
  });

  test('is explained in words that name the number of people', () => {
    expect(explainSpread(36)).toBe('in [ ]: 95 % interval, people drawn again');
    expect(explainSpread(36, { also: ' and seeds' })).toContain('people and seeds drawn again');
    expect(explainSpread(4)).toBe(
      "in ( ): each tested person's own score, lowest to highest; 4 tested people are too few for a 95 % interval (fewest: 10)",
    );
    expect(explainSpread(4)).not.toMatch(/^in \[ \]/);
  });

  test('of a difference in an older file is the range of up to five people, whom the typical interval holds', () => {
    const comparison = (count: number) => ({
      difference: { mean: 0.05, low: 0, high: 0.1 },
      subjects: {
        ...{ count, better: count, worse: 0, mean: 0.04, rankBiserial: 1, dz: 1 },
        typical: { estimate: 0.04, low: -0.02, high: 0.09, level: 0.9 },
      },
    });
    const shown = (count: number) => spreadOf(spreadOfDifference(comparison(count)), count);
    expect(shown(4)).toEqual({ kind: 'range', low: -0.02, high: 0.09 });
    expect(formatSpread(shown(4), digits)).toBe('(-0.02 to 0.09)');
    expect(shown(8)).toEqual({ kind: 'none' });
    expect(shown(12)).toEqual({ kind: 'interval', low: 0, high: 0.1 });
  });

  test("is the same in the documents' tables as in the terminal's", () => {
    for (const people of [4, 9, 10, 36])
      for (const one of [score, { ...score, people: [0.7, null, 0.5] }]) {
        const write = (value: number) => value.toFixed(3).replace(/^0\./, '.');
        expect(interval(one, people)).toBe(formatScore(one, people, write));
      }
  });
});

describe('a result of four people from before single people were kept', () => {
  const made = makeResult();
  for (const details of Object.values(made.details)) {
    details.perSeed = [{ auroc: 0.5 }, { auroc: 0.6 }];
    details.perSubject = ['d', 'a', 'c', 'b'].map((subject, i) => ({
      ...{ subject, windows: 40, accuracy: 0.5, auroc: 0.5, balancedAccuracy: 0.5 },
      bySeed: [0.5 + i / 10, 0.5 - i / 20],
    }));
  }
  const older = parseResult(JSON.parse(JSON.stringify(made)));

  test('shows the people that its details hold, and no interval', () => {
    const people = scoreOf(older, 'eeg', 'balancedAccuracy')!.people!;
    expect(people.map((value) => Number(value!.toFixed(3)))).toEqual([0.5, 0.525, 0.55, 0.575]);
    // One seed's score of a person is not the mean of both.
    expect(scoreOf(older, 'eeg', 'auroc')!.people).toEqual([null, null, null, null]);
    const page = renderReport(older);
    const terminal = renderScores(older);
    for (const text of [page, terminal]) {
      expect(text).toContain('4 tested people are too few for a 95 % interval');
      expect(text).not.toMatch(/\[\.?\d|95 % interval,/);
    }
    expect(terminal).toMatch(/^eeg +\d\.\d{3} \((\d\.\d{3} ){3}\d\.\d{3}\) +\d\.\d{3} +\d\.\d{3}$/m);
  });
});

test('a page of many people says 95 % and draws no single person', () => {
  const result: Result = makeResult();
  for (const details of Object.values(result.details))
    details.perSubject = Array.from({ length: 12 }, () => details.perSubject[1]!);
  const page = renderReport(result);
  expect(page).toContain('95 % interval, test subjects drawn again');
  expect(page).not.toContain('too few for a 95 % interval');
});
