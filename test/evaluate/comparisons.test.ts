import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { renderScores } from '../../src/cli/scores-table.ts';
import { Random } from '../../src/core/random.ts';
import {
  comparisonsThatMatter,
  describeComparison,
  verdictOf,
  warnOfFewPeople,
} from '../../src/evaluate/comparison-words.ts';
import { bestSingles, compareModels, planPairs } from '../../src/evaluate/comparisons.ts';
import { renderReport } from '../../src/evaluate/report.ts';
import { parseResult, type Result } from '../../src/evaluate/result.ts';
import { drawScores, scoreSubjects } from '../../src/evaluate/score-draws.ts';
import { describeSpread, summarisePredictions } from '../../src/evaluate/summary.ts';
import type { Tested } from '../../src/evaluate/tested.ts';
import { describeCalibration, describeTrust } from '../../src/evaluate/trust.ts';
import { makeResult } from './results.ts';

const windowsEach = 12;

/** Predictions of made-up people: `skill` in standard deviations of the logit, `sharpness` times too sure, by seed. */
function simulate(
  people: number,
  skills: readonly number[],
  { sharpness = 1, name = 'model' }: { readonly sharpness?: number; readonly name?: string } = {},
): Tested {
  const count = people * windowsEach;
  const truth = Int32Array.from({ length: count }, (_, i) => i % 2);
  const draw = (skill: number, random: Random, labels: ArrayLike<number>) =>
    Float64Array.from(
      Array.from(labels).flatMap((label) => {
        const z = sharpness * 2 * skill * (skill * (label === 1 ? 1 : -1) + random.normal());
        return [1 / (1 + Math.exp(z)), 1 / (1 + Math.exp(-z))];
      }),
    );
  const validationTruth = Array.from({ length: 400 }, (_, i) => i % 2);
  return {
    truth,
    subject: Array.from(
      { length: count },
      (_, i) => `p${String(Math.floor(i / windowsEach)).padStart(2, '0')}`,
    ),
    probabilities: skills.map((skill, seed) => draw(skill, Random.derive(seed, name), truth)),
    validation: skills.map((skill, seed) => ({
      seed,
      rows: Array.from({ length: count }, (_, i) => i),
      truth: validationTruth,
      probabilities: draw(skill, Random.derive(seed, name, 'validation'), validationTruth),
    })),
  };
}

const known = (tested: Tested) => ({ draws: drawScores(tested, 2), subjects: scoreSubjects(tested, 2) });
const trialsOf = ({ truth, subject }: Tested) => subject.map((_, i) => `trial ${truth[i]}`);
const resultOf = (predictions: ReadonlyMap<string, Tested>): Result => ({
  ...makeResult(),
  ...summarisePredictions(predictions, trialsOf([...predictions.values()][0]!), 2),
});

describe('planPairs', () => {
  test('pairs deep models with baselines, both modalities with the single one, and tells who sees more', () => {
    const names = [
      'eeg',
      'ecg',
      'eeg+ecg',
      'majority',
      'prior',
      'classical-eeg',
      'classical-eeg-standardised',
    ];
    const pairs = planPairs(names, ['eeg']);
    expect(pairs).toHaveLength(3 * 3 + 1);
    expect(pairs.filter(({ model }) => model === 'eeg+ecg')).toEqual([
      { model: 'eeg+ecg', against: 'eeg', kind: 'single modality' },
      { model: 'eeg+ecg', against: 'prior', kind: 'baseline' },
      { model: 'eeg+ecg', against: 'classical-eeg', kind: 'baseline' },
      { model: 'eeg+ecg', against: 'classical-eeg-standardised', kind: 'transductive baseline' },
    ]);
    expect(planPairs(['eeg', 'majority'], [])).toEqual([
      { model: 'eeg', against: 'majority', kind: 'baseline' },
    ]);
  });

  test('takes the single modality that validation finds better, not the test', () => {
    const [eeg, ecg] = [simulate(4, [0.2]), simulate(4, [1])];
    const turned = new Map([
      ['eeg', { ...eeg, validation: ecg.validation! }],
      ['ecg', { ...ecg, validation: eeg.validation! }],
    ]);
    expect(bestSingles(turned, 2)).toEqual(['eeg']);
    const { validation: _validation, ...unknown } = ecg;
    expect(
      bestSingles(
        new Map([
          ['eeg', eeg],
          ['ecg', unknown],
        ]),
        2,
      ),
    ).toEqual(['eeg', 'ecg']); // all, where validation is missing
  });
});

describe('compareModels', () => {
  const models = new Map([
    ['eeg+ecg', known(simulate(20, [0.9, 0.9, 0.9]))],
    ['eeg', known(simulate(20, [0.45, 0.45], { name: 'eeg' }))],
    ['classical-eeg', known(simulate(20, [0.9], { name: 'classical' }))],
  ]);
  const pairs = planPairs([...models.keys()], ['eeg']);
  const comparisons = compareModels(models, pairs);
  const find = (score: string, model: string, against: string) =>
    comparisons.find((one) => one.score === score && one.model === model && one.against === against)!;

  test('finds the better model in every score, the lower Brier score too', () => {
    for (const score of ['balancedAccuracy', 'auroc', 'auprc', 'brier']) {
      const one = find(score, 'eeg+ecg', 'eeg');
      expect([score, verdictOf(one)]).toEqual([score, 'better']);
      expect(Math.sign(one.difference.mean!)).toBe(score === 'brier' ? -1 : 1);
      expect(one.subjects.rankBiserial).toBeGreaterThan(0.5);
      expect(one.subjects.better).toBeGreaterThan(one.subjects.worse);
      expect(one.test.p).toBeLessThanOrEqual(one.test.adjusted!);
      expect(one.test).toMatchObject({ family: 1, question: 'fusion' });
      expect(find(score, 'eeg', 'classical-eeg').test).toMatchObject({ family: 2, question: 'classical' });
      expect(verdictOf(find(score, 'eeg', 'classical-eeg'))).toBe('worse');
      expect(verdictOf(find(score, 'eeg+ecg', 'classical-eeg'))).toBe('not shown');
    }
  });

  test('differences are those of the scores, with intervals around them', () => {
    const { mean, low, high } = find('auroc', 'eeg+ecg', 'eeg').difference;
    const whole = (name: string) => models.get(name)!.draws.mean('auroc').whole;
    expect(mean).toBeCloseTo(whole('eeg+ecg') - whole('eeg'), 12);
    expect(low).toBeLessThan(mean!);
    expect(high).toBeGreaterThan(mean!);
    expect(low).toBeGreaterThan(0);
  });

  test('a model against itself is no difference at all, whatever the number of seeds', () => {
    const same = new Map([
      ['eeg', known(simulate(8, [0.7]))],
      [
        'again',
        known({ ...simulate(8, [0.7]), probabilities: Array(3).fill(simulate(8, [0.7]).probabilities[0]!) }),
      ],
    ]);
    for (const { difference, subjects, test: made } of compareModels(same, [
      { model: 'eeg', against: 'again', kind: 'baseline' },
    ])) {
      expect(difference.mean).toBeCloseTo(0, 12);
      expect([subjects.better, subjects.worse, subjects.rankBiserial, made.p]).toEqual([0, 0, 0, 1]);
    }
  });

  test('says nothing of a test that four people cannot carry', () => {
    const few = new Map([
      ['eeg', known(simulate(4, [3]))],
      ['prior', known(simulate(4, [0.01], { name: 'prior' }))],
    ]);
    const [one] = compareModels(few, planPairs([...few.keys()], []));
    expect(one!.test).toEqual({
      ...{ p: null, adjusted: null, smallest: 1 / 8, family: 0, question: 'chance' },
    });
    expect(one!.subjects).toMatchObject({ count: 4, better: 4, worse: 0, rankBiserial: 1 });
    expect(one!.subjects.typical.level).toBe(0.875);
    expect(verdictOf(one!)).toBe('too few people');
    expect(describeComparison(one!, 4)).toMatch(
      /^eeg against prior: balanced accuracy \+\.\d{3} \((\+\.\d{3} ){3}\+\.\d{3}\) over all windows; within a person \+\.\d{3} on average, better on 4 and worse on 0 of 4 people$/,
    );
    expect(warnOfFewPeople([one!])).toBe(
      '4 test people are too few to show that a model is better: even one that is better on everyone has a p of 1/8. Read the differences as descriptions of these people.',
    );
    expect(warnOfFewPeople(comparisons)).toBeUndefined();
  });

  test('says where the number of comparisons asks too much of the people', () => {
    const one = find('auroc', 'eeg+ecg', 'eeg');
    const seven = {
      ...one,
      subjects: { ...one.subjects, count: 7, better: 7, worse: 0 },
      test: { p: 1 / 64, adjusted: 13 / 64, smallest: 1 / 64, family: 13 },
    };
    expect(verdictOf(seven)).toBe('too few people');
    expect(describeComparison(seven, 7)).toContain(
      'better on 7 and worse on 0 of 7 people; too few people for 13 comparisons; with 7 the smallest adjusted p is .203',
    );
    expect(describeComparison(find('auroc', 'eeg', 'classical-eeg'), 20)).toMatch(
      /; worse within people \(p (= \.0\d\d|< \.001) over 2 comparisons \(deep against classical\)\)$/,
    );
  });

  test('people of one class have no AUROC of their own and are left out of its test', () => {
    const tested = simulate(8, [1]);
    const oneClass = { ...tested, truth: tested.truth.map((label, i) => (i < 3 * windowsEach ? 1 : label)) };
    const few = new Map([
      ['eeg', known(oneClass)],
      ['prior', known({ ...oneClass, probabilities: simulate(8, [0.1]).probabilities })],
    ]);
    const by = Object.fromEntries(
      compareModels(few, planPairs([...few.keys()], [])).map((one) => [one.score, one.subjects.count]),
    );
    expect(by).toEqual({ balancedAccuracy: 8, auroc: 5, auprc: 8, brier: 8 });
  });
});

describe('describeTrust', () => {
  test('takes back a sharpness of four, better in every measure and no decision changed', () => {
    const sharp = simulate(30, [0.6, 0.6], { sharpness: 4 });
    const { calibration, abstention } = describeTrust(sharp, 2)!;
    const { temperatures, before, after } = calibration;
    expect(temperatures).toHaveLength(2);
    for (const temperature of temperatures) expect(Math.abs(temperature / 4 - 1)).toBeLessThan(0.35);
    expect(after.nll).toBeLessThan(before.nll!);
    expect(after.brier).toBeLessThan(before.brier!);
    expect(after.ece.mean).toBeLessThan(before.ece.mean! / 2);
    for (const { ece } of [before, after]) {
      expect(ece.low).toBeLessThanOrEqual(ece.mean!);
      expect(ece.high).toBeGreaterThanOrEqual(ece.mean!);
    }
    expect(before.reliability.reduce((sum, { count }) => sum + count, 0)).toBe(2 * 30 * windowsEach);
    // Decisions stay: the whole risk is one minus the accuracy.
    const accuracy = drawScores(sharp, 2).mean('accuracy').whole;
    expect(abstention.coverage.at(-1)).toBe(1);
    expect(abstention.risk.at(-1)).toBeCloseTo(1 - accuracy, 5);
    expect(abstention.aurc).toBeLessThan(1 - accuracy);
    for (const { goal, value, coverage, risk } of abstention.choices) {
      if (goal === 'coverage') expect(Math.abs(coverage - value)).toBeLessThan(0.1);
      else expect(Math.abs(risk! - value)).toBeLessThan(0.1);
    }
    const [most, , half] = abstention.choices;
    expect(half!.risk).toBeLessThan(most!.risk!);
  });

  test('fits every fold and seed on its own validation windows', () => {
    const fair = simulate(2, [0.6]);
    const sharp = simulate(2, [0.6], { sharpness: 4 });
    const parts = [fair, sharp].map(({ validation }, fold) => ({
      ...validation![0]!,
      rows: Array.from({ length: windowsEach }, (_, i) => fold * windowsEach + i),
    }));
    const { calibration } = describeTrust({ ...fair, validation: parts }, 2)!;
    expect(calibration.temperatures[1]! / calibration.temperatures[0]!).toBeCloseTo(4, 3);
  });

  test('stays silent where no threshold is good enough, and is absent without validation', () => {
    const { validation, ...none } = simulate(6, [0.6]);
    expect(describeTrust(none, 2)).toBeUndefined();
    const wrong = { ...validation![0]!, truth: Array.from(validation![0]!.truth, (label) => 1 - label) };
    const { abstention } = describeTrust({ ...none, validation: [wrong] }, 2)!;
    expect(abstention.choices.at(-1)).toEqual({
      ...{ goal: 'risk', value: 0.1, threshold: null, coverage: 0, risk: null, balancedAccuracy: null },
    });
  });

  test('a certain and wrong window costs much, but not infinitely much', () => {
    const tested = {
      truth: Int32Array.of(0, 1),
      subject: ['a', 'b'],
      probabilities: [Float64Array.of(0, 1, 0, 1)],
    };
    expect(describeCalibration(tested, 2).nll).toBeCloseTo(-Math.log(1e-12) / 2, 6);
  });
});

describe('describeSpread', () => {
  test('tells seeds that differ from seeds that do not', () => {
    const [same, different] = [
      [0.7, 0.7, 0.7, 0.7],
      [0.2, 0.5, 0.9, 1.4],
    ].map((skills) => {
      const one = known(simulate(24, skills));
      return { people: one.draws.mean('auroc'), ...describeSpread(one, 'auroc') };
    });
    expect(different!.seedDeviation).toBeGreaterThan(3 * same!.seedDeviation!);
    expect(different!.components.seed).toBeGreaterThan(different!.components.subject!);
    const width = ({ both }: { both: { low: number | null; high: number | null } }) => both.high! - both.low!;
    expect(width(different!)).toBeGreaterThan(2 * width(same!));
    expect(describeSpread(known(simulate(5, [0.5])), 'auroc')).toMatchObject({
      ...{ seedDeviation: null, components: { subject: null, seed: null, residual: null } },
    });
  });
});

describe('a whole result', () => {
  const result = resultOf(
    new Map([
      ['eeg', simulate(12, [0.5, 0.6], { name: 'eeg' })],
      ['ecg', simulate(12, [0.3, 0.3], { name: 'ecg' })],
      ['eeg+ecg', simulate(12, [1, 1.1])],
      ['prior', { ...simulate(12, [0.01], { name: 'prior' }), validation: [] }],
      ['classical-eeg', simulate(12, [0.5], { name: 'classical', sharpness: 3 })],
    ]),
  );
  const page = renderReport(result);
  const sections = new Map(
    [...parseHTML(page).document.querySelectorAll('section')].map((one) => [
      one.querySelector('h2')!.textContent,
      one,
    ]),
  );

  test('can be written and read, and an old one without the new parts still renders', () => {
    expect(parseResult(JSON.parse(JSON.stringify(result)))).toEqual(result);
    expect(Object.keys(result.calibration!)).toEqual(['eeg', 'ecg', 'eeg+ecg', 'classical-eeg']);
    expect(Object.keys(result.spread!)).toEqual(['eeg', 'ecg', 'eeg+ecg']);
    const { comparisons: _c, calibration: _t, abstention: _a, spread: _s, ...old } = result;
    const titles = [...parseHTML(renderReport(parseResult(old))).document.querySelectorAll('h2')].map(
      (title) => title.textContent,
    );
    expect(titles).toContain('Discrimination and calibration');
    for (const title of ['Comparisons', 'Calibration', 'Answering only when sure'])
      expect(titles).not.toContain(title);
    expect(renderScores(old)).not.toContain('against');
  });

  test('shows the comparisons in a table and in words, on the page and in the terminal', () => {
    const comparisons = sections.get('Comparisons')!;
    // In each score: eeg+ecg against eeg, and three models against two baselines.
    expect(comparisons.querySelectorAll('tbody td.text:last-child')).toHaveLength(4 * 7);
    const bullets = [...comparisons.querySelectorAll('li')].map((one) => one.textContent);
    expect(bullets).toHaveLength(comparisonsThatMatter(result).length);
    expect(bullets).toHaveLength(4);
    for (const bullet of bullets) expect(renderScores(result)).toContain(bullet!.slice(0, -1));
    expect(comparisons.querySelectorAll('.warning')).toHaveLength(0);
    expect(bullets.at(-1)).toMatch(/^eeg\+ecg against eeg: .* of 12 people; better within people \(p/);
  });

  test('draws everyone under every model and seed', () => {
    const chart = sections.get('Subjects')!.querySelector('svg')!;
    // Three models of two seeds and one of one, twelve people; the prior is not drawn.
    expect(chart.querySelectorAll('circle')).toHaveLength(12 * (3 * 2 + 1));
    expect(chart.textContent).toContain('p11, seed 2 of 2: ');
    const spread = [...sections.get('Subjects')!.querySelectorAll('h3 ~ div tbody tr')];
    expect(spread.map((row) => row.querySelector('th')!.textContent)).toEqual(['eeg', 'ecg', 'eeg+ecg']);
  });

  test('draws calibration before and after, and risk by coverage, with their tables', () => {
    const calibration = sections.get('Calibration')!;
    expect(calibration.querySelector('svg')!.textContent).toMatch(/before.*after/s);
    expect(calibration.querySelectorAll('tbody tr')).toHaveLength(4);
    const silence = sections.get('Answering only when sure')!;
    expect(silence.querySelectorAll('tbody tr')).toHaveLength(4);
    expect(silence.textContent).toContain('were chosen on 1 validation person: ');
    expect(silence.textContent).toContain('at most 10\u00a0% wrong');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('says that four people are too few, instead of a p', () => {
    const few = resultOf(
      new Map([
        ['eeg', simulate(4, [2])],
        ['prior', simulate(4, [0.01], { name: 'prior' })],
      ]),
    );
    const warned = renderReport(few);
    expect(warned).toContain('4 test people are too few');
    expect(renderScores(few)).toContain('has a p of 1/8');
    expect(warned).not.toContain('no difference shown');
  });
});
