/**
 * Which rows of a benchmark's table are better than which, person by person: both signals against each alone, deep and
 * hybrid rows against the classical features of the same signals. Rows standardised within people meet their like alone.
 */
import { type Compared, comparePair, type Pair } from './comparisons.ts';
import { isTransductive, modalitiesIn } from './model-names.ts';
import { adjustTables } from './question-families.ts';
import type { ReproductionRow } from './reproduce-result.ts';
import { type BinaryPredictions, drawBinary, scoreUnits } from './reproduce-scores.ts';
import type { Comparison } from './result.ts';

const scores = ['balancedAccuracy', 'auroc'] as const;

/** A target under a protocol. */
export interface ComparedTable {
  readonly protocol: string;
  readonly rows: readonly Pick<ReproductionRow, 'model' | 'kind'>[];
  /** By row. */
  readonly models: ReadonlyMap<string, Compared>;
}

/** What comparisons need to know of a row. */
export function comparedOf(
  predictions: BinaryPredictions,
  { whole, draws } = drawBinary(predictions),
): Compared {
  return {
    draws: {
      mean(score) {
        const name = score as (typeof scores)[number];
        return { whole: whole[name], draws: draws[name] };
      },
    },
    subjects: scoreUnits(predictions),
  };
}

/** Comparisons of each table, in its order, their tests adjusted. */
export function compareTables(tables: readonly ComparedTable[]): Comparison[][] {
  const compared = tables.map(({ rows, models }) => {
    const pairs = planRowPairs(rows);
    return scores.flatMap((score) => pairs.map((pair) => comparePair(models, pair, score)));
  });
  return adjustTables(tables.map(({ protocol }, t) => ({ protocol, comparisons: compared[t]! }))).map(
    ({ comparisons }) => comparisons,
  );
}

/** In the order of the rows. */
export function planRowPairs(rows: ComparedTable['rows']): Pair[] {
  const names = new Set(rows.map(({ model }) => model));
  const against = (model: string, others: readonly string[], kind: Pair['kind']): Pair[] =>
    others
      .map((other) => `${other}${wayOf(model)}`)
      .filter((other) => names.has(other))
      .map((other) => ({ model, against: other, kind }));
  return rows.flatMap(({ model, kind }) => {
    if (kind === 'trivial' || kind === 'classical') return [];
    const signals = modalitiesIn(model);
    const isBoth = signals.length > 1;
    // Heads that are joined in some way against classical ones that are joined so.
    const isEven = kind === 'hybrid' || /-rate/.test(model);
    const classical =
      kind === 'hybrid' || isBoth
        ? ['classical-eeg+ecg', `classical-eeg+ecg-${isEven ? 'even' : 'late'}`]
        : [`classical-${signals[0]}`];
    return [
      ...(isBoth && kind === 'deep' ? against(model, ['eeg', 'ecg'], 'single modality') : []),
      ...against(model, classical, 'baseline'),
    ];
  });
}

/** `-standardised`, or nothing. */
function wayOf(model: string): string {
  return isTransductive(model) ? '-standardised' : '';
}
