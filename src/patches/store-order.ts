/**
 * The order of an epoch over windows that lie far away: blocks of neighbours are shuffled, then windows within a pool of
 * many blocks. Reading goes block by block, memory holds a pool, and every window comes exactly once.
 */
import { Random } from '../core/random.ts';

export interface OrderOptions {
  /** Neighbours that are read together. */
  readonly blockWindows: number;
  /** Windows that are mixed with one another. */
  readonly poolWindows: number;
  readonly seed: number;
  readonly epoch: number;
}

/**
 * Positions into `windows` (ascending) in the order of an epoch: the same for the same seed and epoch, another for every
 * other. Where the pool holds all windows it is a full shuffle.
 */
export function epochOrder(windows: ArrayLike<number>, options: OrderOptions): Int32Array<ArrayBuffer> {
  const { blockWindows, poolWindows, seed, epoch } = options;
  const random = Random.derive(seed, 'order', epoch);
  // Blocks begin elsewhere in every epoch, so that neighbours are not always read together.
  const shift = random.integer(blockWindows);
  const begins: number[] = [];
  let last = -1;
  for (let i = 0; i < windows.length; i++) {
    const block = Math.floor((windows[i]! + shift) / blockWindows);
    if (block !== last) begins.push(i);
    last = block;
  }
  const blocks = Int32Array.from(begins.keys());
  shuffleRange(blocks, 0, blocks.length, random);
  const order = new Int32Array(windows.length);
  let at = 0;
  for (const block of blocks)
    for (let i = begins[block]!; i < (begins[block + 1] ?? windows.length); i++) order[at++] = i;
  for (let from = 0; from < order.length; from += poolWindows)
    shuffleRange(order, from, Math.min(order.length, from + poolWindows), random);
  return order;
}

/** Fisher–Yates on [from, to), in place. */
function shuffleRange(values: Int32Array, from: number, to: number, random: Random): void {
  for (let i = to - 1; i > from; i--) {
    const j = from + random.integer(i - from + 1);
    const other = values[j]!;
    values[j] = values[i]!;
    values[i] = other;
  }
}
