/** The last samples of a live signal: pushed in chunks of any length, kept in one array that never grows. */
import { ConfigError } from '../core/errors.ts';

export class RingBuffer {
  readonly #memory: Float64Array;
  #total = 0;

  /** Room for the last `capacity` samples. ConfigError unless it is a whole number above 0. */
  constructor(readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new ConfigError(
        `ring buffer: the capacity is ${capacity}. Use a whole number above 0.`,
        'capacity',
      );
    this.#memory = new Float64Array(capacity);
  }

  /** Samples pushed so far; the last `capacity` of them are kept. */
  get total(): number {
    return this.#total;
  }

  /** The first sample that is still kept. */
  get first(): number {
    return Math.max(0, this.#total - this.capacity);
  }

  push(x: Float64Array): void {
    const kept = x.length > this.capacity ? x.subarray(x.length - this.capacity) : x;
    const at = (this.#total + x.length - kept.length) % this.capacity;
    const head = Math.min(kept.length, this.capacity - at);
    this.#memory.set(kept.subarray(0, head), at);
    this.#memory.set(kept.subarray(head), 0);
    this.#total += x.length;
  }

  /** Samples [start, end) by their number since the beginning. ConfigError where some are not kept any more, or not yet there. */
  read(start: number, end: number): Float64Array {
    if (!(start >= this.first && start <= end && end <= this.#total))
      throw new ConfigError(
        `ring buffer: samples ${start}–${end} were asked for, ${this.first}–${this.#total} are kept. Use a larger capacity.`,
        'capacity',
      );
    const result = new Float64Array(end - start);
    const at = start % this.capacity;
    const head = Math.min(result.length, this.capacity - at);
    result.set(this.#memory.subarray(at, at + head));
    result.set(this.#memory.subarray(0, result.length - head), head);
    return result;
  }
}
