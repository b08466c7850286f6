/**
 * How much a channel moves in a short while, typically: samples in order → the median standard deviation of blocks. Steps
 * that are coarser flatten it, however far a burst makes it reach. What does not move at all is passed over.
 */

/** Samples of a block. */
const blockSamples = 64;
/** Deviations are counted in classes, so many to a doubling. */
const classesPerDoubling = 8;

export class NoiseMeter {
  readonly #counts = new Map<number, number>();
  #total = 0;
  #count = 0;
  #mean = 0;
  #squares = 0;

  /** Samples that follow those before; NaN are left out. */
  add(samples: Float64Array, from = 0): void {
    for (let i = from; i < samples.length; i++) {
      const value = samples[i]!;
      if (!Number.isFinite(value)) continue;
      // Welford's update: exact where the mean is large beside the deviation.
      const away = value - this.#mean;
      this.#mean += away / ++this.#count;
      this.#squares += away * (value - this.#mean);
      if (this.#count === blockSamples) this.#close();
    }
  }

  /** In the channel's unit; undefined where nothing moves, or there is less than a block. */
  get noise(): number | undefined {
    if (this.#total === 0) return undefined;
    let seen = 0;
    for (const [key, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      seen += count;
      if (2 * seen >= this.#total) return 2 ** (key / classesPerDoubling);
    }
    return undefined;
  }

  #close(): void {
    const deviation = Math.sqrt(this.#squares / this.#count);
    [this.#count, this.#mean, this.#squares] = [0, 0, 0];
    if (!(deviation > 0) || !Number.isFinite(deviation)) return;
    const key = Math.round(classesPerDoubling * Math.log2(deviation));
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#total++;
  }
}

/** Do new steps flatten what moves by `noise`? Steps that a channel had before have taken nothing more from it. */
export function isFlattened(
  step: number | undefined,
  before: number | undefined,
  noise: number | undefined,
): boolean {
  if (step === undefined || noise === undefined || step <= noise) return false;
  return before === undefined || step > 1.001 * before;
}
