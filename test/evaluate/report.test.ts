import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import { renderReport } from '../../src/evaluate/report.ts';
import { parseResult, type Result } from '../../src/evaluate/result.ts';
import { makeResult, makeTraining } from './results.ts';

const parse = (page: string) => parseHTML(page).document;
/** Text with every run of white space as one blank. */
const textOf = (element: { textContent: string | null } | null) =>
  (element?.textContent ?? '').replace(/\s+/g, ' ').trim();

/** The section with this heading. */
function section(page: string, heading: string) {
  return [...parse(page).querySelectorAll('section')].find(
    (one) => textOf(one.querySelector('h2')) === heading,
  );
}

const headings = (page: string) => [...parse(page).querySelectorAll('h2')].map(textOf);

/** The same result as of so many people. */
function withPeople(count: number): Result {
  const result = makeResult();
  for (const details of Object.values(result.details))
    details.perSubject = Array.from({ length: count }, (_, i) => ({
      ...details.perSubject[i % 2]!,
      subject: `person ${i}`,
    }));
  return result;
}

describe('the report', () => {
  const page = renderReport(makeResult());

  test('shows name, data, protocol, seeds, notes and what made it', () => {
    const header = textOf(parse(page).querySelector('header'));
    expect(header).toContain('A small study The tiny dataset: state (calm / stress)');
    expect(header).toContain('2-fold by subject');
    expect(header).toContain('81 of 2 subjects');
    expect(header).toContain('3, 4');
    expect(header).toContain('2026-02-03 04:05 UTC');
    expect(header).toContain('One encoder has seen the tested subjects.');
    expect(textOf(parse(page).querySelector('title'))).toBe('A small study: heartmind report');
    const made = textOf(section(page, 'How it was made')!);
    for (const fact of ['heartmind0.1.0', '0123456789abcdef', 'evaluate61 s', '"rateHz": 200'])
      expect(made).toContain(fact);
  });

  test('has the scores with their intervals, per window and per trial, and – for what is not defined', () => {
    const [windows, trials] = [...section(page, 'Scores')!.querySelectorAll('table')];
    const cells = (row: Element | null | undefined) => [...row!.querySelectorAll('td')].map(textOf);
    const rows = [...windows!.querySelectorAll('tbody tr')];
    // Two people were tested: no interval, but the person in whom the score is defined.
    expect(cells(rows[0]).slice(0, 2)).toEqual(['.876(.625)', '.500']);
    expect(textOf(rows[1]!.querySelector('th'))).toContain('eeg+ecg');
    expect(cells(rows[1])[0]).toBe('.750(.625)');
    expect(cells(rows[2])[1]).toBe('–');
    expect(cells(trials!.querySelector('tbody tr'))[0]).toBe('.432');
    const many = renderReport(withPeople(12));
    const first = section(many, 'Scores')!.querySelector('tbody tr');
    expect(cells(first).slice(0, 2)).toEqual(['.876[.765, .987]', '.500[.500, .500]']);
  });

  test('has the confusion with shares of the true class', () => {
    const table = section(page, 'Confusion')!.querySelector('table');
    expect([...table!.querySelectorAll('td')].map(textOf)).toEqual([
      ...['3073 %', '1127 %'], // 30 and 11 of 41
      ...['1024 %', '3176 %'], // 10 and 31 of 41
    ]);
  });

  test('has the subjects with their mean over those that have a score', () => {
    const rows = [...section(page, 'Subjects')!.querySelectorAll('tbody tr')].map(textOf);
    expect(rows).toEqual(['anna40– –', 'ben41.625 .625', 'mean over subjects.625 .625']);
  });

  test('has the last reconstruction error beside the trivial ones', () => {
    const row = section(page, 'Pre-training')!.querySelector('tbody tr');
    expect(textOf(row)).toBe('intra0.3450.900–');
  });

  test('says what was left out, why, and an example', () => {
    const row = section(page, 'Data')!.querySelector('tbody tr');
    expect(textOf(row)).toBe('windowflat Fz7trial 1 at 3 s');
    expect(textOf(section(page, 'Data')!)).toContain(
      '81 windows of 2 subjects in 4 trials: 40 calm, 41 stress.',
    );
    expect(textOf(section(page, 'Data')!)).toContain(
      'fold 1 of 2: train 40 windows of anna; validation 41 of carla; test 42 of ben.',
    );
  });

  test('draws a chart with a mark for every model that has a score', () => {
    const chart = section(page, 'Scores')!.querySelector('svg')!;
    // Three models, and the one person in whom two of them have a score.
    expect(chart.querySelectorAll('circle')).toHaveLength(3 + 2);
    const many = section(renderReport(withPeople(12)), 'Scores')!.querySelector('svg')!;
    expect(many.querySelectorAll('circle')).toHaveLength(3);
    expect(many.getAttribute('aria-label')).toContain('95 % intervals');
    expect(chart.getAttribute('aria-label')).not.toContain('95 %');
    expect(textOf(chart)).toContain('eeg+ecg');
    expect(chart.getAttribute('aria-label')).toContain('balanced accuracy');
  });

  test('names every epoch once on the axis of a short training', () => {
    const chart = section(page, 'Fine-tuning')!.querySelector('figure')!;
    const ticks = chart.querySelector('[aria-label="x-axis tick label"]')!;
    expect([...ticks.querySelectorAll('text')].map(textOf)).toEqual(['1', '2']);
  });

  test('needs no network and runs nothing', () => {
    const document = parse(page);
    for (const tag of ['script', 'img', 'link', 'iframe', 'object', 'embed', 'image', 'use', 'foreignObject'])
      expect([tag, document.querySelectorAll(tag).length]).toEqual([tag, 0]);
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^(on|src$|href$|xlink:href$|action$)/i);
        if (!name.startsWith('xmlns'))
          expect(value).not.toMatch(/https?:|javascript:|url\(\s*['"]?[^#'"\s]/i);
      }
    }
    const styles = [...document.querySelectorAll('style')].map((style) => style.textContent).join('\n');
    expect(styles).toContain('--eeg');
    expect(styles).not.toMatch(/url\(|@import|https?:/i);
    expect(
      document.querySelector('meta[http-equiv="Content-Security-Policy"]')!.getAttribute('content'),
    ).toContain("default-src 'none'");
  });

  test('warns where windows of one person are on both sides', () => {
    const leaky = { ...makeResult(), protocol: 'segment-random, 5 folds (leaky, …)' };
    expect(parse(renderReport(leaky)).querySelectorAll('header .warning')).toHaveLength(1);
    expect(parse(page).querySelectorAll('header .warning')).toHaveLength(0);
  });

  test('of a training alone has no scores', () => {
    expect(headings(renderReport(makeTraining()))).toEqual(['Data', 'How it was made']);
    const trained = { ...makeTraining(), curves: makeResult().curves };
    expect(headings(renderReport(trained))).toEqual([
      'Pre-training',
      'Fine-tuning',
      'Data',
      'How it was made',
    ]);
    expect(renderReport(makeTraining())).toContain('Nothing was left out.');
  });

  test('of three classes has every class and no ROC', () => {
    const three = renderReport(makeResult(['low', 'middle', 'high']));
    const confusion = section(three, 'Confusion')!;
    expect([...confusion.querySelector('table')!.querySelectorAll('tbody th')].map(textOf)).toEqual([
      'low',
      'middle',
      'high',
    ]);
    expect(confusion.querySelector('table')!.querySelectorAll('td')).toHaveLength(9);
    expect(three).not.toContain('ROC for');
    expect(page).toContain('ROC for &#39;stress&#39;');
  });

  test('renders scores that are all undefined', () => {
    const nothing = { mean: null, low: null, high: null };
    const result = makeResult();
    const undefinedScores = renderReport({
      ...result,
      models: { eeg: { balancedAccuracy: nothing, auroc: nothing } },
      trials: { eeg: {} },
      details: {
        eeg: {
          ...result.details.eeg!,
          confusion: [
            [0, 0],
            [0, 0],
          ],
          perSubject: [],
          reliability: [],
        },
      },
      curves: [{ name: 'pre-train eeg', rows: [{ epoch: 1, trainLoss: null, loss: null }], bestEpoch: null }],
    });
    const cells = [...section(undefinedScores, 'Scores')!.querySelectorAll('td')].map(textOf);
    expect(new Set(cells)).toEqual(new Set(['–']));
    expect(undefinedScores).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('hostile strings', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</style><script>alert(1)</script>',
    '</pre></svg><iframe>',
    '&lt;b&gt; & &amp;',
    ']]><!-- -->',
  ];

  test.each(hostile)('%j stays text in every field, in tables and charts', (bad) => {
    // The field's own name keeps names apart that must differ.
    const page = renderReport(makeResult(['calm', 'stress'], (field) => `${field}${bad}`));
    const document = parse(page);
    for (const tag of ['script', 'img', 'iframe', 'b'])
      expect([tag, document.querySelectorAll(tag).length]).toEqual([tag, 0]);
    for (const element of document.querySelectorAll('*'))
      for (const { name } of element.attributes) expect(name).not.toMatch(/^(on|src$)/i);
    // As many elements as without it: nothing was closed early or opened.
    const plain = parse(renderReport(makeResult()));
    expect(document.querySelectorAll('body *').length).toBe(plain.querySelectorAll('body *').length);
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<img');
    const everything = document.body.textContent!;
    for (const field of [
      'A small study',
      'The tiny dataset',
      'CC0',
      'Someone, 2026.',
      'state',
      '2-fold by subject',
    ])
      expect(everything).toContain(field + bad);
    for (const field of ['fold 1 of 2', 'carla', 'custom model', 'flat Fz', 'trial 1 at 3 s', 'eeg-seed3'])
      expect(everything).toContain(field + bad);
    expect(everything).toContain(`One encoder has seen the tested subjects.${bad}`);
    expect(everything).toContain(JSON.stringify(`Fz${bad}`));
    const charts = [...document.querySelectorAll('figure')].map((figure) => figure.textContent).join('\n');
    for (const field of ['custom model', 'ben', 'I', 'II', 'kind']) expect(charts).toContain(field + bad);
    expect(document.querySelector('title')!.textContent).toContain(`A small study${bad}`);
    const labels = [...document.querySelectorAll('svg')].map((svg) => svg.getAttribute('aria-label'));
    expect(labels.some((label) => label?.includes(`intra${bad}`))).toBe(true);
  });
});

describe('parseResult', () => {
  test('gives back what was written', () => {
    const result = makeResult();
    expect(parseResult(JSON.parse(JSON.stringify(result)))).toEqual(result);
    const training = makeTraining();
    expect(parseResult(JSON.parse(JSON.stringify(training)))).toEqual(training);
  });

  const messageOf = (change: (result: Record<string, unknown> & Result) => void) => {
    const result = JSON.parse(JSON.stringify(makeResult()));
    change(result);
    try {
      parseResult(result, 'my.json');
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return `${(error as ConfigError).key} | ${(error as Error).message}`;
    }
    return 'accepted';
  };

  test('names a key that is unknown, missing, or of a wrong type', () => {
    expect(
      messageOf((result) => {
        result.wnidows = 3;
      }),
    ).toMatch(/^my\.json\.wnidows \| my\.json\.wnidows: this key is unknown. Did you mean 'windows'\?/);
    expect(
      messageOf((result) => {
        Object.assign(result.dataset, { title: 7 });
      }),
    ).toMatch(/^my\.json\.dataset\.title \| my\.json\.dataset\.title: 7 is not allowed\./);
    expect(
      messageOf((result) => {
        Object.assign(result.models.eeg!, { auroc: { mean: 'high', low: 0, high: 1 } });
      }),
    ).toMatch(/^my\.json\.models\.eeg\.auroc\.mean \| .*"high" is not allowed/);
    expect(
      messageOf((result) => {
        Reflect.deleteProperty(result, 'protocol');
      }),
    ).toBe('my.json.protocol | my.json.protocol: is missing. Give a string.');
    expect(
      messageOf((result) => {
        Object.assign(result, { version: 2 });
      }),
    ).toMatch(/^my\.json\.version \| my\.json\.version: 2 is not allowed/);
  });
});

test('every element that the page opens is closed, charts with legends included', () => {
  const page = renderReport(makeResult());
  const body = page.slice(page.indexOf('<html')).replace(/<style>[\s\S]*?<\/style>/g, '');
  const open: string[] = [];
  for (const [, closing, name, end] of body.matchAll(/<(\/?)([a-z][\w-]*)\b[^>]*?(\/?)>/gi)) {
    if (end === '/' || ['br', 'meta'].includes(name!)) continue;
    if (closing) expect(open.pop()).toBe(name);
    else open.push(name!);
  }
  expect(open).toEqual([]);
});
