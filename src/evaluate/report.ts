/** A result → one self-contained HTML page: no network, no script, light and dark, narrow and wide. */
import {
  colourOf,
  lossChart,
  reconstructionChart,
  reliabilityChart,
  rocChart,
  scoreChart,
} from './charts.ts';
import { scoreTitles } from './comparison-words.ts';
import { type Html, html, join, raw } from './html.ts';
import { describeVariant } from './model-names.ts';
import { comparisons, subjects } from './report-comparisons.ts';
import { chanceOf, dot, figure, interval, legend, shownModels } from './report-parts.ts';
import { reportStyle } from './report-style.ts';
import { abstention, calibration } from './report-trust.ts';
import type { Curve, Result } from './result.ts';
import { countTested, explainSpread, hasInterval, scoreOf, warnOfNoInterval } from './score-spread.ts';

/** What a model of the table is, in words. */
const modelTitles: Readonly<Record<string, string>> = {
  eeg: 'EEG encoder alone',
  ecg: 'ECG encoder alone',
  'eeg+ecg': 'EEG + ECG, embeddings concatenated',
  majority: 'majority class',
  prior: 'class prior',
  'classical-eeg': 'band power, logistic regression',
  'classical-ecg': 'heart rate and variability from 5 s before to 5 s after the window, logistic regression',
  'classical-eeg+ecg': 'the same and band power, logistic regression',
  'classical-ecg-context': "heart rate and variability in the ECG's context, logistic regression",
  'classical-eeg+ecg-context':
    "band power, heart rate and variability in the ECG's context, logistic regression",
};

/** Fine-tuning runs of which the curves are drawn; a leave-one-out has dozens. */
const maximumCurves = 12;

/** The page. */
export function renderReport(result: Result): string {
  const tested = Object.keys(result.models).length > 0;
  const sections = [
    ...(tested
      ? [
          ...[scores(result), comparisons(result), subjects(result), curvesOfDiscrimination(result)],
          ...[calibration(result), abstention(result), confusions(result)],
        ]
      : []),
    pretraining(result),
    finetuning(result),
    data(result),
    provenance(result),
  ];
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${result.name}: heartmind report</title>
<style>${raw(reportStyle)}</style>
</head>
<body>
<main>
${header(result)}
${join(sections)}
</main>
</body>
</html>
`);
}

function header(result: Result): Html {
  const { dataset, protocol, seeds, windows, created, data: summary } = result;
  return html`<header>
<h1>${result.name}</h1>
<p class="lead">${dataset.title}${dataset.classes.length > 0 ? `: ${dataset.target} (${dataset.classes.join(' / ')})` : ''}</p>
<dl class="facts">
<div><dt>protocol</dt><dd>${protocol}</dd></div>
<div><dt>windows</dt><dd>${windows} of ${summary.subjects} subjects</dd></div>
<div><dt>seeds</dt><dd>${seeds.join(', ')}</dd></div>
<div><dt>made</dt><dd>${created.slice(0, 16).replace('T', ' ')} UTC</dd></div>
</dl>
${result.protocol.includes('leaky') ? html`<p class="warning">Windows of one person stand on both sides of this split: these scores do not tell how the model does on new people.</p>` : ''}
${join(result.notes.map((note) => html`<p class="note">${note}</p>`))}
</header>`;
}

function scores(result: Result): Html {
  const { trials } = result;
  const tested = countTested(result);
  const warning = warnOfNoInterval(tested);
  const marks = hasInterval(tested)
    ? 'line: 95 % interval, test subjects drawn again with replacement'
    : 'small dots: the score within each tested person';
  return html`<section>
<h2>Scores</h2>
${warning === undefined ? '' : html`<p class="warning">${warning}</p>`}
${figure(
  raw(scoreChart(result, 'balancedAccuracy', 'balanced accuracy', chanceOf(result))),
  `Per window, on the test subjects. Dot: over all their windows, mean over the seeds; ${marks}; dashed: chance.`,
)}
<p>Scores are of all tested windows, pooled over people; mean over the seeds; ${explainSpread(tested)}.</p>
<h3>Per window</h3>
${scoreTable(result)}
<h3>Per trial</h3>
<p>A trial's probability is the mean of its windows'.</p>
${scoreTable({ models: trials, details: {} }, tested)}
<p class="small">“standardised”: features standardised within each person, without labels, over all of the person's windows (transductive): not comparable with models that see one window at a time.</p>
</section>`;
}

function scoreTable(
  result: Pick<Result, 'models' | 'details'>,
  tested = countTested({ folds: [], ...result }),
): Html {
  const keys = Object.keys(scoreTitles);
  return html`<div class="scroll"><table>
<thead><tr><th>model</th>${join(keys.map((key) => html`<th>${scoreTitles[key]!}</th>`))}</tr></thead>
<tbody>${join(
    Object.keys(result.models).map(
      (model) =>
        html`<tr><th scope="row">${dot(model)}${model}<br><span class="small">${titleOf(model)}</span></th>${join(
          keys.map((key) => html`<td>${interval(scoreOf(result, model, key), tested)}</td>`),
        )}</tr>`,
    ),
  )}</tbody></table></div>`;
}

function titleOf(model: string): string {
  const plain = model.replace(/-standardised$/, '');
  return `${modelTitles[plain] ?? describeVariant(plain)}${plain === model ? '' : ', standardised per subject'}`;
}

function curvesOfDiscrimination(result: Result): Html {
  const shown = shownModels(result.details);
  const hasRoc = Object.values(shown).some(({ roc }) => roc !== null);
  // Calibration has a section of its own where temperatures were fitted.
  const isCalibrated = Object.keys(shownModels(result.calibration ?? {})).length > 0;
  if (!hasRoc && isCalibrated) return html``;
  return html`<section>
<h2>${isCalibrated ? 'Discrimination' : 'Discrimination and calibration'}</h2>
${legend(Object.keys(shown))}
<div class="pair">
${hasRoc ? figure(raw(rocChart(shown)), `ROC for '${result.dataset.classes[1]!}', first seed.`) : ''}
${isCalibrated ? '' : figure(raw(reliabilityChart(shown)), 'Reliability in ten bins of confidence, first seed; on the diagonal, probabilities mean what they say.')}
</div>
</section>`;
}

function confusions(result: Result): Html {
  const { classes } = result.dataset;
  const tables = Object.entries(shownModels(result.details)).map(([model, { confusion }]) => {
    const rows = confusion.map((row, k) => {
      const total = row.reduce((sum, n) => sum + n, 0);
      const cells = row.map((n) => {
        const share = total === 0 ? 0 : n / total;
        return html`<td style="background:color-mix(in srgb, ${colourOf(model)} ${String(Math.round(65 * share))}%, transparent)">${n}<br><span class="small">${Math.round(100 * share)} %</span></td>`;
      });
      return html`<tr><th scope="row">${classes[k]!}</th>${join(cells)}</tr>`;
    });
    return html`<table class="confusion"><caption>${model}</caption><thead><tr><th>true ↓ predicted →</th>${join(
      classes.map((name) => html`<th>${name}</th>`),
    )}</tr></thead><tbody>${join(rows)}</tbody></table>`;
  });
  return html`<section><h2>Confusion</h2><p>Windows of the first seed; shares of the true class.</p><div class="wrap">${join(tables)}</div></section>`;
}

function pretraining({ curves, reconstructions }: Result): Html {
  const own = curves.filter(({ name, rows }) => name.startsWith('pre-train') && rows.length > 0);
  if (own.length === 0) return html``;
  const parts = own.map((curve) => {
    const modality = curve.name.slice('pre-train '.length);
    const pictures = reconstructions.filter((example) => example.modality === modality);
    return html`<h3>${modality.toUpperCase()}</h3>
${figure(raw(lossChart([curve])), 'Mean squared error over the hidden samples, in model units, by kind of mask.')}
${lossTable(curve)}
${join(
  pictures.map((example, i) =>
    figure(
      raw(reconstructionChart(example)),
      `A held-out window, mask “${example.kind}”: original in grey, hidden patches shaded, their reconstruction in colour.`,
      i > 0,
    ),
  ),
)}`;
  });
  return html`<section><h2>Pre-training</h2>${join(parts)}</section>`;
}

/** The last validation, beside the errors of predicting zero and the lead's mean. */
function lossTable({ rows }: Curve): Html {
  const last = rows.findLast((row) => Object.keys(row).some((key) => key.startsWith('loss.')));
  if (!last) return html``;
  const kinds = Object.keys(last).flatMap((key) =>
    key.startsWith('loss.') ? [key.slice('loss.'.length)] : [],
  );
  const cell = (key: string) => html`<td>${last[key] == null ? '–' : Number(last[key]).toPrecision(3)}</td>`;
  return html`<div class="scroll"><table><thead><tr><th>mask</th><th>reconstruction error</th><th>predicting 0</th><th>predicting the lead's mean</th></tr></thead><tbody>${join(
    kinds.map(
      (kind) =>
        html`<tr><th scope="row">${kind}</th>${cell(`loss.${kind}`)}${cell(`zero.${kind}`)}${cell(`mean.${kind}`)}</tr>`,
    ),
  )}</tbody></table></div>`;
}

function finetuning({ curves }: Result): Html {
  const own = curves.filter(({ name, rows }) => name.startsWith('fine-tune') && rows.length > 0);
  if (own.length === 0) return html``;
  const shown = own.slice(0, maximumCurves);
  return html`<section><h2>Fine-tuning</h2>
<p>Dashed: the epoch with the best validation score, which is the one that is tested.${own.length > shown.length ? ` The first ${shown.length} of ${own.length} trainings are shown.` : ''}</p>
<div class="pair">${join(shown.map((curve) => figure(raw(lossChart([curve])), curve.name.slice('fine-tune '.length))))}</div></section>`;
}

function data({ data: summary, folds, dataset, windows }: Result): Html {
  return html`<section><h2>Data</h2>
<p>${dataset.title}. ${dataset.citation} Licence: ${dataset.licence}.</p>
<p>${windows} windows of ${summary.subjects} subjects in ${summary.trials} trials${describeClasses(summary.classes)}</p>
<h3>Left out, and what to know</h3>
${
  summary.dropped.length === 0
    ? html`<p>Nothing was left out.</p>`
    : html`<div class="scroll"><table><thead><tr><th>what</th><th class="text">why</th><th>count</th><th class="text">for example</th></tr></thead><tbody>${join(
        summary.dropped.map(
          ({ what, reason, count, examples }) =>
            html`<tr><th scope="row">${what}</th><td class="text">${reason}</td><td>${count}</td><td class="text">${examples.join(', ')}</td></tr>`,
        ),
      )}</tbody></table></div>`
}
${
  folds.length === 0
    ? ''
    : html`<details><summary>Who was trained on and who was tested (${folds.length} fold${folds.length === 1 ? '' : 's'})</summary>
${join(
  folds.map(
    (fold) =>
      html`<p><strong>${fold.name}</strong>: train ${fold.windows.train} windows of ${fold.train.join(', ')}; validation ${fold.windows.validation} of ${fold.validation.join(', ')}; test ${fold.windows.test} of ${fold.test.join(', ')}.</p>`,
  ),
)}</details>`
}</section>`;
}

function describeClasses(classes: Readonly<Record<string, number>>): string {
  const counts = Object.entries(classes).map(([name, count]) => `${count} ${name}`);
  return counts.length === 0 ? '.' : `: ${counts.join(', ')}.`;
}

function provenance({ versions, recipes, seconds, dataset, seeds, weights = {} }: Result): Html {
  return html`<section><h2>How it was made</h2>
${weightsTable(weights)}
<dl class="facts">${join(
    Object.entries({ ...versions, seeds: seeds.join(', '), 'data sha256': dataset.hash.slice(0, 16) }).map(
      ([key, value]) => html`<div><dt>${key}</dt><dd>${value}</dd></div>`,
    ),
  )}${join(Object.entries(seconds).map(([key, value]) => html`<div><dt>${key}</dt><dd>${Math.round(value)} s</dd></div>`))}</dl>
${join(
  Object.entries(recipes).map(
    ([name, recipe]) =>
      html`<details><summary>recipe: ${name}</summary><pre>${JSON.stringify(recipe, null, 2)}</pre></details>`,
  ),
)}</section>`;
}

/** The pre-trained weights that were loaded. */
function weightsTable(weights: NonNullable<Result['weights']>): Html {
  if (Object.keys(weights).length === 0) return html``;
  return html`<div class="scroll"><table><thead><tr><th>encoder</th><th class="text">began as</th><th>layers in the file</th><th class="text">saw, without labels</th><th class="text">sha256</th></tr></thead><tbody>${join(
    Object.entries(weights).map(
      ([modality, { name, layers, people, dataset, sha256 }]) =>
        html`<tr><th scope="row">${modality.toUpperCase()}</th><td class="text">${name}</td><td>${layers}</td><td class="text">${people === null ? 'not known' : `${people} people of ${dataset ?? 'unknown data'}`}</td><td class="text"><code>${sha256}</code></td></tr>`,
    ),
  )}</tbody></table></div>`;
}
