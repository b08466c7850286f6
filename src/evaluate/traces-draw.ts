/** Traces → SVG, written by hand: a path a channel keeps pages small. Colours are the page's CSS variables. */
import { maxOf } from '../core/arrays.ts';
import type { Annotation, Span } from '../core/recording.ts';
import { type Html, html, join, raw } from './html.ts';
import { pictureRange } from './traces-envelope.ts';
import type { ChannelTraces, Traces } from './traces-read.ts';

/** Units of the drawings: pixels where the page is wide enough. */
const width = 1040;
const marginLeft = 110;
const marginRight = 90;
const marginTop = 22;
const axisHeight = 26;
const plotWidth = width - marginLeft - marginRight;
const overviewRow = 28;
const excerptRow = 44;
/** A longer excerpt line than this is drawn as its extremes. */
const excerptColumns = 1000;
/** Annotations that are named in the excerpt, and drawn through all rows of the overview. */
const namedAnnotations = 40;

/** Every channel from the lowest to the highest value over the whole recording; gaps hatched, annotations as marks. */
export function drawOverview(traces: Traces): Html {
  const { channels, duration, spans, annotations } = traces;
  const height = marginTop + channels.length * overviewRow;
  const x = (seconds: number) => marginLeft + (seconds / Math.max(duration, 1e-9)) * plotWidth;
  const rows = channels.map((channel, i) => {
    const top = marginTop + i * overviewRow;
    return html`${rowLabel(channel, top, overviewRow)}<path class="${channel.kind}" d="${raw(envelopePath(channel, top))}"/>`;
  });
  const { start, duration: length } = traces.excerpt;
  return svg(
    height + axisHeight,
    `All of ${traces.source}`,
    html`${hatchPattern}
<rect class="chosen" x="${round(x(start))}" y="${marginTop}" width="${round(Math.max(2, x(start + length) - x(start)))}" height="${height - marginTop}"/>
${timeAxis(0, duration, x, height)}
${hatched(gapsOf(spans), x, height)}
${join(rows)}
${marks(annotations, x, height)}`,
  );
}

/** Some seconds of every channel, sample by sample, each on its own scale; annotations and R peaks named. */
export function drawExcerpt(traces: Traces): Html {
  const { channels, excerpt, annotations } = traces;
  const height = marginTop + channels.length * excerptRow;
  const end = excerpt.start + excerpt.duration;
  const x = (seconds: number) =>
    marginLeft + ((seconds - excerpt.start) / Math.max(excerpt.duration, 1e-9)) * plotWidth;
  const rows = channels.map((channel, i) => {
    const top = marginTop + i * excerptRow;
    const { low, high } = extremes(channel.excerpt);
    const reach = Number.isFinite(low) ? `${figure(high - low)} ${channel.unit}` : 'nothing';
    return html`${rowLabel(channel, top, excerptRow)}<path class="line ${channel.kind}" d="${raw(linePath(channel, excerpt.duration, top))}"/>
${join(Array.from(channel.beats, (beat) => html`<path class="beat" d="M${round(x(excerpt.start + beat))} ${top + 1}l-3 -4h6z"/>`))}
<text class="scale" x="${width - marginRight + 6}" y="${top + excerptRow / 2 + 4}">${reach}</text>`;
  });
  const here = annotations.filter((one) => one.start + one.duration >= excerpt.start && one.start < end);
  return svg(
    height + axisHeight,
    `Seconds ${excerpt.start} to ${end} of ${traces.source}`,
    html`${timeAxis(excerpt.start, end, x, height)}
${join(here.slice(0, namedAnnotations).map((annotation) => namedMark(annotation, excerpt, x, height)))}
${join(rows)}`,
  );
}

const spectrumWidth = 180;
const spectrumHeight = 40;
/** Above this, EEG and ECG hold little but the mains. Hz. */
const spectrumEndHz = 70;
/** From the strongest frequency down. */
const spectrumDecibels = 60;

/** Power density up to 70 Hz, the strongest frequency at the top and 60 dB to the bottom. */
export function drawSpectrum({ spectrum, kind, name, rateHz }: ChannelTraces): Html {
  if (!spectrum) return html`–`;
  const endHz = Math.min(spectrumEndHz, rateHz / 2);
  const levels = Array.from(spectrum.density, (density) => 10 * Math.log10(Math.max(density, 1e-300)));
  // The constant part says nothing.
  const shown = Array.from(spectrum.frequencyHz.keys()).filter(
    (k) => k > 0 && spectrum.frequencyHz[k]! <= endHz && Number.isFinite(levels[k]!),
  );
  const top = maxOf(shown.map((k) => levels[k]!));
  if (shown.length < 2 || top < -2000) return html`–`;
  const points = shown.map((k) => {
    const px = (spectrum.frequencyHz[k]! / endHz) * spectrumWidth;
    const py = 2 + Math.min(1, (top - levels[k]!) / spectrumDecibels) * (spectrumHeight - 4);
    return `${round(px)} ${round(py)}`;
  });
  const ticks = [10, 20, 50].filter((hz) => hz < endHz);
  return html`<svg class="spectrum" viewBox="0 0 ${spectrumWidth} ${spectrumHeight + 12}" width="${spectrumWidth}" role="img" aria-label="Spectrum of ${name}">
${join(ticks.map((hz) => html`<path class="grid" d="M${round((hz / endHz) * spectrumWidth)} 0v${spectrumHeight}"/><text x="${round((hz / endHz) * spectrumWidth)}" y="${spectrumHeight + 10}" text-anchor="middle">${hz}${hz === 50 || hz === ticks.at(-1) ? ' Hz' : ''}</text>`))}
<path class="line ${kind}" d="M${raw(points.join('L'))}"/></svg>`;
}

function svg(height: number, description: string, content: Html): Html {
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${description}">${content}</svg>`;
}

/** One pattern serves a page, whoever defines it first. */
const hatchPattern = html`<defs><pattern id="gap" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0v7"/></pattern></defs>`;

/** One a pixel: thousands of short gaps look like one. */
function hatched(gaps: readonly Span[], x: (seconds: number) => number, height: number): Html {
  const drawn = new Map<number, number>();
  for (const { start, duration } of gaps) {
    const from = Math.round(x(start));
    drawn.set(from, Math.max(drawn.get(from) ?? 1, Math.round(x(start + duration)) - from));
  }
  return join(
    Array.from(
      drawn,
      ([from, length]) =>
        html`<rect fill="url(#gap)" x="${from}" y="${marginTop}" width="${length}" height="${height - marginTop}"/>`,
    ),
  );
}

function gapsOf(spans: readonly Span[]): Span[] {
  return spans.slice(1).flatMap((span, i) => {
    const end = spans[i]!.start + spans[i]!.duration;
    return span.start > end ? [{ start: end, duration: span.start - end }] : [];
  });
}

function rowLabel({ name }: ChannelTraces, top: number, row: number): Html {
  const cut = [...name].length > 14 ? `${[...name].slice(0, 13).join('')}…` : name;
  return html`<text class="name" x="${marginLeft - 8}" y="${top + row / 2 + 4}" text-anchor="end">${cut}</text>`;
}

/** Along the highest values and back along the lowest, one outline for each run of bins with something in them. */
function envelopePath({ envelope }: ChannelTraces, top: number): string {
  const { low, high } = envelope;
  const [bottomValue, topValue] = pictureRange(envelope);
  const scale = topValue > bottomValue ? (overviewRow - 4) / (topValue - bottomValue) : 0;
  const y = (value: number) =>
    top +
    2 +
    Math.max(-1, Math.min(overviewRow - 3, scale === 0 ? overviewRow / 2 : (topValue - value) * scale));
  const step = plotWidth / low.length;
  let path = '';
  for (let start = 0; start < low.length; start++) {
    if (!Number.isFinite(low[start])) continue;
    let end = start;
    while (end < low.length && Number.isFinite(low[end])) end++;
    const up: string[] = [];
    const back: string[] = [];
    for (let i = start; i < end; i++) {
      const px = round(marginLeft + (i + 0.5) * step);
      const [above, below] = [y(high[i]!), y(low[i]!)];
      up.push(`${px} ${round(above)}`);
      back.push(`${px} ${round(Math.max(below, above + 0.8))}`);
    }
    path += `M${up.join('L')}L${back.reverse().join('L')}z`;
    start = end;
  }
  return path;
}

/** A line through the samples, or through the extremes of each column where there are more samples than columns. */
function linePath({ excerpt, rateHz }: ChannelTraces, seconds: number, top: number): string {
  const { low, high } = extremes(excerpt);
  if (!Number.isFinite(low)) return '';
  const scale = high > low ? (excerptRow - 8) / (high - low) : 0;
  const y = (value: number) => round(top + 4 + (scale === 0 ? excerptRow / 2 - 4 : (high - value) * scale));
  const x = (i: number) => marginLeft + (i / (seconds * rateHz)) * plotWidth;
  const perColumn = Math.max(1, Math.ceil(excerpt.length / excerptColumns));
  let path = '';
  let isPenDown = false;
  const lineTo = (i: number, value: number) => {
    path += `${isPenDown ? 'L' : 'M'}${round(x(i))} ${y(value)}`;
    isPenDown = true;
  };
  for (let from = 0; from < excerpt.length; from += perColumn) {
    const to = Math.min(excerpt.length, from + perColumn);
    let [lowest, highest] = [-1, -1];
    for (let i = from; i < to; i++) {
      if (!Number.isFinite(excerpt[i])) continue;
      if (lowest < 0 || excerpt[i]! < excerpt[lowest]!) lowest = i;
      if (highest < 0 || excerpt[i]! > excerpt[highest]!) highest = i;
    }
    if (lowest < 0) {
      isPenDown = false;
      continue;
    }
    lineTo(Math.min(lowest, highest), excerpt[Math.min(lowest, highest)]!);
    if (lowest !== highest) lineTo(Math.max(lowest, highest), excerpt[Math.max(lowest, highest)]!);
  }
  return path;
}

function extremes(x: Float64Array): { low: number; high: number } {
  let [low, high] = [Number.NaN, Number.NaN];
  for (const value of x) {
    if (!Number.isFinite(value)) continue;
    if (!(value >= low)) low = value;
    if (!(value <= high)) high = value;
  }
  return { low, high };
}

/** All annotations as ticks above the rows, those that last as bars. */
function marks(annotations: readonly Annotation[], x: (seconds: number) => number, bottom: number): Html {
  if (annotations.length === 0) return html``;
  const isFew = annotations.length <= namedAnnotations;
  // One a pixel: an hour of beats would outweigh the traces.
  const ticks = new Set(annotations.map(({ start }) => Math.round(x(start))));
  const height = isFew ? `V${bottom}` : `V${marginTop - 2}`;
  const path = Array.from(ticks, (at) => `M${at} ${marginTop - 8}${height}`);
  const lasting = annotations.filter(({ start, duration }) => x(start + duration) - x(start) > 1);
  const bars = new Set(
    lasting.map(({ start, duration }) => {
      const [from, to] = [Math.round(x(start)), Math.round(x(start + duration))];
      return `M${from} ${marginTop - 8}H${to}v3H${from}z`;
    }),
  );
  return html`<path class="mark" d="${raw(path.join(''))}"/><path class="bar" d="${raw([...bars].join(''))}"/>`;
}

function namedMark(
  { start, duration, label }: Annotation,
  excerpt: Span,
  x: (seconds: number) => number,
  height: number,
): Html {
  const end = excerpt.start + excerpt.duration;
  const [from, to] = [x(Math.max(start, excerpt.start)), x(Math.min(end, start + duration))];
  const text = [...label].length > 24 ? `${[...label].slice(0, 23).join('')}…` : label;
  return html`${duration > 0 ? html`<rect class="lasting" x="${round(from)}" y="${marginTop}" width="${round(Math.max(1, to - from))}" height="${height - marginTop}"/>` : ''}<path class="mark" d="M${round(from)} ${marginTop - 6}V${height}"/><text class="label" x="${round(from + 3)}" y="${marginTop - 8}">${text}</text>`;
}

/** Steps between ticks, in seconds. */
const steps = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[1, 2, 5, 10, 20, 30].map((minutes) => 60 * minutes),
  ...[1, 2, 4, 6, 12, 24, 48, 96, 240, 480, 960].map((hours) => 3600 * hours),
];
const mostTicks = 12;

function timeAxis(from: number, to: number, x: (seconds: number) => number, height: number): Html {
  const step = steps.find((one) => (to - from) / one <= mostTicks) ?? (to - from) / mostTicks;
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9 && ticks.length <= 2 * mostTicks; i++)
    ticks.push(i * step);
  return html`${join(ticks.map((at) => html`<path class="grid" d="M${round(x(at))} ${marginTop}V${height}"/><text x="${round(x(at))}" y="${height + 16}" text-anchor="middle">${clock(at, step)}</text>`))}`;
}

/** `12.5 s`, `3:05`, `2:03:05`. */
function clock(seconds: number, step: number): string {
  if (seconds < 60 && step < 60) return `${figure(seconds)} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const whole = Math.floor(seconds + 1e-9);
  const rest = step < 1 ? (seconds - whole).toFixed(1).slice(1) : '';
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = `${two(whole % 60)}${rest}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
