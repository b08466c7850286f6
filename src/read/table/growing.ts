/** Numbers in a typed array that doubles as it fills: what a reader collects before it knows how many there are. */
export class GrowingArray {
  #values: Float64Array;
  length = 0;

  constructor(capacity = 64) {
    this.#values = new Float64Array(Math.max(1, capacity));
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow(this.length + 1);
    this.#values[this.length++] = value;
  }

  /** Push every `step`-th of some values, `count` of them from `at` on. */
  append(values: Float64Array, at: number, step: number, count: number): void {
    if (this.length + count > this.#values.length) this.#grow(this.length + count);
    const into = this.#values;
    for (let i = this.length, k = at, end = i + count; i < end; i++, k += step) into[i] = values[k]!;
    this.length += count;
  }

  #grow(least: number): void {
    const larger = new Float64Array(Math.max(least, this.#values.length * 2));
    larger.set(this.#values.subarray(0, this.length));
    this.#values = larger;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  /** What is in it: a view, overtaken by the next push. */
  values(): Float64Array {
    return this.#values.subarray(0, this.length);
  }
}
