/** A result's figures → SVG text by Observable Plot, drawn without a browser. Colours are the page's CSS variables. */

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { maxOf, minOf } from '../core/arrays.ts';
import { escapeHtml } from './html.ts';
import type { Curve, ModelDetails, Reconstruction, Result } from './result.ts';
import { countTested, hasInterval, scoreOf, spreadOf } from './score-spread.ts';

/** Made when the first chart is drawn: importing heartmind costs nothing. */
let page: Document | undefined;

function pageOf(): Document {
  page ??= parseHTML('<!doctype html><html><body></body></html>').document as unknown as Document;
  return page;
}

/** The colour of a model in every figure. */
export function colourOf(model: string): string {
  if (model === 'eeg' || model === 'ecg') return `var(--${model})`;
  if (model === 'eeg+ecg') return 'var(--both)';
  // Rungs of a ladder: a hue of their own by their names.
  if (/^(eeg|ecg)/.test(model)) {
    let hash = 0;
    for (const letter of model) hash = (hash * 31 + letter.codePointAt(0)!) % 360;
    return `hsl(${hash} 55% 52%)`;
  }
  return model.startsWith('classical') ? 'var(--classical)' : 'var(--trivial)';
}

/** A plot as SVG text; `description` is what a screen reader says. */
export function draw(description: string, options: Plot.PlotOptions): string {
  const drawn = Plot.plot({
    document: pageOf(),
    width: 720,
    style: { background: 'transparent', fontSize: '12px', color: 'currentColor' },
    ...options,
  });
  // linkedom escapes text, but not & and < in attributes: the only one made of data is written here.
  // A chart with a legend is a figure.
  return drawn.outerHTML.replace(/^<[a-z]+/, (tag) => `${tag} aria-label="${escapeHtml(description)}"`);
}

/** One score of every model with its interval, or a small dot a person where those are too few; a line at chance. */
export function scoreChart(
  result: Pick<Result, 'models' | 'details' | 'folds'>,
  score: string,
  title: string,
  chance: number | null,
): string {
  const tested = countTested(result);
  const rows = Object.keys(result.models).flatMap((model) => {
    const own = scoreOf(result, model, score);
    if (!own || own.mean === null) return [];
    const shown = spreadOf(own, tested);
    const [low, high] = shown.kind === 'interval' ? [shown.low, shown.high] : [own.mean, own.mean];
    return [{ model, mean: own.mean, low, high, points: shown.kind === 'people' ? shown.points : [] }];
  });
  const people = rows.flatMap(({ model, points }) => points.map((point) => ({ model, point })));
  const spread = hasInterval(tested) ? '95 % intervals' : 'the score of each tested person';
  return draw(`${title} of every model with ${spread}`, {
    height: 70 + 22 * rows.length,
    marginBottom: 40,
    marginLeft: 235,
    x: { domain: [0, 1], label: title, grid: true },
    y: { domain: rows.map(({ model }) => model), label: null },
    marks: [
      ...(chance === null ? [] : [Plot.ruleX([chance], { strokeDasharray: '4 3', strokeOpacity: 0.6 })]),
      Plot.link(hasInterval(tested) ? rows : [], {
        ...{ x1: 'low', x2: 'high', y1: 'model', y2: 'model' },
        stroke: (row: { model: string }) => colourOf(row.model),
        strokeWidth: 2.5,
      }),
      Plot.dot(people, {
        ...{ x: 'point', y: 'model', r: 2.5, strokeOpacity: 0.8 },
        stroke: (row: { model: string }) => colourOf(row.model),
      }),
      Plot.dot(rows, {
        ...{ x: 'mean', y: 'model', r: 4.5 },
        fill: (row: { model: string }) => colourOf(row.model),
      }),
    ],
    color: { type: 'identity' },
  });
}

/** ROC curves of the first seed. */
export function rocChart(details: Readonly<Record<string, ModelDetails>>): string {
  const rows = Object.entries(details).flatMap(([model, { roc }]) =>
    roc ? roc.falsePositiveRate.map((x, i) => ({ model, x, y: roc.truePositiveRate[i] })) : [],
  );
  return draw('ROC curves', {
    ...{ width: 420, height: 400, marginBottom: 40, marginLeft: 45 },
    x: { domain: [0, 1], label: 'false positive rate' },
    y: { domain: [0, 1], label: 'true positive rate' },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: 'currentColor', strokeOpacity: 0.4, strokeDasharray: '4 3' },
      ),
      Plot.line(rows, {
        ...{ x: 'x', y: 'y', z: 'model', strokeWidth: 2, curve: 'linear' },
        stroke: (row: { model: string }) => colourOf(row.model),
      }),
      Plot.frame({ strokeOpacity: 0.3 }),
    ],
    color: { type: 'identity' },
  });
}

/** Confidence against accuracy of the first seed; a dot's area is its share of windows. */
export function reliabilityChart(details: Readonly<Record<string, ModelDetails>>): string {
  const rows = Object.entries(details).flatMap(([model, { reliability }]) =>
    reliability.map((bin) => ({ model, ...bin })),
  );
  return draw('Confidence against accuracy', {
    ...{ width: 420, height: 400, marginBottom: 40, marginLeft: 45 },
    x: { domain: [0, 1], label: 'confidence' },
    y: { domain: [0, 1], label: 'accuracy' },
    r: { range: [0, 12] },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: 'currentColor', strokeOpacity: 0.4, strokeDasharray: '4 3' },
      ),
      Plot.dot(rows, {
        ...{ x: 'confidence', y: 'accuracy', r: 'count', fillOpacity: 0.55 },
        fill: (row: { model: string }) => colourOf(row.model),
      }),
      Plot.frame({ strokeOpacity: 0.3 }),
    ],
    color: { type: 'identity' },
  });
}

/** Columns of a curve's rows that are drawn as losses, with how to draw them. */
function lossKeys(rows: Curve['rows']): string[] {
  const keys = new Set(rows.flatMap((row) => Object.keys(row)));
  const apart = [...keys].filter((key) => key.startsWith('loss.'));
  // The mixed loss of pre-training says nothing beside its kinds.
  return ['trainLoss', ...(apart.length > 0 ? apart : ['loss'])].filter((key) => keys.has(key));
}

/** Losses by epoch: training, validation, and each kind of mask. `bestEpoch` is marked. */
export function lossChart(curves: readonly Curve[]): string {
  const rows = curves.flatMap((curve) =>
    lossKeys(curve.rows).flatMap((key) =>
      curve.rows.flatMap((row) => {
        const loss = row[key];
        return typeof loss === 'number'
          ? [{ epoch: row.epoch ?? 0, loss, series: nameSeries(key), curve: `${curve.name} ${key}` }]
          : [];
      }),
    ),
  );
  const positive = rows.every(({ loss }) => loss > 0);
  const wide = positive && maxOf(rows.map(({ loss }) => loss)) > 10 * minOf(rows.map(({ loss }) => loss));
  const best = curves.flatMap(({ bestEpoch }) => (bestEpoch === null ? [] : [bestEpoch]));
  const lastEpoch = maxOf(
    rows.map(({ epoch }) => epoch),
    1,
  );
  return draw('Losses by epoch', {
    ...{ height: 300, marginLeft: 50, marginBottom: 40 },
    x: { label: 'epoch', tickFormat: 'd', ticks: Math.min(10, Math.max(1, lastEpoch - 1)) },
    y: {
      label: 'loss',
      grid: true,
      type: wide ? 'log' : 'linear',
      ...(wide ? { ticks: 5, tickFormat: '~g' } : {}),
    },
    color: { scheme: 'Observable10', legend: true },
    marks: [
      Plot.ruleX(best, { strokeDasharray: '3 3', strokeOpacity: 0.5 }),
      Plot.line(rows, { x: 'epoch', y: 'loss', z: 'curve', stroke: 'series', strokeWidth: 1.75 }),
      Plot.dot(rows, { x: 'epoch', y: 'loss', fill: 'series', r: 2 }),
    ],
  });
}

function nameSeries(key: string): string {
  if (key === 'trainLoss') return 'training';
  return key === 'loss' ? 'validation' : key.slice('loss.'.length);
}

/** Original (grey) and, where hidden (shaded), its reconstruction: a row for every channel, each on its own scale. */
export function reconstructionChart({
  modality,
  kind,
  channels,
  patches,
  patchSamples,
  original,
  reconstruction,
  mask,
}: Reconstruction): string {
  const length = patches * patchSamples;
  const points: { t: number; y: number; channel: string }[] = [];
  const guesses: { t: number; y: number; z: string }[] = [];
  const hidden: { x1: number; x2: number; y1: number; y2: number }[] = [];
  for (const [c, name] of channels.entries()) {
    const row = original[c]!;
    const middle = quantile(row, 0.5);
    const scale = 2.2 * Math.max(quantile(row, 0.99) - middle, middle - quantile(row, 0.01), 1e-9);
    const place = (x: number) => -c + Math.max(-0.48, Math.min(0.48, (x - middle) / scale));
    for (let i = 0; i < length; i++) {
      const t = i / patchSamples;
      points.push({ t, y: place(row[i]!), channel: name });
      const patch = Math.floor(i / patchSamples);
      if (mask[c]![patch]) guesses.push({ t, y: place(reconstruction[c]![i]!), z: `${c} ${patch}` });
    }
    for (let n = 0; n < patches; n++)
      if (mask[c]![n]) hidden.push({ x1: n, x2: n + 1, y1: -c - 0.5, y2: -c + 0.5 });
  }
  return draw(`Reconstruction of a held-out ${modality} window, mask “${kind}”`, {
    ...{ width: 860, height: 60 + 34 * channels.length, marginBottom: 40, marginLeft: 60 },
    x: { label: 'seconds', domain: [0, patches] },
    y: {
      domain: [-channels.length + 0.5, 0.5],
      ticks: channels.map((_, c) => -c),
      tickFormat: (y: number) => channels[Math.round(-y)] ?? '',
      label: null,
      tickSize: 0,
    },
    marks: [
      Plot.rect(hidden, { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2', fill: 'currentColor', fillOpacity: 0.09 }),
      Plot.line(points, {
        x: 't',
        y: 'y',
        z: 'channel',
        stroke: 'currentColor',
        strokeOpacity: 0.55,
        strokeWidth: 1,
      }),
      Plot.line(guesses, { x: 't', y: 'y', z: 'z', stroke: `var(--${modality})`, strokeWidth: 1.5 }),
    ],
  });
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))] ?? 0;
}
