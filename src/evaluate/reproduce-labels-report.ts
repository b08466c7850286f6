/** The result of a benchmark of several labels → one self-contained HTML page: no network, no script. */
import { type Html, html, join } from './html.ts';
import type { LabelBlock, LabelReproduction } from './reproduce-labels-result.ts';
import {
  blockTitle,
  differenceCells,
  labelModelTitle,
  rowsAt,
  shareCells,
} from './reproduce-labels-table.ts';
import { aboutSection, benchmarkPage, publishedTable } from './reproduce-page.ts';
import { formatInterval } from './reproduce-table.ts';
import { explainSpread } from './score-spread.ts';

/** The page. */
export function renderLabelReproduction(result: LabelReproduction): string {
  const { data, target, tested, protocol } = result;
  const labels = Object.entries(tested.labels).map(([name, count]) => `${count} ${name}`);
  const [differences, shares] = [differenceCells(result), shareCells(result)];
  return benchmarkPage(result, `${data.windows} of ${data.subjects} people`, [
    html`<section>
<h2>${target}</h2>
<p>${protocol}. Tested: ${tested.windows} windows of ${tested.subjects} people (${labels.join(', ')}). AUROC, macro over the labels and of each; means over seeds; ${explainSpread(tested.subjects, { also: ' and seeds' })}.</p>
${join(result.blocks.map((block) => blockTable(block, Object.keys(tested.labels), tested.subjects)))}
${publishedTable(result, target)}
</section>`,
    ...(differences.rows.length === 0
      ? []
      : [
          html`<section><h2>Differences</h2>
<p>People drawn again for both, seeds of each; p is of the same macro AUROC over all people, from the same draws. Holm's p is adjusted over the choices of leads that answer one question with all labels.</p>
${cellTable(differences)}</section>`,
        ]),
    ...(shares.rows.length === 0
      ? []
      : [
          html`<section><h2>Fewer labels</h2>
<p>Labels of a share of the training people alone; who they are is drawn by the seed.</p>
${cellTable(shares)}</section>`,
        ]),
    aboutSection(result, data.dropped),
  ]);
}

function blockTable(block: LabelBlock, labels: readonly string[], people: number): Html {
  const body = rowsAt(block, 1).map(({ model, auroc, labels: own }) => {
    const cells = labels.map((name) => {
      const label = own.find((one) => one.name === name);
      return html`<td>${label ? formatInterval(label.auroc, people) : ''}</td>`;
    });
    return html`<tr><th scope="row">${model}<br><span class="small">${labelModelTitle(model)}</span></th><td>${formatInterval(auroc, people)}</td>${join(cells)}</tr>`;
  });
  return html`<h3>${blockTitle(block)}</h3>
<div class="scroll"><table>
<thead><tr><th>model</th><th>macro AUROC</th>${join(labels.map((name) => html`<th>${name}</th>`))}</tr></thead>
<tbody>${join(body)}</tbody></table></div>`;
}

function cellTable({
  header,
  rows,
}: {
  readonly header: readonly string[];
  readonly rows: readonly string[][];
}): Html {
  const head = header.map((cell, i) =>
    i < 2 ? html`<th class="text">${cell}</th>` : html`<th>${cell}</th>`,
  );
  const body = rows.map(
    (row) =>
      html`<tr>${join(row.map((cell, i) => (i < 2 ? html`<td class="text">${cell}</td>` : html`<td>${cell}</td>`)))}</tr>`,
  );
  return html`<div class="scroll"><table><thead><tr>${join(head)}</tr></thead><tbody>${join(body)}</tbody></table></div>`;
}
