/** The report's sections on whether probabilities mean what they say, and on what a model gains by staying silent. */
import { minOf } from '../core/arrays.ts';
import { calibrationChart, riskCoverageChart } from './charts-statistics.ts';
import { type Html, html, join, raw } from './html.ts';
import { digits, dot, figure, interval, legend, percent, shownModels } from './report-parts.ts';
import type { Abstention, Result } from './result.ts';
import { countTested, hasInterval } from './score-spread.ts';

/** Calibration before and after temperatures; nothing where a result holds none. */
export function calibration(result: Result): Html {
  const shown = shownModels(result.calibration ?? {});
  const entries = Object.entries(shown);
  if (entries.length === 0) return html``;
  const tested = countTested(result);
  const rows = entries.map(([model, { temperatures, before, after }]) => {
    const sorted = temperatures.toSorted((a, b) => a - b);
    const middle = sorted[sorted.length >> 1]!;
    return html`<tr><th scope="row">${dot(model)}${model}</th><td>${middle.toFixed(2)}${sorted.length > 1 ? html`<br><span class="small">${sorted[0]!.toFixed(2)}–${sorted.at(-1)!.toFixed(2)}</span>` : ''}</td><td>${digits(before.nll)}</td><td>${digits(after.nll)}</td><td>${digits(before.brier)}</td><td>${digits(after.brier)}</td><td>${interval(before.ece, tested)}</td><td>${interval(after.ece, tested)}</td></tr>`;
  });
  return html`<section>
<h2>Calibration</h2>
<p>Of the windows where a model is 80 % sure it should be right on 80 %. A temperature, fitted on the validation windows of each fold and seed, divides the logits: above 1 the model was too sure, below 1 not sure enough. It changes no decision.</p>
${legend(Object.keys(shown))}
${figure(raw(calibrationChart(shown)), 'Ten bins of confidence, windows of all seeds; a dot’s area is its share of windows; on the diagonal, probabilities mean what they say.')}
<div class="scroll"><table><thead><tr><th rowspan="2">model</th><th rowspan="2">temperature</th><th colspan="2" class="span">log loss</th><th colspan="2" class="span">Brier</th><th colspan="2" class="span">calibration error</th></tr><tr><th>before</th><th>after</th><th>before</th><th>after</th><th>before</th><th>after</th></tr></thead><tbody>${join(rows)}</tbody></table></div>
<p class="small">Calibration error: ten bins with equally many windows${hasInterval(tested) ? ', 95 % interval with test people drawn again' : ''}; never below 0, so small errors of few windows read too high.</p>
</section>`;
}

/** Risk and coverage; nothing where a result holds none. */
export function abstention(result: Result): Html {
  const shown = shownModels(result.abstention ?? {});
  const entries = Object.entries(shown);
  if (entries.length === 0) return html``;
  const goals = entries[0]![1].choices;
  return html`<section>
<h2>Answering only when sure</h2>
<p>A model that may stay silent on the windows it is least sure of. A curve that falls to the left knows where it is wrong.</p>
${legend(Object.keys(shown))}
${figure(raw(riskCoverageChart(shown)), 'Share of wrong answers among the surest windows, mean over the seeds. Dots: thresholds that were chosen on the validation windows.')}
<div class="scroll"><table><thead><tr><th rowspan="2">model</th><th rowspan="2">mean risk <span class="small">(least possible)</span></th>${join(
    goals.map(
      ({ goal, value }) =>
        html`<th>${goal === 'coverage' ? `answers ${percent(value)}` : `at most ${percent(value)} wrong`}</th>`,
    ),
  )}</tr><tr><th colspan="${String(goals.length)}" class="span">goal on validation → on the tested windows: answered, wrong, balanced accuracy</th></tr></thead><tbody>${join(
    entries.map(
      ([model, { aurc, leastAurc, choices }]) =>
        html`<tr><th scope="row">${dot(model)}${model}</th><td>${digits(aurc)} <span class="small">(${digits(leastAurc)})</span></td>${join(choices.map(choiceCell))}</tr>`,
    ),
  )}</tbody></table></div>
${fewToChooseOn(result)}
</section>`;
}

/** Validation people below which what is chosen on them is said to carry over badly. */
const enoughPeople = 10;

function fewToChooseOn({ folds }: Result): Html {
  const fewest = minOf(folds.map(({ validation }) => validation.length));
  if (!(fewest < enoughPeople)) return html``;
  return html`<p class="note">Thresholds and temperatures were chosen on ${fewest} validation ${fewest === 1 ? 'person' : 'people'}${folds.length > 1 ? ' in a fold' : ''}: what holds for so few may not hold for the tested ones. Compare the goals with what was reached.</p>`;
}

function choiceCell({ coverage, risk, balancedAccuracy }: Abstention['choices'][number]): Html {
  if (coverage === 0) return html`<td><span class="small">silent: no threshold reached it</span></td>`;
  return html`<td>${percent(coverage)}, <strong>${percent(risk)}</strong><br><span class="small">${digits(balancedAccuracy)}</span></td>`;
}
