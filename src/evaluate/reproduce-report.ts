/** A benchmark's result → one self-contained HTML page: no network, no script. */
import { type Html, html, join, raw } from './html.ts';
import { reportStyle } from './report-style.ts';
import type { Reproduction, ReproductionTable } from './reproduce-result.ts';
import {
  digits,
  formatInterval,
  hasTransductive,
  pairRows,
  protocolTitle,
  scoreTitles,
  shownScores,
  titleOf,
} from './reproduce-table.ts';

/** The page. */
export function renderReproduction(result: Reproduction): string {
  const { benchmark, dataset, created, command, data } = result;
  const targets = [...new Set(result.tables.map(({ target }) => target))];
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${benchmark}: heartmind reproduces</title>
<style>${raw(reportStyle)}</style>
</head>
<body>
<main>
<header>
<h1>${benchmark}</h1>
<p class="lead">${dataset.title}</p>
<dl class="facts">
<div><dt>windows</dt><dd>${data.windows} in ${data.trials} trials of ${data.subjects} people</dd></div>
<div><dt>command</dt><dd>${command}</dd></div>
<div><dt>made</dt><dd>${created.slice(0, 16).replace('T', ' ')} UTC</dd></div>
</dl>
${join(result.notes.map((note) => html`<p class="note">${note}</p>`))}
</header>
${join(targets.map((target) => targetSection(result, target)))}
${about(result)}
</main>
</body>
</html>
`);
}

function targetSection(result: Reproduction, target: string): Html {
  const tables = result.tables.filter((table) => table.target === target);
  const counts = Object.entries(result.data.classes[target] ?? {}).map(([name, count]) => `${count} ${name}`);
  return html`<section>
<h2>${target}</h2>
<p>${counts.join(', ')} windows. Per window; means over seeds, 95 % intervals by drawing ${[...new Set(tables.map(({ drawn }) => drawn))].join(' or ')} again.</p>
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
  const body = pairRows(table).map((pair) => {
    const cells = columns.flatMap((column) =>
      scores.map((score) => {
        const row = pair[column];
        return html`<td>${row ? formatInterval(row.windows[score]) : ''}</td>`;
      }),
    );
    const trial = pair.inductive ? formatInterval(pair.inductive.trials.auroc) : '–';
    const within = digits(pair.inductive?.aurocWithinSubjects ?? null);
    return html`<tr><th scope="row">${pair.model}<br><span class="small">${titleOf(pair.model)}</span></th>${join(cells)}<td>${trial}</td><td>${within}</td></tr>`;
  });
  return html`<h3>${protocolTitle(table)}</h3>
${leaky ? html`<p class="warning">Windows of one trial stand on both sides: these scores tell that trials can be recognised, not what people felt. Leaky, for comparison with published numbers.</p>` : ''}
<p class="small">${description}. ${folds} folds; tested: ${tested.windows} windows in ${tested.trials} trials of ${tested.subjects} people; intervals by ${drawn}.</p>
<div class="scroll"><table>
<thead><tr><th>model</th>${join(columns.flatMap((column) => scores.map((score) => html`<th>${scoreTitles[score]}${titles[column]!}</th>`)))}<th>AUROC per trial</th><th>AUROC within people</th></tr></thead>
<tbody>${join(body)}</tbody></table></div>`;
}

function publishedTable({ published }: Reproduction, target: string): Html {
  const own = published.filter((figure) => figure.target === target);
  if (own.length === 0) return html``;
  const rows = own.map(
    ({ model, protocol, scores, source }) =>
      html`<tr><th scope="row">${model}</th><td class="text">${protocol ?? 'not told'}</td><td class="text">${Object.entries(
        scores,
      )
        .map(([name, value]) => `${scoreTitles[name as keyof typeof scoreTitles] ?? name} ${digits(value)}`)
        .join(', ')}</td><td class="text">${source}</td></tr>`,
  );
  return html`<h3>Published</h3>
<div class="scroll"><table><thead><tr><th>model</th><th class="text">protocol</th><th class="text">scores</th><th class="text">source</th></tr></thead><tbody>${join(rows)}</tbody></table></div>`;
}

function about({ dataset, data, encoders, versions, seconds, recipe, tuned }: Reproduction): Html {
  const facts = {
    ...versions,
    'data sha256': dataset.hash.slice(0, 16),
    ...Object.fromEntries(
      Object.entries(encoders).map(([modality, { source, layers, sha256 }]) => [
        `${modality} encoder`,
        `${source}, ${layers} layers, ${tuned ? 'tuned' : 'frozen'}, ${sha256.slice(0, 16)}`,
      ]),
    ),
    ...Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, `${Math.round(value)} s`])),
  };
  return html`<section><h2>How it was made</h2>
<p>${dataset.title}. ${dataset.citation} Licence: ${dataset.licence}.</p>
<dl class="facts">${join(Object.entries(facts).map(([key, value]) => html`<div><dt>${key}</dt><dd>${value}</dd></div>`))}</dl>
<h3>Left out, and what to know</h3>
${
  data.dropped.length === 0
    ? html`<p>Nothing was left out.</p>`
    : html`<div class="scroll"><table><thead><tr><th>what</th><th class="text">why</th><th>count</th><th class="text">for example</th></tr></thead><tbody>${join(
        data.dropped.map(
          ({ what, reason, count, examples }) =>
            html`<tr><th scope="row">${what}</th><td class="text">${reason}</td><td>${count}</td><td class="text">${examples.join(', ')}</td></tr>`,
        ),
      )}</tbody></table></div>`
}
<details><summary>recipe</summary><pre>${JSON.stringify(recipe, null, 2)}</pre></details></section>`;
}
