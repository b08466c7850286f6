/** The report's sections on which model is better, for whom, and how much of it is luck. */
import { differenceChart, stripChart } from './charts-statistics.ts';
import {
  comparisonsThatMatter,
  describeComparison,
  describeFamily,
  explainVerdict,
  probability,
  scoreTitles,
  signed,
  verdictOf,
  warnOfFewPeople,
} from './comparison-words.ts';
import { type Html, html, join, raw } from './html.ts';
import { chanceOf, digits, dot, figure, legend, percent, shownModels, spreadLine } from './report-parts.ts';
import type { Comparison, Result, Spread } from './result.ts';
import { countTested, explainSpread, hasInterval, spreadOfDifference } from './score-spread.ts';

/** The score that is drawn and stands first. */
const mainScore = 'balancedAccuracy';

/** Each deep model against the others; nothing where a result holds no comparisons. */
export function comparisons(result: Result): Html {
  const all = result.comparisons ?? [];
  const own = all.filter(({ score }) => score === mainScore);
  if (own.length === 0) return html``;
  const warning = warnOfFewPeople(own);
  const tested = countTested(result);
  const others = [...new Set(all.map(({ score }) => score))].filter((score) => score !== mainScore);
  return html`<section>
<h2>Comparisons</h2>
${warning === undefined ? '' : html`<p class="warning">${warning}</p>`}
<p>${explainColumns({ tested })}</p>
<ul>${join(comparisonsThatMatter(result).map((one) => html`<li>${describeComparison(one, tested)}.</li>`))}</ul>
${figure(
  raw(differenceChart(own, scoreTitles[mainScore]!, tested)),
  `Right of the line: the deep model is better over all windows. ${explainMarks(tested)}`,
)}
<h3>${scoreTitles[mainScore]!}</h3>
${comparisonTable(own, { tested })}
${join(
  others.map(
    (score) =>
      html`<details><summary>${scoreTitles[score] ?? score}${score === 'brier' ? ' (less is better)' : ''}</summary>${comparisonTable(
        all.filter((one) => one.score === score),
        { tested },
      )}</details>`,
  ),
)}
</section>`;
}

/** What the thin marks of a chart of differences are. */
export function explainMarks(tested: number, units: 'people' | 'stimuli' = 'people'): string {
  if (hasInterval(tested)) return `Lines: 95 % intervals, the same ${units} drawn again for both.`;
  return `Small dots: the difference within each of the tested ${units}, too few for an interval.`;
}

/** What the columns of `comparisonTable` are; `units` are what is drawn again, and how many were tested. */
export function explainColumns({
  tested,
  units = 'people',
  together = '',
}: {
  readonly tested: number;
  readonly units?: 'people' | 'stimuli';
  readonly together?: string;
}): Html {
  const [one, byOne] =
    units === 'people' ? ['person', 'person by person'] : ['stimulus', 'stimulus by stimulus'];
  return html`Two differences, which may disagree. <em>Over all windows</em>: of the score that the tables show, in which windows of different ${units} are pooled; mean over the seeds; ${explainSpread(tested, { drawn: units })}. <em>Within a ${one}</em>: of the score in each ${one} alone, mean over the ${units}; the tests are of this one. <em>${units}</em>: in how many the first is better and worse. <em>r</em>: from −1, worse in all, to 1, better in all, large differences counting more. <em>p</em>: how often differences within a ${one} as large come about where both models are equally good, from swapping the two ${byOne}; <em>adjusted</em>: over the <em>family</em>, the comparisons of one score that answer the same question${together} (Holm). “–”: not tested. Models of overlapping folds share training data, which the test, as all such tests, leaves aside.`;
}

/** A row a comparison, by kind; `units` are what is drawn again. */
export function comparisonTable(
  rows: readonly Comparison[],
  {
    tested,
    single = 'the better single modality',
    units = 'people',
  }: { readonly tested: number; readonly single?: string; readonly units?: string },
): Html {
  const one = units === 'people' ? 'person' : 'stimulus';
  const kinds = ['first rung', 'single modality', 'baseline', 'transductive baseline'] as const;
  const titles = {
    'first rung': 'against the first rung of the ladder',
    'single modality': `against ${single}`,
    baseline: 'against baselines on equal terms',
    'transductive baseline': 'against baselines that see all of a person at once',
  };
  return html`<div class="scroll"><table class="comparisons"><thead><tr><th>model</th><th class="text">against</th><th>difference over all windows</th><th>difference within a ${one}</th><th>${units}</th><th>r</th><th>p, ${one} by ${one}</th><th>adjusted</th><th class="text">family</th><th class="text">in words</th></tr></thead>
${join(
  kinds.flatMap((kind) => {
    const own = rows.filter((row) => row.kind === kind);
    return own.length === 0
      ? []
      : [
          html`<tbody><tr><th colspan="10" class="group">${titles[kind]}</th></tr>${join(own.map((row) => comparisonRow(row, tested)))}</tbody>`,
        ];
  }),
)}</table></div>`;
}

function comparisonRow(row: Comparison, tested: number): Html {
  const { model, against, difference, subjects, test } = row;
  const p = (value: number | null) => (value === null ? '–' : probability(value).replace('= ', ''));
  const verdict = verdictOf(row);
  const words = explainVerdict(row);
  return html`<tr><th scope="row">${dot(model)}${model}</th><td class="text">${against}</td><td><strong>${signed(difference.mean)}</strong>${spreadLine(spreadOfDifference(row), tested, signed)}</td><td>${signed(subjects.mean)}</td><td>${subjects.better} : ${subjects.worse}<br><span class="small">of ${subjects.count}</span></td><td>${signed(subjects.rankBiserial)}</td><td>${p(test.p)}</td><td>${p(test.adjusted)}</td><td class="text">${test.adjusted === null ? '–' : describeFamily(test)}</td><td class="text">${verdict === 'better' || verdict === 'worse' ? html`<strong>${verdict}</strong>` : words}</td></tr>`;
}

/** Everyone under every model. */
export function subjects(result: Result): Html {
  const shown = shownModels(result.details);
  const models = Object.keys(shown);
  const people = Object.values(shown)[0]?.perSubject ?? [];
  const mean = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const score = (model: string, i: number) => {
    const one = shown[model]!.perSubject[i];
    return one === undefined ? null : mean(one.bySeed ?? [one.balancedAccuracy]);
  };
  const isOfSeeds = people.some(({ bySeed }) => bySeed !== undefined);
  const rows = people.map(
    ({ subject, windows }, i) =>
      html`<tr><th scope="row">${subject}</th><td>${windows}</td>${join(
        models.map((model) => html`<td>${digits(score(model, i))}</td>`),
      )}</tr>`,
  );
  const means = models.map(
    (model) => html`<td><strong>${digits(mean(people.map((_, i) => score(model, i))))}</strong></td>`,
  );
  return html`<section>
<h2>Subjects</h2>
${legend(models)}
${figure(
  raw(stripChart(shown, chanceOf(result))),
  isOfSeeds
    ? 'Balanced accuracy within each tested subject: a dot for every seed, a line for every subject through the means over the seeds; dashed: chance.'
    : 'Balanced accuracy within each tested subject, first seed; a line for every subject; dashed: chance.',
)}
<details><summary>As a table</summary><div class="scroll"><table><thead><tr><th>subject</th><th>windows</th>${join(models.map((model) => html`<th>${model}</th>`))}</tr></thead>
<tbody>${join(rows)}<tr><th scope="row">mean over subjects</th><td></td>${join(means)}</tr></tbody></table></div></details>
${spread(result)}
</section>`;
}

/** How much of a score is the seed, how much the people. */
function spread(result: Result): Html {
  const { spread: by = {}, models, seeds } = result;
  const isEnough = hasInterval(countTested(result));
  const rows = Object.entries(by).flatMap(([model, scores]) => {
    const one = scores[mainScore];
    return one ? [{ model, one }] : [];
  });
  if (rows.length === 0) return html``;
  return html`<h3>Seeds or people?</h3>
<p>Balanced accuracy of ${seeds.length} trainings that differ in nothing but the seed. Shares: where the variance of one person's score in one training comes from.</p>
<div class="scroll"><table><thead><tr><th>model</th><th>SD over seeds</th>${isEnough ? html`<th>95 % interval, people drawn again</th><th>people and seeds drawn again</th>` : ''}<th>share: who is tested</th><th>share: the seed</th><th>share: who suits which seed</th></tr></thead><tbody>${join(
    rows.map(({ model, one }) => {
      const people = models[model]?.[mainScore];
      const shares = sharesOf(one);
      return html`<tr><th scope="row">${dot(model)}${model}</th><td>${digits(one.seedDeviation)}</td>${isEnough ? html`<td>${digits(people?.low)}–${digits(people?.high)}</td><td>${digits(one.both.low)}–${digits(one.both.high)}</td>` : ''}${join(shares.map((share) => html`<td>${percent(share)}</td>`))}</tr>`;
    }),
  )}</tbody></table></div>`;
}

/** Of subject, seed and residual in their sum; null where there is no variance or not enough to tell. */
function sharesOf({ components: { subject, seed, residual } }: Spread): (number | null)[] {
  const variances = [subject, seed, residual].map((deviation) =>
    deviation === null ? null : deviation ** 2,
  );
  const total = variances.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  return variances.map((value) => (value === null || total === 0 ? null : value / total));
}
