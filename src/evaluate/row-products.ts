/**
 * Products of rows X [n, d] with weights [K, d + 1] whose last value is an intercept: what fitting linear models spends its
 * time on. Rows are float32, sums float64, two at a time in WebAssembly's vectors, which JavaScript alone has not. A sum is
 * the same to the last bit wherever it is made. Source of the inner loops: scripts/kernels/rows.as.
 */
import { DataError } from '../core/errors.ts';
import { kernelBase64 } from './generated/kernel.ts';

/** The kernels take so many rows, and so many columns, at once; what is missing is zero. */
const rowsAtOnce = 4;
const columnsAtOnce = 4;
/** Rows, and vectors, that stay in a core's cache while they meet. */
const blockRows = 16;
const blockVectors = 8;
const pageBytes = 65_536;

/** Places are bytes in memory, `count` is a multiple of 4. */
interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** Sums of rows times one vector. */
  scores(rows: number, vector: number, sums: number, count: number, rowBytes: number): void;
  /** Add rows, each times its factor, to one vector. */
  products(rows: number, vector: number, factors: number, count: number, rowBytes: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** Rows X [n, d], zero at first. DataError beyond the 4 GiB that WebAssembly reaches. */
export class Rows {
  /** [n, stride], to be filled; columns from d on stay zero. */
  readonly values: Float32Array;
  readonly stride: number;
  readonly #kernels: Kernels;
  /** Numbers of a block of rows; vectors of a block. */
  readonly #numbers: Float64Array;
  readonly #vectors: readonly Float64Array[];

  constructor(
    readonly count: number,
    readonly size: number,
  ) {
    this.stride = roundUp(size, columnsAtOnce);
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(kernelBase64), (c) => c.charCodeAt(0)));
    this.#kernels = new WebAssembly.Instance(compiled).exports as unknown as Kernels;
    const { memory } = this.#kernels;
    const bytes = this.#rowAt(roundUp(count, rowsAtOnce));
    try {
      memory.grow(Math.max(0, Math.ceil((bytes - memory.buffer.byteLength) / pageBytes)));
    } catch (cause) {
      throw new DataError(
        `linear probe: ${count} rows of ${size} features need ${bytes} bytes at once, which cannot be had. Use fewer windows, layers or cuts.`,
        { cause },
      );
    }
    const { buffer } = memory;
    this.values = new Float32Array(buffer, this.#rowAt(0), count * this.stride);
    this.#numbers = new Float64Array(buffer, 0, blockRows);
    this.#vectors = Array.from(
      { length: blockVectors },
      (_, k) => new Float64Array(buffer, this.#vectorAt(k), this.stride),
    );
  }

  /** X·Wᵀ with intercepts: weights [K, d + 1] → [n, K]. */
  scores(weights: Float64Array, outputs: number): Float64Array {
    const { count, size } = this;
    const scores = new Float64Array(count * outputs);
    for (let first = 0; first < outputs; first += blockVectors) {
      const last = Math.min(outputs, first + blockVectors);
      for (let k = first; k < last; k++)
        this.#vectors[k - first]!.set(weights.subarray(k * (size + 1), k * (size + 1) + size));
      for (let row = 0; row < count; row += blockRows) {
        const rows = Math.min(blockRows, count - row);
        for (let k = first; k < last; k++) {
          // biome-ignore lint/plugin: a handful of places in memory
          this.#kernels.scores(...this.#block(row, rows, k - first));
          const intercept = weights[k * (size + 1) + size]!;
          for (let i = 0; i < rows; i++) scores[(row + i) * outputs + k] = this.#numbers[i]! + intercept;
        }
      }
    }
    return scores;
  }

  /** Rᵀ·X and the sums of R: [n, K] → [K, d + 1]. */
  products(residual: Float64Array, outputs: number): Float64Array {
    const { count, size } = this;
    const products = new Float64Array(outputs * (size + 1));
    for (let first = 0; first < outputs; first += blockVectors) {
      const last = Math.min(outputs, first + blockVectors);
      for (const vector of this.#vectors) vector.fill(0);
      for (let row = 0; row < count; row += blockRows) {
        const rows = Math.min(blockRows, count - row);
        for (let k = first; k < last; k++) {
          for (let i = 0; i < rows; i++) {
            const value = residual[(row + i) * outputs + k]!;
            this.#numbers[i] = value;
            products[k * (size + 1) + size]! += value;
          }
          // biome-ignore lint/plugin: a handful of places in memory
          this.#kernels.products(...this.#block(row, rows, k - first));
        }
      }
      for (let k = first; k < last; k++)
        products.set(this.#vectors[k - first]!.subarray(0, size), k * (size + 1));
    }
    return products;
  }

  /** Where a kernel finds a block of rows, a vector, the block's numbers; rows that fill it up are zero. */
  #block(row: number, rows: number, vector: number): [number, number, number, number, number] {
    return [this.#rowAt(row), this.#vectorAt(vector), 0, roundUp(rows, rowsAtOnce), this.#rowBytes];
  }

  get #rowBytes(): number {
    return this.stride * Float32Array.BYTES_PER_ELEMENT;
  }

  #vectorAt(k: number): number {
    return (blockRows + k * this.stride) * Float64Array.BYTES_PER_ELEMENT;
  }

  #rowAt(i: number): number {
    return this.#vectorAt(blockVectors) + i * this.#rowBytes;
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
