/** An explanation → one self-contained HTML page: no network, no script, light and dark. */
import { type Bar, drawBars, drawSanity, drawSeconds, drawTimeline } from './explain-charts.ts';
import { colourStyle } from './explain-colour.ts';
import { drawTraces, signalsOf } from './explain-draw.ts';
import { drawAttention, drawChannelBands, drawHead } from './explain-maps.ts';
import type { Explanation } from './explain-result.ts';
import { bandLabel, checks, type Finding, findings, signed } from './explain-words.ts';
import { type Html, html, join, raw } from './html.ts';
import { reportStyle } from './report-style.ts';

const style = `
svg { font: 11px system-ui, sans-serif; }
svg text { fill: var(--soft); }
svg .name { fill: var(--ink); font-size: 12px; }
svg .spot { fill: var(--ink); font-size: 10px; }
svg .trace { fill: none; stroke: var(--ink); stroke-width: 8; stroke-linejoin: round; }
svg .grid { stroke: var(--line); stroke-width: 1; fill: none; }
svg .axis, svg .scale { stroke: var(--soft); stroke-width: 1; fill: none; }
svg .window { stroke: var(--soft); stroke-width: 1; fill: none; opacity: .55; }
svg.strip { margin-top: 10px; }
svg .ring { fill: var(--paper); stroke: var(--ink); stroke-width: 1.3; }
svg .rim, svg .skull, svg .frame { fill: none; stroke: var(--soft); stroke-width: .8; }
svg .chosen { fill: var(--ink); opacity: .08; }
svg .line { fill: none; stroke-width: 2; } svg .line.explained { stroke: var(--both); } svg .line.other { stroke: var(--soft); stroke-width: 1; }
svg .line-a, svg .line-b, svg .line-c { fill: none; stroke-width: 2; }
svg .line-a { stroke: var(--ink); } svg .line-b { stroke: var(--eeg); stroke-dasharray: 6 3; } svg .line-c { stroke: var(--soft); stroke-dasharray: 2 3; }
svg .dot-a { fill: var(--ink); } svg .dot-b { fill: var(--eeg); } svg .dot-c { fill: var(--soft); }
.attention { display: flex; flex-wrap: wrap; gap: 16px 28px; align-items: flex-start; }
.attention figure { margin: 0; } .layers { display: flex; flex-wrap: wrap; gap: 10px; max-width: 640px; }
.wrap > figure { margin-top: 0; }
ul.findings { padding-left: 1.1em; } ul.findings li { margin: 6px 0; }
main { max-width: 1120px; }
${colourStyle}`;

/** The page. Names from files are escaped. */
export function renderExplanation(explanation: Explanation): string {
  const { source, class: name, windows, windowSeconds } = explanation;
  const first = windows[0]!.start;
  const last = windows.at(-1)!.start + windowSeconds;
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Why “${name}”? ${source}</title>
<style>${raw(reportStyle)}${raw(style)}</style>
</head>
<body>
<main>
<h1>Why “${name}”?</h1>
<p class="lead">${source}, seconds ${short(first)} to ${short(last)}: what moved the model's prediction.</p>
${list(findings(explanation))}
${notes(explanation)}
<h2>The prediction over time</h2>
<figure class="scroll">${drawTimeline(explanation)}<figcaption>Probability of ${explanation.classes.length === 2 ? `“${name}”` : 'every class'} in windows of ${windowSeconds} s over the whole recording. Shaded: the windows that are explained.</figcaption></figure>
<h2>What moved it, over the traces</h2>
<figure class="scroll">${drawTraces(explanation)}<figcaption>The signals as the model gets them (montage, filters and units of its recipe), all channels of a kind on one scale. Behind them, for every tenth of a second, how much it raised (orange) or lowered (purple) the ${explanation.quantity} of “${name}”${signalsOf(explanation).length > 1 ? '; EEG and ECG each have their own scale of colours' : ''}. Above: the windows and their probability.</figcaption></figure>
<h2>Second by second</h2>
<figure class="scroll">${drawSeconds(explanation)}<figcaption>Columns: attributions of all channels in a second. Rings: how much the ${explanation.quantity} falls when that second is hidden.</figcaption></figure>
<h2>Channels and bands</h2>
${parts(explanation)}
<h2>Where the encoders attend</h2>
<p>Attention is where a layer fetches from, not what moved the prediction: a row shows what the token of that channel or second takes of every other, more than an equal share in orange, less in purple; means over heads and windows. Rollout follows it through all layers.</p>
${attention(explanation)}
<h2>Can this be trusted?</h2>
${list(checks(explanation))}
${sanity(explanation)}
<details><summary>How it was made</summary>
<p>Integrated gradients along the straight path from ${explanation.baseline === 'zero' ? 'a silent signal (zeros, what a hidden patch is to the encoders)' : "the mean of the recording's windows"} to the window, cut finer until what integration misses (the gap, a share of the difference explained, or of a tenth of all attributions where these cancel) is small. Bands by Parseval's theorem: their attributions add up to the whole, nothing is filtered. Occlusion: ${hidingWords(explanation)}; a band is taken out by a band-stop filter; a patch of one second becomes zeros. Sanity: weights drawn anew from the head down (Adebayo et al. 2018). An explanation says what this model uses, not what causes what in the body; a model that uses an artefact is explained by that artefact.</p>
<p class="small">${explanation.engine}. Gradients by window: ${explanation.windows.map(({ steps, relativeGap }) => `${steps} (gap ${Number((100 * relativeGap).toPrecision(2))} %)`).join(', ')}.</p>
</details>
</main>
</body>
</html>
`);
}

function list(all: readonly Finding[]): Html {
  const said = all.filter(({ isWarning }) => !isWarning).map(({ text }) => html`<li>${text}</li>`);
  const warned = all
    .filter(({ isWarning }) => isWarning)
    .map(({ text }) => html`<p class="warning">${text}</p>`);
  return html`<ul class="findings">${join(said)}</ul>${join(warned)}`;
}

/** What was left out and what to know of the recording: one box. */
function notes({ dropped }: Explanation): Html {
  if (dropped.length === 0) return html``;
  const lines = dropped.map(({ what, reason, count, examples }) => {
    // Windows are named by their place; what concerns the recording as a whole is not named again.
    const where = what === 'window' ? ` (${examples.slice(0, 3).join(', ')})` : '';
    return html`<div>${count > 1 || what === 'window' ? `${count} × ` : ''}${what}: ${reason}${where}</div>`;
  });
  return html`<div class="note small">${join(lines)}</div>`;
}

function parts(explanation: Explanation): Html {
  const signals = signalsOf(explanation);
  const bars = (
    names: readonly string[],
    {
      attribution,
      occlusion,
    }: { readonly attribution: readonly number[]; readonly occlusion: readonly number[] },
  ): Bar[] => names.map((name, i) => ({ name, attribution: attribution[i]!, occlusion: occlusion[i]! }));
  const titleOf = (modality: string) => (signals.length > 1 ? modality.toUpperCase() : '');
  const channels = signals.map(([modality, signal]) => ({
    title: titleOf(modality),
    bars: bars(signal.channels, signal.byChannel),
  }));
  const bands = signals.map(([modality, signal]) => ({
    title: titleOf(modality),
    bars: bars(signal.bands.map(bandLabel), signal.byBand),
  }));
  const maps = signals.flatMap(([modality, signal]) => {
    const head = modality === 'eeg' ? drawHead(signal) : undefined;
    return [
      ...(head
        ? [html`<figure>${head}<figcaption>Electrodes from above, nose up.</figcaption></figure>`]
        : []),
      ...(signal.channels.length > 1
        ? [
            html`<figure class="scroll">${drawChannelBands(signal)}<figcaption>${modality.toUpperCase()}: channels × bands, Hz.</figcaption></figure>`,
          ]
        : []),
    ];
  });
  return html`<div class="pair">
<figure class="scroll">${drawBars('Attribution by channel', channels)}<figcaption>By channel, mean over windows. Bars: attributions. Rings: how much the ${explanation.quantity} falls without the channel.</figcaption></figure>
<figure class="scroll">${drawBars('Attribution by band', bands)}<figcaption>By frequency band. Rings: without the band.</figcaption></figure>
</div>
<div class="wrap">${join(maps)}</div>`;
}

function attention(explanation: Explanation): Html {
  return join(
    signalsOf(explanation).map(([modality, signal]) => {
      const seconds = Array.from({ length: Math.sqrt(signal.attention.patchRollout.length) }, (_, i) =>
        String(i + 1),
      );
      return html`<section><h3>${modality.toUpperCase()}, across ${modality === 'ecg' ? 'leads' : 'channels'}</h3>
${signal.channels.length > 1 ? drawAttention(signal.attention, 'channels', signal.channels) : html`<p class="small">One channel: there is no other to attend to.</p>`}
<h3>${modality.toUpperCase()}, across the seconds of a window</h3>
${seconds.length > 1 ? drawAttention(signal.attention, 'patches', seconds) : html`<p class="small">Windows of one second.</p>`}</section>`;
    }),
  );
}

function sanity(explanation: Explanation): Html {
  const { sanity: found } = explanation;
  if (found.levels.length === 0) return html``;
  return html`<figure class="scroll">${drawSanity(explanation)}<figcaption>Rank correlation with the attributions above as more and more weights are drawn anew. Attributions are products with the input, so that of single samples stays above 0 whatever the weights are; the patches must lose it.</figcaption></figure>`;
}

function hidingWords(explanation: Explanation): string {
  return signalsOf(explanation)
    .map(([modality, { hiding }]) => {
      const how = {
        drop: 'left out',
        zero: 'made zero',
        null: 'replaced by the null that the model learned',
      };
      return `of ${modality.toUpperCase()} channels are ${how[hiding.channels]}, seconds ${how[hiding.seconds]}`;
    })
    .join('; ');
}

function short(seconds: number): string {
  return signed(seconds).replace('+', '');
}
