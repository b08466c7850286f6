/**
 * Attributions as colour, in steps: each step of a drawing is one path, which keeps pages small. Diverging: orange
 * raises, purple lowers, which people with any colour vision tell apart; the strength is the opacity, on light and on dark.
 */
import { type Html, html, join, raw } from './html.ts';

export const colourStyle = `
:root { --up: #e66100; --down: #6a4bb0; }
@media (prefers-color-scheme: dark) { :root { --up: #ff9a4d; --down: #a68bf0; } }
svg .up { fill: var(--up); } svg .down { fill: var(--down); }
svg .s1 { fill-opacity: .13; } svg .s2 { fill-opacity: .27; } svg .s3 { fill-opacity: .42; }
svg .s4 { fill-opacity: .58; } svg .s5 { fill-opacity: .78; }
`;

const steps = 5;
/** Below this share of the largest nothing is drawn. */
const faintest = 0.06;

/** A rectangle and what it stands for. */
export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly value: number;
}

/** Cells coloured by the sign of their value and by its share of the largest. */
export function drawCells(cells: Iterable<Cell>, largest: number): Html {
  const paths = new Map<string, string>();
  for (const { x, y, width, height, value } of cells) {
    const share = largest > 0 ? Math.min(1, Math.abs(value) / largest) : 0;
    if (!(share >= faintest)) continue;
    const colour = value > 0 ? 'up' : 'down';
    const key = `${colour} s${Math.max(1, Math.ceil(share * steps - 1e-9))}`;
    paths.set(
      key,
      `${paths.get(key) ?? ''}M${tenth(x)} ${tenth(y)}h${tenth(width)}v${tenth(height)}h${tenth(-width)}z`,
    );
  }
  return join(Array.from(paths, ([key, d]) => html`<path class="${key}" d="${raw(d)}"/>`));
}

/** The colours with what they mean, from −largest to largest. */
export function drawLegend(largest: number, low: string, high: string, x: number, y: number): Html {
  const [width, height] = [22, 11];
  const cells = Array.from({ length: 2 * steps }, (_, i) => ({
    ...{ x: x + i * width, y, width, height },
    value: i < steps ? i - steps : i - steps + 1,
  }));
  const end = x + 2 * steps * width;
  return html`${drawCells(cells, steps)}
<text x="${x - 6}" y="${y + 10}" text-anchor="end">${low} −${figures(largest)}</text><text x="${end + 6}" y="${y + 10}">+${figures(largest)} ${high}</text>`;
}

/** A value that all but the outermost hundredth of |values| stay below: what the strongest colour stands for. */
export function strongColour(values: Iterable<number | null>): number {
  const sizes = Array.from(values, (value) => Math.abs(value ?? 0))
    .filter((size) => size > 0)
    .sort((a, b) => a - b);
  return sizes[Math.floor(0.99 * (sizes.length - 1))] ?? 0;
}

export function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function figures(value: number): string {
  return String(Number(value.toPrecision(2)));
}
