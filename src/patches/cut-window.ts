/** One window of a prepared stretch: whether it may be kept, and its values in model units, with their contexts. */
import { contextRange, contextsLookAhead, signalSeconds } from './context.ts';
import type { PreparedSpan } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import type { Modality } from './windows.ts';

/** Values of a window, [C, N·P] by modality. */
export type CutWindow = { readonly [M in Modality]?: Float32Array };

/** Why the window [from, to) of a stretch must be dropped, if it must. Limits and flatness look at the window alone. */
export function reasonToDrop(
  span: PreparedSpan,
  recipe: Recipe,
  from: number,
  to: number,
): string | undefined {
  for (const [modality, rows] of rowsOf(span)) {
    for (const [i, row] of rows.entries()) {
      const reason = reasonAgainstRow(span, recipe, modality, i, row, from, to);
      if (reason) return reason;
    }
  }
  for (const [modality] of rowsOf(span)) {
    const reason = missingContext(span, recipe, modality, to);
    if (reason) return reason;
  }
  return undefined;
}

/** Why a channel is of no use in the window [from, to), if it is not: its `row` is row `i` of the modality. */
export function reasonAgainstRow(
  { history }: PreparedSpan,
  recipe: Recipe,
  modality: Modality,
  i: number,
  row: Float64Array,
  from: number,
  to: number,
): string | undefined {
  const { maxAbsMicrovolts, dropFlat } = recipe.window;
  const before = history?.[modality] ?? 0;
  const channel = recipe.signals[modality]!.channels[i];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let t = before + from; t < before + to; t++) {
    const x = row[t]!;
    if (!Number.isFinite(x)) return `missing samples in ${channel}`;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  if (dropFlat && low === high) return `flat ${channel}`;
  if (maxAbsMicrovolts !== null && Math.max(-low, high) > maxAbsMicrovolts)
    return `beyond ±${maxAbsMicrovolts} µV`;
  return undefined;
}

/** Why the context of a window is not there, if it is not. */
export function contextOutOfReach(
  span: PreparedSpan,
  recipe: Recipe,
  modality: Modality,
  to: number,
): string | undefined {
  const seconds = signalSeconds(recipe, modality);
  if (rangeOf(span, recipe, modality, to)) return undefined;
  return contextsLookAhead(recipe)
    ? `no ${seconds} s of ${modality} without a gap around it`
    : `less than ${seconds} s of ${modality} without a gap up to its end`;
}

/** Why a channel's context is of no use, if it is not. */
export function holeInContext(
  span: PreparedSpan,
  recipe: Recipe,
  modality: Modality,
  i: number,
  row: Float64Array,
  to: number,
): string | undefined {
  const range = rangeOf(span, recipe, modality, to);
  const before = span.history?.[modality] ?? 0;
  if (!range || row.subarray(before + range[0], before + range[1]).every(Number.isFinite)) return undefined;
  const { channels } = recipe.signals[modality]!;
  return `missing samples in ${channels[i]} in its context of ${signalSeconds(recipe, modality)} s`;
}

/** Why a modality's context is not there, if it is not. */
function missingContext(
  span: PreparedSpan,
  recipe: Recipe,
  modality: Modality,
  to: number,
): string | undefined {
  const seconds = signalSeconds(recipe, modality);
  if (seconds === recipe.window.lengthSeconds) return undefined;
  const outOfReach = contextOutOfReach(span, recipe, modality, to);
  if (outOfReach) return outOfReach;
  for (const [i, row] of span.signals[modality]!.entries()) {
    const hole = holeInContext(span, recipe, modality, i, row, to);
    if (hole) return hole;
  }
  return undefined;
}

/**
 * The values of the window that ends at sample `to` of a stretch; `reasonToDrop` must have no reason against it, but for
 * the rows that are `lost`: they become NaN.
 */
export function cutWindow(
  span: PreparedSpan,
  recipe: Recipe,
  to: number,
  lost: { readonly [M in Modality]?: ReadonlySet<number> } = {},
): CutWindow {
  const window: { [M in Modality]?: Float32Array } = {};
  for (const [modality, rows] of rowsOf(span)) {
    const scale = 1 / recipe.signals[modality]!.scaleMicrovolts;
    const [first, end] = rangeOf(span, recipe, modality, to)!;
    const from = first + (span.history?.[modality] ?? 0);
    const length = end - first;
    const data = new Float32Array(rows.length * length);
    for (const [channel, row] of rows.entries()) {
      if (lost[modality]?.has(channel)) {
        data.fill(Number.NaN, channel * length, (channel + 1) * length);
        continue;
      }
      for (let t = 0; t < length; t++) data[channel * length + t] = row[from + t]! * scale;
    }
    window[modality] = data;
  }
  return window;
}

function rangeOf({ history, lengthSamples }: PreparedSpan, recipe: Recipe, modality: Modality, to: number) {
  return contextRange(recipe, modality, to, { before: history?.[modality] ?? 0, end: lengthSamples });
}

/** Rows by modality. */
export function rowsOf({ signals }: PreparedSpan): [Modality, readonly Float64Array[]][] {
  return Object.entries(signals) as [Modality, readonly Float64Array[]][];
}
