/** How many windows are computed at once: a batch over its ranks and their parts. */
import { ConfigError } from '../core/errors.ts';
import type { Device } from '../runtime/backend.ts';
import type { Optimization } from './recipe.ts';

/** More tokens at once outgrow a processor's caches and take memory; fewer waste its threads. */
const tokensAtOnce = 3200;

/** An update's batch on each rank: so many parts of so many windows. */
export interface BatchCut {
  readonly parts: number;
  readonly windows: number;
}

export interface CutOptions {
  /** Tokens in a window, over all modalities. */
  readonly tokens: number;
  /** A device with memory of its own takes a batch at once unless the recipe says otherwise. Default cpu. */
  readonly device?: Device;
  readonly ranks?: number | undefined;
}

/**
 * Cut a batch over ranks and their parts: `accumulate` parts altogether, at least one a rank. ConfigError where it does
 * not divide: every rank's graph has a fixed batch size, and a window counted twice would change the result.
 */
export function cutBatch(
  { batch, accumulate }: Pick<Optimization, 'batch' | 'accumulate'>,
  { tokens, device = 'cpu', ranks = 1 }: CutOptions,
): BatchCut {
  const share = batch / ranks;
  const most = device === 'cpu' ? Math.max(1, Math.floor(tokensAtOnce / tokens)) : share;
  const parts = accumulate === 'auto' ? fewestParts(share, most) : Math.ceil(accumulate / ranks);
  const windows = share / parts;
  if (Number.isInteger(windows)) return { parts, windows };
  const allowed = `a multiple of ${parts * ranks}`;
  throw new ConfigError(
    `optimization.batch: ${batch} windows cannot be cut into ${parts} equal parts on each of ${ranks} ranks. Choose ${allowed}.`,
    'optimization.batch',
    allowed,
  );
}

/** The fewest equal parts of at most so many windows; one where the share is not whole, which is an error anyway. */
function fewestParts(share: number, most: number): number {
  if (!Number.isInteger(share)) return 1;
  let parts = Math.ceil(share / most);
  while (share % parts !== 0) parts++;
  return parts;
}
