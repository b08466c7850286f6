/**
 * Many draws of rare events: which of a row of places are hit, each with the same chance. Only the gaps between hits are
 * drawn, so that the cost is that of the hits.
 */
import type { Random } from './random.ts';

const tableBits = 12;
const tableSize = 1 << tableBits;

export class SparseDraws {
  /** The chance of a hit, exactly: the table of gaps holds a probability to about one part in a thousand. */
  readonly probability: number;
  /** Quantiles of the number of places before a hit: P(gap ≥ k) = (1 − p)ᵏ. */
  readonly #gaps: Uint16Array;

  /** `probability` in (0, 1); at least about one in 10,000. */
  constructor(probability: number) {
    this.#gaps = new Uint16Array(tableSize);
    let [gap, beyond] = [0, 1 - probability];
    for (let i = 0; i < tableSize; i++) {
      const left = 1 - (i + 0.5) / tableSize;
      while (beyond > left && gap < 0xffff) {
        gap++;
        beyond *= 1 - probability;
      }
      this.#gaps[i] = gap;
    }
    const mean = this.#gaps.reduce((sum, x) => sum + x, 0) / tableSize;
    this.probability = 1 / (1 + mean);
  }

  /** Fill with ones, and zeros where a place is hit. */
  fill(places: Uint8Array, random: Random): Uint8Array {
    places.fill(1);
    const gaps = this.#gaps;
    const { length } = places;
    // Two gaps from each number; a place behind the end is no place.
    for (let at = 0; at < length; ) {
      const bits = random.uint32();
      at += gaps[bits >>> (32 - tableBits)]!;
      places[at++] = 0;
      at += gaps[(bits >>> 4) & (tableSize - 1)]!;
      if (at < length) places[at] = 0;
      at++;
    }
    return places;
  }
}
