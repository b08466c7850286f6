/** A benchmark's result → one self-contained HTML page: no network, no script. */
import { differenceChart } from './charts-statistics.ts';
import { type Html, html, join, raw } from './html.ts';
import { comparisonTable, explainColumns, explainMarks } from './report-comparisons.ts';
import { figure, spreadLine } from './report-parts.ts';
import { aboutSection, benchmarkPage, publishedTable } from './reproduce-page.ts';
import type { Reproduction, ReproductionTable } from './reproduce-result.ts';
import {
  countUnits,
  digits,
  hasTransductive,
  pairRows,
  protocolTitle,
  scoreTitles,
  shownScores,
  titleOf,
} from './reproduce-table.ts';
import { explainSpread, type SpreadScore, warnOfNoInterval } from './score-spread.ts';

/** The page. */
export function renderReproduction(result: Reproduction): string {
  const { data, tables } = result;
  const targets = [...new Set(tables.map(({ target }) => target))];
  return benchmarkPage(result, `${data.windows} in ${data.trials} trials of ${data.subjects} people`, [
    ...targets.map((target) => targetSection(result, target)),
    aboutSection(result, data.dropped),
  ]);
}

function targetSection(result: Reproduction, target: string): Html {
  const tables = result.tables.filter((table) => table.target === target);
  const counts = Object.entries(result.data.classes[target] ?? {}).map(([name, count]) => `${count} ${name}`);
  return html`<section>
<h2>${target}</h2>
<p>${counts.join(', ')} windows. Per window, over all windows pooled; means over seeds.</p>
${join(tables.map((table) => protocolTable(result, table)))}
${publishedTable(result, target)}
</section>`;
}

function protocolTable(result: Reproduction, table: ReproductionTable): Html {
  const scores = shownScores(result);
  const columns = hasTransductive(result)
    ? (['inductive', 'transductive'] as const)
    : (['inductive'] as const);
  const titles: Record<string, string> = {
    inductive: '',
    transductive: ', label-free, standardised per subject (transductive)',
  };
  const { tested, folds, drawn, description, leaky } = table;
  const units = countUnits(table);
  const warning = warnOfNoInterval(units);
  const body = pairRows(table).map((pair) => {
    const cells = columns.flatMap((column) =>
      scores.map((score) => {
        const row = pair[column];
        return html`<td>${row ? intervalCell(row.windows[score], units) : ''}</td>`;
      }),
    );
    const trial = pair.inductive ? intervalCell(pair.inductive.trials.auroc, units) : '–';
    const within = digits(pair.inductive?.aurocWithinSubjects ?? null);
    return html`<tr><th scope="row">${pair.model}<br><span class="small">${titleOf(pair.model)}</span></th>${join(cells)}<td>${trial}</td><td>${within}</td></tr>`;
  });
  return html`<h3>${protocolTitle(table)}</h3>
${leaky ? html`<p class="warning">Windows of one trial stand on both sides: these scores tell that trials can be recognised, not what people felt. Leaky, for comparison with published numbers.</p>` : ''}
<p class="small">${description}. ${folds} folds; tested: ${tested.windows} windows in ${tested.trials} trials of ${tested.subjects} people; ${explainSpread(units, { drawn: drawn === 'stimuli' ? 'stimuli' : 'people' })}.</p>
${warning === undefined ? '' : html`<p class="warning">${warning}</p>`}
<div class="scroll"><table>
<thead><tr><th>model</th>${join(columns.flatMap((column) => scores.map((score) => html`<th>${scoreTitles[score]}${titles[column]!}</th>`)))}<th>AUROC per trial</th><th>AUROC within people</th></tr></thead>
<tbody>${join(body)}</tbody></table></div>
${comparisonPart(table)}`;
}

/** The spread on a line of its own. */
function intervalCell(score: SpreadScore, units: number): Html {
  return html`${digits(score.mean)}${score.mean === null ? '' : spreadLine(score, units)}`;
}

/** Who is better than whom; nothing where no two rows are compared. */
function comparisonPart(table: ReproductionTable): Html {
  const { comparisons, drawn } = table;
  const tested = countUnits(table);
  const own = comparisons.filter(({ score }) => score === 'auroc');
  if (own.length === 0) return html``;
  const units = drawn === 'stimuli' ? 'stimuli' : 'people';
  const parts = (['auroc', 'balancedAccuracy'] as const).map((score) => {
    const rows = comparisons.filter((one) => one.score === score);
    return html`<h4>${scoreTitles[score]}</h4>${comparisonTable(rows, { single: 'each signal alone', units, tested })}`;
  });
  return html`${figure(
    raw(differenceChart(own, scoreTitles.auroc, tested)),
    `Right of the line: the first is better over all windows. ${explainMarks(tested, units)}`,
  )}
<details><summary>Comparisons</summary>
<p class="small">${explainColumns({ units, tested, together: ' under this protocol, all targets together' })}</p>
${join(parts)}</details>`;
}
