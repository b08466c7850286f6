/**
 * Live signals: the same bridging and resampling as offline, on chunks of any length. What is put out is, sample by
 * sample, what `bridgeMissing` and `resample` give for the whole signal; it comes as soon as nothing later can change it.
 */
import { bridgeMissing } from './missing.ts';
import { halfLengthPeriods, rateRatio, resamplePolyphase } from './resample.ts';

/** A stretch of a live signal that is final. */
export interface StreamedSamples {
  readonly values: Float64Array;
  /** Half-open ranges that were missing, counted from the signal's first sample. */
  readonly holes: readonly (readonly [start: number, end: number])[];
}

const nothing = new Float64Array(0);

/** `bridgeMissing` on chunks: a hole is filled when the first sample behind it is known. */
export class StreamBridge {
  /** Samples put out so far. */
  #done = 0;
  #last: number | undefined;
  /** Missing samples that wait for their end. */
  #waiting = 0;

  push(x: Float64Array): StreamedSamples {
    let end = x.length;
    while (end > 0 && !Number.isFinite(x[end - 1])) end--;
    if (end === 0) {
      this.#waiting += x.length;
      return { values: nothing, holes: [] };
    }
    // The last value before, the hole that was open, and the new samples as far as they are known.
    const before = this.#last === undefined ? 0 : 1;
    const stretch = new Float64Array(before + this.#waiting + end).fill(
      Number.NaN,
      0,
      before + this.#waiting,
    );
    if (this.#last !== undefined) stretch[0] = this.#last;
    stretch.set(x.subarray(0, end), before + this.#waiting);
    this.#waiting = x.length - end;
    return this.#emit(stretch, before);
  }

  /** What still waits, as if the signal ended here. */
  finish(): StreamedSamples {
    const before = this.#last === undefined ? 0 : 1;
    const stretch = new Float64Array(before + this.#waiting).fill(Number.NaN);
    if (this.#last !== undefined) stretch[0] = this.#last;
    this.#waiting = 0;
    return this.#emit(stretch, before);
  }

  #emit(stretch: Float64Array, before: number): StreamedSamples {
    const { values, holes } = bridgeMissing(stretch);
    const shift = this.#done - before;
    const fresh = values.subarray(before);
    this.#done += fresh.length;
    this.#last = values.at(-1) ?? this.#last;
    return { values: fresh, holes: holes.map(([start, end]) => [start + shift, end + shift] as const) };
  }
}

/** `resample` on chunks, late by half the low-pass's length: ten samples of the lower rate. */
export class StreamResampler {
  readonly #up: number;
  readonly #down: number;
  /** Input samples on each side that an output sample depends on. */
  readonly #reach: number;
  /** Input from sample #from on; #from is a multiple of `down`, where the phases of the low-pass begin anew. */
  #kept: Float64Array = nothing;
  #from = 0;
  /** Output samples given so far. */
  #done = 0;

  /** ConfigError as for `resample`. */
  constructor(fromHz: number, toHz: number) {
    [this.#up, this.#down] = rateRatio(fromHz, toHz);
    this.#reach = Math.ceil((halfLengthPeriods * Math.max(this.#up, this.#down)) / this.#up) + 1;
  }

  push(x: Float64Array): Float64Array {
    if (this.#up === this.#down) return x.slice();
    const kept = new Float64Array(this.#kept.length + x.length);
    kept.set(this.#kept);
    kept.set(x, this.#kept.length);
    this.#kept = kept;
    const known = this.#from + kept.length - this.#reach;
    return this.#emit(Math.max(this.#done, Math.floor((known * this.#up) / this.#down)));
  }

  /** What still waits, as if the signal ended here. */
  finish(): Float64Array {
    if (this.#up === this.#down) return nothing;
    return this.#emit(Math.ceil(((this.#from + this.#kept.length) * this.#up) / this.#down));
  }

  /** Output samples up to `end`, and forget the input that no later one needs. */
  #emit(end: number): Float64Array {
    const first = (this.#from / this.#down) * this.#up;
    if (end === this.#done) return nothing;
    const y = resamplePolyphase(this.#kept, this.#up, this.#down).slice(this.#done - first, end - first);
    this.#done = end;
    const needed = Math.floor((end * this.#down) / this.#up) - this.#reach;
    const from = Math.max(this.#from, Math.floor(needed / this.#down) * this.#down);
    this.#kept = this.#kept.slice(from - this.#from);
    this.#from = from;
    return y;
  }
}
