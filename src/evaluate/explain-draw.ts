/**
 * Attributions over traces → SVG: strips of about ten seconds, all channels of a modality on one scale as on a physiologist's
 * screen, the colour of every tenth of a second behind them.
 */
import { appendAll, maxOf, minOf } from '../core/arrays.ts';
import { type Cell, drawCells, drawLegend, strongColour, tenth } from './explain-colour.ts';
import type { ExplainedSignal, Explanation } from './explain-result.ts';
import { stretchSeconds } from './explain-sums.ts';
import { type Html, html, join, raw } from './html.ts';

/** Pixels where the page is wide enough. */
export const pageWidth = 1040;
const marginLeft = 70;
const marginRight = 120;
const plotWidth = pageWidth - marginLeft - marginRight;
const marginTop = 26;
const rowHeights = { eeg: 30, ecg: 56 } as const;
const axisHeight = 22;
/** A screen of EEG shows ten seconds. */
const stripSeconds = 10;
const rateHz = 200;

interface Strip {
  readonly from: number;
  readonly to: number;
}

/** How a modality is drawn: what the strongest colour and a row's height stand for. */
interface Scale {
  readonly modality: 'eeg' | 'ecg';
  readonly signal: ExplainedSignal;
  readonly row: number;
  /** Of a stretch's attribution. */
  readonly strongest: number;
  /** Microvolt in a row. */
  readonly swing: number;
}

/** Traces with colours, strip by strip; the legends first. */
export function drawTraces(explanation: Explanation): Html {
  const scales = signalsOf(explanation).map(([modality, signal]): Scale => {
    const row = rowHeights[modality];
    return {
      ...{ modality, signal },
      row: signal.channels.length === 1 ? 1.3 * row : row,
      strongest: strongColour(signal.stretches.flat()),
      swing: swingOf(modality, signal),
    };
  });
  const legends = scales.map(({ modality, strongest }, i) => {
    const y = 3 + i * 18;
    return html`<text class="name" x="${marginLeft}" y="${y + 10}">${modality.toUpperCase()}</text>${drawLegend(strongest, `against ${explanation.class}`, `for ${explanation.class}, in ${stretchSeconds} s`, pageWidth / 2 - 110, y)}`;
  });
  const legend = html`<svg viewBox="0 0 ${pageWidth} ${18 * scales.length}" width="${pageWidth}" role="img" aria-label="Colours">${join(legends)}</svg>`;
  return join([legend, ...stripsOf(explanation).map((strip) => drawStrip(explanation, strip, scales))]);
}

/** Strips of whole windows, as long as the first that holds any. */
function stripsOf(explanation: Explanation): Strip[] {
  const signals = signalsOf(explanation).map(([, signal]) => signal);
  const from = minOf(signals.map(({ start }) => start));
  const to = maxOf(signals.map(({ start, bySecond }) => start + bySecond.attribution.length));
  const whole = explanation.windowSeconds * Math.max(1, Math.floor(stripSeconds / explanation.windowSeconds));
  const length = Math.min(whole, to - from);
  const hasSome = ({ from: a, to: b }: Strip) =>
    signals.some(({ start, bySecond }) =>
      bySecond.attribution.some((value, i) => value !== null && start + i + 1 > a && start + i < b),
    );
  return Array.from({ length: Math.ceil((to - from) / length - 1e-9) }, (_, i) => ({
    ...{ from: from + i * length, to: from + (i + 1) * length },
  })).filter(hasSome);
}

function drawStrip(explanation: Explanation, strip: Strip, scales: readonly Scale[]): Html {
  const x = (seconds: number) => marginLeft + ((seconds - strip.from) / (strip.to - strip.from)) * plotWidth;
  let top = marginTop;
  const pieces: Html[] = [];
  for (const { modality, signal, row, strongest, swing } of scales) {
    const cells: Cell[] = [];
    const lines: Html[] = [];
    for (const [c, name] of signal.channels.entries()) {
      const y = top + c * row;
      appendAll(cells, stretchCells(signal, c, strip, x, y, row));
      const path = tracePath(signal, c, strip, x, y + row / 2, row / swing);
      lines.push(
        html`<text class="name" x="${marginLeft - 8}" y="${tenth(y + row / 2 + 4)}" text-anchor="end">${name}</text><path class="trace" transform="scale(.1)" d="${raw(path)}"/>`,
      );
    }
    pieces.push(drawCells(cells, strongest));
    appendAll(pieces, lines);
    pieces.push(scaleBar(modality, swing, row, top));
    top += signal.channels.length * row + 8;
  }
  const bottom = tenth(top - 4);
  return html`<svg class="strip" viewBox="0 0 ${pageWidth} ${bottom + axisHeight}" width="${pageWidth}" role="img" aria-label="Seconds ${strip.from} to ${strip.to}">
${secondsAxis(strip, x, bottom)}
${windowMarks(explanation, strip, x, bottom)}
${join(pieces)}</svg>`;
}

function stretchCells(
  { stretches, start }: ExplainedSignal,
  channel: number,
  { from, to }: Strip,
  x: (seconds: number) => number,
  y: number,
  height: number,
): Cell[] {
  return stretches[channel]!.flatMap((value, i) => {
    const at = start + i * stretchSeconds;
    if (value === null || at < from - 1e-6 || at >= to - 1e-6) return [];
    return [{ x: x(at), y: y + 1, width: x(at + stretchSeconds) - x(at), height: height - 2, value }];
  });
}

function tracePath(
  { traces, start }: ExplainedSignal,
  channel: number,
  { from, to }: Strip,
  x: (seconds: number) => number,
  middle: number,
  pixelsPerUnit: number,
): string {
  const samples = traces[channel]!;
  const first = Math.max(0, Math.round((from - start) * rateHz));
  const last = Math.min(samples.length, Math.round((to - start) * rateHz));
  const centre = centreOf(samples.subarray(first, last));
  let path = '';
  let pen: { readonly x: number; readonly y: number } | undefined;
  for (let i = first; i < last; i++) {
    if (Number.isNaN(samples[i])) {
      pen = undefined;
      continue;
    }
    // In tenths of a pixel, each point from the one before: a third of the text.
    const high = 0.95 * 10 * Math.max(-60, Math.min(60, (samples[i]! - centre) * pixelsPerUnit));
    const point = { x: Math.round(10 * x(start + i / rateHz)), y: Math.round(10 * middle - high) };
    path += pen ? `${point.x - pen.x} ${point.y - pen.y} ` : `M${point.x} ${point.y}l`;
    pen = point;
  }
  return path
    .replace(/l(?=M|$)/g, '')
    .replaceAll(' -', '-')
    .trim();
}

/**
 * Microvolt in a row: what three of four channels swing within. Of ECG all of it, R peaks are rare; of EEG the outermost
 * hundredths may reach into the rows beside.
 */
function swingOf(modality: 'eeg' | 'ecg', { traces }: ExplainedSignal): number {
  const outside = modality === 'ecg' ? 0 : 0.005;
  const swings = traces
    .map((trace) => {
      const known = trace.filter((value) => !Number.isNaN(value)).sort();
      const at = (share: number) => known[Math.round(share * (known.length - 1))] ?? 0;
      return at(1 - outside) - at(outside);
    })
    .sort((a, b) => a - b);
  return Math.max(swings[Math.floor(0.75 * (swings.length - 1))] ?? 1, 1e-9);
}

/** A bar of a round number of microvolt or millivolt beside the first row. */
function scaleBar(modality: 'eeg' | 'ecg', swing: number, row: number, top: number): Html {
  const unit = modality === 'eeg' ? { name: 'µV', size: 1 } : { name: 'mV', size: 1000 };
  const target = (0.6 * swing) / unit.size;
  const power = 10 ** Math.floor(Math.log10(target));
  const value = [5, 2, 1].map((n) => n * power).find((n) => n <= target) ?? power;
  const height = ((value * unit.size) / swing) * row * 0.95;
  const x = pageWidth - marginRight + 12;
  const y = top + row / 2 + height / 2;
  return html`<path class="scale" d="M${x - 4} ${tenth(y)}h8m-4 0v${tenth(-height)}m-4 0h8"/><text x="${x + 10}" y="${tenth(y - height / 2 + 4)}">${Number(value.toPrecision(2))} ${unit.name}</text>`;
}

function windowMarks(
  { windows, windowSeconds, class: name }: Explanation,
  { from, to }: Strip,
  x: (seconds: number) => number,
  bottom: number,
): Html {
  const here = windows.filter(({ start }) => start + windowSeconds > from + 1e-6 && start < to - 1e-6);
  return join(
    here.map(({ start, probability }) => {
      const [left, right] = [x(Math.max(from, start)), x(Math.min(to, start + windowSeconds))];
      return html`<path class="window" d="M${tenth(left)} ${bottom}V${marginTop - 8}H${tenth(right)}V${bottom}"/><text x="${tenth((left + right) / 2)}" y="${marginTop - 12}" text-anchor="middle">${name} ${probability.toFixed(2)}</text>`;
    }),
  );
}

function secondsAxis({ from, to }: Strip, x: (seconds: number) => number, bottom: number): Html {
  const every = to - from > 20 ? 5 : 1;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / every - 1e-6) * every; at <= to + 1e-6; at += every) ticks.push(at);
  return html`<path class="grid" d="${raw(ticks.map((at) => `M${tenth(x(at))} ${marginTop}V${bottom}`).join(''))}"/>${join(ticks.map((at) => html`<text x="${tenth(x(at))}" y="${bottom + 14}" text-anchor="middle">${at}${at === ticks.at(-1) ? ' s' : ''}</text>`))}`;
}

/** Half way between the lowest and the highest value. */
function centreOf(values: Float32Array): number {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  return known.length === 0 ? 0 : (known[0]! + known.at(-1)!) / 2;
}

/** The modalities of an explanation. */
export function signalsOf({ signals }: Explanation): ['eeg' | 'ecg', ExplainedSignal][] {
  return Object.entries(signals) as ['eeg' | 'ecg', ExplainedSignal][];
}
