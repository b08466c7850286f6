/** Figures of comparisons and of trust: differences, people under every model, calibration, silence. */

import * as Plot from '@observablehq/plot';
import { maxOf } from '../core/arrays.ts';
import { colourOf, draw } from './charts.ts';
import type { Abstention, Calibration, Comparison, ModelDetails } from './result.ts';
import { hasInterval, spreadOf, spreadOfDifference } from './score-spread.ts';

const dashed = { strokeDasharray: '4 3', strokeOpacity: 0.6 } as const;
const diagonal = [
  [0, 0],
  [1, 1],
] as const;

/**
 * Differences over all windows, one row a comparison, grouped by model, with their intervals, or a small dot for the
 * difference within each of few people; a line at no difference.
 */
export function differenceChart(comparisons: readonly Comparison[], title: string, tested: number): string {
  const rows = comparisons.flatMap((one) => {
    const { mean } = one.difference;
    if (mean === null) return [];
    const shown = spreadOf(spreadOfDifference(one), tested);
    const [low, high] = shown.kind === 'interval' ? [shown.low, shown.high] : [mean, mean];
    const points =
      shown.kind === 'people' ? shown.points : shown.kind === 'range' ? [shown.low, shown.high] : [];
    return [{ model: one.model, row: `${one.model} − ${one.against}`, mean, low, high, points }];
  });
  const people = rows.flatMap(({ model, row, points }) => points.map((point) => ({ model, row, point })));
  const reach = [
    ...rows.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]),
    ...people.map(({ point }) => Math.abs(point)),
  ];
  const widest = reach.reduce((most, value) => Math.max(most, value), 0.05);
  const longest = maxOf(
    rows.map(({ row }) => row.length),
    0,
  );
  const spread = hasInterval(tested) ? '95 % intervals' : 'the difference within each tested person';
  return draw(`Differences of ${title} with ${spread}`, {
    ...{ height: 60 + 20 * rows.length, marginBottom: 40, marginLeft: 20 + 6.6 * longest, width: 860 },
    x: { domain: [-1.05 * widest, 1.05 * widest], label: `difference of ${title}`, grid: true },
    y: { domain: rows.map(({ row }) => row), label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([0], { strokeOpacity: 0.7 }),
      Plot.link(hasInterval(tested) ? rows : [], {
        ...{ x1: 'low', x2: 'high', y1: 'row', y2: 'row', strokeWidth: 2.5 },
        stroke: (row: { model: string }) => colourOf(row.model),
      }),
      Plot.dot(people, {
        ...{ x: 'point', y: 'row', r: 2.5, strokeOpacity: 0.8 },
        stroke: (row: { model: string }) => colourOf(row.model),
      }),
      Plot.dot(rows, {
        ...{ x: 'mean', y: 'row', r: 4.5 },
        fill: (row: { model: string }) => colourOf(row.model),
      }),
    ],
    color: { type: 'identity' },
  });
}

/** People whose lines are labelled; more would not be readable. */
const maximumLabels = 10;

/** Balanced accuracy of every person under every model: a dot a seed, a line a person through the seeds' means. */
export function stripChart(details: Readonly<Record<string, ModelDetails>>, chance: number): string {
  const models = Object.keys(details);
  const dots = Object.entries(details).flatMap(([model, { perSubject }]) =>
    perSubject.flatMap(({ subject, balancedAccuracy, bySeed = [balancedAccuracy] }) =>
      bySeed.flatMap((score, seed) => (score === null ? [] : [{ model, subject, seed, score }])),
    ),
  );
  const means = Object.entries(details).flatMap(([model, { perSubject }]) =>
    perSubject.flatMap(({ subject, balancedAccuracy, bySeed = [balancedAccuracy] }) => {
      const known = bySeed.filter((score) => score !== null);
      const score = known.reduce((sum, value) => sum + value / known.length, 0);
      return known.length === 0 ? [] : [{ model, subject, score }];
    }),
  );
  const seedsOf = (model: string) =>
    maxOf(
      dots.flatMap((one) => (one.model === model ? [one.seed + 1] : [])),
      1,
    );
  const most = maxOf(models.map(seedsOf), 1);
  const last = means.filter(({ model }) => model === models.at(-1));
  const labels = last.length <= maximumLabels ? spreadOut(last, 0.05) : [];
  return draw('Balanced accuracy of every tested subject under every model', {
    ...{
      height: 420,
      width: 860,
      marginBottom: 40,
      marginLeft: 50,
      marginRight: labels.length > 0 ? 110 : 20,
    },
    x: { type: 'point', domain: models, label: null, padding: 0.3, tickSize: 0 },
    y: { domain: [0, 1], label: 'balanced accuracy', grid: true },
    marks: [
      Plot.ruleY([chance], dashed),
      Plot.line(means, {
        ...{ x: 'model', y: 'score', z: 'subject', stroke: 'currentColor', strokeOpacity: 0.25 },
        ...{ strokeWidth: 1.2, curve: 'linear' },
      }),
      ...models.flatMap((model) => {
        const seeds = seedsOf(model);
        return Array.from({ length: seeds }, (_, seed) =>
          Plot.dot(
            dots.filter((one) => one.model === model && one.seed === seed),
            {
              ...{ x: 'model', y: 'score', r: 3.5, fillOpacity: 0.7, fill: colourOf(model) },
              dx: (seed - (seeds - 1) / 2) * Math.min(7, 40 / most),
              title: (row: { subject: string; score: number }) =>
                `${row.subject}${seeds > 1 ? `, seed ${seed + 1} of ${seeds}` : ''}: ${row.score.toFixed(3)}`,
            },
          ),
        );
      }),
      Plot.text(labels, {
        ...{
          x: 'model',
          y: 'place',
          text: 'subject',
          dx: 10 + (seedsOf(models.at(-1) ?? '') - 1) * Math.min(3.5, 20 / most),
        },
        ...{ textAnchor: 'start', fill: 'currentColor', fillOpacity: 0.75 },
      }),
    ],
    color: { type: 'identity' },
  });
}

/** Labels moved apart where scores are close, from the lowest up and within the axis. */
function spreadOut<T extends { readonly score: number }>(
  rows: readonly T[],
  distance: number,
): (T & { readonly place: number })[] {
  const sorted = rows.toSorted((a, b) => a.score - b.score);
  const places: number[] = [];
  for (const { score } of sorted) places.push(Math.max(score, (places.at(-1) ?? -1) + distance));
  for (let i = places.length - 1, limit = 1; i >= 0; i--, limit = places[i + 1]! - distance)
    places[i] = Math.min(places[i]!, limit);
  return sorted.map((row, i) => ({ ...row, place: places[i]! }));
}

/** Confidence against accuracy, before and after temperatures; a dot's area is its share of windows. */
export function calibrationChart(calibration: Readonly<Record<string, Calibration>>): string {
  const rows = Object.entries(calibration).flatMap(([model, one]) =>
    (['before', 'after'] as const).flatMap((when) =>
      one[when].reliability.map((bin) => ({ model, when, ...bin })),
    ),
  );
  const stroke = (row: { model: string }) => colourOf(row.model);
  return draw('Confidence against accuracy, before and after temperature scaling', {
    ...{ width: 860, height: 430, marginBottom: 40, marginLeft: 50, marginTop: 36 },
    fx: { domain: ['before', 'after'], label: null, padding: 0.08 },
    x: { domain: [0, 1], label: 'confidence', ticks: 5 },
    y: { domain: [0, 1], label: 'share of right decisions' },
    r: { range: [0, 10] },
    marks: [
      Plot.frame({ strokeOpacity: 0.3 }),
      Plot.line(diagonal, { stroke: 'currentColor', ...dashed }),
      Plot.line(rows, {
        ...{ x: 'confidence', y: 'accuracy', z: 'model', fx: 'when', stroke, strokeWidth: 1.75 },
        curve: 'linear',
      }),
      Plot.dot(rows, {
        ...{ x: 'confidence', y: 'accuracy', r: 'count', fx: 'when', fill: stroke, fillOpacity: 0.55 },
      }),
    ],
    color: { type: 'identity' },
  });
}

/** Share of wrong answers among the surest windows, by how many are answered; dots: thresholds chosen on validation. */
export function riskCoverageChart(abstention: Readonly<Record<string, Abstention>>): string {
  const rows = Object.entries(abstention).flatMap(([model, { coverage, risk }]) =>
    coverage.flatMap((x, i) => (risk[i] === null ? [] : [{ model, x, y: risk[i]! }])),
  );
  const chosen = Object.entries(abstention).flatMap(([model, { choices }]) =>
    choices.flatMap(({ goal, coverage, risk }) =>
      goal === 'coverage' && risk !== null ? [{ model, x: coverage, y: risk }] : [],
    ),
  );
  const highest = maxOf(
    rows.filter(({ x }) => x >= 0.05).map(({ y }) => y),
    0.1,
  );
  const stroke = (row: { model: string }) => colourOf(row.model);
  return draw('Share of wrong answers by share of windows answered', {
    ...{ width: 860, height: 380, marginBottom: 40, marginLeft: 50 },
    x: { domain: [0, 1], label: 'share of windows answered' },
    y: { domain: [0, Math.min(1, 1.1 * highest)], label: 'share of wrong answers', grid: true, clamp: true },
    marks: [
      Plot.line(rows, { x: 'x', y: 'y', z: 'model', stroke, strokeWidth: 2, curve: 'linear' }),
      Plot.dot(chosen, { x: 'x', y: 'y', fill: stroke, r: 4.5 }),
    ],
    color: { type: 'identity' },
  });
}
