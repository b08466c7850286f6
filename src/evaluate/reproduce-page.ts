/** What the pages of all benchmarks share: head, published figures, how it was made. */
import type { z } from 'zod';
import { type Html, html, join, raw } from './html.ts';
import { reportStyle } from './report-style.ts';
import type { droppedSchema, Reproduction } from './reproduce-result.ts';
import { digits, scoreTitles } from './reproduce-table.ts';

/** What every result says besides its tables. */
export type ReproductionFacts = Omit<Reproduction, 'tables' | 'data'>;

/** One self-contained page; `data` says in words what was read. */
export function benchmarkPage(
  { benchmark, dataset, created, command, notes }: ReproductionFacts,
  data: string,
  sections: readonly Html[],
): string {
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
<div><dt>windows</dt><dd>${data}</dd></div>
<div><dt>command</dt><dd>${command}</dd></div>
<div><dt>made</dt><dd>${created.slice(0, 16).replace('T', ' ')} UTC</dd></div>
</dl>
${join(notes.map((note) => html`<p class="note">${note}</p>`))}
</header>
${join(sections)}
</main>
</body>
</html>
`);
}

/** What papers report on a target; nothing where none is known. */
export function publishedTable({ published }: Pick<Reproduction, 'published'>, target: string): Html {
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

/** Versions, weights, times, what was left out, the recipe. */
export function aboutSection(
  { dataset, encoders, versions, seconds, recipe, tuned }: ReproductionFacts,
  dropped: z.infer<typeof droppedSchema>,
): Html {
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
  dropped.length === 0
    ? html`<p>Nothing was left out.</p>`
    : html`<div class="scroll"><table><thead><tr><th>what</th><th class="text">why</th><th>count</th><th class="text">for example</th></tr></thead><tbody>${join(
        dropped.map(
          ({ what, reason, count, examples }) =>
            html`<tr><th scope="row">${what}</th><td class="text">${reason}</td><td>${count}</td><td class="text">${examples.join(', ')}</td></tr>`,
        ),
      )}</tbody></table></div>`
}
<details><summary>recipe</summary><pre>${JSON.stringify(recipe, null, 2)}</pre></details></section>`;
}
