/** Figures of an explanation → SVG: bars by channel and band, the prediction and the seconds along the recording, the sanity check. */
import { maxOf, minOf } from '../core/arrays.ts';
import { tenth } from './explain-colour.ts';
import { pageWidth, signalsOf } from './explain-draw.ts';
import type { Explanation } from './explain-result.ts';
import { sanityLimit, signed } from './explain-words.ts';
import { type Html, html, join, raw } from './html.ts';

/** One bar: attribution, and the effect of hiding the same part. */
export interface Bar {
  readonly name: string;
  readonly attribution: number;
  readonly occlusion: number;
}

const barRow = 18;
const barWidth = 500;
const barLeft = 150;
const barRight = 60;

/** Bars to both sides of zero, a ring where occlusion is; groups share one scale. */
export function drawBars(
  label: string,
  groups: readonly { readonly title: string; readonly bars: readonly Bar[] }[],
): Html {
  const all = groups.flatMap(({ bars }) =>
    bars.flatMap(({ attribution, occlusion }) => [attribution, occlusion]),
  );
  const [low, high] = [minOf(all, 0), maxOf(all, 0)];
  const span = Math.max(high - low, 1e-9);
  const plot = barWidth - barLeft - barRight;
  const x = (value: number) => barLeft + ((value - low) / span) * plot;
  let y = 4;
  const pieces = groups.map(({ title, bars }) => {
    const head = title === '' ? html`` : html`<text class="name" x="4" y="${y + 13}">${title}</text>`;
    if (title !== '') y += barRow;
    const rows = bars.map(({ name, attribution, occlusion }) => {
      const top = y;
      y += barRow;
      const [from, to] = [x(Math.min(0, attribution)), x(Math.max(0, attribution))];
      return html`<text x="${barLeft - 8}" y="${top + 13}" text-anchor="end">${name}</text><rect class="${attribution < 0 ? 'down' : 'up'} s5" x="${tenth(from)}" y="${top + 3}" width="${tenth(Math.max(0.5, to - from))}" height="${barRow - 6}"><title>${name}: ${signed(attribution)}; hidden: ${signed(occlusion)}</title></rect><circle class="ring" cx="${tenth(x(occlusion))}" cy="${top + barRow / 2}" r="3.5"/><text x="${barWidth - barRight + 12}" y="${top + 13}">${signed(attribution)}</text>`;
    });
    y += 6;
    return html`${head}${join(rows)}`;
  });
  return html`<svg viewBox="0 0 ${barWidth} ${y}" width="${barWidth}" role="img" aria-label="${label}"><path class="axis" d="M${tenth(x(0))} 2V${y - 4}"/>${join(pieces)}</svg>`;
}

const left = 70;
const right = 120;
const plotWidth = pageWidth - left - right;

/** Colours of classes: the explained one stands out. */
const classStyle = (isExplained: boolean) => (isExplained ? 'line explained' : 'line other');

/** Probability of every class over all of the recording; the explained stretch shaded. */
export function drawTimeline(explanation: Explanation): Html {
  const { timeline, classes, windowSeconds, windows, class: explained } = explanation;
  const height = 120;
  const [top, bottom] = [14, height - 22];
  const from = timeline[0]!.start;
  const to = timeline.at(-1)!.start + windowSeconds;
  const x = (seconds: number) => left + ((seconds - from) / (to - from)) * plotWidth;
  const y = (probability: number) => bottom - probability * (bottom - top);
  const lines = classes.map((name, k) => {
    let path = '';
    let end = Number.NaN;
    for (const { start, probabilities } of timeline) {
      const here = `${tenth(x(start))} ${tenth(y(probabilities[k]!))}`;
      path += `${Math.abs(start - end) < 1e-6 ? 'L' : 'M'}${here}H${tenth(x(start + windowSeconds))}`;
      end = start + windowSeconds;
    }
    return { name, isExplained: name === explained, path, last: timeline.at(-1)!.probabilities[k]! };
  });
  const shaded = windows.map(
    ({ start }) =>
      `M${tenth(x(start))} ${top}H${tenth(x(start + windowSeconds))}V${bottom}H${tenth(x(start))}z`,
  );
  // Of two classes one line says it all.
  const drawn = classes.length === 2 ? lines.filter(({ isExplained }) => isExplained) : lines;
  return html`<svg viewBox="0 0 ${pageWidth} ${height}" width="${pageWidth}" role="img" aria-label="Prediction over time">
<path class="chosen" d="${raw(shaded.join(''))}"/>
${join([0, 0.5, 1].map((p) => html`<path class="grid" d="M${left} ${y(p)}H${pageWidth - right}"/><text x="${left - 8}" y="${y(p) + 4}" text-anchor="end">${p}</text>`))}
${join(drawn.map(({ name, isExplained, path, last }) => html`<path class="${classStyle(isExplained)}" d="${raw(path)}"/><text class="${isExplained ? 'name' : ''}" x="${pageWidth - right + 8}" y="${tenth(y(last) + 4)}">${cut(name, 16)}</text>`))}
${timeTicks(from, to, x, bottom)}</svg>`;
}

/** Attribution of every second in all signals together: columns; rings: all channels of the signal hidden in that second. */
export function drawSeconds(explanation: Explanation): Html {
  const signals = signalsOf(explanation);
  const from = minOf(signals.map(([, { start }]) => start));
  const to = maxOf(signals.map(([, { start, bySecond }]) => start + bySecond.attribution.length));
  const x = (seconds: number) => left + ((seconds - from) / (to - from)) * plotWidth;
  const [row, gap] = [84, 22];
  const all = signals.flatMap(([, { bySecond }]) =>
    [...bySecond.attribution, ...bySecond.occlusion].map((value) => value ?? 0),
  );
  const [low, high] = [minOf(all, 0), maxOf(all, 0)];
  const pieces = signals.map(([modality, { bySecond, start }], i) => {
    const top = 8 + i * (row + gap);
    const y = (value: number) => top + ((high - value) / Math.max(high - low, 1e-9)) * row;
    const columns = bySecond.attribution.map((value, second) => {
      if (value === null) return html``;
      const [at, next] = [x(start + second), x(start + second + 1)];
      const occlusion = bySecond.occlusion[second]!;
      return html`<rect class="${value < 0 ? 'down' : 'up'} s5" x="${tenth(at + 1)}" y="${tenth(y(Math.max(0, value)))}" width="${tenth(Math.max(0.5, next - at - 2))}" height="${tenth(Math.max(0.5, Math.abs(y(0) - y(value))))}"><title>${Number((start + second).toFixed(1))} s: ${signed(value)}; hidden: ${signed(occlusion)}</title></rect>${next - at > 6 ? html`<circle class="ring" cx="${tenth((at + next) / 2)}" cy="${tenth(y(occlusion))}" r="3"/>` : ''}`;
    });
    const ticks = [high, 0, low].filter((value, n, values) => values.indexOf(value) === n);
    return html`${join(ticks.map((value) => html`<path class="grid" d="M${left} ${tenth(y(value))}H${pageWidth - right}"/><text x="${left - 8}" y="${tenth(y(value) + 4)}" text-anchor="end">${signed(Number(value.toPrecision(2)))}</text>`))}${join(columns)}<text class="name" x="${pageWidth - right + 8}" y="${tenth(top + row / 2 + 4)}">${modality.toUpperCase()}</text>`;
  });
  const bottom = 8 + signals.length * (row + gap) - gap + 6;
  return html`<svg viewBox="0 0 ${pageWidth} ${bottom + 22}" width="${pageWidth}" role="img" aria-label="Attribution of every second">${join(pieces)}${timeTicks(from, to, x, bottom)}</svg>`;
}

function timeTicks(from: number, to: number, x: (seconds: number) => number, bottom: number): Html {
  const step =
    [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600].find((one) => (to - from) / one <= 16) ?? 7200;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step - 1e-6) * step; at <= to + 1e-6; at += step) ticks.push(at);
  return join(
    ticks.map(
      (at, i) =>
        html`<text x="${tenth(x(at))}" y="${bottom + 15}" text-anchor="middle">${at}${i === ticks.length - 1 ? ' s' : ''}</text>`,
    ),
  );
}

const series = [
  { key: 'cells', name: 'patches', style: 'a' },
  { key: 'magnitudes', name: 'patches, magnitudes', style: 'b' },
  { key: 'samples', name: 'samples, magnitudes', style: 'c' },
] as const;

/** Likeness to the trained model's attributions as more of its weights are random. */
export function drawSanity({ sanity }: Explanation): Html {
  const [width, height] = [640, 230];
  const [top, bottom, leftEdge, rightEdge] = [12, height - 40, 46, 150];
  const columns = ['trained', ...sanity.levels.map(({ name }) => name)];
  const x = (i: number) =>
    leftEdge + 24 + (i / Math.max(1, columns.length - 1)) * (width - leftEdge - rightEdge - 48);
  const lowest = minOf(
    sanity.levels.flatMap((level) => series.map(({ key }) => level[key] ?? 0)),
    -0.25,
  );
  const y = (value: number) => bottom - ((value - lowest) / (1 - lowest)) * (bottom - top);
  const ends = series
    .map(({ key }, i) => ({ i, at: y(sanity.levels.at(-1)?.[key] ?? 0) }))
    .sort((a, b) => a.at - b.at);
  // Labels that would lie on each other move apart.
  for (const [n, end] of ends.entries()) if (n > 0) end.at = Math.max(end.at, ends[n - 1]!.at + 13);
  const lines = series.map(({ key, name, style }, i) => {
    const values = [1, ...sanity.levels.map((level) => level[key])];
    const points = values.flatMap((value, n) =>
      value === null ? [] : [`${tenth(x(n))} ${tenth(y(value))}`],
    );
    const dots = values.map((value, n) =>
      value === null
        ? html``
        : html`<circle class="dot-${style}" cx="${tenth(x(n))}" cy="${tenth(y(value))}" r="3"><title>${columns[n]!}: ${value.toFixed(2)}</title></circle>`,
    );
    return html`<path class="line-${style}" d="M${raw(points.join('L'))}"/>${join(dots)}<text x="${width - rightEdge - 14}" y="${tenth(ends.find((end) => end.i === i)!.at + 4)}">${name}</text>`;
  });
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Likeness to attributions of random models">
${join([1, sanityLimit, 0].map((value) => html`<path class="grid" d="M${leftEdge} ${tenth(y(value))}H${width - rightEdge - 20}"/><text x="${leftEdge - 6}" y="${tenth(y(value) + 4)}" text-anchor="end">${value}</text>`))}
${join(lines)}
${join(columns.map((name, i) => html`<text x="${tenth(x(i))}" y="${bottom + 16}" text-anchor="middle">${join(twoLines(name).map((line, n) => html`<tspan x="${tenth(x(i))}" dy="${n === 0 ? 0 : 13}">${line}</tspan>`))}</text>`))}</svg>`;
}

/** `head and layers from 3 on` → two lines of about the same length. */
function twoLines(name: string): string[] {
  const words = name.split(' ');
  if (words.length < 3) return [name];
  const middle = Math.ceil(words.length / 2);
  return [words.slice(0, middle).join(' '), words.slice(middle).join(' ')];
}

function cut(text: string, length: number): string {
  return [...text].length > length ? `${[...text].slice(0, length - 1).join('')}…` : text;
}
