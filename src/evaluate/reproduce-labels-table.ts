/** A benchmark of several labels as cells of text: what the terminal prints and the page draws. */
import type { PublishedFigure } from './published-figures.ts';
import { type Question, questions } from './question-families.ts';
import type { LabelBlock, LabelReproduction, LabelRow } from './reproduce-labels-result.ts';
import { digits, formatInterval } from './reproduce-table.ts';
import { formatSpread, spreadOf } from './score-spread.ts';

/** What a row is, in words. */
const modelTitles: Readonly<Record<string, string>> = {
  prior: 'share of each label',
  classical: 'heart rate, variability, typical beat and bands of each lead; logistic regression',
  ecg: 'pre-trained encoder, frozen, linear probe',
  'ecg-untrained': 'the same with initial values, frozen, linear probe',
  'ecg-tuned': 'pre-trained encoder, tuned with the labels',
  'ecg-scratch': 'the same, begun at initial values',
};

export function labelModelTitle(model: string): string {
  return modelTitles[model] ?? model;
}

/** `all 12 leads`, `I, II`. */
export function blockTitle({ channels }: Pick<LabelBlock, 'channels'>): string {
  return channels.length > 3 ? `all ${channels.length} leads` : channels.join(', ');
}

/** Header and rows of the whole table: every block with all labels, published figures last. */
export function labelCells({ blocks, tested, published }: LabelReproduction) {
  const labels = Object.keys(tested.labels);
  const header = ['leads', 'model', 'macro AUROC', ...labels];
  const rows = blocks.flatMap((block) =>
    rowsAt(block, 1).map((row, i) => [
      i === 0 ? blockTitle(block) : '',
      row.model,
      formatInterval(row.auroc, tested.subjects),
      ...labels.map((name) => digits(row.labels.find((label) => label.name === name)?.auroc.mean ?? null)),
    ]),
  );
  return { header, rows: [...rows, ...published.map((figure) => publishedCells(figure, labels.length))] };
}

function publishedCells({ model, scores }: Pick<PublishedFigure, 'model' | 'scores'>, labels: number) {
  return ['paper', model, digits(scores.auroc ?? null), ...Array<string>(labels).fill('')];
}

/** Differences with all labels. */
export function differenceCells({ blocks, tested }: LabelReproduction) {
  return {
    header: ['leads', 'difference', 'macro AUROC', 'p', 'p (Holm)', 'Holm over'],
    rows: blocks.flatMap((block) =>
      block.comparisons
        .filter(({ labelShare }) => labelShare === 1)
        .map((one) => [
          blockTitle(block),
          `${one.model} − ${one.against}`,
          ...differenceText(one, tested.subjects),
        ]),
    ),
  };
}

/** By share of labels, a column a model; empty where the recipe has all labels only. */
export function shareCells({ blocks, tested }: LabelReproduction) {
  const models = [
    ...new Set(
      blocks.flatMap(({ rows }) => rows.filter(({ labelShare }) => labelShare < 1).map(({ model }) => model)),
    ),
  ];
  const rows = blocks.flatMap((block) => {
    const shares = [...new Set(block.rows.map(({ labelShare }) => labelShare))].sort((a, b) => a - b);
    return shares.map((share, i) => {
      const own = rowsAt(block, share);
      return [
        i === 0 ? blockTitle(block) : '',
        `${percent(share)} (${own[0]!.people})`,
        ...models.map((model) => {
          const row = own.find((one) => one.model === model);
          return row ? formatInterval(row.auroc, tested.subjects) : '';
        }),
        ...['ecg', 'ecg-tuned'].flatMap((model) => {
          if (!models.includes(model)) return [];
          const one = block.comparisons.find((found) => found.labelShare === share && found.model === model);
          return [one ? differenceText(one, tested.subjects)[0]! : ''];
        }),
      ];
    });
  });
  const gains = [
    ...(models.includes('ecg') ? ['ecg − untrained'] : []),
    ...(models.includes('ecg-tuned') ? ['tuned − scratch'] : []),
  ];
  return { header: ['leads', 'labelled people', ...models, ...gains], rows: models.length === 0 ? [] : rows };
}

export function rowsAt({ rows }: LabelBlock, share: number): LabelRow[] {
  return rows.filter(({ labelShare }) => labelShare === share);
}

function differenceText(one: LabelBlock['comparisons'][number], people: number) {
  const { difference, low, high, p, pHolm, question, family } = one;
  const spread = formatSpread(spreadOf({ mean: difference, low, high }, people), signed);
  const over = question === undefined ? '' : `${family} choices of leads: ${questions[question as Question]}`;
  return [`${signed(difference)} ${spread}`.trimEnd(), digits(p), digits(pHolm), over];
}

/** `25 %`. */
function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${digits(Math.abs(value))}`;
}
