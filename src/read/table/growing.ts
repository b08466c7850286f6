/** Numbers in a typed array that doubles as it fills: what a reader collects before it knows how many there are. */
export class GrowingArray {
  #values: Float64Array;
  length = 0;

  constructor(capacity = 64) {
    this.#values = new Float64Array(Math.max(1, capacity));
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  /** What is in it: a view, overtaken by the next push. */
  values(): Float64Array {
    return this.#values.subarray(0, this.length);
  }
}
