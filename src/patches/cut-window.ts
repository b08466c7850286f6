/** One window of a prepared stretch: whether it may be kept, and its values in model units, with their contexts. */
import { contextRange, signalSeconds } from './context.ts';
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
  const { maxAbsMicrovolts, dropFlat } = recipe.window;
  for (const [modality, rows] of rowsOf(span)) {
    const before = span.history?.[modality] ?? 0;
    for (const [i, row] of rows.entries()) {
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
    }
  }
  for (const [modality] of rowsOf(span)) {
    const reason = missingContext(span, recipe, modality, to);
    if (reason) return reason;
  }
  return undefined;
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
  const range = rangeOf(span, recipe, modality, to);
  if (!range)
    return recipe.window.contextAtStart === 'drop'
      ? `less than ${seconds} s of ${modality} without a gap up to its end`
      : `no ${seconds} s of ${modality} without a gap around it`;
  const before = span.history?.[modality] ?? 0;
  const holed = span.signals[modality]!.findIndex((row) => {
    for (let t = before + range[0]; t < before + range[1]; t++) if (!Number.isFinite(row[t]!)) return true;
    return false;
  });
  if (holed < 0) return undefined;
  return `missing samples in ${recipe.signals[modality]!.channels[holed]} in its context of ${seconds} s`;
}

/** The values of the window that ends at sample `to` of a stretch; `reasonToDrop` must have no reason against it. */
export function cutWindow(span: PreparedSpan, recipe: Recipe, to: number): CutWindow {
  const window: { [M in Modality]?: Float32Array } = {};
  for (const [modality, rows] of rowsOf(span)) {
    const scale = 1 / recipe.signals[modality]!.scaleMicrovolts;
    const [first, end] = rangeOf(span, recipe, modality, to)!;
    const from = first + (span.history?.[modality] ?? 0);
    const length = end - first;
    const data = new Float32Array(rows.length * length);
    for (const [channel, row] of rows.entries()) {
      for (let t = 0; t < length; t++) data[channel * length + t] = row[from + t]! * scale;
    }
    window[modality] = data;
  }
  return window;
}

function rangeOf({ history, lengthSamples }: PreparedSpan, recipe: Recipe, modality: Modality, to: number) {
  return contextRange(recipe, modality, to, { before: history?.[modality] ?? 0, end: lengthSamples });
}

function rowsOf({ signals }: PreparedSpan): [Modality, readonly Float64Array[]][] {
  return Object.entries(signals) as [Modality, readonly Float64Array[]][];
}
