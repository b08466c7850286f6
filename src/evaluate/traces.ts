/** Recordings → one self-contained HTML page of traces: no network, no script, light and dark. */
import { type Html, html, join, raw } from './html.ts';
import { reportStyle } from './report-style.ts';
import { drawExcerpt, drawOverview, drawSpectrum, figure } from './traces-draw.ts';
import { describeQuality, qualitySeconds, type Traces } from './traces-read.ts';

const style = `
svg { font: 11px system-ui, sans-serif; }
svg text { fill: var(--soft); }
svg .name { fill: var(--ink); font-size: 12px; }
svg path.eeg { fill: var(--eeg); } svg path.ecg { fill: var(--ecg); } svg path.other { fill: var(--both); }
svg path.line { fill: none; stroke-width: 1; stroke-linejoin: round; }
svg path.line.eeg { stroke: var(--eeg); } svg path.line.ecg { stroke: var(--ecg); } svg path.line.other { stroke: var(--both); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .mark { stroke: var(--warn); stroke-width: 1; fill: none; }
svg .bar, svg .label { fill: var(--warn); }
svg .lasting { fill: var(--warn); opacity: .12; }
svg .beat { fill: var(--ecg); }
svg .hatch { stroke: var(--soft); stroke-width: 2; opacity: .6; }
svg .chosen { fill: var(--ink); opacity: .08; }
td .spectrum { display: block; }
td.fault { color: var(--warn); font-weight: 600; }
main { max-width: 1120px; }
nav a { margin-right: 1em; color: inherit; }
`;

/** Annotation labels that are counted on the page. */
const shownLabels = 40;

/** The page. What files say of themselves is escaped. */
export function renderTraces(recordings: readonly Traces[]): string {
  const title = recordings.length === 1 ? recordings[0]!.source : `${recordings.length} recordings`;
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${title}: traces</title>
<style>${raw(reportStyle)}${raw(style)}</style>
</head>
<body>
<main>
${recordings.length > 1 ? contents(recordings) : ''}
${join(recordings.map((traces, i) => section(traces, i)))}
</main>
</body>
</html>
`);
}

function contents(recordings: readonly Traces[]): Html {
  return html`<nav>${join(recordings.map(({ source }, i) => html`<a href="#recording-${i}">${source}</a>`))}</nav>`;
}

function section(traces: Traces, index: number): Html {
  const { source, format, startTime, duration, spans, metadata, log, channels, excerpt, envelopes } = traces;
  const gaps = spans.length - 1;
  const rates = [...new Set(channels.map(({ rateHz }) => `${Number(rateHz.toFixed(3))} Hz`))];
  return html`<section id="recording-${index}">
<h1>${source}</h1>
<dl class="facts">
<div><dt>format</dt><dd>${format}</dd></div>
<div><dt>length</dt><dd>${lengthOf(duration)}${gaps > 0 ? `, ${gaps} gaps` : ''}</dd></div>
<div><dt>start</dt><dd>${startTime ? startTime.toISOString().slice(0, 19).replace('T', ' ') : 'not stated'}</dd></div>
<div><dt>channels</dt><dd>${channels.length}, at ${rates.join(', ')}</dd></div>
${join(Object.entries(metadata).map(([key, value]) => html`<div><dt>${key}</dt><dd>${value}</dd></div>`))}
</dl>
${join(log.map((entry) => html`<p class="note">${entry}</p>`))}
<h2>All of it</h2>
${
  duration > 0 && channels.length > 0
    ? html`<figure class="scroll">${drawOverview(traces)}<figcaption>From the lowest to the highest value of every ${figure(envelopes.binSeconds)} s, each channel on its own scale without its outermost hundredths${envelopes.share < 1 ? `; ${figure(100 * envelopes.share)} % of the samples were looked at` : ''}. Hatched: gaps. Above: annotations. Shaded: the seconds below.</figcaption></figure>
<h2>Seconds ${figure(excerpt.start)} to ${figure(excerpt.start + excerpt.duration)}</h2>
<figure class="scroll">${drawExcerpt(traces)}<figcaption>Every channel on its own scale; on the right, from its lowest to its highest value here. ${beatsCaption(traces)}</figcaption></figure>`
    : html`<p class="note">There is nothing to draw.</p>`
}
${annotationsOf(traces)}
<h2>Channels</h2>
${channelTable(traces)}
</section>`;
}

function beatsCaption({ channels }: Traces): string {
  const found = channels.find(({ heartRate }) => heartRate !== undefined);
  return found
    ? `Triangles: R peaks, ${Math.round(found.heartRate!)} per minute around here (${found.name}).`
    : '';
}

function annotationsOf({ annotations }: Traces): Html {
  if (annotations.length === 0) return html``;
  const counts = new Map<string, number>();
  for (const { label } of annotations) counts.set(label, (counts.get(label) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return html`<h2>Annotations</h2>
<p>${annotations.length} in all: ${sorted
    .slice(0, shownLabels)
    .map(([label, count]) => `${label || '(empty)'} × ${count}`)
    .join(', ')}${sorted.length > shownLabels ? `, … (${sorted.length} labels)` : ''}.</p>`;
}

function channelTable({ channels }: Traces): Html {
  return html`<div class="scroll"><table>
<thead><tr><th>channel</th><th class="text">unit</th><th>rate Hz</th><th>samples</th><th>mean ± sd</th><th class="text">quality</th><th>heart rate</th><th class="text">spectrum</th></tr></thead>
<tbody>${join(
    channels.map((channel) => {
      const quality = describeQuality(channel.quality);
      return html`<tr><th scope="row">${channel.name}</th><td class="text">${channel.unit}</td><td>${Number(channel.rateHz.toFixed(3))}</td><td>${channel.lengthSamples}</td><td>${channel.mean === null ? '–' : `${figure(channel.mean)} ± ${figure(channel.deviation!)}`}</td><td class="text${quality === 'ok' ? '' : ' fault'}">${quality}</td><td>${channel.heartRate === undefined ? '–' : Math.round(channel.heartRate)}</td><td>${drawSpectrum(channel)}</td></tr>`;
    }),
  )}</tbody></table></div>
<p class="small">Mean, quality and spectrum: of the first ${qualitySeconds} seconds. Spectrum: Welch's estimate in 2-s segments, decibels from the strongest frequency down to −60.</p>`;
}

function lengthOf(seconds: number): string {
  if (seconds < 120) return `${figure(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
