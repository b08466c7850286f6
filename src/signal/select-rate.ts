/**
 * A stored channel at another rate, stretch by stretch: stored samples → samples at the new rate. A stretch is resampled
 * with as much before and after it as the filter reaches, and begins where both rates have a sample, so that the values
 * are those of resampling a whole span at once. Holes are bridged for the filter and stay holes in the result.
 */
import { rateRatio, resamplePolyphase } from './resample.ts';

/** A stretch without a gap: stored samples [first, end) → samples [outputStart, outputEnd) of the result. */
export interface Piece {
  readonly first: number;
  readonly end: number;
  readonly outputStart: number;
  readonly outputEnd: number;
}

/** Stored samples [start, end). */
export type ReadStored = (start: number, end: number) => Promise<Float64Array>;

/** Samples of the result that are computed at once, and kept for the next read: 128 KiB a channel. */
const stretchSamples = 2 ** 14;
/** Half of the low-pass in periods of the lower rate (resample.ts), and one more for what rounding needs. */
const reachPeriods = 11;
/** Samples that are looked through at once for the end of a hole. */
const searchSamples = 2 ** 14;

/** A run of missing samples within a piece, and the values beside it (undefined at the piece's ends). */
interface Hole {
  readonly start: number;
  readonly end: number;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

export class ResampledChannel {
  readonly #up: number;
  readonly #down: number;
  #kept: { readonly piece: Piece; readonly from: number; readonly values: Promise<Float64Array> } | undefined;
  #hole: Hole | undefined;

  /** ConfigError where no ratio of whole numbers leads from one rate to the other. */
  constructor(
    readonly readStored: ReadStored,
    fromHz: number,
    toHz: number,
    readonly pieces: readonly Piece[],
  ) {
    [this.#up, this.#down] = rateRatio(fromHz, toHz);
  }

  /** Samples [start, end) of the result. */
  async read(start: number, end: number, into: Float64Array): Promise<Float64Array> {
    for (const piece of this.pieces) {
      const first = Math.max(0, start - piece.outputStart);
      const last = Math.min(end, piece.outputEnd) - piece.outputStart;
      for (let from = first - (first % stretchSamples); from < last; from += stretchSamples) {
        const values = await this.#stretch(piece, from);
        const [low, high] = [Math.max(first, from), Math.min(last, from + stretchSamples)];
        into.set(values.subarray(low - from, high - from), piece.outputStart + low - start);
      }
    }
    return into;
  }

  #stretch(piece: Piece, from: number): Promise<Float64Array> {
    if (this.#kept?.piece === piece && this.#kept.from === from) return this.#kept.values;
    const to = Math.min(from + stretchSamples, piece.outputEnd - piece.outputStart);
    const values = this.#resample(piece, from, to);
    this.#kept = { piece, from, values };
    values.catch(() => {
      this.#kept = undefined;
    });
    return values;
  }

  /** Samples [from, to) of a piece of the result; NaN in holes, and where the piece's stored samples have ended. */
  async #resample(piece: Piece, from: number, to: number): Promise<Float64Array> {
    const [up, down] = [this.#up, this.#down];
    const length = piece.end - piece.first;
    const reach = Math.ceil((reachPeriods * Math.max(up, down)) / up);
    // Every `down` stored samples and `up` of the result, both rates meet.
    const low = Math.max(0, Math.floor((Math.floor((from * down) / up) - reach) / down) * down);
    const high = Math.min(length, Math.ceil(((to - 1) * down) / up) + reach + 1);
    const result = new Float64Array(to - from).fill(Number.NaN);
    if (low >= high) return result;
    const { values, holes } = await this.#bridged(piece, low, high);
    const skipped = from - (low / down) * up;
    const resampled = resamplePolyphase(values, up, down);
    const there = Math.min(to, Math.ceil((length * up) / down)) - from;
    if (there > 0) result.set(resampled.subarray(skipped, skipped + there));
    for (const hole of holes) {
      const first = Math.floor((hole.start * up) / down) - from;
      const end = Math.ceil((hole.end * up) / down) - from;
      if (end > 0 && first < result.length) result.fill(Number.NaN, Math.max(0, first), end);
    }
    return result;
  }

  /** Samples [low, high) of a piece with straight lines over its holes, as if the whole piece had been bridged. */
  async #bridged(piece: Piece, low: number, high: number) {
    const stored = await this.readStored(piece.first + low, piece.first + high);
    const holes: Hole[] = [];
    let values = stored;
    for (let i = 0; i < stored.length; i++) {
      if (Number.isFinite(stored[i])) continue;
      const hole = await this.#holeAt(piece, low + i, stored, low);
      holes.push(hole);
      if (values === stored) values = stored.slice();
      const { start, end } = hole;
      const before = hole.before ?? hole.after ?? 0;
      const after = hole.after ?? before;
      const last = Math.min(end, high) - low;
      for (; i < last; i++) {
        const share = (low + i - start + 1) / (end - start + 1);
        values[i] = before + (after - before) * share;
      }
    }
    return { values, holes };
  }

  /** The hole around a missing sample, however far it goes on beyond the samples at hand. */
  async #holeAt(piece: Piece, at: number, samples: Float64Array, low: number): Promise<Hole> {
    const base = piece.first;
    const known = this.#hole;
    if (known && known.start <= base + at && base + at < known.end) return relative(known, base);
    let [start, end] = [at, at + 1];
    while (start > low && !Number.isFinite(samples[start - 1 - low])) start--;
    while (end < low + samples.length && !Number.isFinite(samples[end - low])) end++;
    let before = start > low ? samples[start - 1 - low] : undefined;
    let after = end < low + samples.length ? samples[end - low] : undefined;
    while (before === undefined && start > 0) {
      const from = Math.max(0, start - searchSamples);
      const earlier = await this.readStored(base + from, base + start);
      const found = earlier.findLastIndex((value) => Number.isFinite(value));
      if (found >= 0) before = earlier[found];
      start = from + found + 1;
    }
    const length = piece.end - piece.first;
    while (after === undefined && end < length) {
      const later = await this.readStored(base + end, base + Math.min(length, end + searchSamples));
      const found = later.findIndex((value) => Number.isFinite(value));
      if (found >= 0) after = later[found];
      end += found >= 0 ? found : later.length;
    }
    // Only one that goes beyond is worth keeping: the next stretch meets it again.
    this.#hole = { start: base + start, end: base + end, before, after };
    return { start, end, before, after };
  }
}

function relative(hole: Hole, base: number): Hole {
  return { ...hole, start: hole.start - base, end: hole.end - base };
}
