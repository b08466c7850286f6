/**
 * Channels of no use in a window: what else would drop the whole window. A model that can do without them gets it with NaN
 * in their place.
 */
import { signalSeconds } from './context.ts';
import { holeInContext, reasonAgainstRow, rowsOf } from './cut-window.ts';
import type { MayLack } from './lenient-montage.ts';
import type { PreparationFact, PreparedSpan } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import type { Modality } from './windows.ts';

/** What a window loses: rows of each modality. */
export type Lost = { readonly [M in Modality]?: ReadonlySet<number> };

export interface LenientWindow {
  readonly lost: Lost;
  /** Why it must be dropped all the same. */
  readonly reason?: string;
  /** What a report should count: every lost channel, or the modality where it is lost wholly. */
  readonly facts: readonly Omit<PreparationFact, 'example'>[];
}

/** Judge the window [from, to) of a stretch channel by channel. */
export function judgeChannels(
  span: PreparedSpan,
  recipe: Recipe,
  from: number,
  to: number,
  mayLack: NonNullable<MayLack>,
): LenientWindow {
  const lost: { [M in Modality]?: Set<number> } = {};
  const facts: Omit<PreparationFact, 'example'>[] = [];
  const missing: Modality[] = [];
  for (const [modality, rows] of rowsOf(span)) {
    const reasons = rows.map(
      (row, i) =>
        reasonAgainstRow(span, recipe, modality, i, row, from, to) ??
        (signalSeconds(recipe, modality) > recipe.window.lengthSeconds
          ? holeInContext(span, recipe, modality, i, row, to)
          : undefined),
    );
    const own = new Set(reasons.flatMap((reason, i) => (reason === undefined ? [] : [i])));
    lost[modality] = own;
    if (own.size === rows.length) missing.push(modality);
    else
      for (const i of own)
        facts.push({
          what: 'channel',
          reason: `${nameIn(reasons[i]!, recipe, modality, i)}: left out of its window`,
        });
  }
  const modalities = rowsOf(span).length;
  if (missing.length > 0 && (mayLack === 'channels' || missing.length === modalities))
    return { lost, reason: `no usable channel of ${missing.join(' and ')}`, facts: [] };
  for (const modality of missing)
    facts.push({ what: 'modality', reason: `no usable channel of ${modality} in a window: done without` });
  return { lost, facts };
}

/** Limits do not name the channel by themselves. */
function nameIn(reason: string, recipe: Recipe, modality: Modality, row: number): string {
  const channel = recipe.signals[modality]!.channels[row]!;
  return reason.includes(channel) ? reason : `${channel} ${reason}`;
}
