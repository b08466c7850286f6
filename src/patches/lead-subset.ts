/** Random subsets of leads, so that a model meets one lead and two as often as twelve. */
import type { Random } from '../core/random.ts';

/** Indices of `count` of the channels, ascending: the order of leads stays. */
export function drawLeadSubset(channels: number, count: number, random: Random): number[] {
  if (count >= channels) return Array.from({ length: channels }, (_, i) => i);
  return random
    .shuffle(Array.from({ length: channels }, (_, i) => i))
    .slice(0, count)
    .sort((a, b) => a - b);
}
