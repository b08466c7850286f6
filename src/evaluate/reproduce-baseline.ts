/**
 * Trials compared with the neutral stretch before them: people differ in the size of their rhythms and the rate of their
 * hearts far more than trials do.
 */
import { DataError } from '../core/errors.ts';
import type { PreparedRecording } from '../patches/prepare.ts';
import type { Recipe } from '../patches/recipe.ts';
import type { Modality } from '../patches/windows.ts';

/**
 * A standard deviation of 1 in units of the neutral stretch becomes this share of a recipe's scale: 20 µV of EEG and
 * 200 µV of ECG with the usual scales, about what encoders are trained on.
 */
const scaleShare = 0.2;

/** Signals divided by the neutral stretch's standard deviation, channel by channel. DataError without such a stretch. */
export function scaleByBaseline(
  prepared: PreparedRecording,
  before: PreparedRecording | undefined,
  recipe: Recipe,
  trial: string,
): PreparedRecording {
  if (!before || before.spans.length === 0)
    throw new DataError(
      `reproduce: ${trial} has no neutral stretch to be scaled by. Use "baseline": "none".`,
    );
  const factors = new Map(
    Object.entries(recipe.signals).flatMap(([modality, signal]) =>
      signal
        ? [
            [
              modality as Modality,
              signal.channels.map((_, c) => {
                const deviation = deviationOf(
                  before.spans.map((span) => span.signals[modality as Modality]![c]!),
                );
                return deviation > 0 ? (scaleShare * signal.scaleMicrovolts) / deviation : 0;
              }),
            ] as const,
          ]
        : [],
    ),
  );
  const spans = prepared.spans.map((span) => ({
    ...span,
    signals: Object.fromEntries(
      Object.entries(span.signals).map(([modality, rows]) => [
        modality,
        rows.map((row, c) => row.map((value) => value * factors.get(modality as Modality)![c]!)),
      ]),
    ),
  }));
  return { ...prepared, spans };
}

/** Standard deviation of the finite samples. */
function deviationOf(rows: readonly Float64Array[]): number {
  let [count, sum, squares] = [0, 0, 0];
  for (const row of rows)
    for (const value of row) {
      if (!Number.isFinite(value)) continue;
      count++;
      sum += value;
      squares += value * value;
    }
  return count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/**
 * One person's rows [W][d] less the mean of their trial's neutral rows; `without` names trials that have none, for which
 * the mean over the person's others is taken. DataError where the person has none at all.
 */
export function subtractBaseline(
  rows: readonly Float64Array[],
  trial: readonly string[],
  neutral: readonly Float64Array[] | undefined,
  neutralTrial: readonly string[],
): { readonly rows: Float64Array[]; readonly without: string[] } {
  if (!neutral || neutral.length === 0)
    throw new DataError(
      `reproduce: no neutral window before ${trial[0] ?? 'any trial'} or the person's other trials. Use "baseline": "none".`,
    );
  const means = new Map(
    [...new Set(neutralTrial)].map((name) => [
      name,
      meanOf(neutral.filter((_, i) => neutralTrial[i] === name)),
    ]),
  );
  const overall = meanOf([...means.values()]);
  const without = [...new Set(trial)].filter((name) => !means.has(name));
  const compared = rows.map((row, i) => {
    const mean = means.get(trial[i]!) ?? overall;
    return row.map((value, j) => value - (Number.isFinite(mean[j]!) ? mean[j]! : overall[j]!));
  });
  return { rows: compared, without };
}

/** Mean of each column's finite values. */
function meanOf(rows: readonly Float64Array[]): Float64Array {
  return rows[0]!.map((_, j) => {
    const values = rows.map((row) => row[j]!).filter(Number.isFinite);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}
