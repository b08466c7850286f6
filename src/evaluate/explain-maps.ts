/** Maps of an explanation → SVG: electrodes on the head, channels × bands, attention across channels and across seconds. */
import { maxOf } from '../core/arrays.ts';
import { electrodePosition } from '../signal/electrodes.ts';
import { drawCells, strongColour, tenth } from './explain-colour.ts';
import type { AttentionSummary, ExplainedSignal } from './explain-result.ts';
import { signed } from './explain-words.ts';
import { type Html, html, join } from './html.ts';

const headSize = 280;
const headRadius = 110;

/** Electrodes seen from above, nose up; nothing where fewer than four are known. */
export function drawHead({ channels, byChannel }: ExplainedSignal): Html | undefined {
  const placed = channels.flatMap((name, i) => {
    const position = electrodePosition(name);
    if (position === undefined) return [];
    const [x, y, z] = position;
    // Azimuthal, equal distances along the arcs from the vertex; the equator is the circle.
    const angle = Math.acos(Math.max(-1, Math.min(1, z)));
    const reach = Math.hypot(x, y) || 1;
    const radius = (angle / (Math.PI / 2)) * headRadius;
    const middle = headSize / 2 + 6;
    return [
      {
        name,
        value: byChannel.attribution[i]!,
        x: middle + (x / reach) * radius,
        y: middle - (y / reach) * radius,
      },
    ];
  });
  if (placed.length < 4) return undefined;
  const largest = maxOf(placed.map(({ value }) => Math.abs(value)));
  const middle = headSize / 2 + 6;
  const spots = placed.map(({ name, value, x, y }) => {
    const share = largest > 0 ? Math.abs(value) / largest : 0;
    const step = Math.max(1, Math.ceil(share * 5 - 1e-9));
    return html`<circle class="${value < 0 ? 'down' : 'up'} s${step}" cx="${tenth(x)}" cy="${tenth(y)}" r="14"><title>${name}: ${signed(value)}</title></circle><circle class="rim" cx="${tenth(x)}" cy="${tenth(y)}" r="14"/><text class="spot" x="${tenth(x)}" y="${tenth(y + 3.5)}" text-anchor="middle">${name}</text>`;
  });
  return html`<svg viewBox="0 0 ${headSize + 12} ${headSize + 12}" width="${headSize + 12}" role="img" aria-label="Attribution of the electrodes on the head"><circle class="skull" cx="${middle}" cy="${middle}" r="${headRadius + 17}"/><path class="skull" d="M${middle - 12} ${middle - headRadius - 16}l12 -12l12 12"/>${join(spots)}</svg>`;
}

/** Attribution of every channel in every band. */
export function drawChannelBands({ channels, bands, byChannelAndBand }: ExplainedSignal): Html {
  const [left, top, cellWidth, cellHeight] = [70, 34, 76, 17];
  const largest = strongColour(byChannelAndBand);
  const cells = byChannelAndBand.map((value, i) => ({
    x: left + (i % bands.length) * cellWidth,
    y: top + Math.floor(i / bands.length) * cellHeight,
    ...{ width: cellWidth - 1, height: cellHeight - 1, value },
  }));
  const width = left + bands.length * cellWidth + 10;
  const height = top + channels.length * cellHeight + 4;
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Attribution by channel and band">
${join(bands.map(({ name, lowHz, highHz }, b) => html`<text x="${left + (b + 0.5) * cellWidth}" y="12" text-anchor="middle">${name}</text><text x="${left + (b + 0.5) * cellWidth}" y="26" text-anchor="middle">${lowHz}–${highHz}</text>`))}
${drawCells(cells, largest)}
${join(channels.map((name, c) => html`<text class="name" x="${left - 6}" y="${top + c * cellHeight + 13}" text-anchor="end">${name}</text>`))}
${join(cells.map(({ x, y, value }) => (Math.abs(value) >= 0.3 * largest ? html`<text class="spot" x="${x + cellWidth / 2}" y="${y + 12}" text-anchor="middle">${signed(Number(value.toPrecision(2)))}</text>` : html``)))}</svg>`;
}

/**
 * Attention along an axis: every layer small, the rollout through all of them large and labelled. Coloured is how far a share
 * is from an equal one: orange more, purple less. Equal in rollout is the mean of what goes to others, as it keeps much of
 * every token at its own place, which is left blank.
 */
export function drawAttention(
  attention: AttentionSummary,
  axis: 'channels' | 'patches',
  labels: readonly string[],
): Html {
  const n = labels.length;
  const [layers, rollout] =
    axis === 'channels'
      ? [attention.channels, attention.channelRollout]
      : [attention.patches, attention.patchRollout];
  const isOwn = (i: number) => Math.floor(i / n) === i % n;
  const others = rollout.filter((_, i) => !isOwn(i));
  const mean = others.reduce((sum, value) => sum + value, 0) / others.length;
  const through = rollout.map((value, i) => (isOwn(i) ? 0 : value / mean - 1));
  const apart = layers.map((values) => values.map((value) => value * n - 1));
  const [reach, layerReach] = [strongColour(through), strongColour(apart.flat())];
  const large = matrix(through, n, Math.max(84, Math.min(240, 15 * n)), reach, labels);
  const small = apart.map(
    (values, layer) =>
      html`<figure>${matrix(values, n, 84, layerReach)}<figcaption>layer ${layer + 1}</figcaption></figure>`,
  );
  return html`<div class="attention"><figure>${large}<figcaption>rollout, ± ${percent(reach)} around the mean</figcaption></figure><figure><div class="layers">${join(small)}</div><figcaption>± ${percent(layerReach)} around equal shares</figcaption></figure></div>`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

function matrix(
  values: readonly number[],
  n: number,
  size: number,
  largest: number,
  labels?: readonly string[],
): Html {
  const margin = labels ? 44 : 1;
  const cell = size / n;
  const cells = values.map((value, i) => ({
    x: margin + (i % n) * cell,
    y: margin + Math.floor(i / n) * cell,
    ...{ width: cell, height: cell, value },
  }));
  const total = size + margin + 2;
  const named = labels?.map((name, i) => {
    const at = tenth(margin + (i + 0.5) * cell);
    return html`<text x="${margin - 4}" y="${at + 3}" text-anchor="end">${name}</text><text transform="translate(${at + 3} ${margin - 4}) rotate(-90)">${name}</text>`;
  });
  return html`<svg class="matrix" viewBox="0 0 ${total} ${total}" width="${total}" role="img" aria-label="Attention">${drawCells(cells, largest)}<rect class="frame" x="${margin}" y="${margin}" width="${size}" height="${size}"/>${named ? join(named) : ''}</svg>`;
}
